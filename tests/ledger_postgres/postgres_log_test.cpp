// SPDX-License-Identifier: Apache-2.0
// One log, many processes: whole logs over PostgreSQL and one directory.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <map>
#include <set>
#include <thread>

#include "ledger_postgres/ledger_postgres.h"
#include "merkle/merkle.h"
#include "services/postgres_service.h"
#include "support/support.h"

namespace fiducia::ledger_postgres::test {
namespace {

namespace fs = std::filesystem;
using namespace fiducia::test;
using namespace fiducia::postgres::test;
using std::chrono::milliseconds;
using SteadyClock = std::chrono::steady_clock;

/// Thousands of small files: in memory, where there is a file system for that.
const bool scratch_in_memory = fiducia::test::scratch_into_memory();

crypto::PrivateKey copy_of(const crypto::PrivateKey& key) {
  return crypto::PrivateKey::read_pem(key.write_pem().value()).value();
}

Bytes counter_entry(std::uint64_t counter) {
  Bytes entry(sizeof counter);
  store_be(entry.data(), counter);
  return entry;
}

/// What a process tells of an entry that was acknowledged.
struct Told {
  std::uint64_t index = 0;
  std::uint64_t counter = 0;
};

/// What a process of a test may meet and try again: nothing that says of damage.
bool may_pass(const Error& error) {
  return error.code == ErrorCode::busy || error.code == ErrorCode::io_unreadable ||
         error.code == ErrorCode::io_unwritable;
}
[[noreturn]] void end_child(int status, const Error& error) {
  std::fprintf(stderr, "%s\n", to_sentence(error).c_str());
  _exit(status);
}

/// A log that several processes append to. Everything that is checked of it stands here.
class SharedLog {
 public:
  explicit SharedLog(PostgresService& service, const PostgresOptions& options)
      : service_(service), options_(options) {
    fs::create_directories(folder_);
    FIDUCIA_ASSERT(pipe2(pipe_.data(), O_CLOEXEC) == 0);
    fcntl(pipe_[0], F_SETFL, O_NONBLOCK);
    const Status made = PostgresSequencer::create(service.connection(), origin_);
    EXPECT_TRUE(made.has_value()) << to_sentence(made.error());
    auto sequencer = PostgresSequencer::open(service.connection(), origin_, options_);
    EXPECT_TRUE(sequencer.has_value()) << to_sentence(sequencer.error());
    if (!sequencer) return;
    const Status created = ledger::Log::create(parts(std::move(*sequencer)));
    EXPECT_TRUE(created.has_value()) << to_sentence(created.error());
  }
  ~SharedLog() {
    for (const pid_t child : children_) {
      kill(child, SIGKILL);
      waitpid(child, nullptr, 0);
    }
    close(pipe_[0]);
    close(pipe_[1]);
  }
  SharedLog(const SharedLog&) = delete;
  SharedLog& operator=(const SharedLog&) = delete;

  [[nodiscard]] Result<ledger::Log> open() const {
    FIDUCIA_TRY(sequencer, PostgresSequencer::open(service_.connection(), origin_, options_));
    return ledger::Log::open(parts(std::move(sequencer)));
  }

  /// Starts a process with `threads` that append `count` entries each; 0: until it is killed.
  /// An append that fails is tried again with the same entry.
  pid_t start_appender(unsigned threads, std::uint64_t count) {
    const std::uint64_t counter = ++started_ << 40;
    const pid_t child = fork();
    if (child == 0) {
      prctl(PR_SET_PDEATHSIG, SIGKILL);
      append_in_child(threads, count, counter);
    }
    EXPECT_GT(child, 0);
    children_.insert(child);
    return child;
  }
  /// Waits for the child, which must end by itself, in good order.
  void join(pid_t child) {
    int status = 0;
    while (waitpid(child, &status, WNOHANG) == 0) {
      observe();
      collect();
    }
    children_.erase(child);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << "status " << status;
  }
  void kill_now(pid_t child) {
    kill(child, SIGKILL);
    int status = 0;
    waitpid(child, &status, 0);
    children_.erase(child);
    EXPECT_TRUE(WIFSIGNALED(status)) << "it ended by itself: " << WEXITSTATUS(status);
  }

