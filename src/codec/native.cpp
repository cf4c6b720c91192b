// SPDX-License-Identifier: Apache-2.0
#include "codec/native.h"

#include <algorithm>

namespace fiducia::codec {
namespace {

template <std::unsigned_integral T>
void swap_copy(ByteView value, std::byte* out) {
  const std::size_t whole = value.size() / sizeof(T) * sizeof(T);
  for (std::size_t i = 0; i < whole; i += sizeof(T)) {
    T word;
    std::memcpy(&word, value.data() + i, sizeof word);
    word = std::byteswap(word);
    std::memcpy(out + i, &word, sizeof word);
  }
  if (whole < value.size()) std::memcpy(out + whole, value.data() + whole, value.size() - whole);
}

/// Bits from the least significant one of each byte on (PS3.5 section 8.1.1), any start.
void unpack_bits(const std::byte* in, std::uint64_t first_bit, std::span<std::byte> out) {
  const std::byte* p = in + first_bit / 8;
  unsigned bit = static_cast<unsigned>(first_bit % 8);
  for (std::byte& sample : out) {
    sample = (*p >> bit) & std::byte{1};
    if (++bit == 8) {
      bit = 0;
      ++p;
    }
  }
}

/// Copies one sample from `in` of `N` bytes to `out` of `M` bytes, zero-extended.
template <std::size_t N, std::size_t M>
inline void copy_sample(const std::byte* in, std::byte* out) {
  std::memcpy(out, in, N);
  if constexpr (M > N) std::memset(out + N, 0, M - N);
}

template <std::size_t N, std::size_t M>
void interleave(const std::byte* in, const Geometry& geometry, bool planar, std::byte* out) {
  const std::size_t pixels = std::size_t{geometry.rows} * geometry.columns;
  const std::size_t samples = geometry.samples_per_pixel;
  if (!planar) {
    for (std::size_t i = 0; i < pixels * samples; ++i) copy_sample<N, M>(in + i * N, out + i * M);
    return;
  }
  for (std::size_t s = 0; s < samples; ++s) {
    const std::byte* plane = in + s * pixels * N;
    std::byte* to = out + s * M;
    for (std::size_t i = 0; i < pixels; ++i) copy_sample<N, M>(plane + i * N, to + i * samples * M);
  }
}

template <std::size_t N, std::size_t M>
void repeat_chrominance(const std::byte* in, const Geometry& geometry, std::byte* out) {
  const std::size_t pairs = std::size_t{geometry.rows} * geometry.columns / 2;
  for (std::size_t i = 0; i < pairs; ++i, in += 4 * N, out += 6 * M) {
    copy_sample<N, M>(in, out);
    copy_sample<N, M>(in + 2 * N, out + M);
    copy_sample<N, M>(in + 3 * N, out + 2 * M);
    copy_sample<N, M>(in + N, out + 3 * M);
    copy_sample<N, M>(in + 2 * N, out + 4 * M);
    copy_sample<N, M>(in + 3 * N, out + 5 * M);
  }
}

template <std::size_t N, std::size_t M>
void convert(const std::byte* in, const Geometry& geometry, const NativeLayout& layout,
             std::byte* out) {
  if (layout.subsampled_422)
    repeat_chrominance<N, M>(in, geometry, out);
  else
    interleave<N, M>(in, geometry,
                     geometry.samples_per_pixel > 1 && geometry.planar_configuration == 1, out);
}

}  // namespace

bool is_subsampled_422(const Geometry& geometry) {
  return geometry.samples_per_pixel == 3 && geometry.bits_allocated >= 8 &&
         geometry.columns % 2 == 0 &&
         (geometry.photometric_interpretation == "YBR_FULL_422" ||
          geometry.photometric_interpretation == "YBR_PARTIAL_422");
}

std::uint64_t lone_frame_bytes(const Geometry&, const NativeLayout& layout) {
  return layout.frame_bits / 8 + (layout.frame_bits % 8 != 0 ? 1 : 0);
}

bool is_borrowable(const Geometry& geometry, const NativeLayout& layout) {
  return layout.swap_unit_bytes == 1 && !layout.subsampled_422 &&
         geometry.bits_allocated == geometry.sample_bytes() * 8 &&
         (geometry.samples_per_pixel == 1 || geometry.planar_configuration == 0);
}

void copy_swapped(ByteView value, unsigned unit_bytes, std::byte* out) {
  switch (unit_bytes) {
    case 2:
      return swap_copy<std::uint16_t>(value, out);
    case 4:
      return swap_copy<std::uint32_t>(value, out);
    case 8:
      return swap_copy<std::uint64_t>(value, out);
    default:
      if (!value.empty()) std::memcpy(out, value.data(), value.size());
  }
}

void convert_native_frame(const Geometry& geometry, const NativeLayout& layout, ByteView value,
                          std::uint32_t frame, std::span<std::byte> out, Bytes& scratch) {
  FIDUCIA_ASSERT(out.size() == geometry.frame_bytes());
  const std::uint64_t begin_bit = layout.first_bit + frame * layout.frame_bits;
  const std::uint64_t end_bit = begin_bit + layout.frame_bits;
  FIDUCIA_ASSERT(end_bit / 8 + (end_bit % 8 != 0) <= value.size());
  std::uint64_t in_bit = begin_bit;
  const std::byte* in = value.data();
  if (layout.swap_unit_bytes > 1) {
    // A frame may start inside a unit: take the whole units around it.
    const std::uint64_t unit = layout.swap_unit_bytes;
    const std::uint64_t first = begin_bit / 8 / unit * unit;
    const std::uint64_t last =
        std::min<std::uint64_t>(((end_bit + 7) / 8 + unit - 1) / unit * unit, value.size());
    scratch.resize(static_cast<std::size_t>(last - first));
    copy_swapped(value.subspan(first, last - first), layout.swap_unit_bytes, scratch.data());
    in = scratch.data();
    in_bit = begin_bit - first * 8;
  }
  if (geometry.bits_allocated == 1) {
    const bool planar = geometry.samples_per_pixel > 1 && geometry.planar_configuration == 1;
    if (!planar) return unpack_bits(in, in_bit, out);
    Bytes planes(out.size());
    unpack_bits(in, in_bit, planes);
    return interleave<1, 1>(planes.data(), geometry, true, out.data());
  }
  in += in_bit / 8;
  switch (geometry.bits_allocated) {
    case 8:
      return convert<1, 1>(in, geometry, layout, out.data());
    case 16:
      return convert<2, 2>(in, geometry, layout, out.data());
    case 24:
      return convert<3, 4>(in, geometry, layout, out.data());
    case 32:
      return convert<4, 4>(in, geometry, layout, out.data());
    default:
      return convert<8, 8>(in, geometry, layout, out.data());
  }
}

}  // namespace fiducia::codec
