// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>
#include <string_view>

#include "core/core.h"

namespace fiducia::home {

/// What fiducia.toml says.
struct HomeFile {
  std::string hospital;
  std::string default_device;
  std::string ledger_origin;  // no spaces, no '+': it is a name in signed notes
  std::string store;          // which evidence store belongs to it, 32 hexadecimal digits
  std::string postgres = {};  // the store's database, as libpq takes it; empty: evidence.db
};

/// Reads fiducia.toml: a table [home], and [evidence] where the store is in a database, with these
/// keys and no other. Errors: config_invalid with the line.
[[nodiscard]] Result<HomeFile> read_home_file(std::string_view toml, const std::string& name);

/// read_home_file gives back the same.
[[nodiscard]] std::string write_home_file(const HomeFile& home);

}  // namespace fiducia::home
