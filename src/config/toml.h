// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <exception>
#include <string>
#include <string_view>

#include "core/core.h"

namespace fiducia::config {

/// What toml++ throws here instead of ending the program.
struct TomlAssertion : std::exception {
  [[nodiscard]] const char* what() const noexcept override { return "the parser lost its way"; }
};
[[noreturn]] inline void fail_toml_assertion() { throw TomlAssertion{}; }

}  // namespace fiducia::config

// The one inclusion of toml++, so that every part of a program has the same one. Without exceptions
// its parser returns its errors; the rest (memory, and assertions, which some hostile files reach:
// "[[[") is caught in read_toml. With NDEBUG toml++ would take its assertions for granted, and such
// a file would be undefined behaviour.
#define TOML_ASSERT(condition) \
  ((condition) ? static_cast<void>(0) : ::fiducia::config::fail_toml_assertion())
#define TOML_HEADER_ONLY 0
#define TOML_EXCEPTIONS 0
#define TOML_ENABLE_FORMATTERS 0
#define TOML_ENABLE_WINDOWS_COMPAT 0
#include <toml++/toml.h>

namespace fiducia::config {

/// Line and column of a file, for people. `remedy` says what lists the keys.
[[nodiscard]] std::unexpected<Error> bad_toml(const toml::source_position& at,
                                              const std::string& what, std::string remedy);

/// Parses TOML 1.0. Refused before the parser sees it, since toml++ would lose its way or its
/// stack: what is not ASCII outside of quotes, more than limits::toml_dots_max dots on one line and
/// brackets deeper than limits::toml_nesting_max outside of quotes.
/// Errors: config_invalid with line and column, `remedy` in each.
[[nodiscard]] Result<toml::table> read_toml(std::string_view text, const std::string& name,
                                            const std::string& remedy);

}  // namespace fiducia::config
