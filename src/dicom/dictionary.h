// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <algorithm>
#include <span>
#include <string_view>

#include "dicom/tag.h"

namespace fiducia::dicom {

/// An entry of the data dictionary (PS3.6), repeating groups (60xx) resolved.
struct DictionaryEntry {
  std::string_view keyword;  // "PatientName"
  std::string_view name;     // "Patient's Name"
  std::span<const Vr> vrs;   // one, or the alternatives PS3.6 allows ("US or SS", "OB or OW")
  /// Whether `vr` is one of them.
  [[nodiscard]] bool allows(Vr vr) const { return std::ranges::find(vrs, vr) != vrs.end(); }
};
/// Absent for private and unknown tags, and for items and delimiters, which are no data elements
/// and have no VR; so `vrs` is never empty. A group length (gggg,0000) without an entry of its own
/// is UL with an empty keyword. Spans and views outlive everything. Constant time, no allocation.
[[nodiscard]] std::optional<DictionaryEntry> find_dictionary_entry(Tag tag);
/// Whether PS3.6 has had the tag only since editions that no common dictionary knows: neither DCMTK
/// 3.6.7 nor pydicom 2.3.1. What such readers do not know they cannot show, whatever its VR.
[[nodiscard]] bool is_recent(Tag tag);
/// The tag of a keyword, if there is one. For an attribute of repeating groups the first of its
/// tags: OverlayData is (6000,3000).
[[nodiscard]] std::optional<Tag> find_tag(std::string_view keyword);

}  // namespace fiducia::dicom
