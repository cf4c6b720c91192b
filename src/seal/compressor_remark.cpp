// SPDX-License-Identifier: Apache-2.0
#include "seal/compressor_remark.h"

namespace fiducia::seal {
namespace {

bool take(std::string_view& text, std::string_view expected) {
  if (!text.starts_with(expected)) return false;
  text.remove_prefix(expected.size());
  return true;
}

/// One to `digits_max` digits, with at most one point among them where `point` is allowed.
bool take_number(std::string_view& text, std::size_t digits_max, bool point) {
  std::size_t digits = 0;
  std::size_t length = 0;
  for (; length < text.size(); ++length) {
    const char c = text[length];
    if (c >= '0' && c <= '9')
      ++digits;
    else if (c == '.' && point)
      point = false;
    else
      break;
  }
  text.remove_prefix(length);
  return digits >= 1 && digits <= digits_max;
}

}  // namespace

std::optional<std::string_view> without_compressor_remark(std::string_view text) {
  if (!take(text, "Lossless JPEG compression, selection value ") || !take_number(text, 1, false) ||
      !take(text, ", point transform ") || !take_number(text, 2, false) ||
      !take(text, ", compression ratio ") || !take_number(text, 12, true))
    return std::nullopt;
  if (text.empty()) return text;
  if (!take(text, " [") || !text.ends_with(']')) return std::nullopt;
  text.remove_suffix(1);
  return text;
}

}  // namespace fiducia::seal
