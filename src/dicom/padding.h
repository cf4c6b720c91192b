// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string_view>

#include "dicom/tag.h"

namespace fiducia::dicom {

/// What fills a text value up to an even length. PS3.5 6.2 has a space, for UI a NUL; tools mix
/// them and write several.
[[nodiscard]] constexpr bool is_padding(char c) { return c == ' ' || c == '\0'; }

/// The text of a value without the padding behind it.
[[nodiscard]] constexpr std::string_view without_padding(std::string_view text) {
  while (!text.empty() && is_padding(text.back())) text.remove_suffix(1);
  return text;
}

/// The same without leading spaces, which mean nothing in most VRs (PS3.5 Table 6.2-1). A NUL in
/// front is no padding: C strings end there.
[[nodiscard]] constexpr std::string_view trimmed(std::string_view text) {
  text = without_padding(text);
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  return text;
}

/// One value of `vr` without what fills it: behind it, and in front where spaces mean nothing
/// there.
[[nodiscard]] inline std::string_view without_padding(Vr vr, std::string_view text) {
  return keeps_leading_spaces(vr) ? without_padding(text) : trimmed(text);
}

}  // namespace fiducia::dicom
