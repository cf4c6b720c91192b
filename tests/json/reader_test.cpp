// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "core/core.h"
#include "json/json.h"

namespace fiducia::json {
namespace {

/// "" where the text is read, else the code of the error and its offset: "malformed.json at 3".
std::string outcome(std::string_view text, const ReadLimits& limits = {}) {
  const auto value = read(text, limits);
  if (value) return "";
  const Error& error = value.error();
  if (!error.where.offset) return code_word(error);
  return code_word(error) + " at " + std::to_string(*error.where.offset);
}

Value read_good(std::string_view text) {
  auto value = read(text);
  EXPECT_TRUE(value.has_value()) << text << ": " << to_sentence(value.error());
  return value ? std::move(*value) : Value{};
}

Number number_of(std::string_view text) {
  const Value value = read_good(text);
  EXPECT_NE(value.number(), nullptr) << text;
  return value.number() != nullptr ? *value.number() : Number{"0"};
}

std::string nested(std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); }

TEST(JsonReader, gives_each_kind_of_value_with_its_place) {
  constexpr std::string_view text =
      R"( {"a": [null, true, false, -1.50, "x"], "b\"": {}, "": ["\\\"", []]} )";
  const Value root = read_good(text);
  EXPECT_EQ(root.offset, 1U);
  ASSERT_NE(root.object(), nullptr);
  const Object& object = *root.object();
  ASSERT_EQ(object.members.size(), 3U);
  EXPECT_EQ(object.members[0].name, "a");
  EXPECT_EQ(object.members[1].name, "b\"");
  EXPECT_EQ(object.members[2].name, "");
  const auto at = [&](std::uint64_t offset) { return text.substr(offset); };
  EXPECT_TRUE(at(object.members[0].offset).starts_with("\"a\""));
  EXPECT_TRUE(at(object.members[1].offset).starts_with("\"b\\\"\""));
  EXPECT_TRUE(at(object.members[2].offset).starts_with("\"\": [\""));
  ASSERT_NE(object.find("a"), nullptr);
  ASSERT_NE(object.find("a")->list(), nullptr);
  const std::vector<Value>& list = *object.find("a")->list();
  ASSERT_EQ(list.size(), 5U);
  EXPECT_TRUE(list[0].is_null());
  EXPECT_TRUE(at(list[0].offset).starts_with("null"));
  EXPECT_TRUE(list[1].boolean() != nullptr && *list[1].boolean());
  EXPECT_TRUE(at(list[1].offset).starts_with("true"));
  EXPECT_TRUE(list[2].boolean() != nullptr && !*list[2].boolean());
  EXPECT_TRUE(at(list[2].offset).starts_with("false"));
  ASSERT_NE(list[3].number(), nullptr);
  EXPECT_EQ(list[3].number()->text(), "-1.50");
  EXPECT_TRUE(at(list[3].offset).starts_with("-1.50"));
  ASSERT_NE(list[4].text(), nullptr);
  EXPECT_EQ(*list[4].text(), "x");
  EXPECT_TRUE(at(list[4].offset).starts_with("\"x\""));
  ASSERT_NE(object.find("b\""), nullptr);
  ASSERT_NE(object.find("b\"")->object(), nullptr);
  EXPECT_TRUE(at(object.find("b\"")->offset).starts_with("{}"));
  const Value* last = object.find("");
  ASSERT_TRUE(last != nullptr && last->list() != nullptr && last->list()->size() == 2);
  EXPECT_EQ(*last->list()->front().text(), "\\\"");
  EXPECT_TRUE(at(last->list()->front().offset).starts_with(R"("\\\"")"));
  EXPECT_TRUE(at(last->list()->back().offset).starts_with("[]"));
  EXPECT_EQ(object.find("c"), nullptr);
  EXPECT_EQ(root.list(), nullptr);
  EXPECT_EQ(root.text(), nullptr);
  EXPECT_EQ(list[0].boolean(), nullptr);
}

TEST(JsonReader, reads_what_rfc_8259_allows) {
  for (const std::string_view text :
       {"0", "-0", "1E+2", "1.0e-10", "\"\"", "[]", "{}", " \t\r\n[ \t\r\n] \t\r\n",
        R"("\u0000\u001f\b\f\n\r\t\/\\\"")", "\"\x7f\"", "\"\xf4\x8f\xbf\xbf\"",
        R"("\uD834\uDD1E")", "[[],[[]],{}]", R"({"a":1,"A":1,"":1})", "1e-400", "\"\xef\xbb\xbf\"",
        "null"})
    EXPECT_EQ(outcome(text), "") << text;
  EXPECT_EQ(*read_good(R"("\u0000\uD834\uDD1E\u00e9")").text(),
            std::string("\0\xf0\x9d\x84\x9e\xc3\xa9", 7));
}

