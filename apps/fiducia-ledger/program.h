// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <functional>

#include "core/core.h"

namespace CLI {
class App;
}

/// The program behind `fiducia ledger serve` and its like: one file a sub-command.
namespace fiducia::ledger_app {

/// What the command line asked for; it prints and returns the exit code.
using Run = std::function<Result<int>()>;

/// Each adds one sub-command to `program`; when the command line calls it, `run` is set.
void add_serve(CLI::App& program, Run& run);
void add_mirror(CLI::App& program, Run& run);
void add_witness(CLI::App& program, Run& run);
void add_append(CLI::App& program, Run& run);
void add_move(CLI::App& program, Run& run);

inline constexpr int damaged_exit_code = 2;

/// The whole program.
[[nodiscard]] int run_program(int argc, const char* const* argv);

}  // namespace fiducia::ledger_app
