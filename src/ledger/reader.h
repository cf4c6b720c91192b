// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/core.h"
#include "ledger/object_store.h"
#include "ledger_format/note.h"

namespace fiducia::ledger {

struct LogStatus {
  std::string origin;
  std::uint64_t tree_size = 0;
  Digest root;
  /// From the log's own signed root; absent where the log keeps none (`signed-root.cbor` is
  /// Fiducia's companion to tlog-tiles).
  std::optional<UnixTime> checkpoint_at;
  std::string vkey;
};

/// Reads a log without a key and without a lock, while others may append to it: it shows the log
/// as it was when opened. Thread safety: const methods may run concurrently.
class LogReader {
 public:
  /// Verifies the checkpoint with `key`.
  /// Errors: io_unreadable, signature_bad, malformed; they name the object.
  [[nodiscard]] static Result<LogReader> open(std::shared_ptr<const ObjectSource> source,
                                              const ledger_format::VerifierKey& key);
  [[nodiscard]] static Result<LogReader> open(const std::filesystem::path& folder,
                                              const ledger_format::VerifierKey& key) {
    return open(std::make_shared<DirectoryStore>(folder), key);
  }
  [[nodiscard]] const LogStatus& status() const;
  [[nodiscard]] const std::string& checkpoint() const;  // the signed note
  /// Errors: io_unreadable, malformed; over_limit when index >= tree_size.
  [[nodiscard]] Result<Bytes> entry(std::uint64_t index) const;
  /// PATH(index, D[tree_size]) (RFC 9162 section 2.1.3.1) in an earlier tree, or else in the
  /// present one. Errors as `entry`.
  [[nodiscard]] Result<std::vector<Digest>> inclusion_proof(
      std::uint64_t index, std::optional<std::uint64_t> tree_size = {}) const;
  /// PROOF(first, D[second]) (RFC 9162 section 2.1.4.1) for an earlier tree of `second` leaves, or
  /// else for the present one. Errors as `entry`.
  [[nodiscard]] Result<std::vector<Digest>> consistency_proof(
      std::uint64_t first, std::optional<std::uint64_t> second = {}) const;

  LogReader(LogReader&&) noexcept;
  LogReader& operator=(LogReader&&) noexcept;
  ~LogReader();

 private:
  struct State;
  explicit LogReader(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace fiducia::ledger
