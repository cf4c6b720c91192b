// SPDX-License-Identifier: Apache-2.0
#include "http/request_head.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <optional>

#include "http/grammar.h"

namespace fiducia::http {
namespace {

constexpr unsigned bad_request = 400;
constexpr unsigned expectation_failed = 417;
constexpr unsigned not_implemented = 501;
constexpr unsigned version_not_supported = 505;

/// Cuts off and returns the next line without its CRLF.
std::optional<std::string_view> take_line(std::string_view& rest) {
  const std::size_t end = rest.find("\r\n");
  if (end == std::string_view::npos) return std::nullopt;
  const std::string_view line = rest.substr(0, end);
  rest.remove_prefix(end + 2);
  return line;
}

/// Status 0: fine.
unsigned read_request_line(std::string_view line, RequestHead& head) {
  const std::size_t method_end = line.find(' ');
  const std::size_t target_end = line.rfind(' ');
  if (method_end == std::string_view::npos || target_end <= method_end + 1) return bad_request;
  const std::string_view method = line.substr(0, method_end);
  const std::string_view target = line.substr(method_end + 1, target_end - method_end - 1);
  const std::string_view version = line.substr(target_end + 1);
  if (!is_token(method) || target.contains(' ')) return bad_request;
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  if (version.size() != 8 || !version.starts_with("HTTP/") || !is_digit(version[5]) ||
      version[6] != '.' || !is_digit(version[7]))
    return bad_request;
  if (version[5] != '1') return version_not_supported;
  head.method = method;
  head.target = target;
  head.minor_version = version[7] == '0' ? 0 : 1;
  return 0;
}

/// Whether a comma-separated list holds `word` (in lower case).
bool list_holds(std::string_view list, std::string_view word) {
  while (true) {
    const std::size_t comma = list.find(',');
    if (lower_case(without_outer_space(list.substr(0, comma))) == word) return true;
    if (comma == std::string_view::npos) return false;
    list.remove_prefix(comma + 1);
  }
}

/// 1*DIGIT, and nothing else that from_chars would take.
bool read_length(std::string_view value, std::uint64_t& length) {
  constexpr std::size_t digits_max = 18;  // stays below 2^63
  if (value.empty() || value.size() > digits_max) return false;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), length);
  return error == std::errc{} && end == value.data() + value.size();
}

/// What the fields say of framing and connection. RFC 9112 sections 6 and 9.3.
unsigned read_framing(RequestHead& head) {
  int hosts = 0;
  int lengths = 0;
  int codings = 0;
  bool closes = false;
  bool keeps = false;
  for (const auto& [name, value] : head.headers) {
    if (name == "host") ++hosts;
    if (name == "content-length") {
      if (++lengths > 1 || !read_length(value, head.length_bytes)) return bad_request;
    }
    if (name == "transfer-encoding") {
      if (++codings > 1) return bad_request;
      if (lower_case(value) != "chunked") return not_implemented;
      head.is_chunked = true;
    }
    if (name == "connection") {
      closes = closes || list_holds(value, "close");
      keeps = keeps || list_holds(value, "keep-alive");
    }
    if (name == "expect" && head.minor_version > 0) {
      if (lower_case(value) != "100-continue") return expectation_failed;
      head.expects_continue = true;
    }
  }
  if (hosts > 1 || (hosts == 0 && head.minor_version > 0)) return bad_request;
  if (head.is_chunked && (lengths > 0 || head.minor_version == 0)) return bad_request;
  head.keep_alive = !closes && (head.minor_version > 0 || keeps);
  return 0;
}

}  // namespace

HeadScan::Found HeadScan::scan(std::string_view received) {
  if (scanned_ == 0 && received.starts_with('\r')) {
    if (received.size() < 2) return Found::not_yet;
    if (received[1] != '\n') return Found::malformed;
    begin_ = line_ = scanned_ = 2;
  }
  // Whoever speaks another protocol is told at once, not when time is up.
  if (scanned_ == begin_ && received.size() > begin_ && !is_token(received.substr(begin_, 1)))
    return Found::malformed;
  while (scanned_ < received.size()) {
    const std::size_t feed = received.find('\n', scanned_);
    if (feed == std::string_view::npos) {
      scanned_ = received.size();
      return Found::not_yet;
    }
    if (feed == line_ || received[feed - 1] != '\r') return Found::malformed;
    const bool is_empty = feed == line_ + 1;
    line_ = scanned_ = feed + 1;
    if (is_empty) return Found::end;
  }
  return Found::not_yet;
}

std::expected<RequestHead, unsigned> read_request_head(std::string_view text) {
  RequestHead head;
  const auto request_line = take_line(text);
  if (!request_line) return std::unexpected(bad_request);
  if (const unsigned status = read_request_line(*request_line, head); status != 0)
    return std::unexpected(status);
  while (true) {
    const auto line = take_line(text);
    if (!line) return std::unexpected(bad_request);
    if (line->empty()) break;
    const std::size_t colon = line->find(':');
    if (colon == std::string_view::npos) return std::unexpected(bad_request);
    const std::string_view name = line->substr(0, colon);
    const std::string_view value = without_outer_space(line->substr(colon + 1));
    // A line that begins with white space, obs-fold, has no token for a name.
    if (!is_token(name) || !is_received_value(value)) return std::unexpected(bad_request);
    head.headers.emplace_back(lower_case(name), std::string{value});
  }
  if (!text.empty()) return std::unexpected(bad_request);
  if (const unsigned status = read_framing(head); status != 0) return std::unexpected(status);
  return head;
}

}  // namespace fiducia::http
