// SPDX-License-Identifier: Apache-2.0
#include "dicom/typed.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace fiducia::dicom {
namespace {

using std::chrono::microseconds;
using std::chrono::minutes;

std::unexpected<Error> bad_value(std::string what) {
  auto error = fail_malformed("value", std::move(what));
  error.error().remedy = "Correct the attribute where it was made; its text can still be read.";
  return error;
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// The next `count` digits as a number; absent where there are not as many.
std::optional<unsigned> take_digits(std::string_view& text, std::size_t count) {
  if (text.size() < count ||
      !std::all_of(text.begin(), text.begin() + static_cast<int>(count), is_digit))
    return std::nullopt;
  unsigned value = 0;
  for (const char c : text.substr(0, count)) value = value * 10 + static_cast<unsigned>(c - '0');
  text.remove_prefix(count);
  return value;
}

/// Hours and what follows them, as far as digits go. Absent: not in the form of the standard.
std::optional<TimeOfDay> take_time(std::string_view& text) {
  TimeOfDay out;
  const auto part = [&](unsigned last) -> std::optional<std::uint8_t> {
    const auto value = take_digits(text, 2);
    if (!value || *value > last) return std::nullopt;
    return static_cast<std::uint8_t>(*value);
  };
  const auto more = [&] { return !text.empty() && is_digit(text.front()); };
  const auto hour = part(23);
  if (!hour) return std::nullopt;
  out.hour = *hour;
  if (!more()) return out;
  const auto minute = part(59);
  if (!minute) return std::nullopt;
  out.minute = *minute;
  out.precision = Precision::minute;
  if (!more()) return out;
  const auto second = part(60);
  if (!second) return std::nullopt;
  out.second = *second;
  out.precision = Precision::second;
  if (!text.starts_with('.')) return out;
  text.remove_prefix(1);
  std::size_t digits = 0;
  while (digits < text.size() && is_digit(text[digits])) ++digits;
  constexpr std::size_t digits_max = 6;
  if (digits == 0 || digits > digits_max) return std::nullopt;
  out.microsecond = *take_digits(text, digits);
  for (std::size_t i = digits; i < digits_max; ++i) out.microsecond *= 10;
  out.precision = Precision::fraction;
  return out;
}

constexpr std::size_t components_max = 5;

std::array<std::string NameGroup::*, components_max> components() {
  return {&NameGroup::family, &NameGroup::given, &NameGroup::middle, &NameGroup::prefix,
          &NameGroup::suffix};
}

}  // namespace

Result<PersonName> read_person_name(std::string_view text) {
  PersonName out;
  NameGroup PersonName::* const groups[] = {&PersonName::alphabetic, &PersonName::ideographic,
                                            &PersonName::phonetic};
  std::size_t group = 0;
  std::size_t component = 0;
  for (std::size_t start = 0;;) {
    const std::size_t end = std::min(text.find_first_of("^=", start), text.size());
    const std::string_view part = text.substr(start, end - start);
    if (group >= std::size(groups))
      return bad_value("a person's name has at most three component groups (PS3.5 6.2.1.1).");
    if (component >= components_max)
      return bad_value("a component group has at most five components (PS3.5 6.2.1.1).");
    (out.*groups[group]).*components()[component] = std::string(part);
    if (end == text.size()) return out;
    if (text[end] == '=') {
      ++group;
      component = 0;
    } else {
      ++component;
    }
    start = end + 1;
  }
}

std::string PersonName::text() const {
  std::string out;
  std::size_t written = 0;
  for (const NameGroup* group : {&alphabetic, &ideographic, &phonetic}) {
    if (written++ > 0) out += '=';
    for (const auto component : components()) {
      if (component != &NameGroup::family) out += '^';
      out += group->*component;
    }
    while (out.ends_with('^')) out.pop_back();
  }
  while (out.ends_with('=')) out.pop_back();
  return out;
}

Result<std::chrono::year_month_day> read_date(std::string_view text) {
  const auto year = take_digits(text, 4);
  const auto month = take_digits(text, 2);
  const auto day = take_digits(text, 2);
  if (!year || !month || !day || !text.empty())
    return bad_value("a date has eight digits, YYYYMMDD (PS3.5 6.2, DA).");
  const std::chrono::year_month_day date{std::chrono::year{static_cast<int>(*year)},
                                         std::chrono::month{*month}, std::chrono::day{*day}};
  if (!date.ok()) return bad_value("the date is not in the calendar (PS3.5 6.2, DA).");
  return date;
}

microseconds TimeOfDay::since_midnight() const {
  return std::chrono::hours{hour} + minutes{minute} + std::chrono::seconds{second} +
         microseconds{microsecond};
}

Result<TimeOfDay> read_time(std::string_view text) {
  const auto time = take_time(text);
  if (!time || !text.empty())
    return bad_value("a time is HH, HHMM, HHMMSS or HHMMSS.FFFFFF (PS3.5 6.2, TM).");
  return *time;
}

Result<minutes> read_utc_offset(std::string_view text) {
  constexpr auto what =
      "an offset from UTC is a sign and HHMM, from -1200 to +1400 (PS3.5 6.2, DT).";
  if (text.size() != 5 || (text.front() != '+' && text.front() != '-')) return bad_value(what);
  const bool is_behind = text.front() == '-';
  text.remove_prefix(1);
  const auto hour = take_digits(text, 2);
  const auto minute = take_digits(text, 2);
  if (!hour || !minute || *minute > 59) return bad_value(what);
  const minutes offset{static_cast<int>(*hour * 60 + *minute)};
  if (is_behind ? offset > std::chrono::hours{12} || offset == minutes{0}
                : offset > std::chrono::hours{14})
    return bad_value(what);
  return is_behind ? -offset : offset;
}

Result<DateTime> read_date_time(std::string_view text) {
  DateTime out;
  constexpr auto what =
      "a date and time is YYYYMMDDHHMMSS.FFFFFF&ZZXX, cut from the right (PS3.5 6.2, DT).";
  if (const std::size_t sign = text.find_first_of("+-"); sign != std::string_view::npos) {
    FIDUCIA_TRY(offset, read_utc_offset(text.substr(sign)));
    out.utc_offset = offset;
    text = text.substr(0, sign);
  }
  const auto year = take_digits(text, 4);
  if (!year) return bad_value(what);
  unsigned month = 1;
  unsigned day = 1;
  if (!text.empty()) {
    const auto read = take_digits(text, 2);
    if (!read) return bad_value(what);
    month = *read;
    out.precision = Precision::month;
  }
  if (!text.empty()) {
    const auto read = take_digits(text, 2);
    if (!read) return bad_value(what);
    day = *read;
    out.precision = Precision::day;
  }
  if (!text.empty()) {
    const auto time = take_time(text);
    if (!time || !text.empty()) return bad_value(what);
    out.time = *time;
    out.precision = time->precision;
  }
  out.date = {std::chrono::year{static_cast<int>(*year)}, std::chrono::month{month},
              std::chrono::day{day}};
  if (!out.date.ok()) return bad_value("the date is not in the calendar (PS3.5 6.2, DT).");
  return out;
}

std::optional<std::chrono::sys_time<microseconds>> DateTime::utc(
    std::optional<minutes> offset) const {
  if (utc_offset) offset = utc_offset;
  if (!offset) return std::nullopt;
  return std::chrono::sys_days{date} + time.since_midnight() - *offset;
}

Result<Age> read_age(std::string_view text) {
  const auto count = take_digits(text, 3);
  if (!count || text.size() != 1 ||
      std::string_view{"DWMY"}.find(text.front()) == std::string_view::npos)
    return bad_value("an age is three digits and D, W, M or Y (PS3.5 6.2, AS).");
  return Age{.count = static_cast<std::uint16_t>(*count), .unit = text.front()};
}

Result<std::int32_t> read_integer_string(std::string_view text) {
  constexpr std::size_t characters_max = 12;
  constexpr auto what =
      "an integer string has at most 12 characters: a sign, digits, 32 bits (PS3.5 6.2, IS).";
  if (text.size() > characters_max) return bad_value(what);
  if (text.starts_with('+')) {
    text.remove_prefix(1);
    if (text.starts_with('-')) return bad_value(what);
  }
  std::int32_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) return bad_value(what);
  return number;
}

