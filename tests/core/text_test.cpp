// SPDX-License-Identifier: Apache-2.0
#include "core/text.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "support/support.h"

namespace fiducia {
namespace {

/// Table 3-7 of the Unicode Standard, row by row: how long the well-formed sequence at the start of
/// `bytes` is, 0 if there is none.
std::size_t well_formed_length(std::span<const unsigned char> bytes) {
  struct Row {
    unsigned char first, last;  // of the lead
    unsigned char second_first, second_last;
    std::size_t length;
  };
  for (const Row& row :
       {Row{0x00, 0x7F, 0, 0, 1}, Row{0xC2, 0xDF, 0x80, 0xBF, 2}, Row{0xE0, 0xE0, 0xA0, 0xBF, 3},
        Row{0xE1, 0xEC, 0x80, 0xBF, 3}, Row{0xED, 0xED, 0x80, 0x9F, 3},
        Row{0xEE, 0xEF, 0x80, 0xBF, 3}, Row{0xF0, 0xF0, 0x90, 0xBF, 4},
        Row{0xF1, 0xF3, 0x80, 0xBF, 4}, Row{0xF4, 0xF4, 0x80, 0x8F, 4}}) {
    if (bytes[0] < row.first || bytes[0] > row.last) continue;
    if (row.length > bytes.size()) return 0;
    if (row.length > 1 && (bytes[1] < row.second_first || bytes[1] > row.second_last)) return 0;
    for (std::size_t i = 2; i < row.length; ++i)
      if (bytes[i] < 0x80 || bytes[i] > 0xBF) return 0;
    return row.length;
  }
  return 0;
}

TEST(Utf8, has_one_spelling_of_each_character) {
  for (char32_t c = 0; c <= 0x10FFFF; ++c) {
    if (c >= 0xD800 && c <= 0xDFFF) continue;
    std::string text;
    append_utf8(text, c);
    const Utf8Character read = read_utf8(text, 0);
    ASSERT_TRUE(read.is_valid && read.code_point == c && read.length_bytes == text.size())
        << static_cast<std::uint32_t>(c);
  }
}

TEST(Utf8, is_what_the_table_of_unicode_says) {
  const std::uint64_t seed = test::seed();
  SCOPED_TRACE("rerun with FIDUCIA_SEED=" + std::to_string(seed));
  std::mt19937_64 prng{seed};
  const auto check = [](std::string_view text) {
    std::vector<unsigned char> bytes(text.begin(), text.end());
    const std::size_t length = well_formed_length(bytes);
    const Utf8Character read = read_utf8(text, 0);
    return read.is_valid == (length != 0) && read.length_bytes == std::max<std::size_t>(length, 1);
  };
  for (unsigned lead = 0; lead < 256; ++lead)
    for (unsigned second = 0; second < 256; ++second)
      for (const char* rest : {"", "\x80", "\xBF\xBF", "\x7F\x80", "\x80\xC0", "aa"}) {
        const std::string text =
            std::string{static_cast<char>(lead), static_cast<char>(second)} + rest;
        ASSERT_TRUE(check(text)) << to_hex(as_bytes(text));
        ASSERT_TRUE(check(text.substr(0, 1)));
      }
  for (int round = 0; round < test::draws(50'000); ++round) {
    const Bytes raw = test::random_bytes(prng, 1 + prng() % 12);
    const std::string_view text = as_text(raw);
    bool well_formed = true;
    for (std::size_t at = 0; at < text.size();) {
      ASSERT_TRUE(check(text.substr(at))) << to_hex(raw);
      const Utf8Character c = read_utf8(text, at);
      well_formed = well_formed && c.is_valid;
      at += c.length_bytes;
    }
    ASSERT_EQ(is_utf8(text), well_formed) << to_hex(raw);
  }
}

TEST(Utf8, is_cut_between_characters_only) {
  const std::string text = "a\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80\xFF!";  // 1 + 2 + 3 + 4 + 1 + 1
  EXPECT_EQ(count_characters(text), 6U);
  EXPECT_EQ(count_characters(""), 0U);
  const std::size_t ends[] = {0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10, 11, 12, 12};
  for (std::size_t bytes = 0; bytes < std::size(ends); ++bytes)
    EXPECT_EQ(front_bytes(text, bytes).size(), ends[bytes]) << bytes;
  const std::size_t counts[] = {0, 1, 3, 6, 10, 11, 12, 12};
  for (std::size_t characters = 0; characters < std::size(counts); ++characters)
    EXPECT_EQ(front_characters(text, characters).size(), counts[characters]) << characters;
}

TEST(Hex, of_each_byte_comes_back_in_either_case) {
  for (unsigned value = 0; value < 256; ++value) {
    const std::byte byte{static_cast<unsigned char>(value)};
    const std::string lower = to_hex({&byte, 1});
    std::string upper;
    append_hex(upper, value, 2, HexCase::upper);
    EXPECT_EQ(number_from_hex<std::uint8_t>(lower), value);
    EXPECT_EQ(number_from_hex<std::uint8_t>(upper), value);
    EXPECT_EQ(from_hex(lower), from_hex(upper));
    EXPECT_EQ(from_hex(lower).value(), Bytes{byte});
    const char c = static_cast<char>(value);
    EXPECT_EQ(hex_value(c).has_value(),
              std::string_view{"0123456789abcdefABCDEF"}.find(c) != std::string_view::npos);
  }
}

TEST(Hex, refuses_what_is_no_number) {
  for (const char* bad : {"", "g", "0x1", "-1", "+1", " 1", "1 ", "123456789"})
    EXPECT_FALSE(number_from_hex<std::uint32_t>(bad)) << bad;
  EXPECT_EQ(number_from_hex<std::uint32_t>("ffffffff"), 0xFFFFFFFFU);
  EXPECT_EQ(number_from_hex<std::uint64_t>("0123456789abcdef"), 0x0123456789ABCDEFU);
  for (const char* bad : {"0", "0g", "0 ", "abc"}) EXPECT_FALSE(from_hex(bad)) << bad;
  EXPECT_TRUE(from_hex("").value().empty());
  const std::string digest(64, 'a');
  EXPECT_TRUE(digest_from_hex(digest));
  EXPECT_FALSE(digest_from_hex(digest + "aa"));
  EXPECT_FALSE(digest_from_hex(digest.substr(2)));
  const Bytes bytes = *from_hex(digest);
  EXPECT_EQ(digest_from_bytes(bytes), digest_from_hex(digest));
  EXPECT_EQ(digest_from_base64(to_base64(bytes)), digest_from_hex(digest));
  Bytes two = bytes;
  append(two, bytes);
  EXPECT_FALSE(digest_from_bytes(two) || digest_from_base64(to_base64(two)));
  EXPECT_FALSE(digest_from_bytes({}) || digest_from_base64("") || digest_from_base64(digest));
  EXPECT_EQ(digests_from_bytes(two)->size(), 2U);
  EXPECT_EQ(digests_from_bytes(two)->back(), digest_from_bytes(bytes));
  EXPECT_TRUE(digests_from_bytes({})->empty());
  two.pop_back();
  EXPECT_FALSE(digests_from_bytes(two));
}

TEST(Blanks, go_from_both_ends_only) {
  EXPECT_EQ(trimmed("  a b\t", " \t"), "a b");
  EXPECT_EQ(trimmed("\n a", " \t"), "\n a");
  EXPECT_EQ(trimmed(" \t ", " \t"), "");
  EXPECT_EQ(trimmed("", " "), "");
}

}  // namespace
}  // namespace fiducia
