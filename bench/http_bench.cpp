// SPDX-License-Identifier: Apache-2.0
// Streams through our server and client over loopback, beside the same bytes over a bare TCP
// connection, and the memory that this takes.
//
//   http_bench [GIB]       prints one line a way: seconds, part of bare TCP, growth of memory
#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "http/http.h"

using namespace fiducia;

namespace {

using Clock = std::chrono::steady_clock;
constexpr std::size_t piece_bytes = 64 << 10;

/// Bytes that cost nothing to make.
class Zeros final : public ByteSource {
 public:
  explicit Zeros(std::uint64_t total) : total_(total) {}
  Result<std::size_t> read(std::span<std::byte> to) override {
    const auto count =
        static_cast<std::size_t>(std::min<std::uint64_t>(to.size(), total_ - given_));
    given_ += count;
    return count;
  }
  [[nodiscard]] std::optional<std::uint64_t> length_bytes() const override { return total_; }

 private:
  std::uint64_t total_;
  std::uint64_t given_ = 0;
};

class Counter final : public http::Receiver {
 public:
  Status write(ByteView bytes) override {
    count += bytes.size();
    return {};
  }
  http::Response answer(const Status&) override {
    return http::plain_response(200, std::to_string(count));
  }
  std::uint64_t count = 0;
};

std::uint64_t most_resident_kib() {
  std::ifstream status{"/proc/self/status"};
  for (std::string line; std::getline(status, line);)
    if (line.starts_with("VmHWM:")) return std::strtoull(line.c_str() + 6, nullptr, 10);
  return 0;
}

double seconds_of(const auto& work) {
  const auto start = Clock::now();
  work();
  return std::chrono::duration<double>(Clock::now() - start).count();
}

void require(bool condition, const char* what) {
  if (condition) return;
  std::fprintf(stderr, "http_bench: %s\n", what);
  std::exit(1);
}

/// The limit: one thread writes, one reads, nothing in between.
double bare_tcp(std::uint64_t total) {
  const int listener = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  auto* const raw = reinterpret_cast<sockaddr*>(&address);
  require(::bind(listener, raw, length) == 0 && ::listen(listener, 1) == 0 &&
              ::getsockname(listener, raw, &length) == 0,
          "cannot listen");
  const double seconds = seconds_of([&] {
    std::jthread sending{[&] {
      const int out = ::socket(AF_INET, SOCK_STREAM, 0);
      require(::connect(out, raw, length) == 0, "cannot connect");
      const std::vector<char> piece(piece_bytes);
      for (std::uint64_t sent = 0; sent < total;) {
        const ssize_t count = ::send(out, piece.data(), piece.size(), 0);
        require(count > 0, "cannot send");
        sent += static_cast<std::uint64_t>(count);
      }
      ::close(out);
    }};
    const int in = ::accept(listener, nullptr, nullptr);
    std::vector<char> piece(piece_bytes);
    while (::recv(in, piece.data(), piece.size(), 0) > 0) {
    }
    ::close(in);
  });
  ::close(listener);
  return seconds;
}

}  // namespace

int main(int argc, char** argv) {
  const std::uint64_t total = std::strtoull(argc > 1 ? argv[1] : "2", nullptr, 10) << 30;
  http::Routes routes;
  routes.add_stream(
      "PUT", "/", [](const http::Request&) { return std::make_unique<Counter>(); }, total);
  routes.add("GET", "/", [total](const http::Request&) {
    return http::Response{.source = std::make_unique<Zeros>(total)};
  });
  auto server = http::Server::start({}, std::move(routes));
  require(server.has_value(), "cannot start the server");
  const http::Client client;
  const std::uint64_t before = most_resident_kib();
  const auto report = [&](const char* way, double seconds, double bare) {
    std::printf("%-9s %6.2f s  %5.2f GB/s  %4.2f of bare TCP  memory grew by %llu KiB\n", way,
                seconds, static_cast<double>(total) / 1e9 / seconds, bare / seconds,
                static_cast<unsigned long long>(most_resident_kib() - before));
  };
  static_cast<void>(bare_tcp(total / 4));  // warm
  const double bare = bare_tcp(total);
  report("bare TCP", bare, bare);
  report(
      "up", seconds_of([&] {
        Zeros zeros{total};
        const auto sent = client.send(
            {.method = "PUT", .url = server->url() + "/", .source = &zeros, .total_timeout_ms = 0});
        require(sent && sent->status == 200, "the upload failed");
      }),
      bare);
  report("down", seconds_of([&] {
           Counter counter;
           const auto got = client.send({.url = server->url() + "/",
                                         .sink = &counter,
                                         .response_bytes_max = total,
                                         .total_timeout_ms = 0});
           require(got && counter.count == total, "the download failed");
         }),
         bare);
  return 0;
}
