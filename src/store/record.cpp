// SPDX-License-Identifier: Apache-2.0
#include "store/record.h"

#include <algorithm>
#include <charconv>

#include "crypto/crypto.h"
#include "dicom/dicom.h"

namespace fiducia::store {
namespace {

constexpr std::size_t sketch_evidences_max = 4;
/// Candidates whose size is compared.
constexpr std::size_t compared_max = 32;

Bytes uid_hash(const Digest& key, std::string_view uid) {
  // It names the same object with and without its padding (PS3.5 section 9.1).
  uid = dicom::without_padding(uid);
  if (uid.empty()) return {};  // no UID is no identity
  const Digest hash = crypto::hmac_sha256(key.view(), as_bytes(uid));
  return Bytes(hash.bytes.begin(), hash.bytes.begin() + uid_hash_bytes);
}

/// An object that shares fingerprints with a sketch.
struct Candidate {
  std::int64_t object = 0;
  std::size_t shared = 0;
  double size_ratio = 0;  // of textured tiles, the smaller by the larger: 1 for equal
};

/// Objects by how many of `hits` name them, most first; of equals the newest first.
std::vector<Candidate> count_hits(std::vector<std::int64_t> hits) {
  std::sort(hits.begin(), hits.end());
  std::vector<Candidate> candidates;
  for (const std::int64_t object : hits) {
    if (candidates.empty() || candidates.back().object != object)
      candidates.push_back({.object = object});
    ++candidates.back().shared;
  }
  std::sort(candidates.begin(), candidates.end(), [](const Candidate& a, const Candidate& b) {
    return a.shared != b.shared ? a.shared > b.shared : a.object > b.object;
  });
  return candidates;
}

/// Of those that share as much, the one with about as many textured tiles.
void prefer_same_size(std::vector<Candidate>& candidates, std::span<const std::int64_t> tiles,
                      std::uint64_t asked_tiles) {
  FIDUCIA_ASSERT(tiles.size() == candidates.size());
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    const auto sealed = static_cast<double>(tiles[i]);
    const auto now = static_cast<double>(asked_tiles);
    candidates[i].size_ratio = std::min(sealed, now) / std::max({sealed, now, 1.0});
  }
  std::stable_sort(
      candidates.begin(), candidates.end(), [](const Candidate& a, const Candidate& b) {
        return a.shared != b.shared ? a.shared > b.shared : a.size_ratio > b.size_ratio;
      });
}

}  // namespace

Result<StoreKeys> StoreKeys::make(ByteView key) {
  if (key.size() != store_key_bytes)
    return fail(
        ErrorCode::config_invalid,
        "The key of the evidence store has " + std::to_string(key.size()) + " bytes; it needs 32.",
        "Give the key file that `fiducia init` made.");
  StoreKeys keys;
  keys.instance_ = crypto::hmac_sha256(key, as_bytes("fiducia/store/instance/1"));
  keys.study_ = crypto::hmac_sha256(key, as_bytes("fiducia/store/study/1"));
  keys.series_ = crypto::hmac_sha256(key, as_bytes("fiducia/store/series/1"));
  Digest sketch_key = crypto::hmac_sha256(key, as_bytes("fiducia/store/sketch/1"));
  keys.secret_ = std::make_shared<const SketchSecret>(store::sketch_secret(sketch_key));
  wipe(sketch_key.bytes);
  return Result<StoreKeys>{std::move(keys)};
}

StoreKeys::~StoreKeys() {
  for (Digest* key : {&instance_, &study_, &series_}) wipe(key->bytes);
}

Bytes StoreKeys::instance_hash(std::string_view uid) const { return uid_hash(instance_, uid); }
Bytes StoreKeys::study_hash(std::string_view uid) const { return uid_hash(study_, uid); }
Bytes StoreKeys::series_hash(std::string_view uid) const { return uid_hash(series_, uid); }

Digest StoreKeys::check() const {
  return crypto::hmac_sha256(instance_.view(), as_bytes("fiducia/store/check/1"));
}

HashedRecord::HashedRecord(const StoreKeys& keys, const Record& record)
    : record_(record),
      instance_(keys.instance_hash(record.sop_instance_uid)),
      study_(keys.study_hash(record.study_instance_uid)),
      series_(keys.series_hash(record.series_instance_uid)) {}

StoredRecord HashedRecord::view() const {
  return {.object_root = record_.object_root,
          .instance = instance_,
          .study = study_,
          .series = series_,
          .ledger_index = record_.ledger_index,
          .textured_tiles = record_.sketch.textured_tiles,
          .sketch_values = record_.sketch.values,
          .evidence = record_.evidence};
}

Status check_sizes(const StoredRecord& record) {
  if (record.evidence.size() <= limits::evidence_bytes_max &&
      record.sketch_values.size() <= sketch_values_max)
    return {};
  return fail(ErrorCode::over_limit,
              "An evidence of " + std::to_string(record.evidence.size()) +
                  " bytes is larger than the store takes.",
              "Seal the object in parts.");
}

