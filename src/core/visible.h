// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace fiducia {

/// One step through text that may hold any bytes.
struct DecodedCharacter {
  char32_t code_point = 0;  // the byte itself when it is not part of UTF-8
  std::size_t length_bytes = 1;
  bool is_utf8 = false;
};
/// The character at `offset`, which must lie in `text`. Overlong forms, surrogates and values
/// past 10FFFF are no UTF-8 (RFC 3629): their first byte comes back alone, so that a broken
/// character never swallows the good one after it.
[[nodiscard]] DecodedCharacter decode_character(std::string_view text, std::size_t offset);

/// Whether a character would move the cursor, reorder or hide what is around it: C0, DEL and C1
/// controls, line and paragraph separators, bidirectional controls, zero width characters.
[[nodiscard]] bool is_invisible(char32_t code_point);

/// UTF-8 without control characters, for a terminal or a page: what is_invisible and bytes that
/// are no UTF-8 are spelt out (`\x1b`, `\xff`, `\u202e`).
[[nodiscard]] std::string visible(std::string_view text);

/// Names in a sentence: "a", "a and b", "a, b and c".
[[nodiscard]] std::string listed(std::span<const std::string> names);

}  // namespace fiducia
