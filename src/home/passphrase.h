// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <optional>
#include <string>

#include "core/core.h"

/// The pass phrase that opens a home's keys. It comes, in this order, from a file that was named,
/// from the systemd credential `fiducia.passphrase` (a file in $CREDENTIALS_DIRECTORY), from the
/// terminal.
namespace fiducia::home {

/// Of keys that are there. Errors: config_missing (no source), config_invalid (empty, too long, or
/// a file that everybody may read).
[[nodiscard]] Result<std::string> read_passphrase(const std::string& file);

/// Of keys to be made: absent when no file is named, there is no credential, and nobody is to be
/// asked. `ask`: at the terminal, twice. Errors: as above, usage_invalid (the two differ).
[[nodiscard]] Result<std::optional<std::string>> read_new_passphrase(const std::string& file,
                                                                     bool ask);

}  // namespace fiducia::home
