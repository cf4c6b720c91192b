// SPDX-License-Identifier: Apache-2.0
#include "core/visible.h"

#include <algorithm>
#include <array>

namespace fiducia {
namespace {

constexpr std::string_view escape_digits = "0123456789abcdef";

void append_escape(std::string& to, std::string_view prefix, char32_t value, int digit_count) {
  to += prefix;
  for (int digit = digit_count - 1; digit >= 0; --digit) {
    to += escape_digits[(value >> (4 * digit)) & 0xF];
  }
}

}  // namespace

DecodedCharacter decode_character(std::string_view text, std::size_t offset) {
  const auto byte_at = [&](std::size_t i) {
    return static_cast<char32_t>(static_cast<unsigned char>(text[i]));
  };
  const char32_t lead = byte_at(offset);
  const DecodedCharacter alone{.code_point = lead, .length_bytes = 1, .is_utf8 = lead < 0x80};
  if (lead < 0xC2 || lead > 0xF4) return alone;
  const std::size_t length = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  if (length > text.size() - offset) return alone;

  char32_t value = lead & (0x7FU >> length);
  for (std::size_t i = 1; i < length; ++i) {
    const char32_t next = byte_at(offset + i);
    if ((next & 0xC0) != 0x80) return alone;
    value = value << 6 | (next & 0x3F);
  }
  static constexpr std::array<char32_t, 5> smallest{0, 0, 0x80, 0x800, 0x10000};
  const bool surrogate = value >= 0xD800 && value <= 0xDFFF;
  if (value < smallest[length] || value > 0x10FFFF || surrogate) return alone;
  return {.code_point = value, .length_bytes = length, .is_utf8 = true};
}

bool is_invisible(char32_t c) {
  return c < 0x20 || (c >= 0x7F && c <= 0x9F) || c == 0xAD || c == 0x061C || c == 0x180E ||
         (c >= 0x200B && c <= 0x200F) ||  // zero width, LRM, RLM
         (c >= 0x2028 && c <= 0x202E) ||  // separators, embeddings and overrides
         (c >= 0x2060 && c <= 0x206F) ||  // word joiner, isolates
         c == 0xFEFF || (c >= 0xFFF9 && c <= 0xFFFB) || (c >= 0xE0000 && c <= 0xE007F);
}

std::string visible(std::string_view text) {
  // Most text, and megabytes of base64, is plain ASCII.
  const auto is_plain = [](char c) { return c >= 0x20 && c < 0x7F; };
  if (std::ranges::all_of(text, is_plain)) return std::string{text};

  std::string out;
  out.reserve(text.size());
  for (std::size_t offset = 0; offset < text.size();) {
    const DecodedCharacter c = decode_character(text, offset);
    if (!c.is_utf8 || (c.code_point < 0x80 && is_invisible(c.code_point))) {
      append_escape(out, "\\x", c.code_point, 2);
    } else if (is_invisible(c.code_point)) {
      append_escape(out, "\\u", c.code_point, c.code_point > 0xFFFF ? 6 : 4);
    } else {
      out += text.substr(offset, c.length_bytes);
    }
    offset += c.length_bytes;
  }
  return out;
}

std::string listed(std::span<const std::string> names) {
  std::string out;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (i > 0) out += i + 1 == names.size() ? " and " : ", ";
    out += names[i];
  }
  return out;
}

}  // namespace fiducia
