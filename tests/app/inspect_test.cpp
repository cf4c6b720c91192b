// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "command_home.h"
#include "inspect_value.h"
#include "support/dicom_builder.h"

namespace fiducia::app {
namespace {

using test::CommandHome;
using test::run_captured;

std::string inspect(const CommandHome& scratch, const std::filesystem::path& path, bool json,
                    bool show_values) {
  const auto [code, out] = run_captured(cli::InspectOptions{
      .common = scratch.common(json), .path = path.string(), .show_values = show_values});
  EXPECT_EQ(code, 0);
  return out;
}

TEST(Inspect, shows_structure_without_values_unless_asked) {
  const CommandHome scratch;
  const auto image = scratch.write_image("a.dcm", "1.2.1", 1, "Secret^Name");
  for (const bool json : {true, false}) {
    const std::string hidden = inspect(scratch, image, json, false);
    EXPECT_NE(hidden.find("PatientName"), std::string::npos);
    EXPECT_EQ(hidden.find("Secret"), std::string::npos);
    EXPECT_NE(inspect(scratch, image, json, true).find("Secret^Name"), std::string::npos);
  }
}

TEST(Inspect, walks_items_in_the_order_of_the_file) {
  const CommandHome scratch;
  test::DicomDataSet inner, item, other, d;
  inner.text({0x0008, 0x0100}, "SH", "C");
  item.text({0x0008, 0x0104}, "LO", "first").sequence({0x0040, 0xA043}, {inner});
  other.text({0x0008, 0x0104}, "LO", "second");
  d.text({0x0008, 0x0060}, "CS", "SR")
      .sequence({0x0040, 0xA730}, {item, other, {}})
      .text({0x0040, 0xA493}, "CS", "VERIFIED");
  ASSERT_TRUE(durable_write(scratch.path("sr.dcm"), d.file("1.2.840.10008.1.2.1")).has_value());
  const std::string out = inspect(scratch, scratch.path("sr.dcm"), false, true);
  std::size_t at = 0;
  for (const char* expected :
       {"(0040,A730) SQ  3 items", "  item 1", "= first", "(0040,A043) SQ  1 item", "    item 1",
        "= C", "  item 2", "= second", "  item 3", "(0040,A493)"}) {
    at = out.find(expected, at);
    ASSERT_NE(at, std::string::npos) << expected << " in\n" << out;
  }
}

TEST(Inspect, of_a_file_that_is_not_dicom_fails) {
  const CommandHome scratch;
  ASSERT_TRUE(durable_write(scratch.path("x"), as_bytes("plain text, no image in here at all")));
  EXPECT_EQ(run_captured(cli::InspectOptions{.common = scratch.common(),
                                             .path = scratch.path("x").string(),
                                             .show_values = false})
                .first,
            1);
}

TEST(ShowValue, is_short_and_drives_no_terminal) {
  const dicom::CharacterSet ascii;
  const auto show = [&](dicom::Vr vr, const Bytes& value, bool big_endian = false) {
    dicom::Element element;
    element.vr = vr;
    element.value = value;
    element.big_endian = big_endian;
    return show_value(element, ascii);
  };
  EXPECT_EQ(show(dicom::vr::us, test::bytes("01000200")), "1\\2");
  EXPECT_EQ(show(dicom::vr::us, test::bytes("0100"), true), "256");
  EXPECT_EQ(show(dicom::vr::ss, test::bytes("ffff")), "-1");
  EXPECT_EQ(show(dicom::vr::fd, test::bytes("000000000000f03f")), "1");
  EXPECT_EQ(show(dicom::vr::at, test::bytes("10002000")), "(0010,0020)");
  EXPECT_EQ(show(dicom::vr::us, test::bytes("010002")), "010002") << "not a whole number of values";
  EXPECT_EQ(show(dicom::vr::lo, test::bytes("1b5b33316d")).find('\x1b'), std::string::npos);
  EXPECT_LE(show(dicom::vr::lt, Bytes(100'000, std::byte{'x'})).size(), 64u + 3u);
  EXPECT_LE(show(dicom::vr::ob, Bytes(100'000, std::byte{1})).size(), 64u + 3u);
  EXPECT_LE(show(dicom::vr::us, Bytes(100'000, std::byte{1})).size(), 64u + 3u);
  EXPECT_EQ(show(dicom::vr::cs, {}), "");
}

}  // namespace
}  // namespace fiducia::app
