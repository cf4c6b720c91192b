// SPDX-License-Identifier: Apache-2.0
#pragma once
// Inside of module dicom: what the two letters of a VR mean for the reader, in one table look-up.
#include <array>
#include <cstdint>

#include "dicom/tag.h"

namespace fiducia::dicom {

struct VrTraits {
  bool known = false;
  bool long_header = false;     // PS3.5 section 7.1.2, table 7.1-1
  bool text = false;            // PS3.5 section 6.2: character strings
  bool character_set = false;   // PS3.5 section 6.1.2.3
  std::uint8_t swap_bytes = 1;  // PS3.5 section 7.3
  bool multi_valued = false;    // text: `\` separates values (PS3.5 section 6.2)
  bool leading_spaces = false;  // text: they mean something
};

namespace detail {
constexpr std::size_t vr_slot(unsigned char a, unsigned char b) {
  return static_cast<std::size_t>(a - 'A') * 26 + static_cast<std::size_t>(b - 'A');
}
constexpr std::array<VrTraits, 26 * 26> make_vr_table() {
  std::array<VrTraits, 26 * 26> table{};
  const auto slot = [&table](const char* letters) -> VrTraits& {
    return table[vr_slot(static_cast<unsigned char>(letters[0]),
                         static_cast<unsigned char>(letters[1]))];
  };
  const auto text = [&](const char* letters, bool long_header, bool character_set) {
    slot(letters) = {true, long_header, true, character_set, 1, true, true};
  };
  const auto put = [&](const char* letters, bool long_header, std::uint8_t swap) {
    slot(letters) = {true, long_header, false, false, swap, false, false};
  };
  for (const char* letters : {"AE", "AS", "CS", "DA", "DS", "DT", "IS", "TM", "UI"})
    text(letters, false, false);
  for (const char* letters : {"LO", "LT", "PN", "SH", "ST"}) text(letters, false, true);
  for (const char* letters : {"UC", "UT"}) text(letters, true, true);
  text("UR", true, false);
  for (const char* letters : {"LT", "ST", "UR", "UT"}) slot(letters).multi_valued = false;
  for (const char* letters : {"AE", "CS", "DS", "IS", "LO", "SH"})
    slot(letters).leading_spaces = false;
  for (const char* letters : {"OB", "SQ", "UN"}) put(letters, true, 1);
  for (const char* letters : {"AT", "SS", "US"}) put(letters, false, 2);
  for (const char* letters : {"FL", "SL", "UL"}) put(letters, false, 4);
  put("FD", false, 8);
  put("OW", true, 2);
  for (const char* letters : {"OF", "OL"}) put(letters, true, 4);
  for (const char* letters : {"OD", "OV", "SV", "UV"}) put(letters, true, 8);
  return table;
}
inline constexpr std::array<VrTraits, 26 * 26> vr_table = make_vr_table();
inline constexpr VrTraits no_vr{};
}  // namespace detail

[[nodiscard]] constexpr bool is_upper_case(unsigned char c) { return c >= 'A' && c <= 'Z'; }

/// The traits of a VR; those of an unknown one for any other two bytes.
[[nodiscard]] inline const VrTraits& vr_traits(Vr vr) {
  const auto a = static_cast<unsigned char>(vr.letters[0]);
  const auto b = static_cast<unsigned char>(vr.letters[1]);
  if (!is_upper_case(a) || !is_upper_case(b)) return detail::no_vr;
  return detail::vr_table[detail::vr_slot(a, b)];
}

}  // namespace fiducia::dicom
