// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>

#include "core/core.h"
#include "http/message.h"

namespace fiducia::http {

/// One whole request. Nothing in it was checked beyond the grammar of HTTP and the limits.
struct Request {
  std::string method;  // "GET"
  std::string path;    // of the request target, as sent (percent-encoded); begins with '/'
  std::string query;   // what follows '?', as sent
  Headers headers;
  Bytes body;
  std::string peer;  // the client's IP address
};

/// Content-Length, Connection and Date are the server's. To a HEAD request give what GET would
/// give: its length is told and the body left out.
struct Response {
  unsigned status = 200;
  Headers headers = {};
  Bytes body = {};
};

/// Runs on one of the server's worker threads, several at once. If it throws, the client gets
/// 500 (std::bad_alloc: 503) and the server goes on.
using Handler = std::function<Response(const Request&)>;

/// One answered request, for a log: no query, no header, no body. A request that broke the grammar
/// or a limit (400, 408, 413, 431) may lack method and path.
struct Served {
  std::string peer;
  std::string method;
  std::string path;
  unsigned status = 0;
  std::uint64_t body_bytes = 0;  // of the response as sent
  std::chrono::microseconds duration{};
};
/// Called by one thread at a time, after the response was sent or the client was gone.
using ServedLog = std::function<void(const Served&)>;

struct ServerOptions {
  std::string address = "127.0.0.1";  // an IP address; "::" and "0.0.0.0" mean every interface
  std::uint16_t port = 0;             // 0: the system chooses a free one
  unsigned workers = 4;               // requests that are answered at the same time
  std::uint32_t connections_max = limits::http_connections_max;  // more wait in the backlog
  std::uint32_t header_bytes_max = limits::http_header_bytes_max;
  std::uint64_t body_bytes_max = limits::http_request_bytes_max;
  /// Of one client (an IPv4 address or an IPv6 /64), with ten seconds' worth at once; more get 429.
  /// 0: no limit, which is right behind a proxy, where all come from one address.
  std::uint32_t requests_per_second_max = 0;
  std::uint32_t idle_timeout_ms = 60'000;      // between two requests of a connection
  std::uint32_t request_timeout_ms = 10'000;   // first to last byte of a request, its body too
  std::uint32_t response_timeout_ms = 60'000;  // taking one response
  std::uint32_t stop_timeout_ms = 5'000;       // for requests being answered when it stops
};

/// An HTTP/1.1 server with keep-alive and pipelining (answered in order), without TLS: put a
/// proxy in front where clients come over the open network.
///
/// One thread moves bytes for all connections, workers run the handler; so slow clients hold no
/// worker, and each holds at most one request and one response in memory.
class Server {
 public:
  struct State;  // inside server.cpp
  /// Listens on return. Errors: usage_invalid (no such address), io_unreadable (port taken, not
  /// permitted).
  [[nodiscard]] static Result<Server> start(const ServerOptions& options, Handler handler,
                                            ServedLog log = {});
  Server(Server&&) noexcept;
  Server& operator=(Server&&) noexcept;
  /// Stops first.
  ~Server();

  [[nodiscard]] std::uint16_t port() const;
  /// "http://127.0.0.1:40123", without a slash at the end.
  [[nodiscard]] std::string url() const;
  /// Returns once a stop was requested.
  void wait(const std::stop_token& stop) const;
  /// Takes no more connections, lets requests that are being answered finish for
  /// `stop_timeout_ms`, closes the rest, joins all threads. May be called again.
  void stop();

 private:
  explicit Server(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace fiducia::http
