// SPDX-License-Identifier: Apache-2.0
#include "ledger_format/tile.h"

#include <charconv>

namespace fiducia::ledger_format {
namespace {

constexpr unsigned level_max = 63;
constexpr unsigned full_width = 256;
/// A tree of 2^64 leaves has 2^56 level-0 tiles (tlog-tiles); no address is larger.
constexpr std::uint64_t index_end = std::uint64_t{1} << 56;

std::unexpected<Error> bad_path(std::string what) {
  return fail_malformed("tile_path", std::move(what));
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// Decimal without sign and superfluous zeroes, at most `max`; absent otherwise.
std::optional<unsigned> read_small_decimal(std::string_view text, unsigned max) {
  if (text.empty() || text.size() > 3 || !is_digit(text[0])) return std::nullopt;
  if (text.size() > 1 && text[0] == '0') return std::nullopt;
  unsigned value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || value > max) return std::nullopt;
  return value;
}

/// *( "x" 3DIGIT "/" ) 3DIGIT, no leading group of zeroes (tlog-tiles).
Result<std::uint64_t> read_index(std::string_view text) {
  std::uint64_t value = 0;
  bool first = true;
  for (;;) {
    const bool last = text.size() == 3;
    if (!last) {
      if (text.size() < 8 || text[0] != 'x' || text[4] != '/')
        return bad_path("The tile index is not in groups of three digits.");
      text.remove_prefix(1);
    }
    unsigned group = 0;
    for (const char c : text.substr(0, 3)) {
      if (!is_digit(c)) return bad_path("A group of the tile index is not three digits.");
      group = group * 10 + static_cast<unsigned>(c - '0');
    }
    if (first && !last && group == 0) return bad_path("The tile index has a superfluous group.");
    // value < 2^56 here, so the product stays below 2^66 only for the first groups: compare first.
    if (value > (index_end - 1 - group) / 1000) return bad_path("The tile index is too large.");
    value = value * 1000 + group;
    if (last) return value;
    text.remove_prefix(4);
    first = false;
  }
}

}  // namespace

std::string tile_path(const TileAddress& address) {
  FIDUCIA_ASSERT(address.width >= 1 && address.width <= full_width);
  FIDUCIA_ASSERT(!address.level || *address.level <= level_max);
  FIDUCIA_ASSERT(address.index < index_end);
  std::string digits;
  std::uint64_t rest = address.index;
  bool last = true;
  do {
    std::string group = std::to_string(rest % 1000);
    group.insert(0, 3 - group.size(), '0');
    digits = last ? group : "x" + group + "/" + digits;
    last = false;
    rest /= 1000;
  } while (rest != 0);
  std::string path = "tile/";
  path += address.level ? std::to_string(*address.level) : "entries";
  path += "/" + digits;
  if (address.width < full_width) path += ".p/" + std::to_string(address.width);
  return path;
}

Result<TileAddress> read_tile_path(std::string_view path) {
  constexpr std::string_view prefix = "tile/";
  if (!path.starts_with(prefix)) return bad_path("The path does not start with tile/.");
  path.remove_prefix(prefix.size());
  const std::size_t slash = path.find('/');
  if (slash == std::string_view::npos) return bad_path("The path has no tile index.");
  TileAddress address;
  if (const std::string_view level = path.substr(0, slash); level != "entries") {
    address.level = read_small_decimal(level, level_max);
    if (!address.level) return bad_path("The tile level is not a number from 0 to 63.");
  }
  path.remove_prefix(slash + 1);
  if (const std::size_t partial = path.find(".p/"); partial != std::string_view::npos) {
    const auto width = read_small_decimal(path.substr(partial + 3), full_width - 1);
    if (!width || *width == 0)
      return bad_path("The width of the partial tile is not a number from 1 to 255.");
    address.width = *width;
    path = path.substr(0, partial);
  }
  FIDUCIA_TRY(index, read_index(path));
  address.index = index;
  return address;
}

}  // namespace fiducia::ledger_format
