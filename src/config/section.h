// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "config/toml.h"

namespace fiducia::config {

/// One table of a file with what it is called in messages ("[[ledger]]"): reads its values and says
/// what is wrong with them, with line and column. Errors of all: config_invalid. Borrows `table`.
class Section {
 public:
  struct Style {
    std::string_view remedy;           // of each error; a literal
    std::size_t text_bytes_max = 256;  // of a text
  };
  Section(const Table& table, std::string title, Style style)
      : table_(&table), title_(std::move(title)), style_(style) {}

  [[nodiscard]] const Table& table() const { return *table_; }
  /// Refuses keys that are not in `known`: a misspelt one must not pass in silence.
  [[nodiscard]] Status check_keys(std::span<const std::string_view> known) const;

  [[nodiscard]] const Value* find(std::string_view key) const { return table_->find(key); }
  [[nodiscard]] Result<const Value*> required(std::string_view key) const;
  /// Text for people and for exact comparison: UTF-8, at least 1 byte, no control characters, so
  /// that it fits on a line of a terminal or report.
  [[nodiscard]] Result<std::string> required_text(std::string_view key) const;
  /// "" when the key is absent.
  [[nodiscard]] Result<std::string> optional_text(std::string_view key) const;
  /// A whole number from 0 to `max`.
  [[nodiscard]] Result<std::uint64_t> required_count(std::string_view key, std::uint64_t max) const;
  [[nodiscard]] Result<std::uint64_t> optional_count(std::string_view key, std::uint64_t absent,
                                                     std::uint64_t max) const;
  [[nodiscard]] Result<bool> optional_boolean(std::string_view key, bool absent) const;
  /// TOML offset date-time, TOML date (its first second in UTC), or either of them as a string.
  [[nodiscard]] Result<UnixTime> required_time(std::string_view key) const;
  /// A table `[key]`, called "[key]"; absent when the key is.
  [[nodiscard]] Result<std::optional<Section>> optional_table(std::string_view key) const;
  /// The tables of `[[key]]`, called `title`; none when the key is absent.
  [[nodiscard]] Result<std::vector<Section>> tables(std::string_view key, std::string title) const;

  /// `key "name" of [[ledger]]`: the beginning of a message.
  [[nodiscard]] std::string key_of(std::string_view key) const;
  [[nodiscard]] std::unexpected<Error> bad(Place at, const std::string& what) const;
  /// At the value of `key`, or at the table when it is not there.
  [[nodiscard]] std::unexpected<Error> bad(std::string_view key, const std::string& what) const;
  /// At the table.
  [[nodiscard]] std::unexpected<Error> bad_table(const std::string& what) const;

 private:
  [[nodiscard]] Result<std::string> read_text(std::string_view key, const Value& value) const;
  const Table* table_;
  std::string title_;
  Style style_;
};

/// Notices values that may stand only once in a file.
class Once {
 public:
  explicit Once(std::string what) : what_(std::move(what)) {}
  /// `shown` is what the message quotes. Errors: config_invalid.
  [[nodiscard]] Status note(const Section& section, std::string value, std::string_view shown);

 private:
  std::string what_;
  std::set<std::string> seen_;
};

/// `text` as a message quotes it: at most 80 bytes, control characters made visible.
[[nodiscard]] std::string in_quotes(std::string_view text);
/// "a, b, c".
[[nodiscard]] std::string listed(std::span<const std::string_view> words);

}  // namespace fiducia::config
