// SPDX-License-Identifier: Apache-2.0
#include "http/grammar.h"

#include <algorithm>

#include "core/core.h"

namespace fiducia::http {

std::string lower_case(std::string_view text) {
  std::string lower{text};
  std::ranges::transform(lower, lower.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return lower;
}

bool is_token(std::string_view text) {
  static constexpr std::string_view marks = "!#$%&'*+-.^_`|~";
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
           marks.contains(c);
  });
}

bool is_field_value(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return (c >= 0x20 && c < 0x7F) || c == '\t'; });
}

bool is_received_value(std::string_view text) {
  return std::ranges::all_of(text, [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return (byte >= 0x20 && byte != 0x7F) || c == '\t';
  });
}

std::string_view without_outer_space(std::string_view text) {
  constexpr std::string_view blank = " \t";
  const std::size_t first = text.find_first_not_of(blank);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(blank) - first + 1);
}

std::optional<std::string> percent_decode(std::string_view text) {
  std::string decoded;
  for (std::size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == '%') {
      const auto value = from_hex(text.substr(i + 1, 2));
      if (!value || value->size() != 1) return std::nullopt;
      c = static_cast<char>(value->front());
      i += 2;
    }
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) return std::nullopt;
    decoded += c;
  }
  return decoded;
}

std::optional<TargetParts> read_target(std::string_view target) {
  const bool is_uri =
      std::ranges::all_of(target, [](char c) { return c > 0x20 && c < 0x7F && c != '#'; });
  if (!is_uri) return std::nullopt;
  if (!target.starts_with('/')) {
    const std::size_t colon = target.find("://");
    if (colon == std::string_view::npos) return std::nullopt;
    const std::string scheme = lower_case(target.substr(0, colon));
    if (scheme != "http" && scheme != "https") return std::nullopt;
    target.remove_prefix(colon + 3);
    const std::size_t path = target.find_first_of("/?");
    // "http://host" and "http://host?a": the path is empty, which means "/", and we have no text
    // to show it as; clients write the slash.
    if (path == std::string_view::npos || target[path] != '/') return std::nullopt;
    target.remove_prefix(path);
  }
  const std::size_t mark = target.find('?');
  if (mark == std::string_view::npos) return TargetParts{.path = target, .query = {}};
  return TargetParts{.path = target.substr(0, mark), .query = target.substr(mark + 1)};
}

}  // namespace fiducia::http
