// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <filesystem>
#include <functional>
#include <string>

#include "core/core.h"
#include "ledger/note.h"
#include "ledger/object_store.h"

namespace fiducia::ledger {

/// What `check_log` found. `damaged` names the first bad object, as a path below the log's root.
struct LogCheck {
  bool ok = false;
  std::uint64_t entries_checked = 0;
  std::string damaged;
  std::string text;  // one sentence
};

/// Recomputes every leaf, tile and the root from the entries and compares with what is stored
/// and signed. `progress` gets entries done and the total. Errors: io_unreadable when the
/// checkpoint cannot be read at all.
[[nodiscard]] Result<LogCheck> check_log(
    const ObjectSource& source, const VerifierKey& key,
    const std::function<void(std::uint64_t done, std::uint64_t total)>& progress = {});
[[nodiscard]] inline Result<LogCheck> check_log(
    const std::filesystem::path& folder, const VerifierKey& key,
    const std::function<void(std::uint64_t done, std::uint64_t total)>& progress = {}) {
  return check_log(DirectoryStore{folder}, key, progress);
}

}  // namespace fiducia::ledger
