// SPDX-License-Identifier: Apache-2.0
#pragma once
// For modules that implement an EvidenceStore: what a record is made of, whatever database holds it
// (spec/store.md 1, 2 and 3).
#include <functional>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "store/sketch.h"
#include "store/store.h"

namespace fiducia::store {

inline constexpr std::size_t uid_hash_bytes = 16;
/// Evidence of one SOP Instance UID that a look-up returns; an object is sealed a few times.
inline constexpr std::size_t instance_evidences_max = 64;
/// Evidence bytes that one look-up returns (its first evidence always).
inline constexpr std::size_t answer_bytes_max = 2 * limits::evidence_bytes_max;
/// A fingerprint in more objects than this names a template (a screen's frame, a logo), not an
/// image, and is ignored.
inline constexpr std::size_t common_value_objects = 64;
/// Object roots of damaged records that a check lists.
inline constexpr std::size_t damaged_listed_max = 1'000;

/// The remedy of every error about damage.
inline constexpr const char* damage_remedy =
    "Run `fiducia store check`, and restore the store from a copy; the ledger shows which seals "
    "are "
    "missing.";

/// The keys that come from a store's key. Wiped at the end.
class StoreKeys {
 public:
  /// Errors: config_invalid, a key that is not 32 bytes long.
  [[nodiscard]] static Result<StoreKeys> make(ByteView key);
  StoreKeys(StoreKeys&&) = default;
  StoreKeys& operator=(StoreKeys&&) = delete;
  ~StoreKeys();

  /// The keyed hashes of UIDs without their padding; empty for an empty UID.
  [[nodiscard]] Bytes instance_hash(std::string_view uid) const;
  [[nodiscard]] Bytes study_hash(std::string_view uid) const;
  [[nodiscard]] Bytes series_hash(std::string_view uid) const;
  /// What a store keeps to notice another key.
  [[nodiscard]] Digest check() const;
  [[nodiscard]] const std::shared_ptr<const SketchSecret>& sketch_secret() const { return secret_; }

 private:
  StoreKeys() = default;
  Digest instance_;
  Digest study_;
  Digest series_;
  std::shared_ptr<const SketchSecret> secret_;
};

/// A record with the hashes of its UIDs; borrows the rest of `record`.
class HashedRecord {
 public:
  HashedRecord(const StoreKeys& keys, const Record& record);
  /// Valid while this and the record are.
  [[nodiscard]] StoredRecord view() const;

 private:
  const Record& record_;
  Bytes instance_;
  Bytes study_;
  Bytes series_;
};

/// Errors: over_limit, when an evidence or a sketch is larger than a store takes.
[[nodiscard]] Status check_sizes(const StoredRecord& record);

/// What the digest of a record is over: all that it says, so that no part can be damaged unseen.
/// Of a record without study and series it is that of schema version 1.
[[nodiscard]] Digest record_digest(const StoredRecord& record);

/// Where a page of a listing ends: study hash and number of its last object.
struct ListPosition {
  Bytes study;
  std::int64_t object = 0;
};
[[nodiscard]] std::string write_position(const ListPosition& position);
/// Before everything for empty text. Errors: usage_invalid.
[[nodiscard]] Result<ListPosition> read_position(std::string_view text);

/// Errors: usage_invalid (too many at once).
[[nodiscard]] Status check_claims(std::span<const Claim> claims);
[[nodiscard]] Status check_page(const ListQuery& query);

/// The numbers of the objects that a sketch finds, best first (spec/store.md 3). `hits[i]`: the
/// first common_value_objects + 1 objects with the i-th value asked for, oldest first.
/// `tiles_of` says how many textured tiles objects have, in their order.
[[nodiscard]] Result<std::vector<std::int64_t>> rank_objects(
    std::span<const std::vector<std::int64_t>> hits, std::uint64_t textured_tiles,
    const std::function<Result<std::vector<std::int64_t>>(std::span<const std::int64_t>)>&
        tiles_of);

/// One sentence on what a check found, and whether the database is sound.
/// `expected`: how many objects were ever inserted.
void conclude(StoreCheck& check, std::uint64_t damaged, std::int64_t expected);

}  // namespace fiducia::store
