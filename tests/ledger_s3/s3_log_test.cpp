// SPDX-License-Identifier: Apache-2.0
// A log whose tiles are in S3: a network that fails, a process that is killed.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdlib>
#include <map>
#include <mutex>
#include <thread>

#include "ledger/journal.h"
#include "merkle/merkle.h"
#include "s3_support.h"

namespace fiducia::ledger_s3::test {
namespace {

using fiducia::test::Fault;
using fiducia::test::fault_name;
using fiducia::test::FaultProxy;
using ledger::Log;
using ledger::LogParts;
using ledger::LogReader;
using ledger_format::Appended;

const std::string origin = "example.org/ledger";

Bytes entry_of(std::uint64_t counter) {
  Bytes entry(sizeof counter);
  store_be(entry.data(), counter);
  return entry;
}
std::vector<Bytes> entries_of(std::uint64_t first, std::uint64_t count) {
  std::vector<Bytes> entries;
  for (std::uint64_t i = first; i < first + count; ++i) entries.push_back(entry_of(i));
  return entries;
}

/// Asks for each object once: to read all entries of a log one by one.
class CachedSource final : public ledger::ObjectSource {
 public:
  explicit CachedSource(std::unique_ptr<ledger::ObjectSource> source)
      : source_(std::move(source)) {}
  [[nodiscard]] Result<std::optional<Bytes>> read(const std::string& path,
                                                  std::uint64_t bytes_max) const override {
    const std::lock_guard lock{mutex_};
    if (const auto known = objects_.find(path); known != objects_.end()) return known->second;
    FIDUCIA_TRY(content, source_->read(path, bytes_max));
    objects_[path] = content;
    return content;
  }
  [[nodiscard]] std::string name_of(const std::string& path) const override {
    return source_->name_of(path);
  }

 private:
  std::unique_ptr<ledger::ObjectSource> source_;
  mutable std::mutex mutex_;
  mutable std::map<std::string, std::optional<Bytes>> objects_;
};

/// A log with its journal in a scratch folder and its tiles in a bucket of its own.
struct S3Log {
  fiducia::test::ScratchFolder scratch;
  crypto::PrivateKey key = crypto::PrivateKey::generate(crypto::KeyKind::ed25519).value();
  std::string bucket = new_bucket();
  /// Index to entry, of all that was acknowledged.
  std::map<std::uint64_t, std::uint64_t> acknowledged;
  std::uint64_t last_size = 0;  // of the newest tree that a reader saw, and its root
  Digest last_root;

