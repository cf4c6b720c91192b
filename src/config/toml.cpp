// SPDX-License-Identifier: Apache-2.0
#include "config/toml.h"

#include <algorithm>
#include <chrono>
#include <exception>
#include <new>

namespace fiducia::config {
namespace {

/// What toml++ throws here instead of ending the program.
struct TomlAssertion : std::exception {
  [[nodiscard]] const char* what() const noexcept override { return "the parser lost its way"; }
};
[[noreturn]] void fail_toml_assertion() { throw TomlAssertion{}; }

}  // namespace
}  // namespace fiducia::config

// The one inclusion of toml++ (check-architecture sees to it), so that every program has the same.
// Without exceptions its parser returns its errors; the rest (memory, and assertions, which some
// hostile files reach: "[[[") is caught in read_toml. With NDEBUG toml++ would take its assertions
// for granted, and such a file would be undefined behaviour.
#define TOML_ASSERT(condition) \
  ((condition) ? static_cast<void>(0) : ::fiducia::config::fail_toml_assertion())
#define TOML_HEADER_ONLY 1
#define TOML_EXCEPTIONS 0
#define TOML_ENABLE_FORMATTERS 0
#define TOML_ENABLE_WINDOWS_COMPAT 0
#include <toml++/toml.h>

namespace fiducia::config {
namespace {

Place place_of(const toml::source_position& at) { return {.line = at.line, .column = at.column}; }

/// A message of toml++, which may quote bytes of the file: made safe to print.
std::string printable_message(std::string_view message) {
  const bool utf8 = is_utf8(message);
  std::string out;
  for (const char c : message.substr(0, 512)) {
    const auto byte = static_cast<unsigned char>(c);
    out += byte < 0x20 || byte == 0x7F || (byte >= 0x80 && !utf8) ? '?' : c;
  }
  while (!is_utf8(out)) out.pop_back();  // the cut may have split a character
  return out;
}

/// Where a string of TOML ends that begins at `at`: past its last quote, or at the end of text.
std::size_t past_string(std::string_view text, std::size_t at) {
  const char quote = text[at];
  const std::string three(3, quote);
  const bool multi_line = text.substr(at).starts_with(three);
  at += multi_line ? 3 : 1;
  while (at < text.size()) {
    if (quote == '"' && text[at] == '\\') {
      at += 2;
    } else if (multi_line && text.substr(at).starts_with(three)) {
      at += 3;
      // Up to two quotes before the closing three belong to the string.
      for (int i = 0; i < 2 && at < text.size() && text[at] == quote; ++i) ++at;
      return at;
    } else if (!multi_line && (text[at] == quote || text[at] == '\n')) {
      return at + 1;
    } else {
      ++at;
    }
  }
  return text.size();
}

/// What the parser must not see. `remedy` goes into each error.
Status check_before_parsing(std::string_view text, const std::string& remedy) {
  std::uint32_t line = 1;
  std::size_t line_start = 0;
  std::size_t dots = 0;     // of this line
  std::size_t nesting = 0;  // brackets that are open
  for (std::size_t at = 0; at < text.size();) {
    const char c = text[at];
    std::size_t next = at + 1;
    const auto refused = [&](const char* why) {
      const auto column = static_cast<std::uint32_t>(at - line_start + 1);
      return bad_place({.line = line, .column = column}, why, remedy);
    };
    if (c == '#') {
      next = std::min(text.find('\n', at), text.size());
    } else if (c == '"' || c == '\'') {
      next = std::min(past_string(text, at), text.size());
    } else if (static_cast<unsigned char>(c) >= 0x80) {
      // TOML 1.0 allows it nowhere there, and toml++ 3.3.0 meets it with undefined behaviour.
      return refused("not TOML: a character that is not ASCII stands outside of quotes.");
    } else if (c == '.') {
      // Each dot of a key is a table in a table, and tables are freed by recursion.
      if (++dots > limits::toml_dots_max) return refused("more dots than any key here has.");
    } else if (c == '[' || c == '{') {
      if (++nesting > limits::toml_nesting_max) return refused("brackets are nested too deep.");
    } else if (c == ']' || c == '}') {
      if (nesting > 0) --nesting;
    }
    for (; at < next; ++at)
      if (text[at] == '\n') {
        ++line;
        line_start = at + 1;
        dots = 0;
      }
  }
  return {};
}

std::int64_t seconds_of(const toml::date& date) {
  using namespace std::chrono;
  const sys_seconds days = sys_days{year{date.year} / month{date.month} / day{date.day}};
  return days.time_since_epoch().count();
}

/// Tables and lists nest no deeper than check_before_parsing allows.
Value value_of(const toml::node& node);

Table table_of(const toml::table& table) {
  Table out{.place = place_of(table.source().begin), .entries = {}};
  out.entries.reserve(table.size());
  for (const auto& [key, value] : table)
    out.entries.push_back({.key = std::string(key.str()),
                           .place = place_of(key.source().begin),
                           .value = value_of(value)});
  return out;
}

Value value_of(const toml::node& node) {
  Value out{.place = place_of(node.source().begin), .held = {}};
  if (const auto* text = node.as_string()) out.held = text->get();
  if (const auto* number = node.as_integer()) out.held = number->get();
  if (const auto* boolean = node.as_boolean()) out.held = boolean->get();
  if (const auto* date = node.as_date()) out.held = UnixTime{seconds_of(date->get())};
  if (const auto* moment = node.as_date_time(); moment != nullptr && moment->get().offset) {
    const toml::date_time& at = moment->get();
    const std::int64_t clock =
        (std::int64_t{at.time.hour} * 60 + at.time.minute - at.offset->minutes) * 60 +
        at.time.second;
    out.held = UnixTime{seconds_of(at.date) + clock};
  }
  if (const toml::table* table = node.as_table()) out.held = table_of(*table);
  if (const toml::array* array = node.as_array()) {
    std::vector<Value> list;
    list.reserve(array->size());
    for (const toml::node& item : *array) list.push_back(value_of(item));
    out.held = std::move(list);
  }
  return out;
}

}  // namespace

const Value* Table::find(std::string_view key) const {
  const auto found = std::ranges::find(entries, key, &Entry::key);
  return found == entries.end() ? nullptr : &found->value;
}

std::unexpected<Error> bad_place(Place at, const std::string& what, std::string remedy) {
  return fail(
      ErrorCode::config_invalid,
      "Line " + std::to_string(at.line) + ", column " + std::to_string(at.column) + ": " + what,
      std::move(remedy));
}

Result<Table> read_toml(std::string_view text, const std::string& name, const std::string& remedy) {
  FIDUCIA_CHECK(check_before_parsing(text, remedy));
  try {
    const toml::parse_result parsed = toml::parse(text, std::string_view{name});
    if (!parsed) {
      const toml::parse_error& error = parsed.error();
      return bad_place(place_of(error.source().begin),
                       "not TOML: " + printable_message(error.description()) + ".", remedy);
    }
    return table_of(parsed.table());
  } catch (const std::bad_alloc&) {
    throw;
  } catch (const std::exception& error) {
    return fail(ErrorCode::config_invalid, "not TOML: " + std::string(error.what()) + ".", remedy);
  }
}

std::string toml_string(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (c == '\t') {
      out += "\\t";
    } else if (c == '\n') {
      out += "\\n";
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) {
      const std::byte byte{static_cast<unsigned char>(c)};
      out += "\\u00" + to_hex(std::span{&byte, 1});
    } else {
      out += c;
    }
  }
  return out + '"';
}

}  // namespace fiducia::config
