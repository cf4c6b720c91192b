// SPDX-License-Identifier: Apache-2.0
#include "dicom/typed.h"

#include <gtest/gtest.h>

#include "support/support.h"

namespace fiducia::dicom {
namespace {

using std::chrono::minutes;

template <class T>
void expect_refused(Result<T> (*read)(std::string_view), std::initializer_list<const char*> texts) {
  for (const char* text : texts) {
    const auto value = read(text);
    ASSERT_FALSE(value.has_value()) << "\"" << text << "\"";
    EXPECT_EQ(code_word(value.error()), "malformed.value") << text;
    // A refused value may be a patient's: no error repeats it.
    EXPECT_TRUE(std::string_view{text}.size() <= 3 ||
                to_sentence(value.error()).find(text) == std::string::npos)
        << text;
  }
}

TEST(IntegerString, is_what_the_standard_writes) {
  struct Row {
    const char* text;
    std::int32_t value;
  };
  for (const Row& row :
       {Row{"0", 0}, Row{"-0", 0}, Row{"+7", 7}, Row{"0012", 12}, Row{"-5", -5},
        Row{"2147483647", 2147483647}, Row{"-2147483648", -2147483647 - 1}, Row{"000000000001", 1}})
    EXPECT_EQ(read_integer_string(row.text).value(), row.value) << row.text;
  expect_refused(read_integer_string, {"", "+", "-", "+-1", "--1", "1 ", " 1", "1.0", "1e2", "0x1",
                                       "2147483648", "-2147483649", "0000000000001", "1\\2"});
}

TEST(DecimalString, is_what_the_standard_writes) {
  struct Row {
    const char* text;
    double value;
  };
  for (const Row& row :
       {Row{"0", 0}, Row{"-0.0", 0}, Row{"+1.5", 1.5}, Row{".5", .5}, Row{"5.", 5},
        Row{"1E3", 1000}, Row{"1e+3", 1000}, Row{"-1.25E-2", -.0125}, Row{"1E280", 1e280},
        Row{"1E-280", 1e-280}, Row{"0000000000000001", 1}, Row{"0.1", 0.1}})
    EXPECT_EQ(read_decimal_string(row.text).value(), row.value) << row.text;
  expect_refused(read_decimal_string, {"",
                                       "+",
                                       ".",
                                       "-.",
                                       "e5",
                                       "1e",
                                       "1e+",
                                       "1e+-5",
                                       "+-1",
                                       "-+1",
                                       "--1",
                                       "inf",
                                       "nan",
                                       "NaN",
                                       "0x1p3",
                                       "1,5",
                                       "1.2.3",
                                       "1 ",
                                       "1E281",
                                       "1E-281",
                                       "1e9999999999",
                                       "00000000000000001",
                                       "1\\2"});
}

TEST(Date, is_a_day_of_the_calendar) {
  using namespace std::chrono;
  for (sys_days day = sys_days{year{1890} / 1 / 1}; day < sys_days{year{2110} / 1 / 1};
       day += days{1}) {
    const year_month_day date{day};
    char text[32];
    std::snprintf(text, sizeof text, "%04d%02u%02u", static_cast<int>(date.year()),
                  static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()));
    ASSERT_EQ(read_date(text).value(), date) << text;
  }
  EXPECT_TRUE(read_date("20240229"));
  expect_refused(read_date, {"", "2024", "202401", "20230229", "19000229", "20240132", "20241301",
                             "20240100", "20240001", "2024.01.01", "2024-1-1", " 20240101",
                             "20240101 ", "20240101-20240102", "-20240101", "20240101-"});
}

TEST(TimeOfDay, has_the_parts_that_are_written) {
  struct Row {
    const char* text;
    TimeOfDay time;
  };
  for (const Row& row :
       {Row{"00", {0, 0, 0, 0, Precision::hour}}, Row{"23", {23, 0, 0, 0, Precision::hour}},
        Row{"2359", {23, 59, 0, 0, Precision::minute}},
        Row{"235960", {23, 59, 60, 0, Precision::second}},
        Row{"101500.5", {10, 15, 0, 500'000, Precision::fraction}},
        Row{"101500.000001", {10, 15, 0, 1, Precision::fraction}},
        Row{"101500.123456", {10, 15, 0, 123'456, Precision::fraction}}})
    EXPECT_EQ(read_time(row.text).value(), row.time) << row.text;
  EXPECT_EQ(read_time("010203.000004")->since_midnight(), std::chrono::microseconds{3'723'000'004});
  expect_refused(read_time,
                 {"", "1", "24", "2360", "235961", "10:15", "10:15:00", "101", "10150", "101500.",
                  "101500.1234567", "1015.5", "101500-111500", "101500+0100", "-1015", " 1015"});
}

TEST(UtcOffset, goes_from_minus_twelve_to_plus_fourteen) {
  EXPECT_EQ(read_utc_offset("+0000").value(), minutes{0});
  EXPECT_EQ(read_utc_offset("-1200").value(), minutes{-720});
  EXPECT_EQ(read_utc_offset("+1400").value(), minutes{840});
  EXPECT_EQ(read_utc_offset("-0330").value(), minutes{-210});
  expect_refused(read_utc_offset, {"", "0000", "+", "+1", "+100", "+01:00", "-0000", "-1201",
                                   "+1401", "+0160", "+9900", "Z"});
}

TEST(DateTime, is_cut_from_the_right_and_knows_its_zone) {
  using namespace std::chrono;
  struct Row {
    const char* text;
    Precision precision;
    year_month_day date;
    TimeOfDay time;
    std::optional<minutes> offset;
  };
  for (const Row& row :
       {Row{"2024", Precision::year, year{2024} / 1 / 1, {}, {}},
        Row{"202402", Precision::month, year{2024} / 2 / 1, {}, {}},
        Row{"20240229", Precision::day, year{2024} / 2 / 29, {}, {}},
        Row{"2024022907", Precision::hour, year{2024} / 2 / 29, {7, 0, 0, 0, Precision::hour}, {}},
        Row{"20240229070809.5+0130",
            Precision::fraction,
            year{2024} / 2 / 29,
            {7, 8, 9, 500'000, Precision::fraction},
            minutes{90}},
        Row{"2020-1100", Precision::year, year{2020} / 1 / 1, {}, minutes{-660}}}) {
    const auto read = read_date_time(row.text);
    ASSERT_TRUE(read.has_value()) << row.text;
    EXPECT_EQ(read->precision, row.precision) << row.text;
    EXPECT_EQ(read->date, row.date) << row.text;
    EXPECT_EQ(read->time, row.time) << row.text;
    EXPECT_EQ(read->utc_offset, row.offset) << row.text;
  }
  const auto there = read_date_time("20240101003000+0100").value();
  EXPECT_EQ(there.utc(), sys_days{year{2023} / 12 / 31} + hours{23} + minutes{30});
  const auto local = read_date_time("20240101003000").value();
  EXPECT_EQ(local.utc(), std::nullopt);
  EXPECT_EQ(local.utc(minutes{-60}), sys_days{year{2024} / 1 / 1} + hours{1} + minutes{30});
  EXPECT_EQ(there.utc(minutes{-60}), there.utc()) << "its own zone counts";
  expect_refused(read_date_time,
                 {"", "202", "20241", "20241301", "20230229", "2024022924", "20240229070809.",
                  "2020-2021", "20200101-20210101", "-2020", "2020-", "20240229T0708",
                  "20240229+01", "20240229-0000", "202402290708+1500"});
}

TEST(Age, is_three_digits_and_a_unit) {
  EXPECT_EQ(read_age("018M").value(), (Age{18, 'M'}));
  EXPECT_EQ(read_age("000D").value(), (Age{0, 'D'}));
  expect_refused(read_age, {"", "18M", "0018M", "018", "018m", "018X", " 18M", "-18M"});
}

TEST(Uid, is_digits_and_dots) {
  for (const char* good : {"1.2.840.10008.1.2", "0", "2.25.0.1"})
    EXPECT_EQ(read_uid(good).value(), good);
  const std::string longest = "1." + std::string(62, '2');
  EXPECT_EQ(read_uid(longest).value(), longest);
  EXPECT_FALSE(read_uid(longest + "3"));
  expect_refused(read_uid, {"", ".", "1.", ".1", "1..2", "1.02", "00", "1.2a", "1.2 ", "1\\2"});
}

TEST(PersonName, has_groups_and_components) {
  const auto full = read_person_name("Yamada^Tarou^M^Dr^Jr=\xE5\xB1\xB1\xE7\x94\xB0^x=p^q").value();
  EXPECT_EQ(full.alphabetic, (NameGroup{"Yamada", "Tarou", "M", "Dr", "Jr"}));
  EXPECT_EQ(full.ideographic, (NameGroup{"\xE5\xB1\xB1\xE7\x94\xB0", "x", "", "", ""}));
  EXPECT_EQ(full.phonetic.given, "q");
  EXPECT_TRUE(read_person_name("").value().alphabetic.is_empty());
  EXPECT_EQ(read_person_name("=x").value().ideographic.family, "x");
  expect_refused(read_person_name, {"a=b=c=d", "a^b^c^d^e^f", "=====", "x=^^^^^"});
}

TEST(PersonName, is_written_as_it_was_read) {
  for (const char* text : {"", "A", "A^B", "A^^C", "=B", "A^B=C^D=E", "==E^F", "A^^^^J"})
    EXPECT_EQ(read_person_name(text)->text(), text);
  EXPECT_EQ(read_person_name("A^^^^==")->text(), "A") << "empty parts at the ends are left out";
}

TEST(TypedProperty, any_text_is_read_or_refused_and_a_valid_one_bent_is_not_misread) {
  const std::uint64_t seed = test::seed();
  SCOPED_TRACE("rerun with FIDUCIA_SEED=" + std::to_string(seed));
  std::mt19937_64 prng{seed};
  constexpr std::string_view alphabet = "0123456789+-.eE^=\\ YMDW";
  for (int round = 0; round < test::draws(100'000); ++round) {
    std::string text;
    for (std::size_t i = prng() % 20; i > 0; --i) text += alphabet[prng() % alphabet.size()];
    if (const auto number = read_integer_string(text)) {
      // What both take, they take for the same number.
      const auto decimal = read_decimal_string(text);
      ASSERT_TRUE(decimal.has_value()) << text;
      EXPECT_EQ(*decimal, static_cast<double>(*number)) << text;
    }
    if (const auto number = read_decimal_string(text)) {
      EXPECT_EQ(*number, std::stod(text)) << text;
    }
    if (const auto date = read_date(text)) {
      const auto both = read_date_time(text);
      ASSERT_TRUE(both.has_value()) << text;
      EXPECT_EQ(both->date, *date);
      EXPECT_EQ(both->precision, Precision::day);
    }
    if (const auto time = read_time(text)) {
      const auto both = read_date_time("20240229" + text);
      ASSERT_TRUE(both.has_value()) << text;
      EXPECT_EQ(both->time, *time);
    }
    if (const auto name = read_person_name(text)) {
      const std::string written = name->text();
      EXPECT_EQ(read_person_name(written).value(), *name) << text;
      EXPECT_TRUE(text.starts_with(written) || written.size() < text.size()) << text;
    }
    if (const auto uid = read_uid(text)) {
      EXPECT_EQ(*uid, text);
    }
  }
}

}  // namespace
}  // namespace fiducia::dicom
