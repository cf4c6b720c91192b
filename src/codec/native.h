// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "codec/geometry.h"

namespace fiducia::codec {

/// Samples per Pixel that PS3.3 C.7.6.3.1.1 has or had: grey, colour, colour with a fourth.
inline constexpr std::uint16_t samples_per_pixel_max = 4;
/// Length of a Code String (PS3.5 section 6.2).
inline constexpr std::size_t photometric_interpretation_bytes_max = 16;

/// Whether native pixel data of this kind stores two luminance samples and then one Cb and one
/// Cr for two pixels side by side (YBR_FULL_422, YBR_PARTIAL_422; PS3.3 C.7.6.3.1.2).
[[nodiscard]] bool is_subsampled_422(const Geometry& geometry);

/// How the bytes of native frames lie.
struct NativeLayout {
  bool subsampled_422 = false;   // Y1 Y2 Cb Cr; else all samples of each pixel
  unsigned swap_unit_bytes = 1;  // 1: already little endian
  std::uint64_t frame_bits = 0;  // of one frame as stored
  std::uint64_t first_bit = 0;   // of the first frame
};

/// Bytes of one frame as stored when it stands alone (in its own fragment): a whole number.
[[nodiscard]] std::uint64_t lone_frame_bytes(const Geometry& geometry, const NativeLayout& layout);

/// Whether frames are canonical as they lie in the value, so that they can be borrowed.
[[nodiscard]] bool is_borrowable(const Geometry& geometry, const NativeLayout& layout);

/// Writes frame `frame` of the native value `value` to `out`, which has frame_bytes():
/// interleaved, little endian, 1-bit samples as bytes, 24-bit samples zero-extended, subsampled
/// chrominance repeated for both pixels of its pair. The frame must lie inside `value`.
/// `scratch` is overwritten.
void convert_native_frame(const Geometry& geometry, const NativeLayout& layout, ByteView value,
                          std::uint32_t frame, std::span<std::byte> out, Bytes& scratch);

/// Copies `value` with each whole unit of `unit_bytes` reversed; a rest stays as it is.
void copy_swapped(ByteView value, unsigned unit_bytes, std::byte* out);

}  // namespace fiducia::codec
