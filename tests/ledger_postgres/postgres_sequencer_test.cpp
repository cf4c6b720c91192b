// SPDX-License-Identifier: Apache-2.0
// What can go wrong between a sequencer and its database, one by one.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <fstream>
#include <stdexcept>
#include <thread>

#include "ledger_postgres/ledger_postgres.h"
#include "ledger_postgres/postgres_schema.h"
#include "round_chain.h"
#include "services/postgres_service.h"
#include "support/support.h"

namespace fiducia::ledger_postgres::test {
namespace {

using ledger::News;
using ledger::Round;
using ledger::Tail;
using namespace fiducia::test;
using namespace fiducia::postgres::test;

/// Waits that a test need not make long.
constexpr PostgresOptions impatient{
    .turn_timeout_ms = 500, .turn_idle_ms_max = 1'500, .answer_timeout_ms = 5'000};

/// An empty log in the shared server, and its administrator.
class PostgresSequencing : public ::testing::Test {
 protected:
  PostgresSequencing() {
    static std::atomic<int> number = 0;
    origin = "example.org/log/" + std::to_string(++number);
    const Status made = PostgresSequencer::create(service.connection(), origin);
    EXPECT_TRUE(made.has_value()) << to_sentence(made.error());
  }
  /// Named, so that the administrator finds its connections.
  [[nodiscard]] std::unique_ptr<PostgresSequencer> open(const PostgresOptions& options = impatient,
                                                        const std::string& name = "here") const {
    auto opened = PostgresSequencer::open(service.connection_with("application_name=" + name),
                                          origin, options);
    if (!opened) throw std::runtime_error{to_sentence(opened.error())};
    return std::move(*opened);
  }
  Status commit_next(PostgresSequencer& sequencer, std::uint64_t count) {
    auto news = sequencer.take_turn(chain.size());
    if (!news) return std::unexpected(news.error());
    EXPECT_EQ(chain.difference(*news, chain.size()), "");
    const Round round = chain.next(count);
    Status done = sequencer.commit(round, chain.tail(), [] {});
    if (done) chain.add(round);
    return done;
  }
  std::string turn_difference(PostgresSequencer& sequencer, std::uint64_t known_size = 0) {
    const auto news = sequencer.take_turn(known_size);
    if (!news) return to_sentence(news.error());
    sequencer.abandon();
    return chain.difference(*news, known_size);
  }
  /// Ends or cancels what the connections named "here" do, once there is one in that state.
  [[nodiscard]] bool end_connection(const char* sql) {
    return eventually([&] { return admin.integer(sql) > 0; });
  }
  std::int64_t log_id() {
    return admin.integer("SELECT id FROM fiducia_ledger.log WHERE origin = $1::text",
                         {std::string_view{origin}});
  }

