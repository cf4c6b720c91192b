// SPDX-License-Identifier: Apache-2.0
#include "config/section.h"

#include <algorithm>

namespace fiducia::config {

Status Section::check_keys(std::span<const std::string_view> known) const {
  for (const Entry& entry : table_->entries)
    if (std::ranges::find(known, entry.key) == known.end())
      return bad(entry.place, "unknown key " + in_quotes(entry.key) + " in " + title_ +
                                  "; the keys there are " + listed(known) + ".");
  return {};
}

std::string Section::key_of(std::string_view key) const {
  return "key \"" + std::string(key) + "\" of " + title_;
}

std::unexpected<Error> Section::bad(Place at, const std::string& what) const {
  return bad_place(at, what, std::string(style_.remedy));
}

std::unexpected<Error> Section::bad(std::string_view key, const std::string& what) const {
  const Value* value = find(key);
  return bad(value != nullptr ? value->place : table_->place, what);
}

std::unexpected<Error> Section::bad_table(const std::string& what) const {
  return bad(table_->place, what);
}

Result<const Value*> Section::required(std::string_view key) const {
  if (const Value* value = find(key)) return value;
  return bad_table(key_of(key) + " is missing.");
}

Result<std::string> Section::read_text(std::string_view key, const Value& value) const {
  const std::string* text = value.text();
  if (text == nullptr) return bad(value.place, key_of(key) + " must be a string.");
  if (text->empty()) return bad(value.place, key_of(key) + " is empty.");
  if (text->size() > style_.text_bytes_max)
    return bad(value.place, key_of(key) + " is longer than " +
                                std::to_string(style_.text_bytes_max) + " bytes.");
  if (std::ranges::any_of(*text,
                          [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; }))
    return bad(value.place, key_of(key) + " holds a control character.");
  return *text;
}

Result<std::string> Section::required_text(std::string_view key) const {
  FIDUCIA_TRY(value, required(key));
  return read_text(key, *value);
}

Result<std::string> Section::optional_text(std::string_view key) const {
  const Value* value = find(key);
  if (value == nullptr) return std::string{};
  return read_text(key, *value);
}

Result<std::uint64_t> Section::required_count(std::string_view key, std::uint64_t max) const {
  FIDUCIA_TRY(value, required(key));
  const std::int64_t* number = value->integer();
  if (number == nullptr || *number < 0 || static_cast<std::uint64_t>(*number) > max)
    return bad(value->place,
               key_of(key) + " must be a whole number from 0 to " + std::to_string(max) + ".");
  return static_cast<std::uint64_t>(*number);
}

Result<std::uint64_t> Section::optional_count(std::string_view key, std::uint64_t absent,
                                              std::uint64_t max) const {
  if (find(key) == nullptr) return absent;
  return required_count(key, max);
}

Result<bool> Section::optional_boolean(std::string_view key, bool absent) const {
  const Value* value = find(key);
  if (value == nullptr) return absent;
  const bool* boolean = value->boolean();
  if (boolean == nullptr) return bad(value->place, key_of(key) + " must be true or false.");
  return *boolean;
}

Result<UnixTime> Section::required_time(std::string_view key) const {
  FIDUCIA_TRY(value, required(key));
  if (const UnixTime* time = value->time()) return *time;
  if (const std::string* text = value->text())
    if (const auto time = read_rfc3339(*text)) return *time;
  return bad(value->place, key_of(key) +
                               " must be a time with its offset from UTC, such as "
                               "2026-11-24T10:00:00Z, or a date.");
}

Result<std::optional<Section>> Section::optional_table(std::string_view key) const {
  const Value* value = find(key);
  if (value == nullptr) return std::nullopt;
  const std::string title = "[" + std::string(key) + "]";
  if (value->table() == nullptr)
    return bad(value->place,
               "key \"" + std::string(key) + "\" must be one table: write " + title + ".");
  return Section{*value->table(), title, style_};
}

Result<std::vector<Section>> Section::tables(std::string_view key, std::string title) const {
  std::vector<Section> out;
  const Value* value = find(key);
  if (value == nullptr) return out;
  if (value->list() == nullptr)
    return bad(value->place, key_of(key) + " must be a list of tables: write [[" +
                                 std::string(key) + "]], not [" + std::string(key) + "].");
  for (const Value& item : *value->list()) {
    if (item.table() == nullptr) return bad(item.place, key_of(key) + " must hold tables only.");
    out.emplace_back(*item.table(), title, style_);
  }
  return out;
}

Status Once::note(const Section& section, std::string value, std::string_view shown) {
  if (seen_.insert(std::move(value)).second) return {};
  return section.bad_table(what_ + " " + in_quotes(shown) + " is there twice.");
}

std::string in_quotes(std::string_view text) {
  constexpr std::size_t shown_max = 80;
  std::string out = "\"";
  for (const char c : text.substr(0, shown_max))
    out += static_cast<unsigned char>(c) < 0x20 || c == 0x7F ? '?' : c;
  // A cut may end inside a character: drop what is left of it.
  while (text.size() > shown_max && !is_utf8(std::string_view{out}.substr(1))) out.pop_back();
  return out + (text.size() > shown_max ? "...\"" : "\"");
}

std::string listed(std::span<const std::string_view> words) {
  std::string out;
  for (const std::string_view word : words) out += (out.empty() ? "" : ", ") + std::string(word);
  return out;
}

}  // namespace fiducia::config
