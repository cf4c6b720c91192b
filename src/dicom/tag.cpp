// SPDX-License-Identifier: Apache-2.0
#include "dicom/tag.h"

#include "dicom/vr_table.h"

namespace fiducia::dicom {

std::string to_string(Tag tag) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  std::string text = "(0000,0000)";
  for (std::size_t i = 0; i < 4; ++i) {
    const unsigned shift = 12U - 4U * static_cast<unsigned>(i);
    text[1 + i] = digits[(unsigned{tag.group} >> shift) & 0xFU];
    text[6 + i] = digits[(unsigned{tag.element} >> shift) & 0xFU];
  }
  return text;
}

bool is_known_vr(Vr vr) { return vr_traits(vr).known; }
bool has_long_header(Vr vr) { return vr_traits(vr).long_header; }
unsigned swap_unit_bytes(Vr vr) { return vr_traits(vr).swap_bytes; }
bool has_character_set(Vr vr) { return vr_traits(vr).character_set; }
bool is_text(Vr vr) { return vr_traits(vr).text; }

}  // namespace fiducia::dicom
