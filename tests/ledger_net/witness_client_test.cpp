// SPDX-License-Identifier: Apache-2.0
// The client against witnesses of every kind, without a network.
#include "ledger_net/witness_client.h"

#include <gmock/gmock.h>

#include "witness_exchange_support.h"

namespace fiducia::ledger_net::test {
namespace {

using testing::HasSubstr;
using Answer = std::function<Result<http::ClientResponse>(const http::ClientRequest&)>;

/// Hosts by name; counts what each was asked.
struct Network {
  std::map<std::string, Answer> hosts;
  std::mutex mutex;
  std::map<std::string, unsigned> asked;

  [[nodiscard]] Transport transport() {
    return [this](const http::ClientRequest& request) -> Result<http::ClientResponse> {
      std::string host = request.url.substr(std::string_view{"http://"}.size());
      host = host.substr(0, host.find('/'));
      {
        const std::lock_guard lock{mutex};
        ++asked[host];
      }
      const auto found = hosts.find(host);
      if (found == hosts.end()) return fail(ErrorCode::io_unreadable, "No connection.");
      return found->second(request);
    };
  }
  /// A witness behind its real handler.
  void add(const std::string& host, const witness::Witness& witness) {
    hosts[host] = [handler = serve_witness(witness, "")](
                      const http::ClientRequest& request) -> Result<http::ClientResponse> {
      const std::string path = request.url.substr(request.url.find('/', 7));
      http::Response answer = handler({.method = request.method,
                                       .path = path,
                                       .query = {},
                                       .headers = {},
                                       .body = request.body,
                                       .peer = "127.0.0.1"});
      return http::ClientResponse{.status = answer.status,
                                  .headers = std::move(answer.headers),
                                  .body = std::move(answer.body)};
    };
  }
};

ledger_format::PolicyWitness named(const std::string& name, const VerifierKey& key) {
  return {.name = name, .key = key, .url = "http://" + name};
}

WitnessClientOptions at_noon() { return {.clock = at(noon)}; }

/// One witness of the policy that answers as told; what the report says about it.
struct OneWitness {
  Network network;
  MadeLog log;
  Liar liar;
  [[nodiscard]] CosignReport ask(const CosignRequest& request, Answer answer) {
    network.hosts["w"] = std::move(answer);
    WitnessClient client{policy_of(log, {named("w", liar.vkey)}, 1), network.transport(),
                         at_noon()};
    auto report = client.cosign(request);
    FIDUCIA_ASSERT(report.has_value());
    return std::move(*report);
  }
  [[nodiscard]] CosignReport ask(Answer answer) { return ask(request_of(log, 9), answer); }
};

TEST(WitnessClient, gets_the_cosignatures_of_all_witnesses) {
  std::vector<std::unique_ptr<ScratchWitness>> scratch;
  std::vector<witness::Witness> witnesses;
  std::vector<ledger_format::PolicyWitness> listed;
  Network network;
  MadeLog log;
  for (const std::string name : {"a", "b", "c"}) {
    scratch.push_back(std::make_unique<ScratchWitness>(name + ".example.org"));
    witnesses.push_back(scratch.back()->open());
  }
  // All follow the log of this test.
  for (std::size_t i = 0; i < 3; ++i) {
    ASSERT_TRUE(witnesses[i].add_log(log.name(), log.vkey()).has_value());
    const std::string name(1, static_cast<char>('a' + i));
    network.add(name, witnesses[i]);
    listed.push_back(named(name, witnesses[i].key()));
  }
  const Policy policy = policy_of(log, listed, 3);
  WitnessClient client{policy, network.transport(), at_noon()};
  const auto first = client.cosign(request_of(log, 5));
  ASSERT_TRUE(first.has_value()) << sentence(first.error());
  EXPECT_TRUE(first->quorum);
  EXPECT_FALSE(first->conflict.has_value());
  for (const WitnessReport& report : first->witnesses) {
    EXPECT_EQ(report.outcome, WitnessOutcome::cosigned) << report.text;
    EXPECT_EQ(report.cosigned_at, noon);
  }
  const auto verdict =
      ledger_format::judge_checkpoint(policy, first->note, ledger_format::bounds_at(noon));
  EXPECT_TRUE(verdict->accepted) << verdict->text;
  EXPECT_EQ(network.asked["a"], 1U);

  // The next one costs one request each; what is cosigned already is not asked again.
  const auto second = client.cosign(request_of(log, 8));
  ASSERT_TRUE(second.has_value());
  EXPECT_TRUE(second->quorum);
  EXPECT_EQ(network.asked["a"], 2U);
  CosignRequest again = request_of(log, 8);
  again.note = second->note;
  const auto third = client.cosign(again);
  ASSERT_TRUE(third.has_value());
  EXPECT_TRUE(third->quorum);
  EXPECT_EQ(third->note, second->note);
  EXPECT_EQ(third->witnesses[0].outcome, WitnessOutcome::held);
  EXPECT_EQ(network.asked["a"], 2U);

  // A client that knows nothing learns the size from the 409 and asks again.
  WitnessClient stranger{policy, network.transport(), at_noon()};
  EXPECT_TRUE(stranger.cosign(request_of(log, 13))->quorum);
  EXPECT_EQ(network.asked["a"], 4U);
}

TEST(WitnessClient, says_of_each_witness_what_was_wrong_and_takes_nothing_false) {
  const Liar other{"other.example.org"};
  struct Row {
    const char* name;
    std::function<Answer(const OneWitness&)> answer;
    WitnessOutcome outcome;
    const char* says;
  };
  const auto fixed = [](unsigned status, std::string body, std::string type = "text/plain") {
    return [=](const OneWitness&) -> Answer {
      return [=](const http::ClientRequest&) { return response(status, body, type); };
    };
  };
  const auto line = [&](const std::function<std::string(const OneWitness&)>& make) {
    return [make](const OneWitness& one) -> Answer {
      const std::string body = make(one);
      return [body](const http::ClientRequest&) { return response(200, body); };
    };
  };
  const UnixTime future{noon.seconds + limits::witness_clock_ahead_seconds_max + 1};
  const UnixTime old{noon.seconds - limits::witness_clock_ahead_seconds_max - 1};
  for (const Row& row : {
           Row{"garbage", fixed(200, "garbage"), WitnessOutcome::invalid, "does not hold"},
           Row{"nothing", fixed(200, ""), WitnessOutcome::invalid, "does not hold"},
           Row{"signature of another checkpoint",
               line([](const OneWitness& w) { return w.liar.line(w.log.text(8)); }),
               WitnessOutcome::invalid, "does not verify"},
           Row{"signature of another origin", line([](const OneWitness& w) {
                 return w.liar.line(MadeLog{"example.net/other"}.text(9));
               }),
               WitnessOutcome::invalid, "does not verify"},
           Row{"signature of another key",
               line([&](const OneWitness& w) { return other.line(w.log.text(9)); }),
               WitnessOutcome::invalid, "no signature by a known key"},
           Row{"its name, another key",
               line([](const OneWitness& w) { return Liar{}.line(w.log.text(9)); }),
               WitnessOutcome::invalid, "no signature by a known key"},
           Row{"played back",
               line([&](const OneWitness& w) { return w.liar.line(w.log.text(9), old); }),
               WitnessOutcome::invalid, "old one played back"},
           Row{"from the future",
               line([&](const OneWitness& w) { return w.liar.line(w.log.text(9), future); }),
               WitnessOutcome::invalid, "in the future"},
           Row{"a good line behind another text", line([](const OneWitness& w) {
                 return "more text\n\n" + w.liar.line(w.log.text(9));
               }),
               WitnessOutcome::invalid, "empty line"},
           Row{"no content", fixed(204, ""), WitnessOutcome::invalid, "204"},
           Row{"redirect", fixed(302, ""), WitnessOutcome::invalid, "302"},
           Row{"bad request", fixed(400, "no\nmore"), WitnessOutcome::refused, "400: no"},
           Row{"forbidden", fixed(403, "\x1B[31mred"), WitnessOutcome::refused, "403: ?[31mred"},
           Row{"unknown log", fixed(404, std::string(1000, 'x')), WitnessOutcome::refused, "404"},
           Row{"inconsistent", fixed(422, "no"), WitnessOutcome::refused, "422"},
           Row{"rate limit", fixed(429, "later"), WitnessOutcome::busy, "429"},
           Row{"internal error", fixed(500, "oops"), WitnessOutcome::busy, "500"},
           Row{"unavailable", fixed(503, ""), WitnessOutcome::busy, "503"},
           Row{"size without its type", fixed(409, "5\n"), WitnessOutcome::refused, "409"},
           Row{"size that is none", fixed(409, "five\n", "text/x.tlog.size"),
               WitnessOutcome::refused, "409"},
           Row{"size with zeroes", fixed(409, "05\n", "text/x.tlog.size"), WitnessOutcome::refused,
               "409"},
           Row{"size without line feed", fixed(409, "5", "text/x.tlog.size"),
               WitnessOutcome::refused, "409"},
           Row{"the same size again", fixed(409, "0\n", "text/x.tlog.size"),
               WitnessOutcome::invalid, "names the same"},
           Row{"too large",
               [](const OneWitness&) -> Answer {
                 return [](const http::ClientRequest& request) -> Result<http::ClientResponse> {
                   EXPECT_EQ(request.response_bytes_max, limits::witness_answer_bytes_max);
                   return fail(ErrorCode::over_limit, "too long");
                 };
               },
               WitnessOutcome::invalid, "larger than"},
           Row{"another size each time",
               [](const OneWitness&) -> Answer {
                 auto size = std::make_shared<int>(1);
                 return [size](const http::ClientRequest&) {
                   return response(409, std::to_string((*size)++) + "\n",
                                   "TEXT/X.tlog.size; charset=utf-8");
                 };
               },
               WitnessOutcome::invalid, "another size each time"},
           Row{"dead",
               [](const OneWitness&) -> Answer {
                 return [](const http::ClientRequest&) -> Result<http::ClientResponse> {
                   return fail(ErrorCode::io_unreadable, "Connection refused.");
                 };
               },
               WitnessOutcome::unreachable, "Connection refused"},
       }) {
    SCOPED_TRACE(row.name);
    OneWitness one;
    const CosignReport report = one.ask(row.answer(one));
    ASSERT_EQ(report.witnesses.size(), 1U);
    EXPECT_EQ(report.witnesses[0].outcome, row.outcome) << word_of(report.witnesses[0].outcome);
    EXPECT_THAT(report.witnesses[0].text, HasSubstr(row.says));
    EXPECT_LE(report.witnesses[0].text.size(), 600U);
    EXPECT_FALSE(report.quorum);
    EXPECT_FALSE(report.conflict.has_value());
    EXPECT_EQ(report.note, one.log.note(9)) << "something was merged";
  }
}

TEST(WitnessClient, takes_an_honest_line_among_others) {
  OneWitness one;
  const Liar other{"other.example.org"};
  const std::string text = one.log.text(9);
  const CosignReport report = one.ask([&](const http::ClientRequest& request) {
    EXPECT_EQ(request.method, "POST");
    EXPECT_EQ(request.url, "http://w/add-checkpoint");
    return response(200, other.line(text) + one.liar.line(text));
  });
  EXPECT_TRUE(report.quorum) << report.witnesses[0].text;
  EXPECT_EQ(report.note, one.log.note(9) + one.liar.line(text)) << "a stranger's line was merged";
}

TEST(WitnessClient, notices_that_the_ledger_is_an_old_copy) {
  const ScratchWitness scratch;
  const MadeLog& log = scratch.log;
  const witness::Witness witness = scratch.open();
  Network network;
  network.add("w", witness);
  const Policy policy = policy_of(log, {named("w", witness.key())}, 0);
  WitnessClient client{policy, network.transport(), at_noon()};
  ASSERT_TRUE(client.cosign(request_of(log, 12))->quorum);

  const auto report = client.cosign(request_of(log, 9));
  ASSERT_TRUE(report.has_value());
  EXPECT_EQ(report->witnesses[0].outcome, WitnessOutcome::ahead);
  EXPECT_EQ(report->witnesses[0].has_size, 12U);
  ASSERT_TRUE(report->conflict.has_value());
  EXPECT_EQ(report->conflict->code, ErrorCode::ledger_conflict);
  EXPECT_THAT(report->conflict->what, HasSubstr("12 entries"));
  EXPECT_TRUE(report->conflict_proven);
  EXPECT_EQ(
      ledger_format::read_checkpoint(ledger_format::read_note(report->witnesses[0].shown)->text)
          ->tree_size,
      12U);
  // Another process of the same log has appended meanwhile: nothing is wrong.
  CosignRequest late = request_of(log, 9);
  late.committed_size = [] { return std::uint64_t{12}; };
  const auto superseded = client.cosign(late);
  EXPECT_EQ(superseded->witnesses[0].outcome, WitnessOutcome::superseded);
  EXPECT_FALSE(superseded->conflict.has_value());
}

TEST(WitnessClient, tells_a_proven_conflict_from_a_claim) {
  OneWitness one;
  const auto claim = [&](std::function<http::ClientResponse()> shown) {
    return one.ask([shown](const http::ClientRequest& request) {
      if (request.method == "GET") return shown();
      return response(409, "100\n", "text/x.tlog.size");
    });
  };
  const MadeLog forger;
  for (const auto& [name, shown, proven] :
       {std::tuple{"shows nothing", response(404, ""), false},
        std::tuple{"garbage", response(200, "garbage"), false},
        std::tuple{"not this log's signature", response(200, forger.note(100)), false},
        std::tuple{"no larger tree", response(200, one.log.note(9)), false},
        std::tuple{"the log's own signature", response(200, one.log.note(100)), true}}) {
    SCOPED_TRACE(name);
    const CosignReport report = claim([reply = shown] { return reply; });
    EXPECT_EQ(report.witnesses[0].outcome, WitnessOutcome::ahead);
    EXPECT_EQ(report.conflict_proven, proven);
    ASSERT_TRUE(report.conflict.has_value());
    EXPECT_EQ(report.conflict->code, ErrorCode::ledger_conflict);
  }
}

TEST(WitnessClient, notices_a_fork_of_its_own_log) {
  const ScratchWitness scratch;
  const MadeLog& log = scratch.log;
  const witness::Witness witness = scratch.open();
  Network network;
  network.add("w", witness);
  WitnessClient client{policy_of(log, {named("w", witness.key())}, 1), network.transport(),
                       at_noon()};
  ASSERT_TRUE(client.cosign(request_of(log, 6))->quorum);
  for (const std::uint64_t size : {6U, 11U}) {
    SCOPED_TRACE(size);
    const auto report = client.cosign(request_of(log, size, 4));
    ASSERT_TRUE(report.has_value());
    EXPECT_FALSE(report->quorum);
    EXPECT_EQ(report->witnesses[0].outcome, WitnessOutcome::ahead) << report->witnesses[0].text;
    EXPECT_TRUE(report->conflict_proven);
    ASSERT_TRUE(report->conflict.has_value());
    EXPECT_THAT(report->conflict->what, HasSubstr("Split view"));
  }
  // The witness kept its evidence as well.
  EXPECT_FALSE(witness.logs()->at(0).evidence.empty());
  EXPECT_TRUE(client.cosign(request_of(log, 11))->quorum) << "the honest log goes on";
}

/// Blocks until the request is stopped, as a socket of the client does.
Result<http::ClientResponse> wait_for_stop(const http::ClientRequest& request) {
  std::mutex mutex;
  std::condition_variable_any changed;
  std::unique_lock lock{mutex};
  const bool stopped =
      changed.wait_for(lock, request.stop, std::chrono::milliseconds{request.total_timeout_ms},
                       [] { return false; });
  return fail(ErrorCode::io_unreadable, stopped ? "stopped" : "timeout");
}

TEST(WitnessClient, does_not_wait_for_the_slow_once_the_quorum_holds) {
  OneWitness one;
  const Liar good{"good.example.org"};
  one.network.hosts["slow"] = wait_for_stop;
  one.network.hosts["good"] = [&](const http::ClientRequest&) {
    return response(200, good.line(one.log.text(9)));
  };
  WitnessClientOptions options = at_noon();
  options.total_timeout_ms = 600'000;
  options.grace_ms = 1;
  WitnessClient client{
      policy_of(one.log, {named("slow", one.liar.vkey), named("good", good.vkey)}, 1),
      one.network.transport(), options};
  const auto report = client.cosign(request_of(one.log, 9));
  ASSERT_TRUE(report.has_value());
  EXPECT_TRUE(report->quorum);
  EXPECT_EQ(report->witnesses[0].outcome, WitnessOutcome::too_late);
  EXPECT_THAT(report->witnesses[0].text, HasSubstr("when the others were enough"));
  EXPECT_EQ(report->witnesses[1].outcome, WitnessOutcome::cosigned);
}

TEST(WitnessClient, ends_in_time_without_a_quorum) {
  OneWitness one;
  one.network.hosts["slow"] = wait_for_stop;
  WitnessClientOptions options = at_noon();
  options.total_timeout_ms = 50;
  WitnessClient client{policy_of(one.log, {named("slow", one.liar.vkey)}, 1),
                       one.network.transport(), options};
  const auto begin = std::chrono::steady_clock::now();
  const auto report = client.cosign(request_of(one.log, 9));
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds{20});
  ASSERT_TRUE(report.has_value());
  EXPECT_FALSE(report->quorum);
  EXPECT_EQ(report->witnesses[0].outcome, WitnessOutcome::too_late);
  EXPECT_THAT(report->witnesses[0].text, HasSubstr("in time"));
}

TEST(WitnessClient, asks_nobody_about_a_note_that_is_not_the_logs) {
  OneWitness one;
  WitnessClient client{policy_of(one.log, {named("w", one.liar.vkey)}, 1), one.network.transport(),
                       at_noon()};
  CosignRequest request = request_of(one.log, 9);
  request.log_key = MadeLog{}.vkey();
  EXPECT_EQ(client.cosign(request).error().code, ErrorCode::signature_bad);
  request = request_of(one.log, 9);
  request.note = "no note";
  EXPECT_EQ(client.cosign(request).error().code, ErrorCode::malformed);
  EXPECT_TRUE(one.network.asked.empty());
}

TEST(WitnessClient, leaves_out_witnesses_without_a_url_and_ones_it_has_no_proof_for) {
  OneWitness one;
  ledger_format::PolicyWitness silent = named("silent", one.liar.vkey);
  silent.url.clear();
  const Liar other{"other.example.org"};
  one.network.hosts["other"] = [](const http::ClientRequest&) {
    return response(409, "4\n", "text/x.tlog.size");
  };
  WitnessClient client{policy_of(one.log, {silent, named("other", other.vkey)}, 1),
                       one.network.transport(), at_noon()};
  CosignRequest request = request_of(one.log, 9);
  request.proofs = [](auto, auto) { return fail(ErrorCode::io_unreadable, "No tiles."); };
  const auto report = client.cosign(request);
  ASSERT_TRUE(report.has_value());
  EXPECT_EQ(report->witnesses[0].outcome, WitnessOutcome::not_asked);
  EXPECT_EQ(report->witnesses[1].outcome, WitnessOutcome::refused);
  EXPECT_THAT(report->witnesses[1].text, HasSubstr("No tiles."));
  EXPECT_FALSE(report->quorum);
}

}  // namespace
}  // namespace fiducia::ledger_net::test
