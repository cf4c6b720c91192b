// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/core.h"

/// HTTP/1.1 (RFC 9110, RFC 9112), as much of it as a log needs: a server and a client.
namespace fiducia::http {

/// Name and value of each header field, in order. What comes from the network has names in lower
/// case and values without outer white space.
using Headers = std::vector<std::pair<std::string, std::string>>;

/// The value of the first field called `name`, whatever its case; owned by `headers`.
[[nodiscard]] std::optional<std::string_view> find_header(const Headers& headers,
                                                          std::string_view name);

/// `url` as it may be shown and logged: without user, password, query and fragment, control
/// characters as '?'. Text that is no http or https URL comes out as "(not a URL)".
[[nodiscard]] std::string printable_url(std::string_view url);

}  // namespace fiducia::http
