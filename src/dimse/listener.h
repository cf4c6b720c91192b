// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "core/core.h"
#include "crypto/tls.h"
#include "dimse/service.h"

namespace fiducia::dimse {

struct ListenerOptions {
  std::string address = "127.0.0.1";  // an IP address; "::" and "0.0.0.0" mean every interface
  std::uint16_t port = 0;             // 0: the system chooses a free one
  unsigned workers = 4;               // messages that are worked on at the same time
  std::uint32_t connections_max = limits::dimse_connections_max;
  /// Of one client: an IPv4 address or an IPv6 /64.
  std::uint32_t connections_per_client_max = limits::dimse_connections_per_client_max;
  std::optional<crypto::TlsContext> tls = {};
  AssociationOptions association = {};
  /// A peer that breaks the protocol before it has proposed an association gets no A-ABORT, which
  /// PS3.8 would have (AA-1): a stranger learns nothing of what listens here.
  bool is_silent_to_strangers = true;
  std::uint32_t request_timeout_ms =
      30'000;                              // TLS and the proposal, and closing at the end (ARTIM)
  std::uint32_t idle_timeout_ms = 60'000;  // between two messages
  std::uint32_t data_timeout_ms = 30'000;  // without a byte within a message, in either direction
  /// A message comes at least as fast, once it has taken as long as `data_timeout_ms`; counted is
  /// only what we waited for the peer.
  std::uint32_t bytes_per_second_min = 1'024;
  std::uint32_t stop_timeout_ms = 5'000;  // for messages that are worked on when it stops
};

/// Takes associations (PS3.8). One thread moves bytes for all connections, workers run the
/// services. When connections are used up, a new one takes the place of the oldest that has not
/// proposed an association yet; if there is none, it is closed.
///
/// Memory for each association: one P-DATA-TF in each direction, a command set, 64 KiB.
class Listener {
 public:
  struct State;  // inside: session.h
  /// Listens on return. Errors: usage_invalid (no such address), io_unreadable (port taken, not
  /// permitted).
  [[nodiscard]] static Result<Listener> start(const ListenerOptions& options, MakeService make);
  Listener(Listener&&) noexcept;
  Listener& operator=(Listener&&) noexcept;
  /// Stops first.
  ~Listener();

  [[nodiscard]] std::uint16_t port() const;
  /// Takes no more connections, lets messages that are being worked on finish for
  /// `stop_timeout_ms`, aborts the rest, joins all threads. May be called again.
  void stop();

 private:
  explicit Listener(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace fiducia::dimse
