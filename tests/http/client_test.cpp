// SPDX-License-Identifier: Apache-2.0
#include "http/client.h"

#include <gtest/gtest.h>

#include <atomic>
#include <latch>
#include <thread>

#include "http/http.h"
#include "raw_socket.h"

namespace fiducia::http {
namespace {

using test::ScriptedServer;
using test::Socket;

/// Reads a request's header, sends `text` and closes.
ScriptedServer answering(std::string text, unsigned connections = 1) {
  return ScriptedServer{connections, [text = std::move(text)](const Socket& socket) {
                          static_cast<void>(socket.read_until("\r\n\r\n"));
                          static_cast<void>(socket.send(text));
                        }};
}

Server start_echo() {
  auto server = Server::start({}, [](const Request& request) {
    Response response{.headers = {{"X-Method", request.method}}};
    if (const auto value = find_header(request.headers, "x-test"))
      response.headers.emplace_back("X-Test", *value);
    if (const auto type = find_header(request.headers, "content-type"))
      response.headers.emplace_back("X-Type", *type);
    if (const auto agent = find_header(request.headers, "user-agent"))
      response.headers.emplace_back("X-Agent", *agent);
    if (request.path == "/move") {
      response.status = 302;
      response.headers.emplace_back("Location", "/there?a=b");
    }
    append(response.body, as_bytes(request.path + "|" + request.query + "|"));
    append(response.body, request.body);
    return response;
  });
  if (!server) throw std::runtime_error{to_sentence(server.error())};
  return std::move(*server);
}

Bytes bytes_of(std::string_view text) {
  Bytes bytes;
  append(bytes, as_bytes(text));
  return bytes;
}

TEST(Client, sends_method_header_and_body) {
  const Server server = start_echo();
  const Client client{{.user_agent = "test/1"}};
  struct Row {
    const char* method;
    const char* body;
  };
  for (const Row& row : {Row{"GET", ""}, Row{"POST", "a"}, Row{"POST", ""}, Row{"PUT", "b"},
                         Row{"PUT", ""}, Row{"DELETE", ""}, Row{"PATCH", "c"}}) {
    const auto response = client.send({.method = row.method,
                                       .url = server.url() + "/a/../%2e?q=1",
                                       .headers = {{"X-Test", "v"}},
                                       .body = bytes_of(row.body)});
    ASSERT_TRUE(response) << row.method << to_sentence(response.error());
    EXPECT_EQ(response->status, 200U);
    EXPECT_EQ(find_header(response->headers, "x-method"), row.method);
    EXPECT_EQ(find_header(response->headers, "x-test"), "v");
    EXPECT_EQ(find_header(response->headers, "x-agent"), "test/1");
    EXPECT_FALSE(find_header(response->headers, "x-type")) << "no form is claimed";
    EXPECT_EQ(as_text(response->body), "/a/../%2e|q=1|" + std::string{row.body});
  }
  const auto head = client.send({.method = "HEAD", .url = server.url() + "/a"});
  ASSERT_TRUE(head);
  EXPECT_TRUE(head->body.empty());
  EXPECT_EQ(find_header(head->headers, "content-length"), "4");
}

TEST(Client, takes_any_status_as_a_response) {
  const ScriptedServer server = answering("HTTP/1.1 503 No\r\nRetry-After: 7\r\n\r\nlater");
  const auto response = Client{}.send({.url = server.url()});
  ASSERT_TRUE(response) << to_sentence(response.error());
  EXPECT_EQ(response->status, 503U);
  EXPECT_EQ(find_header(response->headers, "retry-after"), "7");
  EXPECT_EQ(as_text(response->body), "later");
}

TEST(Client, follows_redirects_only_when_asked) {
  const Server server = start_echo();
  const auto stayed = Client{}.send({.url = server.url() + "/move"});
  ASSERT_TRUE(stayed);
  EXPECT_EQ(stayed->status, 302U);
  EXPECT_EQ(find_header(stayed->headers, "location"), "/there?a=b");
  const auto followed = Client{}.send({.url = server.url() + "/move", .redirects_max = 1});
  ASSERT_TRUE(followed);
  EXPECT_EQ(followed->status, 200U);
  EXPECT_EQ(as_text(followed->body), "/there|a=b|");
  EXPECT_FALSE(find_header(followed->headers, "location")) << "of the last response only";
}

TEST(Client, follows_no_redirect_out_of_http_and_not_for_ever) {
  const ScriptedServer file =
      answering("HTTP/1.1 302 Found\r\nLocation: file:///etc/passwd\r\nContent-Length: 0\r\n\r\n");
  const auto local = Client{}.send({.url = file.url(), .redirects_max = 5});
  ASSERT_FALSE(local);
  EXPECT_EQ(local.error().code, ErrorCode::io_unreadable);
  const ScriptedServer circle = answering(
      "HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", 10);
  const auto endless = Client{}.send({.url = circle.url(), .redirects_max = 3});
  ASSERT_FALSE(endless);
  EXPECT_EQ(endless.error().code, ErrorCode::io_unreadable);
}

TEST(Client, refuses_a_body_that_is_too_long) {
  struct Row {
    const char* name;
    const char* text;
  };
  for (const Row& row :
       {Row{"announced", "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nabcdef"},
        Row{"chunked",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n3\r\ndef"
            "\r\n0\r\n\r\n"},
        Row{"to the end", "HTTP/1.1 200 OK\r\n\r\nabcdef"}}) {
    const ScriptedServer server = answering(row.text, 2);
    const auto refused = Client{}.send({.url = server.url() + "/x", .response_bytes_max = 5});
    ASSERT_FALSE(refused) << row.name;
    EXPECT_EQ(refused.error().code, ErrorCode::over_limit) << row.name;
    EXPECT_EQ(refused.error().where.file, server.url() + "/x");
    const auto taken = Client{}.send({.url = server.url(), .response_bytes_max = 6});
    ASSERT_TRUE(taken) << row.name;
    EXPECT_EQ(as_text(taken->body), "abcdef");
  }
}

TEST(Client, takes_as_long_a_body_as_the_program_allows_unless_told) {
  const auto reply_of = [](std::uint64_t bytes) {
    const ScriptedServer server =
        answering("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(bytes) + "\r\n\r\n" +
                      std::string(bytes, 'x'),
                  1);
    const auto reply = Client{}.send({.url = server.url()});
    return reply ? "" : code_word(reply.error());
  };
  EXPECT_EQ(reply_of(limits::http_response_bytes_max), "");
  EXPECT_EQ(reply_of(limits::http_response_bytes_max + 1), "limit.reached");
}

TEST(Client, refuses_responses_that_end_early_or_are_none) {
  struct Row {
    const char* name;
    std::string text;
  };
  for (const Row& row :
       {Row{"nothing", ""},
        Row{"a body that is cut", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc"},
        Row{"a chunk that is cut", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nabc"},
        Row{"no last chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"},
        Row{"a chunk of no length", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n"},
        Row{"a length that is none", "HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\nabc"},
        Row{"no HTTP", "220 mail.example.org ESMTP\r\n"},
        Row{"an endless header",
            "HTTP/1.1 200 OK\r\nX: " + std::string(20'000, 'x') + "\r\n\r\nabc"}}) {
    // Twice: libcurl asks again when a connection ends without a word.
    const ScriptedServer server = answering(row.text, 2);
    const auto response = Client{}.send({.url = server.url() + "/x"});
    ASSERT_FALSE(response) << row.name;
    EXPECT_EQ(response.error().code, ErrorCode::io_unreadable) << row.name;
    EXPECT_EQ(response.error().where.file, server.url() + "/x") << row.name;
    EXPECT_FALSE(response.error().remedy.empty());
  }
}

TEST(Client, takes_no_more_than_the_length_says) {
  const ScriptedServer server = answering("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabcdef");
  const auto response = Client{}.send({.url = server.url()});
  ASSERT_TRUE(response);
  EXPECT_EQ(as_text(response->body), "abc");
}

TEST(Client, waits_no_longer_than_told) {
  std::latch done{1};
  const ScriptedServer server{1, [&](const Socket&) { done.wait(); }};
  const auto start = std::chrono::steady_clock::now();
  const std::string authority = server.url().substr(7);
  const auto response = Client{}.send(
      {.url = "http://user:secret@" + authority + "/a?token=secret", .total_timeout_ms = 100});
  ASSERT_FALSE(response);
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds{5});
  EXPECT_EQ(response.error().code, ErrorCode::io_unreadable);
  EXPECT_EQ(response.error().where.file, "http://" + authority + "/a");
  EXPECT_EQ(to_sentence(response.error()).find("secret"), std::string::npos);
  done.count_down();
}

TEST(Client, stops_when_asked) {
  std::latch connected{1};
  std::latch done{1};
  const ScriptedServer server{1, [&](const Socket&) {
                                connected.count_down();
                                done.wait();
                              }};
  std::stop_source stop;
  std::jthread stopping{[&] {
    connected.wait();
    stop.request_stop();
  }};
  const auto response = Client{}.send({.url = server.url(), .stop = stop.get_token()});
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().what, "The request was stopped.");
  done.count_down();
}

TEST(Client, names_a_server_that_is_not_there) {
  std::string url;
  {
    url = ScriptedServer{0, [](const Socket&) {}}.url();
  }
  const auto response = Client{}.send({.url = url + "/a"});
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().code, ErrorCode::io_unreadable);
  EXPECT_EQ(response.error().where.file, url + "/a");
}

TEST(Client, refuses_requests_that_could_forge_a_header) {
  const Server server = start_echo();
  const std::string url = server.url();
  for (const ClientRequest& request : {
           ClientRequest{.url = "file:///etc/passwd"},
           ClientRequest{.url = "ftp://h/"},
           ClientRequest{.url = "h/a"},
           ClientRequest{.url = ""},
           ClientRequest{.url = url + "/a b"},
           ClientRequest{.url = url + "/a\r\nX: y"},
           ClientRequest{.url = url + "/\xC3\xA4"},
           ClientRequest{.method = "GET / HTTP/1.1\r\nX:", .url = url},
           ClientRequest{.method = "", .url = url},
           ClientRequest{.url = url, .headers = {{"a", "b\r\nc: d"}}},
           ClientRequest{.url = url, .headers = {{"a: b\r\nc", "d"}}},
           ClientRequest{.url = url, .headers = {{"", "d"}}},
       }) {
    const auto response = Client{}.send(request);
    ASSERT_FALSE(response) << request.url;
    EXPECT_EQ(response.error().code, ErrorCode::usage_invalid) << request.url;
  }
}

TEST(Client, uses_a_connection_again) {
  // The port takes one connection; what comes later has to come over that.
  const ScriptedServer server{
      1, [](const Socket& socket) {
        while (!socket.read_until("\r\n\r\n").empty())
          if (!socket.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")) return;
      }};
  {
    const Client client;
    for (int i = 0; i < 3; ++i) {
      const auto response = client.send({.url = server.url()});
      ASSERT_TRUE(response) << i << to_sentence(response.error());
    }
  }
}

TEST(Client, may_be_used_by_many_threads) {
  const Server server = start_echo();
  const Client client;
  std::atomic<int> right = 0;
  std::vector<std::jthread> threads;
  for (int i = 0; i < 8; ++i)
    threads.emplace_back([&, i] {
      for (int j = 0; j < 50; ++j) {
        const std::string path = "/" + std::to_string(i) + "/" + std::to_string(j);
        const auto response = client.send({.url = server.url() + path});
        if (response && as_text(response->body) == path + "||") ++right;
      }
    });
  threads.clear();
  EXPECT_EQ(right, 400);
}

TEST(Client, sends_large_bodies_both_ways) {
  auto server = Server::start({.body_bytes_max = 20 << 20}, [](const Request& request) {
    return Response{.body = request.body};
  });
  ASSERT_TRUE(server);
  Bytes body(10 << 20);
  for (std::size_t i = 0; i < body.size(); ++i) body[i] = static_cast<std::byte>(i * 7 >> 3);
  const auto response = Client{}.send({.method = "PUT", .url = server->url(), .body = body});
  ASSERT_TRUE(response) << to_sentence(response.error());
  EXPECT_EQ(response->body, body);
}

}  // namespace
}  // namespace fiducia::http
