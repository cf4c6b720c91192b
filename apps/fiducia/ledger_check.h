// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <functional>
#include <memory>
#include <string>

#include "core/core.h"
#include "ledger/ledger.h"
#include "options.h"

/// `ledger check`, for the program that reads folders and for the one that also reads servers.
namespace fiducia::app {

/// Opens a log on a server.
using OpenUrl =
    std::function<Result<std::shared_ptr<const ledger::ObjectSource>>(const std::string& url)>;

/// Checks a log, or compares it with another copy, and prints; returns the exit code. Without
/// `open_url` a check that needs a server is handed to the program `fiducia-ledger` beside this
/// one, which is started in place of this process.
/// Errors: those of reading and writing files; is_damage of ledger.cpp tells exit code 2.
[[nodiscard]] Result<int> check_ledger(const LedgerOptions& options, const OpenUrl& open_url = {});

}  // namespace fiducia::app
