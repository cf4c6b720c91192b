// SPDX-License-Identifier: Apache-2.0
#include "ledger_net/http_source.h"

#include <algorithm>
#include <charconv>

#include "ledger_net/gzip.h"

namespace fiducia::ledger_net {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds first_wait{250};
constexpr milliseconds longest_wait{30'000};

/// What gzip may take for `bytes` that do not get smaller.
std::uint64_t packed_bytes_max(std::uint64_t bytes) { return bytes + bytes / 1024 + 128; }

bool is_worth_another_try(const Result<http::ClientResponse>& response) {
  if (!response) return response.error().code == ErrorCode::io_unreadable;
  return response->status == 429 || response->status >= 500;
}

/// Retry-After in seconds (RFC 9110 section 10.2.3); a date there is left to our own patience.
milliseconds asked_wait(const Result<http::ClientResponse>& response) {
  if (!response) return {};
  const auto field = http::find_header(response->headers, "retry-after");
  std::uint32_t seconds = 0;
  if (!field ||
      std::from_chars(field->data(), field->data() + field->size(), seconds).ec != std::errc{})
    return {};
  return std::min<milliseconds>(std::chrono::seconds{seconds}, longest_wait);
}

}  // namespace

Result<std::shared_ptr<HttpSource>> HttpSource::make(std::string_view prefix,
                                                     std::shared_ptr<const http::Client> client,
                                                     HttpSourceOptions options) {
  std::string shown = http::printable_url(prefix);
  const std::size_t scheme_end = prefix.find("://");
  const bool is_url = shown.find("://") != std::string::npos &&
                      prefix.find_first_of("?#") == std::string_view::npos &&
                      scheme_end + 3 < prefix.size();
  if (!is_url)
    return fail(ErrorCode::usage_invalid, "This is not the address of a log.",
                "Give the URL below which \"checkpoint\" lies, such as https://example.org/log.",
                Location{.file = std::move(shown)});
  std::string with_slash{prefix};
  if (!with_slash.ends_with('/')) with_slash += '/';
  return std::shared_ptr<HttpSource>{
      new HttpSource{std::move(with_slash), std::move(client), std::move(options)}};
}

std::string HttpSource::name_of(const std::string& path) const {
  return http::printable_url(prefix_ + path);
}

void HttpSource::wait(milliseconds time) const {
  if (options_.wait) return options_.wait(time);
  pause_between_tries(time, options_.stop);
}

Result<http::ClientResponse> HttpSource::ask(const std::string& path,
                                             std::uint64_t bytes_max) const {
  milliseconds patience = first_wait;
  for (unsigned attempt = 1;; ++attempt) {
    auto response = client_->send({.url = prefix_ + path,
                                   .headers = {{"Accept-Encoding", "gzip, identity"}},
                                   .response_bytes_max = packed_bytes_max(bytes_max),
                                   .total_timeout_ms = options_.timeout_ms,
                                   .stop = options_.stop});
    if (!is_worth_another_try(response) || attempt >= options_.attempts ||
        options_.stop.stop_requested())
      return response;
    wait(std::max(patience, asked_wait(response)));
    patience = std::min(patience * 2, longest_wait);
  }
}

Result<std::optional<Bytes>> HttpSource::read(const std::string& path,
                                              std::uint64_t bytes_max) const {
  auto response = ask(path, bytes_max);
  if (!response) {
    Error error = std::move(response).error();
    error.where.file = path;
    return std::unexpected(std::move(error));
  }
  if (response->status == 404 || response->status == 410) return std::nullopt;
  if (response->status != 200)
    return fail(ErrorCode::io_unreadable,
                "The server answered with status " + std::to_string(response->status) + ".",
                "Check the address of the log; if it is right, ask whoever runs the server.",
                Location{.file = path});
  const auto coding = http::find_header(response->headers, "content-encoding");
  if (!coding || *coding == "identity") {
    if (response->body.size() <= bytes_max) return std::move(response->body);
    return fail(ErrorCode::over_limit,
                "The object is longer than the " + std::to_string(bytes_max) +
                    " bytes that are allowed here.",
                "Check the address of the log.", Location{.file = path});
  }
  if (*coding != "gzip" && *coding != "x-gzip")
    return fail(ErrorCode::io_unreadable,
                "The server packed the object in a way that was not asked for.",
                "Ask whoever runs the server.", Location{.file = path});
  auto plain = gunzip(response->body, bytes_max);
  if (plain) return std::move(*plain);
  return fail(plain.error().code == ErrorCode::over_limit ? ErrorCode::over_limit
                                                          : ErrorCode::io_unreadable,
              plain.error().what, "Ask whoever runs the server.", Location{.file = path});
}

}  // namespace fiducia::ledger_net
