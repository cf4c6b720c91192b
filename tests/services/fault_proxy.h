// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <list>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace fiducia::test {

/// What a network or a server may do to one request.
enum class Fault {
  none,
  drop_before,      // the connection breaks, and the request never gets to the server
  drop_after,       // the server has done it, and the connection breaks before the reply
  error_500,        // the server refuses, nothing was done
  error_503,        //
  error_429,        //
  error_500_after,  // the server has done it, and says that it failed
  truncate_reply,   // the reply breaks off in its middle
  corrupt_reply,    // one bit of the reply's body is another one (the last in its middle)
  hold,             // no reply at all; the request is done only when `release` is called
};
[[nodiscard]] const char* fault_name(Fault fault);
/// All of them but none and hold.
[[nodiscard]] const std::vector<Fault>& passing_faults();

/// Stands between an HTTP client and a server on loopback and spoils chosen requests. One request
/// a connection, so that the order of requests is that of the connections.
class FaultProxy {
 public:
  /// To the server at `endpoint` ("http://127.0.0.1:40125").
  explicit FaultProxy(const std::string& endpoint);
  ~FaultProxy();
  FaultProxy(const FaultProxy&) = delete;
  FaultProxy& operator=(const FaultProxy&) = delete;

  [[nodiscard]] std::string endpoint() const { return "http://127.0.0.1:" + std::to_string(port_); }
  /// Requests are counted from 1 again; `count` of them from the `first` on are spoilt.
  void plan(Fault fault, std::uint64_t first, std::uint64_t count = 1);
  /// Requests since `plan`, and how many of them were spoilt.
  [[nodiscard]] std::uint64_t requests() const { return requests_; }
  [[nodiscard]] std::uint64_t spoilt() const { return spoilt_; }
  /// Method and target of each request since `plan`: "PUT /bucket/checkpoint".
  [[nodiscard]] std::vector<std::string> log() const;
  /// Sends the requests that are held to the server, one after the other; returns the status of
  /// each reply.
  std::vector<int> release();

 private:
  void accept_all(const std::stop_token& stop);
  void serve(int client);
  [[nodiscard]] std::string forward(const std::string& request) const;

  std::uint16_t server_port_ = 0;
  std::uint16_t port_ = 0;
  int listener_ = -1;
  std::atomic<std::uint64_t> requests_ = 0;
  std::atomic<std::uint64_t> spoilt_ = 0;
  mutable std::mutex mutex_;  // of all below
  Fault fault_ = Fault::none;
  std::uint64_t first_ = 0;
  std::uint64_t count_ = 0;
  std::vector<std::string> log_;
  std::vector<std::string> held_;
  struct Connection {
    std::atomic<bool> done = false;
    std::jthread thread;
  };
  std::list<Connection> connections_;  // the acceptor's
  std::jthread acceptor_;              // last: it uses all of the above
};

}  // namespace fiducia::test
