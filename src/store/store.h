// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <array>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "canonical/canonical.h"
#include "core/core.h"
#include "evidence/evidence.h"

namespace fiducia::store {

inline constexpr std::size_t store_key_bytes = 32;

/// What is kept of one sealed object. The three UIDs are stored only as keyed hashes.
struct Record {
  std::string sop_instance_uid = {};
  std::string study_instance_uid = {};
  std::string series_instance_uid = {};
  Digest object_root = {};
  canonical::Sketch sketch = {};
  Bytes evidence = {};
  std::uint64_t ledger_index = 0;
};

/// A record as it lies in a store; borrowed from whoever gave it.
struct StoredRecord {
  Digest object_root;
  ByteView instance = {};  // keyed hash of the UID, 16 bytes; empty: none, as the next two
  ByteView study = {};
  ByteView series = {};
  std::uint64_t ledger_index = 0;
  std::uint64_t textured_tiles = 0;
  std::span<const std::uint64_t> sketch_values = {};
  ByteView evidence = {};
};

/// What a store knows of the home around it, as of its last `put`: parts that were restored from
/// copies of different age, or exchanged, do not fit each other.
struct HomeMark {
  std::uint64_t tree_size = 0;  // of the ledger, with the last entry that this store knows
  Digest root;                  // of that tree
  std::uint64_t pending = 0;    // entries that may have been appended behind it: a run was killed
  std::uint64_t trust_serial = 0;  // the largest edition of the trust file that was sealed with
};

/// What a store says of itself.
struct StoreIdentity {
  std::array<std::byte, 16> id{};  // drawn when it was made
  bool key_fits = false;           // it was made with this key
  bool emptied = false;            // objects that it had are gone
};

/// What `check` found.
struct StoreCheck {
  std::uint64_t objects = 0;
  std::vector<Digest> damaged;  // object roots of records that are not as they were written
  std::string text;             // one sentence
  [[nodiscard]] bool ok() const { return damaged.empty() && sound; }
  bool sound = false;  // the database itself
};

/// An identity that its caller is about to seal.
struct Claim {
  std::string sop_instance_uid;  // empty: no identity, always granted
  /// What `count_by_instance` said before the caller judged that the identity may be sealed.
  std::uint64_t known = 0;
};

enum class ClaimAnswer {
  granted,
  taken,    // somebody else is sealing this identity now
  changed,  // evidence was added since the caller judged: judge again
};

/// Identities that are kept for one caller until `put`, or until this object ends. A process that
/// is killed keeps nothing. Thread safety: one thread at a time.
class Reservation {
 public:
  virtual ~Reservation() = default;
  /// One for each claim, in their order.
  [[nodiscard]] const std::vector<ClaimAnswer>& answers() const { return answers_; }
  /// As EvidenceStore::put; once, and only for identities that were granted. Also io_unwritable
  /// when the reservation was lost meanwhile: then nothing was stored.
  [[nodiscard]] virtual Status put(std::span<const Record> records, const HomeMark* mark) = 0;

 protected:
  explicit Reservation(std::vector<ClaimAnswer> answers) : answers_(std::move(answers)) {}

 private:
  std::vector<ClaimAnswer> answers_;
};

/// Which objects are asked for, and where to go on.
struct ListQuery {
  std::string study_instance_uid = {};   // empty: any
  std::string series_instance_uid = {};  // empty: any
  std::string after = {};                // ListPage::next of the page before; empty: from the start
  std::size_t objects_max = limits::store_page_objects_max;
};

/// An object as a listing shows it: hashes under the store's key, 16 bytes each; empty where the
/// object had no such UID, or was stored by a version that did not keep it.
struct ListedObject {
  Digest object_root;
  std::uint64_t ledger_index = 0;
  Bytes instance;
  Bytes study;
  Bytes series;
};

struct ListPage {
  std::vector<ListedObject> objects;
  std::string next;  // empty: that was the last page
};

/// `kind` of the io_unreadable error of a store opened read-only beside a log whose writer was
/// killed while it closed: opening it once for writing fixes it, and loses nothing.
inline constexpr const char* log_lost_kind = "log_lost";

/// The evidence store (spec/store.md): durable inserts, and look-ups by keyed hash of SOP Instance
/// UID, by object root and by pixel sketch. Each record carries a digest: one that is not as it was
/// written is found as empty bytes (EvidenceLookup). Objects are never changed or removed.
/// Thread-safe.
///
/// Errors of all: io_unreadable (reads), io_unwritable (writes), busy (somebody holds a lock, or
/// the database was too slow), store_damaged, config_invalid.
class EvidenceStore : public evidence::EvidenceLookup {
 public:
  /// Inserts records, and the mark if there is one, in one durable transaction; an object root
  /// already there is left as it is. Also over_limit.
  [[nodiscard]] virtual Status put(std::span<const Record> records,
                                   const HomeMark* mark = nullptr) = 0;
  /// Keeps identities for the caller, so that of all who seal one at the same moment, on any
  /// machine with this store, one goes on to the ledger. Does not wait where at least one claim is
  /// granted; else waits up to `wait_ms` for one that is taken. No UID may stand in it twice.
  [[nodiscard]] virtual Result<std::unique_ptr<Reservation>> reserve(std::span<const Claim> claims,
                                                                     std::uint32_t wait_ms) = 0;
  [[nodiscard]] virtual Result<HomeMark> mark() = 0;
  /// Takes what the store has now for all that it ever had, and this mark.
  [[nodiscard]] virtual Status accept(const HomeMark& mark) = 0;
  [[nodiscard]] virtual Result<StoreIdentity> identity() = 0;
  /// Reads every record and what the database says of its own structure. `progress` may be empty.
  [[nodiscard]] virtual Result<StoreCheck> check(
      const std::function<void(std::uint64_t done, std::uint64_t total)>& progress = {}) = 0;
  [[nodiscard]] virtual Result<std::optional<Bytes>> find_by_root(const Digest& object_root) = 0;
  [[nodiscard]] virtual Result<std::uint64_t> count() = 0;
  /// How many objects are stored under this SOP Instance UID, damaged ones as well.
  [[nodiscard]] virtual Result<std::uint64_t> count_by_instance(
      std::string_view sop_instance_uid) = 0;
  /// A page of the objects in the order of study, then of insertion. What is inserted while
  /// somebody lists may or may not be in it. Also usage_invalid (`after`).
  [[nodiscard]] virtual Result<ListPage> list(const ListQuery& query) = 0;
  /// Inserts records of another store with the same key, damaged ones left out, as `put`.
  [[nodiscard]] virtual Status put_stored(std::span<const StoredRecord> records) = 0;
};

/// Opens or creates a store in one SQLite file. `key` (32 bytes) keys hashes and fingerprints;
/// another key finds nothing. A store of an earlier version is brought to this one when it is
/// opened for writing, and read as it is otherwise. Also config_invalid (not a store, or newer).
[[nodiscard]] Result<std::unique_ptr<EvidenceStore>> open_sqlite(const std::filesystem::path& path,
                                                                 ByteView key,
                                                                 bool read_only = false);

/// Gives all records of a SQLite store to `sink` in the order of insertion, a few MB at a time, and
/// how many there are. Damaged ones are left out, and counted in `damaged`. Memory does not grow
/// with the store; the temporary folder has to hold its sketches (300 bytes an object).
/// Errors: those of the sink, io_unreadable, store_damaged.
[[nodiscard]] Status read_sqlite(
    const std::filesystem::path& path, ByteView key, std::uint64_t& damaged,
    const std::function<Status(std::span<const StoredRecord>, std::uint64_t total)>& sink);

}  // namespace fiducia::store
