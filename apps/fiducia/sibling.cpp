// SPDX-License-Identifier: Apache-2.0
#include "sibling.h"

#include <cstdlib>

namespace fiducia::app {

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

}  // namespace fiducia::app
