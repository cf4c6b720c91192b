// SPDX-License-Identifier: Apache-2.0
// What ledger::Sequencer promises, asked of each that there is.
#include <gtest/gtest.h>

#include <atomic>
#include <stdexcept>
#include <thread>

#include "ledger/journal.h"
#include "ledger_postgres/ledger_postgres.h"
#include "round_chain.h"
#include "services/postgres_service.h"
#include "support/support.h"

namespace fiducia::ledger_postgres::test {
namespace {

using ledger::News;
using ledger::Round;
using ledger::Sequencer;
using ledger::Tail;
using namespace fiducia::test;
using namespace fiducia::postgres::test;

/// An empty log of one kind, which can be opened again and again.
class Backend {
 public:
  virtual ~Backend() = default;
  /// With limits so small that rounds are forgotten soon.
  [[nodiscard]] virtual Result<std::unique_ptr<Sequencer>> open() const = 0;
};

class JournalBackend final : public Backend {
 public:
  JournalBackend() {
    FIDUCIA_ASSERT(ledger::LocalJournal::create(scratch_.path(), "example.org/log").has_value());
  }
  Result<std::unique_ptr<Sequencer>> open() const override {
    return ledger::LocalJournal::open(
        scratch_.path(), {.segment_bytes_min = 16 << 10, .segment_bytes_max = 64 << 10});
  }

 private:
  ScratchFolder scratch_;
};

class PostgresBackend final : public Backend {
 public:
  PostgresBackend() {
    static std::atomic<int> number = 0;
    origin_ = "example.org/conformance/" + std::to_string(++number);
    const Status made = PostgresSequencer::create(PostgresService::shared().connection(), origin_);
    EXPECT_TRUE(made.has_value()) << to_sentence(made.error());
  }
  Result<std::unique_ptr<Sequencer>> open() const override {
    return PostgresSequencer::open(PostgresService::shared().connection(), origin_,
                                   {.kept_rounds_max = 5, .kept_bytes_max = 32 << 10});
  }

 private:
  std::string origin_;
};

struct BackendKind {
  const char* name;
  std::unique_ptr<Backend> (*make)();
};
template <class T>
std::unique_ptr<Backend> make_backend() {
  return std::make_unique<T>();
}

class SequencerConformance : public ::testing::TestWithParam<BackendKind> {
 protected:
  SequencerConformance() { reopen(); }
  void reopen() {
    sequencer.reset();
    auto opened = backend->open();
    if (!opened) throw std::runtime_error{to_sentence(opened.error())};  // gtest tells
    sequencer = std::move(*opened);
  }
  /// Commits a round that fits; returns it.
  Round commit(std::uint64_t count, std::size_t entry_bytes = 16) {
    EXPECT_TRUE(sequencer->take_turn(chain.size()).has_value());
    const Round round = chain.next(count, 0, entry_bytes);
    const Status done = sequencer->commit(round, chain.tail(), [] {});
    EXPECT_TRUE(done.has_value()) << to_sentence(done.error());
    chain.add(round);
    return round;
  }
  /// What the turn to append tells; the turn is given back.
  std::string turn_difference(std::uint64_t known_size) {
    const auto news = sequencer->take_turn(known_size);
    if (!news) return to_sentence(news.error());
    sequencer->abandon();
    return chain.difference(*news, known_size);
  }
  Status publish(std::uint64_t known_size) {
    const auto news = sequencer->take_publishing(known_size);
    if (!news) return std::unexpected(news.error());
    EXPECT_EQ(chain.difference(*news, known_size), "");
    return sequencer->published(chain.tail(), [this]() -> Status {
      ++synced;
      return sync_answer;
    });
  }

