// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <optional>
#include <string>

#include "core/core.h"

namespace fiducia::ledger_format {

/// Address of a tile or entry bundle (C2SP tlog-tiles).
struct TileAddress {
  std::optional<unsigned> level;  // absent: an entry bundle
  std::uint64_t index = 0;
  unsigned width = 256;  // 1..255: partial
  auto operator<=>(const TileAddress&) const = default;
};
/// "tile/0/x001/x234/067", "tile/entries/273.p/112".
[[nodiscard]] std::string tile_path(const TileAddress& address);
/// Errors: malformed (kind "tile_path").
[[nodiscard]] Result<TileAddress> read_tile_path(std::string_view path);

}  // namespace fiducia::ledger_format
