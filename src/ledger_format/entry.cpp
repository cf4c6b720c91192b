// SPDX-License-Identifier: Apache-2.0
#include "ledger_format/entry.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "crypto/crypto.h"

namespace fiducia::ledger_format {
namespace {

constexpr std::uint64_t entry_version = 1;

std::unexpected<Error> bad_entry(std::string what) {
  return fail_malformed("entry", std::move(what));
}

Result<Digest> read_digest(crypto::CborReader& reader) {
  FIDUCIA_TRY(hash, reader.bytes());
  const auto digest = digest_from_bytes(hash);
  if (!digest) return bad_entry("A hash of the entry is not 32 bytes.");
  return *digest;
}

Result<Entry> read_parts(ByteView encoded) {
  crypto::CborReader reader{encoded, crypto::CborOrder::deterministic};
  FIDUCIA_TRY(fields, reader.array());
  if (fields != 5) return bad_entry("The entry does not have five parts.");
  FIDUCIA_TRY(version, reader.uint());
  if (version != entry_version) return bad_entry("The entry is of another version than 1.");
  FIDUCIA_TRY(type, reader.uint());
  if (type > std::numeric_limits<std::underlying_type_t<EntryType>>::max())
    return bad_entry("The entry type is a number past 65535.");
  Entry entry;
  entry.type = static_cast<EntryType>(type);
  FIDUCIA_TRY(sign1_hash, read_digest(reader));
  FIDUCIA_TRY(signer_hash, read_digest(reader));
  FIDUCIA_TRY(seconds, reader.integer());
  FIDUCIA_CHECK(reader.finish());
  entry.sign1_hash = sign1_hash;
  entry.signer_hash = signer_hash;
  entry.claimed_at = UnixTime{seconds};
  if (entry.type == EntryType::genesis && entry.sign1_hash != Digest{})
    return bad_entry("The genesis entry names a statement.");
  return entry;
}

}  // namespace

std::string to_word(EntryType type) {
  switch (type) {
    case EntryType::genesis:
      return "genesis";
    case EntryType::seal:
      return "seal";
    case EntryType::amendment:
      return "amendment";
    case EntryType::derivation:
      return "derivation";
    case EntryType::manifest:
      return "manifest";
    case EntryType::audit_event:
      return "audit event";
  }
  return "type " + std::to_string(std::to_underlying(type));
}

Bytes write_entry(const Entry& entry) {
  crypto::CborWriter writer;
  writer.array(5);
  writer.uint(entry_version);
  writer.uint(std::to_underlying(entry.type));
  writer.bytes(entry.sign1_hash.view());
  writer.bytes(entry.signer_hash.view());
  writer.integer(entry.claimed_at.seconds);
  return writer.take();
}

Result<Entry> read_entry(ByteView encoded) {
  auto entry = read_parts(encoded);
  if (!entry) return fail_malformed("entry", entry.error().what, entry.error().where.offset);
  return entry;
}

}  // namespace fiducia::ledger_format
