// SPDX-License-Identifier: Apache-2.0
// What a crash may leave behind, made by killing a process and by hand.
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <thread>

#include "all_entries.h"
#include "ledger_support.h"
#include "merkle/merkle.h"

namespace fiducia::ledger::test {
namespace {

/// Appends until killed and tells the parent each acknowledged (index, first counter, count).
struct Acknowledged {
  std::uint64_t index;
  std::uint64_t counter;
  std::uint64_t count;
};
[[noreturn]] void append_until_killed(const fs::path& folder, const crypto::PrivateKey& key,
                                      int out, std::uint64_t counter, std::uint64_t seed) {
  std::mt19937_64 prng{seed};
  auto log = Log::open(folder, copy_of(key));
  if (!log) _exit(3);
  for (;;) {
    const std::uint64_t count = prng() % 4 == 0 ? 1 + prng() % 600 : 1 + prng() % 3;
    const auto answers = log->append(counter_entries(counter, count));
    if (!answers) _exit(4);
    const Acknowledged told{.index = answers->front().index, .counter = counter, .count = count};
    if (write(out, &told, sizeof told) != sizeof told) _exit(5);
    counter += count;
  }
}

void wait_for_news(int fd) {
  pollfd news{.fd = fd, .events = POLLIN, .revents = 0};
  ASSERT_EQ(poll(&news, 1, 60'000), 1) << "nothing was acknowledged in a minute";
}

TEST(Crash, loses_no_acknowledged_entry_and_forks_no_tree) {
  const std::uint64_t seed = fiducia::test::seed();
  SCOPED_TRACE("rerun with FIDUCIA_SEED=" + std::to_string(seed));
  std::mt19937_64 prng{seed};
  const ScratchLog scratch;
  std::map<std::uint64_t, std::uint64_t> acknowledged;  // index to counter
  std::uint64_t counter = 1;
  std::uint64_t last_size = 1;
  Digest last_root = scratch.read()->status().root;
  constexpr int rounds = 100;
  for (int round = 0; round < rounds; ++round) {
    SCOPED_TRACE("round " + std::to_string(round));
    int pipe_ends[2];
    ASSERT_EQ(pipe(pipe_ends), 0);
    const std::uint64_t child_seed = prng();
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      close(pipe_ends[0]);
      append_until_killed(scratch.folder, scratch.key, pipe_ends[1], counter, child_seed);
    }
    close(pipe_ends[1]);
    // Every second one is killed only after it was told of an append, however slow the disk is;
    // the others wherever they are, opening included.
    if (round % 2 == 0) wait_for_news(pipe_ends[0]);
    std::this_thread::sleep_for(std::chrono::microseconds{prng() % 30'000});
    kill(child, SIGKILL);
    int status = 0;
    waitpid(child, &status, 0);
    EXPECT_TRUE(WIFSIGNALED(status)) << "the child ended by itself: " << WEXITSTATUS(status);
    Acknowledged told{};
    while (read(pipe_ends[0], &told, sizeof told) == sizeof told)
      for (std::uint64_t i = 0; i < told.count; ++i)
        ASSERT_TRUE(acknowledged.emplace(told.index + i, told.counter + i).second);
    close(pipe_ends[0]);
    counter += 1'000'000;

    const auto log = scratch.open();
    ASSERT_TRUE(log.has_value()) << sentence(log.error());
    const auto reader = scratch.read();
    ASSERT_TRUE(reader.has_value()) << sentence(reader.error());
    ASSERT_EQ(reader->status().tree_size, log->status().tree_size);
    const auto proof = reader->consistency_proof(last_size);
    ASSERT_TRUE(proof.has_value());
    ASSERT_TRUE(merkle::verify_consistency(last_size, reader->status().tree_size, last_root,
                                           reader->status().root, *proof)
                    .has_value());
    last_size = reader->status().tree_size;
    last_root = reader->status().root;
    if (!acknowledged.empty()) {
      ASSERT_LT(acknowledged.rbegin()->first, last_size);
    }
  }
  const auto entries = all_entries(scratch.folder, last_size).value();
  for (const auto& [index, value] : acknowledged)
    ASSERT_EQ(entries.at(index), counter_entry(value)) << index;
  const auto check = scratch.check();
  ASSERT_TRUE(check->ok) << check->text;
  EXPECT_GE(acknowledged.size(), static_cast<std::size_t>(rounds / 2));
}

/// A log before and after some appends, as a crash right behind the last one would leave it.
struct BeforeAfter {
  ScratchLog scratch;
  Snapshot before;
  Snapshot after;  // nothing is marked as closed
  std::uint64_t size_before = 0;
  std::uint64_t size_after = 0;
  BeforeAfter(std::uint64_t first, const std::vector<std::uint64_t>& counts) {
    size_before = 1 + first;
    size_after = size_before;
    {
      auto log = scratch.open().value();
      FIDUCIA_ASSERT(append_shown(log, counter_entries(1, first)).has_value());
      before = snapshot(scratch.folder);
      for (const std::uint64_t count : counts) {
        FIDUCIA_ASSERT(append_shown(log, counter_entries(size_after, count)).has_value());
        size_after += count;
      }
      after = snapshot(scratch.folder);
    }
  }
  [[nodiscard]] std::vector<std::string> new_names() const {
    std::vector<std::string> names;
    for (const auto& [name, content] : after)
      if (!before.contains(name)) names.push_back(name);
    return names;
  }
  /// Opens, appends one more, checks everything; returns the size recovery found.
  std::uint64_t recovered_size() const {
    std::uint64_t size = 0;
    {
      auto log = scratch.open();
      EXPECT_TRUE(log.has_value()) << sentence(log.error());
      if (!log) return 0;
      size = log->status().tree_size;
      EXPECT_TRUE(append_shown(*log, counter_entries(9'000'000, 2)).has_value());
    }
    const auto check = scratch.check();
    EXPECT_TRUE(check->ok) << check->text;
    return size;
  }
};

const std::string journal_name = ".journal/00000001";

/// Offsets at which the records of a journal segment start, and the end of the last one.
std::vector<std::size_t> records_of(const Bytes& segment) {
  constexpr std::size_t block = 512;
  std::vector<std::size_t> starts;
  std::size_t at = 0;
  while (at + block <= segment.size() && segment[at] == std::byte{'F'}) {
    starts.push_back(at);
    ByteCursor cursor{ByteView{segment}.subspan(at + 16)};
    at += (64 + static_cast<std::size_t>(cursor.be<std::uint64_t>().value()) + block - 1) / block *
          block;
  }
  starts.push_back(at);
  return starts;
}

TEST(Crash, before_tiles_reached_the_disk_brings_them_back_from_the_journal) {
  const std::uint64_t seed = fiducia::test::seed();
  SCOPED_TRACE("rerun with FIDUCIA_SEED=" + std::to_string(seed));
  std::mt19937_64 prng{seed};
  const BeforeAfter logs{100, {3, 700, 1}};
  for (int round = 0; round < 40; ++round) {
    SCOPED_TRACE(round);
    Snapshot torn = logs.before;
    torn[journal_name] = logs.after.at(journal_name);
    std::vector<std::string> names = logs.new_names();
    names.emplace_back("checkpoint");
    names.emplace_back("signed-root.cbor");
    for (const std::string& name : names) {
      const Bytes& whole = logs.after.at(name);
      switch (prng() % 4) {
        case 0:
          break;  // never reached the disk
        case 1:
          torn[name] = Bytes{whole.begin(),
                             whole.begin() + static_cast<std::ptrdiff_t>(prng() % whole.size())};
          break;
        case 2:
          torn[name] = Bytes(whole.size());
          break;
        default:
          torn[name] = whole;
      }
    }
    torn[".checkpoint.Ab12Cd"] = Bytes(3);
    restore(logs.scratch.folder, torn);
    EXPECT_EQ(logs.recovered_size(), logs.size_after);
    EXPECT_FALSE(fs::exists(logs.scratch.folder / ".checkpoint.Ab12Cd"));
  }
}

TEST(Crash, in_the_middle_of_a_commit_drops_what_was_not_acknowledged) {
  const std::uint64_t seed = fiducia::test::seed();
  SCOPED_TRACE("rerun with FIDUCIA_SEED=" + std::to_string(seed));
  std::mt19937_64 prng{seed};
  const BeforeAfter logs{100, {100}};
  const Bytes& whole = logs.after.at(journal_name);
  const std::vector<std::size_t> records = records_of(whole);
  const std::size_t start = records[records.size() - 2];
  const std::size_t end = records.back();
  ASSERT_GT(end - start, 512U) << "a record that can tear between blocks";
  for (int round = 0; round < 40; ++round) {
    SCOPED_TRACE(round);
    Snapshot torn = logs.before;
    Bytes& journal = torn[journal_name] = whole;
    // Each block of the record may or may not be there, but not all of those with content are.
    std::size_t lost = 0;
    for (std::size_t at = start; at < end; at += 512)
      if (prng() % 2 == 0 || (at + 512 == end && lost == 0)) {
        std::fill_n(journal.begin() + static_cast<std::ptrdiff_t>(at), 512, std::byte{0});
        ++lost;
      }
    restore(logs.scratch.folder, torn);
    EXPECT_EQ(logs.recovered_size(), logs.size_before);
  }
}

TEST(Crash, after_the_commit_gives_the_very_checkpoint_that_was_signed) {
  for (const std::uint64_t count : {1U, 155U, 156U, 157U, 700U}) {
    SCOPED_TRACE(count);
    const BeforeAfter logs{100, {count}};
    Snapshot middle = logs.before;
    middle[journal_name] = logs.after.at(journal_name);
    restore(logs.scratch.folder, middle);
    // A reader sees the older tree, with its own time, until the appender is back.
    const auto reader = logs.scratch.read();
    ASSERT_TRUE(reader.has_value()) << sentence(reader.error());
    EXPECT_EQ(reader->status().tree_size, logs.size_before);
    EXPECT_TRUE(logs.scratch.check()->ok);
    {
      const auto log = logs.scratch.open();
      ASSERT_TRUE(log.has_value()) << sentence(log.error());
      EXPECT_EQ(log->status().tree_size, logs.size_after);
      // What may have been handed out with a receipt before the crash, to the byte.
      EXPECT_EQ(log->checkpoint(), as_text(logs.after.at("checkpoint")));
      // The journal does not hold the signature of the receipts: it is made again, the same.
      EXPECT_EQ(snapshot(logs.scratch.folder).at("signed-root.cbor"),
                logs.after.at("signed-root.cbor"));
    }
    EXPECT_EQ(logs.recovered_size(), logs.size_after);
  }
}

TEST(Crash, remembers_the_entries_of_the_interrupted_run) {
  const BeforeAfter logs{100, {5}};
  restore(logs.scratch.folder, logs.after);
  auto log = logs.scratch.open().value();
  // A client that was not answered appends again.
  EXPECT_EQ(log.append(counter_entries(103, 1))->front().index, 103U);
  EXPECT_EQ(log.status().tree_size, logs.size_after);
}

TEST(Damage, to_a_record_in_the_middle_of_the_journal_is_refused) {
  const BeforeAfter logs{100, {1, 1, 1}};
  const Bytes& whole = logs.after.at(journal_name);
  const std::vector<std::size_t> records = records_of(whole);
  ASSERT_GE(records.size(), 5U);
  for (std::size_t i = 0; i + 2 < records.size(); ++i) {
    SCOPED_TRACE(i);
    for (const std::size_t offset : {0U, 7U, 20U, 40U, 90U}) {
      Snapshot damaged = logs.after;
      damaged[journal_name][records[i] + offset] ^= std::byte{1};
      restore(logs.scratch.folder, damaged);
      const auto refused = logs.scratch.open();
      ASSERT_FALSE(refused.has_value()) << offset;
      EXPECT_EQ(code_word(refused.error()), "malformed.journal");
      EXPECT_EQ(refused.error().where.file, (logs.scratch.folder / journal_name).string());
      EXPECT_EQ(snapshot(logs.scratch.folder), damaged) << "a refused log is left as it is";
    }
  }
}

TEST(Damage, to_the_last_record_shows_because_its_checkpoint_is_published) {
  const BeforeAfter logs{100, {1, 1}};
  const std::vector<std::size_t> records = records_of(logs.after.at(journal_name));
  Snapshot damaged = logs.after;
  damaged[journal_name][records[records.size() - 2] + 100] ^= std::byte{1};
  restore(logs.scratch.folder, damaged);
  const auto refused = logs.scratch.open();
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, ErrorCode::ledger_conflict);
  EXPECT_EQ(refused.error().where.file, (logs.scratch.folder / "checkpoint").string());
  EXPECT_EQ(logs.scratch.read()->status().tree_size, logs.size_after) << "nothing was published";
}

TEST(Damage, by_an_old_journal_under_a_newer_checkpoint_is_refused) {
  const BeforeAfter logs{100, {50}};
  Snapshot mixed = logs.after;
  mixed[journal_name] = logs.before.at(journal_name);
  restore(logs.scratch.folder, mixed);
  const auto refused = logs.scratch.open();
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, ErrorCode::ledger_conflict) << sentence(refused.error());
  mixed.erase(journal_name);
  restore(logs.scratch.folder, mixed);
  EXPECT_EQ(logs.scratch.open().error().code, ErrorCode::io_unreadable);
}

TEST(Damage, to_the_tail_of_a_closed_log_is_refused_with_the_name_of_the_file) {
  const BeforeAfter logs{100, {700}};
  const Snapshot closed = snapshot(logs.scratch.folder);
  for (const std::string name :
       {"tile/0/003.p/33", "tile/1/000.p/3", "tile/entries/003.p/33", "checkpoint"}) {
    SCOPED_TRACE(name);
    Snapshot damaged = closed;
    damaged.at(name)[damaged.at(name).size() - 2] ^= std::byte{4};
    restore(logs.scratch.folder, damaged);
    const auto log = logs.scratch.open();
    ASSERT_FALSE(log.has_value());
    EXPECT_EQ(log.error().where.file, (logs.scratch.folder / name).string());
    EXPECT_TRUE(log.error().code == ErrorCode::malformed ||
                log.error().code == ErrorCode::signature_bad)
        << sentence(log.error());
    damaged.erase(name);
    restore(logs.scratch.folder, damaged);
    const auto missing = logs.scratch.open();
    ASSERT_FALSE(missing.has_value());
    EXPECT_EQ(missing.error().where.file, (logs.scratch.folder / name).string());
  }
}

}  // namespace
}  // namespace fiducia::ledger::test
