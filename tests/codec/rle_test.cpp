// SPDX-License-Identifier: Apache-2.0
#include "codec/rle.h"

#include <gtest/gtest.h>

#include "image_file.h"
#include "support/support.h"

namespace fiducia::codec {
namespace {

Geometry geometry_of(std::uint32_t rows, std::uint32_t columns, std::uint16_t samples,
                     std::uint16_t bits) {
  Geometry g;
  g.rows = rows;
  g.columns = columns;
  g.samples_per_pixel = samples;
  g.bits_allocated = bits;
  g.bits_stored = bits;
  g.high_bit = static_cast<std::uint16_t>(bits - 1);
  return g;
}

TEST(Rle, gives_back_what_a_plain_encoder_took) {
  const std::uint64_t seed = test::seed();
  SCOPED_TRACE("rerun with FIDUCIA_SEED=" + std::to_string(seed));
  std::mt19937_64 prng{seed};
  Bytes scratch;
  for (int round = 0; round < 2000; ++round) {
    constexpr std::uint16_t bits[] = {8, 16, 32};
    const Geometry g = geometry_of(1 + static_cast<std::uint32_t>(prng() % 6),
                                   1 + static_cast<std::uint32_t>(prng() % 300),
                                   static_cast<std::uint16_t>(1 + prng() % 3), bits[prng() % 3]);
    Bytes frame = test::random_bytes(prng, static_cast<std::size_t>(g.frame_bytes()));
    // Few values, so that runs of all lengths occur.
    const auto mask = static_cast<std::byte>(prng() % 2 == 0 ? 0xFF : prng() % 4);
    for (std::byte& b : frame) b &= mask;
    const Bytes encoded =
        test::encode_rle(frame, g.rows, g.columns, g.samples_per_pixel, g.sample_bytes());
    Bytes out(frame.size());
    const auto decoded = decode_rle(encoded, g, out, scratch);
    ASSERT_TRUE(decoded.has_value()) << to_sentence(decoded.error());
    ASSERT_TRUE(same_bytes(out, frame));
  }
}

TEST(Rle, widens_24_bits_to_32) {
  const Geometry g = geometry_of(1, 2, 1, 24);
  const Bytes frame = test::bytes("010203a1a2a3");
  const Bytes encoded = test::encode_rle(frame, 1, 2, 1, 3);
  Bytes out(8);
  Bytes scratch;
  ASSERT_TRUE(decode_rle(encoded, g, out, scratch).has_value());
  EXPECT_EQ(to_hex(out), "01020300a1a2a300");
}

TEST(Rle, refuses_streams_that_do_not_fill_the_frame_exactly) {
  const Geometry g = geometry_of(2, 4, 1, 8);
  const std::string header =
      "01000000"
      "40000000" +
      std::string(56 * 2, '0');
  struct Row {
    const char* name;
    std::string hex;
    bool good;
  };
  for (const Row& row : {
           Row{"eight of a kind", header + "f9aa", true},
           Row{"a no-op first", header + "80f9aa", true},
           Row{"a pad byte after", header + "f9aa00", true},
           Row{"seven of a kind", header + "faaa", false},
           Row{"nine of a kind", header + "f8aa", false},
           Row{"a literal run that is cut", header + "07aabb", false},
           Row{"a repeat without its byte", header + "f9", false},
           Row{"only no-ops", header + "8080808080", false},
           Row{"nothing", header, false},
           Row{"no header", "01000000", false},
           Row{"two segments",
               "02000000"
               "40000000"
               "42000000" +
                   std::string(52 * 2, '0') + "f9aa",
               false},
           Row{"an offset inside the header",
               "01000000"
               "3f000000" +
                   std::string(56 * 2, '0') + "f9aa",
               false},
           Row{"an offset past the end",
               "01000000"
               "43000000" +
                   std::string(56 * 2, '0') + "f9aa",
               false},
       }) {
    SCOPED_TRACE(row.name);
    Bytes out(8);
    Bytes scratch;
    const auto decoded = decode_rle(test::bytes(row.hex), g, out, scratch);
    EXPECT_EQ(decoded.has_value(), row.good);
    if (!decoded) {
      EXPECT_EQ(decoded.error().code, ErrorCode::codec_failed);
    }
  }
}

TEST(Rle, refuses_segments_that_go_backwards) {
  const Geometry g = geometry_of(1, 2, 1, 16);
  const std::string good =
      "02000000"
      "40000000"
      "42000000" +
      std::string(52 * 2, '0') + "ff01ff02";
  const std::string bad =
      "02000000"
      "42000000"
      "40000000" +
      std::string(52 * 2, '0') + "ff01ff02";
  Bytes out(4);
  Bytes scratch;
  ASSERT_TRUE(decode_rle(test::bytes(good), g, out, scratch).has_value());
  EXPECT_EQ(to_hex(out), "02010201");
  EXPECT_FALSE(decode_rle(test::bytes(bad), g, out, scratch).has_value());
}

TEST(Rle, finds_what_an_inspection_finds) {
  const std::uint64_t seed = test::seed();
  SCOPED_TRACE("rerun with FIDUCIA_SEED=" + std::to_string(seed));
  std::mt19937_64 prng{seed};
  const dicom::TransferSyntax& syntax = *dicom::find_transfer_syntax("1.2.840.10008.1.2.5");
  Bytes scratch;
  int plain = 0;
  int no_operations = 0;
  int surplus = 0;
  for (int round = 0; round < 4000; ++round) {
    const Geometry g = geometry_of(2, 1 + static_cast<std::uint32_t>(prng() % 40),
                                   static_cast<std::uint16_t>(1 + prng() % 3), 8);
    Bytes frame = test::random_bytes(prng, static_cast<std::size_t>(g.frame_bytes()));
    for (std::byte& b : frame) b &= std::byte{1};
    Bytes encoded =
        test::encode_rle(frame, g.rows, g.columns, g.samples_per_pixel, g.sample_bytes());
    switch (prng() % 5) {
      case 0:  // before the runs of the last segment
        encoded.insert(
            encoded.begin() + load_le<std::uint32_t>(encoded.data() + 4 * g.samples_per_pixel),
            std::byte{0x80});
        break;
      case 1:
        append(encoded, test::random_bytes(prng, prng() % 3));
        break;
      case 2:  // an offset, used or not
        encoded[4 + prng() % 60] ^= std::byte{1};
        break;
      case 3:
        encoded[64 + prng() % (encoded.size() - 64)] = std::byte{0x80};
        break;
      default:
        break;
    }
    Bytes out(frame.size());
    const auto found = decode_rle(encoded, g, out, scratch);
    if (!found) continue;
    ASSERT_EQ(found->bits(), inspect_codestream(encoded, syntax, g).bits()) << to_hex(encoded);
    plain += found->empty() ? 1 : 0;
    no_operations += found->has(Oddity::rle_no_operation) ? 1 : 0;
    surplus += found->has(Oddity::rle_surplus) ? 1 : 0;
  }
  EXPECT_GT(plain, 100);
  EXPECT_GT(no_operations, 100);
  EXPECT_GT(surplus, 100);
}

}  // namespace
}  // namespace fiducia::codec
