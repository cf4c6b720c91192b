// SPDX-License-Identifier: Apache-2.0
#include "render/png.h"

#include <gtest/gtest.h>
#include <zlib.h>

#include <cstdlib>

#include "support/support.h"

namespace fiducia::render {
namespace {

struct Decoded {
  std::uint32_t width = 0;
  std::uint32_t height = 0;
  bool colour = false;
  Bytes samples;
};

/// A reader for tests, written from ISO/IEC 15948 and not from the writer.
std::optional<Decoded> read_png(ByteView png) {
  static constexpr std::string_view signature = "\x89PNG\r\n\x1a\n";
  if (png.size() < 8 || as_text(png.first(8)) != signature) return std::nullopt;
  Decoded out;
  Bytes packed;
  for (std::size_t at = 8; at + 12 <= png.size();) {
    const std::uint32_t length = load_be<std::uint32_t>(png.data() + at);
    const ByteView chunk = png.subspan(at + 4, length + 4);
    const auto crc = crc32_z(0, reinterpret_cast<const Bytef*>(chunk.data()), chunk.size());
    if (crc != load_be<std::uint32_t>(png.data() + at + 8 + length)) return std::nullopt;
    const std::string_view type = as_text(chunk.first(4));
    const ByteView data = chunk.subspan(4);
    if (type == "IHDR") {
      out.width = load_be<std::uint32_t>(data.data());
      out.height = load_be<std::uint32_t>(data.data() + 4);
      if (data[8] != std::byte{8}) return std::nullopt;
      out.colour = data[9] == std::byte{2};
    }
    if (type == "IDAT") append(packed, data);
    at += length + 12;
  }
  const std::size_t step = out.colour ? 3 : 1;
  const std::size_t row_bytes = out.width * step;
  Bytes filtered((row_bytes + 1) * out.height);
  uLongf size = filtered.size();
  if (uncompress(reinterpret_cast<Bytef*>(filtered.data()), &size,
                 reinterpret_cast<const Bytef*>(packed.data()), packed.size()) != Z_OK ||
      size != filtered.size()) {
    return std::nullopt;
  }
  out.samples.resize(row_bytes * out.height);
  const auto at = [&](std::size_t y, std::size_t x) {
    return static_cast<int>(out.samples[y * row_bytes + x]);
  };
  for (std::size_t y = 0; y < out.height; ++y) {
    const std::byte* row = filtered.data() + y * (row_bytes + 1);
    for (std::size_t x = 0; x < row_bytes; ++x) {
      const int a = x < step ? 0 : at(y, x - step);
      const int b = y == 0 ? 0 : at(y - 1, x);
      const int c = x < step || y == 0 ? 0 : at(y - 1, x - step);
      int predicted = 0;
      switch (static_cast<int>(row[0])) {
        case 1:
          predicted = a;
          break;
        case 2:
          predicted = b;
          break;
        case 3:
          predicted = (a + b) / 2;
          break;
        case 4: {
          const int pa = std::abs(b - c);
          const int pb = std::abs(a - c);
          const int pc = std::abs(a + b - 2 * c);
          predicted = pa <= pb && pa <= pc ? a : pb <= pc ? b : c;
          break;
        }
        default:
          break;
      }
      out.samples[y * row_bytes + x] =
          static_cast<std::byte>(static_cast<int>(row[x + 1]) + predicted);
    }
  }
  return out;
}

TEST(Png, gives_back_every_sample) {
  const std::uint64_t seed = test::seed();
  SCOPED_TRACE("rerun with FIDUCIA_SEED=" + std::to_string(seed));
  std::mt19937_64 prng{seed};
  for (int round = 0; round < 200; ++round) {
    const auto width = static_cast<std::uint32_t>(1 + prng() % 40);
    const auto height = static_cast<std::uint32_t>(1 + prng() % 40);
    const bool colour = prng() % 2 == 0;
    Bytes samples = test::random_bytes(prng, std::size_t{width} * height * (colour ? 3 : 1));
    if (round % 2 == 0) {  // smooth, so that all filters are chosen
      for (std::size_t i = 0; i < samples.size(); ++i) {
        samples[i] = static_cast<std::byte>(i * (1 + prng() % 2) / 3);
      }
    }
    const auto decoded = read_png(write_png(width, height, colour, samples));
    ASSERT_TRUE(decoded.has_value());
    EXPECT_EQ(decoded->width, width);
    EXPECT_EQ(decoded->height, height);
    EXPECT_EQ(decoded->colour, colour);
    EXPECT_EQ(decoded->samples, samples);
  }
}

TEST(Png, is_empty_for_samples_that_do_not_fit) {
  const Bytes samples(12);
  EXPECT_TRUE(write_png(0, 12, false, samples).empty());
  EXPECT_TRUE(write_png(12, 0, false, samples).empty());
  EXPECT_TRUE(write_png(4, 4, false, samples).empty());
  EXPECT_TRUE(write_png(5, 2, false, samples).empty());
  EXPECT_TRUE(write_png(0x80000000, 2, true, samples).empty());
  EXPECT_TRUE(write_png(70'000, 1, false, Bytes(70'000)).empty());
  EXPECT_FALSE(write_png(4, 3, false, samples).empty());
  EXPECT_FALSE(write_png(2, 2, true, samples).empty());
}

}  // namespace
}  // namespace fiducia::render
