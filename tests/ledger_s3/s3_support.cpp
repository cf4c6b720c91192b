// SPDX-License-Identifier: Apache-2.0
#include "s3_support.h"

#include <unistd.h>

#include "ledger_s3/s3_reply.h"

namespace fiducia::ledger_s3::test {
namespace {

/// Started with the first test, ended with the program.
class Server final : public ::testing::Environment {
 public:
  void SetUp() override { gateway_ = std::make_unique<fiducia::test::RadosGateway>(); }
  void TearDown() override { gateway_.reset(); }
  std::unique_ptr<fiducia::test::RadosGateway> gateway_;
};
// GoogleTest owns and deletes it.
Server* const server = static_cast<Server*>(::testing::AddGlobalTestEnvironment(new Server));

}  // namespace

const fiducia::test::RadosGateway& gateway() { return *server->gateway_; }
S3Credentials writer() { return {gateway().key, gateway().secret}; }
S3Credentials other() { return {gateway().other_key, gateway().other_secret}; }

Answer ask(const std::string& method, const std::string& target, const std::string& query,
           const S3Headers& headers, std::string_view body) {
  const std::string endpoint = gateway().endpoint;
  const S3Request request{.method = method,
                          .host = endpoint.substr(endpoint.find("://") + 3),
                          .path = target,
                          .query = query,
                          .headers = headers,
                          .payload_hash = crypto::sha256(as_bytes(body))};
  http::ClientRequest message;
  message.method = method;
  message.url = endpoint + target + (query.empty() ? "" : "?" + query);
  message.headers = sign_s3_request(request, writer(), gateway().region, system_now());
  message.body = bytes_of(body);
  const http::Client client;
  auto reply = client.send(message);
  if (!reply) {
    ADD_FAILURE() << to_sentence(reply.error());
    return {};
  }
  return {.status = reply->status,
          .code = reply->status < 300 ? "" : read_s3_error_code(reply->body),
          .body = std::string{as_text(reply->body)},
          .headers = std::move(reply->headers)};
}

std::string new_bucket(bool with_lock) {
  static int number = 0;
  const auto now = std::chrono::steady_clock::now().time_since_epoch().count();
  const std::string name =
      "t" + std::to_string(getpid()) + "-" + std::to_string(now) + "-" + std::to_string(++number);
  const auto made =
      ask("PUT", "/" + name, "",
          with_lock ? S3Headers{{"x-amz-bucket-object-lock-enabled", "true"}} : S3Headers{});
  EXPECT_EQ(made.status, 200U) << made.body;
  return name;
}

S3Options options_for(const std::string& bucket, const std::string& endpoint) {
  S3Options options;
  options.endpoint = endpoint.empty() ? gateway().endpoint : endpoint;
  options.region = gateway().region;
  options.bucket = bucket;
  options.prefix = "log";
  options.pause = [](std::chrono::milliseconds) {};
  return options;
}

std::unique_ptr<S3Store> open_store(const S3Options& options) {
  auto store = S3Store::open(options, writer());
  if (!store) {
    ADD_FAILURE() << to_sentence(store.error());
    std::abort();
  }
  return std::move(*store);
}

std::string read_text(const ledger::ObjectSource& store, const std::string& path) {
  const auto content = store.read(path, 1 << 20);
  if (!content) return to_sentence(content.error());
  return *content ? std::string{as_text(**content)} : "(none)";
}

std::string sentence(const Status& status) { return status ? "" : to_sentence(status.error()); }

}  // namespace fiducia::ledger_s3::test
