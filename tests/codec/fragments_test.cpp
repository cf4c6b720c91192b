// SPDX-License-Identifier: Apache-2.0
#include "codec/fragments.h"

#include <gtest/gtest.h>

#include "image_file.h"
#include "support/support.h"

namespace fiducia::codec {
namespace {

using dicom::PixelEncoding;
using Starts = std::vector<std::uint32_t>;

/// Fragments, and the offsets of their item tags.
struct Stream {
  std::vector<Bytes> owned;
  std::vector<ByteView> views;
  std::vector<std::uint64_t> offsets;
  explicit Stream(std::initializer_list<const char*> hex) {
    std::uint64_t at = 0;
    for (const char* h : hex) owned.push_back(test::bytes(h));
    for (const Bytes& b : owned) {
      views.push_back(b);
      offsets.push_back(at);
      at += 8 + b.size();
    }
  }
};

TEST(FragmentDivision, follows_what_there_is_to_follow) {
  // Items at 0, 12, 24, 36; two of them start with SOI.
  const Stream s{"ffd80102", "03040506", "ffd81112", "13141516"};
  struct Row {
    const char* name;
    std::uint32_t frames;
    PixelEncoding encoding;
    Bytes basic;
    Bytes extended;
    Bytes lengths;
    std::optional<Starts> expected;
    bool tables_are_wrong = false;
  };
  const auto u32 = [](std::initializer_list<std::uint32_t> e) {
    return test::table<std::uint32_t>(e);
  };
  const auto u64 = [](std::initializer_list<std::uint64_t> e) {
    return test::table<std::uint64_t>(e);
  };
  constexpr auto jpeg = PixelEncoding::jpeg_baseline;
  for (const Row& row : {
           Row{"one frame of all", 1, jpeg, {}, {}, {}, Starts{0, 4}},
           Row{"a fragment each", 4, PixelEncoding::rle, {}, {}, {}, Starts{0, 1, 2, 3, 4}},
           Row{"start markers", 2, jpeg, {}, {}, {}, Starts{0, 2, 4}},
           Row{"one RLE frame in fragments", 1, PixelEncoding::rle, {}, {}, {}, Starts{0, 4}},
           Row{"no such markers in RLE", 2, PixelEncoding::rle, {}, {}, {}, std::nullopt},
           Row{"markers for two of three", 3, jpeg, {}, {}, {}, std::nullopt},
           Row{"frames that are missing", 6, jpeg, {}, {}, {}, Starts{0, 1, 2, 3, 4}},
           Row{"basic table", 2, PixelEncoding::rle, u32({0, 12}), {}, {}, Starts{0, 1, 4}},
           Row{"against the markers", 2, jpeg, u32({0, 12}), {}, {}, Starts{0, 2, 4}, true},
           Row{"extended table", 2, jpeg, {}, u64({0, 24}), {}, Starts{0, 2, 4}},
           Row{"both alike", 2, jpeg, u32({0, 24}), u64({0, 24}), {}, Starts{0, 2, 4}},
           Row{"both, not alike", 2, jpeg, u32({0, 12}), u64({0, 24}), {}, Starts{0, 2, 4}, true},
           Row{"lengths alike", 2, jpeg, {}, u64({0, 24}), u64({8, 7}), Starts{0, 2, 4}},
           Row{"a length too short", 2, jpeg, {}, u64({0, 24}), u64({8, 6}), Starts{0, 2, 4}, true},
           Row{"a length too long", 2, jpeg, {}, u64({0, 24}), u64({9, 8}), Starts{0, 2, 4}, true},
           Row{"a length too few", 2, jpeg, {}, u64({0, 24}), u64({8}), Starts{0, 2, 4}, true},
           Row{"half an entry", 2, jpeg, test::bytes("0000000018"), {}, {}, Starts{0, 2, 4}, true},
           Row{"between items", 2, jpeg, u32({0, 13}), {}, {}, Starts{0, 2, 4}, true},
           Row{"past the end", 2, jpeg, u32({0, 48}), {}, {}, Starts{0, 2, 4}, true},
           Row{"first not zero", 2, jpeg, u32({12, 24}), {}, {}, Starts{0, 2, 4}, true},
           Row{"backwards", 3, jpeg, u32({0, 24, 12}), {}, {}, std::nullopt},
           Row{"twice the same", 3, jpeg, u32({0, 12, 12}), {}, {}, std::nullopt},
           Row{"more entries than frames", 1, jpeg, u32({0, 24}), {}, {}, Starts{0, 4}, true},
           Row{"fewer entries than frames", 3, jpeg, u32({0, 24}), {}, {}, std::nullopt},
           Row{"fewer of both", 9, jpeg, u32({0, 24}), {}, {}, Starts{0, 2, 4}},
           Row{"video is one chain", 7, PixelEncoding::video, {}, {}, {}, Starts{0, 4}},
       }) {
    SCOPED_TRACE(row.name);
    const auto division = divide_fragments({.fragments = s.views,
                                            .offsets = s.offsets,
                                            .basic_offset_table = row.basic,
                                            .extended_offset_table = row.extended,
                                            .extended_offset_table_lengths = row.lengths},
                                           row.frames, row.encoding);
    ASSERT_EQ(division.has_value(), row.expected.has_value());
    if (division) {
      EXPECT_EQ(division->starts, *row.expected);
      EXPECT_EQ(division->tables_are_wrong, row.tables_are_wrong);
    } else {
      EXPECT_EQ(code_word(division.error()), "malformed.pixel_data");
    }
  }
}

TEST(FragmentDivision, counts_no_empty_fragments) {
  const Stream s{"0102", "", "0304", ""};
  const auto division =
      divide_fragments({.fragments = s.views, .offsets = s.offsets}, 2, PixelEncoding::rle);
  ASSERT_TRUE(division.has_value());
  EXPECT_EQ(division->starts, (Starts{0, 2, 4}));
  EXPECT_FALSE(division->tables_are_wrong);
}

TEST(FragmentDivision, refuses_no_fragments) {
  EXPECT_FALSE(divide_fragments({}, 1, PixelEncoding::jpeg_ls).has_value());
}

TEST(CodestreamEnd, is_cut_after_the_last_marker) {
  struct Row {
    const char* name;
    PixelEncoding encoding;
    std::initializer_list<const char*> fragments;
    const char* expected;
  };
  constexpr auto jpeg = PixelEncoding::jpeg_baseline;
  for (const Row& row : {
           Row{"any byte that makes the length even", jpeg, {"ffd8aaffd98d"}, "ffd8aaffd9"},
           Row{"such a byte alone in a fragment", jpeg, {"ffd8aaff", "d98d"}, "ffd8aaffd9"},
           Row{"two bytes are no padding", jpeg, {"ffd8ffd98d8d"}, "ffd8ffd98d8d"},
           Row{"no padding", jpeg, {"ffd8aaffd9"}, "ffd8aaffd9"},
           Row{"a zero", jpeg, {"ffd8aaffd900"}, "ffd8aaffd9"},
           Row{"fill bytes", jpeg, {"ffd8aaffd9ffff0000"}, "ffd8aaffd9"},
           Row{"marker across fragments", jpeg, {"ffd8aaff", "d900"}, "ffd8aaffd9"},
           Row{"a fragment of padding", jpeg, {"ffd8ffd9", "0000", "ff00"}, "ffd8ffd9"},
           Row{"an empty fragment", jpeg, {"ffd8", "", "ffd9", ""}, "ffd8ffd9"},
           Row{"no end", jpeg, {"ffd8aabb0000"}, "ffd8aabb0000"},
           Row{"D9 without FF", jpeg, {"ffd8aad90000"}, "ffd8aad90000"},
           Row{"other bytes after", jpeg, {"ffd8ffd9aa00"}, "ffd8ffd9aa00"},
           Row{"only padding", jpeg, {"0000", "ffff"}, "0000ffff"},
           Row{"D9 first of all", jpeg, {"d900"}, "d900"},
           Row{"JPEG 2000", PixelEncoding::jpeg_2000, {"ff4f12ffd90000"}, "ff4f12ffd9"},
           Row{"HTJ2K", PixelEncoding::htj2k, {"ff4fffd900"}, "ff4fffd9"},
           Row{"JPEG-LS", PixelEncoding::jpeg_ls, {"ffd8ffd900"}, "ffd8ffd9"},
           Row{"RLE stays", PixelEncoding::rle, {"0102ffd90000"}, "0102ffd90000"},
           Row{"JPEG XL stays", PixelEncoding::jpeg_xl, {"ff0affd90000"}, "ff0affd90000"},
       }) {
    SCOPED_TRACE(row.name);
    const Stream s{row.fragments};
    EXPECT_EQ(to_hex(test::joined(codestream_pieces(s.views, row.encoding))), row.expected);
  }
}

TEST(CodestreamEnd, does_not_depend_on_fragmentation) {
  const std::uint64_t seed = test::seed();
  SCOPED_TRACE("rerun with FIDUCIA_SEED=" + std::to_string(seed));
  std::mt19937_64 prng{seed};
  for (int round = 0; round < 5000; ++round) {
    // Bytes that make or break the rule.
    constexpr unsigned char alphabet[] = {0x00, 0xFF, 0xD9, 0xAA};
    Bytes stream(prng() % 12);
    for (std::byte& b : stream) b = std::byte{alphabet[prng() % 4]};
    const ByteView whole{stream};
    const Bytes expected = test::joined(codestream_pieces({&whole, 1}, PixelEncoding::jpeg_ls));
    std::vector<ByteView> pieces;
    for (std::size_t at = 0; at < stream.size();) {
      const std::size_t n = std::min<std::size_t>(prng() % 4, stream.size() - at);
      pieces.push_back(whole.subspan(at, n));
      at += n;
    }
    ASSERT_EQ(to_hex(test::joined(codestream_pieces(pieces, PixelEncoding::jpeg_ls))),
              to_hex(expected));
  }
}

}  // namespace
}  // namespace fiducia::codec
