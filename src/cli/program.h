// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <functional>

#include "cli/options.h"

namespace fiducia::cli {

/// What a program does with a command that it runs: prints, and returns the exit code.
using RunCommand = std::function<int(const Command&)>;

/// The whole of a program: reads the command line, becomes the other program where that one runs
/// the command (sibling.h), else runs it. What could not be printed was not said: a full disk
/// behind standard output is an error, whatever the command found. No exception leaves it.
[[nodiscard]] int run_program(RunBy self, int argc, const char* const* argv, const RunCommand& run);

}  // namespace fiducia::cli