  PostgresService& service = PostgresService::shared();
  Administrator admin{service.connection()};
  std::string origin;
  RoundChain chain;
};

constexpr const char* end_idle_sql =
    "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
    " WHERE application_name = 'here' AND state LIKE 'idle%'";
constexpr const char* end_waiting_sql =
    "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
    " WHERE application_name = 'here' AND state = 'active' AND wait_event_type IS NOT NULL";
constexpr const char* end_replicating_sql =
    "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
    " WHERE application_name = 'here' AND wait_event = 'SyncRep'";
constexpr const char* cancel_replicating_sql =
    "SELECT count(pg_cancel_backend(pid)) FROM pg_stat_activity"
    " WHERE application_name = 'here' AND wait_event = 'SyncRep'";

TEST_F(PostgresSequencing,
       with_nothing_known_tells_all_rounds_that_may_not_be_durable_in_the_store) {
  const auto sequencer = open({.kept_rounds_max = 3});
  std::uint64_t known = 0;
  int synced = 0;
  for (std::size_t i = 1; i <= 8; ++i) {
    ASSERT_TRUE(commit_next(*sequencer, 10).has_value());
    ASSERT_TRUE(sequencer->take_publishing(known).has_value());
    ASSERT_TRUE(sequencer
                    ->published(chain.tail(),
                                [&]() -> Status {
                                  ++synced;
                                  return {};
                                })
                    .has_value());
    known = chain.size();
    const auto other = open();
    const auto news = other->take_publishing(0);
    ASSERT_TRUE(news.has_value());
    EXPECT_EQ(chain.difference(*news, 0), "");
    EXPECT_EQ(news->base.has_value(), i >= 4);
    EXPECT_EQ(news->rounds.size(), i % 4);
  }
  EXPECT_EQ(synced, 2);
}

TEST_F(PostgresSequencing, lets_a_publisher_forget_rounds_while_another_process_has_the_turn) {
  const auto sequencer = open({.turn_timeout_ms = 500, .kept_rounds_max = 0});
  const auto other = open();
  ASSERT_TRUE(commit_next(*sequencer, 10).has_value());
  ASSERT_TRUE(other->take_turn(chain.size()).has_value());
  ASSERT_TRUE(sequencer->take_publishing(0).has_value());
  const Status done = sequencer->published(chain.tail(), []() -> Status { return {}; });
  EXPECT_TRUE(done.has_value()) << to_sentence(done.error());
  const Round round = chain.next(2);
  ASSERT_TRUE(other->commit(round, chain.tail(), [] {}).has_value());
  chain.add(round);
  const auto news = sequencer->take_turn(0);
  ASSERT_TRUE(news.has_value());
  EXPECT_EQ(news->rounds.size(), 1U);
  EXPECT_EQ(chain.difference(*news, 0), "");
}

TEST_F(PostgresSequencing, gives_a_publisher_that_fell_behind_the_tree_that_another_published) {
  const auto first = open();
  const auto second = open();
  ASSERT_TRUE(commit_next(*first, 10).has_value());
  const std::uint64_t known = chain.size();
  ASSERT_TRUE(commit_next(*second, 300).has_value());
  ASSERT_TRUE(second->take_publishing(0).has_value());
  const Tail published = chain.tail();
  ASSERT_TRUE(second->published(published, []() -> Status { return {}; }).has_value());
  ASSERT_TRUE(commit_next(*first, 5).has_value());
  const auto news = first->take_publishing(known);
  ASSERT_TRUE(news.has_value());
  ASSERT_TRUE(news->base.has_value());
  EXPECT_EQ(news->base->frontage.size, published.frontage.size);
  EXPECT_EQ(chain.difference(*news, known), "");
  // Who appends needs the rounds themselves: their entries are news.
  const auto all = first->take_turn(known);
  ASSERT_TRUE(all.has_value());
  EXPECT_FALSE(all->base.has_value());
  EXPECT_EQ(chain.difference(*all, known), "");
}

TEST_F(PostgresSequencing, hands_a_publisher_a_long_backlog_in_parts) {
  const auto sequencer = open({.publishing_bytes_max = 60'000});
  for (int i = 0; i < 7; ++i) {
    ASSERT_TRUE(sequencer->take_turn(chain.size()).has_value());
    const Round round = chain.next(10, 0, i < 5 ? 2'000 : 20'000);
    ASSERT_TRUE(sequencer->commit(round, chain.tail(), [] {}).has_value());
    chain.add(round);
  }
  std::uint64_t known = 0;
  std::vector<std::size_t> parts;
  while (known < chain.size()) {
    const auto news = sequencer->take_publishing(known);
    ASSERT_TRUE(news.has_value()) << to_sentence(news.error());
    ASSERT_FALSE(news->rounds.empty());
    EXPECT_EQ(news->rounds.front().first, known);
    parts.push_back(news->rounds.size());
    known = news->rounds.back().record.tree_size;
    const Tail& reached = chain.tails()[known / 10];
    ASSERT_EQ(reached.frontage.size, known);
    ASSERT_TRUE(sequencer->published(reached, []() -> Status { return {}; }).has_value());
  }
  EXPECT_EQ(parts, (std::vector<std::size_t>{3, 3, 1}));
  // A turn to append must know everything at once.
  EXPECT_EQ(turn_difference(*sequencer), "");
}

// --- the connection ends at each step ---------------------------------------------------------

TEST_F(PostgresSequencing, connects_again_when_its_connection_ended_between_turns) {
  const auto sequencer = open();
  ASSERT_TRUE(commit_next(*sequencer, 2).has_value());
  ASSERT_TRUE(end_connection(end_idle_sql));
  const Status done = commit_next(*sequencer, 2);
  EXPECT_TRUE(done.has_value()) << to_sentence(done.error());
  EXPECT_EQ(turn_difference(*sequencer), "");
}

TEST_F(PostgresSequencing, has_no_round_when_its_connection_ended_within_the_turn) {
  const auto sequencer = open();
  ASSERT_TRUE(sequencer->take_turn(0).has_value());
  ASSERT_TRUE(end_connection(end_idle_sql));
  const Status done = sequencer->commit(chain.next(3), chain.tail(), [] {});
  ASSERT_FALSE(done.has_value());
  EXPECT_EQ(done.error().code, ErrorCode::io_unwritable) << to_sentence(done.error());
  EXPECT_EQ(turn_difference(*sequencer), "");
  EXPECT_TRUE(commit_next(*sequencer, 1).has_value());
}

TEST_F(PostgresSequencing, has_no_round_when_its_connection_ended_during_the_insertion) {
  const auto sequencer = open();
  ASSERT_TRUE(sequencer->take_turn(0).has_value());
  Administrator other{service.connection()};
  other.run("BEGIN");
  other.run("LOCK TABLE fiducia_ledger.round IN SHARE MODE");  // no insertion gets past this
  Status done;
  {
    const std::jthread committing{
        [&] { done = sequencer->commit(chain.next(3), chain.tail(), [] {}); }};
    EXPECT_TRUE(end_connection(end_waiting_sql));
  }
  other.run("ROLLBACK");
  ASSERT_FALSE(done.has_value());
  EXPECT_EQ(done.error().code, ErrorCode::io_unwritable) << to_sentence(done.error());
  EXPECT_EQ(turn_difference(*sequencer), "");
}

/// A standby that is never there: COMMIT is durable here and does not return.
class PostgresStandbyMissing : public PostgresSequencing {
 protected:
  PostgresStandbyMissing() {
    service.command("set synchronous_standby_names nobody");
    EXPECT_TRUE(eventually([&] {
      Administrator fresh{service.connection()};
      return fresh.integer(
                 "SELECT (current_setting('synchronous_standby_names') ="
                 " 'nobody')::int::bigint") == 1;
    }));
  }
  ~PostgresStandbyMissing() override {
    service.command("set synchronous_standby_names");
    EXPECT_TRUE(eventually([&] {
      Administrator fresh{service.connection()};
      return fresh.integer(
                 "SELECT (current_setting('synchronous_standby_names') ="
                 " '')::int::bigint") == 1;
    }));
  }
};

TEST_F(PostgresStandbyMissing,
       a_commit_cut_off_after_it_happened_is_an_error_and_told_by_the_next_turn) {
  const auto sequencer = open();
  ASSERT_TRUE(sequencer->take_turn(0).has_value());
  const Round round = chain.next(3);
  Status done;
  {
    const std::jthread committing{[&] { done = sequencer->commit(round, chain.tail(), [] {}); }};
    EXPECT_TRUE(end_connection(end_replicating_sql));
  }
  ASSERT_FALSE(done.has_value());
  EXPECT_EQ(done.error().code, ErrorCode::io_unwritable) << to_sentence(done.error());
  chain.add(round);
  EXPECT_EQ(turn_difference(*sequencer), "");
}

TEST_F(PostgresStandbyMissing, a_commit_that_its_standby_did_not_confirm_is_not_acknowledged) {
  const auto sequencer = open();
  ASSERT_TRUE(sequencer->take_turn(0).has_value());
  const Round round = chain.next(3);
  Status done;
  {
    const std::jthread committing{[&] { done = sequencer->commit(round, chain.tail(), [] {}); }};
    EXPECT_TRUE(end_connection(cancel_replicating_sql));
  }
  ASSERT_FALSE(done.has_value());
  EXPECT_NE(done.error().what.find("standby"), std::string::npos) << to_sentence(done.error());
  chain.add(round);
  EXPECT_EQ(turn_difference(*sequencer), "");
}

TEST_F(PostgresStandbyMissing, a_commit_that_does_not_return_is_given_up_and_told_later) {
  const auto sequencer = open({.turn_timeout_ms = 200, .answer_timeout_ms = 500});
  ASSERT_TRUE(sequencer->take_turn(0).has_value());
  const Round round = chain.next(3);
  const Status done = sequencer->commit(round, chain.tail(), [] {});
  ASSERT_FALSE(done.has_value());
  EXPECT_EQ(done.error().code, ErrorCode::io_unwritable) << to_sentence(done.error());
  // Its transaction still holds the lock: nobody can take the turn before it has ended.
  const auto early = sequencer->take_turn(0);
  ASSERT_FALSE(early.has_value());
  EXPECT_EQ(early.error().code, ErrorCode::busy) << to_sentence(early.error());
  ASSERT_TRUE(end_connection(end_replicating_sql));
  chain.add(round);
  EXPECT_EQ(turn_difference(*sequencer), "");
}

TEST_F(PostgresSequencing, the_turn_to_publish_ends_with_its_connection) {
  const auto sequencer = open();
  ASSERT_TRUE(commit_next(*sequencer, 4).has_value());
  ASSERT_TRUE(sequencer->take_publishing(0).has_value());
  const auto other = open(impatient, "other");
  const auto busy = other->take_publishing(0);
  ASSERT_FALSE(busy.has_value());
  EXPECT_EQ(busy.error().code, ErrorCode::busy) << to_sentence(busy.error());
  ASSERT_TRUE(end_connection(end_idle_sql));
  ASSERT_TRUE(other->take_publishing(0).has_value());
  other->abandon_publishing();
  EXPECT_FALSE(sequencer->published(chain.tail(), []() -> Status { return {}; }).has_value());
  // It is given back in any case.
  ASSERT_TRUE(sequencer->take_publishing(0).has_value());
  EXPECT_TRUE(sequencer->published(chain.tail(), []() -> Status { return {}; }).has_value());
}

TEST_F(PostgresSequencing, a_server_that_does_not_answer_is_an_error_and_not_a_hang) {
  const auto sequencer = open({.turn_timeout_ms = 200, .answer_timeout_ms = 300});
  ASSERT_TRUE(commit_next(*sequencer, 1).has_value());
  service.command("pause");
  const auto news = sequencer->take_turn(chain.size());
  service.command("resume");
  ASSERT_FALSE(news.has_value());
  EXPECT_EQ(news.error().code, ErrorCode::io_unreadable) << to_sentence(news.error());
  EXPECT_TRUE(eventually([&] { return turn_difference(*sequencer).empty(); }));
}

TEST_F(PostgresSequencing, waits_for_a_server_that_starts_again) {
  const auto sequencer = open({.turn_timeout_ms = 60'000});
  ASSERT_TRUE(commit_next(*sequencer, 1).has_value());
  service.command("stop immediate");
  {
    const std::jthread starting{[&] { service.command("start"); }};
    const Status done = commit_next(*sequencer, 1);
    EXPECT_TRUE(done.has_value()) << to_sentence(done.error());
  }
  EXPECT_EQ(turn_difference(*sequencer), "");
}

TEST_F(PostgresSequencing, says_so_when_the_server_is_gone) {
  const auto sequencer = open();
  service.command("stop immediate");
  const auto news = sequencer->take_turn(0);
  const auto opened = PostgresSequencer::open(service.connection(), origin);
  service.command("start");
  ASSERT_FALSE(news.has_value());
  EXPECT_EQ(news.error().code, ErrorCode::io_unreadable) << to_sentence(news.error());
  ASSERT_FALSE(opened.has_value());
  EXPECT_EQ(opened.error().code, ErrorCode::io_unreadable) << to_sentence(opened.error());
  EXPECT_EQ(turn_difference(*sequencer), "");
}

// --- other processes --------------------------------------------------------------------------

TEST_F(PostgresSequencing, a_process_that_is_stopped_with_the_turn_loses_it_and_cannot_commit) {
  // The child takes the turn, stops, and when it goes on tries to commit; it ends with 0 if that
  // was refused as it must be.
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    auto opened = PostgresSequencer::open(service.connection(), origin, impatient);
    if (!opened || !(*opened)->take_turn(0)) _exit(10);
    raise(SIGSTOP);
    const Status done = (*opened)->commit(chain.next(5, /*salt=*/7), chain.tail(), [] {});
    _exit(!done && done.error().code == ErrorCode::busy ? 0 : 11);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, WUNTRACED), child);
  ASSERT_TRUE(WIFSTOPPED(status)) << status;
  const auto sequencer = open();
  const auto busy = sequencer->take_turn(0);
  EXPECT_TRUE(!busy && busy.error().code == ErrorCode::busy);
  // The database ends the turn after `turn_idle_ms_max`.
  EXPECT_TRUE(eventually([&] { return commit_next(*sequencer, 2).has_value(); }));
  kill(child, SIGCONT);
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
  EXPECT_EQ(turn_difference(*sequencer), "");
}

TEST_F(PostgresSequencing, a_process_that_is_killed_with_both_turns_gives_them_back) {
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    auto opened = PostgresSequencer::open(service.connection(), origin, impatient);
    if (!opened || !(*opened)->take_turn(0) || !(*opened)->take_publishing(0)) _exit(10);
    raise(SIGSTOP);
    _exit(0);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, WUNTRACED), child);
  ASSERT_TRUE(WIFSTOPPED(status)) << status;
  kill(child, SIGKILL);
  ASSERT_EQ(waitpid(child, &status, 0), child);
  const auto sequencer = open();
  EXPECT_TRUE(commit_next(*sequencer, 2).has_value());
  ASSERT_TRUE(sequencer->take_publishing(0).has_value());
  EXPECT_TRUE(sequencer->published(chain.tail(), []() -> Status { return {}; }).has_value());
}

// --- what the database itself refuses ---------------------------------------------------------

TEST_F(PostgresSequencing, the_tables_refuse_a_fork_even_from_their_owner) {
  const auto sequencer = open();
  ASSERT_TRUE(commit_next(*sequencer, 4).has_value());
  ASSERT_TRUE(commit_next(*sequencer, 4).has_value());
  const std::int64_t id = log_id();
  constexpr const char* insert_sql =
      "INSERT INTO fiducia_ledger.round VALUES ($1::bigint, $2::bigint, $3::bigint, 'x')";
  const auto insert = [&](std::int64_t first, std::int64_t size) {
    return admin.sqlstate_of(insert_sql, {id, first, size});
  };
  EXPECT_EQ(insert(4, 9), "23505") << "a second round behind one tree";
  EXPECT_EQ(insert(5, 9), sqlstate_not_the_next_round);
  EXPECT_EQ(insert(7, 9), sqlstate_not_the_next_round);
  EXPECT_EQ(insert(9, 12), sqlstate_not_the_next_round) << "a gap";
  EXPECT_EQ(insert(8, 8), "23514") << "no entries";
  EXPECT_EQ(insert(-1, 8), "23514");
  EXPECT_EQ(admin.sqlstate_of("UPDATE fiducia_ledger.round SET content = 'x'"),
            sqlstate_never_changes);
  EXPECT_EQ(admin.sqlstate_of("DELETE FROM fiducia_ledger.round"), sqlstate_never_changes);
  EXPECT_EQ(admin.sqlstate_of("UPDATE fiducia_ledger.log SET committed_size = 4"),
            sqlstate_never_changes);
  EXPECT_EQ(admin.sqlstate_of("UPDATE fiducia_ledger.log SET committed_size = 100"),
            sqlstate_never_changes);
  EXPECT_EQ(admin.sqlstate_of("UPDATE fiducia_ledger.publication SET published_size = 5,"
                              " published_tail = 'x'"),
            sqlstate_never_changes)
      << "no round ends there";
  EXPECT_EQ(admin.sqlstate_of("UPDATE fiducia_ledger.publication SET base_size = 8,"
                              " base_tail = 'x'"),
            sqlstate_never_changes)
      << "a base that is not published";
  for (const char* sql :
       {"DELETE FROM fiducia_ledger.log", "DELETE FROM fiducia_ledger.publication",
        "TRUNCATE fiducia_ledger.round", "TRUNCATE fiducia_ledger.log CASCADE"})
    EXPECT_EQ(admin.sqlstate_of(sql), sqlstate_never_changes) << sql;
  EXPECT_EQ(turn_difference(*sequencer), "");
  // The refuse twin's twin: what follows is accepted.
  EXPECT_TRUE(commit_next(*sequencer, 4).has_value());
  EXPECT_EQ(turn_difference(*sequencer), "");
}

/// The statements on the ledger's schema in docs/operations.md that begin with `word`.
std::vector<std::string> documented(const std::string& word) {
  std::ifstream file{fiducia::test::data("../../docs/operations.md")};
  std::vector<std::string> found;
  for (std::string line; std::getline(file, line);)
    if (line.starts_with(word) && !line.contains("fiducia_evidence"))
      found.push_back(line.substr(0, line.find(';')));
  return found;
}

TEST_F(PostgresSequencing, an_appender_needs_no_more_rights_than_the_manual_lists) {
  ASSERT_EQ(admin.sqlstate_of("CREATE ROLE gateway LOGIN"), "none");
  const auto grants = documented("GRANT ");
  ASSERT_EQ(grants.size(), 3U) << "docs/operations.md lists them";
  auto refused = PostgresSequencer::open(service.connection_with("user=gateway"), origin);
  ASSERT_FALSE(refused.has_value()) << "nothing is granted yet";
  EXPECT_EQ(refused.error().code, ErrorCode::io_unwritable) << to_sentence(refused.error());
  for (const std::string& grant : grants)
    ASSERT_EQ(admin.sqlstate_of(grant.c_str()), "none") << grant;

  auto opened = PostgresSequencer::open(service.connection_with("user=gateway"), origin,
                                        {.kept_rounds_max = 2});
  ASSERT_TRUE(opened.has_value()) << to_sentence(opened.error());
  std::uint64_t known = 0;
  for (int i = 0; i < 6; ++i) {
    const Status done = commit_next(**opened, 3);
    ASSERT_TRUE(done.has_value()) << to_sentence(done.error());
    ASSERT_TRUE((*opened)->take_publishing(known).has_value());
    const Status told = (*opened)->published(chain.tail(), []() -> Status { return {}; });
    ASSERT_TRUE(told.has_value()) << to_sentence(told.error());
    known = chain.size();
  }
  ASSERT_TRUE(commit_next(**opened, 3).has_value());
  EXPECT_EQ(turn_difference(**opened), "");

  Administrator gateway{service.connection_with("user=gateway")};
  for (const char* sql :
       {"UPDATE fiducia_ledger.round SET content = 'x'", "DELETE FROM fiducia_ledger.round",
        "INSERT INTO fiducia_ledger.round VALUES (1, 2, 3, 'x')", "TRUNCATE fiducia_ledger.round",
        "UPDATE fiducia_ledger.log SET committed_size = 0",
        "INSERT INTO fiducia_ledger.log (origin) VALUES ('mine')", "DELETE FROM fiducia_ledger.log",
        "UPDATE fiducia_ledger.publication SET base_size = 0",
        "DELETE FROM fiducia_ledger.publication", "UPDATE fiducia_ledger.version SET version = 2",
        "ALTER TABLE fiducia_ledger.round DISABLE TRIGGER ALL", "DROP TABLE fiducia_ledger.round",
        "CREATE TABLE fiducia_ledger.mine ()"})
    EXPECT_EQ(gateway.sqlstate_of(sql), "42501") << sql;
  // Through the functions neither: nothing behind what was published can be forgotten.
  const std::int64_t kept = admin.integer("SELECT count(*) FROM fiducia_ledger.round");
  EXPECT_EQ(gateway.sqlstate_of("SELECT fiducia_ledger.publish($1::text, 1000000, 'x')",
                                {std::string_view{origin}}),
            sqlstate_never_changes);
  EXPECT_EQ(gateway.sqlstate_of("SELECT fiducia_ledger.commit_round($1::text, 0, 3, 'x')",
                                {std::string_view{origin}}),
            sqlstate_not_the_next_round);
  EXPECT_EQ(
      gateway.sqlstate_of("SELECT fiducia_ledger.forget($1::text)", {std::string_view{origin}}),
      "none");
  EXPECT_LE(admin.integer("SELECT count(*) FROM fiducia_ledger.round"), kept);
  EXPECT_EQ(turn_difference(**opened, known), "") << "the unpublished round is still there";
  // Others have no right at all, not even to the functions.
  ASSERT_EQ(admin.sqlstate_of("CREATE ROLE stranger LOGIN"), "none");
  Administrator stranger{service.connection_with("user=stranger")};
  EXPECT_EQ(stranger.sqlstate_of("SELECT fiducia_ledger.take_turn('x')"), "42501");
  EXPECT_EQ(stranger.sqlstate_of("SELECT FROM fiducia_ledger.round"), "42501");
  const auto created = PostgresSequencer::create(service.connection_with("user=gateway"), "new");
  ASSERT_FALSE(created.has_value());
  EXPECT_EQ(created.error().code, ErrorCode::io_unwritable) << to_sentence(created.error());
}

// --- a database that lies -----------------------------------------------------------------------

TEST_F(PostgresSequencing, refuses_what_somebody_changed_in_the_database) {
  const auto sequencer = open();
  ASSERT_TRUE(commit_next(*sequencer, 4).has_value());
  ASSERT_TRUE(commit_next(*sequencer, 300).has_value());
  ASSERT_TRUE(sequencer->take_publishing(0).has_value());
  ASSERT_TRUE(sequencer->published(chain.tail(), []() -> Status { return {}; }).has_value());
  ASSERT_TRUE(commit_next(*sequencer, 4).has_value());
  const std::int64_t id = log_id();
  admin.run("SET session_replication_role = replica");  // no trigger looks
  struct Row {
    const char* name;
    const char* sql;
    const char* undo;
  };
  for (const Row& row : {
           Row{"a round gone", "DELETE FROM fiducia_ledger.round WHERE log = $1 AND first = 4",
               nullptr},
           Row{"the newest round gone",
               "DELETE FROM fiducia_ledger.round WHERE log = $1 AND first = 304", nullptr},
           Row{"the oldest round gone",
               "DELETE FROM fiducia_ledger.round WHERE log = $1 AND first = 0", nullptr},
           Row{"a round of no bytes we know",
               "UPDATE fiducia_ledger.round SET content = 'x' WHERE log = $1 AND first = 4",
               nullptr},
           Row{"a bit of a round's head",
               "UPDATE fiducia_ledger.round SET content = set_byte(content, 1,"
               " get_byte(content, 1) # 1) WHERE log = $1 AND first = 4",
               nullptr},
           Row{"one round in the place of another",
               "UPDATE fiducia_ledger.round SET content = (SELECT content FROM"
               " fiducia_ledger.round WHERE log = $1 AND first = 0) WHERE log = $1 AND first = 4",
               nullptr},
           Row{"a round with another size",
               "UPDATE fiducia_ledger.round SET size = 303 WHERE log = $1 AND first = 4", nullptr},
           Row{"a committed size that is too large",
               "UPDATE fiducia_ledger.log SET committed_size = 309 WHERE id = $1", nullptr},
           Row{"a committed size that is too small",
               "UPDATE fiducia_ledger.log SET committed_size = 304 WHERE id = $1", nullptr},
           Row{"a base that is no tree",
               "UPDATE fiducia_ledger.publication SET base_size = 304, base_tail = 'x'"
               " WHERE log = $1",
               nullptr},
           Row{"a base of another size",
               "UPDATE fiducia_ledger.publication SET base_size = 4, base_tail = published_tail"
               " WHERE log = $1",
               nullptr},
           Row{"a base whose last byte is gone",
               "UPDATE fiducia_ledger.publication SET base_size = 304, base_tail ="
               " substr(published_tail, 1, octet_length(published_tail) - 1) WHERE log = $1",
               nullptr},
           Row{"a base with another hash",
               "UPDATE fiducia_ledger.publication SET base_size = 304, base_tail ="
               " set_byte(published_tail, 40, get_byte(published_tail, 40) # 1) WHERE log = $1",
               nullptr},
       }) {
    SCOPED_TRACE(row.name);
    admin.run("CREATE TEMP TABLE IF NOT EXISTS kept_round AS SELECT * FROM fiducia_ledger.round");
    admin.run("CREATE TEMP TABLE IF NOT EXISTS kept_log AS SELECT * FROM fiducia_ledger.log");
    admin.run(
        "CREATE TEMP TABLE IF NOT EXISTS kept_publication AS SELECT * FROM"
        " fiducia_ledger.publication");
    ASSERT_EQ(turn_difference(*sequencer), "");
    admin.run(row.sql, {id});
    const auto news = sequencer->take_turn(0);
    EXPECT_FALSE(news.has_value());
    if (!news) {
      EXPECT_EQ(news.error().code, ErrorCode::malformed) << to_sentence(news.error());
      EXPECT_EQ(news.error().kind, "journal");
    } else {
      sequencer->abandon();
    }
    admin.run("DELETE FROM fiducia_ledger.round");
    admin.run("INSERT INTO fiducia_ledger.round SELECT * FROM kept_round");
    admin.run(
        "UPDATE fiducia_ledger.log l SET committed_size = k.committed_size FROM kept_log k"
        " WHERE k.id = l.id");
    admin.run(
        "UPDATE fiducia_ledger.publication p SET base_size = k.base_size, base_tail ="
        " k.base_tail FROM kept_publication k WHERE k.log = p.log");
  }
  EXPECT_EQ(turn_difference(*sequencer), "");
}

TEST_F(PostgresSequencing, refuses_an_old_copy_of_the_database) {
  const auto sequencer = open();
  ASSERT_TRUE(commit_next(*sequencer, 4).has_value());
  for (const bool publishing : {false, true}) {
    const auto news = publishing ? sequencer->take_publishing(5) : sequencer->take_turn(5);
    ASSERT_FALSE(news.has_value());
    EXPECT_EQ(news.error().code, ErrorCode::ledger_conflict) << to_sentence(news.error());
  }
  EXPECT_EQ(turn_difference(*sequencer, 4), "");
}

TEST_F(PostgresSequencing, refuses_a_schema_of_another_version) {
  admin.run("UPDATE fiducia_ledger.version SET version = 2");
  const auto opened = PostgresSequencer::open(service.connection(), origin);
  const auto created = PostgresSequencer::create(service.connection(), "example.org/another");
  admin.run("UPDATE fiducia_ledger.version SET version = 1");
  ASSERT_FALSE(opened.has_value());
  EXPECT_EQ(code_word(opened.error()), "unsupported.schema");
  ASSERT_FALSE(created.has_value());
  EXPECT_EQ(code_word(created.error()), "unsupported.schema");
  EXPECT_TRUE(PostgresSequencer::open(service.connection(), origin).has_value());
}

TEST_F(PostgresSequencing, refuses_a_database_that_does_not_write_durably) {
  const auto refused = [&] {
    const auto opened = PostgresSequencer::open(service.connection(), origin);
    return !opened && opened.error().code == ErrorCode::config_invalid;
  };
  service.command("set fsync off");
  EXPECT_TRUE(eventually(refused));
  service.command("set fsync on");
  EXPECT_TRUE(eventually([&] { return !refused(); }));
}

TEST_F(PostgresSequencing, tells_what_is_missing) {
  const auto none = PostgresSequencer::open(service.connection(), "example.org/none");
  ASSERT_TRUE(none.has_value()) << "the name is looked up with the turn";
  const auto news = (*none)->take_turn(0);
  ASSERT_FALSE(news.has_value());
  EXPECT_EQ(news.error().code, ErrorCode::io_unreadable) << to_sentence(news.error());
  EXPECT_NE(news.error().what.find("no ledger of this name"), std::string::npos);
  const auto schema = PostgresSequencer::open(service.connection_with("dbname=template1"), origin);
  ASSERT_FALSE(schema.has_value());
  EXPECT_EQ(schema.error().code, ErrorCode::io_unreadable) << to_sentence(schema.error());
  const auto database = PostgresSequencer::open(service.connection_with("dbname=none"), origin);
  ASSERT_FALSE(database.has_value());
  EXPECT_EQ(database.error().code, ErrorCode::io_unreadable) << to_sentence(database.error());
}

TEST_F(PostgresSequencing, create_may_be_repeated_until_the_log_has_entries) {
  EXPECT_TRUE(PostgresSequencer::create(service.connection(), origin).has_value());
  const auto sequencer = open();
  ASSERT_TRUE(commit_next(*sequencer, 1).has_value());
  const Status again = PostgresSequencer::create(service.connection(), origin);
  ASSERT_FALSE(again.has_value());
  EXPECT_EQ(again.error().code, ErrorCode::exists) << to_sentence(again.error());
  EXPECT_EQ(turn_difference(*sequencer), "");
}

TEST_F(PostgresSequencing, a_schema_is_made_once_by_whoever_is_first) {
  admin.run("CREATE DATABASE crowded");
  const std::string crowded = service.connection_with("dbname=crowded");
  std::vector<Status> made(6);
  {
    std::vector<std::jthread> threads;
    for (Status& one : made)
      threads.emplace_back([&] { one = PostgresSequencer::create(crowded, origin); });
  }
  for (const Status& one : made) EXPECT_TRUE(one.has_value()) << to_sentence(one.error());
  EXPECT_EQ(Administrator{crowded}.integer("SELECT count(*) FROM fiducia_ledger.log"), 1);
}

TEST_F(PostgresSequencing, names_of_logs_are_values_and_not_part_of_a_statement) {
  for (const char* name : {"x'; DROP SCHEMA fiducia_ledger CASCADE; --", "$1", "\"\\", "ünïcode"}) {
    ASSERT_TRUE(PostgresSequencer::create(service.connection(), name).has_value()) << name;
    auto opened = PostgresSequencer::open(service.connection(), name);
    ASSERT_TRUE(opened.has_value()) << name;
    EXPECT_TRUE((*opened)->take_turn(0).has_value()) << name;
  }
  for (const std::string& name :
       {std::string{}, std::string(1025, 'x'), std::string{"\xff"}, std::string{"a\0b", 3}}) {
    const auto opened = PostgresSequencer::open(service.connection(), name);
    ASSERT_FALSE(opened.has_value()) << name;
    EXPECT_EQ(opened.error().code, ErrorCode::usage_invalid);
    const auto created = PostgresSequencer::create(service.connection(), name);
    ASSERT_FALSE(created.has_value()) << name;
    EXPECT_EQ(created.error().code, ErrorCode::usage_invalid);
  }
}

TEST_F(PostgresSequencing, the_connection_string_is_in_no_message) {
  const std::string secret = "Geheim-4711";
  for (const std::string& connection :
       {"host=/nonexistent user=gateway password=" + secret,
        "host=/nonexistent dbname=x password=" + secret + " unknown_option=1",
        "password=" + secret + " " + secret, "postgresql://gateway:" + secret + "@[::1/x",
        "postgresql://gateway:" + secret + "@localhost:1/x?connect_timeout=2",
        // A password that libpq itself quotes, since it stands where a host should.
        "host=/" + secret + " password=/" + secret, secret}) {
    const auto opened = PostgresSequencer::open(connection, origin);
    ASSERT_FALSE(opened.has_value());
    EXPECT_EQ(opened.error().code, ErrorCode::io_unreadable);
    EXPECT_EQ(to_sentence(opened.error()).find(secret), std::string::npos)
        << to_sentence(opened.error());
    const auto created = PostgresSequencer::create(connection, origin);
    ASSERT_FALSE(created.has_value());
    EXPECT_EQ(to_sentence(created.error()).find(secret), std::string::npos)
        << to_sentence(created.error());
  }
}

}  // namespace
}  // namespace fiducia::ledger_postgres::test
