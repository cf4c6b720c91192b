// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>

#include "core/core.h"
#include "ledger/ledger.h"
#include "ledger_format/ledger_format.h"

namespace fiducia::ledger_net {

enum class MirrorState : std::uint8_t {
  unchanged,  // the log has nothing new
  updated,    // the copy has the log's newest checkpoint and all that it calls for
  forked,     // alarm: the log signed a tree that does not hold the one it signed before
  shrunk,     // alarm: the log shows an earlier tree than it did before
};

struct Mirrored {
  MirrorState state = MirrorState::unchanged;
  std::string origin;
  std::uint64_t size_before = 0;  // of the copy
  std::uint64_t size = 0;         // of the checkpoint that the log shows
  std::filesystem::path alarm;    // forked, shrunk: the folder with both signed notes
  std::string text;               // one sentence
};

struct MirrorOptions {
  unsigned parallel = 8;  // objects fetched at the same time
  /// Gets new entries fetched and how many there are; several threads, one at a time.
  std::function<void(std::uint64_t done, std::uint64_t total)> progress = {};
  std::stop_token stop = {};
  std::uint64_t entries_max = limits::mirror_run_entries_max;
  std::uint64_t bytes_max = limits::mirror_run_bytes_max;
  std::chrono::seconds time_max{limits::mirror_run_seconds_max};
  std::function<std::chrono::steady_clock::time_point()> now = std::chrono::steady_clock::now;
};

/// Brings the copy in `folder` of the log behind `source` up to date. `key` is the log's, known
/// beforehand; its name is the origin that the checkpoint must have.
///
/// Durable steps, so that a run may be killed at any of them and the next one goes on:
/// 1. The log's checkpoint is verified, and that its tree holds the one of the copy's checkpoint.
///    If it does not, both notes go to `folder`/alarms and nothing else is touched.
/// 2. Bundles and tiles are fetched; each is checked against the new root before it is written.
///    What an earlier run has written is checked in the same way and not fetched again.
/// 3. Once all of them are durable, `checkpoint` is replaced.
///
/// One run at a time works on a folder. Errors: busy; io_unreadable; io_unwritable; signature_bad
/// and malformed, which name the object of the log (or of the copy) that is wrong; over_limit (kind
/// "mirror_run"), once a bound of the options is reached: nothing is read of the log any more, and
/// the copy is as an interrupted run leaves it.
[[nodiscard]] Result<Mirrored> mirror_log(std::shared_ptr<const ledger::ObjectSource> source,
                                          const std::filesystem::path& folder,
                                          const ledger_format::VerifierKey& key,
                                          const MirrorOptions& options = {});

}  // namespace fiducia::ledger_net
