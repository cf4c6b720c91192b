// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <optional>
#include <string>

#include "core/core.h"
#include "dicom/dicom.h"

namespace fiducia::codec {

enum class SampleKind : std::uint8_t { unsigned_integer = 0, signed_integer = 1, floating = 2 };

/// What the Image Pixel module says (PS3.3 C.7.6.3), checked for consistency.
struct Geometry {
  std::uint32_t frames = 1;
  std::uint32_t rows = 0;
  std::uint32_t columns = 0;
  std::uint16_t samples_per_pixel = 1;
  std::uint16_t bits_allocated = 0;  // 1, 8, 16, 24 (codecs only), 32, 64
  std::uint16_t bits_stored = 0;
  std::uint16_t high_bit = 0;
  SampleKind kind = SampleKind::unsigned_integer;
  std::uint16_t planar_configuration = 0;
  std::string photometric_interpretation;  // as the file says
  bool operator==(const Geometry&) const = default;

  /// Bytes of one sample in a decoded frame: 1, 2, 4 or 8; 1-bit samples take a byte.
  [[nodiscard]] std::uint32_t sample_bytes() const;
  /// Bytes of one decoded frame, interleaved. Fits: read_geometry checked it.
  [[nodiscard]] std::uint64_t frame_bytes() const;
  /// Bits of one native frame (1-bit frames need not end on a byte).
  [[nodiscard]] std::uint64_t native_frame_bits() const;
};

/// How a colour JPEG with loss is decompressed. The standard leaves two things open: where the
/// colour transform is undone, and how subsampled chrominance is spread. (The inverse DCT is the
/// accurate one of the Independent JPEG Group in all.) The numbers are those of spec/seal.md 6.7.
enum class Rendition : std::uint8_t {
  rgb_interpolated = 0,    // what Frame holds unless asked otherwise
  ycbcr_interpolated = 1,  // colours left as they are coded
  rgb_replicated = 2,
  ycbcr_replicated = 3,
};
inline constexpr std::uint8_t rendition_count = 4;

/// The geometry of a data set's Pixel Data, Float or Double Float Pixel Data; absent when it has
/// none of them. Errors: malformed (kind "image_pixel": an attribute is missing, zero or
/// impossible), unsupported (bits allocated), over_limit.
[[nodiscard]] Result<std::optional<Geometry>> read_geometry(const dicom::DataSet& data_set);

}  // namespace fiducia::codec
