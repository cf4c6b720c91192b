// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <array>
#include <boost/asio.hpp>
#include <functional>
#include <optional>
#include <span>

#include "core/core.h"
#include "crypto/tls.h"

/// One connection's socket, with or without TLS over it.
namespace fiducia::net {

/// Moves bytes. One operation is pending at a time, and who asked for it keeps the object alive.
/// Thread safety: none; belongs to the thread that runs the socket's context.
class Transport {
 public:
  using error_code = boost::system::error_code;
  using Done = std::move_only_function<void(error_code, std::size_t)>;

  /// `socket` must not block.
  Transport(boost::asio::ip::tcp::socket socket, std::optional<crypto::TlsEngine> tls)
      : socket_(std::move(socket)), tls_(std::move(tls)) {}

  [[nodiscard]] bool is_secure() const { return tls_.has_value(); }
  /// The server's side of the handshake; only with TLS. After an error the client may be told why
  /// with `send_rest`.
  void shake_hands(Done done);
  /// At least one byte into `to`, or an error; `eof` at the end.
  void read_some(std::span<std::byte> to, Done done);
  /// All bytes, which stay where they are until `done`.
  void write(std::span<const ByteView> parts, Done done);
  /// Says that nothing follows, then shuts the sending side.
  void end(Done done);
  /// Reads and throws away, past TLS; says how many bytes.
  void discard_some(Done done);
  /// Has what was received acknowledged now, where the system would wait for something to send
  /// along (RFC 1122 section 4.2.3.2): 40 ms for each message of a peer that waits for it in turn.
  /// Counts for the bytes read last.
  void acknowledge_at_once();
  void cancel();
  void close();

  /// Whether bytes have come that nobody has read.
  [[nodiscard]] bool has_unread() const;
  /// Nothing without TLS, or where the client showed none.
  [[nodiscard]] Result<std::optional<crypto::Certificate>> peer_certificate() const;
  /// Why TLS failed, when it did.
  [[nodiscard]] const std::optional<Error>& tls_error() const { return tls_error_; }

 private:
  void finish_soon(Done done, error_code error, std::size_t count);
  void fail_over_tls(Error error, Done done);
  void flush(Done done);
  void fetch(Done done);
  void go_on_shaking(Done done);

  boost::asio::ip::tcp::socket socket_;
  std::optional<crypto::TlsEngine> tls_;
  std::optional<Error> tls_error_;
  Bytes output_;  // encrypted, while it is written
};

}  // namespace fiducia::net
