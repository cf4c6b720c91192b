// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <array>

#include "decoder.h"

namespace fiducia::decoder {

/// The components of a JPEG frame of 8 bits with YCbCr colours as the inverse DCT leaves them, each
/// in the size in which it is coded. All renditions of the frame are made of them: the entropy
/// coding, most of the work, is undone once. They are byte for byte what libjpeg-turbo gives.
class JpegPlanes {
 public:
  /// Only where can_render(). Errors: codec_failed.
  [[nodiscard]] static Result<JpegPlanes> read(ByteView codestream, const Geometry& geometry);

  /// Fills `out`, which has rows x columns x 3 bytes.
  void render(Rendition rendition, std::span<std::byte> out) const;

 private:
  struct Plane {
    Bytes samples;
    std::size_t row_bytes = 0;  // whole blocks
    std::size_t width = 0;      // of what is coded, without what fills blocks
    std::size_t height = 0;
    std::size_t expand_x = 1;  // pixels of the image for a sample
    std::size_t expand_y = 1;
    [[nodiscard]] const std::uint8_t* row(std::size_t y) const;
  };
  static void spread_row(const Plane& plane, std::size_t y, bool interpolate, Bytes& sums,
                         Bytes& row);
  std::array<Plane, 3> planes_;
  std::size_t rows_ = 0;
  std::size_t columns_ = 0;
};

/// Whether a frame has other renditions than one: a DCT process of 8 bits, YCbCr, in bytes.
[[nodiscard]] bool can_render(ByteView codestream, const Geometry& geometry);

}  // namespace fiducia::decoder
