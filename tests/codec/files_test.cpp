// SPDX-License-Identifier: Apache-2.0
// Real images (package python3-pydicom) and what other toolkits (dcmtk, libgdcm-tools) make of
// them: every lossless re-encoding must decode to the frames of the native file.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <map>

#include "codec/codec.h"
#include "image_file.h"
#include "support/support.h"

namespace fiducia::codec {
namespace {

const std::filesystem::path samples = "/usr/lib/python3/dist-packages/pydicom/data/test_files";

struct Decoded {
  std::vector<Bytes> frames;
  std::string photometric;
  std::string decoder;
  bool lossless = true;
  bool carries_all_bits = true;
  std::string error;
  Geometry geometry;
  Oddities oddities;
};

Decoded decode_file(const std::filesystem::path& path) {
  static CodecChild child{test::program("fiducia-codec")};
  Decoded out;
  const auto file = dicom::File::open(path);
  if (!file) {
    out.error = to_sentence(file.error());
    return out;
  }
  auto reader = FrameReader::open(*file, &child);
  if (!reader) {
    out.error = to_sentence(reader.error());
    return out;
  }
  out.geometry = reader->geometry();
  out.oddities = reader->form_oddities();
  for (std::uint32_t i = 0; i < reader->frames_present(); ++i) {
    auto frame = reader->read(i);
    if (!frame) {
      out.oddities.add(reader->oddities(i));
      out.error = to_sentence(frame.error());
      return out;
    }
    out.oddities.add(frame->oddities);
    out.frames.emplace_back(frame->samples.begin(), frame->samples.end());
    out.photometric = frame->photometric_interpretation;
    out.decoder = frame->decoder;
    out.lossless = out.lossless && frame->lossless;
    out.carries_all_bits = out.carries_all_bits && frame->carries_all_bits;
  }
  return out;
}

/// Only the Bits Stored, where an encoding carries no others.
void keep_bits_stored(Decoded& d) {
  const Geometry& g = d.geometry;
  if (g.bits_allocated != 16 || g.bits_stored == 16) return;
  const auto mask =
      static_cast<std::uint16_t>(((1U << g.bits_stored) - 1) << (g.high_bit + 1 - g.bits_stored));
  for (Bytes& frame : d.frames)
    for (std::size_t i = 0; i + 1 < frame.size(); i += 2)
      store_le<std::uint16_t>(
          frame.data() + i,
          static_cast<std::uint16_t>(load_le<std::uint16_t>(frame.data() + i) & mask));
}

void expect_same_frames(Decoded native, Decoded other, const std::string& what) {
  ASSERT_EQ(native.error, "") << what;
  ASSERT_EQ(other.error, "") << what;
  if (!other.carries_all_bits) {
    keep_bits_stored(native);
    keep_bits_stored(other);
  }
  ASSERT_EQ(native.frames.size(), other.frames.size()) << what;
  for (std::size_t i = 0; i < native.frames.size(); ++i)
    ASSERT_TRUE(same_bytes(native.frames[i], other.frames[i])) << what << ", frame " << i;
  EXPECT_TRUE(other.lossless) << what;
}

class RealFiles : public testing::Test {
 protected:
  void SetUp() override {
    if (!std::filesystem::exists(samples / "CT_small.dcm"))
      GTEST_SKIP() << "package python3-pydicom is not installed";
  }
};

TEST_F(RealFiles, in_any_encoding_have_the_same_frames) {
  const struct {
    const char* native;
    const char* other;
  } pairs[] = {
      {"MR_small.dcm", "MR_small_RLE.dcm"},
      {"MR_small.dcm", "MR_small_bigendian.dcm"},
      {"MR_small.dcm", "MR_small_expb.dcm"},
      {"MR_small.dcm", "MR_small_implicit.dcm"},
      {"MR_small.dcm", "MR_small_padded.dcm"},
      {"MR_small.dcm", "MR_small_jp2klossless.dcm"},
      {"MR_small.dcm", "MR_small_jpeg_ls_lossless.dcm"},
      {"SC_rgb_rle.dcm", "SC_rgb_jpeg_gdcm.dcm"},
      {"SC_rgb_rle.dcm", "SC_rgb_gdcm_KY.dcm"},
      {"rtdose.dcm", "rtdose_rle.dcm"},
      {"liver_1frame.dcm", "liver_expb_1frame.dcm"},
  };
  for (const auto& pair : pairs)
    expect_same_frames(decode_file(samples / pair.native), decode_file(samples / pair.other),
                       pair.other);
}

TEST_F(RealFiles, survive_what_other_toolkits_do_to_their_encoding) {
  const test::ScratchFolder scratch;
  const char* tools[] = {
      "dcmconv +te",     "dcmconv +tb",    "dcmconv +ti",        "dcmcrle",
      "dcmcjpeg +e1",    "dcmcjpeg +el",   "dcmcjpeg +el +sv 6", "dcmcjpls",
      "dcmcjpls +il",    "gdcmconv --rle", "gdcmconv --jpegls",  "gdcmconv --j2k",
      "gdcmconv --jpeg", "dcmcjpls +fs 2", "dcmcjpls -ot",
  };
  const struct {
    const char* name;
    const char* unable;  // what a tool refuses or damages, by its own fault
  } files[] = {
      {"CT_small.dcm", ""},         {"MR_small.dcm", ""},
      {"SC_rgb_small_odd.dcm", ""}, {"ExplVR_BigEnd.dcm", "gdcmconv"},
      {"SC_rgb_jpeg_dcmd.dcm", ""}, {"liver_1frame.dcm", "dcmc gdcmconv"},
  };
  if (std::system("command -v dcmcrle gdcmconv > /dev/null") != 0)
    GTEST_SKIP() << "packages dcmtk and libgdcm-tools are not installed";
  int compared = 0;
  for (const auto& file : files) {
    const Decoded native = decode_file(samples / file.name);
    for (const char* tool : tools) {
      const auto out = scratch.path() / "out.dcm";
      std::filesystem::remove(out);
      const std::string command = std::string(tool) + " " + (samples / file.name).string() + " " +
                                  out.string() + " > /dev/null 2>&1";
      const std::string what = std::string(file.name) + " through " + tool;
      const int status = std::system(command.c_str());
      if (status != 0 || !std::filesystem::exists(out)) {
        std::printf("not made: %s\n", what.c_str());
        continue;
      }
      const Decoded other = decode_file(out);
      expect_same_frames(native, other, what + " by " + other.decoder);
      EXPECT_TRUE(other.oddities.empty()) << what << ": " << std::hex << other.oddities.bits();
      ++compared;
    }
  }
  EXPECT_GT(compared, 50);
}

TEST_F(RealFiles, of_lossy_jpeg_decode_as_dcmtk_decodes_them) {
  if (std::system("command -v dcmdjpeg > /dev/null") != 0)
    GTEST_SKIP() << "package dcmtk is not installed";
  const test::ScratchFolder scratch;
  for (const char* name :
       {"JPEG-lossy.dcm", "SC_jpeg_no_color_transform.dcm", "SC_jpeg_no_color_transform_2.dcm",
        "SC_rgb_dcmtk_+eb+cr.dcm", "SC_rgb_dcmtk_+eb+cy+n1.dcm", "SC_rgb_dcmtk_+eb+cy+n2.dcm",
        "SC_rgb_dcmtk_+eb+cy+np.dcm", "SC_rgb_dcmtk_+eb+cy+s2.dcm", "SC_rgb_dcmtk_+eb+cy+s4.dcm",
        "SC_rgb_jpeg_dcmtk.dcm", "SC_rgb_jpeg_lossy_gdcm.dcm", "SC_rgb_small_odd_jpeg.dcm",
        "SC_rgb_jpeg_app14_dcmd.dcm"}) {
    const auto out = scratch.path() / "out.dcm";
    const std::string command = "dcmdjpeg '" + (samples / name).string() + "' " + out.string();
    ASSERT_EQ(std::system(command.c_str()), 0) << name;
    const Decoded ours = decode_file(samples / name);
    EXPECT_FALSE(ours.lossless) << name;
    if (ours.geometry.samples_per_pixel == 3) {
      EXPECT_EQ(ours.photometric, "RGB") << name;
    }
    Decoded same = ours;
    same.lossless = true;
    expect_same_frames(decode_file(out), same, name);
  }
}

TEST_F(RealFiles, say_nothing_beside_their_samples_but_for_five) {
  const std::map<std::string, Oddity> known = {
      {"GDCMJ2K_TextGBR.dcm", Oddity::jp2_boxes},
      {"SC_jpeg_no_color_transform.dcm", Oddity::jpeg_colour},  // RGB inside, called YBR_FULL
      {"SC_rgb_jpeg_lossy_gdcm.dcm", Oddity::jpeg_colour},      // YCbCr inside, called RGB
      {"SC_rgb_jpeg.dcm", Oddity::jpeg_colour},                 // nothing said inside
      {"J2K_pixelrep_mismatch.dcm", Oddity::jpeg_2000_samples},
  };
  for (const auto& entry : std::filesystem::recursive_directory_iterator(samples)) {
    if (!entry.is_regular_file()) continue;
    const std::string name = entry.path().filename();
    const auto it = known.find(name);
    EXPECT_EQ(decode_file(entry.path()).oddities.bits(),
              it == known.end() ? 0U : Oddities{it->second}.bits())
        << name;
  }
}

TEST_F(RealFiles, say_whether_decoding_lost_anything) {
  EXPECT_TRUE(decode_file(samples / "MR_small_jp2klossless.dcm").lossless);
  EXPECT_FALSE(decode_file(samples / "JPEG2000.dcm").lossless) << "9-7 wavelet";
  EXPECT_TRUE(decode_file(samples / "693_J2KI.dcm").lossless) << "5-3 under 1.2.840.10008.1.2.4.91";
  EXPECT_EQ(decode_file(samples / "GDCMJ2K_TextGBR.dcm").photometric, "RGB") << "was YBR_RCT";
}

TEST_F(RealFiles, cut_anywhere_are_refused_and_never_shown_in_part) {
  static CodecChild child{test::program("fiducia-codec")};
  for (const char* name : {"MR_small_jp2klossless.dcm", "MR_small_jpeg_ls_lossless.dcm",
                           "SC_rgb_jpeg_gdcm.dcm", "SC_rgb_jpeg_dcmtk.dcm", "JPGExtended.dcm"}) {
    const auto file = dicom::File::open(samples / name);
    ASSERT_TRUE(file.has_value());
    auto reader = FrameReader::open(*file, &child);
    ASSERT_TRUE(reader.has_value());
    const Bytes whole = test::joined(reader->encoded(0));
    const auto decode = [&](std::size_t bytes) {
      const ByteView piece = ByteView{whole}.first(bytes);
      return child.decode(file->transfer_syntax().encoding, reader->geometry(), {&piece, 1});
    };
    EXPECT_TRUE(decode(whole.size()).has_value()) << name;
    for (int part = 0; part < 16; ++part) {
      const std::size_t bytes = whole.size() * static_cast<std::size_t>(part) / 16;
      const auto got = decode(bytes);
      ASSERT_FALSE(got.has_value()) << name << " cut at " << bytes << " of " << whole.size();
      EXPECT_EQ(got.error().code, ErrorCode::codec_failed);
    }
  }
}

TEST_F(RealFiles, with_damaged_bytes_never_take_the_parent_or_the_next_frame_down) {
  static CodecChild child{test::program("fiducia-codec")};
  const std::uint64_t seed = test::seed();
  SCOPED_TRACE("rerun with FIDUCIA_SEED=" + std::to_string(seed));
  std::mt19937_64 prng{seed};
  for (const char* name :
       {"MR_small_jp2klossless.dcm", "MR_small_jpeg_ls_lossless.dcm", "SC_rgb_jpeg_gdcm.dcm",
        "SC_rgb_jpeg_dcmtk.dcm", "JPGExtended.dcm", "GDCMJ2K_TextGBR.dcm"}) {
    const auto file = dicom::File::open(samples / name);
    ASSERT_TRUE(file.has_value());
    auto reader = FrameReader::open(*file, &child);
    ASSERT_TRUE(reader.has_value());
    const Bytes whole = test::joined(reader->encoded(0));
    const auto decode = [&](ByteView piece) {
      return child.decode(file->transfer_syntax().encoding, reader->geometry(), {&piece, 1});
    };
    for (int round = 0; round < 40; ++round) {
      Bytes damaged = whole;
      for (int i = 0; i < 3; ++i) damaged[prng() % damaged.size()] = static_cast<std::byte>(prng());
      const auto got = decode(damaged);
      if (!got) {
        EXPECT_EQ(got.error().code, ErrorCode::codec_failed) << to_sentence(got.error());
      }
    }
    EXPECT_TRUE(decode(whole).has_value()) << name << " after the damaged ones";
  }
}

}  // namespace
}  // namespace fiducia::codec
