// SPDX-License-Identifier: Apache-2.0
// Limits of the reader, at each and one past it.
#include <gtest/gtest.h>

#include "dicom/data_set.h"
#include "dicom/deflated_data_set.h"
#include "support/support.h"

namespace fiducia::dicom {
namespace {

/// An element of undefined length whose content is `count` empty items.
Bytes with_empty_items(const char* header, std::size_t count) {
  Bytes out = test::bytes(header);
  const Bytes item = test::bytes("feff00e000000000");
  out.reserve(out.size() + (count + 1) * item.size());
  for (std::size_t i = 0; i < count; ++i) append(out, item);
  append(out, test::bytes("feffdde000000000"));
  return out;
}

std::string error_code_of(const Result<DataSet>& read) {
  return read ? "" : code_word(read.error());
}

TEST(ReaderLimit, lets_so_many_items_through) {
  constexpr auto sequence =
      "400030a7"
      "53510000ffffffff";  // (0040,A730) SQ
  EXPECT_EQ(error_code_of(parse_data_set(with_empty_items(sequence, limits::items_max), {})), "");
  EXPECT_EQ(error_code_of(parse_data_set(with_empty_items(sequence, limits::items_max + 1U), {})),
            "limit.reached");
}

TEST(ReaderLimit, lets_so_many_fragments_through) {
  constexpr auto pixel_data =
      "e07f1000"
      "4f420000ffffffff";  // (7FE0,0010) OB
  // The first item is the Basic Offset Table.
  const Bytes most = with_empty_items(pixel_data, limits::fragments_max + 1U);
  const auto read = parse_data_set(most, {});
  ASSERT_TRUE(read.has_value()) << to_sentence(read.error());
  EXPECT_EQ(read->fragments().size(), limits::fragments_max);
  EXPECT_EQ(
      error_code_of(parse_data_set(with_empty_items(pixel_data, limits::fragments_max + 2U), {})),
      "limit.reached");
}

TEST(ReaderLimit, lets_a_data_set_inflate_as_far_as_its_size_allows) {
  using limits::inflate_free_bytes;
  using limits::inflate_ratio_max;
  using limits::inflated_bytes_max;
  EXPECT_EQ(inflated_bytes_allowed(0), inflate_free_bytes);
  constexpr std::uint64_t free_until = inflate_free_bytes / inflate_ratio_max;
  EXPECT_EQ(inflated_bytes_allowed(free_until), inflate_free_bytes);
  EXPECT_EQ(inflated_bytes_allowed(free_until + 1), inflate_free_bytes + inflate_ratio_max);
  constexpr std::uint64_t most = inflated_bytes_max / inflate_ratio_max;
  EXPECT_EQ(inflated_bytes_allowed(most - 1), inflated_bytes_max - inflate_ratio_max);
  EXPECT_EQ(inflated_bytes_allowed(most), inflated_bytes_max);
  EXPECT_EQ(inflated_bytes_allowed(most + 1), inflated_bytes_max);
  EXPECT_EQ(inflated_bytes_allowed(~std::uint64_t{0}), inflated_bytes_max);
}

TEST(ReaderLimit, holds_for_the_bytes_that_come_out) {
  const Bytes zeros(static_cast<std::size_t>(limits::inflate_free_bytes) + 2);
  const ByteView fits = ByteView{zeros}.first(zeros.size() - 2);
  const auto all = inflate_data_set(deflate_data_set({&fits, 1}), 0);
  ASSERT_TRUE(all.has_value()) << to_sentence(all.error());
  EXPECT_EQ(all->bytes.size(), limits::inflate_free_bytes);
  const ByteView over = zeros;
  const auto refused = inflate_data_set(deflate_data_set({&over, 1}), 0);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(code_word(refused.error()), "limit.reached");
}

}  // namespace
}  // namespace fiducia::dicom
