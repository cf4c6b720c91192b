// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "options.h"

namespace fiducia::app {

/// Each sub-command prints and returns the exit code (DESIGN 3.1).
[[nodiscard]] int run(const InitOptions& options);
[[nodiscard]] int run(const DeviceOptions& options);
[[nodiscard]] int run(const SealOptions& options);
[[nodiscard]] int run(const VerifyOptions& options);
[[nodiscard]] int run(const ExportOptions& options);
[[nodiscard]] int run(const InspectOptions& options);
[[nodiscard]] int run(const LedgerOptions& options);
[[nodiscard]] int run(const StoreOptions& options);

/// The whole program: reads the command line, runs the sub-command.
[[nodiscard]] int run_program(int argc, const char* const* argv);

}  // namespace fiducia::app
