// SPDX-License-Identifier: Apache-2.0
#include "render/scale.h"

#include <gtest/gtest.h>

#include <cmath>

#include "support/support.h"

namespace fiducia::render {
namespace {

/// The mean over the exact area of an output sample, from the definition.
double area_mean(const Picture& in, std::uint32_t channels, std::uint32_t channel, double x0,
                 double x1, double y0, double y1) {
  double sum = 0;
  double weights = 0;
  for (std::uint32_t y = 0; y < in.height; ++y) {
    const double h = std::min<double>(y + 1, y1) - std::max<double>(y, y0);
    if (h <= 0) continue;
    for (std::uint32_t x = 0; x < in.width; ++x) {
      const double w = std::min<double>(x + 1, x1) - std::max<double>(x, x0);
      if (w <= 0) continue;
      const std::size_t at = (std::size_t{y} * in.width + x) * channels + channel;
      sum += w * h * std::to_integer<int>(in.samples[at]);
      weights += w * h;
    }
  }
  return sum / weights;
}

TEST(ScaledDown, gives_the_mean_of_each_area) {
  const std::uint64_t seed = test::seed();
  SCOPED_TRACE("rerun with FIDUCIA_SEED=" + std::to_string(seed));
  std::mt19937_64 prng{seed};
  for (int round = 0; round < 100; ++round) {
    Picture in;
    in.width = static_cast<std::uint32_t>(1 + prng() % 50);
    in.height = static_cast<std::uint32_t>(1 + prng() % 50);
    in.colour = prng() % 2 == 0;
    const std::uint32_t channels = in.colour ? 3 : 1;
    in.samples = test::random_bytes(prng, std::size_t{in.width} * in.height * channels);
    const auto side = static_cast<std::uint32_t>(1 + prng() % 50);
    const Picture out = scaled_down(in, side);
    ASSERT_LE(std::max(out.width, out.height), std::max(1U, side));
    ASSERT_EQ(out.samples.size(), std::size_t{out.width} * out.height * channels);
    ASSERT_EQ(out.frame_width, in.width);
    ASSERT_EQ(out.frame_height, in.height);
    const double fx = static_cast<double>(in.width) / out.width;
    const double fy = static_cast<double>(in.height) / out.height;
    for (std::uint32_t y = 0; y < out.height; ++y) {
      for (std::uint32_t x = 0; x < out.width; ++x) {
        for (std::uint32_t c = 0; c < channels; ++c) {
          const double expected =
              area_mean(in, channels, c, x * fx, (x + 1) * fx, y * fy, (y + 1) * fy);
          const std::size_t at = (std::size_t{y} * out.width + x) * channels + c;
          ASSERT_NEAR(std::to_integer<int>(out.samples[at]), expected, 0.51);
        }
      }
    }
  }
}

TEST(ScaledDown, leaves_small_pictures_and_those_that_do_not_fit_their_extent) {
  Picture in;
  in.width = 3;
  in.height = 2;
  in.samples = test::bytes("010203040506");
  EXPECT_EQ(scaled_down(in, 3).samples, in.samples);
  EXPECT_EQ(scaled_down(in, 3).width, 3U);
  in.samples.pop_back();
  EXPECT_EQ(scaled_down(in, 1).samples, in.samples);
  EXPECT_EQ(scaled_down(Picture{}, 10).width, 0U);
}

}  // namespace
}  // namespace fiducia::render
