// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>

#include "core/core.h"
#include "crypto/tls.h"
#include "http/handler.h"
#include "http/routes.h"

namespace fiducia::http {

/// One answered request, for a log: no query, no header, no body. A request that broke the grammar
/// or a limit (400, 408, 413, 431) may lack method and path.
struct Served {
  std::string peer;
  std::string method;
  std::string path;
  unsigned status = 0;           // 0: no request, since the TLS handshake failed
  std::uint64_t body_bytes = 0;  // of the response as sent
  std::chrono::microseconds duration{};
  std::string tls_error = {};  // why it failed
};
/// Called by one thread at a time, after the response was sent or the client was gone.
using ServedLog = std::function<void(const Served&)>;

struct ServerOptions {
  std::string address = "127.0.0.1";  // an IP address; "::" and "0.0.0.0" mean every interface
  std::uint16_t port = 0;             // 0: the system chooses a free one
  unsigned workers = 4;               // requests that are answered at the same time
  std::uint32_t connections_max = limits::http_connections_max;
  /// Of one client (an IPv4 address or an IPv6 /64). 0: no limit, which is right behind a proxy,
  /// where all come from one address.
  std::uint32_t connections_per_client_max = limits::http_connections_per_client_max;
  std::uint32_t header_bytes_max = limits::http_header_bytes_max;
  std::uint64_t body_bytes_max = limits::http_request_bytes_max;  // where a route says nothing
  /// Of one client, with ten seconds' worth at once; more get 429. 0: no limit.
  std::uint32_t requests_per_second_max = 0;
  std::uint32_t idle_timeout_ms = 60'000;       // between two requests of a connection
  std::uint32_t handshake_timeout_ms = 10'000;  // of TLS
  std::uint32_t request_timeout_ms = 10'000;    // first to last byte of a request's head
  /// For each 64 KiB of a body, in either direction; only time spent on waiting for the client
  /// counts. More slowly means 408, or the end of the connection.
  std::uint32_t body_timeout_ms = 30'000;
  std::uint32_t transfer_timeout_ms = 6 * 3'600'000;  // for a whole body, counted in the same way
  std::uint32_t stop_timeout_ms = 5'000;              // for requests being answered when it stops
  /// When connections are used up, a new one takes the place of the one that has gone longest
  /// without progress (a connection made, a request begun or answered, 64 KiB moved), provided
  /// that it was this long; if there is none, new ones wait.
  std::uint32_t eviction_age_ms = 500;
  std::optional<crypto::TlsContext> tls = {};  // https in place of http
};

/// An HTTP/1.1 server with keep-alive and pipelining (answered in order), with or without TLS.
///
/// One thread moves bytes for all connections, workers run handlers, receivers and sources; so slow
/// clients hold no worker. Each connection holds at most one request and one response in memory,
/// and 128 KiB of a body that is a stream.
class Server {
 public:
  struct State;  // inside: session.h
  /// Listens on return. Errors: usage_invalid (no such address), io_unreadable (port taken, not
  /// permitted).
  [[nodiscard]] static Result<Server> start(const ServerOptions& options, Routes routes,
                                            ServedLog log = {});
  /// The same with one handler for every method and path.
  [[nodiscard]] static Result<Server> start(const ServerOptions& options, Handler handler,
                                            ServedLog log = {});
  Server(Server&&) noexcept;
  Server& operator=(Server&&) noexcept;
  /// Stops first.
  ~Server();

  [[nodiscard]] std::uint16_t port() const;
  /// "http://127.0.0.1:40123", or with https, without a slash at the end.
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
