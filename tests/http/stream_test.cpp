// SPDX-License-Identifier: Apache-2.0
// Bodies as streams, both ways, and who may hold a connection for how long.
#include <gtest/gtest.h>
#include <malloc.h>

#include <atomic>
#include <condition_variable>
#include <fstream>
#include <latch>
#include <mutex>
#include <thread>

#include "http/http.h"
#include "raw_socket.h"
#include "support/support.h"

namespace fiducia::http {
namespace {

using test::connect_to;
using test::Socket;

/// The bytes at `offset` of an endless pattern that shows where it was cut.
void fill_pattern(std::span<std::byte> to, std::uint64_t offset) {
  for (std::size_t i = 0; i < to.size(); ++i)
    to[i] = static_cast<std::byte>((offset + i) * 2'654'435'761U >> 13);
}

/// `total` bytes of the pattern, in pieces of at most `piece`.
class PatternSource final : public ByteSource {
 public:
  PatternSource(std::uint64_t total, bool tells_length, std::size_t piece = 1 << 20)
      : total_(total), tells_length_(tells_length), piece_(piece) {}
  Result<std::size_t> read(std::span<std::byte> to) override {
    const auto count =
        static_cast<std::size_t>(std::min<std::uint64_t>({to.size(), piece_, total_ - given_}));
    fill_pattern(to.first(count), given_);
    given_ += count;
    return count;
  }
  [[nodiscard]] std::optional<std::uint64_t> length_bytes() const override {
    if (!tells_length_) return std::nullopt;
    return total_;
  }

 private:
  std::uint64_t total_;
  bool tells_length_;
  std::size_t piece_;
  std::uint64_t given_ = 0;
};

/// Compares what comes with the pattern.
class PatternSink : public ByteSink {
 public:
  Status write(ByteView bytes) override {
    expected_.resize(bytes.size());
    fill_pattern(expected_, count_);
    is_right_ = is_right_ && same_bytes(expected_, bytes);
    count_ += bytes.size();
    return {};
  }
  [[nodiscard]] std::uint64_t count() const { return count_; }
  [[nodiscard]] bool is_right() const { return is_right_; }

 private:
  Bytes expected_;
  std::uint64_t count_ = 0;
  bool is_right_ = true;
};

/// Answers how many bytes of the pattern came; tells when some came and when it goes.
class CountingReceiver final : public Receiver {
 public:
  explicit CountingReceiver(std::function<void()> gone = {},
                            std::function<void(std::uint64_t)> came = {})
      : gone_(std::move(gone)), came_(std::move(came)) {}
  ~CountingReceiver() override {
    if (gone_) gone_();
  }
  Status write(ByteView bytes) override {
    Status done = sink_.write(bytes);
    if (came_) came_(sink_.count());
    return done;
  }
  Response answer(const Status&) override {
    return plain_response(sink_.is_right() ? 200 : 500, std::to_string(sink_.count()));
  }

 private:
  PatternSink sink_;
  std::function<void()> gone_;
  std::function<void(std::uint64_t)> came_;
};

StreamHandler counting() {
  return [](const Request&) { return std::make_unique<CountingReceiver>(); };
}

Server start(const ServerOptions& options, Routes routes, ServedLog log = {}) {
  auto server = Server::start(options, std::move(routes), std::move(log));
  if (!server) throw std::runtime_error{to_sentence(server.error())};
  return std::move(*server);
}

std::string pattern(std::uint64_t offset, std::size_t count) {
  Bytes bytes(count);
  fill_pattern(bytes, offset);
  return std::string{as_text(bytes)};
}

std::string in_chunks(std::string_view text, std::size_t chunk) {
  std::string all;
  for (std::size_t at = 0; at < text.size(); at += chunk) {
    const std::string_view part = text.substr(at, chunk);
    std::array<char, 20> size{};
    std::snprintf(size.data(), size.size(), "%zx\r\n", part.size());
    all.append(size.data()).append(part).append("\r\n");
  }
  return all + "0\r\n\r\n";
}

/// Status of the next response on the connection and its body, by its length.
std::pair<std::string, std::string> next_answer(const Socket& socket) {
  const std::string head = socket.read_until("\r\n\r\n");
  const std::size_t field = head.find("Content-Length: ");
  const std::size_t length = field == std::string::npos ? 0 : std::stoul(head.substr(field + 16));
  return {head.substr(9, 3), socket.read_exactly(length)};
}

TEST(Stream, takes_a_body_in_pieces_and_keeps_the_connection) {
  const Server server =
      start({}, std::move(Routes{}.add_stream("POST", "/in", counting(), 1 << 20)));
  const Socket socket = connect_to(server.port());
  const std::string head = "POST /in HTTP/1.1\r\nHost: h\r\n";
  const std::string body = pattern(0, 300'000);
  for (int round = 0; round < 2; ++round) {
    ASSERT_TRUE(socket.send(head + "Content-Length: 300000\r\n\r\n" + body));
    EXPECT_EQ(next_answer(socket), (std::pair<std::string, std::string>{"200", "300000\n"}));
    ASSERT_TRUE(socket.send(head + "Transfer-Encoding: chunked\r\n\r\n" + in_chunks(body, 777)));
    EXPECT_EQ(next_answer(socket), (std::pair<std::string, std::string>{"200", "300000\n"}));
    ASSERT_TRUE(socket.send(head + "Content-Length: 3\r\nExpect: 100-continue\r\n\r\n"));
    EXPECT_EQ(socket.read_until("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
    ASSERT_TRUE(socket.send(pattern(0, 3)));
    EXPECT_EQ(next_answer(socket), (std::pair<std::string, std::string>{"200", "3\n"}));
    ASSERT_TRUE(socket.send(head + "Content-Length: 0\r\n\r\n"));
    EXPECT_EQ(next_answer(socket), (std::pair<std::string, std::string>{"200", "0\n"}));
  }
}

TEST(Stream, holds_a_body_to_its_limit) {
  const Server server = start({}, std::move(Routes{}.add_stream("POST", "/in", counting(), 1'000)));
  const std::string head = "POST /in HTTP/1.1\r\nHost: h\r\nConnection: close\r\n";
  const auto status = [&](const std::string& rest) {
    const Socket socket = connect_to(server.port());
    EXPECT_TRUE(socket.send(head + rest));
    return socket.read_all().substr(9, 3);
  };
  EXPECT_EQ(status("Content-Length: 1000\r\n\r\n" + pattern(0, 1'000)), "200");
  EXPECT_EQ(status("Content-Length: 1001\r\n\r\n"), "413") << "before the body came";
  EXPECT_EQ(status("Content-Length: 1001\r\nExpect: 100-continue\r\n\r\n"), "413");
  EXPECT_EQ(status("Transfer-Encoding: chunked\r\n\r\n" + in_chunks(pattern(0, 1'000), 100)),
            "200");
  EXPECT_EQ(status("Transfer-Encoding: chunked\r\n\r\n" + in_chunks(pattern(0, 1'001), 100)),
            "413");
}

TEST(Stream, answers_before_the_body_when_the_handler_wants_none) {
  const Server server = start({}, std::move(Routes{}.add_stream("POST", "/in", [](const Request&) {
                                return plain_response(403, "Not here.");
                              })));
  const Socket asking = connect_to(server.port());
  ASSERT_TRUE(asking.send(
      "POST /in HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n"));
  const std::string refused = asking.read_all();
  EXPECT_TRUE(refused.starts_with("HTTP/1.1 403")) << refused;
  EXPECT_NE(refused.find("Connection: close"), std::string::npos)
      << "nobody knows whether the body follows";
  // A short body that is on its way costs less than a new connection.
  const Socket sending = connect_to(server.port());
  for (const char* path : {"/in", "/nowhere", "/in"}) {
    ASSERT_TRUE(sending.send(std::string{"POST "} + path +
                             " HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello"));
    EXPECT_EQ(next_answer(sending).first, std::string_view{path} == "/in" ? "403" : "404");
  }
}

TEST(Stream, reads_over_a_short_body_that_nobody_wants_and_no_long_one) {
  const Server server = start({}, Routes{});
  for (const std::uint64_t excess : {0U, 1U}) {
    const std::uint64_t length = limits::http_skipped_bytes_max + excess;
    const Socket socket = connect_to(server.port());
    ASSERT_TRUE(socket.send("POST /nowhere HTTP/1.1\r\nHost: h\r\nContent-Length: " +
                            std::to_string(length) + "\r\n\r\n" + pattern(0, length)));
    const std::string head = socket.read_until("\r\n\r\n");
    EXPECT_TRUE(head.starts_with("HTTP/1.1 404")) << head;
    EXPECT_EQ(head.contains("Connection: keep-alive"), excess == 0) << head;
  }
}

TEST(Stream, ends_a_body_that_its_receiver_does_not_take) {
  class Full final : public Receiver {
   public:
    Status write(ByteView) override { return fail(ErrorCode::io_unwritable, "No space is left."); }
    Response answer(const Status& received) override {
      return plain_response(received ? 200 : 507, received ? "" : received.error().what);
    }
  };
  class Throwing final : public Receiver {
   public:
    Status write(ByteView) override { throw std::runtime_error{"secret"}; }
    Response answer(const Status&) override { return {}; }
  };
  Routes routes;
  routes.add_stream(
      "PUT", "/full", [](const Request&) { return std::make_unique<Full>(); }, 1 << 30);
  routes.add_stream(
      "PUT", "/throw", [](const Request&) { return std::make_unique<Throwing>(); }, 1 << 30);
  routes.add_stream("PUT", "/open", [](const Request&) -> Response { throw 1; }, 1 << 30);
  routes.add_stream(
      "PUT", "/none", [](const Request&) { return std::unique_ptr<Receiver>{}; }, 1 << 30);
  const Server server = start({}, std::move(routes));
  for (const auto& [path, status] :
       {std::pair{"/full", "507"}, {"/throw", "500"}, {"/open", "500"}, {"/none", "500"}}) {
    const Socket socket = connect_to(server.port());
    ASSERT_TRUE(socket.send(std::string{"PUT "} + path +
                            " HTTP/1.1\r\nHost: h\r\nContent-Length: 500000000\r\n\r\n" +
                            pattern(0, 1'000)));
    const std::string answer = socket.read_until("\n\r\n");
    EXPECT_EQ(answer.substr(9, 3), status) << path;
    EXPECT_EQ(answer.find("secret"), std::string::npos);
  }
}

TEST(Stream, lets_a_receiver_go_when_the_body_does_not_come_to_its_end) {
  std::mutex mutex;
  std::condition_variable changed;
  int gone = 0;
  const Server server =
      start({.body_timeout_ms = 200}, std::move(Routes{}.add_stream(
                                          "POST", "/in",
                                          [&](const Request&) {
                                            return std::make_unique<CountingReceiver>([&] {
                                              const std::scoped_lock lock{mutex};
                                              ++gone;
                                              changed.notify_all();
                                            });
                                          },
                                          1 << 20)));
  const std::string head = "POST /in HTTP/1.1\r\nHost: h\r\n";
  Socket left = connect_to(server.port());
  ASSERT_TRUE(left.send(head + "Content-Length: 1000\r\n\r\nabc"));
  left.close();
  const Socket broken = connect_to(server.port());
  ASSERT_TRUE(broken.send(head + "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nx"));
  EXPECT_EQ(broken.read_all().substr(9, 3), "400");
  const Socket silent = connect_to(server.port());
  ASSERT_TRUE(silent.send(head + "Content-Length: 1000\r\n\r\nabc"));
  EXPECT_EQ(silent.read_all().substr(9, 3), "408");
  std::unique_lock lock{mutex};
  EXPECT_TRUE(changed.wait_for(lock, std::chrono::seconds{10}, [&] { return gone == 3; }));
}

TEST(Stream, gives_each_piece_of_a_body_its_time) {
  const Server server = start({.body_timeout_ms = 400},
                              std::move(Routes{}.add_stream("POST", "/in", counting(), 1 << 30)));
  const Socket dripping = connect_to(server.port());
  ASSERT_TRUE(dripping.send("POST /in HTTP/1.1\r\nHost: h\r\nContent-Length: 1000000\r\n\r\n"));
  int drops = 0;
  while (!dripping.is_readable(20) && drops < 500 && dripping.send("x")) ++drops;
  EXPECT_LT(drops, 100) << "each byte bought more time";
  EXPECT_EQ(dripping.read_all().substr(9, 3), "408");
}

TEST(Stream, gives_a_whole_body_its_time) {
  const Server server = start({.transfer_timeout_ms = 300},
                              std::move(Routes{}.add_stream("POST", "/in", counting(), 1 << 30)));
  const Socket steady = connect_to(server.port());
  ASSERT_TRUE(steady.send("POST /in HTTP/1.1\r\nHost: h\r\nContent-Length: 1000000000\r\n\r\n"));
  const std::string piece(70'000, 'x');
  int pieces = 0;
  while (!steady.is_readable(20) && pieces < 500 && steady.send(piece)) ++pieces;
  EXPECT_LT(pieces, 100);
}

TEST(Stream, writes_a_body_with_and_without_a_length) {
  Routes routes;
  for (const bool told : {false, true})
    routes.add("GET", told ? "/told" : "/untold", [told](const Request&) {
      return Response{.source = std::make_unique<PatternSource>(200'000, told, 30'000)};
    });
  routes.add("GET", "/empty", [](const Request&) {
    return Response{.source = std::make_unique<PatternSource>(0, true)};
  });
  routes.add("GET", "/nothing", [](const Request&) {
    return Response{.source = std::make_unique<PatternSource>(0, false)};
  });
  const Server server = start({}, std::move(routes));
  const Client client;
  for (int round = 0; round < 2; ++round)
    for (const auto& [path, size] :
         {std::pair{"/told", 200'000U}, {"/untold", 200'000U}, {"/empty", 0U}, {"/nothing", 0U}}) {
      const auto response = client.send({.url = server.url() + path});
      ASSERT_TRUE(response) << path << to_sentence(response.error());
      EXPECT_TRUE(as_text(response->body) == pattern(0, size)) << path;
    }
  const auto head_of = [&](const std::string& request) {
    const Socket socket = connect_to(server.port());
    EXPECT_TRUE(socket.send(request));
    return socket.read_all();
  };
  const std::string told = head_of("HEAD /told HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  EXPECT_NE(told.find("Content-Length: 200000\r\n"), std::string::npos) << told;
  EXPECT_TRUE(told.ends_with("\r\n\r\n"));
  const std::string untold =
      head_of("HEAD /untold HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  EXPECT_EQ(untold.find("Content-Length"), std::string::npos) << untold;
  const std::string old = head_of("GET /untold HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  EXPECT_EQ(old.find("chunked"), std::string::npos) << "HTTP/1.0 knows no chunks";
  EXPECT_TRUE(old.ends_with(pattern(0, 200'000)));
}

TEST(Stream, cuts_a_response_that_does_not_keep_its_word) {
  class Odd final : public ByteSource {
   public:
    explicit Odd(std::string kind) : kind_(std::move(kind)) {}
    Result<std::size_t> read(std::span<std::byte> to) override {
      ++calls_;
      if (calls_ > 1 && kind_ == "error") return fail(ErrorCode::io_unreadable, "gone");
      if (calls_ > 1 && kind_ == "throw") throw 1;
      if (calls_ > 1 && kind_ == "short") return 0U;
      if (kind_ == "wild") return to.size() + 1;
      return kind_ == "long" ? 20U : 5U;
    }
    [[nodiscard]] std::optional<std::uint64_t> length_bytes() const override {
      if (kind_ == "error" || kind_ == "throw" || kind_ == "wild") return std::nullopt;
      return 10;
    }

   private:
    std::string kind_;
    int calls_ = 0;
  };
  const Server server = start(
      {}, std::move(Routes{}.add("GET", "/{kind}", [](const Request& request) {
        return Response{.source = std::make_unique<Odd>(std::string{parameter(request, "kind")})};
      })));
  for (const char* kind : {"error", "throw", "short", "long", "wild"}) {
    const auto response = Client{}.send({.url = server.url() + "/" + kind});
    ASSERT_FALSE(response) << kind;
    EXPECT_EQ(response.error().code, ErrorCode::io_unreadable) << kind;
  }
}

std::uint64_t resident_bytes() {
  std::ifstream statm{"/proc/self/statm"};
  std::uint64_t pages = 0;
  statm >> pages >> pages;
  return pages * 4'096;
}

/// Watches how much memory the process has, from its construction on.
class MemoryWatch {
 public:
  MemoryWatch()
      : before_(resident_bytes()), thread_([this](const std::stop_token& stop) {
          std::mutex mutex;
          std::condition_variable_any tick;
          std::unique_lock lock{mutex};
          while (!stop.stop_requested()) {
            most_ = std::max<std::uint64_t>(most_, resident_bytes());
            tick.wait_for(lock, stop, std::chrono::milliseconds{5}, [] { return false; });
          }
        }) {}
  [[nodiscard]] std::uint64_t grown_bytes() {
    thread_.request_stop();
    thread_.join();
    return most_ > before_ ? most_ - before_ : 0;
  }

 private:
  std::uint64_t before_;
  std::atomic<std::uint64_t> most_ = 0;
  std::jthread thread_;
};

#if !defined(FIDUCIA_SANITIZED)
TEST(Stream, moves_large_bodies_in_little_memory) {
  constexpr std::uint64_t total = 256 << 20;
  constexpr std::uint64_t memory_max = 24 << 20;
  malloc_trim(0);
  MemoryWatch memory;
  Routes routes;
  routes.add_stream("PUT", "/in", counting(), total);
  routes.add("GET", "/out", [=](const Request&) {
    return Response{.source = std::make_unique<PatternSource>(total, true)};
  });
  const Server server = start({}, std::move(routes));
  for (const bool told : {true, false}) {
    PatternSource source{total, told};
    const auto up =
        Client{}.send({.method = "PUT", .url = server.url() + "/in", .source = &source});
    ASSERT_TRUE(up) << to_sentence(up.error());
    EXPECT_EQ(as_text(up->body), std::to_string(total) + "\n");
  }
  PatternSink sink;
  const auto down =
      Client{}.send({.url = server.url() + "/out", .sink = &sink, .response_bytes_max = total});
  ASSERT_TRUE(down) << to_sentence(down.error());
  EXPECT_EQ(sink.count(), total);
  EXPECT_TRUE(sink.is_right());
  EXPECT_LT(memory.grown_bytes(), memory_max);
}
#endif

TEST(Stream, waits_for_a_slow_receiver) {
  // What was sent before the receiver goes on is in buffers of the system, not in ours.
  std::latch go_on{1};
  class Waiting final : public Receiver {
   public:
    explicit Waiting(std::latch& latch) : latch_(latch) {}
    Status write(ByteView bytes) override {
      latch_.wait();
      count_ += bytes.size();
      return {};
    }
    Response answer(const Status&) override { return plain_response(200, std::to_string(count_)); }

   private:
    std::latch& latch_;
    std::uint64_t count_ = 0;
  };
  static constexpr std::uint64_t total = 64 << 20;
  const Server server = start(
      {},
      std::move(Routes{}.add_stream(
          "PUT", "/in", [&](const Request&) { return std::make_unique<Waiting>(go_on); }, total)));
  class CountingSource final : public ByteSource {
   public:
    Result<std::size_t> read(std::span<std::byte> to) override {
      const auto count =
          static_cast<std::size_t>(std::min<std::uint64_t>(to.size(), total - given));
      given += count;
      return count;
    }
    [[nodiscard]] std::optional<std::uint64_t> length_bytes() const override { return total; }
    std::atomic<std::uint64_t> given = 0;
  } source;
  std::jthread watching{[&] {
    // Until no more is taken.
    std::uint64_t seen = ~std::uint64_t{0};
    std::mutex mutex;
    std::condition_variable tick;
    std::unique_lock lock{mutex};
    while (source.given == 0 || seen != source.given) {
      seen = source.given;
      tick.wait_for(lock, std::chrono::milliseconds{200});
    }
    EXPECT_LT(seen, total / 2) << "what the receiver had not taken was read on";
    go_on.count_down();
  }};
  const auto up = Client{}.send({.method = "PUT", .url = server.url() + "/in", .source = &source});
  watching.join();
  ASSERT_TRUE(up) << to_sentence(up.error());
  EXPECT_EQ(as_text(up->body), std::to_string(total) + "\n");
}

// --- many connections ----------------------------------------------------------------------------

/// Connections that have begun a request and do not go on, each from an address of its own network
/// of 127.0.0.0/8 where `addresses` > 1.
std::vector<Socket> dripping(std::uint16_t port, int count, int addresses) {
  std::vector<Socket> sockets;
  for (int i = 0; i < count; ++i) {
    sockets.push_back(
        test::connect_from(0x7F000100U + static_cast<std::uint32_t>(i % addresses), port));
    EXPECT_TRUE(sockets.back().send("GET / HTTP/1.1\r\nHost: h\r\nX: "));
  }
  return sockets;
}

Server start_small(ServerOptions options) {
  options.request_timeout_ms = 600'000;
  options.eviction_age_ms = 0;
  Routes routes;
  routes.add("GET", "/", [](const Request& request) { return plain_response(200, request.peer); });
  return start(options, std::move(routes));
}

std::string ask_once(const Server& server) {
  const Socket socket = connect_to(server.port());
  EXPECT_TRUE(socket.send("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"));
  return socket.read_all().substr(0, 12);
}

TEST(Connections, are_there_for_others_while_hundreds_drip) {
  // Nothing here runs into a time-out: who waited for one would wait ten minutes.
  const Server server = start_small({.connections_max = 64});
  const std::vector<Socket> attackers = dripping(server.port(), 300, 250);
  for (int i = 0; i < 20; ++i) EXPECT_EQ(ask_once(server), "HTTP/1.1 200");
}

TEST(Connections, of_one_client_are_limited_at_its_own_cost) {
  const Server server = start_small({.connections_max = 512, .connections_per_client_max = 8});
  const Socket other = connect_to(server.port());
  ASSERT_TRUE(other.send("GET / HTTP/1.1\r\nHost: h\r\nX: "));
  const std::vector<Socket> attackers = dripping(server.port(), 200, 1);
  ASSERT_TRUE(attackers.back().send("y\r\nConnection: close\r\n\r\n"));
  EXPECT_EQ(attackers.back().read_all().substr(0, 12), "HTTP/1.1 200") << "the newest is heard";
  EXPECT_TRUE(attackers.front().is_readable(10'000)) << "the oldest was closed";
  ASSERT_TRUE(other.send("y\r\nConnection: close\r\n\r\n"));
  EXPECT_EQ(other.read_all().substr(0, 12), "HTTP/1.1 200") << "somebody else's was not";
}

TEST(Connections, that_make_progress_are_not_closed_for_others) {
  // Each piece has arrived before the next three strangers come, and each of them is answered
  // before it drips: at most three of the eight connections are then newer than the progress,
  // however slowly the server gets to run.
  std::atomic<std::uint64_t> arrived = 0;
  Routes routes;
  routes.add_stream(
      "POST", "/in",
      [&](const Request&) {
        const auto tell = [&](std::uint64_t bytes) {
          arrived = bytes;
          arrived.notify_all();
        };
        return std::make_unique<CountingReceiver>([tell] { tell(~std::uint64_t{0}); }, tell);
      },
      1 << 30);
  routes.add("GET", "/", [](const Request&) { return plain_response(200, ""); });
  ServerOptions options{.connections_max = 8};
  options.eviction_age_ms = 0;
  options.request_timeout_ms = 600'000;
  const Server server = start(options, std::move(routes));
  const Socket sending = connect_to(server.port());
  const std::size_t piece = 65'536;
  const std::size_t total = 100 * piece;
  ASSERT_TRUE(sending.send(
      "POST /in HTTP/1.1\r\nHost: h\r\nContent-Length: " + std::to_string(total) + "\r\n\r\n"));
  std::vector<Socket> attackers;
  for (std::size_t i = 0; i < 100; ++i) {
    ASSERT_TRUE(sending.send(pattern(i * piece, piece)));
    for (std::uint64_t seen = arrived; seen < (i + 1) * piece; seen = arrived) arrived.wait(seen);
    for (int stranger = 0; stranger < 3; ++stranger) {
      attackers.push_back(connect_to(server.port()));
      ASSERT_TRUE(attackers.back().send("GET / HTTP/1.1\r\nHost: h\r\n\r\n"));
      ASSERT_EQ(next_answer(attackers.back()).first, "200");
      ASSERT_TRUE(attackers.back().send("GET / HTTP/1.1\r\nHost: h\r\nX: "));
    }
  }
  EXPECT_EQ(next_answer(sending),
            (std::pair<std::string, std::string>{"200", std::to_string(total) + "\n"}));
}

}  // namespace
}  // namespace fiducia::http
