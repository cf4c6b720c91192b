// SPDX-License-Identifier: Apache-2.0
#include "core/time.h"

#include <charconv>
#include <chrono>
#include <cstdio>

namespace fiducia {
namespace {

bool take_digits(std::string_view& text, std::size_t count, int& value) {
  if (text.size() < count) return false;
  for (std::size_t i = 0; i < count; ++i)
    if (text[i] < '0' || text[i] > '9') return false;
  std::from_chars(text.data(), text.data() + count, value);
  text.remove_prefix(count);
  return true;
}

bool take_char(std::string_view& text, char c) {
  if (text.empty() || text.front() != c) return false;
  text.remove_prefix(1);
  return true;
}

}  // namespace

UnixTime system_now() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return {std::chrono::duration_cast<std::chrono::seconds>(now).count()};
}

std::string to_rfc3339(UnixTime time) {
  using namespace std::chrono;
  const sys_seconds at{seconds{time.seconds}};
  const auto day = floor<days>(at);
  const year_month_day date{day};
  const hh_mm_ss clock{at - day};
  char text[40];
  std::snprintf(text, sizeof text, "%04d-%02u-%02uT%02d:%02d:%02dZ", static_cast<int>(date.year()),
                static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                static_cast<int>(clock.hours().count()), static_cast<int>(clock.minutes().count()),
                static_cast<int>(clock.seconds().count()));
  return text;
}

Result<UnixTime> read_rfc3339(std::string_view text) {
  const auto bad = [&] {
    return fail_malformed("time", "expected a time such as 2026-11-24T10:00:00Z, found \"" +
                                      std::string(text.substr(0, 40)) + "\".");
  };
  std::string_view rest = text;
  int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0;
  if (!take_digits(rest, 4, year) || !take_char(rest, '-') || !take_digits(rest, 2, month) ||
      !take_char(rest, '-') || !take_digits(rest, 2, day))
    return bad();
  int offset_minutes = 0;
  if (!rest.empty()) {
    if (!take_char(rest, 'T') && !take_char(rest, 't') && !take_char(rest, ' ')) return bad();
    if (!take_digits(rest, 2, hour) || !take_char(rest, ':') || !take_digits(rest, 2, minute) ||
        !take_char(rest, ':') || !take_digits(rest, 2, second))
      return bad();
    if (take_char(rest, '.')) {
      int digit = 0;
      if (!take_digits(rest, 1, digit)) return bad();
      while (take_digits(rest, 1, digit)) {
      }
    }
    if (!take_char(rest, 'Z') && !take_char(rest, 'z')) {
      const bool west = !rest.empty() && rest.front() == '-';
      int hours = 0, minutes = 0;
      if ((!take_char(rest, '+') && !take_char(rest, '-')) || !take_digits(rest, 2, hours) ||
          !take_char(rest, ':') || !take_digits(rest, 2, minutes) || hours > 23 || minutes > 59)
        return bad();
      offset_minutes = (hours * 60 + minutes) * (west ? -1 : 1);
    }
    if (!rest.empty()) return bad();
  }
  using namespace std::chrono;
  const year_month_day date{std::chrono::year{year},
                            std::chrono::month{static_cast<unsigned>(month)},
                            std::chrono::day{static_cast<unsigned>(day)}};
  if (!date.ok() || hour > 23 || minute > 59 || second > 60) return bad();
  const auto at = sys_days{date} + hours{hour} + minutes{minute - offset_minutes} + seconds{second};
  return UnixTime{at.time_since_epoch().count() == 0
                      ? 0
                      : duration_cast<seconds>(at.time_since_epoch()).count()};
}

}  // namespace fiducia
