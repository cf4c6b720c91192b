// SPDX-License-Identifier: Apache-2.0
#include "core/visible.h"

#include <gtest/gtest.h>

#include "core/core.h"

namespace fiducia {
namespace {

// All one, two and three byte strings that start with a byte past ASCII agree with core's reader.
TEST(ReadUtf8, agrees_with_is_utf8_on_all_short_strings) {
  for (unsigned a = 0x80; a < 0x100; ++a) {
    for (unsigned b = 0; b < 0x100; ++b) {
      for (unsigned c = 0x7E; c < 0xC2; ++c) {
        const std::string text{static_cast<char>(a), static_cast<char>(b), static_cast<char>(c)};
        bool good = true;
        for (std::size_t i = 0; i < text.size();) {
          const Utf8Character d = read_utf8(text, i);
          good &= d.is_valid;
          i += d.length_bytes;
        }
        ASSERT_EQ(good, is_utf8(text)) << a << " " << b << " " << c;
      }
    }
  }
}

TEST(ReadUtf8, refuses_what_rfc_3629_forbids) {
  for (const std::string_view text :
       {"\xf4\x90\x80\x80", "\xed\xa0\x80", "\xc0\x80", "\xe0\x80\x80", "\xf0\x80\x80\x80",
        "\xf0\x9f\xa9", "\xf8\x88\x80\x80"}) {
    EXPECT_FALSE(read_utf8(text, 0).is_valid);
    EXPECT_EQ(read_utf8(text, 0).length_bytes, 1U);
  }
  EXPECT_EQ(read_utf8("\xf4\x8f\xbf\xbf", 0).code_point, char32_t{0x10FFFF});
}

TEST(Visible, spells_out_what_cannot_be_seen_and_keeps_the_rest) {
  EXPECT_EQ(visible("a b"), "a b");
  EXPECT_EQ(visible("\xc3\xa9\xe7\xa5\x9e"), "\xc3\xa9\xe7\xa5\x9e");
  EXPECT_EQ(visible("\t"), "\\x09");
  EXPECT_EQ(visible("\xef\xbb\xbf"), "\\ufeff");
  EXPECT_EQ(visible("\xf3\xa0\x80\x81"), "\\u0e0001");
  EXPECT_EQ(visible("\xe2\x81\xa6"), "\\u2066");
}

}  // namespace
}  // namespace fiducia