  std::unique_ptr<Backend> backend = GetParam().make();
  std::unique_ptr<Sequencer> sequencer;
  RoundChain chain;
  int synced = 0;
  Status sync_answer;
};

TEST_P(SequencerConformance, an_empty_log_has_no_base_and_no_rounds) {
  for (int opening = 0; opening < 2; ++opening) {
    EXPECT_EQ(turn_difference(0), "");
    const auto news = sequencer->take_publishing(0);
    ASSERT_TRUE(news.has_value()) << to_sentence(news.error());
    EXPECT_EQ(chain.difference(*news, 0), "");
    sequencer->abandon_publishing();
    reopen();
  }
}

TEST_P(SequencerConformance, a_committed_round_is_told_to_whoever_does_not_know_it) {
  commit(1);
  commit(300);
  commit(2);
  for (int opening = 0; opening < 2; ++opening) {
    for (const Tail& known : chain.tails())
      EXPECT_EQ(turn_difference(known.frontage.size), "") << known.frontage.size;
    reopen();
  }
}

TEST_P(SequencerConformance, a_turn_that_is_abandoned_leaves_nothing) {
  commit(3);
  ASSERT_TRUE(sequencer->take_turn(chain.size()).has_value());
  sequencer->abandon();
  EXPECT_EQ(turn_difference(0), "");
  commit(4);
  reopen();
  EXPECT_EQ(turn_difference(0), "");
}

TEST_P(SequencerConformance, rounds_are_published_once_and_kept_until_the_store_is_synced) {
  commit(5);
  commit(6);
  ASSERT_TRUE(publish(0).has_value());
  // What is published is not told again to one who knows it, and a turn may still ask for it.
  const auto news = sequencer->take_publishing(chain.size());
  ASSERT_TRUE(news.has_value());
  EXPECT_TRUE(!news->base && news->rounds.empty());
  sequencer->abandon_publishing();
  EXPECT_EQ(turn_difference(0), "");
  // Whether or not rounds were forgotten: somebody new can complete whatever the store may lack.
  const std::uint64_t known = chain.size();
  commit(7);
  const auto rest = sequencer->take_publishing(known);
  ASSERT_TRUE(rest.has_value());
  EXPECT_EQ(chain.difference(*rest, known), "");
  sequencer->abandon_publishing();
  reopen();
  EXPECT_EQ(turn_difference(0), "");
}

TEST_P(SequencerConformance, rounds_are_forgotten_only_after_sync) {
  constexpr int rounds = 40;
  std::uint64_t known = 0;
  for (int i = 0; i < rounds; ++i) {
    commit(20, 800);
    ASSERT_TRUE(publish(known).has_value());
    known = chain.size();
  }
  EXPECT_GT(synced, 0);
  EXPECT_LT(synced, rounds) << "it need not be each time";
  reopen();
  const auto news = sequencer->take_turn(0);
  ASSERT_TRUE(news.has_value());
  sequencer->abandon();
  EXPECT_TRUE(news->base.has_value());
  EXPECT_LT(news->rounds.size(), rounds);
  EXPECT_EQ(chain.difference(*news, 0), "");
}

TEST_P(SequencerConformance, a_store_that_cannot_be_synced_costs_no_round) {
  sync_answer = fail(ErrorCode::io_unwritable, "the disk is gone");
  std::uint64_t known = 0;
  bool failed = false;
  for (int i = 0; i < 40; ++i) {
    commit(20, 800);
    if (const Status done = publish(known); !done) {
      EXPECT_EQ(done.error().what, "the disk is gone");
      failed = true;
    }
    known = chain.size();
  }
  EXPECT_TRUE(failed);
  const std::uint64_t last = chain.size();
  commit(1);
  const auto news = sequencer->take_publishing(last);
  ASSERT_TRUE(news.has_value()) << to_sentence(news.error());
  EXPECT_EQ(chain.difference(*news, last), "");
  sequencer->abandon_publishing();
  reopen();
  EXPECT_EQ(turn_difference(0), "");
}

TEST_P(SequencerConformance, both_turns_can_be_held_at_once) {
  commit(2);
  const std::uint64_t known = chain.size();
  ASSERT_TRUE(sequencer->take_turn(known).has_value());
  const auto news = sequencer->take_publishing(0);
  ASSERT_TRUE(news.has_value());
  EXPECT_EQ(news->rounds.size(), 1U);
  const Tail published = chain.tail();
  const Round round = chain.next(2);
  ASSERT_TRUE(sequencer->commit(round, chain.tail(), [] {}).has_value());
  chain.add(round);
  ASSERT_TRUE(sequencer->published(published, []() -> Status { return {}; }).has_value());
  const auto rest = sequencer->take_publishing(known);
  ASSERT_TRUE(rest.has_value());
  EXPECT_EQ(chain.difference(*rest, known), "");
  sequencer->abandon_publishing();
}

TEST_P(SequencerConformance, a_turn_is_held_by_one_thread_and_others_wait_for_it) {
  std::atomic<int> holders = 0;
  std::atomic<bool> two_at_once = false;
  std::mutex mutex;  // guards chain
  {
    std::vector<std::jthread> threads;
    for (int thread = 0; thread < 4; ++thread)
      threads.emplace_back([&] {
        for (int i = 0; i < 10; ++i) {
          const auto news = sequencer->take_turn(0);
          if (!news) continue;
          if (++holders != 1) two_at_once = true;
          const std::lock_guard guard{mutex};
          EXPECT_EQ(chain.difference(*news, 0), "");
          const Round round = chain.next(1);
          --holders;
          EXPECT_TRUE(sequencer->commit(round, chain.tail(), [] {}).has_value());
          chain.add(round);
        }
      });
  }
  EXPECT_FALSE(two_at_once);
  EXPECT_EQ(chain.size(), 40U);
  EXPECT_EQ(turn_difference(0), "");
}

TEST_P(SequencerConformance, a_random_history_reads_back_as_it_was_written) {
  const std::uint64_t seed = fiducia::test::seed();
  SCOPED_TRACE("rerun with FIDUCIA_SEED=" + std::to_string(seed));
  std::mt19937_64 prng{seed};
  std::uint64_t published = 0;
  for (int step = 0; step < 150; ++step) {
    switch (prng() % 6) {
      case 0:
      case 1:
        commit(1 + edge_biased(prng, 256) % 600, 16 + prng() % 100);
        break;
      case 2:
        if (chain.size() > published) {
          ASSERT_TRUE(publish(published).has_value());
        }
        published = chain.size();
        break;
      case 3:
        reopen();
        break;
      case 4: {
        const std::size_t at = prng() % chain.tails().size();
        ASSERT_EQ(turn_difference(chain.tails()[at].frontage.size), "");
        break;
      }
      default:
        ASSERT_EQ(turn_difference(0), "");
    }
    if (HasFailure()) return;
  }
}

INSTANTIATE_TEST_SUITE_P(Backends, SequencerConformance,
                         ::testing::Values(BackendKind{"journal", make_backend<JournalBackend>},
                                           BackendKind{"postgresql",
                                                       make_backend<PostgresBackend>}),
                         [](const auto& backend) { return std::string{backend.param.name}; });

}  // namespace
}  // namespace fiducia::ledger_postgres::test