  S3Log() {
    EXPECT_TRUE(ledger::LocalJournal::create(scratch.path(), origin).has_value());
    const auto made = Log::create(parts(options_for(bucket)).value());
    EXPECT_EQ(sentence(made), "");
    check();
  }
  [[nodiscard]] Result<LogParts> parts(const S3Options& options) const {
    FIDUCIA_TRY(journal, ledger::LocalJournal::open(scratch.path()));
    FIDUCIA_TRY(store, S3Store::open(options, writer()));
    FIDUCIA_TRY(pem, key.write_pem());
    FIDUCIA_TRY(own_key, crypto::PrivateKey::read_pem(pem));
    return LogParts{.store = std::shared_ptr<ledger::ObjectStore>{std::move(store)},
                    .sequencer = std::move(journal),
                    .origin = origin,
                    .key = std::make_shared<const crypto::PrivateKey>(std::move(own_key))};
  }
  [[nodiscard]] Result<Log> open(const S3Options& options) const {
    FIDUCIA_TRY(all, parts(options));
    return Log::open(std::move(all));
  }
  [[nodiscard]] ledger_format::VerifierKey vkey() const {
    return ledger_format::make_vkey(origin, ledger_format::NoteKeyType::ed25519,
                                    key.public_key().write_ed25519());
  }
  void remember(std::uint64_t index, std::uint64_t counter, std::uint64_t count) {
    for (std::uint64_t i = 0; i < count; ++i)
      ASSERT_TRUE(acknowledged.emplace(index + i, counter + i).second)
          << "one index was given to two entries";
  }
  /// What is in the bucket now: it grew from what was there, and holds all that was acknowledged.
  void check() {
    const auto store = std::shared_ptr<const ledger::ObjectSource>{open_store(options_for(bucket))};
    const auto reader = LogReader::open(store, vkey());
    ASSERT_TRUE(reader.has_value()) << to_sentence(reader.error());
    const std::uint64_t size = reader->status().tree_size;
    ASSERT_GE(size, last_size);
    if (last_size > 0) {
      const auto proof = reader->consistency_proof(last_size);
      ASSERT_TRUE(proof.has_value()) << to_sentence(proof.error());
      ASSERT_TRUE(
          merkle::verify_consistency(last_size, size, last_root, reader->status().root, *proof)
              .has_value());
    }
    last_size = size;
    last_root = reader->status().root;
    if (!acknowledged.empty()) {
      ASSERT_LT(acknowledged.rbegin()->first, size);
    }
  }
  void check_everything() {
    check();
    const auto store = std::make_shared<const CachedSource>(open_store(options_for(bucket)));
    const auto reader = LogReader::open(store, vkey());
    ASSERT_TRUE(reader.has_value()) << to_sentence(reader.error());
    for (const auto& [index, counter] : acknowledged) {
      const auto entry = reader->entry(index);
      ASSERT_TRUE(entry.has_value()) << to_sentence(entry.error());
      ASSERT_EQ(*entry, entry_of(counter)) << index;
    }
    const auto checked = check_log(*store, vkey());
    ASSERT_TRUE(checked.has_value()) << to_sentence(checked.error());
    ASSERT_TRUE(checked->ok) << checked->text;
  }
};

class S3LogFault : public ::testing::TestWithParam<Fault> {};
INSTANTIATE_TEST_SUITE_P(All, S3LogFault, ::testing::ValuesIn(fiducia::test::passing_faults()),
                         [](const auto& row) {
                           std::string name = fault_name(row.param);
                           std::ranges::replace(name, ' ', '_');
                           return name;
                         });

// The store gives up at once here, so that each fault gets through to the log: what the log does
// with it is the test. (s3_fault_test.cpp shows that the store itself overcomes all of them.)
TEST_P(S3LogFault, at_any_request_loses_nothing_and_needs_nobody) {
  FaultProxy proxy{gateway().endpoint};
  S3Log log;
  std::uint64_t counter = 1;
  std::uint64_t spoilt = 1;
  const auto taken = fiducia::test::sample(4, 4);
  std::uint64_t first = 1;
  for (; spoilt > 0; ++first) {
    ASSERT_LT(first, 200U);
    if (!taken.takes(first - 1)) continue;
    SCOPED_TRACE("request " + std::to_string(first));
    S3Options options = options_for(log.bucket, proxy.endpoint());
    options.attempts_max = 1;
    options.parallel_max = 1;
    proxy.plan(GetParam(), first);
    if (auto opened = log.open(options); !opened) {
      // Refused with a reason; the next one opens.
      EXPECT_THAT(opened.error().code,
                  ::testing::AnyOf(ErrorCode::io_unreadable, ErrorCode::io_unwritable))
          << to_sentence(opened.error());
    } else {
      for (const std::uint64_t count : {1U, 130U}) {
        const auto answers = opened->append(entries_of(counter, count));
        if (answers) log.remember(answers->front().index, counter, count);
        counter += count;
        (void)opened->flush();  // may fail; the next append or opening publishes
      }
    }
    spoilt = proxy.spoilt();
    proxy.plan(Fault::none, 0);
    {
      const auto recovered = log.open(options);
      ASSERT_TRUE(recovered.has_value()) << to_sentence(recovered.error());
    }
    log.check();
  }
  log.check_everything();
  EXPECT_GT(first, 10U);
}

TEST(S3LogOutage, refuses_appends_after_a_while_and_reads_go_on) {
  FaultProxy proxy{gateway().endpoint};
  S3Log log;
  S3Options options = options_for(log.bucket, proxy.endpoint());
  options.attempts_max = 1;
  auto opened = log.open(options);
  ASSERT_TRUE(opened.has_value()) << to_sentence(opened.error());
  const auto before = opened->append(entries_of(1, 3));
  ASSERT_TRUE(before.has_value());
  log.remember(before->front().index, 1, 3);
  ASSERT_EQ(sentence(opened->flush()), "");
  proxy.plan(Fault::error_503, 1, 1'000'000);
  // What was committed before the outage is noticed is acknowledged and kept in the journal.
  std::uint64_t counter = 100;
  Error refused{.code = ErrorCode::internal, .what = {}};
  for (; counter < 200; ++counter) {
    const auto answers = opened->append(entries_of(counter, 1));
    if (!answers) {
      refused = answers.error();
      break;
    }
    log.remember(answers->front().index, counter, 1);
    ASSERT_FALSE(opened->flush().has_value());
  }
  EXPECT_EQ(refused.code, ErrorCode::io_unwritable);
  EXPECT_THAT(to_sentence(refused), ::testing::HasSubstr("503"));
  EXPECT_THAT(to_sentence(refused), ::testing::HasSubstr("s3://" + log.bucket));
  // The public side stands where it stood, and can be read.
  const auto store =
      std::shared_ptr<const ledger::ObjectSource>{open_store(options_for(log.bucket))};
  const auto reader = LogReader::open(store, log.vkey());
  ASSERT_TRUE(reader.has_value()) << to_sentence(reader.error());
  EXPECT_EQ(reader->status().tree_size, 4U);
  EXPECT_EQ(reader->entry(3).value(), entry_of(3));
  proxy.plan(Fault::none, 0);
  const auto after = opened->append(entries_of(1'000, 300));
  ASSERT_TRUE(after.has_value()) << to_sentence(after.error());
  log.remember(after->front().index, 1'000, 300);
  ASSERT_EQ(sentence(opened->flush()), "");
  log.check_everything();
}

/// Appends until killed and tells the parent each acknowledged (index, first counter, count).
struct Told {
  std::uint64_t index;
  std::uint64_t counter;
  std::uint64_t count;
};
[[noreturn]] void append_until_killed(const S3Log& scratch, int out, std::uint64_t counter,
                                      std::uint64_t seed) {
  std::mt19937_64 prng{seed};
  auto log = scratch.open(options_for(scratch.bucket));
  if (!log) _exit(3);
  for (;;) {
    const std::uint64_t count = prng() % 4 == 0 ? 1 + prng() % 300 : 1 + prng() % 3;
    const auto answers = log->append(entries_of(counter, count));
    if (!answers) _exit(4);
    const Told told{.index = answers->front().index, .counter = counter, .count = count};
    if (write(out, &told, sizeof told) != sizeof told) _exit(5);
    counter += count;
    // So that the kill meets the work on the bucket, not a journal that runs far ahead of it.
    if (prng() % 2 == 0 && !log->flush()) _exit(6);
  }
}

// FIDUCIA_S3_KILL_ROUNDS: how often, 25 unless told.
TEST(S3LogKill, loses_no_acknowledged_entry_and_forks_no_tree) {
  const std::uint64_t seed = fiducia::test::seed();
  SCOPED_TRACE("rerun with FIDUCIA_SEED=" + std::to_string(seed));
  std::mt19937_64 prng{seed};
  const char* wanted = std::getenv("FIDUCIA_S3_KILL_ROUNDS");
  const long rounds = wanted != nullptr ? std::strtol(wanted, nullptr, 10) : 25;
  ASSERT_GT(rounds, 0);
  S3Log log;
  std::uint64_t counter = 1;
  for (long round = 0; round < rounds; ++round) {
    SCOPED_TRACE("round " + std::to_string(round));
    std::array<int, 2> ends{};
    ASSERT_EQ(pipe(ends.data()), 0);
    const std::uint64_t child_seed = prng();
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      close(ends[0]);
      append_until_killed(log, ends[1], counter, child_seed);
    }
    close(ends[1]);
    // At a random moment: after so many answers, and then somewhere in what follows.
    std::uint64_t answers = prng() % 8;
    Told told{};
    while (answers-- > 0 && read(ends[0], &told, sizeof told) == sizeof told)
      log.remember(told.index, told.counter, told.count);
    std::this_thread::sleep_for(std::chrono::microseconds{prng() % 30'000});
    kill(child, SIGKILL);
    int status = 0;
    waitpid(child, &status, 0);
    EXPECT_TRUE(WIFSIGNALED(status)) << "the child ended by itself: " << WEXITSTATUS(status);
    while (read(ends[0], &told, sizeof told) == sizeof told)
      log.remember(told.index, told.counter, told.count);
    close(ends[0]);
    counter += 1'000'000;
    {
      const auto opened = log.open(options_for(log.bucket));
      ASSERT_TRUE(opened.has_value()) << to_sentence(opened.error());
    }
    log.check();
    if (::testing::Test::HasFatalFailure()) return;
  }
  log.check_everything();
  EXPECT_GT(log.acknowledged.size(), static_cast<std::size_t>(rounds));
}

}  // namespace
}  // namespace fiducia::ledger_s3::test
