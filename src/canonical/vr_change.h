// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "canonical/header.h"

namespace fiducia::canonical {

/// What another value representation than the sealed one makes of a value.
enum class VrChange : std::uint8_t {
  none,
  same_value,   // it was lost, or each reader gets the same value under both
  other_value,  // the same bytes would be read as something else
};

/// Whether a whole number of the width of the element's VR has its highest bit set: with and
/// without a sign it is another number.
[[nodiscard]] bool has_high_bit(const dicom::Element& element);

/// Judges the VR that the file shows for `leaf` against the sealed one (spec/seal.md 5.5). Says
/// nothing of the value itself.
[[nodiscard]] VrChange judge_vr_change(dicom::Vr sealed, const CanonicalHeader& header,
                                       const HeaderLeaf& leaf);

}  // namespace fiducia::canonical