  /// Reads what was acknowledged so far: no index and no entry twice.
  void collect() {
    std::array<Told, 256> told;
    for (ssize_t n = 0; (n = read(pipe_[0], told.data(), sizeof told)) > 0;)
      for (std::size_t i = 0; i < static_cast<std::size_t>(n) / sizeof(Told); ++i) {
        EXPECT_TRUE(acknowledged_.emplace(told[i].index, told[i].counter).second)
            << "two entries have the index " << told[i].index;
        EXPECT_TRUE(counters_.insert(told[i].counter).second);
      }
  }
  /// A reader without key or database: each checkpoint it sees continues the one before.
  void observe() {
    const auto reader = ledger::LogReader::open(folder_, vkey_);
    ASSERT_TRUE(reader.has_value()) << to_sentence(reader.error());
    const std::uint64_t size = reader->status().tree_size;
    ASSERT_GE(size, seen_size_) << "a checkpoint went back";
    if (seen_size_ == size) {
      ASSERT_TRUE(seen_size_ == 0 || seen_root_ == reader->status().root) << "two roots of a size";
    } else if (seen_size_ > 0) {
      const auto proof = reader->consistency_proof(seen_size_);
      ASSERT_TRUE(proof.has_value()) << to_sentence(proof.error());
      ASSERT_TRUE(
          merkle::verify_consistency(seen_size_, size, seen_root_, reader->status().root, *proof)
              .has_value())
          << "a fork between " << seen_size_ << " and " << size;
    }
    seen_size_ = size;
    seen_root_ = reader->status().root;
  }
  /// With nobody appending: opening completes what was begun, and everything is there.
  void check_whole(bool each_entry_once) {
    collect();
    {
      auto log = open();
      ASSERT_TRUE(log.has_value()) << to_sentence(log.error());
      const Status flushed = log->flush();
      ASSERT_TRUE(flushed.has_value()) << to_sentence(flushed.error());
    }
    observe();
    const auto check = ledger::check_log(folder_, vkey_);
    ASSERT_TRUE(check.has_value()) << to_sentence(check.error());
    EXPECT_TRUE(check->ok) << check->damaged << ": " << check->text;
    const auto reader = ledger::LogReader::open(folder_, vkey_);
    ASSERT_TRUE(reader.has_value());
    for (const auto& [index, counter] : acknowledged_) {
      const auto entry = reader->entry(index);
      ASSERT_TRUE(entry.has_value()) << to_sentence(entry.error());
      ASSERT_EQ(*entry, counter_entry(counter)) << index;
    }
    if (!each_entry_once) return;
    EXPECT_EQ(reader->status().tree_size, 1 + acknowledged_.size()) << "an entry is there twice";
  }
  [[nodiscard]] std::size_t acknowledged() const { return acknowledged_.size(); }
  [[nodiscard]] const std::set<pid_t>& children() const { return children_; }

 private:
  [[nodiscard]] ledger::LogParts parts(std::unique_ptr<ledger::Sequencer> sequencer) const {
    return {.store = std::make_shared<ledger::DirectoryStore>(folder_),
            .sequencer = std::move(sequencer),
            .origin = origin_,
            .key = std::make_shared<const crypto::PrivateKey>(copy_of(key_))};
  }
  [[noreturn]] void append_in_child(unsigned threads, std::uint64_t count,
                                    std::uint64_t counter) const {
    const auto end = SteadyClock::now() + std::chrono::minutes{5};
    auto log = open();
    while (!log && may_pass(log.error()) && SteadyClock::now() < end) log = open();
    if (!log) end_child(3, log.error());
    {
      std::vector<std::jthread> appending;
      for (unsigned thread = 0; thread < threads; ++thread)
        appending.emplace_back([&, thread] {
          const std::uint64_t first = counter + (std::uint64_t{thread} << 32);
          for (std::uint64_t i = 0; count == 0 || i < count; ++i) {
            const std::array entries{counter_entry(first + i)};
            auto answers = log->append(entries);
            while (!answers && may_pass(answers.error()) && SteadyClock::now() < end)
              answers = log->append(entries);
            if (!answers) end_child(4, answers.error());
            const Told told{.index = answers->front().index, .counter = first + i};
            if (write(pipe_[1], &told, sizeof told) != sizeof told) _exit(5);
          }
        });
    }
    _exit(log->flush() ? 0 : 6);
  }

