// SPDX-License-Identifier: Apache-2.0
// Threads and processes that show a witness two trees at once, and kill -9 in between.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <barrier>
#include <chrono>
#include <fstream>
#include <thread>

#include "witness_support.h"

namespace fiducia::witness::test {
namespace {

/// The leaves of a history that grows by forks: which contender won at each step.
Digest leaf_of(std::uint64_t round, std::uint64_t step, std::uint64_t contender) {
  Bytes entry;
  append_be(entry, round);
  append_be(entry, step);
  append_be(entry, contender);
  return merkle::leaf_hash(entry);
}

struct Forger {
  const MadeLog& log;
  std::vector<Digest> history;

  [[nodiscard]] std::vector<Digest> grown(const Digest& leaf, std::size_t count) const {
    std::vector<Digest> leaves = history;
    leaves.insert(leaves.end(), count, leaf);
    return leaves;
  }
  [[nodiscard]] std::string body(const std::vector<Digest>& leaves) const {
    AddCheckpoint request{.old_size = history.size(), .proof = {}, .note = {}};
    if (!history.empty()) request.proof = merkle::consistency_proof(leaves, history.size());
    request.note =
        ledger_format::write_note(ledger_format::write_checkpoint({.origin = log.name(),
                                                                   .tree_size = leaves.size(),
                                                                   .root = merkle::root(leaves),
                                                                   .extensions = {}}),
                                  log.name(), log.key())
            .value();
    return write_add_checkpoint(request);
  }
};

TEST(WitnessRace, of_threads_ends_with_one_of_the_forks) {
  const ScratchWitness scratch;
  const Witness witness = scratch.open();
  Forger forger{.log = scratch.log, .history = {}};
  constexpr std::uint64_t contenders = 8;
  for (std::uint64_t round = 0; round < 10; ++round) {
    SCOPED_TRACE("round " + std::to_string(round));
    std::vector<std::uint16_t> statuses(contenders, 0);
    {
      std::barrier start{static_cast<std::ptrdiff_t>(contenders)};
      std::vector<std::jthread> threads;
      for (std::uint64_t contender = 0; contender < contenders; ++contender)
        threads.emplace_back([&, contender] {
          const std::string body = forger.body(forger.grown(leaf_of(round, 0, contender), 2));
          start.arrive_and_wait();
          const auto answer = witness.add_checkpoint(body);
          if (answer) statuses[contender] = std::to_underlying(answer->status);
        });
    }
    ASSERT_EQ(std::count(statuses.begin(), statuses.end(), 200), 1);
    ASSERT_EQ(std::count(statuses.begin(), statuses.end(), 409), contenders - 1);
    const auto winner = std::find(statuses.begin(), statuses.end(), 200) - statuses.begin();
    forger.history = forger.grown(leaf_of(round, 0, static_cast<std::uint64_t>(winner)), 2);
  }
}

TEST(WitnessRace, of_processes_ends_with_one_of_the_forks) {
  const ScratchWitness scratch;
  Forger forger{.log = scratch.log, .history = {}};
  constexpr std::uint64_t contenders = 6;
  for (std::uint64_t round = 0; round < 10; ++round) {
    SCOPED_TRACE("round " + std::to_string(round));
    int start[2];
    int result[2];
    ASSERT_EQ(pipe(start), 0);
    ASSERT_EQ(pipe(result), 0);
    std::vector<pid_t> children;
    for (std::uint64_t contender = 0; contender < contenders; ++contender) {
      const std::string body = forger.body(forger.grown(leaf_of(round, 0, contender), 1));
      const pid_t child = fork();
      ASSERT_GE(child, 0);
      if (child == 0) {
        close(start[1]);
        const Witness witness = scratch.open();
        char byte = 0;
        if (read(start[0], &byte, 1) != 0) _exit(2);  // the end comes to all at once
        const auto answer = witness.add_checkpoint(body);
        const auto status = answer ? std::to_underlying(answer->status) : std::uint16_t{500};
        const std::uint16_t told[2]{static_cast<std::uint16_t>(contender), status};
        _exit(write(result[1], told, sizeof told) == sizeof told ? 0 : 1);
      }
      children.push_back(child);
    }
    close(start[0]);
    close(start[1]);
    close(result[1]);
    std::vector<std::uint64_t> winners;
    std::uint16_t told[2];
    std::size_t answers = 0;
    while (read(result[0], told, sizeof told) == sizeof told) {
      ++answers;
      if (told[1] == 200) winners.push_back(told[0]);
      EXPECT_TRUE(told[1] == 200 || told[1] == 409) << told[1];
    }
    close(result[0]);
    for (const pid_t child : children) waitpid(child, nullptr, 0);
    EXPECT_EQ(answers, contenders);
    ASSERT_EQ(winners.size(), 1U);
    forger.history = forger.grown(leaf_of(round, 0, winners[0]), 1);
  }
}

/// What a child tells before it shows two trees, and after each answer.
struct Told {
  enum Kind : std::uint64_t { shows, cosigned } kind;
  std::uint64_t step;
  std::uint64_t contender;
};

/// Two threads show the witness two continuations of the same tree, again and again.
[[noreturn]] void show_forks_until_killed(const ScratchWitness& scratch, Forger forger,
                                          std::uint64_t round, int out) {
  const auto tell = [out](const Told& told) {
    if (write(out, &told, sizeof told) != sizeof told) _exit(5);
  };
  const Witness witness = scratch.open(system_now);
  for (std::uint64_t step = 0;; ++step) {
    tell({.kind = Told::shows, .step = step, .contender = 0});
    std::atomic<int> wins = 0;
    std::atomic<std::uint64_t> winner = 0;
    {
      std::vector<std::jthread> threads;
      for (std::uint64_t contender = 0; contender < 2; ++contender)
        threads.emplace_back([&, contender] {
          const auto leaves = forger.grown(leaf_of(round, step, contender), 1 + step % 3);
          const auto answer = witness.add_checkpoint(forger.body(leaves));
          if (!answer) _exit(4);
          if (answer->status != WitnessStatus::cosigned) return;
          ++wins;
          winner = contender;
          tell({.kind = Told::cosigned, .step = step, .contender = contender});
        });
    }
    if (wins != 1) _exit(7);
    forger.history = forger.grown(leaf_of(round, step, winner), 1 + step % 3);
  }
}

TEST(WitnessCrash, cosigns_no_fork_however_often_it_is_killed) {
  const std::uint64_t seed = fiducia::test::seed();
  SCOPED_TRACE("rerun with FIDUCIA_SEED=" + std::to_string(seed));
  std::mt19937_64 prng{seed};
  const ScratchWitness scratch;
  Forger forger{.log = scratch.log, .history = {}};  // its history: what is known to be cosigned
  std::uint64_t cosigned = 0;
  std::uint64_t cut_off = 0;
  constexpr std::uint64_t rounds = 100;
  for (std::uint64_t round = 0; round < rounds; ++round) {
    SCOPED_TRACE("round " + std::to_string(round));
    int pipe_ends[2];
    ASSERT_EQ(pipe(pipe_ends), 0);
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      close(pipe_ends[0]);
      show_forks_until_killed(scratch, forger, round, pipe_ends[1]);
    }
    close(pipe_ends[1]);
    // Killed after some of its words, however slow this machine is, and at no particular place.
    std::vector<Told> words;
    Told word{};
    const std::size_t heard = prng() % 8;
    while (words.size() < heard && read(pipe_ends[0], &word, sizeof word) == sizeof word)
      words.push_back(word);
    std::this_thread::sleep_for(std::chrono::microseconds{prng() % 5'000});
    kill(child, SIGKILL);
    int status = 0;
    waitpid(child, &status, 0);
    ASSERT_TRUE(WIFSIGNALED(status)) << "the child ended by itself: " << WEXITSTATUS(status)
                                     << " (7: two trees or none were cosigned)";
    while (read(pipe_ends[0], &word, sizeof word) == sizeof word) words.push_back(word);
    std::optional<std::uint64_t> open_step;  // shown, and no answer seen
    for (const Told& told : words) {
      if (told.kind == Told::shows) {
        open_step = told.step;
        continue;
      }
      ASSERT_EQ(open_step, told.step);
      forger.history = forger.grown(leaf_of(round, told.step, told.contender), 1 + told.step % 3);
      open_step.reset();
      ++cosigned;
    }
    close(pipe_ends[0]);

    // The witness must stand where it said it stands, or at one of the trees it was being shown.
    std::ofstream{scratch.log_folder() / ".state.Xy12Zz"}
        << "torn";  // a kill may leave it, and does rarely
    const Witness witness = scratch.open(system_now);
    for (const auto& entry : fs::recursive_directory_iterator(scratch.folder))
      ASSERT_FALSE(entry.path().filename().string().starts_with('.')) << entry.path();
    const auto latest = witness.latest(origin_hash(scratch.log.name()));
    ASSERT_TRUE(latest.has_value()) << sentence(latest.error());
    std::vector<std::vector<Digest>> possible{forger.history};
    if (open_step)
      for (std::uint64_t contender = 0; contender < 2; ++contender)
        possible.push_back(forger.grown(leaf_of(round, *open_step, contender), 1 + *open_step % 3));
    if (!latest->has_value()) {
      ASSERT_TRUE(forger.history.empty()) << "the witness forgot a tree that it cosigned";
      continue;
    }
    const auto checkpoint =
        ledger_format::read_checkpoint(ledger_format::read_note(**latest).value().text).value();
    const auto found = std::find_if(possible.begin(), possible.end(), [&](const auto& leaves) {
      return merkle::root(leaves) == checkpoint.root && leaves.size() == checkpoint.tree_size;
    });
    ASSERT_NE(found, possible.end()) << "the witness stands at a tree that nobody acknowledged";
    if (found != possible.begin()) {
      ++cut_off;
      // It has cosigned, though nobody heard it: the other tree is refused from now on.
      const auto& other = possible[found == possible.begin() + 1 ? 2 : 1];
      const auto answer = witness.add_checkpoint(forger.body(other));
      ASSERT_TRUE(answer.has_value());
      ASSERT_NE(answer->status, WitnessStatus::cosigned);
    }
    const auto history = *found;  // copied: `possible` holds it
    forger.history = history;
  }
  EXPECT_GT(cosigned, rounds / 2) << "the children hardly came to work";
  RecordProperty("cosigned", static_cast<int>(cosigned));
  RecordProperty("cut_off", static_cast<int>(cut_off));
}

}  // namespace
}  // namespace fiducia::witness::test
