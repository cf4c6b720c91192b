// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstring>
#include <span>
#include <string>
#include <vector>

#include "crypto/crypto.h"

namespace fiducia::evidence {

/// One field of a map with numbered keys: how it is written and how it is read, in one place. A
/// format is an array of these, ascending by key.
template <class Written, class Read>
struct Field {
  std::uint64_t key = 0;
  void (*write)(crypto::CborWriter&, const Written&) = nullptr;
  /// `offset`: of the key, for errors.
  Status (*read)(crypto::CborReader&, std::uint64_t offset, Read&) = nullptr;
  /// Whether it stands in the map at all; null: always. Asked after everything was read, too.
  bool (*is_written)(const Written&) = nullptr;
  bool is_optional = false;
};

/// Writes the map of `fields`. Deterministic.
template <class Written, class Read, std::size_t count>
void write_fields(crypto::CborWriter& out, const Field<Written, Read> (&fields)[count],
                  const Written& from) {
  const auto stands = [&](const Field<Written, Read>& field) {
    return field.is_written == nullptr || field.is_written(from);
  };
  std::uint64_t present = 0;
  for (const auto& field : fields) present += stands(field) ? 1U : 0U;
  out.map(present);
  for (const auto& field : fields) {
    if (!stands(field)) continue;
    out.uint(field.key);
    field.write(out, from);
  }
}

/// Reads such a map: all fields but optional ones, each once and in order, and no other. `kind` is
/// that of the errors. Errors: truncated, malformed; those of the fields.
template <class Written, class Read, std::size_t count>
Status read_fields(crypto::CborReader& in, const Field<Written, Read> (&fields)[count],
                   const char* kind, Read& into) {
  FIDUCIA_TRY(map, crypto::CborMap::open(in));
  std::size_t required = 0;
  for (const auto& field : fields) required += field.is_optional ? 0U : 1U;
  for (;;) {
    const std::uint64_t offset = in.offset();
    FIDUCIA_TRY(key, map.next());
    if (!key) break;
    if (!key->number) return fail_malformed(kind, "a key is not a number.", offset);
    const Field<Written, Read>* found = nullptr;
    for (const auto& field : fields)
      if (std::cmp_equal(field.key, *key->number)) found = &field;
    if (found == nullptr) return fail_malformed(kind, "a key is unknown.", offset);
    FIDUCIA_CHECK(found->read(in, offset, into));
    if (!found->is_optional) --required;  // CborMap refuses duplicates
  }
  if (required != 0) return fail_malformed(kind, "a key is missing.", 0);
  return {};
}

/// An array of exactly `count` items. Errors: malformed.
inline Status expect_items(crypto::CborReader& in, std::size_t count, const char* kind) {
  const std::uint64_t offset = in.offset();
  FIDUCIA_TRY(found, in.array());
  if (found == count) return {};
  return fail_malformed(
      kind,
      "an array has " + std::to_string(found) + " items instead of " + std::to_string(count) + ".",
      offset);
}

/// A byte string of 32 bytes. Errors: malformed.
inline Result<Digest> read_digest(crypto::CborReader& in, const char* kind) {
  const std::uint64_t offset = in.offset();
  FIDUCIA_TRY(bytes, in.bytes());
  const auto digest = digest_from_bytes(bytes);
  if (!digest) return fail_malformed(kind, "a hash is not 32 bytes.", offset);
  return *digest;
}

/// The same, or null.
inline Result<std::optional<Digest>> read_digest_or_null(crypto::CborReader& in, const char* kind) {
  FIDUCIA_TRY(type, in.peek());
  if (type == crypto::CborType::null) {
    FIDUCIA_CHECK(in.null());
    return std::nullopt;
  }
  FIDUCIA_TRY(digest, read_digest(in, kind));
  return std::optional<Digest>{digest};
}

inline void write_digest_or_null(crypto::CborWriter& out, const std::optional<Digest>& digest) {
  if (digest)
    out.bytes(digest->view());
  else
    out.null();
}

/// Digests, one behind the other in one byte string.
inline void write_digests(crypto::CborWriter& out, std::span<const Digest> digests) {
  static_assert(sizeof(Digest) == 32);
  out.bytes_head(digests.size() * sizeof(Digest));
  out.raw(std::as_bytes(digests));
}

/// Errors: malformed.
inline Result<std::vector<Digest>> read_digests(crypto::CborReader& in, const char* kind) {
  const std::uint64_t offset = in.offset();
  FIDUCIA_TRY(bytes, in.bytes());
  auto digests = digests_from_bytes(bytes);
  if (!digests)
    return fail_malformed(kind, "a table of hashes is not a multiple of 32 bytes.", offset);
  return std::move(*digests);
}

}  // namespace fiducia::evidence
