// SPDX-License-Identifier: Apache-2.0
// What a stranger sends to a server: head and chunked body, whole and bit by bit. Boost.Beast reads
// the same bytes: where we take a request, both see the same one, or a proxy in front and we could
// be made to see two.
#include <algorithm>
#include <boost/beast/http.hpp>
#include <iterator>
#include <string>
#include <utility>

#include "core/core.h"
#include "http/chunks.h"
#include "http/grammar.h"
#include "http/request_head.h"
#include "target.h"

using namespace fiducia;

namespace {

struct Whole {
  http::RequestHead head;
  std::string body;
  std::size_t taken = 0;
};

/// The first request in `text`, received `step` bytes at a time. Nothing where it is refused or not
/// complete.
std::optional<Whole> read_request(std::string_view text, std::size_t step) {
  http::HeadScan scan;
  auto found = http::HeadScan::Found::not_yet;
  for (std::size_t received = 0;
       found == http::HeadScan::Found::not_yet && received < text.size();) {
    received = std::min(text.size(), received + step);
    found = scan.scan(text.substr(0, received));
  }
  if (found != http::HeadScan::Found::end) return std::nullopt;
  FIDUCIA_ASSERT(scan.end() <= text.size());
  auto head = http::read_request_head(text.substr(scan.begin(), scan.end() - scan.begin()));
  if (!head || !http::read_target(head->target)) return std::nullopt;
  Whole whole{.head = *head, .body = {}, .taken = scan.end()};
  if (!head->is_chunked) {
    const std::string_view rest = text.substr(whole.taken);
    if (head->length_bytes > rest.size()) return std::nullopt;
    whole.body = rest.substr(0, static_cast<std::size_t>(head->length_bytes));
    whole.taken += whole.body.size();
    return whole;
  }
  http::ChunkReader chunks;
  while (!chunks.is_done()) {
    const std::string_view part = text.substr(whole.taken, step);
    if (part.empty()) return std::nullopt;
    Bytes bytes{as_bytes(part).begin(), as_bytes(part).end()};
    const auto progress = chunks.read(bytes);
    if (!progress) return std::nullopt;
    FIDUCIA_ASSERT(progress->taken <= part.size() && progress->payload <= progress->taken);
    FIDUCIA_ASSERT(progress->taken == part.size() || chunks.is_done());
    whole.body += as_text(ByteView{bytes}.first(progress->payload));
    whole.taken += progress->taken;
  }
  return whole;
}

void compare_with_beast(std::string_view text, const Whole& ours) {
  namespace beast = boost::beast::http;
  beast::request_parser<beast::string_body> parser;
  parser.eager(true);
  parser.header_limit(1 << 20);
  parser.body_limit(1 << 20);
  boost::system::error_code error;
  std::size_t taken = 0;
  // It does not skip an empty line in front.
  if (text.starts_with("\r\n")) taken = 2;
  while (!parser.is_done() && taken < text.size()) {
    const std::size_t count =
        parser.put(boost::asio::buffer(text.data() + taken, text.size() - taken), error);
    taken += count;
    if (error || count == 0) break;
  }
  // It refuses more than we do: HTTP/1.2, and a Connection field that lists what is no token.
  if (error && error != beast::error::need_more) return;
  FIDUCIA_ASSERT(parser.is_done() && taken == ours.taken);
  const auto& theirs = parser.get();
  FIDUCIA_ASSERT(std::string_view{theirs.method_string()} == ours.head.method);
  FIDUCIA_ASSERT(std::string_view{theirs.target()} == ours.head.target);
  FIDUCIA_ASSERT(theirs.body() == ours.body);
  // It puts fields of one name together, in their order; values are as we have them. Fields behind
  // the last chunk count as headers for it, and are left out by us (RFC 9110 6.5.1).
  const auto fields = std::distance(theirs.begin(), theirs.end());
  FIDUCIA_ASSERT(ours.head.is_chunked ? std::cmp_greater_equal(fields, ours.head.headers.size())
                                      : std::cmp_equal(fields, ours.head.headers.size()));
  for (const auto& [name, value] : ours.head.headers) {
    const auto range = theirs.equal_range(name);
    FIDUCIA_ASSERT(
        std::any_of(range.first, range.second, [&, &expected = value](const auto& field) {
          return std::string_view{field.value()} == expected;
        }));
  }
}

}  // namespace

FIDUCIA_FUZZ_TARGET(http_request) {
  const std::string_view text{reinterpret_cast<const char*>(data), size};
  const auto whole = read_request(text, size + 1);
  const std::size_t step = size > 0 ? 1 + data[size - 1] % 7 : 1;
  const auto pieces = read_request(text, step);
  FIDUCIA_ASSERT(whole.has_value() == pieces.has_value());
  if (!whole) return 0;
  FIDUCIA_ASSERT(whole->taken == pieces->taken && whole->body == pieces->body);
  FIDUCIA_ASSERT(whole->head.headers == pieces->head.headers);
  const http::RequestHead& head = whole->head;
  FIDUCIA_ASSERT(http::is_token(head.method));
  FIDUCIA_ASSERT(!(head.is_chunked && head.length_bytes > 0));
  // What is written from it reads the same again.
  std::string again =
      head.method + " " + head.target + " HTTP/1." + std::to_string(head.minor_version) + "\r\n";
  for (const auto& [name, value] : head.headers) again += name + ": " + value + "\r\n";
  const auto reread = http::read_request_head(again + "\r\n");
  FIDUCIA_ASSERT(reread && reread->headers == head.headers && reread->target == head.target &&
                 reread->keep_alive == head.keep_alive && reread->is_chunked == head.is_chunked &&
                 reread->length_bytes == head.length_bytes);
  compare_with_beast(text, *whole);
  return 0;
}
