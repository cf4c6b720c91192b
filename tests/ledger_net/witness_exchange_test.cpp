// SPDX-License-Identifier: Apache-2.0
// Witnesses behind real servers on the loopback interface, and a log that asks them.
#include <gmock/gmock.h>

#include <latch>
#include <thread>

#include "published_vectors.h"
#include "witness_exchange_support.h"

namespace fiducia::ledger_net::test {
namespace {

/// A witness that is being served.
struct ServedWitness {
  ScratchWitness scratch;
  witness::Witness witness = scratch.open(system_now);
  http::Server server;
  explicit ServedWitness(const MadeLog& log, const std::string& prefix = "",
                         WitnessJournal journal = {})
      : server(
            http::Server::start({}, serve_witness(witness, prefix, std::move(journal))).value()) {
    // The scratch log may have the same origin: the log of the test is then a second key of it.
    FIDUCIA_ASSERT(witness.add_log(log.name(), log.vkey()).has_value());
  }
};

http::ClientResponse send(const http::Client& client, http::ClientRequest request) {
  auto answer = client.send(request);
  if (!answer) ADD_FAILURE() << sentence(answer.error());
  return answer ? std::move(*answer) : http::ClientResponse{};
}
http::ClientResponse post(const http::Client& client, const std::string& url,
                          std::string_view body) {
  return send(client, {.method = "POST", .url = url, .body = to_bytes(body)});
}
std::string text_of(const http::ClientResponse& answer) {
  return std::string{as_text(answer.body)};
}
std::string type_of(const http::ClientResponse& answer) {
  return std::string{http::find_header(answer.headers, "content-type").value_or("")};
}

TEST(WitnessServer, answers_the_published_sequence_over_http) {
  const ScratchFolder scratch;
  ASSERT_TRUE(witness::Witness::create(scratch.path() / "w", "witness.example.org").has_value());
  const auto witness = witness::Witness::open(scratch.path() / "w").value();
  const auto rows = read_json("witness-add-checkpoint.json");
  const VerifierKey log = ledger_format::read_vkey(rows["log_vkey"].get<std::string>()).value();
  ASSERT_TRUE(witness.add_log(log.name, log).has_value());
  const auto server = http::Server::start({}, serve_witness(witness, "/w"));
  ASSERT_TRUE(server.has_value()) << sentence(server.error());
  const http::Client client;
  const std::string show = server->url() + "/w/" + witness::origin_hash(log.name) + "/checkpoint";
  EXPECT_EQ(send(client, {.url = show}).status, 404U) << "before the first";
  for (const auto& row : rows["requests_in_order"]) {
    const std::string body = row["request_body"];
    SCOPED_TRACE(body);
    const auto answer = post(client, server->url() + "/w/add-checkpoint", body);
    EXPECT_EQ(answer.status, row["status_by_spec"].get<unsigned>()) << text_of(answer);
    if (row.contains("response_body")) {
      EXPECT_EQ(text_of(answer), row["response_body"].get<std::string>());
      EXPECT_EQ(type_of(answer), row["response_content_type"].get<std::string>());
    }
    if (answer.status != 200) continue;
    const std::string note = witness::read_add_checkpoint(body)->note;
    EXPECT_TRUE(
        ledger_format::merge_cosignatures(note, text_of(answer), std::span{&witness.key(), 1})
            .has_value());
    const auto shown = send(client, {.url = show});
    EXPECT_EQ(shown.status, 200U);
    EXPECT_EQ(text_of(shown), note + text_of(answer));
    EXPECT_EQ(type_of(shown), "text/plain; charset=utf-8");
    EXPECT_EQ(http::find_header(shown.headers, "cache-control"), "no-store");
  }
}

TEST(WitnessServer, refuses_what_is_no_request_of_the_protocol) {
  const MadeLog log;
  std::vector<std::string> journal;
  std::mutex mutex;
  const ServedWitness served{
      log, "", [&](const WitnessEvent& event) {
        const std::lock_guard lock{mutex};
        journal.push_back(event.error ? event.error->what : event.answer.text);
      }};
  const http::Client client;
  const std::string url = served.server.url();
  EXPECT_EQ(send(client, {.url = url + "/add-checkpoint"}).status, 405U);
  EXPECT_EQ(send(client, {.url = url + "/"}).status, 404U);
  EXPECT_EQ(send(client, {.url = url + "/checkpoint"}).status, 404U);
  EXPECT_EQ(send(client, {.url = url + "/x/checkpoint"}).status, 404U);
  EXPECT_EQ(send(client, {.url = url + "/%2e%2e/checkpoint"}).status, 404U);
  EXPECT_EQ(post(client, url + "/" + std::string(64, '0') + "/checkpoint", "").status, 405U);
  EXPECT_EQ(post(client, url + "/sign-subtree", "").status, 404U);
  EXPECT_TRUE(journal.empty());
  EXPECT_EQ(post(client, url + "/add-checkpoint", "").status, 400U);
  EXPECT_EQ(post(client, url + "/add-checkpoint",
                 "old 0\n\n" + std::string(limits::witness_request_bytes_max, 'a'))
                .status,
            400U);
  EXPECT_EQ(post(client, url + "/add-checkpoint",
                 witness::write_add_checkpoint(make_request(MadeLog{"example.net/y"}, 0, 1)))
                .status,
            404U);
  EXPECT_EQ(journal.size(), 3U);
  // The witness's own trouble is a 500 that tells a stranger no path.
  fs::remove(served.scratch.log_folder() / "state");
  const auto trouble = post(client, url + "/add-checkpoint",
                            witness::write_add_checkpoint(make_request(served.scratch.log, 0, 1)));
  EXPECT_EQ(trouble.status, 500U);
  EXPECT_EQ(text_of(trouble), "malformed.state\n");
}

/// An address that nobody listens on any more.
std::string dead_url() {
  const auto server =
      http::Server::start({}, [](const http::Request&) { return http::Response{}; }).value();
  return server.url();
}

TEST(WitnessExchange, gets_its_quorum_past_the_dead_the_slow_and_the_lying) {
  const MadeLog log;
  const ServedWitness one{log, "/one"};
  const ServedWitness two{log};
  const Liar slow{"slow.example.org"};
  std::latch over{1};
  auto slow_server = http::Server::start({}, [&](const http::Request&) {
    over.wait();
    return http::Response{.status = 500};
  });
  ASSERT_TRUE(slow_server.has_value());
  const Liar other_note{"other-note.example.org"};
  const Liar other_key{"other-key.example.org"};
  const Liar garbage{"garbage.example.org"};
  const auto now = [] { return system_now(); };
  const auto lying = http::Server::start({}, [&](const http::Request& request) {
    std::string body = "\xFF\x00 garbage";
    if (request.path == "/other-note/add-checkpoint") body = other_note.line(log.text(8), now());
    if (request.path == "/other-key/add-checkpoint")
      body = Liar{"other-key.example.org"}.line(log.text(9), now());
    return http::Response{.status = 200, .headers = {}, .body = to_bytes(body)};
  });
  ASSERT_TRUE(lying.has_value());
  const std::vector<ledger_format::PolicyWitness> witnesses{
      {.name = "one", .key = one.witness.key(), .url = one.server.url() + "/one"},
      {.name = "dead", .key = Liar{"dead.example.org"}.vkey, .url = dead_url()},
      {.name = "slow", .key = slow.vkey, .url = slow_server->url()},
      {.name = "other-note", .key = other_note.vkey, .url = lying->url() + "/other-note"},
      {.name = "other-key", .key = other_key.vkey, .url = lying->url() + "/other-key/"},
      {.name = "garbage", .key = garbage.vkey, .url = lying->url() + "/garbage"},
      {.name = "two", .key = two.witness.key(), .url = two.server.url() + "/"},
  };
  const Policy policy = policy_of(log, witnesses, 2);
  const http::Client http_client;
  // Grace enough for the liars to be heard; the slow one is never waited for longer.
  WitnessClient client{policy, http_client, {.total_timeout_ms = 120'000, .grace_ms = 3'000}};
  CosignRequest request = request_of(log, 9);
  request.signed_at = system_now();
  const auto report = client.cosign(request);
  ASSERT_TRUE(report.has_value()) << sentence(report.error());
  EXPECT_TRUE(report->quorum);
  EXPECT_FALSE(report->conflict.has_value());
  std::map<std::string, WitnessOutcome> outcomes;
  for (const WitnessReport& witness : report->witnesses) {
    outcomes[witness.witness] = witness.outcome;
    EXPECT_FALSE(witness.text.empty());
  }
  using enum WitnessOutcome;
  EXPECT_THAT(outcomes,
              testing::ElementsAre(std::pair{"dead", unreachable}, std::pair{"garbage", invalid},
                                   std::pair{"one", cosigned}, std::pair{"other-key", invalid},
                                   std::pair{"other-note", invalid}, std::pair{"slow", too_late},
                                   std::pair{"two", cosigned}));
  const auto verdict =
      ledger_format::judge_checkpoint(policy, report->note, ledger_format::bounds_at(system_now()));
  EXPECT_TRUE(verdict->accepted) << verdict->text;
  EXPECT_EQ(verdict->cosigned.size(), 2U);
  EXPECT_EQ(ledger_format::read_note(report->note)->signatures.size(), 3U);

  // The same witnesses are not enough where three are asked for.
  WitnessClient demanding{
      policy_of(log, witnesses, 3), http_client, {.total_timeout_ms = 500, .grace_ms = 1}};
  request = request_of(log, 10);
  request.signed_at = system_now();
  const auto failed = demanding.cosign(request);
  ASSERT_TRUE(failed.has_value());
  EXPECT_FALSE(failed->quorum);
  over.count_down();
}

TEST(WitnessExchange, of_a_split_view_reaches_at_most_one_of_two_disjoint_quorums) {
  // Two processes with one key show the same three witnesses two trees at the same time; of every
  // size at most one has two cosignatures.
  const MadeLog log;
  const ServedWitness one{log};
  const ServedWitness two{log};
  const ServedWitness three{log};
  const std::vector<ledger_format::PolicyWitness> witnesses{
      {.name = "one", .key = one.witness.key(), .url = one.server.url()},
      {.name = "two", .key = two.witness.key(), .url = two.server.url()},
      {.name = "three", .key = three.witness.key(), .url = three.server.url()},
  };
  const Policy policy = policy_of(log, witnesses, 2);
  const http::Client http_client;
  std::vector<Result<CosignReport>> reports;
  std::mutex mutex;
  {
    std::latch start{2};
    std::vector<std::jthread> threads;
    for (const std::uint64_t fork : {MadeLog::no_fork, std::uint64_t{3}})
      threads.emplace_back([&, fork] {
        WitnessClient client{
            policy, http_client, {.total_timeout_ms = 120'000, .grace_ms = 60'000}};
        CosignRequest request = request_of(log, 9, fork);
        request.signed_at = system_now();
        start.arrive_and_wait();
        auto report = client.cosign(request);
        const std::lock_guard lock{mutex};
        reports.push_back(std::move(report));
      });
  }
  ASSERT_EQ(reports.size(), 2U);
  int with_quorum = 0;
  int with_conflict = 0;
  std::size_t cosignatures = 0;
  for (const auto& report : reports) {
    ASSERT_TRUE(report.has_value()) << sentence(report.error());
    with_quorum += report->quorum ? 1 : 0;
    with_conflict += report->conflict && report->conflict_proven ? 1 : 0;
    cosignatures += ledger_format::read_note(report->note)->signatures.size() - 1;
  }
  EXPECT_EQ(with_quorum, 1);
  EXPECT_EQ(cosignatures, 3U) << "each witness cosigns exactly one of the two";
  EXPECT_GE(with_conflict, 1) << "the loser learns of it";
}

}  // namespace
}  // namespace fiducia::ledger_net::test
