// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <map>
#include <optional>

#include "codec/codec.h"
#include "dicom/dicom.h"

namespace fiducia::canonical {

/// Encapsulated Pixel Data inside items (icon images), by element, as the native value that holds
/// the same samples: what is sealed of them (spec/seal.md 5.3). Tools encode them with the image.
struct NestedPixels {
  std::map<const dicom::Element*, Bytes> native;
  bool codec_is_missing = false;  // some could not be decoded for that
};

/// Decodes those that decode without loss and without anything that readers take differently; of
/// others, and beyond limits::nested_pixels_max, the fragments are sealed as they are. `child` may
/// be null.
[[nodiscard]] NestedPixels decode_nested_pixels(const dicom::File& file, codec::CodecChild* child);

}  // namespace fiducia::canonical
