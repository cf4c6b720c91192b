// SPDX-License-Identifier: Apache-2.0
#include "core/program.h"

#include <cstdlib>

namespace fiducia {

std::filesystem::path locate_program(const OwnProgram& program) {
  if (const char* named = std::getenv(program.variable); named != nullptr && *named != '\0')
    return named;
  std::error_code error;
  const auto running = std::filesystem::read_symlink("/proc/self/exe", error);
  const auto folder = error ? std::filesystem::path{"/usr/bin"} : running.parent_path();
  const auto beside = folder / program.name;
  if (std::filesystem::exists(beside, error)) return beside;
  const auto aside = folder.parent_path() / "libexec" / "fiducia" / program.name;
  return std::filesystem::exists(aside, error) ? aside : beside;
}

Result<std::filesystem::path> find_program(const OwnProgram& program) {
  auto found = locate_program(program);
  std::error_code error;
  if (std::filesystem::exists(found, error)) return found;
  return fail(ErrorCode::config_missing,
              "The program " + std::string{program.name} +
                  ", which this needs, is not beside the one that runs.",
              "Install it there, or name it in the environment variable " +
                  std::string{program.variable} + ".",
              Location{.file = found.string()});
}

}  // namespace fiducia
