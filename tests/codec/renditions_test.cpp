// SPDX-License-Identifier: Apache-2.0
// The renditions of colour JPEG are made of one decoding: each must be, byte for byte, what
// libjpeg-turbo itself gives when it is asked for it.
#include <gtest/gtest.h>
#include <signal.h>
#include <stdio.h>  // jpeglib.h needs FILE
#include <sys/wait.h>
#include <unistd.h>

#include <jpeglib.h>

#include <cstdlib>
#include <fstream>

#include "codec/child.h"
#include "decoder.h"
#include "support/support.h"

namespace fiducia::codec {
namespace {

struct Factors {
  int across[3];
  int down[3];
};

struct Jpeg {
  Geometry geometry;
  Bytes codestream;
};

[[noreturn]] void no_way_on(j_common_ptr info) {
  char text[JMSG_LENGTH_MAX];
  info->err->format_message(info, text);
  ADD_FAILURE() << text;
  std::abort();
}

Jpeg encode(std::mt19937_64& prng, std::uint32_t rows, std::uint32_t columns, Factors factors) {
  Jpeg out;
  out.geometry.rows = rows;
  out.geometry.columns = columns;
  out.geometry.samples_per_pixel = 3;
  out.geometry.bits_allocated = out.geometry.bits_stored = 8;
  out.geometry.high_bit = 7;
  out.geometry.photometric_interpretation = "YBR_FULL_422";
  jpeg_compress_struct info;
  jpeg_error_mgr errors;
  info.err = jpeg_std_error(&errors);
  errors.error_exit = no_way_on;
  jpeg_create_compress(&info);
  unsigned char* buffer = nullptr;
  unsigned long size = 0;
  jpeg_mem_dest(&info, &buffer, &size);
  info.image_width = columns;
  info.image_height = rows;
  info.input_components = 3;
  info.in_color_space = JCS_RGB;
  jpeg_set_defaults(&info);
  jpeg_set_quality(&info, 30 + static_cast<int>(prng() % 71), TRUE);
  for (int c = 0; c < 3; ++c) {
    info.comp_info[c].h_samp_factor = factors.across[c];
    info.comp_info[c].v_samp_factor = factors.down[c];
  }
  if (prng() % 3 == 0) jpeg_simple_progression(&info);
  if (prng() % 3 == 0) info.restart_interval = 1 + static_cast<unsigned>(prng() % 4);
  jpeg_start_compress(&info, TRUE);
  std::vector<JSAMPLE> row(std::size_t{columns} * 3);
  const bool noisy = prng() % 2 == 0;
  for (std::uint32_t y = 0; y < rows; ++y) {
    for (std::size_t i = 0; i < row.size(); ++i)
      row[i] = static_cast<JSAMPLE>(noisy ? prng() : (i * 2 + y * 3 + (i % 3) * 70));
    JSAMPROW at = row.data();
    jpeg_write_scanlines(&info, &at, 1);
  }
  jpeg_finish_compress(&info);
  jpeg_destroy_compress(&info);
  out.codestream.assign(reinterpret_cast<std::byte*>(buffer),
                        reinterpret_cast<std::byte*>(buffer) + size);
  std::free(buffer);
  return out;
}

/// The rendition as libjpeg-turbo gives it.
Bytes expected(const Jpeg& jpeg, Rendition rendition) {
  jpeg_decompress_struct info;
  jpeg_error_mgr errors;
  info.err = jpeg_std_error(&errors);
  errors.error_exit = no_way_on;
  jpeg_create_decompress(&info);
  jpeg_mem_src(&info, reinterpret_cast<const unsigned char*>(jpeg.codestream.data()),
               static_cast<unsigned long>(jpeg.codestream.size()));
  jpeg_read_header(&info, TRUE);
  info.do_fancy_upsampling =
      rendition == Rendition::rgb_interpolated || rendition == Rendition::ycbcr_interpolated
          ? TRUE
          : FALSE;
  info.out_color_space =
      rendition == Rendition::rgb_interpolated || rendition == Rendition::rgb_replicated
          ? JCS_RGB
          : JCS_YCbCr;
  jpeg_start_decompress(&info);
  Bytes out(static_cast<std::size_t>(jpeg.geometry.frame_bytes()));
  while (info.output_scanline < info.output_height) {
    auto* row = reinterpret_cast<JSAMPROW>(out.data() + std::size_t{info.output_scanline} *
                                                            jpeg.geometry.columns * 3);
    jpeg_read_scanlines(&info, &row, 1);
  }
  jpeg_finish_decompress(&info);
  jpeg_destroy_decompress(&info);
  return out;
}

/// The first place where two frames differ, for people.
std::string difference(const Bytes& got, const Bytes& wanted, const Geometry& g) {
  for (std::size_t i = 0; i < got.size(); ++i)
    if (got[i] != wanted[i])
      return "row " + std::to_string(i / 3 / g.columns) + ", column " +
             std::to_string(i / 3 % g.columns) + ", sample " + std::to_string(i % 3) + ": " +
             std::to_string(std::to_integer<int>(got[i])) + " is not " +
             std::to_string(std::to_integer<int>(wanted[i]));
  return "";
}

void expect_renditions(const Jpeg& jpeg) {
  decoder::Decoder decoder;
  Bytes got(static_cast<std::size_t>(jpeg.geometry.frame_bytes()));
  for (std::uint8_t n = 0; n < rendition_count; ++n) {
    const Rendition rendition{n};
    const auto done = n == 0 ? decoder.decode_first(dicom::PixelEncoding::jpeg_baseline,
                                                    jpeg.codestream, jpeg.geometry, got)
                             : decoder.decode_next(dicom::PixelEncoding::jpeg_baseline,
                                                   jpeg.codestream, jpeg.geometry, rendition, got);
    ASSERT_TRUE(done.has_value()) << to_sentence(done.error());
    EXPECT_EQ(done->photometric_interpretation, "RGB");
    ASSERT_EQ(difference(got, expected(jpeg, rendition), jpeg.geometry), "")
        << "rendition " << int{n} << " of " << jpeg.geometry.rows << " x " << jpeg.geometry.columns;
  }
}

constexpr Factors all_factors[] = {
    {{1, 1, 1}, {1, 1, 1}}, {{2, 1, 1}, {1, 1, 1}}, {{2, 1, 1}, {2, 1, 1}}, {{1, 1, 1}, {2, 1, 1}},
    {{4, 1, 1}, {1, 1, 1}}, {{4, 1, 1}, {2, 1, 1}}, {{2, 1, 2}, {2, 2, 1}}, {{2, 2, 1}, {1, 1, 1}},
    {{1, 2, 2}, {1, 2, 2}}, {{1, 1, 1}, {4, 1, 2}}, {{4, 2, 1}, {1, 1, 2}}, {{3, 1, 1}, {1, 1, 1}},
};

TEST(JpegRenditions, are_those_of_libjpeg_in_every_small_size) {
  const std::uint64_t seed = test::seed();
  SCOPED_TRACE("rerun with FIDUCIA_SEED=" + std::to_string(seed));
  std::mt19937_64 prng{seed};
  for (const Factors& factors : all_factors)
    for (std::uint32_t rows = 1; rows <= 18; ++rows)
      for (std::uint32_t columns = 1; columns <= 18; ++columns) {
        expect_renditions(encode(prng, rows, columns, factors));
        if (HasFatalFailure()) return;
      }
}

TEST(JpegRenditions, are_those_of_libjpeg_in_larger_sizes) {
  const std::uint64_t seed = test::seed();
  SCOPED_TRACE("rerun with FIDUCIA_SEED=" + std::to_string(seed));
  std::mt19937_64 prng{seed};
  for (int round = 0; round < 300; ++round) {
    expect_renditions(encode(prng, 1 + static_cast<std::uint32_t>(prng() % 200),
                             1 + static_cast<std::uint32_t>(prng() % 300),
                             all_factors[prng() % std::size(all_factors)]));
    if (HasFatalFailure()) return;
  }
}

TEST(JpegRenditions, of_a_child_that_died_between_two_are_the_same) {
  std::mt19937_64 prng{1};
  const Jpeg jpeg = encode(prng, 40, 50, all_factors[2]);
  const ByteView piece = jpeg.codestream;
  CodecChild child{test::program("fiducia-codec")};
  const auto copy = [](const Result<Decoded>& got) {
    return got ? Bytes(got->samples.begin(), got->samples.end()) : Bytes{};
  };
  // Alone, or with others to follow: the same samples. Asked again without warning, too.
  for (const bool follow : {false, true}) {
    const auto first =
        child.decode(dicom::PixelEncoding::jpeg_baseline, jpeg.geometry, {&piece, 1}, follow);
    EXPECT_EQ(copy(first), expected(jpeg, Rendition::rgb_interpolated));
    EXPECT_EQ(copy(child.decode_again(Rendition::ycbcr_replicated)),
              expected(jpeg, Rendition::ycbcr_replicated));
    pid_t decoding = 0;
    std::ifstream("/proc/self/task/" + std::to_string(getpid()) + "/children") >> decoding;
    ASSERT_GT(decoding, 0);
    kill(decoding, SIGKILL);
    siginfo_t info = {};
    waitid(P_PID, static_cast<id_t>(decoding), &info, WEXITED | WNOWAIT);
    EXPECT_EQ(copy(child.decode_again(Rendition::ycbcr_interpolated)),
              expected(jpeg, Rendition::ycbcr_interpolated));
  }
}

TEST(JpegRenditions, are_refused_where_there_is_but_one) {
  std::mt19937_64 prng{1};
  Jpeg jpeg = encode(prng, 40, 50, all_factors[0]);
  // The marker JFIF made another one, and components named "RGB": no YCbCr any more.
  jpeg.codestream[3] = std::byte{0xE5};
  jpeg.geometry.photometric_interpretation = "RGB";
  decoder::Decoder decoder;
  Bytes out(static_cast<std::size_t>(jpeg.geometry.frame_bytes()));
  EXPECT_TRUE(
      decoder.decode_first(dicom::PixelEncoding::jpeg_baseline, jpeg.codestream, jpeg.geometry, out)
          .has_value());
  const auto refused = decoder.decode_next(dicom::PixelEncoding::jpeg_baseline, jpeg.codestream,
                                           jpeg.geometry, Rendition::ycbcr_interpolated, out);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, ErrorCode::codec_failed);
}

}  // namespace
}  // namespace fiducia::codec
