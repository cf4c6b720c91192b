// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "cli/cli.h"

/// The program behind `fiducia ledger` and `fiducia export`: one file for each sub-command.
namespace fiducia::ledger_app {

/// Each prints and returns the exit code.
[[nodiscard]] int run(const cli::ExportOptions& options);
[[nodiscard]] int run(const cli::LedgerOptions& options);
[[nodiscard]] int run(const cli::ServeOptions& options);
[[nodiscard]] int run(const cli::MirrorOptions& options);
[[nodiscard]] int run(const cli::WitnessOptions& options);
[[nodiscard]] int run(const cli::MoveOptions& options);
[[nodiscard]] int run(const cli::AppendOptions& options);

}  // namespace fiducia::ledger_app
