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

/// What one object is decoded with, and what all comparisons of it share: decoded once, when the
/// first one needs it. Not thread-safe; one an object.
class ObjectDecoder {
 public:
  /// `file` and `child`, which may be null, must outlive it.
  ObjectDecoder(const dicom::File& file, codec::CodecChild* child) : file_(file), child_(child) {}
  [[nodiscard]] codec::CodecChild* child() const { return child_; }
  [[nodiscard]] const NestedPixels& nested_pixels() {
    if (!nested_) nested_ = decode_nested_pixels(file_, child_);
    return *nested_;
  }

 private:
  const dicom::File& file_;
  codec::CodecChild* child_;
  std::optional<NestedPixels> nested_;
};

}  // namespace fiducia::canonical
