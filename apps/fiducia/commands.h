// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "cli/cli.h"

/// One file for each sub-command.
namespace fiducia::app {

/// Each prints and returns the exit code.
[[nodiscard]] int run(const cli::InitOptions& options);
[[nodiscard]] int run(const cli::DeviceOptions& options);
[[nodiscard]] int run(const cli::SealOptions& options);
[[nodiscard]] int run(const cli::VerifyOptions& options);
[[nodiscard]] int run(const cli::InspectOptions& options);
[[nodiscard]] int run(const cli::StoreOptions& options);

}  // namespace fiducia::app
