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

/// What is kept of one sealed object.
struct Record {
  std::string sop_instance_uid;  // stored only as a keyed hash
  Digest object_root;
  canonical::Sketch sketch;
  Bytes evidence;
  std::uint64_t ledger_index = 0;
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

/// `kind` of the io_unreadable error of a store opened read-only beside a log whose writer was
/// killed while it closed: opening it once for writing fixes it, and loses nothing.
inline constexpr const char* log_lost_kind = "log_lost";

/// The evidence store: one SQLite file, WAL, durable inserts (spec/store.md). Look-ups by keyed
/// hash of SOP Instance UID, by object root, and by pixel sketch. Each record carries a digest: one
/// that is not as it was written is found as empty bytes (EvidenceLookup). Thread-safe.
class EvidenceStore final : public evidence::EvidenceLookup {
 public:
  /// Opens or creates. `key` (32 bytes) keys the hashes and fingerprints; another key finds
  /// nothing. Errors: io_unreadable, io_unwritable, config_invalid (not a store, or newer).
  [[nodiscard]] static Result<std::unique_ptr<EvidenceStore>> open(
      const std::filesystem::path& path, ByteView key, bool read_only = false);
  ~EvidenceStore() override;

  /// Inserts records, and the mark if there is one, in one durable transaction; an object root
  /// already there is left as it is. Errors: io_unwritable.
  [[nodiscard]] Status put(std::span<const Record> records, const HomeMark* mark = nullptr);
  [[nodiscard]] Result<HomeMark> mark();
  /// Takes what the store has now for all that it ever had, and this mark. Errors: io_unwritable.
  [[nodiscard]] Status accept(const HomeMark& mark);
  [[nodiscard]] Result<StoreIdentity> identity();
  /// Reads every record and the database's own structure. `progress` may be empty.
  [[nodiscard]] Result<StoreCheck> check(
      const std::function<void(std::uint64_t done, std::uint64_t total)>& progress = {});
  /// Errors: store_damaged.
  [[nodiscard]] Result<std::optional<Bytes>> find_by_root(const Digest& object_root);
  [[nodiscard]] Result<std::uint64_t> count();

  [[nodiscard]] Result<std::vector<Bytes>> find_by_instance(
      std::string_view sop_instance_uid) override;
  [[nodiscard]] std::unique_ptr<canonical::SketchBuilder> new_sketch() override;
  [[nodiscard]] Result<std::vector<Bytes>> find_by_sketch(const canonical::Sketch& sketch) override;

 private:
  struct State;
  explicit EvidenceStore(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace fiducia::store
