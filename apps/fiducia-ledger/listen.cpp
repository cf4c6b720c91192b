// SPDX-License-Identifier: Apache-2.0
#include "listen.h"

#include <charconv>

namespace fiducia::ledger_app {

Status read_listen(const std::string& text, http::ServerOptions& options) {
  const std::size_t colon = text.rfind(':');
  const char* const end = text.data() + text.size();
  if (colon != std::string::npos && colon > 0) {
    const auto [rest, error] = std::from_chars(text.data() + colon + 1, end, options.port);
    options.address = text.substr(0, colon);
    const bool brackets = options.address.starts_with('[') && options.address.ends_with(']');
    if (brackets) options.address = options.address.substr(1, options.address.size() - 2);
    if (error == std::errc{} && rest == end && brackets == options.address.contains(':')) return {};
  }
  return fail(ErrorCode::usage_invalid, "\"" + text + "\" is not an address and a port.",
              "Give --listen 127.0.0.1:8080, or [::1]:8080; port 0 takes a free one.");
}

}  // namespace fiducia::ledger_app
