// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "decoder.h"

namespace fiducia::decoder {

/// How far samples of `precision` bits are moved up in their containers, so that they lie where
/// High Bit says. Encoders code either the Bits Stored alone, or the whole container up to High
/// Bit as it is; a precision between the two fits neither. Errors: codec_failed.
[[nodiscard]] inline Result<unsigned> container_shift(const Geometry& geometry,
                                                      unsigned precision) {
  if (precision == 0 || precision > geometry.sample_bytes() * 8) return mismatch("bits a sample");
  if (precision >= geometry.high_bit + 1U) return 0U;
  if (precision <= geometry.bits_stored) return geometry.high_bit + 1U - geometry.bits_stored;
  return mismatch("bits a sample");
}

/// Puts `count` samples of one component into every `samples_per_pixel`-th container from
/// `component` on. Negative values stay two's complement.
template <class Source, class Container>
void spread(const Source* from, std::size_t count, unsigned shift, std::size_t samples_per_pixel,
            Container* to) {
  using Wide = std::uint64_t;
  if (samples_per_pixel == 1) {
    for (std::size_t i = 0; i < count; ++i)
      to[i] = static_cast<Container>(static_cast<Wide>(from[i]) << shift);
    return;
  }
  for (std::size_t i = 0; i < count; ++i)
    to[i * samples_per_pixel] = static_cast<Container>(static_cast<Wide>(from[i]) << shift);
}

/// The same for a run of samples that starts at sample `first` of `out` (an index of pixels times
/// samples_per_pixel plus component) and goes on every `step` samples.
/// `out` starts at a page, so containers are aligned; this machine is little endian.
template <class Source>
void put_samples(const Source* from, std::size_t count, unsigned shift, const Geometry& geometry,
                 std::size_t first, std::size_t step, std::span<std::byte> out) {
  static_assert(std::endian::native == std::endian::little);
  const std::size_t container = geometry.sample_bytes();
  FIDUCIA_ASSERT(count == 0 || (first + (count - 1) * step + 1) * container <= out.size());
  std::byte* const to = out.data() + first * container;
  switch (container) {
    case 1:
      return spread(from, count, shift, step, reinterpret_cast<std::uint8_t*>(to));
    case 2:
      return spread(from, count, shift, step, reinterpret_cast<std::uint16_t*>(to));
    case 4:
      return spread(from, count, shift, step, reinterpret_cast<std::uint32_t*>(to));
    default:
      return spread(from, count, shift, step, reinterpret_cast<std::uint64_t*>(to));
  }
}

/// What a frame of `count` samples becomes that a library gave as bytes or 16-bit words,
/// pixel-interleaved: `planar` when component follows component instead.
template <class Source>
void put_frame(const Source* from, unsigned shift, bool planar, const Geometry& geometry,
               std::span<std::byte> out) {
  const std::size_t pixels = std::size_t{geometry.rows} * geometry.columns;
  const std::size_t samples = geometry.samples_per_pixel;
  if (!planar) return put_samples(from, pixels * samples, shift, geometry, 0, 1, out);
  for (std::size_t s = 0; s < samples; ++s)
    put_samples(from + s * pixels, pixels, shift, geometry, s, samples, out);
}

}  // namespace fiducia::decoder
