// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <span>
#include <string>
#include <string_view>

namespace fiducia {

/// Whether a character would move the cursor, reorder or hide what is around it: C0, DEL and C1
/// controls, line and paragraph separators, bidirectional controls, zero width characters.
[[nodiscard]] bool is_invisible(char32_t code_point);

/// UTF-8 without control characters, for a terminal or a page: what is_invisible and bytes that
/// are no UTF-8 are spelt out (`\x1b`, `\xff`, `\u202e`).
[[nodiscard]] std::string visible(std::string_view text);

/// Names in a sentence: "a", "a and b", "a, b and c".
[[nodiscard]] std::string listed(std::span<const std::string> names);

}  // namespace fiducia
