// SPDX-License-Identifier: Apache-2.0
#include "raw_socket.h"

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>

namespace fiducia::test {
namespace {

constexpr int patience_ms = 10'000;

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

}  // namespace

void Socket::close() {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
}

bool Socket::send(std::string_view text) const {
  while (!text.empty()) {
    const ssize_t sent = ::send(fd_, text.data(), text.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    text.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

bool Socket::is_readable(int timeout_ms) const {
  pollfd waiting{.fd = fd_, .events = POLLIN, .revents = 0};
  return ::poll(&waiting, 1, timeout_ms) > 0;
}

std::string Socket::read_all() const {
  std::string all;
  std::array<char, 65'536> part{};
  while (is_readable(patience_ms)) {
    const ssize_t count = ::recv(fd_, part.data(), part.size(), 0);
    if (count <= 0) break;
    all.append(part.data(), static_cast<std::size_t>(count));
  }
  return all;
}

std::string Socket::read_until(std::string_view end) const {
  std::string all;
  char one = 0;
  while (!all.ends_with(end) && is_readable(patience_ms) && ::recv(fd_, &one, 1, 0) == 1)
    all += one;
  return all;
}

std::string Socket::read_exactly(std::size_t count) const {
  std::string all;
  std::array<char, 65'536> part{};
  while (all.size() < count && is_readable(patience_ms)) {
    const ssize_t got = ::recv(fd_, part.data(), std::min(part.size(), count - all.size()), 0);
    if (got <= 0) break;
    all.append(part.data(), static_cast<std::size_t>(got));
  }
  return all;
}

void Socket::shut_sending() const { ::shutdown(fd_, SHUT_WR); }

Socket connect_to(std::uint16_t port) {
  Socket socket{::socket(AF_INET, SOCK_STREAM, 0)};
  const sockaddr_in address = loopback(port);
  if (::connect(socket.fd(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    socket.close();
  return socket;
}

Socket connect_from(std::uint32_t address, std::uint16_t port) {
  Socket socket{::socket(AF_INET, SOCK_STREAM, 0)};
  sockaddr_in own = loopback(0);
  own.sin_addr.s_addr = htonl(address);
  const sockaddr_in server = loopback(port);
  if (::bind(socket.fd(), reinterpret_cast<const sockaddr*>(&own), sizeof own) != 0 ||
      ::connect(socket.fd(), reinterpret_cast<const sockaddr*>(&server), sizeof server) != 0)
    socket.close();
  return socket;
}

ScriptedServer::ScriptedServer(unsigned connections, std::function<void(const Socket&)> serve)
    : listener_(::socket(AF_INET, SOCK_STREAM, 0)) {
  sockaddr_in address = loopback(0);
  socklen_t length = sizeof address;
  if (::bind(listener_.fd(), reinterpret_cast<const sockaddr*>(&address), length) != 0 ||
      ::listen(listener_.fd(), 16) != 0 ||
      ::getsockname(listener_.fd(), reinterpret_cast<sockaddr*>(&address), &length) != 0)
    std::abort();
  port_ = ntohs(address.sin_port);
  thread_ = std::jthread{[this, connections, serve = std::move(serve)] {
    for (unsigned i = 0; i < connections; ++i) {
      const Socket connection{::accept(listener_.fd(), nullptr, nullptr)};
      if (connection.fd() < 0) return;
      if (i + 1 == connections) ::shutdown(listener_.fd(), SHUT_RDWR);
      serve(connection);
    }
  }};
}

ScriptedServer::~ScriptedServer() {
  ::shutdown(listener_.fd(), SHUT_RDWR);  // wakes accept
  thread_.join();
}

}  // namespace fiducia::test
