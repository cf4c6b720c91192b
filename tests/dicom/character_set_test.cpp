// SPDX-License-Identifier: Apache-2.0
#include "dicom/character_set.h"

#include <gtest/gtest.h>

#include <atomic>
#include <charconv>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "support/support.h"

namespace fiducia::dicom {
namespace {

using std::string_literals::operator""s;

std::string text_of(std::string_view hex) {
  const Bytes bytes = test::bytes(hex);
  std::string text;
  for (const auto byte : bytes) text += static_cast<char>(byte);
  return text;
}

std::vector<std::string> split(const std::string& line, char separator) {
  std::vector<std::string> parts{""};
  for (const char c : line) {
    if (c == separator) {
      parts.emplace_back();
    } else {
      parts.back() += c;
    }
  }
  return parts;
}

std::vector<std::vector<std::string>> rows_of(const char* name) {
  std::ifstream file{test::data("charset") / name};
  std::vector<std::vector<std::string>> rows;
  for (std::string line; std::getline(file, line);) rows.push_back(split(line, '\t'));
  return rows;
}

std::string without_padding(std::string text) {
  while (!text.empty() && (text.back() == ' ' || text.back() == '\0')) text.pop_back();
  return text;
}

/// Slow and plain: the one code point of UTF-8 text, 0 for none or several.
std::uint32_t point_of(const std::optional<std::string>& text) {
  if (!text || text->empty()) return 0;
  const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>((*text)[i]); };
  const std::size_t length = byte(0) < 0x80 ? 1 : byte(0) < 0xE0 ? 2 : byte(0) < 0xF0 ? 3 : 4;
  if (text->size() != length) return 0;
  std::uint32_t point = length == 1 ? byte(0) : byte(0) & (0x7FU >> length);
  for (std::size_t i = 1; i < length; ++i) point = point << 6 | (byte(i) & 0x3FU);
  return point;
}

TEST(CharacterSet, decodes_files_as_pydicom_and_dcmconv_do) {
  const auto rows = rows_of("files.tsv");
  ASSERT_GE(rows.size(), 25U);
  std::size_t confirmed_by_dcmtk = 0;
  for (const auto& row : rows) {
    ASSERT_EQ(row.size(), 7U);
    SCOPED_TRACE(row[0] + " " + row[1] + " " + row[3]);
    const std::string& vr = row[2];
    const bool multi_valued = vr == "PN" || vr == "LO" || vr == "SH" || vr == "UC";
    const CharacterSet set{row[3]};
    EXPECT_TRUE(set.is_known());
    const auto text = set.decode(text_of(row[4]), multi_valued, vr == "PN");
    ASSERT_TRUE(text.has_value());
    // pydicom drops empty component groups at the end of a name.
    std::string groups = without_padding(*text);
    while (vr == "PN" && groups.ends_with('=')) groups.pop_back();
    EXPECT_EQ(groups, text_of(row[5])) << "pydicom";
    if (row[6] == "-") continue;
    ++confirmed_by_dcmtk;
    EXPECT_EQ(without_padding(*text), text_of(row[6])) << "dcmconv";
  }
  EXPECT_GE(confirmed_by_dcmtk, 12U);
}

TEST(CharacterSet, maps_every_byte_of_every_single_byte_set) {
  const auto rows = rows_of("single-byte.tsv");
  ASSERT_EQ(rows.size(), 13U);
  for (const auto& row : rows) {
    const auto points = split(row[1], ' ');
    ASSERT_EQ(points.size(), 256U);
    const CharacterSet set{row[0]};
    // As value 1 of a set with code extensions it means the same, ESC apart.
    const CharacterSet extended{"ISO 2022 IR " + row[0].substr(7) + "\\ISO 2022 IR 87"};
    ASSERT_TRUE(set.is_known() && extended.is_known());
    for (std::size_t byte = 0; byte < 256; ++byte) {
      SCOPED_TRACE(row[0] + " byte " + std::to_string(byte));
      const std::string raw(1, static_cast<char>(byte));
      const auto text = set.decode(raw, false, false);
      ASSERT_EQ(text.has_value(), points[byte] != "-");
      if (text) {
        std::uint32_t expected = 0;
        std::from_chars(points[byte].data(), points[byte].data() + points[byte].size(), expected,
                        16);
        ASSERT_EQ(point_of(text), expected);
      }
      if (byte == 0x1B) continue;
      ASSERT_EQ(extended.decode(raw, false, false), text);
    }
  }
}

/// FNV-1a over code points, the way tests/data/charset/generate-vectors does.
struct Fingerprint {
  std::uint64_t state = 0xCBF29CE484222325;
  std::size_t count = 0;
  void add(std::uint32_t point) {
    count += point != 0 ? 1 : 0;
    for (int shift = 0; shift < 32; shift += 8) {
      state ^= point >> shift & 0xFF;
      state *= 0x100000001B3;
    }
  }
};

TEST(CharacterSet, maps_every_code_of_every_multi_byte_set) {
  const auto rows = rows_of("multi-byte.tsv");
  ASSERT_EQ(rows.size(), 7U);
  for (const auto& row : rows) {
    SCOPED_TRACE(row[0]);
    Fingerprint print;
    const auto add = [&print](const CharacterSet& set, const std::string& raw) {
      print.add(point_of(set.decode(raw, false, false)));
    };
    const auto chr = [](unsigned byte) { return std::string(1, static_cast<char>(byte)); };
    if (row[0].starts_with("ISO 2022")) {
      const bool upper = row[0].ends_with("149") || row[0].ends_with("58");
      const std::string prefix = row[0].ends_with("87")    ? "\x1b$B"
                                 : row[0].ends_with("159") ? "\x1b$(D"
                                 : row[0].ends_with("149") ? "\x1b$)C"
                                                           : "\x1b$)A";
      const CharacterSet set{"\\" + row[0]};
      const unsigned high = upper ? 0x80 : 0;
      for (unsigned a = 0x21; a < 0x7F; ++a)
        for (unsigned b = 0x21; b < 0x7F; ++b) add(set, prefix + chr(a | high) + chr(b | high));
    } else if (row[0] == "GB18030 quads") {
      const CharacterSet set{"GB18030"};
      for (unsigned a = 0x81; a < 0xFF; ++a)
        for (unsigned b = 0x30; b < 0x3A; ++b)
          for (unsigned c = 0x81; c < 0xFF; ++c)
            for (unsigned d = 0x30; d < 0x3A; ++d) add(set, chr(a) + chr(b) + chr(c) + chr(d));
    } else {
      const CharacterSet set{row[0] == "GBK" ? "GBK" : "GB18030"};
      for (unsigned a = 0x81; a < 0xFF; ++a)
        for (unsigned b = 0x40; b < 0xFF; ++b) add(set, chr(a) + chr(b));
    }
    EXPECT_EQ(std::to_string(print.count), row[1]);
    std::uint64_t expected = 0;
    std::from_chars(row[2].data(), row[2].data() + row[2].size(), expected, 16);
    EXPECT_EQ(print.state, expected);
  }
}

TEST(CharacterSet, decodes_the_examples_of_the_standard) {
  struct Row {
    const char* name;
    const char* set;
    std::string raw;
    const char* expected;
    bool person_name = true;
  };
  for (const Row& row : {
           Row{"PS3.5 H.3.1", "\\ISO 2022 IR 87",
               "Yamada^Tarou=\x1b$B;3ED\x1b(B^\x1b$BB@O:\x1b(B=\x1b$B$d$^$@\x1b(B^\x1b$B$?$m$&"
               "\x1b(B",
               "Yamada^Tarou=山田^太郎=やまだ^たろう"},
           Row{"PS3.5 H.3.2", "ISO 2022 IR 13\\ISO 2022 IR 87",
               "\xd4\xcf\xc0\xde^\xc0\xdb\xb3=\x1b$B;3ED\x1b(J^\x1b$BB@O:\x1b(J=\x1b$B$d$^$@"
               "\x1b(J^\x1b$B$?$m$&\x1b(J",
               "ﾔﾏﾀﾞ^ﾀﾛｳ=山田^太郎=やまだ^たろう"},
           Row{"PS3.5 I.2", "\\ISO 2022 IR 149",
               "Hong^Gildong=\x1b$)C\xfb\xf3^\x1b$)C\xd1\xce\xd4\xd7=\x1b$)C\xc8\xab^\x1b$)C\xb1"
               "\xe6\xb5\xbf",
               "Hong^Gildong=洪^吉洞=홍^길동"},
           Row{"PS3.5 I.3", "\\ISO 2022 IR 149",
               "\x1b$)CThe 1st line includes \xb1\xe6\xb5\xbf.\r\n\x1b$)CThe 2nd line includes "
               "\xb1\xe6\xb5\xbf, too.\r\nThe 3rd line.",
               "The 1st line includes 길동.\r\nThe 2nd line includes 길동, too.\r\nThe 3rd line.",
               false},
           Row{"PS3.5 J.1", "ISO_IR 192",
               "Wang^XiaoDong=\xe7\x8e\x8b^\xe5\xb0\x8f\xe6\x9d\xb1=", "Wang^XiaoDong=王^小東="},
           Row{"PS3.5 J.3", "GB18030",
               "Wang^XiaoDong=\xcd\xf5^\xd0\xa1\xb6\xab=", "Wang^XiaoDong=王^小东="},
           Row{"PS3.5 J.3 in GBK", "GBK",
               "Wang^XiaoDong=\xcd\xf5^\xd0\xa1\xb6\xab=", "Wang^XiaoDong=王^小东="},
           Row{"PS3.5 K.2", "\\ISO 2022 IR 58",
               "Zhang^XiaoDong=\x1b$)A\xd5\xc5^\x1b$)A\xd0\xa1\xb6\xab=",
               "Zhang^XiaoDong=张^小东="},
           Row{"PS3.5 K.3", "\\ISO 2022 IR 58",
               "1.\x1b$)A\xb5\xda\xd2\xbb\xd0\xd0\xce\xc4\xd7\xd6\xa1\xa3\r\n2.\x1b$)A\xb5\xda\xb6"
               "\xfe\xd0\xd0\xce\xc4\xd7\xd6\xa1\xa3\r\n",
               "1.第一行文字。\r\n2.第二行文字。\r\n", false},
       }) {
    SCOPED_TRACE(row.name);
    EXPECT_EQ(CharacterSet{row.set}.decode(row.raw, row.person_name, row.person_name),
              row.expected);
  }
}

TEST(CharacterSet, goes_back_to_value_1_where_the_standard_says) {
  const CharacterSet korean{"\\ISO 2022 IR 149"};
  const std::string gil = "\x1b$)C\xb1\xe6";
  struct Row {
    char delimiter;
    bool multi_valued;
    bool person_name;
    bool resets;
  };
  for (const Row& row :
       {Row{'\r', false, false, true}, Row{'\n', false, false, true}, Row{'\f', false, false, true},
        Row{'\t', false, false, true}, Row{'\\', true, false, true}, Row{'\\', false, false, false},
        Row{'^', true, true, true}, Row{'=', true, true, true}, Row{'^', true, false, false},
        Row{'=', true, false, false}, Row{' ', true, true, false}, Row{'\v', true, true, false}}) {
    SCOPED_TRACE(std::to_string(row.delimiter) + (row.multi_valued ? " multi" : "") +
                 (row.person_name ? " name" : ""));
    const std::string again = gil + row.delimiter + gil;
    EXPECT_EQ(korean.decode(again, row.multi_valued, row.person_name),
              "길"s + row.delimiter + "길");
    const std::string stays = gil + row.delimiter + "\xb1\xe6";
    EXPECT_EQ(korean.decode(stays, row.multi_valued, row.person_name).has_value(), !row.resets);
  }
}

TEST(CharacterSet, takes_delimiters_for_what_they_are_inside_multi_byte_characters) {
  // 5C, 5E and 3D as second bytes end nothing.
  const CharacterSet japanese{"\\ISO 2022 IR 87"};
  EXPECT_EQ(japanese.decode("\x1b$B0\\0^0=\x1b(B", true, true), "移緯綾");
  EXPECT_EQ(CharacterSet{"GBK"}.decode("\x81\x5c\\\x81\x5e", true, true), "乗\\乛");
  EXPECT_EQ(CharacterSet{"GB18030"}.decode("\x81\x5c\\\x81\x5e", true, true), "乗\\乛");
}

TEST(CharacterSet, shows_5c_of_jis_x_0201_as_separator_or_as_yen) {
  for (const char* value : {"ISO_IR 13", "ISO 2022 IR 13\\ISO 2022 IR 87"}) {
    const CharacterSet set{value};
    EXPECT_EQ(set.decode("\xb1\\\xb2~", true, false), "ｱ\\ｲ‾");
    EXPECT_EQ(set.decode("\xb1\\\xb2~", false, false), "ｱ¥ｲ‾");
  }
  // ASCII by escape: then it is a backslash anywhere.
  EXPECT_EQ(
      CharacterSet{"ISO 2022 IR 13\\ISO 2022 IR 6"}.decode("\\\x1b(B\\~\x1b(J\\", false, false),
      "¥\\~¥");
}

TEST(CharacterSet, switches_between_single_byte_sets) {
  const CharacterSet set{"ISO 2022 IR 100\\ISO 2022 IR 144\\ISO 2022 IR 126"};
  EXPECT_EQ(set.decode("\xc4\x1b-L\xbb\x1b-F\xc4\x1b-A\xc4", true, false), "ÄЛΔÄ");
  EXPECT_EQ(set.decode("\x1b-L\xbb\n\xc4", false, false), "Л\nÄ");
}

TEST(CharacterSet, refuses_what_no_declared_set_has) {
  struct Row {
    const char* name;
    const char* set;
    std::string raw;
  };
  for (const Row& row : {
           Row{"eight bits in the default repertoire", "", "J\xe9r\xf4me"},
           Row{"eight bits in ISO_IR 6", "ISO_IR 6", "\x80"},
           Row{"escape of a set that is not listed", "\\ISO 2022 IR 87", "\x1b$)C\xb1\xe6"},
           Row{"escape of no set", "\\ISO 2022 IR 87", "\x1b$Z!!"},
           Row{"escape cut short", "\\ISO 2022 IR 87", "\x1b$"},
           Row{"escape alone", "\\ISO 2022 IR 87", "a\x1b"},
           Row{"half a character in G0", "\\ISO 2022 IR 87", "\x1b$B;"},
           Row{"a character cut by an escape", "\\ISO 2022 IR 87", "\x1b$B;\x1b(B"},
           Row{"a character cut by a line end", "\\ISO 2022 IR 87", "\x1b$B;\r\n"},
           Row{"an empty cell", "\\ISO 2022 IR 87", "\x1b$B\x7e\x7e"},
           Row{"half a character in G1", "\\ISO 2022 IR 149", "\x1b$)C\xb1"},
           Row{"G1 byte then space", "\\ISO 2022 IR 149", "\x1b$)C\xb1 "},
           Row{"G1 byte then G0 byte", "\\ISO 2022 IR 149", "\x1b$)C\xb1g"},
           Row{"G0 byte then G1 byte", "\\ISO 2022 IR 87", "\x1b$B;\xb3"},
           Row{"G1 before it is designated", "\\ISO 2022 IR 149", "\xb1\xe6"},
           Row{"a hole of the Greek set", "ISO_IR 126", "\xff"},
           Row{"JIS X 0201 above katakana", "ISO_IR 13", "\xe0"},
           Row{"UTF-8 cut short", "ISO_IR 192", "\xe7\x8e"},
           Row{"UTF-8, overlong", "ISO_IR 192", "\xc0\xaf"},
           Row{"UTF-8, overlong in three", "ISO_IR 192", "\xe0\x9f\xbf"},
           Row{"UTF-8, a surrogate", "ISO_IR 192", "\xed\xa0\x80"},
           Row{"UTF-8 past U+10FFFF", "ISO_IR 192", "\xf4\x90\x80\x80"},
           Row{"UTF-8, a lone continuation", "ISO_IR 192", "\x80"},
           Row{"UTF-8, a lead byte of Latin 1", "ISO_IR 192", "J\xe9r\xf4me"},
           Row{"GBK cut short", "GBK", "\xcd"},
           Row{"GBK with four bytes", "GBK", "\x81\x30\x81\x30"},
           Row{"GBK 80", "GBK", "\x80"},
           Row{"GB18030 FF", "GB18030", "\xff\xa1"},
           Row{"GB18030 cut short", "GB18030", "\x81\x30\x81"},
           Row{"GB18030 past U+10FFFF", "GB18030", "\xe3\x32\x9a\x36"},
       }) {
    SCOPED_TRACE(row.name);
    const CharacterSet set{row.set};
    EXPECT_TRUE(set.is_known());
    EXPECT_FALSE(set.decode(row.raw, true, true).has_value());
  }
  EXPECT_EQ(CharacterSet{"GB18030"}.decode("\xe3\x32\x9a\x35", true, true), "\xf4\x8f\xbf\xbf");
  EXPECT_EQ(CharacterSet{"GB18030"}.decode("\x90\x30\x81\x30", true, true), "\xf0\x90\x80\x80");
}

TEST(CharacterSet, takes_the_terms_of_the_standard_only) {
  for (const char* value : {"ISO_IR 100", "ISO_IR 100 ", "ISO_IR 100   ", "ISO 2022 IR 100",
                            "ISO 2022 IR 100\\", "ISO 2022 IR 100 \\ISO 2022 IR 87"})
    EXPECT_EQ(CharacterSet{value}.decode("\xe9", true, false), "é") << value;
  EXPECT_EQ(CharacterSet{"ISO_IR 100\0"s}.decode("\xe9", true, false), "é");
  EXPECT_EQ(CharacterSet{"ISO_IR 192"}.decode("\xc3\xa9", true, false), "é");
  for (const char* value : {"\\ISO 2022 IR 58", "ISO 2022 IR 6\\ISO 2022 IR 58"})
    EXPECT_EQ(CharacterSet{value}.decode("\x1b$)A\xd5\xc5", true, false), "张") << value;
  EXPECT_EQ(CharacterSet{"GBK"}.decode("\xd5\xc5", true, false), "张");
  EXPECT_EQ(CharacterSet{"GB18030"}.decode("\xd5\xc5", true, false), "张");
}

// DCMTK, GDCM and pydicom each understand other misspellings, and show other characters.
TEST(CharacterSet, knows_what_it_does_not_know) {
  for (const char* value : {"ISO_IR 999",
                            "ISO_IR 1000",
                            "ISO_IR 0100",
                            "ISO_IR",
                            "LATIN",
                            "100",
                            "ISO_IR 10\xb0",
                            "ISO_IR 100,ISO_IR 144",
                            "\\ISO_IR 192",
                            "\\GBK",
                            "ISO 2022 IR 13\\nonsense",
                            "ISO_IR 13\\ISO_IR 192",
                            "ISO_IR 100\\nonsense",
                            "ISO 2022 IR",
                            "IR",
                            "ISO IR 100",
                            "ISO_IR_100",
                            "ISO-IR 100",
                            "iso_ir 100",
                            " ISO_IR 100",
                            "ISO_IR100",
                            "ISO 2022 100",
                            "ISO2022IR100",
                            "IR 100",
                            "ISO8859-1",
                            "LATIN1",
                            "UTF-8",
                            "utf8",
                            "ISO 2022 IR 192",
                            "ISO_IR 192\\ISO 2022 IR 87",
                            "ISO_IR 192\\",
                            "\\ISO_IR 58",
                            "ISO_IR 58",
                            "ISO_IR 149",
                            "ISO_IR 87",
                            "ISO 2022 IR 58",
                            "ISO 2022 IR 149",
                            "ISO_IR 100\\ISO 2022 IR 87",
                            "\\ISO_IR 100",
                            "ISO 2022 GBK",
                            "gb 18030",
                            "ISO_IR 100 and then a tail that is far too long for a term"}) {
    SCOPED_TRACE(value);
    const CharacterSet set{value};
    EXPECT_FALSE(set.is_known());
    EXPECT_EQ(set.decode("plain ^ \r\n", true, true), "plain ^ \r\n");
    EXPECT_FALSE(set.decode("\xe9", true, true).has_value());
    EXPECT_FALSE(set.decode("\x1b$B;3", true, true).has_value());
  }
  for (const char* value : {"", " ", "\\", "\\\\", "ISO_IR 6", "ISO 2022 IR 6"})
    EXPECT_TRUE(CharacterSet{value}.is_known()) << '"' << value << '"';
  EXPECT_TRUE(CharacterSet{}.is_known());
}

TEST(CharacterSet, keeps_controls_and_padding) {
  EXPECT_EQ(CharacterSet{}.decode("a\0 \x1b$B"s, true, true), "a\0 \x1b$B"s);
  EXPECT_EQ(CharacterSet{"ISO_IR 100"}.decode("\xe9  "s, true, true), "é  ");
  EXPECT_EQ(CharacterSet{"\\ISO 2022 IR 87"}.decode("\x1b$B;3 ", true, true), "山 ");
  EXPECT_EQ(CharacterSet{"ISO_IR 192"}.decode("", true, true), "");
}

TEST(CharacterSet, stays_whole_when_it_is_moved_from) {
  CharacterSet source{"ISO_IR 100"};
  const CharacterSet target{std::move(source)};
  EXPECT_EQ(target.decode("\xe9", true, true), "é");
  EXPECT_EQ(source.decode("\xe9", true, true), "é");  // NOLINT(bugprone-use-after-move): the point
}

TEST(CharacterSet, decodes_alike_from_many_threads) {
  const CharacterSet set{"\\ISO 2022 IR 149"};
  std::vector<std::jthread> threads;
  std::atomic<int> wrong = 0;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([copy = set, &set, &wrong] {
      for (int i = 0; i < 1000; ++i)
        if (set.decode("\x1b$)C\xb1\xe6", true, true) != "길" ||
            copy.decode("\x1b$)C\xb1\xe6", true, true) != "길")
          ++wrong;
    });
  threads.clear();
  EXPECT_EQ(wrong, 0);
}

}  // namespace
}  // namespace fiducia::dicom
