// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <filesystem>
#include <memory>

#include "core/core.h"
#include "seal/lookup.h"

namespace fiducia::store {

/// What is kept of one sealed object.
struct Record {
  std::string sop_instance_uid;  // stored only as a keyed hash
  Digest object_root;
  seal::Sketch sketch;
  Bytes evidence;
  std::uint64_t ledger_index = 0;
};

/// `kind` of the io_unreadable error of a store opened read-only beside a log whose writer was
/// killed while it closed: opening it once for writing mends it, and loses nothing.
inline constexpr const char* log_lost_kind = "log_lost";

/// The evidence store: one SQLite file, WAL, durable inserts (spec/store.md). Look-ups by keyed
/// hash of SOP Instance UID, by object root, and by pixel sketch. Thread-safe.
class EvidenceStore final : public seal::EvidenceLookup {
 public:
  /// Opens or creates. `key` (32 bytes) keys the hashes and fingerprints; another key finds
  /// nothing. Errors: io_unreadable, io_unwritable, config_invalid (not a store, or newer).
  [[nodiscard]] static Result<std::unique_ptr<EvidenceStore>> open(
      const std::filesystem::path& path, ByteView key, bool read_only = false);
  ~EvidenceStore() override;

  /// Inserts records in one durable transaction; an object root already there is left as it is.
  /// Errors: io_unwritable.
  [[nodiscard]] Status put(std::span<const Record> records);
  [[nodiscard]] Result<std::optional<Bytes>> find_by_root(const Digest& object_root);
  [[nodiscard]] Result<std::uint64_t> count();

  [[nodiscard]] Result<std::vector<Bytes>> find_by_instance(
      std::string_view sop_instance_uid) override;
  [[nodiscard]] std::unique_ptr<seal::SketchBuilder> new_sketch() override;
  [[nodiscard]] Result<std::vector<Bytes>> find_by_sketch(const seal::Sketch& sketch) override;

 private:
  struct State;
  explicit EvidenceStore(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace fiducia::store
