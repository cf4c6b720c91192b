// SPDX-License-Identifier: Apache-2.0
#include "config/section.h"

#include <gmock/gmock.h>

#include <array>

namespace fiducia::config {
namespace {

using testing::HasSubstr;

class SectionTest : public testing::Test {
 protected:
  Section section(std::string_view text) {
    auto read = read_toml(text, "a.toml", "Fix it.");
    EXPECT_TRUE(read.has_value());
    table_ = std::move(*read);
    return {table_, "[a]", {.remedy = "Fix it.", .text_bytes_max = 4}};
  }
  template <class T>
  static void refused(const T& result, const char* what) {
    ASSERT_FALSE(result.has_value());
    EXPECT_EQ(result.error().code, ErrorCode::config_invalid);
    EXPECT_EQ(result.error().remedy, "Fix it.");
    EXPECT_THAT(result.error().what, HasSubstr(what));
  }

 private:
  Table table_;
};

TEST_F(SectionTest, reads_values_of_the_kind_asked_for) {
  const Section s = section("t = \"abcd\"\nn = 7\nb = true\nd = 1970-01-02\n[s]\n[[l]]\n[[l]]\n");
  EXPECT_EQ(*s.required_text("t"), "abcd");
  EXPECT_EQ(*s.optional_text("none"), "");
  EXPECT_EQ(*s.required_count("n", 7), 7U);
  EXPECT_EQ(*s.optional_count("none", 3, 7), 3U);
  EXPECT_TRUE(*s.optional_boolean("b", false));
  EXPECT_TRUE(*s.optional_boolean("none", true));
  EXPECT_EQ(s.required_time("d")->seconds, 86'400);
  EXPECT_TRUE(s.optional_table("s")->has_value());
  EXPECT_FALSE(s.optional_table("none")->has_value());
  EXPECT_EQ(s.tables("l", "[[l]]")->size(), 2U);
  EXPECT_TRUE(s.tables("none", "[[none]]")->empty());
}

TEST_F(SectionTest, refuses_values_of_other_kinds_with_their_place) {
  const Section s = section(
      "t = 1\nempty = \"\"\nlong = \"abcde\"\nodd = \"a\\u0007\"\nn = -1\nb = 1\nd = "
      "\"yesterday\"\n"
      "s = 1\nl = {}\nm = [1]\n");
  refused(s.required_text("t"), "Line 1, column 5: key \"t\" of [a] must be a string.");
  refused(s.required_text("empty"), "is empty.");
  refused(s.optional_text("long"), "longer than 4 bytes.");
  refused(s.required_text("odd"), "control character");
  refused(s.required_text("none"), "key \"none\" of [a] is missing.");
  refused(s.required_count("n", 7), "from 0 to 7");
  refused(s.required_count("t", 0), "from 0 to 0");
  refused(s.optional_boolean("b", true), "true or false");
  refused(s.required_time("d"), "must be a time");
  refused(s.optional_table("s"), "must be one table: write [s].");
  refused(s.tables("l", "[[l]]"), "write [[l]], not [l].");
  refused(s.tables("m", "[[m]]"), "must hold tables only.");
}

TEST_F(SectionTest, knows_its_keys) {
  constexpr std::array<std::string_view, 2> known{"a", "b"};
  EXPECT_TRUE(section("a = 1\n").check_keys(known).has_value());
  refused(section("a = 1\nc = 2\n").check_keys(known),
          "Line 2, column 1: unknown key \"c\" in [a]; the keys there are a, b.");
}

TEST_F(SectionTest, notices_what_stands_twice) {
  const Section s = section("a = 1\n");
  Once names{"the name"};
  EXPECT_TRUE(names.note(s, "x", "x").has_value());
  EXPECT_TRUE(names.note(s, "y", "y").has_value());
  refused(names.note(s, "x", "shown"), "the name \"shown\" is there twice.");
}

TEST(InQuotes, cuts_between_characters_and_hides_controls) {
  EXPECT_EQ(in_quotes("a\nb"), "\"a?b\"");
  EXPECT_EQ(in_quotes(std::string(79, 'a') + "\xC3\xBC"), "\"" + std::string(79, 'a') + "...\"");
}

}  // namespace
}  // namespace fiducia::config
