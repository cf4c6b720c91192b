// SPDX-License-Identifier: Apache-2.0
#include "core/text.h"

#include <array>

namespace fiducia {
namespace {

constexpr std::string_view lower_digits = "0123456789abcdef";
constexpr std::string_view upper_digits = "0123456789ABCDEF";

}  // namespace

Utf8Character read_utf8(std::string_view text, std::size_t offset) {
  const auto byte_at = [&](std::size_t i) {
    return static_cast<char32_t>(static_cast<unsigned char>(text[i]));
  };
  const char32_t lead = byte_at(offset);
  const Utf8Character alone{.code_point = lead, .length_bytes = 1, .is_valid = lead < 0x80};
  if (lead < 0xC2 || lead > 0xF4) return alone;
  const std::size_t length = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  if (length > text.size() - offset) return alone;

  char32_t value = lead & (0x7FU >> length);
  for (std::size_t i = 1; i < length; ++i) {
    const char32_t next = byte_at(offset + i);
    if ((next & 0xC0) != 0x80) return alone;
    value = value << 6 | (next & 0x3F);
  }
  static constexpr std::array<char32_t, 5> smallest{0, 0, 0x80, 0x800, 0x10000};
  const bool is_surrogate = value >= 0xD800 && value <= 0xDFFF;
  if (value < smallest[length] || value > 0x10FFFF || is_surrogate) return alone;
  return {.code_point = value, .length_bytes = length, .is_valid = true};
}

bool is_utf8(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    if (static_cast<unsigned char>(text[i]) < 0x80) {
      ++i;
      continue;
    }
    const Utf8Character c = read_utf8(text, i);
    if (!c.is_valid) return false;
    i += c.length_bytes;
  }
  return true;
}

void append_utf8(std::string& to, char32_t code_point) {
  FIDUCIA_ASSERT(code_point <= 0x10FFFF && (code_point < 0xD800 || code_point > 0xDFFF));
  const auto byte = [&to](char32_t value) { to += static_cast<char>(value); };
  if (code_point < 0x80) {
    byte(code_point);
    return;
  }
  if (code_point < 0x800) {
    byte(0xC0 | code_point >> 6);
  } else {
    if (code_point < 0x10000) {
      byte(0xE0 | code_point >> 12);
    } else {
      byte(0xF0 | code_point >> 18);
      byte(0x80 | (code_point >> 12 & 0x3F));
    }
    byte(0x80 | (code_point >> 6 & 0x3F));
  }
  byte(0x80 | (code_point & 0x3F));
}

std::size_t count_characters(std::string_view text) {
  std::size_t count = 0;
  for (std::size_t i = 0; i < text.size(); ++count) i += read_utf8(text, i).length_bytes;
  return count;
}

std::string_view front_bytes(std::string_view text, std::size_t bytes_max) {
  std::size_t end = 0;
  while (end < text.size()) {
    const std::size_t length = read_utf8(text, end).length_bytes;
    if (length > bytes_max - end) break;
    end += length;
  }
  return text.substr(0, end);
}

std::string_view front_characters(std::string_view text, std::size_t characters_max) {
  std::size_t end = 0;
  for (std::size_t count = 0; end < text.size() && count < characters_max; ++count)
    end += read_utf8(text, end).length_bytes;
  return text.substr(0, end);
}

void append_hex(std::string& to, std::uint64_t value, unsigned digits, HexCase letters) {
  const std::string_view all = letters == HexCase::upper ? upper_digits : lower_digits;
  for (unsigned left = digits; left > 0; --left) to += all[value >> (4 * (left - 1)) & 0xF];
}

std::string to_hex(ByteView bytes) {
  std::string text;
  text.reserve(bytes.size() * 2);
  for (const std::byte b : bytes) append_hex(text, std::to_integer<unsigned>(b), 2);
  return text;
}

std::optional<Bytes> from_hex(std::string_view text) {
  if (text.size() % 2 != 0) return std::nullopt;
  Bytes bytes;
  bytes.reserve(text.size() / 2);
  for (std::size_t i = 0; i < text.size(); i += 2) {
    const auto high = hex_value(text[i]);
    const auto low = hex_value(text[i + 1]);
    if (!high || !low) return std::nullopt;
    bytes.push_back(static_cast<std::byte>(*high << 4 | *low));
  }
  return bytes;
}

std::optional<Digest> digest_from_hex(std::string_view text) {
  const auto bytes = from_hex(text);
  return bytes ? digest_from_bytes(*bytes) : std::nullopt;
}

}  // namespace fiducia
