// SPDX-License-Identifier: Apache-2.0
#include "core/bytes.h"

namespace fiducia {
namespace {

constexpr std::string_view base64_digits =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

int base64_value(char c) {
  const auto at = base64_digits.find(c);
  return at == std::string_view::npos ? -1 : static_cast<int>(at);
}

}  // namespace

std::string to_base64(ByteView bytes) {
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const std::size_t n = std::min<std::size_t>(3, bytes.size() - i);
    std::uint32_t group = 0;
    for (std::size_t k = 0; k < 3; ++k)
      group = group << 8 | (k < n ? std::to_integer<std::uint32_t>(bytes[i + k]) : 0U);
    for (std::size_t k = 0; k < 4; ++k)
      text += k <= n ? base64_digits[group >> (18 - 6 * k) & 63] : '=';
  }
  return text;
}

std::optional<Bytes> from_base64(std::string_view text) {
  if (text.size() % 4 != 0) return std::nullopt;
  Bytes bytes;
  bytes.reserve(text.size() / 4 * 3);
  for (std::size_t i = 0; i < text.size(); i += 4) {
    const bool last = i + 4 == text.size();
    const std::size_t pads = !last ? 0U : text[i + 2] == '=' ? 2U : text[i + 3] == '=' ? 1U : 0U;
    std::uint32_t group = 0;
    for (std::size_t k = 0; k < 4; ++k) {
      const bool pad = k >= 4 - pads;
      const int value = pad ? (text[i + k] == '=' ? 0 : -1) : base64_value(text[i + k]);
      if (value < 0) return std::nullopt;
      group = group << 6 | static_cast<std::uint32_t>(value);
    }
    const std::size_t n = 3 - pads;
    for (std::size_t k = 0; k < n; ++k)
      bytes.push_back(static_cast<std::byte>(group >> (16 - 8 * k) & 0xFF));
    if ((group & ((1U << (8 * pads)) - 1)) != 0) return std::nullopt;  // stray bits
  }
  return bytes;
}

void wipe(std::span<std::byte> secret) {
  volatile std::byte* p = secret.data();
  for (std::size_t i = 0; i < secret.size(); ++i) p[i] = std::byte{0};
}

Error ByteCursor::truncated(std::uint64_t length_bytes) const {
  return Error{.code = ErrorCode::truncated,
               .what = std::to_string(length_bytes) + " bytes declared, " +
                       std::to_string(rest_.size()) + " remain.",
               .remedy = "Fetch the file again from its source.",
               .where = Location{.file = {}, .element = {}, .offset = origin_},
               .kind = {}};
}

std::optional<Digest> digest_from_base64(std::string_view text) {
  const auto bytes = from_base64(text);
  return bytes ? digest_from_bytes(*bytes) : std::nullopt;
}

}  // namespace fiducia
