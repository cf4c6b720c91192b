// SPDX-License-Identifier: Apache-2.0
// Codecs that no tool of Debian writes into DICOM: streams made with the libraries themselves
// must decode exactly, for every depth, sign and number of samples they can carry.
#include <gtest/gtest.h>
#include <openjph/ojph_arch.h>
#include <openjph/ojph_codestream.h>
#include <openjph/ojph_file.h>
#include <openjph/ojph_mem.h>
#include <openjph/ojph_params.h>
#ifdef FIDUCIA_HAVE_JXL
#include <jxl/encode.h>
#endif

#include "codec/child.h"
#include "support/support.h"

namespace fiducia::codec {
namespace {

struct Image {
  Geometry geometry;
  std::vector<std::int32_t> samples;  // interleaved

  /// As a native file would hold it, only Bits Stored, sign-extended.
  [[nodiscard]] Bytes native() const {
    Bytes out;
    for (const std::int32_t v : samples) {
      if (geometry.sample_bytes() == 1)
        append_le<std::uint8_t>(out, static_cast<std::uint8_t>(v));
      else
        append_le<std::uint16_t>(out, static_cast<std::uint16_t>(v));
    }
    return out;
  }
};

Image random_image(std::mt19937_64& prng, unsigned bits, bool is_signed, std::uint16_t samples) {
  Image image;
  Geometry& g = image.geometry;
  g.rows = 1 + static_cast<std::uint32_t>(prng() % 70);
  g.columns = 1 + static_cast<std::uint32_t>(prng() % 70);
  g.samples_per_pixel = samples;
  g.bits_allocated = bits <= 8 ? 8 : 16;
  g.bits_stored = static_cast<std::uint16_t>(bits);
  g.high_bit = static_cast<std::uint16_t>(bits - 1);
  g.kind = is_signed ? SampleKind::signed_integer : SampleKind::unsigned_integer;
  g.photometric_interpretation = samples == 3 ? "YBR_RCT" : "MONOCHROME2";
  const std::int32_t low = is_signed ? -(1 << (bits - 1)) : 0;
  const auto range = std::uint64_t{1} << bits;
  const bool noisy = prng() % 2 == 0;
  for (std::size_t i = 0; i < std::size_t{g.rows} * g.columns * samples; ++i)
    image.samples.push_back(
        low + static_cast<std::int32_t>(noisy ? prng() % range : (i * 3 + prng() % 2) % range));
  return image;
}

Bytes encode_htj2k(const Image& image) {
  const Geometry& g = image.geometry;
  ojph::codestream stream;
  ojph::param_siz size = stream.access_siz();
  size.set_image_extent(ojph::point(g.columns, g.rows));
  size.set_num_components(g.samples_per_pixel);
  for (unsigned c = 0; c < g.samples_per_pixel; ++c)
    size.set_component(c, ojph::point(1, 1), g.bits_stored, g.kind == SampleKind::signed_integer);
  ojph::param_cod coding = stream.access_cod();
  coding.set_num_decomposition(3);
  coding.set_reversible(true);
  coding.set_color_transform(g.samples_per_pixel == 3);
  stream.set_planar(false);
  ojph::mem_outfile out;
  out.open();
  stream.write_headers(&out);
  ojph::ui32 component = 0;
  ojph::line_buf* line = stream.exchange(nullptr, component);
  for (std::size_t y = 0; y < g.rows; ++y)
    for (unsigned c = 0; c < g.samples_per_pixel; ++c) {
      for (std::size_t x = 0; x < g.columns; ++x)
        line->i32[x] = image.samples[(y * g.columns + x) * g.samples_per_pixel + component];
      line = stream.exchange(line, component);
    }
  stream.flush();
  const auto* data = reinterpret_cast<const std::byte*>(out.get_data());
  Bytes bytes(data, data + out.tell());
  stream.close();
  return bytes;
}

#ifdef FIDUCIA_HAVE_JXL
Bytes encode_jxl(const Image& image) {
  const Geometry& g = image.geometry;
  JxlEncoder* const encoder = JxlEncoderCreate(nullptr);
  JxlBasicInfo info;
  JxlEncoderInitBasicInfo(&info);
  info.xsize = g.columns;
  info.ysize = g.rows;
  info.bits_per_sample = g.bits_stored;
  info.num_color_channels = g.samples_per_pixel;
  info.uses_original_profile = JXL_TRUE;
  EXPECT_EQ(JxlEncoderSetBasicInfo(encoder, &info), JXL_ENC_SUCCESS);
  JxlColorEncoding colour;
  JxlColorEncodingSetToSRGB(&colour, g.samples_per_pixel == 1 ? JXL_TRUE : JXL_FALSE);
  JxlEncoderSetColorEncoding(encoder, &colour);
  JxlEncoderFrameSettings* const settings = JxlEncoderFrameSettingsCreate(encoder, nullptr);
  JxlEncoderSetFrameLossless(settings, JXL_TRUE);
  JxlEncoderFrameSettingsSetOption(settings, JXL_ENC_FRAME_SETTING_EFFORT, 3);
  const JxlPixelFormat format{.num_channels = g.samples_per_pixel,
                              .data_type = g.bits_stored <= 8 ? JXL_TYPE_UINT8 : JXL_TYPE_UINT16,
                              .endianness = JXL_LITTLE_ENDIAN,
                              .align = 0};
  // This version of the library takes the full range of the type and scales it down.
  Image scaled = image;
  const std::int32_t from_max = (1 << g.bits_stored) - 1;
  const std::int32_t to_max = g.bits_stored <= 8 ? 255 : 65535;
  for (std::int32_t& v : scaled.samples)
    v = static_cast<std::int32_t>((std::int64_t{v} * to_max + from_max / 2) / from_max);
  const Bytes native = scaled.native();
  EXPECT_EQ(JxlEncoderAddImageFrame(settings, &format, native.data(), native.size()),
            JXL_ENC_SUCCESS);
  JxlEncoderCloseInput(encoder);
  Bytes out(1 << 20);
  auto* next = reinterpret_cast<std::uint8_t*>(out.data());
  std::size_t left = out.size();
  EXPECT_EQ(JxlEncoderProcessOutput(encoder, &next, &left), JXL_ENC_SUCCESS);
  out.resize(out.size() - left);
  JxlEncoderDestroy(encoder);
  return out;
}
#endif

void expect_exact(CodecChild& child, dicom::PixelEncoding encoding, const Image& image,
                  const Bytes& stream, const char* photometric) {
  const ByteView piece{stream};
  const auto got = child.decode(encoding, image.geometry, {&piece, 1});
  const Geometry& g = image.geometry;
  const std::string what = std::to_string(g.rows) + " x " + std::to_string(g.columns) + ", " +
                           std::to_string(g.bits_stored) + " bits, " +
                           std::to_string(g.samples_per_pixel) + " samples, " +
                           (g.kind == SampleKind::signed_integer ? "signed" : "unsigned");
  ASSERT_TRUE(got.has_value()) << what << ": " << to_sentence(got.error());
  EXPECT_TRUE(same_bytes(got->samples, image.native())) << what << " by " << got->decoder;
  EXPECT_TRUE(got->lossless);
  EXPECT_EQ(got->photometric_interpretation, photometric);
}

TEST(Htj2k, decodes_exactly_in_every_depth_and_sign) {
  const std::uint64_t seed = test::seed();
  SCOPED_TRACE("rerun with FIDUCIA_SEED=" + std::to_string(seed));
  std::mt19937_64 prng{seed};
  CodecChild child{test::program("fiducia-codec")};
  for (const std::uint16_t samples : {std::uint16_t{1}, std::uint16_t{3}})
    for (const bool is_signed : {false, true})
      for (unsigned bits = 4; bits <= 16; ++bits) {
        const Image image = random_image(prng, bits, is_signed, samples);
        const Bytes stream = encode_htj2k(image);
        const char* photometric = samples == 3 ? "RGB" : "MONOCHROME2";
        expect_exact(child, dicom::PixelEncoding::htj2k, image, stream, photometric);
        // OpenJPEG reads Part 15 too: a second implementation must agree.
        expect_exact(child, dicom::PixelEncoding::jpeg_2000, image, stream, photometric);
      }
}

#ifdef FIDUCIA_HAVE_JXL
TEST(JpegXl, decodes_exactly_in_every_depth) {
  const std::uint64_t seed = test::seed();
  SCOPED_TRACE("rerun with FIDUCIA_SEED=" + std::to_string(seed));
  std::mt19937_64 prng{seed};
  CodecChild child{test::program("fiducia-codec")};
  for (const std::uint16_t samples : {std::uint16_t{1}, std::uint16_t{3}})
    for (unsigned bits = 8; bits <= 16; ++bits) {
      Image image = random_image(prng, bits, false, samples);
      image.geometry.photometric_interpretation = samples == 3 ? "RGB" : "MONOCHROME2";
      expect_exact(child, dicom::PixelEncoding::jpeg_xl, image, encode_jxl(image),
                   samples == 3 ? "RGB" : "MONOCHROME2");
    }
}
#endif

}  // namespace
}  // namespace fiducia::codec
