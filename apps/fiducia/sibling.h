// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <array>
#include <filesystem>
#include <string>
#include <vector>

#include "core/core.h"

/// The sub-commands of `fiducia ledger` that talk to others. They are a program of their own,
/// fiducia-ledger, so that sealing and verifying link no network library; `fiducia` becomes it, as
/// git becomes git-http-fetch.
namespace fiducia::app {

struct SiblingCommand {
  const char* name;
  const char* summary;
};
inline constexpr std::array sibling_commands{
    SiblingCommand{"serve", "Serve the ledger for reading, over HTTP"},
    SiblingCommand{"mirror", "Keep and check a copy of another ledger"},
    SiblingCommand{"witness", "Make sure that a log shows everybody the same tree"},
    SiblingCommand{"move", "Move the ledger to where ledger.toml says"},
};

/// Whether `arguments`, without the program's name, call one of them.
[[nodiscard]] bool is_for_sibling(const std::vector<std::string>& arguments);

/// The program fiducia-ledger, which links what talks to others (libcurl, libpq): FIDUCIA_LEDGER in
/// the environment, else beside this program, else in ../libexec/fiducia. Errors: config_missing.
[[nodiscard]] Result<std::filesystem::path> find_ledger_program();

/// Becomes that program. Returns only when it cannot be started: config_missing.
[[nodiscard]] Error run_sibling(const std::vector<std::string>& arguments);

}  // namespace fiducia::app
