// SPDX-License-Identifier: Apache-2.0
#include <utility>

#include "commands.h"

namespace {

using namespace fiducia;

/// What fiducia-ledger runs does not come here: `run_program` becomes it.
template <class Options>
int run_own(const Options& options) {
  if constexpr (requires { app::run(options); }) return app::run(options);
  std::unreachable();
}

}  // namespace

int main(int argc, char** argv) {
  return cli::run_program(cli::RunBy::fiducia, argc, argv, [](const cli::Command& command) {
    return std::visit([](const auto& options) { return run_own(options); }, command);
  });
}
