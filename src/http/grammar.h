// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <optional>
#include <string>
#include <string_view>

/// Inside http: small parts of the grammar of RFC 9110 and RFC 9112.
namespace fiducia::http {

/// What `printable_url` says of other text.
inline constexpr std::string_view not_a_url = "(not a URL)";

/// ASCII letters to lower case, the rest as it is.
[[nodiscard]] std::string lower_case(std::string_view text);

/// RFC 9110 section 5.6.2: methods and field names.
[[nodiscard]] bool is_token(std::string_view text);

/// RFC 9110 section 5.5, without obs-text: visible ASCII, spaces and tabs.
[[nodiscard]] bool is_field_value(std::string_view text);

/// The same with obs-text, as it may be received: what an old client sends in Latin-1 or UTF-8.
[[nodiscard]] bool is_received_value(std::string_view text);

/// Without spaces and tabs in front and behind (OWS, RFC 9110 section 5.6.3).
[[nodiscard]] std::string_view without_outer_space(std::string_view text);

/// Undoes percent-encoding (RFC 3986 section 2.1). Nothing where a '%' is not followed by two
/// hexadecimal digits, or where a control character comes out.
[[nodiscard]] std::optional<std::string> percent_decode(std::string_view text);

/// Path and query of a request target (RFC 9112 section 3.2), as sent; views into `target`.
struct TargetParts {
  std::string_view path;  // begins with '/'
  std::string_view query;
};
/// Takes the origin form and the absolute form; nothing for the others, for a fragment, and for
/// characters that a URI cannot have.
[[nodiscard]] std::optional<TargetParts> read_target(std::string_view target);

}  // namespace fiducia::http
