// SPDX-License-Identifier: Apache-2.0
#include "services/fault_proxy.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cstdlib>
#include <optional>

namespace fiducia::test {
namespace {

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  return address;
}

/// Closes so that the other side sees a reset, as when a machine dies, not an orderly end.
void reset(int socket) {
  const linger now{.l_onoff = 1, .l_linger = 0};
  setsockopt(socket, SOL_SOCKET, SO_LINGER, &now, sizeof now);
  close(socket);
}

bool send_all(int socket, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

/// Reads more into `bytes`; false at the end and on errors.
bool receive_more(int socket, std::string& bytes) {
  std::array<char, 16384> buffer{};
  const ssize_t count = recv(socket, buffer.data(), buffer.size(), 0);
  if (count <= 0) return false;
  bytes.append(buffer.data(), static_cast<std::size_t>(count));
  return true;
}

/// The value of a header in a head, lower-case name.
std::optional<std::string> header(const std::string& head, const std::string& name) {
  std::string lower = head;
  std::ranges::transform(lower, lower.begin(), [](unsigned char c) { return std::tolower(c); });
  const auto at = lower.find("\r\n" + name + ":");
  if (at == std::string::npos) return std::nullopt;
  const auto from = head.find_first_not_of(' ', at + name.size() + 3);
  return head.substr(from, head.find("\r\n", from) - from);
}

/// One whole request; empty when the client went away.
std::string receive_request(int client) {
  std::string bytes;
  std::size_t end = std::string::npos;
  while ((end = bytes.find("\r\n\r\n")) == std::string::npos)
    if (!receive_more(client, bytes)) return {};
  const std::string head = bytes.substr(0, end + 2);
  if (header(head, "expect")) send_all(client, "HTTP/1.1 100 Continue\r\n\r\n");
  std::size_t body = 0;
  if (const auto length = header(head, "content-length"))
    std::from_chars(length->data(), length->data() + length->size(), body);
  while (bytes.size() < end + 4 + body)
    if (!receive_more(client, bytes)) return {};
  return bytes;
}

/// The request as it is forwarded: one a connection, no waiting for 100 Continue.
std::string one_a_connection(std::string request) {
  for (const std::string name : {"connection", "expect"}) {
    if (!header(request.substr(0, request.find("\r\n\r\n") + 2), name)) continue;
    std::string lower = request.substr(0, request.find("\r\n\r\n"));
    std::ranges::transform(lower, lower.begin(), [](unsigned char c) { return std::tolower(c); });
    const auto at = lower.find("\r\n" + name + ":");
    request.erase(at, request.find("\r\n", at + 2) - at);
  }
  request.insert(request.find("\r\n"), "\r\nConnection: close");
  return request;
}

std::string error_reply(const char* status, const char* code) {
  const std::string body = std::string{"<?xml version=\"1.0\"?><Error><Code>"} + code +
                           "</Code><Message>made by a test</Message></Error>";
  return std::string{"HTTP/1.1 "} + status +
         "\r\nContent-Type: application/xml\r\nConnection: close\r\nContent-Length: " +
         std::to_string(body.size()) + "\r\n\r\n" + body;
}

}  // namespace

const char* fault_name(Fault fault) {
  switch (fault) {
    case Fault::none:
      return "none";
    case Fault::drop_before:
      return "drop before";
    case Fault::drop_after:
      return "drop after";
    case Fault::error_500:
      return "500";
    case Fault::error_503:
      return "503";
    case Fault::error_429:
      return "429";
    case Fault::error_500_after:
      return "500 though done";
    case Fault::truncate_reply:
      return "truncated reply";
    case Fault::corrupt_reply:
      return "corrupted reply";
    case Fault::hold:
      return "hold";
  }
  std::abort();
}

const std::vector<Fault>& passing_faults() {
  static const std::vector<Fault> all{
      Fault::drop_before, Fault::drop_after,      Fault::error_500,      Fault::error_503,
      Fault::error_429,   Fault::error_500_after, Fault::truncate_reply, Fault::corrupt_reply};
  return all;
}

FaultProxy::FaultProxy(const std::string& endpoint) {
  const std::string port = endpoint.substr(endpoint.rfind(':') + 1);
  std::from_chars(port.data(), port.data() + port.size(), server_port_);
  listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = loopback(0);
  socklen_t size = sizeof address;
  if (listener_ < 0 || bind(listener_, reinterpret_cast<sockaddr*>(&address), size) != 0 ||
      listen(listener_, 128) != 0 ||
      getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) != 0)
    std::abort();
  port_ = ntohs(address.sin_port);
  acceptor_ = std::jthread{[this](const std::stop_token& stop) { accept_all(stop); }};
}

