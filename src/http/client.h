// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>

#include "core/core.h"
#include "http/message.h"

namespace fiducia::http {

struct ClientRequest {
  std::string method = "GET";
  std::string url;       // http or https; the path is sent as it stands
  Headers headers = {};  // added to Host, User-Agent and Content-Length, or in place of them
  Bytes body = {};       // sent for PUT and POST even when empty
  std::uint64_t response_bytes_max = limits::http_response_bytes_max;  // of the body
  std::uint32_t total_timeout_ms = 60'000;  // from the look-up of the name to the last byte
  unsigned redirects_max = 0;               // 0: a redirect is returned as any other response
  std::stop_token stop = {};                // ends the request early, with an error
};

struct ClientResponse {
  unsigned status = 0;  // any; only what gave no status is an Error
  Headers headers;      // of the last response, when redirects were followed
  Bytes body;           // as sent: a Content-Encoding is the caller's to undo
};

struct ClientOptions {
  std::uint32_t connect_timeout_ms = 10'000;
  std::string user_agent = "fiducia";
  std::string ca_file = {};  // PEM certificates to trust for https in place of the system's
};

/// Sends requests and keeps connections for the next ones. A proxy in the environment (https_proxy)
/// is used, but not for loopback addresses. Thread safety: `send` may run concurrently; each
/// concurrent call uses a connection of its own.
class Client {
 public:
  explicit Client(ClientOptions options = {});
  Client(Client&&) noexcept;
  Client& operator=(Client&&) noexcept;
  ~Client();

  /// Errors: usage_invalid (not an http or https URL, or a method or header with forbidden
  /// characters), io_unreadable (no whole response: unreachable, timeout, connection lost,
  /// stopped), over_limit (body longer than allowed). All name `printable_url` of the request.
  [[nodiscard]] Result<ClientResponse> send(const ClientRequest& request) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace fiducia::http
