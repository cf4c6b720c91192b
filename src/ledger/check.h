// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <chrono>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include "core/core.h"
#include "ledger/check_state.h"
#include "ledger/object_store.h"
#include "ledger_format/note.h"

namespace fiducia::ledger {

/// What `check_log` found. `damaged` names the first bad object, as a path below the log's root.
struct LogCheck {
  bool ok = false;
  bool interrupted = false;  // `stop` said so: nothing bad was found as far as the check came
  std::uint64_t entries_checked = 0;
  std::uint64_t entries_resumed = 0;  // of those: by the check that was resumed
  std::uint64_t tree_size = 0;        // of the checkpoint that was checked
  bool has_signed_root = false;       // whether the log keeps `signed-root.cbor`
  std::string damaged = {};
  std::string text = {};  // one sentence, or two
};

struct CheckOptions {
  /// Gets entries done and the total; called by the thread that called `check_log`.
  std::function<void(std::uint64_t done, std::uint64_t total)> progress = {};
  /// Threads that read and hash; 0: as many as this process may use (`worker_count`).
  unsigned workers = 0;
  /// Goes on where another check came to. Refused (usage_invalid) when it is not of this log.
  std::optional<CheckState> from = {};
  /// Keeps the state: at most every `save_every`, when stopped, and at the end (`finished` when
  /// the log is intact). An error of it ends the check.
  std::function<Status(const CheckState&)> save = {};
  std::chrono::milliseconds save_every{3'000};
  /// Asked after each 256 entries; true ends the check.
  std::function<bool()> stop = {};
};

/// Recomputes every leaf, tile and the root from the entries and compares with what is stored
/// and signed. Entries are read and hashed by several threads and judged in their order, so that
/// the answer does not depend on the number of threads; memory does not depend on the log's size.
/// A log that grows meanwhile is checked up to the checkpoint it had at the beginning.
/// A checkpoint that is missing is damage as well.
/// Errors: io_unreadable when the checkpoint cannot be asked for, usage_invalid (`from`), those of
/// `save`.
[[nodiscard]] Result<LogCheck> check_log(const ObjectSource& source,
                                         const ledger_format::VerifierKey& key,
                                         const CheckOptions& options = {});
[[nodiscard]] inline Result<LogCheck> check_log(const std::filesystem::path& folder,
                                                const ledger_format::VerifierKey& key,
                                                const CheckOptions& options = {}) {
  return check_log(DirectoryStore{folder}, key, options);
}
/// With nothing but `CheckOptions::progress`.
[[nodiscard]] inline Result<LogCheck> check_log(
    const std::filesystem::path& folder, const ledger_format::VerifierKey& key,
    std::function<void(std::uint64_t done, std::uint64_t total)> progress) {
  CheckOptions options;
  options.progress = std::move(progress);
  return check_log(DirectoryStore{folder}, key, options);
}

}  // namespace fiducia::ledger
