// SPDX-License-Identifier: Apache-2.0
#include "render/picture.h"

#include <gmock/gmock.h>

#include <cmath>
#include <cstring>

#include "dicom/dicom.h"
#include "finding/finding.h"
#include "render/grey_scale.h"
#include "report/sample_results.h"
#include "support/dicom_builder.h"
#include "support/support.h"

namespace fiducia::render {
namespace {

using dicom::Tag;
using test::DicomDataSet;
constexpr std::string_view explicit_le = "1.2.840.10008.1.2.1";

Bytes words(const std::vector<int>& values) {
  Bytes out;
  for (const int value : values) append_le(out, static_cast<std::uint16_t>(value));
  return out;
}

/// One row of 16-bit samples.
DicomDataSet grey_row(const std::vector<int>& values, bool is_signed = false) {
  DicomDataSet d;
  d.us({0x0028, 0x0002}, 1).text({0x0028, 0x0004}, "CS", "MONOCHROME2");
  d.us({0x0028, 0x0010}, 1).us({0x0028, 0x0011}, static_cast<std::uint16_t>(values.size()));
  d.us({0x0028, 0x0100}, 16).us({0x0028, 0x0101}, 16).us({0x0028, 0x0102}, 15);
  d.us({0x0028, 0x0103}, is_signed ? 1 : 0);
  d.bytes({0x7FE0, 0x0010}, "OW", words(values));
  return d;
}

DicomDataSet& replace(DicomDataSet& d, Tag tag) {
  std::erase_if(d.elements, [&](const test::DicomElement& e) { return e.tag == tag; });
  return d;
}

Pictures pictures_of(DicomDataSet d, std::span<const finding::Finding> findings = {},
                     const PictureOptions& options = {}) {
  d.sort();
  const auto file = dicom::File::read(d.file(explicit_le), "test");
  if (!file) return {.pictures = {}, .missing = "unreadable: " + to_sentence(file.error())};
  return make_pictures(*file, nullptr, findings, options);
}

std::vector<int> samples_of(const DicomDataSet& d) {
  const Pictures made = pictures_of(d);
  EXPECT_EQ(made.missing, "");
  std::vector<int> out;
  if (made.pictures.empty()) return out;
  for (const std::byte b : made.pictures[0].samples) out.push_back(std::to_integer<int>(b));
  return out;
}

using testing::ElementsAre;
using testing::HasSubstr;

TEST(Picture, rescales_and_windows) {
  DicomDataSet d = grey_row({0, 924, 1024, 1064, 1264, 65535});
  d.text({0x0028, 0x1052}, "DS", "-1024").text({0x0028, 0x1053}, "DS", "1");
  d.text({0x0028, 0x1050}, "DS", "40\\300").text({0x0028, 0x1051}, "DS", "400\\1500");
  // PS3.3 C.11.2.1.2.1: ((x - 39.5) / 399 + 0.5) * 255.
  EXPECT_THAT(samples_of(d), ElementsAre(0, 38, 102, 128, 255, 255));
  const Pictures made = pictures_of(d);
  EXPECT_EQ(made.pictures[0].rendering, "Grey levels: the file's window.");
}

TEST(Picture, knows_the_other_window_functions) {
  DicomDataSet d = grey_row({0, 25, 50, 75, 100, 200});
  d.text({0x0028, 0x1050}, "DS", "50").text({0x0028, 0x1051}, "DS", "100");
  DicomDataSet exact = d;
  exact.text({0x0028, 0x1056}, "CS", "LINEAR_EXACT");
  EXPECT_THAT(samples_of(exact), ElementsAre(0, 64, 128, 191, 255, 255));
  DicomDataSet sigmoid = d;
  sigmoid.text({0x0028, 0x1056}, "CS", "SIGMOID");
  EXPECT_THAT(samples_of(sigmoid), ElementsAre(30, 69, 128, 186, 225, 254));
}

TEST(Picture, of_monochrome1_is_inverted) {
  DicomDataSet d = grey_row({0, 50, 100});
  replace(d, {0x0028, 0x0004}).text({0x0028, 0x0004}, "CS", "MONOCHROME1");
  d.text({0x0028, 0x1050}, "DS", "50").text({0x0028, 0x1051}, "DS", "100");
  d.text({0x0028, 0x1056}, "CS", "LINEAR_EXACT");
  EXPECT_THAT(samples_of(d), ElementsAre(255, 127, 0));
}

TEST(Picture, extends_the_sign_of_bits_stored_and_masks_the_others) {
  DicomDataSet d = grey_row({0xF7FF & 0x0FFF, 0x0800, 0x0FFF, 0xF000, 0x0001}, true);
  replace(d, {0x0028, 0x0101}).us({0x0028, 0x0101}, 12);
  replace(d, {0x0028, 0x0102}).us({0x0028, 0x0102}, 11);
  d.text({0x0028, 0x1050}, "DS", "0").text({0x0028, 0x1051}, "DS", "4");
  d.text({0x0028, 0x1056}, "CS", "LINEAR_EXACT");
  EXPECT_THAT(samples_of(d), ElementsAre(255, 0, 64, 128, 191));  // 2047, -2048, -1, 0, 1
}

TEST(Picture, applies_modality_and_voi_lookup_tables) {
  DicomDataSet d = grey_row({0, 10, 11, 12, 13, 99});
  DicomDataSet modality;
  modality.bytes({0x0028, 0x3002}, "US", words({4, 10, 16}));
  modality.bytes({0x0028, 0x3006}, "OW", words({0, 1, 2, 3}));
  DicomDataSet voi;
  voi.bytes({0x0028, 0x3002}, "US", words({4, 0, 8}));
  voi.bytes({0x0028, 0x3006}, "OW", words({10, 20, 200, 255}));
  d.sequence({0x0028, 0x3000}, {modality}).sequence({0x0028, 0x3010}, {voi});
  EXPECT_THAT(samples_of(d), ElementsAre(10, 10, 20, 200, 255, 255));
}

TEST(Picture, takes_the_window_of_the_frame_from_functional_groups) {
  DicomDataSet d = grey_row({0, 50, 100, 100, 150, 200});
  replace(d, {0x0028, 0x0011}).us({0x0028, 0x0011}, 3);
  d.text({0x0028, 0x0008}, "IS", "2");
  const auto group = [](std::string_view center) {
    DicomDataSet voi;
    voi.text({0x0028, 0x1050}, "DS", center).text({0x0028, 0x1051}, "DS", "100");
    voi.text({0x0028, 0x1056}, "CS", "LINEAR_EXACT");
    DicomDataSet item;
    item.sequence({0x0028, 0x9132}, {voi});
    return item;
  };
  d.sequence({0x5200, 0x9230}, {group("50"), group("150")});
  std::vector<finding::Finding> findings;
  for (const std::uint32_t frame : {2U, 1U}) {
    finding::Finding finding;
    finding.frame = frame;
    findings.push_back(finding);
  }
  const Pictures made = pictures_of(d, findings);
  ASSERT_EQ(made.pictures.size(), 2U);
  EXPECT_EQ(made.pictures[0].frame, 2U);
  EXPECT_EQ(made.pictures[0].samples, test::bytes("0080ff"));
  EXPECT_EQ(made.pictures[1].frame, 1U);
  EXPECT_EQ(made.pictures[1].samples, test::bytes("0080ff"));
}

TEST(Picture, spreads_grey_levels_without_padding_where_there_is_no_window) {
  std::vector<int> values(1000, 0x8000);
  for (std::size_t i = 0; i < 500; ++i) values[i] = 1000 + static_cast<int>(i);
  DicomDataSet d = grey_row(values, true);
  d.bytes({0x0028, 0x0120}, "SS", words({0x8000}));
  const std::vector<int> samples = samples_of(d);
  EXPECT_EQ(samples[0], 0);
  EXPECT_EQ(samples[499], 255);
  EXPECT_NEAR(samples[250], 128, 2);
  EXPECT_EQ(samples[999], 0);
  EXPECT_THAT(pictures_of(d).pictures[0].rendering, HasSubstr("names no window"));
}

TEST(Picture, is_drawn_in_spite_of_hostile_windows_slopes_and_tables) {
  for (const std::string_view width :
       {"0", "-5", "NaN", "inf", "1e999", "", "x", "1e-300", "1e308"}) {
    for (const std::string_view slope : {"1", "0", "NaN", "-1e308", "1e308"}) {
      DicomDataSet d = grey_row({0, 1, 2, 30000, 65535});
      d.text({0x0028, 0x1050}, "DS", "1e308").text({0x0028, 0x1051}, "DS", width);
      d.text({0x0028, 0x1053}, "DS", slope).text({0x0028, 0x1052}, "DS", "-1e308");
      EXPECT_EQ(samples_of(d).size(), 5U);
    }
  }
  for (const std::vector<int>& descriptor :
       {std::vector<int>{0, 0, 16}, {4, 0xFFFF, 0}, {1}, {}, {0xFFFF, 0x8000, 99}}) {
    for (const std::size_t length : {0U, 1U, 2U, 7U}) {
      DicomDataSet lut;
      lut.bytes({0x0028, 0x3002}, "US", words(descriptor));
      lut.bytes({0x0028, 0x3006}, "OW", Bytes(length, std::byte{0xFF}));
      DicomDataSet d = grey_row({0, 1, 2, 30000, 65535}, true);
      d.sequence({0x0028, 0x3010}, {lut}).sequence({0x0028, 0x3000}, {lut});
      EXPECT_EQ(samples_of(d).size(), 5U);
    }
  }
}

TEST(Picture, says_why_there_is_none) {
  DicomDataSet empty;
  empty.text({0x0008, 0x0060}, "CS", "SR");
  EXPECT_EQ(pictures_of(empty).missing, "The object has no pixels.");
  DicomDataSet rows = grey_row({1, 2});
  replace(rows, {0x0028, 0x0010}).us({0x0028, 0x0010}, 0);
  EXPECT_THAT(pictures_of(rows).missing, HasSubstr("cannot be drawn"));
  DicomDataSet palette = grey_row({1, 2});
  replace(palette, {0x0028, 0x0004}).text({0x0028, 0x0004}, "CS", "PALETTE COLOR");
  EXPECT_THAT(pictures_of(palette).missing, HasSubstr("palette"));
}

TEST(Picture, looks_up_palettes_also_segmented_ones) {
  DicomDataSet d = grey_row({0, 1, 2, 3, 9});
  replace(d, {0x0028, 0x0004}).text({0x0028, 0x0004}, "CS", "PALETTE COLOR");
  for (std::uint16_t i = 0; i < 3; ++i) {
    d.bytes({0x0028, static_cast<std::uint16_t>(0x1101 + i)}, "US", words({4, 0, 16}));
  }
  DicomDataSet plain = d;
  plain.bytes({0x0028, 0x1201}, "OW", words({0x0000, 0x1000, 0x2000, 0xFF00}));
  plain.bytes({0x0028, 0x1202}, "OW", words({0, 0, 0, 0x8000}));
  plain.bytes({0x0028, 0x1203}, "OW", words({0x0100, 0x0200, 0x0300, 0x0400}));
  EXPECT_THAT(samples_of(plain),
              ElementsAre(0, 0, 1, 0x10, 0, 2, 0x20, 0, 3, 0xFF, 0x80, 4, 0xFF, 0x80, 4));
  DicomDataSet segmented = d;
  // Discrete 0, linear to 0xFF00 in three steps; the same by an indirect segment; discrete.
  segmented.bytes({0x0028, 0x1221}, "OW", words({0, 1, 0, 1, 3, 0xFF00}));
  segmented.bytes({0x0028, 0x1222}, "OW", words({0, 2, 0, 0x0100, 2, 1, 0, 0}));
  segmented.bytes({0x0028, 0x1223}, "OW", words({0, 4, 0, 0x1000, 0x2000, 0x3000}));
  EXPECT_THAT(samples_of(segmented),
              ElementsAre(0, 0, 0, 0x55, 1, 0x10, 0xAA, 0, 0x20, 0xFF, 1, 0x30, 0xFF, 1, 0x30));
  // An indirect segment that names itself, and no end of empty ones.
  DicomDataSet hostile = d;
  for (std::uint16_t i = 0; i < 3; ++i) {
    hostile.bytes({0x0028, static_cast<std::uint16_t>(0x1221 + i)}, "OW",
                  words({2, 0xFFFF, 0, 0, 0, 0, 0, 0}));
  }
  EXPECT_THAT(pictures_of(hostile).missing, HasSubstr("palette"));
  DicomDataSet endless = d;
  for (std::uint16_t i = 0; i < 3; ++i) {
    std::vector<int> segments(0x7000, 0);
    for (int n = 0; n < 100; ++n) segments.insert(segments.end(), {2, 0xFFFF, 0, 0});
    endless.bytes({0x0028, static_cast<std::uint16_t>(0x1221 + i)}, "OW", words(segments));
  }
  EXPECT_THAT(pictures_of(endless).missing, HasSubstr("palette"));
}

TEST(Picture, converts_ybr_to_rgb) {
  DicomDataSet d;
  d.us({0x0028, 0x0002}, 3).text({0x0028, 0x0004}, "CS", "YBR_FULL").us({0x0028, 0x0006}, 0);
  d.us({0x0028, 0x0010}, 1).us({0x0028, 0x0011}, 4);
  d.us({0x0028, 0x0100}, 8).us({0x0028, 0x0101}, 8).us({0x0028, 0x0102}, 7).us({0x0028, 0x0103}, 0);
  d.bytes({0x7FE0, 0x0010}, "OB",
          test::bytes("4c55ff"
                      "962c15"
                      "1dff6b"
                      "808080"));
  const std::vector<int> rgb = samples_of(d);
  const std::vector<int> expected{254, 0, 0, 0, 255, 1, 0, 0, 254, 128, 128, 128};
  ASSERT_EQ(rgb.size(), expected.size());
  for (std::size_t i = 0; i < rgb.size(); ++i) EXPECT_NEAR(rgb[i], expected[i], 1) << i;
}

TEST(Picture, of_floating_samples_ignores_what_is_no_number) {
  DicomDataSet d;
  d.us({0x0028, 0x0002}, 1).text({0x0028, 0x0004}, "CS", "MONOCHROME2");
  d.us({0x0028, 0x0010}, 1).us({0x0028, 0x0011}, 5).us({0x0028, 0x0100}, 32);
  Bytes samples;
  for (const float value : {0.0F, 0.5F, 1.0F, NAN, INFINITY}) {
    append_le(samples, std::bit_cast<std::uint32_t>(value));
  }
  d.bytes({0x7FE0, 0x0008}, "OF", samples);
  EXPECT_THAT(samples_of(d), ElementsAre(0, 128, 255, 0, 255));
}

TEST(Picture, shows_the_altered_part_at_full_resolution_beside_a_scaled_frame) {
  DicomDataSet d = grey_row({});
  constexpr std::uint16_t side = 2048;
  replace(replace(replace(d, {0x0028, 0x0010}), {0x0028, 0x0011}), {0x7FE0, 0x0010});
  d.us({0x0028, 0x0010}, side).us({0x0028, 0x0011}, side);
  std::vector<int> values(std::size_t{side} * side, 0);
  for (std::size_t y = 640; y < 704; ++y) {
    for (std::size_t x = 1280; x < 1344; ++x) values[y * side + x] = 1000;
  }
  d.bytes({0x7FE0, 0x0010}, "OW", words(values));
  d.text({0x0028, 0x1050}, "DS", "500").text({0x0028, 0x1051}, "DS", "1000");
  finding::Finding finding;
  finding.frame = 1;
  finding.tiles = {{10, 20}};
  finding.box = finding::Box{1280, 640, 64, 64};
  const Pictures made = pictures_of(d, {&finding, 1});
  ASSERT_EQ(made.pictures.size(), 2U);
  const Picture& whole = made.pictures[0];
  EXPECT_EQ(whole.width, 1024U);
  EXPECT_EQ(whole.frame_width, side);
  EXPECT_EQ(whole.samples[320 * 1024 + 640], std::byte{255});
  EXPECT_EQ(whole.samples[319 * 1024 + 640], std::byte{0});
  const Picture& detail = made.pictures[1];
  ASSERT_TRUE(detail.part.has_value());
  EXPECT_EQ(*detail.part, (finding::Box{1248, 608, 128, 128}));
  EXPECT_EQ(detail.samples[32 * 128 + 32], std::byte{255});
  EXPECT_EQ(detail.samples[31 * 128 + 32], std::byte{0});
  EXPECT_EQ(detail.samples[95 * 128 + 95], std::byte{255});
  EXPECT_EQ(detail.samples[95 * 128 + 96], std::byte{0});
}

// Property: boxes and frames from nowhere draw something or nothing, and never crash.
TEST(Picture, survives_any_finding) {
  const std::uint64_t seed = test::seed();
  SCOPED_TRACE("rerun with FIDUCIA_SEED=" + std::to_string(seed));
  std::mt19937_64 prng{seed};
  std::vector<int> values(100, 7);
  const DicomDataSet d = grey_row(values);
  for (int round = 0, last = fiducia::test::draws(300); round < last; ++round) {
    const auto any = [&] { return static_cast<std::uint32_t>(test::edge_biased(prng, 100)); };
    finding::Finding finding;
    finding.frame = any();
    finding.box = finding::Box{any(), any(), any(), any()};
    finding.tiles = {{any(), any()}, {any(), any()}};
    PictureOptions options;
    options.side_max = any() % 2000;
    EXPECT_FALSE(pictures_of(d, {&finding, 1}, options).pictures.empty());
  }
}

}  // namespace
}  // namespace fiducia::render
