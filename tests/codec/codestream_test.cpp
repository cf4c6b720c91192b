// SPDX-License-Identifier: Apache-2.0
#include "codec/codestream.h"

#include <gtest/gtest.h>

#include "image_file.h"
#include "support/support.h"

namespace fiducia::codec {
namespace {

constexpr const char* rle = "1.2.840.10008.1.2.5";
constexpr const char* baseline = "1.2.840.10008.1.2.4.50";
constexpr const char* extended = "1.2.840.10008.1.2.4.51";
constexpr const char* lossless = "1.2.840.10008.1.2.4.70";
constexpr const char* jpeg_ls = "1.2.840.10008.1.2.4.80";
constexpr const char* jpeg_2000 = "1.2.840.10008.1.2.4.90";

Geometry geometry_of(std::uint16_t samples, std::uint16_t bits, const char* photometric) {
  Geometry g;
  g.rows = 1;
  g.columns = 4;
  g.samples_per_pixel = samples;
  g.bits_allocated = bits <= 8 ? 8 : 16;
  g.bits_stored = bits;
  g.high_bit = static_cast<std::uint16_t>(bits - 1);
  g.photometric_interpretation = photometric;
  return g;
}

Oddities inspect(const std::string& hex, const char* syntax, const Geometry& geometry) {
  const dicom::TransferSyntax* found = dicom::find_transfer_syntax(syntax);
  return inspect_codestream(test::bytes(hex), *found, geometry);
}

struct Look {
  const char* name;
  std::string hex;
  const char* syntax;
  Geometry geometry;
  Oddities expected;
};

void expect_found(std::initializer_list<Look> looks) {
  for (const Look& row : looks) {
    SCOPED_TRACE(row.name);
    EXPECT_EQ(inspect(row.hex, row.syntax, row.geometry).bits(), row.expected.bits());
  }
}

std::string rle_frame(const std::string& runs, const std::string& offset = "40000000") {
  return "01000000" + offset + std::string(56 * 2, '0') + runs;
}

TEST(CodestreamOddities, of_rle) {
  const Geometry grey = geometry_of(1, 8, "MONOCHROME2");
  expect_found({
      {"a run", rle_frame("fdaa"), rle, grey, {}},
      {"a pad byte", rle_frame("fdaa80"), rle, grey, {}},
      {"literals", rle_frame("0301020304"), rle, grey, {}},
      {"nothing, or a run of 129", rle_frame("80fdaa"), rle, grey, Oddity::rle_no_operation},
      {"a pixel that is 80", rle_frame("0380808080"), rle, grey, {}},
      {"bytes behind", rle_frame("fdaafdbb"), rle, grey, Oddity::rle_surplus},
      {"a second segment",
       "0200000040000000" + std::string("42000000") + std::string(52 * 2, '0') + "fdaafdbb", rle,
       grey, Oddity::rle_surplus},
      {"an offset too many",
       "0100000040000000" + std::string("42000000") + std::string(52 * 2, '0') + "fdaa", rle, grey,
       Oddity::rle_surplus},
      {"a gap", rle_frame("0000fdaa", "42000000"), rle, grey, Oddity::rle_surplus},
      {"cut", rle_frame("03aa"), rle, grey, {}},
      {"no header", "0102", rle, grey, {}},
  });
}

const std::string soi = "ffd8";
const std::string jfif = "ffe000104a46494600010100000100010000";
const std::string adobe_rgb = "ffee000e41646f626500640000000000";
const std::string adobe_ycc = "ffee000e41646f626500640000000001";
std::string sof(const char* marker, const char* precision, const char* ids) {
  std::string out = std::string(marker) + "0011" + precision + "00010004" + "03";
  for (const char* id = ids; *id != '\0'; id += 2) out += std::string(id, 2) + "1100";
  return out;
}
const std::string grey_sof0 = "ffc0000b080001000401011100";
const std::string grey_sof3 = "ffc3000b080001000401011100";
const std::string scan = "ffda0008010100003f00" + std::string("aaff00bbffd0cc");
const std::string eoi = "ffd9";
const std::string sof0_123 = sof("ffc0", "08", "010203");
const std::string sof0_rgb = sof("ffc0", "08", "524742");
const std::string sof3_012 = sof("ffc3", "08", "000102");

TEST(CodestreamOddities, of_jpeg) {
  const Geometry grey = geometry_of(1, 8, "MONOCHROME2");
  expect_found({
      {"baseline", soi + grey_sof0 + scan + eoi, baseline, grey, {}},
      {"a pad byte of any value", soi + grey_sof0 + scan + eoi + "8d", baseline, grey, {}},
      {"fill", soi + grey_sof0 + scan + eoi + "ffff0000", baseline, grey, {}},
      {"bytes behind", soi + grey_sof0 + scan + eoi + "0102", baseline, grey, Oddity::bytes_around},
      {"bytes before", "00" + soi + grey_sof0 + scan + eoi, baseline, grey, Oddity::bytes_around},
      {"another image behind", soi + grey_sof0 + scan + eoi + soi + grey_sof0 + scan + eoi,
       baseline, grey, Oddity::several_images},
      {"another header", soi + grey_sof0 + grey_sof0 + scan + eoi, baseline, grey,
       Oddity::several_images},
      {"two scans", soi + grey_sof0 + scan + scan + eoi, baseline, grey, {}},
      {"lossless named baseline", soi + grey_sof3 + scan + eoi, baseline, grey,
       Oddity::jpeg_process},
      {"lossless named extended", soi + grey_sof3 + scan + eoi, extended, grey,
       Oddity::jpeg_process},
      {"baseline named lossless", soi + grey_sof0 + scan + eoi, lossless, grey,
       Oddity::jpeg_process},
      {"baseline named extended", soi + grey_sof0 + scan + eoi, extended, grey, {}},
      {"lossless", soi + grey_sof3 + scan + eoi, lossless, grey, {}},
      {"JPEG under JPEG-LS", soi + grey_sof0 + scan + eoi, jpeg_ls, grey, Oddity::jpeg_process},
      {"turned by Exif",
       soi + "ffe10022" + "457869660000" + "49492a0008000000" + "0100" +
           "120103000100000006000000" + "00000000" + grey_sof0 + scan + eoi,
       baseline, grey, Oddity::jpeg_orientation},
  });
}

TEST(CodestreamOddities, of_jpeg_colours) {
  const Geometry rgb = geometry_of(3, 8, "RGB");
  const Geometry ybr = geometry_of(3, 8, "YBR_FULL_422");
  const Oddity odd = Oddity::jpeg_colour;
  const std::string rest = scan + eoi;
  expect_found({
      {"YCbCr by JFIF", soi + jfif + sof0_123 + rest, baseline, ybr, {}},
      {"YCbCr by Adobe", soi + adobe_ycc + sof0_123 + rest, baseline, ybr, {}},
      {"YCbCr, nothing said", soi + sof0_123 + rest, baseline, ybr, {}},
      {"RGB by Adobe and names", soi + adobe_rgb + sof0_rgb + rest, baseline, rgb, {}},
      {"RGB by names", soi + sof0_rgb + rest, baseline, rgb, {}},
      {"JFIF called RGB", soi + jfif + sof0_123 + rest, baseline, rgb, odd},
      {"JFIF called RGB, extended", soi + jfif + sof0_123 + rest, extended, rgb, odd},
      {"nothing said, called RGB", soi + sof0_123 + rest, baseline, rgb, odd},
      {"RGB by Adobe called YBR", soi + adobe_rgb + sof0_123 + rest, baseline, ybr, odd},
      {"RGB by names called YBR", soi + sof0_rgb + rest, baseline, ybr, odd},
      {"JFIF and Adobe at odds", soi + jfif + adobe_rgb + sof0_123 + rest, baseline, ybr, odd},
      {"called grey", soi + jfif + sof0_123 + rest, baseline, geometry_of(3, 8, "MONOCHROME2"),
       odd},
      {"lossless, nothing said", soi + sof3_012 + rest, lossless, rgb, {}},
      {"lossless, nothing said, YBR",
       soi + sof3_012 + rest,
       lossless,
       geometry_of(3, 8, "YBR_FULL"),
       {}},
      {"lossless by JFIF called RGB", soi + jfif + sof3_012 + rest, lossless, rgb, odd},
  });
}

std::string siz(const char* depth, unsigned components = 1) {
  std::string out = "ff51" + std::string(components == 1 ? "0029" : "002f") + "0000" +
                    "0000000400000001" + "0000000000000000" + "0000000400000001" +
                    "0000000000000000" + (components == 1 ? "0001" : "0003");
  for (unsigned i = 0; i < components; ++i) out += std::string(depth) + "0101";
  return out;
}
std::string cod(const char* transform) {
  return "ff52000c00000001" + std::string(transform) + "0504040001";
}
const std::string tile = "ff90000a00000000" + std::string("0010") + "0001" + "ff93" + "aabb";
const std::string soc = "ff4f";
std::string box(const std::string& type, const std::string& body) {
  Bytes head;
  append_be<std::uint32_t>(head, static_cast<std::uint32_t>(8 + body.size() / 2));
  return to_hex(head) + to_hex(as_bytes(type)) + body;
}

TEST(CodestreamOddities, of_jpeg_2000) {
  Geometry grey = geometry_of(1, 12, "MONOCHROME2");
  Geometry negative = grey;
  negative.kind = SampleKind::signed_integer;
  const Geometry rct = geometry_of(3, 8, "YBR_RCT");
  const std::string plain = soc + siz("0b") + cod("00") + tile + eoi;
  const std::string signature = box("jP  ", "0d0a870a") + box("ftyp", "6a703220000000006a703220");
  const std::string ihdr = box("ihdr", "00000001000000040001" + std::string("0b070000"));
  const std::string colr_grey = box("colr", "01000000000011");
  const auto jp2 = [&](const std::string& header, const std::string& behind = "") {
    return signature + box("jp2h", header) + box("jp2c", plain) + behind;
  };
  expect_found({
      {"bare", plain, jpeg_2000, grey, {}},
      {"padded", plain + "00", jpeg_2000, grey, {}},
      {"bytes behind", plain + "010203", jpeg_2000, grey, Oddity::bytes_around},
      {"bytes before", "0102" + plain, jpeg_2000, grey, Oddity::bytes_around},
      {"two", plain + plain, jpeg_2000, grey, Oddity::several_images},
      {"unsigned, called signed", plain, jpeg_2000, negative, Oddity::jpeg_2000_samples},
      {"signed", soc + siz("8b") + cod("00") + tile + eoi, jpeg_2000, negative, {}},
      {"signed, called unsigned", soc + siz("8b") + cod("00") + tile + eoi, jpeg_2000, grey,
       Oddity::jpeg_2000_samples},
      {"whole containers", soc + siz("0f") + cod("00") + tile + eoi, jpeg_2000, negative, {}},
      {"transform", soc + siz("07", 3) + cod("01") + tile + eoi, jpeg_2000, rct, {}},
      {"transform under RGB",
       soc + siz("07", 3) + cod("01") + tile + eoi,
       jpeg_2000,
       geometry_of(3, 8, "RGB"),
       {}},
      {"transform under YBR_FULL", soc + siz("07", 3) + cod("01") + tile + eoi, jpeg_2000,
       geometry_of(3, 8, "YBR_FULL"), Oddity::jpeg_2000_colour},
      {"no transform", soc + siz("07", 3) + cod("00") + tile + eoi, jpeg_2000, rct,
       Oddity::jpeg_2000_colour},
      {"Part 2", soc + siz("0b") + "ff74000400aa" + cod("00") + tile + eoi, jpeg_2000, grey,
       Oddity::jpeg_2000_extension},
      {"JP2", jp2(ihdr + colr_grey), jpeg_2000, grey, Oddity::jp2_boxes},
      {"JP2 with a palette", jp2(ihdr + colr_grey + box("pclr", "00020107ff00")), jpeg_2000, grey,
       Oddity::jp2_boxes},
      {"JP2 with channels", jp2(ihdr + colr_grey + box("cdef", "0001000000010001")), jpeg_2000,
       grey, Oddity::jp2_boxes},
      {"JP2 with another box", jp2(ihdr + colr_grey, box("xml ", "3c3e")), jpeg_2000, grey,
       Oddity::jp2_boxes},
  });
}

TEST(CodestreamOddities, are_looked_for_inside_the_bytes_only) {
  const std::uint64_t seed = test::seed();
  SCOPED_TRACE("rerun with FIDUCIA_SEED=" + std::to_string(seed));
  std::mt19937_64 prng{seed};
  const std::string streams[] = {rle_frame("80fdaafd"), soi + jfif + sof0_123 + scan + eoi + soi,
                                 soc + siz("0b") + cod("00") + tile + eoi + "0102"};
  const char* const syntaxes[] = {rle, baseline, jpeg_2000};
  for (int round = 0; round < test::draws(20000); ++round) {
    const std::size_t which = prng() % 3;
    Bytes bytes = test::bytes(streams[which]);
    for (std::uint64_t i = prng() % 4; i > 0; --i)
      bytes[prng() % bytes.size()] = static_cast<std::byte>(prng());
    bytes.resize(prng() % (bytes.size() + 1));
    bytes.shrink_to_fit();  // so that a sanitizer sees a step outside
    static_cast<void>(inspect_codestream(bytes, *dicom::find_transfer_syntax(syntaxes[which]),
                                         geometry_of(3, 8, "RGB")));
  }
}

TEST(CodestreamOddities, frames_are_laid_down_by_precision_and_interleaving) {
  using dicom::PixelEncoding;
  using Form = std::optional<std::array<std::uint8_t, 2>>;
  struct Row {
    const char* name;
    std::string hex;
    PixelEncoding encoding;
    Form form;
  };
  const std::string sof_ls =
      "fff70011"
      "0c00080008"
      "03"
      "011100"
      "021100"
      "031100";
  const auto scan_ls = [](const std::string& mode) {
    return "ffda000c03010002000300"
           "00" +
           mode + "00";
  };
  for (const Row& row :
       {Row{"JPEG",
            "ffd8ffe00004abcdffc0000b0800080008010111"
            "00ffda000801010000"
            "3f00",
            PixelEncoding::jpeg_baseline, Form{{8, 0}}},
        Row{"JPEG-LS by planes", "ffd8" + sof_ls + scan_ls("00"), PixelEncoding::jpeg_ls,
            Form{{12, 0}}},
        Row{"JPEG-LS by lines", "ffd8" + sof_ls + scan_ls("01"), PixelEncoding::jpeg_ls,
            Form{{12, 1}}},
        Row{"fill bytes", "ffd8ffff" + sof_ls.substr(2) + scan_ls("02"), PixelEncoding::jpeg_ls,
            Form{{12, 2}}},
        Row{"no scan", "ffd8" + sof_ls, PixelEncoding::jpeg_ls, {}},
        Row{"no frame header", "ffd8" + scan_ls("01"), PixelEncoding::jpeg_ls, {}},
        Row{"cut", "ffd8" + sof_ls + scan_ls("01").substr(0, 12), PixelEncoding::jpeg_ls, {}},
        Row{"JPEG 2000", soc + siz("0b"), PixelEncoding::jpeg_2000, Form{{0x0B, 0}}},
        Row{"JPEG 2000, signed", soc + siz("8b"), PixelEncoding::htj2k, Form{{0x8B, 0}}},
        Row{"JPEG 2000, colour", soc + siz("07", 3), PixelEncoding::jpeg_2000, Form{{7, 0}}},
        Row{"no SIZ", soc, PixelEncoding::jpeg_2000, {}}}) {
    SCOPED_TRACE(row.name);
    const Bytes bytes = test::bytes(row.hex);
    EXPECT_EQ(sample_form(bytes, row.encoding), row.form);
  }
  std::string mixed = soc + siz("07", 3);
  mixed.replace(mixed.size() - 6, 2, "0b");
  EXPECT_EQ(sample_form(test::bytes(mixed), PixelEncoding::jpeg_2000), (Form{{7, 1}}));
}

TEST(CodestreamOddities, have_a_sentence_each) {
  for (std::uint8_t n = oddity_first; n <= oddity_last; ++n)
    EXPECT_NE(to_sentence(static_cast<Oddity>(n)), to_sentence(static_cast<Oddity>(0))) << int{n};
  EXPECT_EQ(Oddities::of_bits(0xFFFFFFFF).bits(), 0xFFFFFU);
}

}  // namespace
}  // namespace fiducia::codec
