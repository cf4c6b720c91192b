// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <string>

#include "http/handler.h"

/// Inside http: status line and header fields of a response.
namespace fiducia::http {

/// How the other side finds the end of the body (RFC 9112 section 6.3).
enum class Framing : std::uint8_t { none, length, chunked, to_the_end };

/// 204, 304 and what is no final status have no body.
[[nodiscard]] bool may_have_body(unsigned status);

/// A handler's word is not taken for it: a value with a line end would forge a header field.
[[nodiscard]] bool is_sound(const Response& response);

/// Status line and header. `length_bytes` is told with Framing::length, and where a response to
/// HEAD, which has none, says it.
[[nodiscard]] std::string write_head(const Response& response, Framing framing,
                                     std::optional<std::uint64_t> length_bytes, bool keep_alive);

}  // namespace fiducia::http
