// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <sys/types.h>

#include <filesystem>
#include <memory>
#include <optional>
#include <span>

#include "core/core.h"
#include "home/home.h"
#include "ledger/ledger.h"

namespace fiducia::sealing {

/// Puts entries into the home's ledger and brings what proves it: receipts, the checkpoint with
/// its cosignatures, time-stamps. One run seals through one recorder; while it lives nobody else
/// seals with this home.
class Recorder {
 public:
  virtual ~Recorder() = default;
  /// Errors: those of ledger::Log::append; also conflict and those of witnesses and time-stamp
  /// authorities that the home demands.
  [[nodiscard]] virtual Result<ledger::Recorded> record(std::span<const Bytes> entries) = 0;
  /// The ledger as it was when the recorder was opened (time of the checkpoint not always known).
  [[nodiscard]] virtual const ledger::LogStatus& status() const = 0;
};

/// A ledger in the home's folder is appended to by this process. Where the home has a ledger.toml
/// (tiles in S3, order by PostgreSQL, witnesses, time-stamps), the sibling program does it: it
/// has the libraries for that, and this one starts in milliseconds.
/// `clock_is_right`: somebody vouches for the clock, although it is far from the newest checkpoint.
/// Errors: as ledger::Log::open; clock_invalid; config_missing (the sibling is not installed).
[[nodiscard]] Result<std::unique_ptr<Recorder>> open_recorder(const home::Home& home,
                                                              bool clock_is_right = false);

}  // namespace fiducia::sealing
