// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>

#include "core/core.h"
#include "crypto/tls.h"
#include "http/message.h"

namespace fiducia::http {

struct ClientRequest {
  std::string method = "GET";
  std::string url;       // http or https; the path is sent as it stands
  Headers headers = {};  // added to Host, User-Agent and Content-Length, or in place of them
  Bytes body = {};       // sent for PUT and POST even when empty
  /// In place of `body`, pulled as it is sent; outlives the call. The server is asked first whether
  /// it wants the body (Expect: 100-continue). No redirect is followed.
  ByteSource* source = nullptr;
  /// Takes the body of a response with a status of 2xx; outlives the call. Other bodies, which say
  /// what went wrong, come in the response.
  ByteSink* sink = nullptr;
  std::uint64_t response_bytes_max = limits::http_response_bytes_max;  // of the body
  std::uint32_t total_timeout_ms = 60'000;  // from the look-up of the name to the last byte; 0: any
  std::uint32_t stall_timeout_ms = 30'000;  // without a byte in either direction
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
  std::string ca_file = {};          // PEM certificates to trust for https in place of the system's
  std::string authorities_pem = {};  // the same as text
  std::optional<crypto::TlsIdentity> identity = {};  // for servers that ask for a certificate
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
  /// stopped), over_limit (body longer than allowed), and those of source and sink. All but the
  /// last two name `printable_url` of the request.
  [[nodiscard]] Result<ClientResponse> send(const ClientRequest& request) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace fiducia::http
