// SPDX-License-Identifier: Apache-2.0
// Limits of the canonical form, at each and one past it.
#include <gtest/gtest.h>

#include "canonical/canonical.h"
#include "codec/image_file.h"
#include "support/dicom_builder.h"
#include "support/support.h"

namespace fiducia::canonical {
namespace {

using test::DicomDataSet;

constexpr std::string_view explicit_le = "1.2.840.10008.1.2.1";
constexpr std::string_view rle = "1.2.840.10008.1.2.5";

dicom::File opened(const DicomDataSet& data_set, std::string_view syntax) {
  auto file = dicom::File::read(data_set.file(syntax));
  EXPECT_TRUE(file.has_value());
  return std::move(*file);
}

TEST(HeaderLimit, of_paths_grows_with_the_file) {
  // The path of an element in items holds the way to it.
  DicomDataSet data_set;
  for (std::uint16_t i = 0; i < 20'000; ++i)
    data_set.text({0x0020, static_cast<std::uint16_t>(0x1000 + i)}, "LO", "x");
  for (int depth = 0; depth < 60; ++depth) {
    DicomDataSet around;
    around.sequence({0x0040, 0xA730}, {std::move(data_set)}, test::Lengths::undefined);
    data_set = std::move(around);
  }
  const dicom::File file = opened(data_set, explicit_le);
  const auto whole = CanonicalHeader::read(file.data_set(), {});
  ASSERT_TRUE(whole.has_value());
  std::uint64_t bytes = 0;
  for (const HeaderLeaf& leaf : whole->leaves()) bytes += leaf.path_bytes;
  ASSERT_GT(bytes, limits::path_bytes_free);
  const std::uint64_t past_free = bytes - limits::path_bytes_free;
  const std::uint64_t file_bytes =
      (past_free + limits::path_bytes_a_byte - 1) / limits::path_bytes_a_byte;
  Budget enough{file_bytes};
  EXPECT_TRUE(CanonicalHeader::read(file.data_set(), {.budget = &enough}).has_value());
  Budget too_little{file_bytes - 1};
  const auto refused = CanonicalHeader::read(file.data_set(), {.budget = &too_little});
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(code_word(refused.error()), "limit.reached");
}

TEST(HeaderLimit, of_a_character_set_that_costs_nothing_holds) {
  constexpr std::uint16_t texts = 100;
  const auto work_with = [](std::size_t term_bytes) {
    DicomDataSet data_set;
    std::string term;
    while (term.size() < term_bytes) term += "\\ISO 2022 IR 100";
    term.resize(term_bytes, '0');
    data_set.text({0x0008, 0x0005}, "UC", term);
    for (std::uint16_t i = 0; i < texts; ++i)
      data_set.text({0x0010, static_cast<std::uint16_t>(0x1100 + i)}, "LO", "text");
    const dicom::File file = opened(data_set, explicit_le);
    Budget budget{0};
    EXPECT_TRUE(CanonicalHeader::read(file.data_set(), {.budget = &budget}).has_value());
    return budget.spent();
  };
  constexpr std::uint64_t free = limits::character_set_bytes_free;
  constexpr std::uint64_t with_every_value = texts * free * limits::work_a_value_byte;
  const std::uint64_t at_limit = work_with(free);
  EXPECT_LT(at_limit - work_with(free - 2), with_every_value);
  EXPECT_GE(work_with(free + 2) - at_limit, with_every_value);
}

/// An image whose icons (8 bits, RLE) have these shapes.
dicom::File with_icons(std::size_t count, std::uint16_t rows, std::uint16_t columns) {
  const Bytes samples(std::size_t{rows} * columns);
  std::vector<DicomDataSet> icons(count);
  for (DicomDataSet& icon : icons)
    icon.us({0x0028, 0x0002}, 1)
        .text({0x0028, 0x0004}, "CS", "MONOCHROME2")
        .us({0x0028, 0x0010}, rows)
        .us({0x0028, 0x0011}, columns)
        .us({0x0028, 0x0100}, 8)
        .us({0x0028, 0x0101}, 8)
        .us({0x0028, 0x0102}, 7)
        .us({0x0028, 0x0103}, 0)
        .encapsulated({test::encode_rle(samples, rows, columns, 1, 1)});
  DicomDataSet image;
  image.sequence({0x0088, 0x0200}, std::move(icons), test::Lengths::undefined);
  return opened(image, rle);
}

TEST(NestedPixelLimit, of_icons_holds) {
  const auto decoded = [](std::size_t count) {
    const dicom::File file = with_icons(count, 1, 2);
    return decode_nested_pixels(file, nullptr).native.size();
  };
  EXPECT_EQ(decoded(limits::nested_pixels_max), limits::nested_pixels_max);
  EXPECT_EQ(decoded(limits::nested_pixels_max + 1), limits::nested_pixels_max);
}

TEST(NestedPixelLimit, of_the_bytes_of_one_holds) {
  static_assert(limits::nested_pixel_bytes_max == std::uint64_t{1024} * 1024);
  const auto decoded = [](std::uint16_t rows) {
    const dicom::File file = with_icons(1, rows, 1024);
    return decode_nested_pixels(file, nullptr).native.size();
  };
  EXPECT_EQ(decoded(1024), 1U);
  EXPECT_EQ(decoded(1025), 0U);
}

}  // namespace
}  // namespace fiducia::canonical
