// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "core/core.h"
#include "crypto/crypto.h"
#include "http/message.h"

namespace fiducia::http {

/// Names and values that a route's pattern found in the path, percent-decoded.
using Parameters = std::vector<std::pair<std::string, std::string>>;

/// One request. Nothing in it was checked beyond the grammar of HTTP, the limits and the client's
/// certificate.
struct Request {
  std::string method;  // "GET"
  std::string path;    // of the request target, as sent (percent-encoded); begins with '/'
  std::string query;   // what follows '?', as sent
  Headers headers;
  Bytes body;        // whole, or empty where the handler takes it as a stream
  std::string peer;  // the client's IP address
  Parameters parameters = {};
  /// Of a client that showed one over TLS and proved to have its key; issued by one of the
  /// server's authorities.
  std::optional<crypto::Certificate> client_certificate = {};
};

/// The value of a parameter that the route's pattern has.
[[nodiscard]] std::string_view parameter(const Request& request, std::string_view name);

/// Content-Length, Transfer-Encoding, Connection and Date are the server's. To a HEAD request give
/// what GET would give: its length is told and the body left out.
struct Response {
  unsigned status = 200;
  Headers headers = {};
  Bytes body = {};
  std::unique_ptr<ByteSource> source = {};  // in place of `body`; read on worker threads
};

/// Runs on one of the server's worker threads, several at once. If it throws, the client gets
/// 500 (std::bad_alloc: 503) and the server goes on.
using Handler = std::function<Response(const Request&)>;

/// Takes the body of one request and then answers it. One call at a time, each on a worker thread,
/// and only when bytes have come: a slow client holds no worker. If the body does not come to its
/// end (the client is gone, or broke the grammar or a limit), the receiver is destroyed without
/// having answered. What it throws ends as with a Handler.
class Receiver : public ByteSink {
 public:
  /// Called once: after the last byte, or at once with the Error that `write` gave; then the rest
  /// of the body is not taken.
  [[nodiscard]] virtual Response answer(const Status& received) = 0;
};

/// Told of a request whose body has not come yet: who takes it, or the answer to give at once, so
/// that a client that asked (Expect: 100-continue) does not send it at all.
using StreamHandler =
    std::function<std::variant<Response, std::unique_ptr<Receiver>>(const Request&)>;

}  // namespace fiducia::http
