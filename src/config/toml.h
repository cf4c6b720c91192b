// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/core.h"

namespace fiducia::config {

/// Where something stands in a file; both count from 1.
struct Place {
  std::uint32_t line = 0;
  std::uint32_t column = 0;
};

struct Entry;
struct Value;

/// The keys of one table, ascending.
struct Table {
  Place place;
  std::vector<Entry> entries;
  /// Null when the key is not there. Borrows from the table.
  [[nodiscard]] const Value* find(std::string_view key) const;
};

/// One value. Each accessor gives null when the value is of another kind; kinds that no file of
/// ours has (floating point numbers, local times) are of none.
struct Value {
  Place place;
  std::variant<std::monostate, std::string, std::int64_t, bool, UnixTime, std::vector<Value>, Table>
      held;
  [[nodiscard]] const std::string* text() const { return std::get_if<std::string>(&held); }
  [[nodiscard]] const std::int64_t* integer() const { return std::get_if<std::int64_t>(&held); }
  [[nodiscard]] const bool* boolean() const { return std::get_if<bool>(&held); }
  /// Of a date-time with its offset from UTC; of a date its first second in UTC.
  [[nodiscard]] const UnixTime* time() const { return std::get_if<UnixTime>(&held); }
  [[nodiscard]] const std::vector<Value>* list() const {
    return std::get_if<std::vector<Value>>(&held);
  }
  [[nodiscard]] const Table* table() const { return std::get_if<Table>(&held); }
};

struct Entry {
  std::string key;
  Place place;  // of the key
  Value value;
};

/// Reads TOML 1.0. Refused before the library sees it, since it would lose its way or its stack:
/// what is not ASCII outside of quotes, more than limits::toml_dots_max dots on one line, and
/// brackets deeper than limits::toml_nesting_max outside of quotes.
/// Errors: config_invalid with line and column, `remedy` in each.
[[nodiscard]] Result<Table> read_toml(std::string_view text, const std::string& name,
                                      const std::string& remedy);

/// A config_invalid that names its place.
[[nodiscard]] std::unexpected<Error> bad_place(Place at, const std::string& what,
                                               std::string remedy);

/// A basic string of TOML, quotes included. Bytes past ASCII stay as they are: a file is UTF-8.
[[nodiscard]] std::string toml_string(std::string_view text);

}  // namespace fiducia::config
