// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "finding/code.h"

namespace fiducia::finding {

/// What is said about one file. The default is never `authentic`.
enum class Verdict : std::uint8_t {
  indeterminate,  // exit 5
  authentic,      // 0
  altered,        // 2
  unsealed,       // 3
  untrusted,      // 4
  malformed,      // 6
};
/// The JSON word.
[[nodiscard]] std::string_view to_word(Verdict verdict);
/// The exit code of one verdict.
[[nodiscard]] int exit_code(Verdict verdict);
/// The worse of two exit codes in the order 1, 2, 6, 4, 5, 3, 0.
[[nodiscard]] int worse_exit_code(int a, int b);

enum class Severity : std::uint8_t { note, warning, alarm };
[[nodiscard]] std::string_view to_word(Severity severity);

/// Edge of a tile in pixels; tiles at the right and bottom edge of a frame may be smaller.
inline constexpr std::uint32_t tile_edge = 64;

/// Position of a tile in its frame, from 0.
struct TilePosition {
  std::uint32_t row = 0;
  std::uint32_t column = 0;
  auto operator<=>(const TilePosition&) const = default;
};

/// In pixels of the frame, from the top left.
struct Box {
  std::uint32_t x = 0;
  std::uint32_t y = 0;
  std::uint32_t width = 0;
  std::uint32_t height = 0;
  bool operator==(const Box&) const = default;
};

/// One thing found. `text` is a plain sentence without any attribute value.
struct Finding {
  Code code = Code::internal;
  Severity severity = Severity::note;
  std::string text;
  std::optional<std::uint32_t> frame = {};  // from 1
  std::vector<TilePosition> tiles = {};     // at most limits::tiles_listed_max
  std::optional<Box> box = {};              // covers all differing tiles of the frame
  std::string attribute = {};               // "(0040,0275)[1].(0040,0007)", `(0029,"SIEMENS",10)`
  std::string keyword = {};  // of the last attribute of the path, when PS3.6 names it
  /// What the file says now, as text cut to 256 bytes; filled only when values were asked for.
  std::optional<std::string> current_value = {};
  std::string kind = {};  // of a family of codes: "cbor" makes "malformed.cbor"
};

/// The word of JSON and of pages: for output only, nothing decides by it.
[[nodiscard]] std::string word_of(const Finding& finding);
/// A finding that says what `error` says.
[[nodiscard]] Finding of_error(const Error& error, Severity severity, std::string text);

}  // namespace fiducia::finding
