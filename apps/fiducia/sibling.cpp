// SPDX-License-Identifier: Apache-2.0
#include "sibling.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>

namespace fiducia::app {

bool is_for_sibling(const std::vector<std::string>& arguments) {
  return arguments.size() >= 2 && arguments[0] == "ledger" &&
         std::ranges::any_of(sibling_commands, [&](const SiblingCommand& command) {
           return arguments[1] == command.name;
         });
}

Result<std::filesystem::path> find_ledger_program() {
  constexpr const char* name = "fiducia-ledger";
  std::error_code error;
  std::filesystem::path found;
  if (const char* named = std::getenv("FIDUCIA_LEDGER"); named != nullptr && *named != '\0') {
    found = named;
  } else {
    const auto running = std::filesystem::read_symlink("/proc/self/exe", error);
    const auto folder = error ? std::filesystem::path{"/usr/bin"} : running.parent_path();
    found = folder / name;
    if (!std::filesystem::exists(found, error))
      found = folder.parent_path() / "libexec" / "fiducia" / name;
  }
  if (std::filesystem::exists(found, error)) return found;
  return fail(ErrorCode::config_missing,
              "The program fiducia-ledger, which this needs, is not beside fiducia.",
              "Install it there, or name it in the environment variable FIDUCIA_LEDGER.",
              Location{.file = found.string()});
}

Error run_sibling(const std::vector<std::string>& arguments) {
  const auto program = find_ledger_program();
  if (!program) return program.error();
  std::vector<std::string> passed{"fiducia-ledger"};
  passed.insert(passed.end(), arguments.begin() + 1, arguments.end());
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

}  // namespace fiducia::app
