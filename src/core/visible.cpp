// SPDX-License-Identifier: Apache-2.0
#include "core/visible.h"

#include <algorithm>

#include "core/text.h"

namespace fiducia {

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
    const Utf8Character c = read_utf8(text, offset);
    if (!c.is_valid || (c.code_point < 0x80 && is_invisible(c.code_point))) {
      out += "\\x";
      append_hex(out, c.code_point, 2);
    } else if (is_invisible(c.code_point)) {
      out += "\\u";
      append_hex(out, c.code_point, c.code_point > 0xFFFF ? 6 : 4);
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
