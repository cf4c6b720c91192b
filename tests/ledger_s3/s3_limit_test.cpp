// SPDX-License-Identifier: Apache-2.0
// What a store takes of a server that may be hostile, at each limit and one past it. The server is
// ours and answers what the test says.
#include <gtest/gtest.h>

#include <mutex>

#include "http/http.h"
#include "ledger_s3/s3_store.h"

namespace fiducia::ledger_s3 {
namespace {

using http::Request;
using http::Response;

class S3Limit : public testing::Test {
 protected:
  /// A store on a server that answers by `answer`. Its requests are counted by method.
  std::unique_ptr<S3Store> store(std::function<Response(const Request&)> answer,
                                 unsigned attempts_max = 1) {
    auto started = http::Server::start(
        {}, http::Handler{[this, answer = std::move(answer)](const Request& request) {
          const std::scoped_lock lock{mutex_};
          methods_ += request.method + " ";
          return answer(request);
        }});
    FIDUCIA_ASSERT(started.has_value());
    server_.emplace(std::move(*started));
    S3Options options{.endpoint = "http://127.0.0.1:" + std::to_string(server_->port()),
                      .bucket = "bucket",
                      .attempts_max = attempts_max,
                      .pause = [this](std::chrono::milliseconds time) { pauses_.push_back(time); }};
    auto opened = S3Store::open(std::move(options), S3Credentials{"key", "secret"});
    FIDUCIA_ASSERT(opened.has_value());
    return std::move(*opened);
  }
  std::string methods() {
    const std::scoped_lock lock{mutex_};
    return std::exchange(methods_, "");
  }
  static std::string code_of(const Status& status) {
    return status ? "" : code_word(status.error());
  }

  std::vector<std::chrono::milliseconds> pauses_;

 private:
  std::mutex mutex_;
  std::string methods_;
  std::optional<http::Server> server_;
};

TEST_F(S3Limit, of_an_object_whose_length_nobody_promised_holds) {
  std::uint64_t there_bytes = limits::s3_object_bytes_max;
  const auto opened = store([&](const Request& request) {
    return request.method == "GET"
               ? Response{.headers = {{"etag", "\"1\""}}, .body = Bytes(there_bytes)}
               : Response{};
  });
  EXPECT_EQ(code_of(opened->replace("checkpoint", as_bytes("a"))), "");
  there_bytes += 1;
  EXPECT_NE(code_of(opened->replace("other", as_bytes("a"))), "");
}

TEST_F(S3Limit, of_an_error_document_holds) {
  std::size_t document_bytes = limits::s3_error_bytes_max;
  const auto opened = store([&](const Request&) {
    std::string document = "<Error><Code>NoSuchKey</Code>";
    document.resize(document_bytes, ' ');
    const ByteView bytes = as_bytes(document);
    return Response{.status = 404, .body = {bytes.begin(), bytes.end()}};
  });
  const auto absent = opened->read("checkpoint", 10);
  ASSERT_TRUE(absent.has_value()) << to_sentence(absent.error());
  EXPECT_FALSE(absent->has_value());
  document_bytes += 1;
  EXPECT_FALSE(opened->read("checkpoint", 10).has_value());
}

TEST_F(S3Limit, of_a_list_of_objects_holds) {
  std::size_t list_bytes = limits::s3_list_bytes_max;
  const auto opened = store([&](const Request& request) {
    std::string list = "<Key>tile/0/000.p/7</Key>";
    list.resize(list_bytes, ' ');
    const ByteView bytes = as_bytes(list);
    return request.method == "GET" ? Response{.body = {bytes.begin(), bytes.end()}} : Response{};
  });
  EXPECT_EQ(code_of(opened->remove_partials("tile/0/000")), "");
  EXPECT_EQ(methods(), "GET DELETE ");
  list_bytes += 1;
  EXPECT_NE(code_of(opened->remove_partials("tile/0/000")), "");
  EXPECT_EQ(methods(), "GET ");
}

TEST_F(S3Limit, of_a_remembered_version_holds) {
  std::size_t version_bytes = limits::s3_etag_bytes_max;
  const auto opened = store([&](const Request& request) {
    if (request.method == "GET") return Response{.status = 200, .body = Bytes(3)};
    return Response{.headers = {{"etag", std::string(version_bytes, 'e')}}};
  });
  ASSERT_EQ(code_of(opened->replace("a", as_bytes("1"))), "");
  static_cast<void>(methods());
  EXPECT_EQ(code_of(opened->replace("a", as_bytes("2"))), "");
  EXPECT_EQ(methods(), "PUT ") << "the version is known";
  version_bytes += 1;
  EXPECT_EQ(code_of(opened->replace("a", as_bytes("3"))), "");
  static_cast<void>(methods());
  static_cast<void>(opened->replace("a", as_bytes("4")));
  EXPECT_TRUE(methods().starts_with("GET ")) << "it was not remembered";
}

TEST_F(S3Limit, of_the_pauses_between_two_tries_holds) {
  constexpr unsigned tries = 12;
  const auto opened = store([](const Request&) { return Response{.status = 503}; }, tries);
  EXPECT_FALSE(opened->read("checkpoint", 10).has_value());
  ASSERT_EQ(pauses_.size(), tries - 1);
  std::int64_t bound = limits::s3_backoff_first_ms;
  for (const std::chrono::milliseconds pause : pauses_) {
    EXPECT_GE(pause.count(), 1);
    EXPECT_LE(pause.count(), bound);
    bound = std::min(2 * bound, limits::s3_backoff_ms_max);
  }
  EXPECT_EQ(bound, limits::s3_backoff_ms_max) << "enough tries to come to it";
}

}  // namespace
}  // namespace fiducia::ledger_s3