  PostgresService& service_;
  const PostgresOptions options_;
  static inline int number_ = 0;
  const std::string origin_ = "example.org/shared/" + std::to_string(++number_);
  const ScratchFolder scratch_;
  const fs::path folder_ = scratch_.path() / "log";
  const crypto::PrivateKey key_ = crypto::PrivateKey::generate(crypto::KeyKind::ed25519).value();
  const ledger_format::VerifierKey vkey_ = ledger_format::make_vkey(
      origin_, ledger_format::NoteKeyType::ed25519, key_.public_key().write_ed25519());
  std::array<int, 2> pipe_{};  // all processes tell through it
  std::uint64_t started_ = 0;
  std::set<pid_t> children_;
  std::map<std::uint64_t, std::uint64_t> acknowledged_;  // index to counter
  std::set<std::uint64_t> counters_;
  std::uint64_t seen_size_ = 0;
  Digest seen_root_;
};

/// How often something is killed: FIDUCIA_KILL_ROUNDS in the environment, for long runs.
int kill_rounds(int otherwise) {
  const char* text = ::getenv("FIDUCIA_KILL_ROUNDS");
  return text != nullptr ? std::max(1, std::atoi(text)) : otherwise;
}

/// So that rounds are forgotten often.
constexpr PostgresOptions forgetful{.kept_rounds_max = 8};

class SharedLogs : public ::testing::Test {
 protected:
  SharedLogs() {
    std::printf("rerun with FIDUCIA_SEED=%llu\n", static_cast<unsigned long long>(seed));
  }
  const std::uint64_t seed = fiducia::test::seed();
  std::mt19937_64 prng{seed};
  PostgresService& service = PostgresService::shared();
};

TEST_F(SharedLogs, of_four_processes_grow_as_one_tree_with_an_index_for_each_entry) {
  SharedLog log{service, forgetful};
  constexpr unsigned threads = 4;
  constexpr std::uint64_t count = 60;
  std::vector<pid_t> children;
  for (int i = 0; i < 4; ++i) children.push_back(log.start_appender(threads, count));
  for (const pid_t child : children) log.join(child);
  log.check_whole(/*each_entry_once=*/true);
  EXPECT_EQ(log.acknowledged(), 4 * threads * count);
}

TEST_F(SharedLogs, lose_no_acknowledged_entry_when_processes_are_killed) {
  SharedLog log{service, forgetful};
  const int rounds = kill_rounds(25);
  for (int i = 0; i < 3; ++i) log.start_appender(2, 0);
  for (int round = 0; round < rounds && !HasFatalFailure(); ++round) {
    SCOPED_TRACE("round " + std::to_string(round));
    std::this_thread::sleep_for(milliseconds{20 + prng() % 150});
    auto victim = log.children().begin();
    std::advance(victim, static_cast<long>(prng() % log.children().size()));
    log.kill_now(*victim);
    log.collect();
    log.observe();
    log.start_appender(2, 0);
  }
  while (!log.children().empty()) log.kill_now(*log.children().begin());
  log.check_whole(/*each_entry_once=*/false);
  EXPECT_GT(log.acknowledged(), static_cast<std::size_t>(rounds)) << "nothing was proven";
}

TEST_F(SharedLogs, lose_no_acknowledged_entry_when_the_database_is_stopped) {
  // A process that does not know whether its round was committed finds its entries among the
  // rounds that are kept, as long as they are.
  SharedLog log{service, {}};
  const int rounds = std::max(5, kill_rounds(25) / 5);
  constexpr unsigned threads = 2;
  const std::uint64_t count = static_cast<std::uint64_t>(rounds) * 40;
  std::vector<pid_t> children;
  for (int i = 0; i < 3; ++i) children.push_back(log.start_appender(threads, count));
  std::size_t before = 0;
  for (int round = 0; round < rounds && !HasFatalFailure(); ++round) {
    SCOPED_TRACE("round " + std::to_string(round));
    // In the midst of work: something was acknowledged since the last stop.
    EXPECT_TRUE(eventually([&] {
      log.collect();
      return log.acknowledged() > before;
    }));
    std::this_thread::sleep_for(milliseconds{prng() % 60});
    service.command("stop immediate");
    log.observe();
    service.command("start");
    log.collect();
    before = log.acknowledged();
  }
  for (const pid_t child : children) log.join(child);
  log.check_whole(/*each_entry_once=*/true);
  EXPECT_EQ(log.acknowledged(), 3 * threads * count);
}

TEST_F(SharedLogs, can_be_opened_while_others_publish) {
  SharedLog log{service, forgetful};
  log.start_appender(2, 0);
  log.start_appender(2, 0);
  for (int i = 0; i < 15; ++i) {
    auto opened = log.open();
    ASSERT_TRUE(opened.has_value()) << to_sentence(opened.error());
    log.collect();
    log.observe();
  }
  while (!log.children().empty()) log.kill_now(*log.children().begin());
  log.check_whole(/*each_entry_once=*/false);
}

TEST_F(SharedLogs, go_on_when_one_process_is_stopped_in_the_midst_of_work) {
  SharedLog log{service, forgetful};
  const pid_t stopped = log.start_appender(2, 0);
  EXPECT_TRUE(eventually([&] {
    log.collect();
    return log.acknowledged() > 5;
  }));
  kill(stopped, SIGSTOP);
  const pid_t other = log.start_appender(2, 20);
  // If it holds a turn, killing it gives the turn back; until then the other one waits.
  std::this_thread::sleep_for(milliseconds{prng() % 300});
  kill(stopped, prng() % 2 == 0 ? SIGCONT : SIGKILL);
  log.join(other);
  kill(stopped, SIGKILL);
  log.check_whole(/*each_entry_once=*/false);
}

}  // namespace
}  // namespace fiducia::ledger_postgres::test
