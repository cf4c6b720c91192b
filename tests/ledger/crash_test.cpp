// SPDX-License-Identifier: Apache-2.0
// What a crash may leave behind, made by killing a process and by hand.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <thread>

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
    std::this_thread::sleep_for(std::chrono::microseconds{3'000 + prng() % 30'000});
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
  const auto reader = scratch.read();
  for (const auto& [index, value] : acknowledged)
    ASSERT_EQ(reader->entry(index).value(), counter_entry(value)) << index;
  const auto check = scratch.check();
  ASSERT_TRUE(check->ok) << check->text;
  EXPECT_GT(acknowledged.size(), static_cast<std::size_t>(rounds));
}

/// A log before and after one append of `count` entries.
struct BeforeAfter {
  ScratchLog scratch;
  Snapshot before;
  Snapshot after;
  std::uint64_t size_before = 0;
  std::uint64_t size_after = 0;
  BeforeAfter(std::uint64_t first, std::uint64_t count) {
    {
      auto log = scratch.open().value();
      FIDUCIA_ASSERT(log.append(counter_entries(1, first)).has_value());
    }
    before = snapshot(scratch.folder);
    {
      auto log = scratch.open().value();
      FIDUCIA_ASSERT(log.append(counter_entries(1 + first, count)).has_value());
    }
    after = snapshot(scratch.folder);
    size_before = 1 + first;
    size_after = size_before + count;
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
      EXPECT_TRUE(log->append(counter_entries(9'000'000, 2)).has_value());
    }
    const auto check = scratch.check();
    EXPECT_TRUE(check->ok) << check->text;
    return size;
  }
};

TEST(Crash, with_torn_tiles_before_the_signed_root_changes_nothing) {
  const std::uint64_t seed = fiducia::test::seed();
  SCOPED_TRACE("rerun with FIDUCIA_SEED=" + std::to_string(seed));
  std::mt19937_64 prng{seed};
  const BeforeAfter logs{100, 700};
  for (int round = 0; round < 40; ++round) {
    Snapshot torn = logs.before;
    for (const std::string& name : logs.new_names()) {
      const Bytes& whole = logs.after.at(name);
      switch (prng() % 3) {
        case 0:
          break;  // never reached the disk
        case 1:
          torn[name] = Bytes{whole.begin(),
                             whole.begin() + static_cast<std::ptrdiff_t>(prng() % whole.size())};
          break;
        default:
          torn[name] = whole;
      }
    }
    torn["tile/0/.000.new"] = Bytes(17);
    torn[".checkpoint.Ab12Cd"] = Bytes(3);
    restore(logs.scratch.folder, torn);
    EXPECT_EQ(logs.recovered_size(), logs.size_before);
    EXPECT_FALSE(fs::exists(logs.scratch.folder / ".checkpoint.Ab12Cd"));
  }
}

TEST(Crash, between_signed_root_and_checkpoint_completes_the_append) {
  for (const std::uint64_t count : {1U, 155U, 156U, 157U, 700U}) {
    SCOPED_TRACE(count);
    const BeforeAfter logs{100, count};
    Snapshot middle = logs.after;
    for (const auto& [name, content] : logs.before) middle.emplace(name, content);
    middle["checkpoint"] = logs.before.at("checkpoint");
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
      // The checkpoint is the one that may have been seen before the crash, to the byte.
      EXPECT_EQ(log->checkpoint(), as_text(logs.after.at("checkpoint")));
    }
    EXPECT_EQ(logs.recovered_size(), logs.size_after);
  }
}

TEST(Damage, to_an_append_that_was_signed_is_refused_and_nothing_is_signed_anew) {
  const BeforeAfter logs{100, 700};
  Snapshot middle = logs.after;
  for (const auto& [name, content] : logs.before) middle.emplace(name, content);
  middle["checkpoint"] = logs.before.at("checkpoint");
  for (const std::string& name : logs.new_names()) {
    // Full tiles in the middle are not needed to complete the append; check_log names them.
    const bool tail = name.find(".p/") != std::string::npos || name.starts_with("tile/entries/");
    if (!tail) continue;
    SCOPED_TRACE(name);
    Snapshot damaged = middle;
    damaged[name][0] ^= std::byte{1};
    restore(logs.scratch.folder, damaged);
    EXPECT_FALSE(logs.scratch.open().has_value());
    EXPECT_EQ(snapshot(logs.scratch.folder), damaged) << "a refused log is left as it is";
    damaged.erase(name);
    restore(logs.scratch.folder, damaged);
    EXPECT_FALSE(logs.scratch.open().has_value());
  }
}

TEST(Damage, to_the_tail_is_refused_with_the_name_of_the_file) {
  const BeforeAfter logs{100, 700};
  for (const std::string name : {"tile/0/003.p/33", "tile/1/000.p/3", "tile/entries/003.p/33",
                                 "checkpoint", "signed-root.cbor"}) {
    SCOPED_TRACE(name);
    Snapshot damaged = logs.after;
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

TEST(Damage, by_restoring_only_some_files_of_a_backup_is_refused) {
  const BeforeAfter logs{100, 50};
  Snapshot mixed = logs.after;
  mixed["signed-root.cbor"] = logs.before.at("signed-root.cbor");
  restore(logs.scratch.folder, mixed);
  EXPECT_EQ(logs.scratch.open().error().code, ErrorCode::malformed);
  EXPECT_EQ(logs.scratch.read().error().code, ErrorCode::malformed);
  EXPECT_EQ(logs.scratch.check()->damaged, "signed-root.cbor");
}

}  // namespace
}  // namespace fiducia::ledger::test
