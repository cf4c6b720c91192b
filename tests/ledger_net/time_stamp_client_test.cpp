// SPDX-License-Identifier: Apache-2.0
#include "ledger_net/time_stamp_client.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>

#include "ledger_format/ledger_format.h"

namespace fiducia::ledger_net {
namespace {

constexpr UnixTime now{1'750'000'000};

crypto::CertificateRequest request() {
  return {.common_name = "TSA",
          .organization = "",
          .not_before = {now.seconds - 1000},
          .not_after = {now.seconds + 1000}};
}

/// A time-stamp authority behind a server of its own.
class Tsa {
 public:
  explicit Tsa(UnixTime clock = now)
      : root_key_(crypto::PrivateKey::generate(crypto::KeyKind::p256).value()),
        root_(crypto::make_authority(root_key_, request()).value()),
        key_(crypto::PrivateKey::generate(crypto::KeyKind::p256).value()),
        authority_{.key = key_,
                   .certificate = crypto::make_time_stamp_certificate(key_.public_key(), request(),
                                                                      root_key_, root_)
                                      .value(),
                   .above = {},
                   .policy = "2.999.1",
                   .clock = [clock] { return clock; },
                   .accuracy_seconds = 1},
        server_(http::Server::start({}, make_time_stamp_handler(authority_)).value()) {}
  Tsa(const Tsa&) = delete;
  Tsa& operator=(const Tsa&) = delete;

  [[nodiscard]] std::string url() const {
    return "http://127.0.0.1:" + std::to_string(server_.port()) + "/tsa";
  }
  [[nodiscard]] TimeStampSource source(std::string name) const {
    return {.name = std::move(name), .url = url(), .anchors = {root_}};
  }
  [[nodiscard]] const crypto::TimeStampAuthority& authority() const { return authority_; }
  [[nodiscard]] const crypto::Certificate& root() const { return root_; }

 private:
  crypto::PrivateKey root_key_;
  crypto::Certificate root_;
  crypto::PrivateKey key_;
  crypto::TimeStampAuthority authority_;
  http::Server server_;
};

std::string checkpoint() {
  static const auto key = crypto::PrivateKey::generate(crypto::KeyKind::ed25519).value();
  return ledger_format::write_note(
             ledger_format::write_checkpoint(
                 {.origin = "log.example", .tree_size = 3, .root = {}, .extensions = {}}),
             "log.example", key)
      .value();
}

std::vector<TimeStampReport> ask(const std::vector<TimeStampSource>& sources,
                                 TimeStampOptions options = {}) {
  const http::Client client;
  options.clock = [] { return now; };
  options.total_timeout_ms = std::min(options.total_timeout_ms, 5'000U);
  return request_time_stamps(client, sources, checkpoint(), options).value();
}

void expect_failed(const TimeStampReport& report, ErrorCode code, std::string_view says) {
  ASSERT_FALSE(report.token.has_value());
  EXPECT_EQ(report.token.error().code, code) << to_sentence(report.token.error());
  EXPECT_NE(report.token.error().what.find(says), std::string::npos)
      << to_sentence(report.token.error());
  EXPECT_NE(report.token.error().what.find(report.name), std::string::npos);
  EXPECT_NE(report.token.error().where.file.find("127.0.0.1"), std::string::npos);
}

TEST(TimeStampClient, brings_verified_tokens_over_the_text_of_the_checkpoint) {
  const Tsa first, second;
  const auto reports = ask({first.source("First"), second.source("Second")});
  ASSERT_EQ(reports.size(), 2U);
  EXPECT_EQ(reports[0].name, "First");
  EXPECT_EQ(reports[1].name, "Second");
  const Digest imprint =
      crypto::sha256(as_bytes(ledger_format::read_note(checkpoint()).value().text));
  for (std::size_t i = 0; i < 2; ++i) {
    ASSERT_TRUE(reports[i].token.has_value()) << to_sentence(reports[i].token.error());
    EXPECT_EQ(reports[i].latest, (UnixTime{now.seconds + 1}));
    const crypto::Certificate& root = (i == 0 ? first : second).root();
    EXPECT_TRUE(
        crypto::verify_time_stamp(*reports[i].token, {.imprint = imprint, .anchors = {&root, 1}})
            .has_value());
  }
}

TEST(TimeStampClient, lets_no_failing_authority_hinder_the_others) {
  const Tsa good, stranger;
  TimeStampSource untrusted = stranger.source("Stranger");
  untrusted.anchors = {good.root()};
  TimeStampSource unreachable = good.source("Gone");
  {
    // A port that was free a moment ago, and where nobody listens now.
    const Tsa gone;
    unreachable.url = gone.url();
  }
  const auto reports = ask({unreachable, untrusted, good.source("Good")});
  expect_failed(reports[0], ErrorCode::io_unreadable, "Gone");
  expect_failed(reports[1], ErrorCode::signature_bad, "not one that is trusted");
  EXPECT_TRUE(reports[2].token.has_value());
}

TEST(TimeStampClient, waits_for_nobody_longer_than_its_time) {
  // Connections are accepted by the system and never answered.
  const int socket = ::socket(AF_INET, SOCK_STREAM, 0);
  ASSERT_GE(socket, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  ASSERT_EQ(::bind(socket, reinterpret_cast<sockaddr*>(&address), length), 0);
  ASSERT_EQ(::listen(socket, 4), 0);
  ASSERT_EQ(::getsockname(socket, reinterpret_cast<sockaddr*>(&address), &length), 0);
  const Tsa good;
  TimeStampSource silent = good.source("Silent");
  silent.url = "http://127.0.0.1:" + std::to_string(ntohs(address.sin_port)) + "/";
  const auto reports = ask({silent, good.source("Good")}, {.total_timeout_ms = 500});
  ::close(socket);
  expect_failed(reports[0], ErrorCode::io_unreadable, "Silent");
  EXPECT_TRUE(reports[1].token.has_value());
}

TEST(TimeStampClient, asks_for_the_policy_and_believes_no_other) {
  const Tsa tsa;
  TimeStampSource source = tsa.source("T");
  source.policies = {"2.999.1", "2.999.2"};
  EXPECT_TRUE(ask({source}).front().token.has_value());
  source.policies = {"2.999.2"};
  expect_failed(ask({source}).front(), ErrorCode::signature_bad, "policy");
}

TEST(TimeStampClient, refuses_a_clock_far_from_ours) {
  const Tsa slow({now.seconds - 301}), fine({now.seconds - 300});
  const auto reports = ask({slow.source("Slow"), fine.source("Fine")});
  expect_failed(reports[0], ErrorCode::signature_bad, "its clock says");
  EXPECT_TRUE(reports[1].token.has_value());
}

TEST(TimeStampClient, refuses_answers_that_are_none_and_answers_to_others) {
  const Tsa tsa;
  const Digest imprint =
      crypto::sha256(as_bytes(ledger_format::read_note(checkpoint()).value().text));
  const auto replayed = crypto::answer_time_stamp_request(
      crypto::make_time_stamp_request(imprint).value().encoded, tsa.authority());
  const http::Headers reply{{"Content-Type", "application/timestamp-reply"}};
  struct Row {
    const char* name;
    unsigned status;
    http::Headers headers;
    Bytes body;
    ErrorCode code;
    const char* says;
  };
  for (const Row& row :
       {Row{"replayed", 200, reply, *replayed, ErrorCode::signature_bad, "nonce"},
        Row{"page",
            200,
            {{"Content-Type", "text/html"}},
            *replayed,
            ErrorCode::malformed,
            "not a time-stamp reply"},
        Row{"no type", 200, {}, *replayed, ErrorCode::malformed, "not a time-stamp reply"},
        Row{"empty", 200, reply, {}, ErrorCode::malformed, "not that of"},
        Row{"garbage", 200, reply, Bytes(100, std::byte{0x30}), ErrorCode::malformed,
            "not that of"},
        Row{"too long", 200, reply, Bytes(limits::time_stamp_bytes_max + 1), ErrorCode::over_limit,
            ""},
        Row{"status", 503, reply, *replayed, ErrorCode::io_unreadable, "503"},
        Row{"redirect", 302, {{"Location", tsa.url()}}, {}, ErrorCode::io_unreadable, "302"}}) {
    SCOPED_TRACE(row.name);
    const auto server =
        http::Server::start({}, [&](const http::Request&) {
          return http::Response{.status = row.status, .headers = row.headers, .body = row.body};
        }).value();
    TimeStampSource source = tsa.source("T");
    source.url = "http://127.0.0.1:" + std::to_string(server.port()) + "/";
    expect_failed(ask({source}).front(), row.code, row.says);
  }
}

TEST(TimeStampClient, names_what_it_cannot_ask_about) {
  const http::Client client;
  EXPECT_EQ(request_time_stamps(client, {}, "no note").error().code, ErrorCode::malformed);
  const Tsa tsa;
  const std::vector<TimeStampSource> many(limits::time_stamps_max + 1, tsa.source("T"));
  EXPECT_EQ(request_time_stamps(client, many, checkpoint()).error().code, ErrorCode::usage_invalid);
  EXPECT_TRUE(request_time_stamps(client, {}, checkpoint())->empty());
}

TEST(TimeStampHandler, answers_posts_of_queries_only) {
  const Tsa tsa;
  const http::Client client;
  EXPECT_EQ(client.send({.url = tsa.url()})->status, 405U);
  EXPECT_EQ(client.send({.method = "POST", .url = tsa.url()})->status, 415U);
  const auto answered = client.send({.method = "POST",
                                     .url = tsa.url(),
                                     .headers = {{"Content-Type", "application/timestamp-query"}}});
  ASSERT_TRUE(answered.has_value());
  EXPECT_EQ(answered->status, 200U) << "a bad request is refused inside the answer";
  EXPECT_FALSE(crypto::read_time_stamp_response(answered->body).has_value());
}

}  // namespace
}  // namespace fiducia::ledger_net
