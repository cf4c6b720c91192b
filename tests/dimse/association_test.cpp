// SPDX-License-Identifier: Apache-2.0
#include "dimse/association.h"

#include <gtest/gtest.h>

#include <random>

#include "dimse/names.h"
#include "support/support.h"
#include "wire.h"

namespace fiducia::dimse {
namespace {

using test::associated;
using test::carry;
using test::feed;
using test::Pair;

/// The one thing that happened.
template <class T>
const T& only(const std::vector<Happened>& happened) {
  EXPECT_EQ(happened.size(), 1U);
  if (happened.empty() || !std::holds_alternative<T>(happened.front()))
    throw std::runtime_error{"something else happened"};
  return std::get<T>(happened.front());
}

/// The fault that ended an association.
std::string fault_of(const std::vector<Happened>& happened) {
  if (happened.empty() || !std::holds_alternative<Aborted>(happened.back())) return "none";
  const auto& aborted = std::get<Aborted>(happened.back());
  return aborted.error ? code_word(*aborted.error) : "the peer's";
}

TEST(Association, carries_commands_both_ways_and_ends_by_release) {
  for (const std::size_t step : {1U, 7U, 1U << 20}) {
    Pair pair = associated();
    EXPECT_EQ(pair.asking.transfer_syntax_of(3), test::explicit_uid);
    EXPECT_EQ(pair.asked.abstract_syntax_of(1), verification_uid);
    ASSERT_TRUE(pair.asking.send(1, test::echo(5)));
    const auto asked = carry(pair.asking, pair.asked, step);
    EXPECT_EQ(only<CommandReceived>(asked).command, test::echo(5));
    ASSERT_TRUE(pair.asked.send(1, respond(test::echo(5), status::success)));
    const auto answered = carry(pair.asked, pair.asking, step);
    EXPECT_EQ(only<CommandReceived>(answered).command.status, status::success);
    ASSERT_TRUE(pair.asking.request_release());
    only<ReleaseRequested>(carry(pair.asking, pair.asked, step));
    ASSERT_TRUE(pair.asked.answer_release());
    only<Released>(carry(pair.asked, pair.asking, step));
    EXPECT_TRUE(pair.asking.closes());
    EXPECT_TRUE(pair.asked.awaits_peer());
    pair.asked.connection_closed();
    EXPECT_FALSE(pair.asked.next());
    EXPECT_TRUE(pair.asked.closes());
  }
}

TEST(Association, carries_data_sets_as_they_are_in_pieces_that_both_allow) {
  const std::uint64_t seed = test::seed();
  SCOPED_TRACE(seed);
  std::mt19937_64 prng{seed};
  for (const std::uint32_t asking_max : {7U, 100U, 16'384U, limits::dimse_p_data_bytes_max})
    for (const std::uint32_t asked_max : {7U, 4'096U, limits::dimse_p_data_bytes_max}) {
      Pair pair = associated({asking_max}, {asked_max});
      const Bytes data = test::random_bytes(prng, 2'000);
      ASSERT_TRUE(pair.asking.send(3, test::store(1)));
      Bytes came;
      bool is_whole = false;
      const auto take = [&] {
        while (!pair.asking.output().empty()) {
          const Bytes part{pair.asking.output().begin(), pair.asking.output().end()};
          pair.asking.sent(part.size());
          pair.asked.receive(part);
          while (const auto happened = pair.asked.next()) {
            if (const auto* data_came = std::get_if<DataReceived>(&*happened)) {
              EXPECT_LE(data_came->bytes.size() + 6, std::min(asking_max, asked_max));
              append(came, data_came->bytes);
              is_whole = data_came->is_last;
            } else {
              EXPECT_TRUE(std::holds_alternative<CommandReceived>(*happened));
            }
          }
        }
      };
      for (std::size_t at = 0; at < data.size(); at += 500)
        ASSERT_TRUE(pair.asking.send_data(3, ByteView{data}.subspan(at, 500), at + 500 == 2'000));
      take();
      EXPECT_EQ(came, data);
      EXPECT_TRUE(is_whole);
      EXPECT_TRUE(pair.asking.send(1, test::echo(2)));
      EXPECT_FALSE(pair.asking.send_data(1, data, true)) << "nothing announced it";
    }
}

TEST(Association, holds_its_own_side_to_the_order_of_messages) {
  Pair pair = associated();
  EXPECT_FALSE(pair.asking.accept(test::ordinary_answer(pair.asking.request())));
  EXPECT_FALSE(pair.asking.answer_release());
  EXPECT_FALSE(pair.asking.send(5, test::echo(1))) << "a context that was not agreed on";
  ASSERT_TRUE(pair.asking.send(3, test::store(1)));
  EXPECT_FALSE(pair.asking.send(1, test::echo(2))) << "the data set is missing";
  EXPECT_FALSE(pair.asking.request_release());
  EXPECT_FALSE(pair.asking.send_data(1, {}, true)) << "another context";
  ASSERT_TRUE(pair.asking.send_data(3, {}, true));
  EXPECT_TRUE(pair.asking.request_release());
  EXPECT_FALSE(pair.asking.request_release());
}

/// A P-DATA-TF with these values.
Bytes p_data(const std::vector<Pdv>& values) {
  Bytes body;
  for (const Pdv& value : values) {
    Bytes one;
    write_p_data(one, value);
    append(body, ByteView{one}.subspan(pdu_header_bytes));
  }
  Bytes out;
  write_pdu(out, PduType::p_data_tf, body);
  return out;
}

TEST(Association, takes_several_values_of_one_pdu) {
  Pair pair = associated();
  const Bytes command = *write_command(test::store(1));
  const Bytes data = test::bytes("01020304");
  const auto happened =
      feed(pair.asked,
           p_data({{.context_id = 3, .is_command = true, .fragment = ByteView{command}.first(9)},
                   {.context_id = 3,
                    .is_command = true,
                    .is_last = true,
                    .fragment = ByteView{command}.subspan(9)},
                   {.context_id = 3, .fragment = ByteView{data}.first(1)},
                   {.context_id = 3, .is_last = true, .fragment = ByteView{data}.subspan(1)}}));
  ASSERT_EQ(happened.size(), 3U);
  EXPECT_EQ(std::get<CommandReceived>(happened[0]).command, test::store(1));
  EXPECT_FALSE(std::get<DataReceived>(happened[1]).is_last);
  EXPECT_TRUE(std::get<DataReceived>(happened[2]).is_last);
}

TEST(Association, aborts_what_is_no_message) {
  const Bytes command = *write_command(test::store(1));
  const Bytes other = *write_command(test::echo(1));
  const Bytes data = test::bytes("01020304");
  const Pdv whole{.context_id = 3, .is_command = true, .is_last = true, .fragment = command};
  const Pdv first{.context_id = 3, .is_command = true, .fragment = ByteView{command}.first(9)};
  const Pdv of_data{.context_id = 3, .is_last = true, .fragment = data};
  const std::vector<std::pair<std::string, std::vector<Pdv>>> cases{
      {"a data set without a command", {of_data}},
      {"two data sets", {whole, of_data, of_data}},
      {"a command where a data set is due",
       {whole, {.context_id = 1, .is_command = true, .is_last = true, .fragment = other}}},
      {"a data set on another context", {whole, {.context_id = 1, .fragment = data}}},
      {"a command on two contexts",
       {first,
        {.context_id = 1,
         .is_command = true,
         .is_last = true,
         .fragment = ByteView{command}.subspan(9)}}},
      {"a context that was not agreed on",
       {{.context_id = 5, .is_command = true, .is_last = true, .fragment = other}}},
      {"no command set",
       {{.context_id = 1, .is_command = true, .is_last = true, .fragment = data}}}};
  for (const auto& [what, values] : cases) {
    Pair pair = associated();
    const auto happened = feed(pair.asked, p_data(values));
    EXPECT_TRUE(fault_of(happened).starts_with("malformed.")) << what;
    const auto told = carry(pair.asked, pair.asking);
    EXPECT_EQ(only<Aborted>(told).abort.source, Abort::Source::provider) << what;
    EXPECT_TRUE(feed(pair.asked, p_data({whole})).empty()) << "nothing counts after the end";
  }
}

TEST(Association, keeps_a_command_set_below_its_limit) {
  Pair pair = associated();
  const Bytes piece(10'000);
  std::vector<Happened> happened;
  std::size_t sent = 0;
  while (happened.empty() && sent < 10 * limits::dimse_command_bytes_max) {
    happened = feed(pair.asked, p_data({{.context_id = 1, .is_command = true, .fragment = piece}}));
    sent += piece.size();
  }
  EXPECT_EQ(fault_of(happened), "limit.reached");
  EXPECT_LE(sent, limits::dimse_command_bytes_max + piece.size());
}

TEST(Association, aborts_pdus_that_are_not_due) {
  Bytes request;
  ASSERT_TRUE(write_associate_request(request, test::ordinary_request()));
  Bytes accept;
  ASSERT_TRUE(write_associate_accept(accept, test::ordinary_answer(test::ordinary_request())));
  Bytes release_answer;
  write_release_rp(release_answer);
  Bytes reject;
  write_reject(reject, {});
  for (const Bytes& pdu : {request, accept, release_answer, reject}) {
    Pair pair = associated();
    EXPECT_EQ(fault_of(feed(pair.asked, pdu)), "malformed.pdu");
    const auto told = carry(pair.asked, pair.asking);
    EXPECT_EQ(only<Aborted>(told).abort.reason, Abort::Reason::unexpected_pdu);
  }
  for (const Bytes& pdu : {accept, release_answer, reject, p_data({{.context_id = 1}})}) {
    Association asked = Association::acceptor();
    EXPECT_EQ(fault_of(feed(asked, pdu)), "malformed.pdu");
  }
  Association asked = Association::acceptor();
  EXPECT_EQ(fault_of(feed(asked, as_bytes("GET / HTTP/1.1\r\n"))), "unsupported.pdu");
}

TEST(Association, keeps_nothing_of_what_comes_after_a_fault) {
  Association asked = Association::acceptor();
  static_cast<void>(feed(asked, as_bytes("GET / HTTP/1.1\r\n")));
  const std::size_t answer = asked.output().size();
  for (int i = 0; i < 100; ++i) EXPECT_TRUE(feed(asked, as_bytes("GET / HTTP/1.1\r\n")).empty());
  EXPECT_EQ(asked.output().size(), answer);
  EXPECT_TRUE(asked.awaits_peer());
  asked.time_out();
  EXPECT_TRUE(asked.closes());
}

TEST(Association, is_answered_for_every_context_with_what_was_proposed) {
  const auto refused = [](auto change) {
    Association asked = Association::acceptor();
    Bytes request;
    EXPECT_TRUE(write_associate_request(request, test::ordinary_request()));
    only<Requested>(feed(asked, request));
    AssociateAccept answer = test::ordinary_answer(test::ordinary_request());
    change(answer);
    EXPECT_FALSE(asked.accept(answer));
    // And a requestor takes no such answer.
    auto asking = Association::requestor(test::ordinary_request());
    Bytes pdu;
    if (answer.contexts.size() == 1 || !write_associate_accept(pdu, answer)) return;
    EXPECT_EQ(fault_of(feed(*asking, pdu)), "malformed.pdu");
  };
  refused([](AssociateAccept& answer) { answer.contexts.pop_back(); });
  refused([](AssociateAccept& answer) { answer.contexts[1].id = 5; });
  refused([](AssociateAccept& answer) { answer.contexts[1].transfer_syntax = "1.2.3"; });
}

TEST(Association, may_be_rejected) {
  Association asked = Association::acceptor();
  auto asking = Association::requestor(test::ordinary_request());
  ASSERT_TRUE(asking);
  only<Requested>(carry(*asking, asked));
  const AssociateReject reject{.reason = 7};
  ASSERT_TRUE(asked.reject(reject));
  EXPECT_EQ(only<Rejected>(carry(asked, *asking)).reject, reject);
  EXPECT_TRUE(asking->closes());
  EXPECT_TRUE(asked.awaits_peer());
}

TEST(Association, of_another_version_is_rejected) {
  Bytes request;
  ASSERT_TRUE(write_associate_request(request, test::ordinary_request()));
  request[pdu_header_bytes + 1] = std::byte{2};
  Association asked = Association::acceptor();
  EXPECT_EQ(fault_of(feed(asked, request)), "unsupported.protocol");
  auto asking = Association::requestor(test::ordinary_request());
  const auto told = carry(asked, *asking);
  EXPECT_EQ(only<Rejected>(told).reject.source, AssociateReject::Source::provider_acse);
}

TEST(Association, ends_when_both_ask_for_release) {
  Pair pair = associated();
  ASSERT_TRUE(pair.asking.request_release());
  ASSERT_TRUE(pair.asked.request_release());
  Bytes theirs{pair.asked.output().begin(), pair.asked.output().end()};
  pair.asked.sent(theirs.size());
  EXPECT_TRUE(carry(pair.asking, pair.asked).empty());
  EXPECT_TRUE(feed(pair.asking, theirs).empty());
  only<Released>(carry(pair.asking, pair.asked));
  only<Released>(carry(pair.asked, pair.asking));
  EXPECT_TRUE(pair.asking.closes());
}

TEST(Association, tells_how_it_ended) {
  Pair pair = associated();
  pair.asking.abort();
  EXPECT_EQ(only<Aborted>(carry(pair.asking, pair.asked)).abort, Abort{});
  EXPECT_TRUE(pair.asked.closes());

  pair = associated();
  pair.asked.connection_closed();
  EXPECT_TRUE(std::holds_alternative<ConnectionLost>(*pair.asked.next()));
  EXPECT_FALSE(pair.asked.next());
  EXPECT_FALSE(pair.asked.send(1, test::echo(1)));

  Association silent = Association::acceptor();
  EXPECT_TRUE(silent.awaits_peer());
  silent.time_out();
  EXPECT_TRUE(std::holds_alternative<TimedOut>(*silent.next()));
  EXPECT_TRUE(silent.closes());
}

TEST(Association, answers_what_is_open_after_the_peer_asked_for_release) {
  Pair pair = associated();
  ASSERT_TRUE(pair.asking.send(1, test::echo(1)));
  ASSERT_TRUE(pair.asking.request_release());
  EXPECT_EQ(carry(pair.asking, pair.asked).size(), 2U);
  ASSERT_TRUE(pair.asked.send(1, respond(test::echo(1), status::success)));
  ASSERT_TRUE(pair.asked.answer_release());
  const auto happened = carry(pair.asked, pair.asking);
  ASSERT_EQ(happened.size(), 2U);
  EXPECT_TRUE(std::holds_alternative<CommandReceived>(happened[0]));
  EXPECT_TRUE(std::holds_alternative<Released>(happened[1]));
}

TEST(Association, of_any_bytes_ends_in_a_verdict) {
  const std::uint64_t seed = test::seed();
  SCOPED_TRACE(seed);
  std::mt19937_64 prng{seed};
  for (int draw = 0; draw < test::draws(2'000); ++draw) {
    Pair pair = associated();
    EXPECT_TRUE(pair.asking.send(3, test::store(1)));
    EXPECT_TRUE(pair.asking.send_data(3, test::random_bytes(prng, 100), true));
    EXPECT_TRUE(pair.asking.request_release());
    Bytes stream{pair.asking.output().begin(), pair.asking.output().end()};
    for (int flips = 0; flips < 3; ++flips)
      stream[prng() % stream.size()] = static_cast<std::byte>(prng());
    for (std::size_t at = 0; at < stream.size();) {
      const std::size_t count = std::min<std::size_t>(1 + prng() % 40, stream.size() - at);
      static_cast<void>(feed(pair.asked, ByteView{stream}.subspan(at, count)));
      at += count;
    }
    pair.asked.connection_closed();
    static_cast<void>(feed(pair.asked, {}));
    EXPECT_TRUE(pair.asked.closes());
  }
}

}  // namespace
}  // namespace fiducia::dimse