TEST(JsonReader, refuses_what_it_does_not_with_the_place) {
  using namespace std::string_view_literals;
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"[1,]", "malformed.json at 3"},
      {"[,1]", "malformed.json at 1"},
      {"[1 2]", "malformed.json at 4"},
      {"[1] 2", "malformed.json at 4"},
      {"{\"a\" 1}", "malformed.json at 6"},
      {"{\"a\":1,}", "malformed.json at 7"},
      {"{a:1}", "malformed.json at 1"},
      {"{1:1}", "malformed.json at 2"},
      {"{'a':1}", "malformed.json at 1"},
      {"[1}", "malformed.json at 2"},
      {"]", "malformed.json at 0"},
      {"01", "malformed.json at 1"},
      {"+1", "malformed.json at 0"},
      {".5", "malformed.json at 0"},
      {"1.x", "malformed.json at 2"},
      {"-x", "malformed.json at 1"},
      {"0x10", "malformed.json at 1"},
      {"NaN", "malformed.json at 0"},
      {"Infinity", "malformed.json at 0"},
      {"nul1", "malformed.json at 3"},
      {"True", "malformed.json at 0"},
      {"// c\n1", "malformed.json at 0"},
      {"/* c */1", "malformed.json at 0"},
      {"1 # c", "malformed.json at 2"},
      {"\"a\nb\"", "malformed.json at 2"},
      {"\"\x1f\"", "malformed.json at 1"},
      {R"("\x41")", "malformed.json at 2"},
      {R"("\u00g0")", "malformed.json at 5"},
      {R"("\ud800")", "malformed.json at 7"},
      {R"("\udc00")", "malformed.json at 6"},
      {R"("\ud800\u0041")", "malformed.json at 12"},
      {"1e999", "malformed.json at 0"},
      {"[-1e999]", "malformed.json at 1"},
      {"\xef\xbb\xbf{}", "malformed.json at 0"},
      {"[\"\xff\"]", "malformed.json at 2"},
      {"\"\xc0\x80\"", "malformed.json at 1"},
      {"\"\xed\xa0\x80\"", "malformed.json at 1"},
      {"\"\xf4\x90\x80\x80\"", "malformed.json at 1"},
      {"[1]\0"sv, "malformed.json at 3"},
      {"[1]\0x"sv, "malformed.json at 3"},
      {"\"a\0b\""sv, "malformed.json at 2"},
      {"\0"sv, "malformed.json at 0"},
      {"[1]\f", "malformed.json at 3"},
      {"[1]\xc2\xa0", "malformed.json at 3"},
  };
  for (const auto& [text, expected] : cases) EXPECT_EQ(outcome(text), expected) << text;
}

TEST(JsonReader, says_truncated_of_each_front_of_an_object) {
  constexpr std::string_view text =
      R"({"a":[null,true,false,-1.5e+3,"x\u00e9\ud834\udd1e"],"b":{}})";
  EXPECT_EQ(outcome(text), "");
  for (std::size_t length = 0; length < text.size(); ++length)
    EXPECT_EQ(outcome(text.substr(0, length)), "malformed.truncated at " + std::to_string(length));
  EXPECT_EQ(outcome("[1 2"), "malformed.json at 3");
  EXPECT_EQ(outcome("[1,]"), "malformed.json at 3");
}

TEST(JsonReader, refuses_a_name_that_comes_twice_at_any_depth) {
  EXPECT_EQ(outcome(R"({"a":1,"b":2,"a":3})"), "malformed.json at 13");
  EXPECT_EQ(outcome(R"({"a":1,"\u0061":3})"), "malformed.json at 7");
  EXPECT_EQ(outcome(R"([{"x":{"":1,"":1}}])"), "malformed.json at 12");
  EXPECT_EQ(outcome(R"([{"x":{"x":1}},{"x":1}])"), "");
}

TEST(JsonReader, keeps_numbers_as_they_are_written) {
  constexpr auto max = std::numeric_limits<std::uint64_t>::max();
  constexpr auto min = std::numeric_limits<std::int64_t>::min();
  EXPECT_EQ(number_of("18446744073709551615").unsigned_integer(), max);
  EXPECT_EQ(number_of("18446744073709551616").unsigned_integer(), std::nullopt);
  EXPECT_EQ(number_of("18446744073709551616").text(), "18446744073709551616");
  EXPECT_EQ(number_of("-9223372036854775808").integer(), min);
  EXPECT_EQ(number_of("-9223372036854775809").integer(), std::nullopt);
  EXPECT_EQ(number_of("9223372036854775808").integer(), std::nullopt);
  EXPECT_EQ(number_of("-1").unsigned_integer(), std::nullopt);
  EXPECT_EQ(number_of("-0").unsigned_integer(), 0U);
  EXPECT_EQ(number_of("-0").integer(), 0);
  EXPECT_TRUE(std::signbit(number_of("-0").real()));
  EXPECT_EQ(number_of("1.0").integer(), std::nullopt);
  EXPECT_EQ(number_of("1e2").unsigned_integer(), std::nullopt);
  EXPECT_EQ(number_of("1e2").real(), 100);
  EXPECT_EQ(number_of("0.10").text(), "0.10");
  EXPECT_EQ(number_of("0.10").real(), 0.1);
  EXPECT_EQ(number_of("1.7976931348623157e308").real(), std::numeric_limits<double>::max());
  EXPECT_EQ(number_of("1e-400").real(), 0);
  EXPECT_EQ(number_of("123456789012345678901234567890").real(), 123456789012345678901234567890.0);
  const Value list = read_good("[1,-2 ,3.5\n]");
  for (std::size_t i = 0; i < 3; ++i)
    EXPECT_EQ(list.list()->at(i).number()->text(), (std::array{"1", "-2", "3.5"})[i]);
}

