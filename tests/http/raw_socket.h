// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

/// Plain TCP on loopback, for what no well-behaved client or server sends.
namespace fiducia::test {

/// A file descriptor that closes itself.
class Socket {
 public:
  explicit Socket(int fd) : fd_(fd) {}
  Socket(Socket&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Socket& operator=(Socket&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Socket() { close(); }
  void close();
  [[nodiscard]] int fd() const { return fd_; }
  /// Whether all of it was taken.
  [[nodiscard]] bool send(std::string_view text) const;
  /// Everything up to the end of the stream, or what came within ten seconds.
  [[nodiscard]] std::string read_all() const;
  /// Up to and including `end`, or to the end of the stream.
  [[nodiscard]] std::string read_until(std::string_view end) const;
  [[nodiscard]] std::string read_exactly(std::size_t count) const;
  /// Whether bytes or the end of the stream are there within `timeout_ms`.
  [[nodiscard]] bool is_readable(int timeout_ms) const;
  void shut_sending() const;

 private:
  int fd_;
};

/// A connection to 127.0.0.1; fd() is negative when it was refused.
[[nodiscard]] Socket connect_to(std::uint16_t port);

/// The same from another address of the loopback network 127.0.0.0/8.
[[nodiscard]] Socket connect_from(std::uint32_t address, std::uint16_t port);

/// Listens on a free port, takes connections one after the other and hands each to `serve`, at
/// most `connections` of them; the port is closed afterwards.
class ScriptedServer {
 public:
  ScriptedServer(unsigned connections, std::function<void(const Socket&)> serve);
  ~ScriptedServer();
  [[nodiscard]] std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }
  [[nodiscard]] std::uint16_t port() const { return port_; }

 private:
  Socket listener_;
  std::uint16_t port_ = 0;
  std::jthread thread_;
};

}  // namespace fiducia::test
