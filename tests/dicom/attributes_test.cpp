// SPDX-License-Identifier: Apache-2.0
#include "dicom/attributes.h"

#include <gmock/gmock.h>

#include "support/dicom_builder.h"
#include "support/support.h"

namespace fiducia::dicom {
namespace {

using test::DicomDataSet;
using test::Syntax;
using testing::ElementsAre;

/// A parsed data set with the bytes that it borrows.
struct Parsed {
  explicit Parsed(const DicomDataSet& model, Syntax syntax = Syntax::explicit_le)
      : bytes(model.encode(syntax)),
        data_set(parse_data_set(bytes, {.explicit_vr = syntax != Syntax::implicit_le,
                                        .big_endian = syntax == Syntax::explicit_be})
                     .value()),
        top(data_set) {}
  Bytes bytes;
  DataSet data_set;
  Attributes top;
};

AttributePath attribute(const char* text) { return AttributePath::parse(text).value(); }

template <class T>
std::string error_of(const Result<T>& result) {
  return result ? "" : code_word(result.error());
}

constexpr Tag some_tag{0x0011, 0x1001};

TEST(Attributes, give_numbers_in_either_byte_order) {
  DicomDataSet d;
  d.private_creator(0x0011, 0x10, "ACME")
      .bytes({0x0011, 0x1001}, "US", test::bytes("0100ffff"))
      .bytes({0x0011, 0x1002}, "SS", test::bytes("0100ffff"))
      .bytes({0x0011, 0x1003}, "UL", test::bytes("ffffffff"))
      .bytes({0x0011, 0x1004}, "SL", test::bytes("ffffffff"))
      .bytes({0x0011, 0x1005}, "UV", test::bytes("ffffffffffffff7f"))
      .bytes({0x0011, 0x1006}, "SV", test::bytes("ffffffffffffffff"))
      .bytes({0x0011, 0x1007}, "FL", test::bytes("0000c03f"))
      .bytes({0x0011, 0x1008}, "FD", test::bytes("000000000000f8bf"))
      .bytes({0x0011, 0x1009}, "AT", test::bytes("10002000"))
      .bytes({0x0011, 0x100A}, "OW", test::bytes("0102"))
      .bytes({0x0011, 0x100B}, "OB", test::bytes("01ff"))
      .bytes({0x0011, 0x100C}, "UV", test::bytes("0000000000000080"));
  for (const Syntax syntax : {Syntax::explicit_le, Syntax::explicit_be}) {
    const Parsed p(d, syntax);
    const auto value = [&](std::uint16_t low) {
      return p.top.find(Tag{0x0011, static_cast<std::uint16_t>(0x1000 + low)}).value();
    };
    EXPECT_THAT(value(1).integers().value(), ElementsAre(1, 65'535));
    EXPECT_THAT(value(2).integers().value(), ElementsAre(1, -1));
    EXPECT_EQ(value(3).integer(), 4'294'967'295);
    EXPECT_EQ(value(4).integer(), -1);
    EXPECT_EQ(value(5).integer(), std::numeric_limits<std::int64_t>::max());
    EXPECT_EQ(value(6).integer(), -1);
    EXPECT_EQ(value(7).number(), 1.5);
    EXPECT_EQ(value(8).number(), -1.5);
    EXPECT_EQ(value(9).tag(), (Tag{0x0010, 0x0020}));
    EXPECT_EQ(value(10).integer(), 0x0201);
    EXPECT_THAT(value(11).integers().value(), ElementsAre(1, 255));
    EXPECT_EQ(error_of(value(12).integer()), "malformed.value");
    EXPECT_THAT(value(1).numbers().value(), ElementsAre(1.0, 65'535.0));
    EXPECT_EQ(error_of(value(1).number()), "malformed.multiplicity");
    EXPECT_EQ(value(1).count(), 2U);
    EXPECT_EQ(value(11).count(), 1U) << "OB is one value";
    EXPECT_EQ(error_of(value(7).integers()), "unsupported.vr");
    EXPECT_EQ(error_of(value(1).texts()), "unsupported.vr");
    EXPECT_EQ(error_of(value(1).date()), "unsupported.vr");
    EXPECT_EQ(error_of(value(1).tags()), "unsupported.vr");
  }
}

TEST(Attributes, refuse_values_that_are_no_whole_number_of_numbers) {
  for (const char* vr : {"US", "SL", "UV", "FL", "FD", "AT", "OF"}) {
    DicomDataSet d;
    d.private_creator(0x0011, 0x10, "ACME").bytes(some_tag, vr, test::bytes("010203040506"));
    if (std::string_view{vr} == "US") d.elements.back().value.pop_back();
    const Parsed p(d);
    const auto value = p.top.find(some_tag).value();
    EXPECT_FALSE(value.numbers().has_value()) << vr;
    EXPECT_EQ(std::string_view{vr} == "AT" ? error_of(value.tags()) : error_of(value.numbers()),
              "malformed.value")
        << vr;
  }
}

TEST(Attributes, separate_values_and_take_padding_off_as_their_vr_has_it) {
  struct Row {
    const char* vr;
    const char* text;
    std::vector<std::string> values;
  };
  for (const Row& row : {Row{"LO", " a \\ b ", {"a", "b"}}, Row{"UC", " a \\ b ", {" a", " b"}},
                         Row{"CS", "ORIGINAL\\\\AXIAL", {"ORIGINAL", "", "AXIAL"}},
                         Row{"LO", "", {}}, Row{"LO", "  ", {}}, Row{"LO", "\\", {"", ""}},
                         Row{"LT", " a\\b ", {" a\\b"}}, Row{"ST", "a\\b", {"a\\b"}},
                         Row{"UT", "x\r\n", {"x\r\n"}}, Row{"UR", "http://a\\b ", {"http://a\\b"}},
                         Row{"DS", " 1.5 \\ 2 ", {"1.5", "2"}}, Row{"AE", " A B ", {"A B"}}}) {
    DicomDataSet d;
    d.private_creator(0x0011, 0x10, "ACME").text(some_tag, row.vr, row.text);
    const Parsed p(d);
    const auto value = p.top.find(some_tag).value();
    EXPECT_EQ(value.texts().value(), row.values) << row.vr << ' ' << row.text;
    EXPECT_EQ(value.count(), row.values.size());
    EXPECT_EQ(value.is_empty(), row.values.empty());
    EXPECT_EQ(value.text().has_value(), row.values.size() == 1);
  }
}

TEST(Attributes, read_each_value_or_say_where_it_fails) {
  DicomDataSet d;
  d.text({0x0008, 0x0020}, "DA", "20240229").text({0x0010, 0x1010}, "AS", "042Y");
  d.text({0x0018, 0x1050}, "DS", "1.5\\2\\x").text({0x0020, 0x0013}, "IS", " 12 ");
  d.text({0x0008, 0x0018}, "UI", "1.2.3").text({0x0020, 0x0032}, "DS", "1\\-2.5\\3E1").sort();
  const Parsed p(d);
  EXPECT_EQ(p.top.find({0x0008, 0x0020})->date().value(), std::chrono::year{2024} / 2 / 29);
  EXPECT_EQ(p.top.find({0x0010, 0x1010})->age().value(), (Age{42, 'Y'}));
  EXPECT_EQ(p.top.find({0x0020, 0x0013})->integer(), 12);
  EXPECT_EQ(p.top.find({0x0008, 0x0018})->uid(), "1.2.3");
  EXPECT_THAT(p.top.find({0x0020, 0x0032})->numbers().value(), ElementsAre(1, -2.5, 30));
  const auto bad = p.top.find({0x0018, 0x1050})->numbers();
  ASSERT_FALSE(bad.has_value());
  EXPECT_EQ(code_word(bad.error()), "malformed.value");
  EXPECT_EQ(bad.error().where.element, "(0018,1050)");
  EXPECT_TRUE(bad.error().where.offset.has_value());
  EXPECT_EQ(p.top.find({0x0018, 0x9999}), std::nullopt);
  EXPECT_EQ(error_of(p.top.require(attribute("PatientID"))), "malformed.missing");
  EXPECT_EQ(p.top.require(attribute("PatientID")).error().where.element, "(0010,0020)");
  EXPECT_TRUE(p.top.require(attribute("StudyDate")));
}

TEST(Attributes, are_found_at_any_depth) {
  DicomDataSet code;
  code.text({0x0008, 0x0104}, "LO", "meaning");
  DicomDataSet inner;
  inner.sequence({0x0040, 0xA168}, {code, code});
  DicomDataSet d;
  d.sequence({0x0040, 0xA730}, {inner, DicomDataSet{}, inner});
  const Parsed p(d);
  EXPECT_EQ(p.top.find(attribute("(0040,A730)[3].(0040,A168)[2].(0008,0104)"))->text(), "meaning");
  EXPECT_EQ(p.top.find(attribute("(0040,A730)[2].(0040,A168)[1].(0008,0104)")), std::nullopt);
  EXPECT_EQ(p.top.find(attribute("(0040,A730)[4].(0040,A168)")), std::nullopt);
  EXPECT_EQ(p.top.find(attribute("(0040,A730)[1]")), std::nullopt) << "an item is no attribute";
  EXPECT_EQ(p.top.find(attribute("(0040,A730)"))->count(), 3U);
  EXPECT_EQ(p.top.items(attribute("(0040,A730)")).size(), 3U);
  EXPECT_EQ(p.top.items(attribute("(0040,A730)[1].(0040,A168)")).size(), 2U);
  EXPECT_EQ(p.top.items(attribute("(0040,A730)[2].(0040,A168)")).size(), 0U);
  EXPECT_EQ(p.top.items(attribute("(0008,0104)")).size(), 0U);
  const auto item = p.top.find_item(attribute("(0040,A730)[3].(0040,A168)[1]"));
  ASSERT_TRUE(item.has_value());
  EXPECT_EQ(item->find({0x0008, 0x0104})->text(), "meaning");
  EXPECT_FALSE(p.top.find_item(attribute("(0040,A730)")));
  EXPECT_FALSE(p.top.find_item(attribute("(0040,A730)[4]")));
}

TEST(Attributes, find_private_ones_by_their_creator) {
  DicomDataSet d;
  d.private_creator(0x0029, 0x10, "FIRST").private_creator(0x0029, 0x42, "ACME 1");
  d.us({0x0029, 0x1001}, 1).us({0x0029, 0x4201}, 2);
  const Parsed p(d);
  EXPECT_EQ(p.top.find(attribute("(0029,\"ACME 1\",01)"))->integer(), 2);
  EXPECT_EQ(p.top.find(attribute("(0029,\"FIRST\",01)"))->integer(), 1);
  EXPECT_EQ(p.top.find(attribute("(0029,\"ACME 1\")"))->element().tag, (Tag{0x0029, 0x0042}));
  EXPECT_FALSE(p.top.find(attribute("(0029,\"ACME\",01)")));
  EXPECT_FALSE(p.top.find(attribute("(0029,\"ACME 1\",02)")));
}

TEST(Attributes, decode_text_by_the_character_set_that_is_in_force) {
  DicomDataSet own;
  own.text({0x0008, 0x0005}, "CS", "ISO_IR 144").bytes({0x0010, 0x0010}, "PN", test::bytes("bbee"));
  DicomDataSet inherits;
  inherits.bytes({0x0010, 0x0010}, "PN", test::bytes("e45e"));
  DicomDataSet nested;
  nested.sequence({0x0040, 0xA730}, {inherits});
  DicomDataSet d;
  d.text({0x0008, 0x0005}, "CS", "ISO_IR 100");
  d.bytes({0x0008, 0x0060}, "CS", test::bytes("e420"));
  d.bytes({0x0010, 0x0010}, "PN", test::bytes("4de46e5e45"));
  d.elements.back().value.push_back(std::byte{' '});
  d.sequence({0x0040, 0xA730}, {own, nested});
  const Parsed p(d);
  EXPECT_EQ(p.top.find({0x0010, 0x0010})->person_name()->alphabetic.family, "M\xC3\xA4n");
  EXPECT_EQ(p.top.find(attribute("(0040,A730)[1].(0010,0010)"))->text(), "\xD0\x9B\xD1\x8E");
  EXPECT_EQ(p.top.find(attribute("(0040,A730)[2].(0040,A730)[1].(0010,0010)"))
                ->person_name()
                ->alphabetic.family,
            "\xC3\xA4");
  // CS is in the default repertoire, whatever the character set.
  const auto bad = p.top.find({0x0008, 0x0060})->text();
  EXPECT_EQ(error_of(bad), "malformed.character_set");
}

TEST(Attributes, split_multi_byte_text_behind_its_decoding) {
  // GB18030 and Shift-like second bytes may be 5C; ISO 2022 JIS X 0208 has 5C inside of a
  // character.
  DicomDataSet d;
  d.text({0x0008, 0x0005}, "CS", "\\ISO 2022 IR 87");
  d.bytes({0x0010, 0x0010}, "PN",
          test::bytes("413d1b2442305c1b28423d1b244224221b2842"));  // A=<30 5C>=<24 22>
  d.elements.back().value.push_back(std::byte{' '});
  const Parsed p(d);
  const auto name = p.top.find({0x0010, 0x0010})->person_name();
  ASSERT_TRUE(name.has_value()) << to_sentence(name.error());
  EXPECT_EQ(name->alphabetic.family, "A");
  EXPECT_EQ(count_characters(name->ideographic.family), 1U);
  EXPECT_EQ(name->phonetic.family, "\xE3\x81\x82");
}

TEST(Attributes, put_date_time_and_zone_together) {
  const auto at = [](const char* date, const char* time, const char* zone) {
    DicomDataSet d;
    d.text({0x0008, 0x0022}, "DA", date);
    if (time != nullptr) d.text({0x0008, 0x0032}, "TM", time);
    if (zone != nullptr) d.text({0x0008, 0x0201}, "SH", zone);
    const Parsed p(d);
    return p.top.find_date_time({0x0008, 0x0022}, {0x0008, 0x0032});
  };
  const auto full = at("20240229", "235900", "-0500").value().value();
  EXPECT_EQ(full.utc(), std::chrono::sys_days{std::chrono::year{2024} / 3 / 1} +
                            std::chrono::hours{4} + std::chrono::minutes{59});
  EXPECT_EQ(at("20240229", nullptr, nullptr).value()->precision, Precision::day);
  EXPECT_EQ(at("20240229", "", nullptr).value()->precision, Precision::day);
  EXPECT_EQ(at("20240229", "23", nullptr).value()->utc_offset, std::nullopt);
  EXPECT_EQ(at("", "23", nullptr).value(), std::nullopt);
  EXPECT_EQ(error_of(at("20240229", "25", nullptr)), "malformed.value");
  const auto bad_zone = at("20240229", "23", "EST");
  EXPECT_EQ(error_of(bad_zone), "malformed.value");
  EXPECT_EQ(bad_zone.error().where.element, "(0008,0201)");
}

TEST(Attributes, of_several_the_first_counts) {
  DicomDataSet d;
  d.us({0x0028, 0x0010}, 1).us({0x0028, 0x0010}, 2);
  const Parsed p(d);
  EXPECT_EQ(p.top.find({0x0028, 0x0010})->integer(), 1);
}

TEST(Attributes, give_so_many_values_and_not_one_more) {
  DicomDataSet d;
  d.private_creator(0x0011, 0x10, "ACME");
  d.bytes(some_tag, "UC", Bytes(limits::attribute_values_max - 1, std::byte{'\\'}));
  {
    const Parsed p(d);
    EXPECT_EQ(p.top.find(some_tag)->count().value(), limits::attribute_values_max);
  }
  d.elements.back().value.push_back(std::byte{'\\'});
  {
    const Parsed p(d);
    EXPECT_EQ(error_of(p.top.find(some_tag)->texts()), "limit.reached");
  }
  d.elements.pop_back();
  d.bytes(some_tag, "OB", Bytes(limits::attribute_values_max));
  {
    const Parsed p(d);
    EXPECT_EQ(p.top.find(some_tag)->integers()->size(), limits::attribute_values_max);
  }
  d.elements.back().value.resize(limits::attribute_values_max + 1);
  const Parsed p(d);
  EXPECT_EQ(error_of(p.top.find(some_tag)->integers()), "limit.reached");
}

}  // namespace
}  // namespace fiducia::dicom
