// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <filesystem>

#include "core/core.h"

namespace fiducia::app {

/// Where the sibling program fiducia-ledger is: FIDUCIA_LEDGER in the environment, else beside the
/// running program, else in `../libexec/fiducia` from it. Errors: config_missing.
[[nodiscard]] Result<std::filesystem::path> find_ledger_program();

}  // namespace fiducia::app
