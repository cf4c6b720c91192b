// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>

#include "http/http.h"

namespace fiducia::ledger_app {

/// Takes address and port from "127.0.0.1:8080" or "[::1]:8080". Errors: usage_invalid.
[[nodiscard]] Status read_listen(const std::string& text, http::ServerOptions& options);

}  // namespace fiducia::ledger_app
