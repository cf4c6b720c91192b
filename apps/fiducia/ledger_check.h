// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "core/core.h"
#include "ledger_access.h"
#include "options.h"

/// `ledger check`, for the program that reads folders and for the one that also reads servers.
namespace fiducia::app {

/// Damage, or views that are split.
inline constexpr int damaged_exit_code = 2;

/// Checks a log, or compares it with another copy, and prints; returns the exit code.
/// Errors: those of reading and writing files; is_damage of ledger.cpp tells exit code 2.
[[nodiscard]] Result<int> check_ledger(const LedgerOptions& options, const LedgerAccess& access);

}  // namespace fiducia::app
