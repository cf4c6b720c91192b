// SPDX-License-Identifier: Apache-2.0
#include "codec/native.h"

#include <gtest/gtest.h>

#include "support/support.h"

namespace fiducia::codec {
namespace {

/// The slow reference: the sample at (pixel, s), one bit at a time from the little-endian value.
std::uint64_t sample_at(const Geometry& g, const NativeLayout& layout, ByteView value,
                        std::uint32_t frame, std::uint64_t pixel, std::uint64_t s) {
  const std::uint64_t pixels = std::uint64_t{g.rows} * g.columns;
  std::uint64_t index = pixel * g.samples_per_pixel + s;
  if (layout.subsampled_422)
    index = pixel / 2 * 4 + (s == 0 ? pixel % 2 : s + 1);
  else if (g.planar_configuration == 1 && g.samples_per_pixel > 1)
    index = s * pixels + pixel;
  const std::uint64_t first = layout.frame_bits * frame + index * g.bits_allocated;
  std::uint64_t out = 0;
  for (std::uint64_t bit = 0; bit < g.bits_allocated; ++bit) {
    std::uint64_t byte = (first + bit) / 8;
    const std::uint64_t unit = layout.swap_unit_bytes;
    // A rest shorter than a unit is not swapped.
    if (byte / unit * unit + unit <= value.size())
      byte = byte / unit * unit + (unit - 1 - byte % unit);
    const auto b = std::to_integer<std::uint64_t>(value[byte]);
    out |= (b >> ((first + bit) % 8) & 1) << bit;
  }
  return out;
}

TEST(NativeFrames, agree_with_a_bit_by_bit_reference) {
  const std::uint64_t seed = test::seed();
  SCOPED_TRACE("rerun with FIDUCIA_SEED=" + std::to_string(seed));
  std::mt19937_64 prng{seed};
  for (int round = 0; round < 3000; ++round) {
    constexpr std::uint16_t allocated[] = {1, 8, 16, 24, 32, 64};
    Geometry g;
    g.rows = 1 + static_cast<std::uint32_t>(prng() % 5);
    g.columns = 1 + static_cast<std::uint32_t>(prng() % 9);
    g.frames = 1 + static_cast<std::uint32_t>(prng() % 4);
    g.samples_per_pixel = static_cast<std::uint16_t>(1 + prng() % 4);
    g.bits_allocated = allocated[prng() % 6];
    g.planar_configuration = static_cast<std::uint16_t>(prng() % 2);
    g.photometric_interpretation = prng() % 3 == 0 ? "YBR_FULL_422" : "RGB";
    NativeLayout layout;
    layout.subsampled_422 = is_subsampled_422(g);
    layout.frame_bits = g.native_frame_bits();
    layout.swap_unit_bytes = 1U << (prng() % 4);
    const Bytes value = test::random_bytes(
        prng, static_cast<std::size_t>((g.frames * layout.frame_bits + 7) / 8 + prng() % 3));
    Bytes scratch;
    Bytes out(static_cast<std::size_t>(g.frame_bytes()));
    for (std::uint32_t frame = 0; frame < g.frames; ++frame) {
      convert_native_frame(g, layout, value, frame, out, scratch);
      const std::size_t size = g.sample_bytes();
      for (std::uint64_t i = 0; i < out.size() / size; ++i) {
        std::uint64_t got = 0;
        std::memcpy(&got, out.data() + i * size, size);
        ASSERT_EQ(got, sample_at(g, layout, value, frame, i / g.samples_per_pixel,
                                 i % g.samples_per_pixel))
            << "bits " << g.bits_allocated << " unit " << layout.swap_unit_bytes << " sample " << i;
      }
    }
    if (is_borrowable(g, layout)) {
      ASSERT_TRUE(
          same_bytes(out, ByteView{value}.subspan((g.frames - 1) * out.size(), out.size())));
    }
  }
}

}  // namespace
}  // namespace fiducia::codec
