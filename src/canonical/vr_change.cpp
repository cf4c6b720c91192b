// SPDX-License-Identifier: Apache-2.0
#include "canonical/vr_change.h"

#include <algorithm>

namespace fiducia::canonical {
namespace {

namespace v = dicom::vr;

bool is_pair(dicom::Vr a, dicom::Vr b, dicom::Vr one, dicom::Vr other) {
  return (a == one && b == other) || (a == other && b == one);
}

bool is_number_text(dicom::Vr vr) { return vr == v::ds || vr == v::is; }

/// Whether a value of this text VR is one text, `\` included, and not several values.
bool is_single(dicom::Vr vr) { return vr == v::st || vr == v::lt || vr == v::ut || vr == v::ur; }

class Comparison {
 public:
  Comparison(dicom::Vr sealed, const CanonicalHeader& header, const HeaderLeaf& leaf)
      : sealed_(sealed), now_(leaf.element->file_vr), header_(header), leaf_(leaf) {}

  /// Whether every reader gets the same value under both VRs.
  [[nodiscard]] bool reads_alike() const {
    const dicom::Element& element = *leaf_.element;
    if (is_empty(sealed_) && is_empty(now_)) return true;
    if (is_pair(sealed_, now_, v::ob, v::ow)) return true;
    if (is_pair(sealed_, now_, v::us, v::ss) || is_pair(sealed_, now_, v::ul, v::sl) ||
        is_pair(sealed_, now_, v::uv, v::sv))
      return !has_high_bit(element);
    if (dicom::is_text(sealed_) && dicom::is_text(now_)) return is_same_text();
    return false;
  }

 private:
  [[nodiscard]] bool is_empty(dicom::Vr vr) const {
    Bytes swap;
    std::string scratch;
    return header_.value(leaf_, vr, swap, scratch).kind == ValueKind::empty;
  }
  [[nodiscard]] bool is_same_text() const {
    Bytes swap;
    std::string scratch_sealed;
    std::string scratch_now;
    const CanonicalValue sealed = header_.value(leaf_, sealed_, swap, scratch_sealed);
    const CanonicalValue now = header_.value(leaf_, now_, swap, scratch_now);
    const bool several = as_text(leaf_.element->value).contains('\\');
    if (several && is_single(sealed_) != is_single(now_)) return false;
    if (!is_number_text(sealed_) && !is_number_text(now_))
      return sealed.kind == now.kind && same_bytes(sealed.bytes, now.bytes);
    // What is not in the form of a number is read as different ones, or as none.
    const auto is_fine = [](dicom::Vr vr, const CanonicalValue& value) {
      return !is_number_text(vr) || value.kind == ValueKind::decimal;
    };
    return is_fine(sealed_, sealed) && is_fine(now_, now);
  }

  dicom::Vr sealed_;
  dicom::Vr now_;
  const CanonicalHeader& header_;
  const HeaderLeaf& leaf_;
};

}  // namespace

bool has_high_bit(const dicom::Element& element) {
  const std::size_t unit = dicom::swap_unit_bytes(element.vr);
  const ByteView value = element.value;
  for (std::size_t at = 0; at + unit <= value.size(); at += unit)
    if ((value[element.big_endian ? at : at + unit - 1] & std::byte{0x80}) != std::byte{0})
      return true;
  return false;
}

VrChange judge_vr_change(dicom::Vr sealed, const CanonicalHeader& header, const HeaderLeaf& leaf) {
  const dicom::Element& element = *leaf.element;
  const dicom::Vr now = element.file_vr;
  // A value and a sequence are never the same, but for nothing at all under a private dictionary.
  if (leaf.is_sequence != (sealed == v::sq))
    return leaf.is_sequence && element.item_count == 0 && element.tag.is_private()
               ? VrChange::same_value
               : VrChange::other_value;
  if (leaf.vr == sealed) return VrChange::none;
  if (now == v::sq) return VrChange::other_value;  // and no items: nobody reads it as a value
  // Where the file does not say the sign, each reader takes that of Pixel Representation, or none.
  if (element.vr_source != dicom::VrSource::file && !element.tag.is_private() &&
      is_pair(sealed, leaf.vr, v::us, v::ss) && has_high_bit(element))
    return VrChange::other_value;
  if (element.vr_source != dicom::VrSource::file || now == v::un) return VrChange::same_value;
  if (sealed == v::un) return VrChange::same_value;  // it was not known when it was sealed
  // A private creator is LO (PS3.5 7.8.1), and read as such whatever it is called.
  if (element.tag.is_private_creator() && now == v::lo) return VrChange::same_value;
  const Comparison comparison(sealed, header, leaf);
  if (is_pair(sealed, now, v::ob, v::ow) || element.tag.is_private())
    return comparison.reads_alike() ? VrChange::same_value : VrChange::other_value;
  const auto entry = dicom::find_dictionary_entry(element.tag);
  if (!entry || !entry->allows(now)) return VrChange::other_value;
  const bool alike =
      comparison.reads_alike() || (entry->allows(sealed) && !is_pair(sealed, now, v::us, v::ss));
  return alike ? VrChange::same_value : VrChange::other_value;
}

}  // namespace fiducia::canonical