Digest record_digest(const StoredRecord& record) {
  Bytes head;
  const auto append_sized = [&head](ByteView bytes) {
    append_be(head, std::uint64_t{bytes.size()});
    append(head, bytes);
  };
  const bool has_place = !record.study.empty() || !record.series.empty();
  if (has_place) append(head, as_bytes("fiducia/store/record/2"));
  append(head, record.object_root.view());
  append_sized(record.instance);
  append_be(head, record.ledger_index);
  append_be(head, record.textured_tiles);
  if (has_place) {
    append_sized(record.study);
    append_sized(record.series);
  }
  crypto::Sha256 hash;
  hash.update(head);
  hash.update(record.evidence);
  return hash.finish();
}

std::string write_position(const ListPosition& position) {
  return std::to_string(position.object) + "-" + to_hex(position.study);
}

Result<ListPosition> read_position(std::string_view text) {
  if (text.empty()) return ListPosition{};
  ListPosition position;
  const std::size_t dash = text.find('-');
  const std::string_view number = text.substr(0, dash);
  const auto [end, error] =
      std::from_chars(number.data(), number.data() + number.size(), position.object);
  const auto study =
      dash == std::string_view::npos ? std::nullopt : from_hex(text.substr(dash + 1));
  if (error != std::errc{} || end != number.data() + number.size() || position.object < 0 ||
      !study || (!study->empty() && study->size() != uid_hash_bytes))
    return fail(ErrorCode::usage_invalid, "A listing cannot go on from there.",
                "Give `next` of the page before, as it was printed.");
  position.study = *study;
  return position;
}

Status check_claims(std::span<const Claim> claims) {
  if (claims.size() <= limits::store_claims_max) return {};
  return fail(ErrorCode::usage_invalid,
              "More than " + std::to_string(limits::store_claims_max) +
                  " identities cannot be kept for one caller.",
              "Seal in smaller batches.");
}

Status check_page(const ListQuery& query) {
  if (query.objects_max >= 1 && query.objects_max <= limits::store_page_objects_max) return {};
  return fail(ErrorCode::usage_invalid,
              "A page holds 1 to " + std::to_string(limits::store_page_objects_max) + " objects.",
              "Ask for the rest by the next page.");
}

Result<std::vector<std::int64_t>> rank_objects(
    std::span<const std::vector<std::int64_t>> hits, std::uint64_t textured_tiles,
    const std::function<Result<std::vector<std::int64_t>>(std::span<const std::int64_t>)>&
        tiles_of) {
  std::vector<std::int64_t> telling;
  std::vector<std::int64_t> common;  // of the oldest objects that have a common value
  std::size_t common_values = 0;
  for (const std::vector<std::int64_t>& objects : hits) {
    const bool is_common = objects.size() > common_value_objects;  // a template
    common_values += is_common;
    std::vector<std::int64_t>& to = is_common ? common : telling;
    to.insert(to.end(), objects.begin(), objects.end());
  }
  std::vector<Candidate> candidates = count_hits(std::move(telling));
  candidates.resize(std::min(candidates.size(), compared_max));
  std::vector<std::int64_t> found;
  for (const Candidate& candidate : candidates) found.push_back(candidate.object);
  if (!found.empty()) {
    FIDUCIA_TRY(tiles, tiles_of(found));
    prefer_same_size(candidates, tiles, textured_tiles);
  }
  candidates.resize(std::min(candidates.size(), sketch_evidences_max));
  found.clear();
  for (const Candidate& candidate : candidates) found.push_back(candidate.object);
  // An image nearly all of which stands in many objects is no template with something of its own:
  // somebody may have had copies of a sealed image sealed, so that it counts as one and is not
  // found any more. The first to have been sealed are asked as well.
  if (common_values * 16 >= hits.size() * 15) {
    std::vector<Candidate> oldest = count_hits(std::move(common));
    std::ranges::stable_sort(oldest, [](const Candidate& a, const Candidate& b) {
      return a.shared != b.shared ? a.shared > b.shared : a.object < b.object;
    });
    const std::size_t end = found.size() + sketch_evidences_max;
    for (const Candidate& candidate : oldest) {
      if (found.size() == end) break;
      if (std::ranges::find(found, candidate.object) == found.end())
        found.push_back(candidate.object);
    }
  }
  return found;
}

void conclude(StoreCheck& check, std::uint64_t damaged, std::int64_t expected) {
  const std::string objects = std::to_string(check.objects) + " objects";
  if (!check.sound)
    check.text = "The database of the store is damaged.";
  else if (damaged > 0)
    check.text = std::to_string(damaged) + " of " + objects + " are not as they were written.";
  else if (!std::cmp_equal(check.objects, expected)) {
    check.sound = false;
    check.text = "The store has " + objects + ", and had " + std::to_string(expected) + ".";
  } else
    check.text = "All " + objects + " are as they were written.";
}

}  // namespace fiducia::store
