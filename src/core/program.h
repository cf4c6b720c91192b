// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <filesystem>

#include "core/error.h"

/// The programs that ours start.
namespace fiducia {

struct OwnProgram {
  const char* name;
  const char* variable;  // of the environment, which names another place
};
inline constexpr OwnProgram codec_program_name{"fiducia-codec", "FIDUCIA_CODEC"};
inline constexpr OwnProgram ledger_program_name{"fiducia-ledger", "FIDUCIA_LEDGER"};

/// Where `program` is: where its variable says, else beside the running program, else in
/// ../libexec/fiducia from there. Where it is in none of them, it is named beside the running one.
[[nodiscard]] std::filesystem::path locate_program(const OwnProgram& program);

/// The same, where it is there. Errors: config_missing.
[[nodiscard]] Result<std::filesystem::path> find_program(const OwnProgram& program);

}  // namespace fiducia
