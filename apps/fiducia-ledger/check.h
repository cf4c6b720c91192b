// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "cli/cli.h"
#include "core/core.h"

/// `ledger check`.
namespace fiducia::ledger_app {

/// Checks a log, or compares it with another copy, and prints; returns the exit code.
/// Errors: those of reading and writing files; is_damage tells exit code 2.
[[nodiscard]] Result<int> check_ledger(const cli::LedgerOptions& options);

}  // namespace fiducia::ledger_app
