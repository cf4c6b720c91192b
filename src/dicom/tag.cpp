// SPDX-License-Identifier: Apache-2.0
#include "dicom/tag.h"

#include "dicom/vr_table.h"

namespace fiducia::dicom {

std::string to_string(Tag tag) {
  std::string text = "(";
  append_hex(text, tag.group, 4, HexCase::upper);
  text += ",";
  append_hex(text, tag.element, 4, HexCase::upper);
  return text + ")";
}

bool is_known_vr(Vr vr) { return vr_traits(vr).known; }
bool has_long_header(Vr vr) { return vr_traits(vr).long_header; }
unsigned swap_unit_bytes(Vr vr) { return vr_traits(vr).swap_bytes; }
bool has_character_set(Vr vr) { return vr_traits(vr).character_set; }
bool is_text(Vr vr) { return vr_traits(vr).text; }
bool is_multi_valued(Vr vr) { return vr_traits(vr).multi_valued; }
bool keeps_leading_spaces(Vr vr) { return vr_traits(vr).leading_spaces; }

}  // namespace fiducia::dicom
