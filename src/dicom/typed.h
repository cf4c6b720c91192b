// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <chrono>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/core.h"

/// What the texts of PS3.5 section 6.2 mean. Each reader takes one value without padding, in
/// exactly the form of the standard: what is outside is read differently by DCMTK, GDCM and
/// pydicom, so it is refused (malformed, kind "value"), never guessed. No error holds the text.
namespace fiducia::dicom {

/// PN: one component group (PS3.5 section 6.2.1.1). UTF-8.
struct NameGroup {
  std::string family = {};
  std::string given = {};
  std::string middle = {};
  std::string prefix = {};
  std::string suffix = {};
  bool operator==(const NameGroup&) const = default;
  [[nodiscard]] bool is_empty() const { return *this == NameGroup{}; }
};
/// A person's name in up to three scripts.
struct PersonName {
  NameGroup alphabetic = {};
  NameGroup ideographic = {};
  NameGroup phonetic = {};
  bool operator==(const PersonName&) const = default;
  /// The value as PS3.5 writes it, without empty components and groups at the ends.
  [[nodiscard]] std::string text() const;
};
/// `text` is decoded. More than three groups or five components are refused.
[[nodiscard]] Result<PersonName> read_person_name(std::string_view text);

/// DA: a day of the Gregorian calendar, "YYYYMMDD". The form with dots of ACR-NEMA and ranges
/// (which stand in queries only) are refused.
[[nodiscard]] Result<std::chrono::year_month_day> read_date(std::string_view text);

/// Which parts of a DT or TM are there; the others read as their first value.
enum class Precision : std::uint8_t { year, month, day, hour, minute, second, fraction };

/// TM: "HH", "HHMM", "HHMMSS", or "HHMMSS.F" with one to six digits. Second 60 is a leap second.
struct TimeOfDay {
  std::uint8_t hour = 0;
  std::uint8_t minute = 0;
  std::uint8_t second = 0;
  std::uint32_t microsecond = 0;
  Precision precision = Precision::hour;
  bool operator==(const TimeOfDay&) const = default;
  /// Since midnight.
  [[nodiscard]] std::chrono::microseconds since_midnight() const;
};
[[nodiscard]] Result<TimeOfDay> read_time(std::string_view text);

/// An offset from UTC as (0008,0201) and DT write it: "+HHMM" or "-HHMM", from -1200 to +1400,
/// "-0000" refused.
[[nodiscard]] Result<std::chrono::minutes> read_utc_offset(std::string_view text);

/// DT: "YYYYMMDDHHMMSS.FFFFFF&ZZXX", parts left out from the right, but for the offset. A value
/// such as "2020-1100" is a year and an offset, as the standard has it; ranges are refused.
struct DateTime {
  std::chrono::year_month_day date = {};
  TimeOfDay time = {};
  Precision precision = Precision::year;
  std::optional<std::chrono::minutes> utc_offset = {};
  bool operator==(const DateTime&) const = default;
  /// The instant in UTC. `offset` counts where the value names none; without either there is none.
  [[nodiscard]] std::optional<std::chrono::sys_time<std::chrono::microseconds>> utc(
      std::optional<std::chrono::minutes> offset = {}) const;
};
[[nodiscard]] Result<DateTime> read_date_time(std::string_view text);

/// AS: three digits and D, W, M or Y.
struct Age {
  std::uint16_t count = 0;
  char unit = 'Y';
  bool operator==(const Age&) const = default;
};
[[nodiscard]] Result<Age> read_age(std::string_view text);

/// IS: at most 12 characters, an optional sign, digits, within 32 bits signed.
[[nodiscard]] Result<std::int32_t> read_integer_string(std::string_view text);
/// DS: at most 16 characters, fixed or with an exponent from -280 to 280, as the nearest double.
[[nodiscard]] Result<double> read_decimal_string(std::string_view text);
/// UI: at most 64 characters, components of digits without leading zeros (PS3.5 section 9.1).
[[nodiscard]] Result<std::string> read_uid(std::string_view text);

}  // namespace fiducia::dicom