Result<double> read_decimal_string(std::string_view text) {
  constexpr std::size_t characters_max = 16;
  constexpr int exponent_max = 280;
  constexpr auto what =
      "a decimal string is a number of at most 16 characters, with or without point and exponent "
      "(PS3.5 6.2, DS).";
  if (text.size() > characters_max) return bad_value(what);
  const bool has_plus = text.starts_with('+');
  if (has_plus) text.remove_prefix(1);
  // from_chars takes more than the standard: "inf", "nan", any exponent.
  std::string_view rest = text;
  if (!has_plus && rest.starts_with('-')) rest.remove_prefix(1);
  std::size_t digits = 0;
  const auto skip_digits = [&] {
    while (!rest.empty() && is_digit(rest.front())) {
      rest.remove_prefix(1);
      ++digits;
    }
  };
  skip_digits();
  if (rest.starts_with('.')) {
    rest.remove_prefix(1);
    skip_digits();
  }
  if (digits == 0) return bad_value(what);
  if (!rest.empty()) {
    if (rest.front() != 'e' && rest.front() != 'E') return bad_value(what);
    rest.remove_prefix(1);
    if (rest.starts_with('+')) rest.remove_prefix(1);
    int exponent = 0;
    const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), exponent);
    if (error != std::errc{} || end != rest.data() + rest.size() || exponent > exponent_max ||
        exponent < -exponent_max)
      return bad_value(what);
  }
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) return bad_value(what);
  return number;
}

Result<std::string> read_uid(std::string_view text) {
  constexpr std::size_t characters_max = 64;
  constexpr auto what =
      "a UID is digits in components, without leading zeros, at most 64 characters (PS3.5 9.1).";
  if (text.empty() || text.size() > characters_max) return bad_value(what);
  for (std::size_t start = 0;;) {
    const std::size_t end = std::min(text.find('.', start), text.size());
    const std::string_view component = text.substr(start, end - start);
    if (component.empty() || !std::ranges::all_of(component, is_digit) ||
        (component.size() > 1 && component.front() == '0'))
      return bad_value(what);
    if (end == text.size()) return std::string(text);
    start = end + 1;
  }
}

}  // namespace fiducia::dicom
