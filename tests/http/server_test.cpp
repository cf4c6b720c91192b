// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <condition_variable>
#include <latch>
#include <mutex>
#include <random>

#include "http/http.h"
#include "raw_socket.h"
#include "support/support.h"

namespace fiducia::http {
namespace {

using test::connect_to;
using test::Socket;

/// Method, path and body of the request.
Response echo(const Request& request) {
  Response response;
  append(response.body, as_bytes(request.method + " " + request.path + " "));
  append(response.body, request.body);
  append(response.body, as_bytes("\n"));
  return response;
}

/// What a server told its log, and waiting for it.
class Log {
 public:
  [[nodiscard]] ServedLog sink() {
    return [this](const Served& served) {
      const std::scoped_lock lock{mutex_};
      lines_.push_back(served);
      grown_.notify_all();
    };
  }
  [[nodiscard]] Served line(std::size_t index) {
    std::unique_lock lock{mutex_};
    grown_.wait_for(lock, std::chrono::seconds{10}, [&] { return lines_.size() > index; });
    return lines_.size() > index ? lines_[index] : Served{};
  }

 private:
  std::mutex mutex_;
  std::condition_variable grown_;
  std::vector<Served> lines_;
};

Server start(const ServerOptions& options = {}, Handler handler = echo, ServedLog log = {}) {
  auto server = Server::start(options, std::move(handler), std::move(log));
  if (!server) throw std::runtime_error{to_sentence(server.error())};
  return std::move(*server);
}

std::string get(const std::string& path, bool last = false) {
  return "GET " + path + " HTTP/1.1\r\nHost: h\r\n" + (last ? "Connection: close\r\n" : "") +
         "\r\n";
}

/// The answer to `text` on a connection of its own, up to its end.
std::string answer_to(const Server& server, std::string_view text) {
  const Socket socket = connect_to(server.port());
  EXPECT_TRUE(socket.send(text));
  return socket.read_all();
}

std::string status_of(const std::string& response) { return response.substr(0, 12); }

TEST(Server, answers_and_keeps_the_connection) {
  const Server server = start();
  const Socket socket = connect_to(server.port());
  for (const char* path : {"/a", "/b?c=d"}) {
    ASSERT_TRUE(socket.send(get(path)));
    const std::string head = socket.read_until("\r\n\r\n");
    EXPECT_TRUE(head.starts_with("HTTP/1.1 200 OK\r\n")) << head;
    EXPECT_NE(head.find("Content-Length: 8\r\n"), std::string::npos) << head;
    EXPECT_NE(head.find("Connection: keep-alive\r\n"), std::string::npos) << head;
    EXPECT_EQ(socket.read_exactly(8), "GET " + std::string{path}.substr(0, 2) + " \n");
  }
}

TEST(Server, tells_where_it_listens) {
  const Server server = start();
  EXPECT_NE(server.port(), 0);
  EXPECT_EQ(server.url(), "http://127.0.0.1:" + std::to_string(server.port()));
}

TEST(Server, refuses_a_port_that_is_taken_and_what_is_no_address) {
  const Server server = start();
  const auto taken = Server::start({.port = server.port()}, echo);
  ASSERT_FALSE(taken);
  EXPECT_EQ(taken.error().code, ErrorCode::io_unreadable);
  EXPECT_NE(taken.error().what.find(std::to_string(server.port())), std::string::npos);
  const auto nowhere = Server::start({.address = "localhost"}, echo);
  ASSERT_FALSE(nowhere);
  EXPECT_EQ(nowhere.error().code, ErrorCode::usage_invalid);
}

TEST(Server, answers_pipelined_requests_in_order_however_they_are_cut) {
  const std::uint64_t seed = test::seed();
  SCOPED_TRACE("FIDUCIA_SEED=" + std::to_string(seed));
  std::mt19937_64 prng{seed};
  const Server server = start();
  std::string requests;
  std::string expected;
  for (int i = 0; i < 50; ++i) {
    const std::string body(prng() % 300, 'x');
    const std::string path = "/" + std::to_string(i);
    if (i % 3 == 0) {
      requests += get(path);
      expected += "GET " + path + " \n";
    } else {
      requests += "POST " + path + " HTTP/1.1\r\nHost: h\r\n";
      if (i % 3 == 1) {
        requests += "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
      } else {
        requests += "Transfer-Encoding: chunked\r\n\r\n";
        if (!body.empty()) {
          char size[20];
          std::snprintf(size, sizeof size, "%zx\r\n", body.size());
          requests += size + body + "\r\n";
        }
        requests += "0\r\n\r\n";
      }
      expected += "POST " + path + " " + body + "\n";
    }
  }
  requests += get("/end", true);
  expected += "GET /end \n";
  const Socket socket = connect_to(server.port());
  for (std::string_view rest = requests; !rest.empty();) {
    const std::size_t count = std::min<std::size_t>(rest.size(), 1 + prng() % 500);
    ASSERT_TRUE(socket.send(rest.substr(0, count)));
    rest.remove_prefix(count);
  }
  std::string bodies;
  std::string all = socket.read_all();
  while (!all.empty()) {
    const std::size_t end = all.find("\r\n\r\n");
    ASSERT_NE(end, std::string::npos);
    const std::size_t field = all.find("Content-Length: ");
    const std::size_t length = std::stoul(all.substr(field + 16));
    bodies += all.substr(end + 4, length);
    all.erase(0, end + 4 + length);
  }
  EXPECT_EQ(bodies, expected);
}

TEST(Server, refuses_what_breaks_the_grammar) {
  const Server server = start();
  struct Row {
    const char* name;
    std::string text;
  };
  for (const Row& row : {
           Row{"garbage", "\x16\x03\x01 TLS perhaps\r\n\r\n"},
           Row{"no version", "GET /\r\n\r\n"},
           Row{"space in a field name", "GET / HTTP/1.1\r\nHost : h\r\n\r\n"},
           Row{"no host", "GET / HTTP/1.1\r\n\r\n"},
           Row{"two hosts", "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"},
           Row{"lengths that differ",
               "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab"},
           Row{"length and chunks",
               "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nTransfer-Encoding: "
               "chunked\r\n\r\n0\r\n\r\n"},
           Row{"chunks and length",
               "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nContent-Length: "
               "3\r\n\r\n0\r\n\r\n"},
           Row{"negative length", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: -1\r\n\r\n"},
           Row{"length past 64 bits",
               "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 99999999999999999999\r\n\r\n"},
           Row{"no chunk size",
               "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"},
           Row{"authority form", "CONNECT h:443 HTTP/1.1\r\nHost: h\r\n\r\n"},
           Row{"asterisk form", "GET * HTTP/1.1\r\nHost: h\r\n\r\n"},
           Row{"obs-fold", "GET / HTTP/1.1\r\nHost: h\r\nA: b\r\n c\r\n\r\n"},
           Row{"line feeds alone", "GET / HTTP/1.1\nHost: h\n\n"},
           Row{"one line feed alone", "GET / HTTP/1.1\r\nHost: h\nA: b\r\n\r\n"},
           Row{"a second chunk size",
               "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n-1\r\n"},
           Row{"fragment", "GET /a#b HTTP/1.1\r\nHost: h\r\n\r\n"},
       }) {
    const std::string answer = answer_to(server, row.text);
    EXPECT_EQ(status_of(answer), "HTTP/1.1 400") << row.name;
    EXPECT_NE(answer.find("Connection: close\r\n"), std::string::npos) << row.name;
  }
  EXPECT_EQ(status_of(answer_to(server, get("/", true))), "HTTP/1.1 200") << "still there";
}

TEST(Server, refuses_headers_and_bodies_that_are_too_long) {
  const Server server = start({.header_bytes_max = 1'000, .body_bytes_max = 100});
  const std::string post = "POST / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n";
  const std::string fitting = std::string(100, 'b');
  EXPECT_EQ(status_of(answer_to(server, post + "Content-Length: 100\r\n\r\n" + fitting)),
            "HTTP/1.1 200");
  EXPECT_EQ(status_of(answer_to(server, post + "Content-Length: 101\r\n\r\n" + fitting + "b")),
            "HTTP/1.1 413");
  EXPECT_EQ(status_of(answer_to(server, post + "Transfer-Encoding: chunked\r\n\r\n64\r\n" +
                                            fitting + "\r\n1\r\nb\r\n0\r\n\r\n")),
            "HTTP/1.1 413");
  EXPECT_EQ(status_of(answer_to(server, post + "X: " + std::string(800, 'x') + "\r\n\r\n")),
            "HTTP/1.1 200");
  EXPECT_EQ(status_of(answer_to(server, post + "X: " + std::string(1'000, 'x') + "\r\n\r\n")),
            "HTTP/1.1 431");
  EXPECT_EQ(status_of(answer_to(server, "GET /" + std::string(100'000, 'x'))), "HTTP/1.1 431");
  std::string many = post;
  for (int i = 0; i < 1'000; ++i) many += "A:\r\n";
  EXPECT_EQ(status_of(answer_to(server, many + "\r\n")), "HTTP/1.1 431");
}

TEST(Server, has_the_limits_of_the_program_unless_told) {
  // What each does at its value and past it is tested with smaller ones.
  const ServerOptions options;
  EXPECT_EQ(options.header_bytes_max, limits::http_header_bytes_max);
  EXPECT_EQ(options.connections_max, limits::http_connections_max);
  EXPECT_EQ(options.connections_per_client_max, limits::http_connections_per_client_max);
  const Server server = start();
  const std::string post = "POST / HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: ";
  const std::string longest(limits::http_request_bytes_max, 'b');
  EXPECT_EQ(
      status_of(answer_to(server, post + std::to_string(longest.size()) + "\r\n\r\n" + longest)),
      "HTTP/1.1 200");
  EXPECT_EQ(status_of(answer_to(server, post + std::to_string(longest.size() + 1) + "\r\n\r\n")),
            "HTTP/1.1 413");
}

TEST(Server, tells_a_client_of_a_body_that_it_will_not_take_before_that_is_sent) {
  const Server server = start({.body_bytes_max = 100});
  const Socket socket = connect_to(server.port());
  ASSERT_TRUE(socket.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1000000000\r\n\r\n"));
  EXPECT_EQ(status_of(socket.read_until("\r\n\r\n")), "HTTP/1.1 413");
}

TEST(Server, says_go_on_to_a_client_that_asks) {
  const Server server = start();
  const Socket socket = connect_to(server.port());
  ASSERT_TRUE(socket.send(
      "POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n"));
  EXPECT_EQ(socket.read_until("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  ASSERT_TRUE(socket.send("ok"));
  EXPECT_EQ(status_of(socket.read_until("\r\n\r\n")), "HTTP/1.1 200");
  EXPECT_EQ(socket.read_exactly(11), "POST /a ok\n");
}

TEST(Server, ends_a_request_that_takes_too_long) {
  Log log;
  const Server server =
      start({.request_timeout_ms = 200, .body_timeout_ms = 200}, echo, log.sink());
  const Socket headless = connect_to(server.port());
  ASSERT_TRUE(headless.send("GET / HTTP/1.1\r\nHo"));
  EXPECT_EQ(status_of(headless.read_all()), "HTTP/1.1 408");
  EXPECT_EQ(log.line(0).status, 408U);
  const Socket bodiless = connect_to(server.port());
  ASSERT_TRUE(bodiless.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nabc"));
  EXPECT_EQ(status_of(bodiless.read_all()), "HTTP/1.1 408");
  EXPECT_EQ(log.line(1).path, "/");
  const Socket silent = connect_to(server.port());
  EXPECT_EQ(silent.read_all(), "") << "nobody asked anything";
}

TEST(Server, ends_a_request_that_drips) {
  const Server server = start({.request_timeout_ms = 300});
  const Socket socket = connect_to(server.port());
  ASSERT_TRUE(socket.send("GET / HTTP/1.1\r\nHost: h\r\nX: "));
  int drops = 0;
  while (!socket.is_readable(20) && drops < 500 && socket.send("x")) ++drops;
  EXPECT_LT(drops, 100) << "each byte bought more time";
  EXPECT_EQ(status_of(socket.read_all()), "HTTP/1.1 408");
}

TEST(Server, closes_a_connection_that_is_idle) {
  const Server server = start({.idle_timeout_ms = 100});
  const Socket socket = connect_to(server.port());
  ASSERT_TRUE(socket.send(get("/a")));
  EXPECT_TRUE(socket.read_all().ends_with("GET /a \n"));
}

TEST(Server, gives_up_on_a_client_that_does_not_read) {
  Log log;
  const Server server = start(
      {.body_timeout_ms = 200}, [](const Request&) { return Response{.body = Bytes(64 << 20)}; },
      log.sink());
  const Socket socket = connect_to(server.port());
  ASSERT_TRUE(socket.send(get("/big")));
  const Served served = log.line(0);
  EXPECT_EQ(served.path, "/big");
  EXPECT_LT(served.body_bytes, 64U << 20);
}

TEST(Server, stays_reachable_when_others_hold_its_connections) {
  const Server server = start({.connections_max = 8, .eviction_age_ms = 1});
  std::vector<Socket> silent;
  for (int i = 0; i < 50; ++i) silent.push_back(connect_to(server.port()));
  EXPECT_EQ(status_of(answer_to(server, get("/", true))), "HTTP/1.1 200");
}

TEST(Server, closes_no_connection_that_was_just_made) {
  const Server server = start({.connections_max = 4, .eviction_age_ms = 600'000});
  std::vector<Socket> clients;
  for (int i = 0; i < 8; ++i) clients.push_back(connect_to(server.port()));
  for (const Socket& client : clients) {
    ASSERT_TRUE(client.send(get("/x", true)));
    EXPECT_TRUE(client.read_all().ends_with("GET /x \n"));
  }
}

TEST(Server, serves_more_clients_than_connections_one_after_the_other) {
  // A client may be held up between connecting and asking, on a busy machine for long.
  const Server server = start({.workers = 2, .connections_max = 4, .eviction_age_ms = 600'000});
  std::atomic<int> right = 0;
  std::vector<std::jthread> clients;
  for (int i = 0; i < 16; ++i)
    clients.emplace_back([&] {
      for (int j = 0; j < 20; ++j)
        if (answer_to(server, get("/x", true)).ends_with("GET /x \n")) ++right;
    });
  clients.clear();
  EXPECT_EQ(right, 320);
}

TEST(Server, goes_on_when_a_handler_throws_or_forges_a_header) {
  const Server server = start({}, [](const Request& request) -> Response {
    if (request.path == "/throw") throw std::runtime_error{"secret"};
    if (request.path == "/memory") throw std::bad_alloc{};
    if (request.path == "/odd") throw 1;
    if (request.path == "/forged") return {.headers = {{"x", "a\r\nset-cookie: b"}}};
    if (request.path == "/name") return {.headers = {{"x y", "a"}}};
    if (request.path == "/status") return {.status = 99};
    if (request.path == "/length") return {.headers = {{"content-length", "7"}}};
    return {};
  });
  for (const char* path : {"/throw", "/odd", "/forged", "/name", "/status"}) {
    const std::string answer = answer_to(server, get(path, true));
    EXPECT_EQ(status_of(answer), "HTTP/1.1 500") << path;
    EXPECT_EQ(answer.find("secret"), std::string::npos);
    EXPECT_EQ(answer.find("set-cookie"), std::string::npos);
  }
  EXPECT_EQ(status_of(answer_to(server, get("/memory", true))), "HTTP/1.1 503");
  const std::string length = answer_to(server, get("/length", true));
  EXPECT_NE(length.find("Content-Length: 0\r\n"), std::string::npos) << length;
  EXPECT_EQ(length.find("content-length: 7"), std::string::npos) << length;
}

TEST(Server, sends_no_body_where_there_is_none) {
  const Server server = start({}, [](const Request& request) {
    Response response = echo(request);
    if (request.path == "/304") response.status = 304;
    return response;
  });
  const std::string head =
      answer_to(server, "HEAD /a HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  EXPECT_NE(head.find("Content-Length: 9\r\n"), std::string::npos) << head;
  EXPECT_TRUE(head.ends_with("\r\n\r\n")) << head;
  const std::string unchanged = answer_to(server, get("/304", true));
  EXPECT_EQ(unchanged.find("Content-Length"), std::string::npos) << unchanged;
  EXPECT_TRUE(unchanged.ends_with("\r\n\r\n")) << unchanged;
}

TEST(Server, speaks_http_1_0) {
  const Server server = start();
  const std::string answer = answer_to(server, "GET /a HTTP/1.0\r\n\r\n");
  EXPECT_EQ(status_of(answer), "HTTP/1.1 200");
  EXPECT_TRUE(answer.ends_with("GET /a \n"));
}

TEST(Server, limits_the_rate_of_one_client) {
  const Server server = start({.requests_per_second_max = 1});
  int refused = 0;
  for (int i = 0; i < 30; ++i) {
    const std::string answer = answer_to(server, get("/", true));
    if (status_of(answer) == "HTTP/1.1 429") {
      ++refused;
      EXPECT_NE(answer.find("retry-after: 1\r\n"), std::string::npos);
    }
  }
  EXPECT_GE(refused, 10);
  EXPECT_LE(refused, 20);
}

TEST(Server, logs_without_the_query) {
  Log log;
  const Server server = start({}, echo, log.sink());
  static_cast<void>(answer_to(server, get("/a?token=secret", true)));
  const Served served = log.line(0);
  EXPECT_EQ(served.peer, "127.0.0.1");
  EXPECT_EQ(served.method, "GET");
  EXPECT_EQ(served.path, "/a");
  EXPECT_EQ(served.status, 200U);
  EXPECT_EQ(served.body_bytes, 8U);
}

TEST(Server, stops_after_the_answers_that_are_under_way) {
  std::latch asked{1};
  std::latch go_on{1};
  Server server = start({}, [&](const Request& request) {
    asked.count_down();
    go_on.wait();
    return echo(request);
  });
  const std::uint16_t port = server.port();
  const Socket idle = connect_to(port);
  const Socket busy = connect_to(port);
  ASSERT_TRUE(busy.send(get("/late")));
  asked.wait();
  std::jthread stopping{[&] { server.stop(); }};
  EXPECT_EQ(idle.read_all(), "") << "idle connections are closed at once";
  go_on.count_down();
  const std::string answer = busy.read_all();
  EXPECT_TRUE(answer.ends_with("GET /late \n")) << answer;
  EXPECT_NE(answer.find("Connection: close\r\n"), std::string::npos) << answer;
  stopping.join();
  EXPECT_LT(connect_to(port).fd(), 0);
  server.stop();
}

TEST(Server, stops_although_clients_hang) {
  Log log;
  Server server = start(
      {.stop_timeout_ms = 100}, [](const Request&) { return Response{.body = Bytes(64 << 20)}; },
      log.sink());
  const Socket reading = connect_to(server.port());
  ASSERT_TRUE(reading.send("GET / HTTP/1.1\r\n"));
  const Socket writing = connect_to(server.port());
  ASSERT_TRUE(writing.send(get("/")));
  ASSERT_TRUE(writing.is_readable(10'000));
  const auto start_time = std::chrono::steady_clock::now();
  server.stop();
  EXPECT_LT(std::chrono::steady_clock::now() - start_time, std::chrono::seconds{5});
  EXPECT_EQ(log.line(0).path, "/");
}

TEST(Server, stops_under_load) {
  for (int round = 0; round < 10; ++round) {
    Server server = start({.workers = 3});
    std::vector<std::jthread> clients;
    std::latch answered{4};
    for (int i = 0; i < 4; ++i)
      clients.emplace_back([&, port = server.port()](const std::stop_token& stop) {
        bool first = true;
        while (!stop.stop_requested()) {
          const Socket socket = connect_to(port);
          if (socket.fd() < 0) break;
          static_cast<void>(socket.send(get("/a") + get("/b", true)));
          static_cast<void>(socket.read_all());
          if (std::exchange(first, false)) answered.count_down();
        }
        if (first) answered.count_down();
      });
    answered.wait();
    server.stop();
  }
}

TEST(Server, waits_for_a_stop_request) {
  const Server server = start();
  std::stop_source stop;
  std::jthread stopping{[&] { stop.request_stop(); }};
  server.wait(stop.get_token());
}

}  // namespace
}  // namespace fiducia::http
