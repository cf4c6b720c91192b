// SPDX-License-Identifier: Apache-2.0
// toml++ is what takes long in it, to compile and not to run.
#define TOML_IMPLEMENTATION
#include "config/toml.h"

#include <algorithm>

namespace fiducia::config {
namespace {

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
      return bad_toml({.line = line, .column = column}, why, remedy);
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

}  // namespace

std::unexpected<Error> bad_toml(const toml::source_position& at, const std::string& what,
                                std::string remedy) {
  return fail(
      ErrorCode::config_invalid,
      "Line " + std::to_string(at.line) + ", column " + std::to_string(at.column) + ": " + what,
      std::move(remedy));
}

Result<toml::table> read_toml(std::string_view text, const std::string& name,
                              const std::string& remedy) {
  FIDUCIA_CHECK(check_before_parsing(text, remedy));
  try {
    toml::parse_result parsed = toml::parse(text, std::string_view{name});
    if (!parsed) {
      const toml::parse_error& error = parsed.error();
      return bad_toml(error.source().begin,
                      "not TOML: " + printable_message(error.description()) + ".", remedy);
    }
    return std::move(parsed).table();
  } catch (const std::bad_alloc&) {
    throw;
  } catch (const std::exception& error) {
    return fail(ErrorCode::config_invalid, "not TOML: " + std::string(error.what()) + ".", remedy);
  }
}

}  // namespace fiducia::config
