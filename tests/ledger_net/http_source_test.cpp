// SPDX-License-Identifier: Apache-2.0
#include "ledger_net/http_source.h"

#include <gtest/gtest.h>

#include <mutex>

#include "ledger_net/gzip.h"
#include "ledger_net/tile_server.h"
#include "paper_log.h"

namespace fiducia::ledger_net {
namespace {

using namespace test;
using std::chrono::milliseconds;

http::Server serve(http::Handler handler) {
  auto server = http::Server::start({}, std::move(handler));
  if (!server) throw std::runtime_error{to_sentence(server.error())};
  return std::move(*server);
}

/// Source, and how long it wanted to wait.
struct Asking {
  std::vector<milliseconds> waits;
  std::shared_ptr<HttpSource> source;
  explicit Asking(const std::string& url) {
    source = HttpSource::make(url, std::make_shared<http::Client>(),
                              {.wait = [this](milliseconds time) { waits.push_back(time); }})
                 .value();
  }
};

TEST(HttpSource, reads_what_a_tile_server_serves) {
  const crypto::PrivateKey key = new_key();
  PaperLog log{key};
  log.grow_to(600);
  const TileServer tiles{std::make_shared<PaperSource>(log.objects)};
  bool asked_for_gzip = false;
  const http::Server server = serve([&](const http::Request& request) {
    if (http::find_header(request.headers, "accept-encoding") == "gzip, identity")
      asked_for_gzip = true;
    return tiles.answer(request);
  });
  for (const std::string& url : {server.url(), server.url() + "/"}) {
    const Asking asking{url};
    for (const auto& [path, content] : log.objects) {
      const auto read = asking.source->read(path, 1 << 20);
      ASSERT_TRUE(read) << to_sentence(read.error());
      EXPECT_EQ(*read, content) << path;
    }
    const auto missing = asking.source->read("tile/0/777", 1 << 20);
    ASSERT_TRUE(missing);
    EXPECT_FALSE(*missing);
    EXPECT_EQ(asking.source->name_of("checkpoint"), server.url() + "/checkpoint");
    EXPECT_TRUE(asking.waits.empty());
  }
  EXPECT_TRUE(asked_for_gzip);
}

TEST(HttpSource, tries_again_after_failures_that_pass) {
  std::atomic<int> asked = 0;
  const http::Server server = serve([&](const http::Request&) -> http::Response {
    switch (++asked) {
      case 1:
        return {.status = 500};
      case 2:
        return {.status = 429, .headers = {{"Retry-After", "3"}}};
      case 3:
        return {.status = 503, .headers = {{"Retry-After", "999999"}}};
      default:
        return {.body = Bytes(3)};
    }
  });
  Asking asking{server.url()};
  const auto read = asking.source->read("checkpoint", 10);
  ASSERT_TRUE(read) << to_sentence(read.error());
  EXPECT_EQ(**read, Bytes(3));
  EXPECT_EQ(asking.waits,
            (std::vector{milliseconds{250}, milliseconds{3'000}, milliseconds{30'000}}));
}

TEST(HttpSource, gives_up_in_the_end) {
  std::atomic<int> asked = 0;
  const http::Server server = serve([&](const http::Request&) -> http::Response {
    ++asked;
    return {.status = 503};
  });
  Asking asking{server.url()};
  const auto read = asking.source->read("checkpoint", 10);
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code, ErrorCode::io_unreadable);
  EXPECT_EQ(read.error().where.file, "checkpoint");
  EXPECT_EQ(asked, 5);
  EXPECT_EQ(asking.waits.size(), 4U);
}

TEST(HttpSource, tries_again_when_there_is_no_server) {
  std::string url;
  {
    url = serve([](const http::Request&) { return http::Response{}; }).url();
  }
  Asking asking{url};
  const auto read = asking.source->read("checkpoint", 10);
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code, ErrorCode::io_unreadable);
  EXPECT_EQ(asking.waits.size(), 4U);
}

TEST(HttpSource, does_not_insist_where_the_answer_is_final) {
  struct Row {
    unsigned status;
    bool absent;
  };
  for (const Row row : {Row{404, true}, Row{410, true}, Row{403, false}, Row{400, false},
                        Row{301, false}, Row{206, false}, Row{204, false}}) {
    std::atomic<int> asked = 0;
    const http::Server server = serve([&](const http::Request&) -> http::Response {
      ++asked;
      return {.status = row.status, .headers = {{"Location", "/elsewhere"}}};
    });
    Asking asking{server.url()};
    const auto read = asking.source->read("checkpoint", 10);
    EXPECT_EQ(read.has_value(), row.absent) << row.status;
    EXPECT_EQ(asked, 1) << row.status;
    if (read) continue;
    EXPECT_EQ(read.error().code, ErrorCode::io_unreadable) << row.status;
  }
}

TEST(HttpSource, bounds_what_it_takes_packed_or_not) {
  const Bytes plain(100'000);
  std::string kind;
  const http::Server server = serve([&](const http::Request& request) -> http::Response {
    if (request.path == "/plain") return {.body = plain};
    if (request.path == "/packed")
      return {.headers = {{"Content-Encoding", "gzip"}}, .body = gzip(plain)};
    if (request.path == "/broken")
      return {.headers = {{"Content-Encoding", "gzip"}}, .body = plain};
    return {.headers = {{"Content-Encoding", "br"}}, .body = plain};
  });
  Asking asking{server.url()};
  for (const char* path : {"plain", "packed"}) {
    const auto fitting = asking.source->read(path, 100'000);
    ASSERT_TRUE(fitting) << path;
    EXPECT_EQ(**fitting, plain);
    const auto over = asking.source->read(path, 99'999);
    ASSERT_FALSE(over) << path;
    EXPECT_EQ(over.error().code, ErrorCode::over_limit) << path;
    EXPECT_EQ(over.error().where.file, path);
  }
  for (const char* path : {"broken", "brotli"}) {
    const auto read = asking.source->read(path, 100'000);
    ASSERT_FALSE(read) << path;
    EXPECT_EQ(read.error().code, ErrorCode::io_unreadable) << path;
  }
}

TEST(HttpSource, is_made_of_an_address_only) {
  const auto client = std::make_shared<http::Client>();
  for (const char* url :
       {"", "https://", "file:///tmp", "example.org/log", "https://h/?a=b", "https://h/#a"}) {
    const auto source = HttpSource::make(url, client);
    ASSERT_FALSE(source) << url;
    EXPECT_EQ(source.error().code, ErrorCode::usage_invalid);
  }
  const auto source = HttpSource::make("https://user:secret@example.org/log", client);
  ASSERT_TRUE(source);
  EXPECT_EQ((*source)->name_of("checkpoint"), "https://example.org/log/checkpoint");
}

}  // namespace
}  // namespace fiducia::ledger_net
