// SPDX-License-Identifier: Apache-2.0
#include "cli/sibling.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

#include "cli/options.h"

namespace fiducia::cli {

bool is_for_sibling(const std::vector<std::string>& arguments) {
  if (arguments.empty()) return false;
  const auto called = std::ranges::find_if(
      sub_commands(), [&](const SubCommand& sub) { return arguments.front() == sub.name; });
  return called != sub_commands().end() && called->run_by == RunBy::ledger;
}

Error run_sibling(const std::vector<std::string>& arguments) {
  const auto program = find_program(ledger_program_name);
  if (!program) return program.error();
  std::vector<std::string> passed{ledger_program_name.name};
  passed.insert(passed.end(), arguments.begin(), arguments.end());
  std::vector<char*> argv;
  for (std::string& argument : passed) argv.push_back(argument.data());
  argv.push_back(nullptr);
  ::execv(program->c_str(), argv.data());
  return {.code = ErrorCode::config_missing,
          .what = "The program fiducia-ledger cannot be started: " +
                  std::error_code(errno, std::generic_category()).message() + ".",
          .remedy = "Install it again, or name it in the environment variable FIDUCIA_LEDGER.",
          .where = {.file = program->string()}};
}

}  // namespace fiducia::cli
