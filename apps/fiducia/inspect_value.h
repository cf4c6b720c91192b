// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>

#include "dicom/dicom.h"

namespace fiducia::app {

/// A value as one short line: text decoded, numbers in decimal, other bytes in hexadecimal; cut
/// to 64 characters, control characters spelt out.
[[nodiscard]] std::string show_value(const dicom::Element& element,
                                     const dicom::CharacterSet& character_set);

}  // namespace fiducia::app
