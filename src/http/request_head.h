// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

#include "http/message.h"

/// Inside http: what stands before the body of a request, read as RFC 9112 says and no more
/// leniently. Two readers of one byte stream that disagree on where a request ends are how requests
/// are smuggled; so obs-fold, a bare LF or CR, white space around names, Content-Length beside
/// Transfer-Encoding, repeated lengths and codings other than "chunked" are refused.
namespace fiducia::http {

struct RequestHead {
  std::string method;
  std::string target;
  unsigned minor_version = 1;  // of HTTP/1
  Headers headers;
  std::uint64_t length_bytes = 0;  // of the body; 0 when chunked
  bool is_chunked = false;
  bool keep_alive = true;
  bool expects_continue = false;
};

/// Looks for the end of a head in bytes that come bit by bit; each byte is looked at once.
class HeadScan {
 public:
  enum class Found : std::uint8_t { not_yet, end, malformed };
  /// `received` begins with the first byte of the request and only grows from call to call. One
  /// empty line in front is skipped (RFC 9112 section 2.2).
  [[nodiscard]] Found scan(std::string_view received);
  /// Once the end is found: where the head begins, and the offset past its empty line.
  [[nodiscard]] std::size_t begin() const { return begin_; }
  [[nodiscard]] std::size_t end() const { return scanned_; }

 private:
  std::size_t begin_ = 0;
  std::size_t line_ = 0;  // where the present line begins
  std::size_t scanned_ = 0;
};

/// Reads a head, its empty line included. The error is the status to refuse the request with: 400,
/// 417 (an expectation other than 100-continue), 501 (a transfer coding other than chunked), 505.
[[nodiscard]] std::expected<RequestHead, unsigned> read_request_head(std::string_view text);

}  // namespace fiducia::http
