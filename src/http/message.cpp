// SPDX-License-Identifier: Apache-2.0
#include "http/message.h"

#include <algorithm>

#include "http/grammar.h"

namespace fiducia::http {
namespace {

bool same_ignoring_case(std::string_view a, std::string_view b) {
  return a.size() == b.size() && lower_case(a) == lower_case(b);
}

}  // namespace

std::optional<std::string_view> find_header(const Headers& headers, std::string_view name) {
  for (const auto& [field, value] : headers)
    if (same_ignoring_case(field, name)) return value;
  return std::nullopt;
}

std::string printable_url(std::string_view url) {
  const std::size_t colon = url.find("://");
  const std::string_view scheme = url.substr(0, colon == std::string_view::npos ? 0 : colon);
  if (!same_ignoring_case(scheme, "http") && !same_ignoring_case(scheme, "https"))
    return std::string{not_a_url};
  const std::string_view rest = url.substr(colon + 3);
  const std::size_t authority_end = std::min(rest.find_first_of("/?#\\"), rest.size());
  std::string_view authority = rest.substr(0, authority_end);
  // The last '@', as libcurl reads it: a password may hold others.
  if (const std::size_t at = authority.rfind('@'); at != std::string_view::npos)
    authority.remove_prefix(at + 1);
  std::string_view path = rest.substr(authority_end);
  path = path.substr(0, path.find_first_of("?#"));
  std::string shown = std::string{scheme} + "://" + std::string{authority} + std::string{path};
  std::ranges::replace_if(
      shown, [](char c) { return static_cast<unsigned char>(c) < 0x21 || c == 0x7F; }, '?');
  return shown;
}

}  // namespace fiducia::http
