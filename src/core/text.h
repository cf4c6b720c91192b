// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/bytes.h"

/// Text as every module reads it: UTF-8, hexadecimal digits, blanks. One reader each, so that no
/// two parts of the program take the same bytes for different text.
namespace fiducia {

// --- UTF-8 (RFC 3629) ---

/// One step through text that may hold any bytes.
struct Utf8Character {
  char32_t code_point = 0;  // the byte itself when it is not part of UTF-8
  std::size_t length_bytes = 1;
  bool is_valid = false;
};
/// The character at `offset`, which must lie in `text`. Overlong forms, surrogates and values
/// past 10FFFF are no UTF-8: their first byte comes back alone, so that a broken character never
/// swallows the good one after it.
[[nodiscard]] Utf8Character read_utf8(std::string_view text, std::size_t offset);

/// Whether all of `text` is well-formed.
[[nodiscard]] bool is_utf8(std::string_view text);

/// `code_point` must be a Unicode scalar value: below 110000 and no surrogate.
void append_utf8(std::string& to, char32_t code_point);

/// How many characters `text` has; a byte that is not part of UTF-8 counts as one.
[[nodiscard]] std::size_t count_characters(std::string_view text);

/// The longest front of at most `bytes_max` bytes that ends where a character ends.
[[nodiscard]] std::string_view front_bytes(std::string_view text, std::size_t bytes_max);
/// The front of at most `characters_max` characters.
[[nodiscard]] std::string_view front_characters(std::string_view text, std::size_t characters_max);

// --- hexadecimal digits ---

/// The value of one digit in either case, absent for any other character.
[[nodiscard]] constexpr std::optional<std::uint8_t> hex_value(char c) {
  if (c >= '0' && c <= '9') return static_cast<std::uint8_t>(c - '0');
  if (c >= 'a' && c <= 'f') return static_cast<std::uint8_t>(c - 'a' + 10);
  if (c >= 'A' && c <= 'F') return static_cast<std::uint8_t>(c - 'A' + 10);
  return std::nullopt;
}
/// A number that is all of `text`: at least one digit, no more than T holds, no sign, no prefix.
template <std::unsigned_integral T>
[[nodiscard]] constexpr std::optional<T> number_from_hex(std::string_view text) {
  if (text.empty() || text.size() > 2 * sizeof(T)) return std::nullopt;
  std::uint64_t value = 0;
  for (const char c : text) {
    const auto digit = hex_value(c);
    if (!digit) return std::nullopt;
    value = value << 4 | *digit;
  }
  return static_cast<T>(value);
}

enum class HexCase : bool { lower, upper };
/// The lowest `digits` digits of `value`, the highest first.
void append_hex(std::string& to, std::uint64_t value, unsigned digits,
                HexCase letters = HexCase::lower);

/// Lower-case, two digits a byte, and back. `from_hex` refuses odd length and other characters.
[[nodiscard]] std::string to_hex(ByteView bytes);
[[nodiscard]] std::optional<Bytes> from_hex(std::string_view text);
[[nodiscard]] std::optional<Digest> digest_from_hex(std::string_view text);

// --- blanks ---

/// `text` without any of `blanks` at its start and its end. (What fills DICOM values is not a
/// blank: dicom/padding.h.)
[[nodiscard]] constexpr std::string_view trimmed(std::string_view text, std::string_view blanks) {
  const std::size_t first = text.find_first_not_of(blanks);
  if (first == std::string_view::npos) return text.substr(text.size());
  return text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

}  // namespace fiducia
