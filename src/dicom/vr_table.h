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
  bool character_set = false;   // PS3.5 section 6.1.2.3
  std::uint8_t swap_bytes = 1;  // PS3.5 section 7.3
};

namespace detail {
constexpr std::size_t vr_slot(unsigned char a, unsigned char b) {
  return static_cast<std::size_t>(a - 'A') * 26 + static_cast<std::size_t>(b - 'A');
}
constexpr std::array<VrTraits, 26 * 26> make_vr_table() {
  std::array<VrTraits, 26 * 26> table{};
  const auto put = [&table](const char* letters, bool long_header, bool character_set,
                            std::uint8_t swap) {
    table[vr_slot(static_cast<unsigned char>(letters[0]), static_cast<unsigned char>(letters[1]))] =
        {true, long_header, character_set, swap};
  };
  for (const char* letters : {"AE", "AS", "CS", "DA", "DS", "DT", "IS", "TM", "UI"})
    put(letters, false, false, 1);
  for (const char* letters : {"LO", "LT", "PN", "SH", "ST"}) put(letters, false, true, 1);
  for (const char* letters : {"UC", "UT"}) put(letters, true, true, 1);
  for (const char* letters : {"OB", "SQ", "UN", "UR"}) put(letters, true, false, 1);
  for (const char* letters : {"AT", "SS", "US"}) put(letters, false, false, 2);
  for (const char* letters : {"FL", "SL", "UL"}) put(letters, false, false, 4);
  put("FD", false, false, 8);
  put("OW", true, false, 2);
  for (const char* letters : {"OF", "OL"}) put(letters, true, false, 4);
  for (const char* letters : {"OD", "OV", "SV", "UV"}) put(letters, true, false, 8);
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
