// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>
#include <vector>

#include "core/core.h"

/// Commands that talk to others are run by a program of their own, fiducia-ledger, so that sealing
/// and verifying link no network library; `fiducia` becomes it, as git becomes git-http-fetch. It
/// never starts `fiducia`.
namespace fiducia::cli {

/// Whether `arguments`, without the program's name, call a command that fiducia-ledger runs.
[[nodiscard]] bool is_for_sibling(const std::vector<std::string>& arguments);

/// Becomes fiducia-ledger with the same arguments. Returns only when it cannot be started:
/// config_missing.
[[nodiscard]] Error run_sibling(const std::vector<std::string>& arguments);

}  // namespace fiducia::cli