FaultProxy::~FaultProxy() {
  acceptor_.request_stop();
  shutdown(listener_, SHUT_RDWR);  // wakes `accept`
  acceptor_.join();
  close(listener_);
  connections_.clear();  // joins
}

void FaultProxy::plan(Fault fault, std::uint64_t first, std::uint64_t count) {
  const std::lock_guard lock{mutex_};
  fault_ = fault;
  first_ = first;
  count_ = count;
  requests_ = 0;
  spoilt_ = 0;
  log_.clear();
}

std::vector<std::string> FaultProxy::log() const {
  const std::lock_guard lock{mutex_};
  return log_;
}

std::vector<int> FaultProxy::release() {
  std::vector<std::string> held;
  {
    const std::lock_guard lock{mutex_};
    held.swap(held_);
  }
  std::vector<int> statuses;
  for (const std::string& request : held) {
    const std::string reply = forward(request);
    int status = 0;
    if (const auto at = reply.find(' '); at != std::string::npos)
      std::from_chars(reply.data() + at + 1, reply.data() + reply.size(), status);
    statuses.push_back(status);
  }
  return statuses;
}

void FaultProxy::accept_all(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    const int client = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (client < 0) continue;
    connections_.remove_if([](const Connection& one) { return one.done.load(); });
    Connection& connection = connections_.emplace_back();
    connection.thread = std::jthread{[this, client, &connection] {
      serve(client);
      connection.done = true;
    }};
  }
}

std::string FaultProxy::forward(const std::string& request) const {
  const int server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_in address = loopback(server_port_);
  std::string reply;
  if (connect(server, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 &&
      send_all(server, one_a_connection(request))) {
    while (receive_more(server, reply)) {
    }
  }
  close(server);
  return reply;
}

void FaultProxy::serve(int client) {
  // A client that waits with its connection must not keep the proxy from ending.
  const timeval patience{.tv_sec = 20, .tv_usec = 0};
  setsockopt(client, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  const std::string request = receive_request(client);
  if (request.empty()) {
    close(client);
    return;
  }
  Fault fault = Fault::none;
  {
    const std::lock_guard lock{mutex_};
    const std::uint64_t number = ++requests_;
    log_.push_back(request.substr(0, request.find(" HTTP/")));
    if (fault_ != Fault::none && number >= first_ && number - first_ < count_) {
      fault = fault_;
      ++spoilt_;
      if (fault == Fault::hold) held_.push_back(request);
    }
  }
  std::string reply;
  switch (fault) {
    case Fault::drop_before:
      reset(client);
      return;
    case Fault::hold: {
      // Until the client loses its patience.
      std::string rest;
      while (receive_more(client, rest)) {
      }
      close(client);
      return;
    }
    case Fault::error_500:
      reply = error_reply("500 Internal Server Error", "InternalError");
      break;
    case Fault::error_503:
      reply = error_reply("503 Service Unavailable", "SlowDown");
      break;
    case Fault::error_429:
      reply = error_reply("429 Too Many Requests", "SlowDown");
      break;
    default:
      reply = forward(request);
  }
  const auto body = reply.find("\r\n\r\n");
  switch (fault) {
    case Fault::drop_after:
      reset(client);
      return;
    case Fault::error_500_after:
      reply = error_reply("500 Internal Server Error", "InternalError");
      break;
    case Fault::truncate_reply:
      // In the body, where there is one.
      reply.resize(body == std::string::npos || body + 4 >= reply.size()
                       ? reply.size() / 2
                       : body + 4 + (reply.size() - body - 4) / 2);
      send_all(client, reply);
      reset(client);
      return;
    case Fault::corrupt_reply:
      if (body != std::string::npos && body + 4 < reply.size())
        reply[body + 4 + (reply.size() - body - 4) / 2] ^= 1;
      break;
    default:
      break;
  }
  send_all(client, reply);
  shutdown(client, SHUT_WR);
  close(client);
}

}  // namespace fiducia::test
