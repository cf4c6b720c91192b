// SPDX-License-Identifier: Apache-2.0
#include "ledger_commands.h"

namespace {

using namespace fiducia;

/// Whoever calls this program by its own name with a command of `fiducia` is sent there.
template <class Options>
int run_own(const Options& options) {
  if constexpr (requires { ledger_app::run(options); }) return ledger_app::run(options);
  cli::print_error(Error{.code = ErrorCode::usage_invalid,
                         .what = "This program runs `fiducia ledger` and `fiducia export`.",
                         .remedy = "Call `fiducia`."},
                   options.common.json);
  return cli::failed_exit_code;
}

}  // namespace

int main(int argc, char** argv) {
  return cli::run_program(cli::RunBy::ledger, argc, argv, [](const cli::Command& command) {
    return std::visit([](const auto& options) { return run_own(options); }, command);
  });
}