TEST(JsonReaderLimit, lets_so_many_bytes_through) {
  std::string text = "\"" + std::string(limits::json_bytes_max - 2, 'x') + "\"";
  EXPECT_EQ(outcome(text), "");
  text += ' ';
  EXPECT_EQ(outcome(text), "limit.reached");
  EXPECT_EQ(outcome("[]", {.bytes = 2}), "");
  EXPECT_EQ(outcome("[] ", {.bytes = 2}), "limit.reached");
}

TEST(JsonReaderLimit, lets_so_many_values_through) {
  std::string text = "[0";  // two values
  text.reserve(2 * limits::json_values_max + 8);
  for (std::size_t i = 2; i < limits::json_values_max; ++i) text += ",0";
  EXPECT_EQ(outcome(text + "]"), "");
  EXPECT_EQ(outcome(text + ",0]"), "limit.reached at " + std::to_string(text.size() + 1));
  EXPECT_EQ(outcome("[{\"a\":null}]", {.values = 3}), "");
  EXPECT_EQ(outcome("[{\"a\":null}]", {.values = 2}), "limit.reached at 6");
  EXPECT_EQ(outcome("1", {.values = 0}), "limit.reached at 0");
}

TEST(JsonReaderLimit, lets_arrays_and_objects_nest_so_deep) {
  EXPECT_EQ(outcome(nested(limits::json_nesting_max)), "");
  EXPECT_EQ(outcome(nested(limits::json_nesting_max + 1)),
            "malformed.nesting at " + std::to_string(limits::json_nesting_max));
  EXPECT_EQ(outcome(R"({"a":[{}]})", {.nesting = 3}), "");
  EXPECT_EQ(outcome(R"({"a":[{}]})", {.nesting = 2}), "malformed.nesting at 6");
  // Whatever is open is not what is deep.
  EXPECT_EQ(outcome(std::string(1'000'000, '[')),
            "malformed.nesting at " + std::to_string(limits::json_nesting_max));
}

TEST(JsonReader, says_line_and_column_and_quotes_nothing) {
  const std::string text = "{\n  \"PatientName\": \"\xc3\xa9 Secret\" \"Secret\"}";
  const auto value = read(text);
  ASSERT_FALSE(value.has_value());
  EXPECT_TRUE(value.error().what.starts_with("Line 2, column 36: ")) << value.error().what;
  EXPECT_FALSE(value.error().what.contains("Secret"));
  for (const std::string_view broken :
       {"[\"Secret\xff\"]", "{\"Secret\":1,\"Secret\":2}", "[\"Secret\n\"]", "[Secret]", "\"Secret",
        "1e999999", "[\"Secret\"}"}) {
    const auto result = read(broken);
    ASSERT_FALSE(result.has_value());
    EXPECT_FALSE(to_sentence(result.error()).contains("Secret")) << result.error().what;
    EXPECT_FALSE(to_sentence(result.error()).contains("999")) << result.error().what;
  }
  const auto own = bad_value("[\n\xc3\xa9 1]", 5, "must be a text.");
  EXPECT_EQ(own.error().what, "Line 2, column 3: must be a text.");
  EXPECT_EQ(code_word(own.error()), "malformed.json");
}

TEST(JsonReader, reads_what_the_writer_writes) {
  Writer writer;
  writer.open_object();
  writer.member("text", "quote\" back\\slash \n\t\r\b \xe2\x80\xae \xf3\xa0\x80\x81 \x7f");
  writer.member("number", std::numeric_limits<std::uint64_t>::max());
  writer.key("truth");
  writer.boolean(true);
  writer.key("list");
  writer.open_array();
  writer.text("\xff");
  writer.close_array();
  writer.close_object();
  const Value value = read_good(writer.take());
  ASSERT_NE(value.object(), nullptr);
  EXPECT_EQ(*value.object()->find("text")->text(),
            "quote\" back\\slash \n\t\r\b \xe2\x80\xae \xf3\xa0\x80\x81 \x7f");
  EXPECT_EQ(value.object()->find("number")->number()->unsigned_integer(),
            std::numeric_limits<std::uint64_t>::max());
  EXPECT_EQ(*value.object()->find("truth")->boolean(), true);
  EXPECT_EQ(*value.object()->find("list")->list()->front().text(), "\xef\xbf\xbd");
}

}  // namespace
}  // namespace fiducia::json
