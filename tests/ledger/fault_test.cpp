// SPDX-License-Identifier: Apache-2.0
// The log on a disk that fails: at every call that changes the disk, in every way, and by kill -9.
//
// FIDUCIA_FAULT_ROUNDS: random rounds of each random test (scripts/nightly); FIDUCIA_FAULT_STRIDE:
// strike only every so many calls. FIDUCIA_WHOLE strikes every call.
#include "all_entries.h"
#include "fault_run.h"
#include "fault_workload.h"

#include <gtest/gtest.h>

#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <map>
#include <set>

#include "merkle/merkle.h"
#include "support/support.h"

namespace fiducia::ledger::test {
namespace {

namespace fs = std::filesystem;
using fiducia::test::Sample;
using fiducia::test::ScratchFolder;

/// Thousands of runs, and a disk of our own making.
const bool scratch_in_memory = fiducia::test::scratch_into_memory();

std::uint64_t number_from(const char* name, std::uint64_t otherwise) {
  const char* const text = std::getenv(name);
  return text == nullptr ? otherwise : std::stoull(text);
}
#if defined(FIDUCIA_SANITIZED)
constexpr std::uint64_t rounds_usual = 10;
#else
constexpr std::uint64_t rounds_usual = 30;
#endif
/// Which calls are struck, counted from 0.
Sample struck_calls(std::uint64_t seed) {
  const std::uint64_t stride = number_from("FIDUCIA_FAULT_STRIDE", 0);
  if (stride == 0) return fiducia::test::sample(4, 23, seed);
  return Sample::drawn(stride, seed);
}
std::uint64_t rounds() {
  return number_from("FIDUCIA_FAULT_ROUNDS", fiducia::test::whole() ? 100 : rounds_usual);
}

void write_text(const fs::path& path, const std::string& text) {
  ASSERT_TRUE(durable_write(path, as_bytes(text)).has_value());
}
std::string text_of(const fs::path& path) {
  const auto bytes = read_file(path, 1 << 20);
  return bytes ? std::string{as_text(*bytes)} : "(missing)";
}

// --- the disk itself ----------------------------------------------------------------------------

const std::string old_text(old_text_bytes, 'o');
const std::string new_text(new_text_bytes, 'n');

/// Runs a writer over a file that says `old_text`, and gives what the file says afterwards.
struct WriterRun {
  FaultOutcome outcome;
  std::string text;
};
WriterRun run_writer(const std::string& kind, const std::string& plan, std::uint64_t seed) {
  const ScratchFolder scratch;
  const fs::path folder = scratch.path() / "disk";
  fs::create_directory(folder);
  write_text(folder / "file", old_text);
  WriterRun run;
  run.outcome = run_worker({.arguments = {"write", kind, (folder / "file").string()},
                            .folder = folder,
                            .plan = plan,
                            .seed = seed});
  EXPECT_EQ(run.outcome.output, "");
  run.text = text_of(folder / "file");
  return run;
}

std::uint64_t calls_of(const std::string& kind) {
  const WriterRun run = run_writer(kind, "", 1);
  EXPECT_TRUE(run.outcome.ended_well());
  EXPECT_EQ(run.text.substr(0, new_text.size()), new_text);
  EXPECT_GT(run.outcome.calls, 6U);
  return run.outcome.calls;
}

/// What the file says after many power cuts behind the last call of the writer.
std::set<std::string> texts_after_cuts(const std::string& kind) {
  const std::string plan = "cut@" + std::to_string(calls_of(kind));
  std::set<std::string> texts;
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    const WriterRun run = run_writer(kind, plan, seed);
    EXPECT_TRUE(run.outcome.was_killed());
    EXPECT_FALSE(run.outcome.told.empty()) << "the power was cut after the writer's promise";
    texts.insert(run.text);
  }
  return texts;
}

TEST(FaultyDisk, loses_what_was_not_synced_and_keeps_what_was) {
  EXPECT_EQ(texts_after_cuts("new-file-folder"), (std::set{new_text}));
  EXPECT_EQ(texts_after_cuts("new-everything"), (std::set{new_text}));
  EXPECT_EQ(texts_after_cuts("over-file"), (std::set{new_text}));
  // Only the name is in doubt.
  EXPECT_EQ(texts_after_cuts("new-file"), (std::set{old_text, new_text}));
  // The name is durable, what it stands for is not: empty, cut short, zeroes, garbage.
  const auto forgot_file = texts_after_cuts("new-folder");
  EXPECT_TRUE(forgot_file.contains(""));
  EXPECT_FALSE(forgot_file.contains(old_text));
  EXPECT_GT(forgot_file.size(), 10U);
  const auto forgot_all = texts_after_cuts("over");
  EXPECT_TRUE(forgot_all.contains(old_text));
  EXPECT_TRUE(forgot_all.contains(new_text));
  EXPECT_GT(forgot_all.size(), 10U);
}

TEST(FaultyDisk, forgets_what_a_failed_sync_should_have_saved) {
  // open, five writes, then the first fdatasync
  const std::string plan = "eio@7,cut@" + std::to_string(calls_of("over-file-again") + 1);
  std::set<std::string> texts;
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    const WriterRun run = run_writer("over-file-again", plan, seed);
    EXPECT_TRUE(run.outcome.was_killed());
    EXPECT_NE(run.outcome.report.find("7 fdatasync /file"), std::string::npos)
        << run.outcome.report;
    texts.insert(run.text);
  }
  // The size is durable since, so the old bytes are followed by zeroes.
  const std::string lost = old_text + std::string(new_text_bytes - old_text_bytes, '\0');
  EXPECT_TRUE(texts.contains(lost)) << "the second fdatasync succeeded, and saved nothing";
}

TEST(FaultyDisk, strikes_the_call_that_the_plan_names) {
  const std::uint64_t calls = calls_of("new-file-folder");
  for (const std::string kind : {"eio", "enospc", "erofs", "kill", "killed", "cut", "cutoff"}) {
    for (std::uint64_t n = 1; n <= calls; ++n) {
      SCOPED_TRACE(kind + "@" + std::to_string(n));
      const WriterRun run = run_writer("new-file-folder", kind + "@" + std::to_string(n), n);
      EXPECT_TRUE(run.outcome.report.starts_with(std::to_string(n) + " ")) << run.outcome.report;
      const bool dies = kind.front() == 'k' || kind.front() == 'c';
      EXPECT_EQ(run.outcome.was_killed(), dies);
      const bool promised = !run.outcome.told.empty();
      EXPECT_EQ(promised, n == calls) << "the last call is behind the promise";
      if (promised) {
        EXPECT_EQ(run.text, new_text);
      }
    }
  }
}

TEST(FaultyDisk, is_full_from_one_call_to_another) {
  // open; the first write finds no room, and so do all calls that need some
  const WriterRun full = run_writer("new-file-folder", "enospc@2-", 1);
  EXPECT_FALSE(full.outcome.ended_well());
  EXPECT_EQ(full.text, old_text);
  const WriterRun roomy = run_writer("over-file", "enospc@2-3", 1);  // old bytes need no room
  EXPECT_TRUE(roomy.outcome.ended_well());
  EXPECT_EQ(roomy.text, new_text);
}

TEST(FaultyDisk, finds_durable_write_old_or_new_at_every_step) {
  const std::uint64_t calls = run_writer("durable_write", "", 1).outcome.calls;
  ASSERT_GE(calls, 5U);  // temporary file, write, fsync, rename, fsync of the folder
  std::set<std::string> texts;
  const auto taken = fiducia::test::sample(4, 8);
  for (const std::string kind :
       {"eio", "enospc", "erofs", "short", "kill", "killed", "torn", "cut", "cutoff"}) {
    for (std::uint64_t n = 1; n <= calls; ++n) {
      for (std::uint64_t seed = 1; seed <= 8; ++seed) {
        if (!taken.takes(seed - 1, 8)) continue;
        SCOPED_TRACE(kind + "@" + std::to_string(n) + " seed " + std::to_string(seed));
        const WriterRun run = run_writer("durable_write", kind + "@" + std::to_string(n), seed);
        ASSERT_TRUE(run.text == old_text || run.text == new_text);
        if (!run.outcome.told.empty()) {
          ASSERT_EQ(run.text, new_text);
        }
        texts.insert(run.text);
      }
    }
  }
  EXPECT_EQ(texts.size(), 2U) << "both ends were seen";
}

// --- the log ------------------------------------------------------------------------------------

/// A log with a few hundred entries, to begin each run with, and all that it ever promised.
class FaultyLog {
 public:
  FaultyLog() {
    auto key = crypto::PrivateKey::generate(crypto::KeyKind::ed25519);
    FIDUCIA_ASSERT(key.has_value());
    const auto pem = key->write_pem().value();
    FIDUCIA_ASSERT(durable_write(key_file(), as_bytes(pem)).has_value());
    vkey_ = ledger_format::make_vkey(log_origin, ledger_format::NoteKeyType::ed25519,
                                     key->public_key().write_ed25519());
    FIDUCIA_ASSERT(Log::create(folder(), log_origin, *key, log_time).has_value());
    {
      auto log = open_small_log(folder(), key_of_log()).value();
      FIDUCIA_ASSERT(log.append(counter_entries(next_counter_, base_entries)).has_value());
    }
    next_counter_ += base_entries;
    fs::copy(folder(), scratch_.path() / "base", fs::copy_options::recursive);
    base_counter_ = next_counter_;
  }

  [[nodiscard]] fs::path folder() const { return scratch_.path() / "disk" / "log"; }
  [[nodiscard]] fs::path watched() const { return scratch_.path() / "disk"; }
  [[nodiscard]] fs::path key_file() const {
    fs::create_directories(watched());
    return scratch_.path() / "key.pem";
  }

  /// The log as it was at first; what was promised since is forgotten.
  void restore() {
    fs::remove_all(watched());
    fs::create_directories(watched());
    fs::copy(scratch_.path() / "base", folder(), fs::copy_options::recursive);
    acknowledged_.clear();
    seen_.clear();
    next_counter_ = base_counter_;
  }

  FaultOutcome append(const std::string& plan, std::uint64_t seed, std::uint64_t steps,
                      unsigned threads, std::optional<std::chrono::microseconds> kill_after = {}) {
    FaultRun run{.arguments = {"append", folder().string(), key_file().string(),
                               std::to_string(next_counter_), std::to_string(seed),
                               std::to_string(steps), std::to_string(threads)},
                 .folder = watched(),
                 .plan = plan,
                 .seed = seed,
                 .boot = boot_,
                 .kill_after = kill_after};
    const FaultOutcome outcome = run_worker(run);
    next_counter_ += 1'000'000ULL * (threads + 1);
    if (plan.find("cut") != std::string::npos) boot_ = "boot-" + std::to_string(++boots_);
    hear(outcome);
    return outcome;
  }

  /// Opens the log, as its owner would, and holds it to everything that was promised.
  void judge() {
    {
      auto log = open_small_log(folder(), key_of_log());
      ASSERT_TRUE(log.has_value()) << to_sentence(log.error());
      const auto more = counter_entries(next_counter_, 3);
      const auto answers = log->append(more);
      ASSERT_TRUE(answers.has_value()) << to_sentence(answers.error());
      for (const ledger_format::Appended& answer : *answers)
        acknowledged_[answer.index] = next_counter_++;
    }
    const auto reader = LogReader::open(folder(), vkey_);
    ASSERT_TRUE(reader.has_value()) << to_sentence(reader.error());
    const LogStatus& now = reader->status();
    for (const auto& [size, root] : seen_) {
      ASSERT_LE(size, now.tree_size) << "a checkpoint was handed out and is lost";
      const auto proof = reader->consistency_proof(size);
      ASSERT_TRUE(proof.has_value()) << to_sentence(proof.error());
      ASSERT_TRUE(
          merkle::verify_consistency(size, now.tree_size, root, now.root, *proof).has_value())
          << "a fork: the checkpoint of size " << size << " does not belong to this tree";
    }
    seen_.clear();
    seen_[now.tree_size] = now.root;  // all that was seen is a prefix of this one
    const auto entries = all_entries(folder(), now.tree_size);
    ASSERT_TRUE(entries.has_value()) << to_sentence(entries.error());
    for (const auto& [index, counter] : acknowledged_) {
      ASSERT_LT(index, now.tree_size) << "an acknowledged entry is lost";
      ASSERT_EQ((*entries)[index], counter_entry(counter))
          << "entry " << index << " is another one";
    }
    const auto check = check_log(folder(), vkey_);
    ASSERT_TRUE(check.has_value()) << to_sentence(check.error());
    ASSERT_TRUE(check->ok) << check->text;
  }

  [[nodiscard]] std::size_t acknowledged_count() const { return acknowledged_.size(); }

 private:
  static constexpr std::uint64_t base_entries = 250;

  [[nodiscard]] crypto::PrivateKey key_of_log() const {
    return crypto::PrivateKey::read_pem(text_of(key_file())).value();
  }

  void hear(const FaultOutcome& outcome) {
    EXPECT_EQ(outcome.output, "");
    for (const Told& told : outcome.told) {
      if (told.kind == Told::wrong) ADD_FAILURE() << "the worker saw: " << told.text;
      if (told.kind != Told::acknowledged && told.kind != Told::seen) continue;
      const auto [place, fresh] = seen_.emplace(told.size, told.root);
      if (!fresh) {
        EXPECT_EQ(place->second, told.root) << "a fork: two checkpoints of size " << told.size;
      }
      if (told.kind != Told::acknowledged) continue;
      const auto [entry, first] = acknowledged_.emplace(told.index, told.counter);
      EXPECT_EQ(entry->second, told.counter) << "two entries with index " << told.index;
    }
  }

  ScratchFolder scratch_;
  ledger_format::VerifierKey vkey_;
  std::uint64_t next_counter_ = 1;
  std::uint64_t base_counter_ = 1;
  std::map<std::uint64_t, std::uint64_t> acknowledged_;  // index to counter
  std::map<std::uint64_t, Digest> seen_;                 // tree size to root
  std::string boot_;
  std::uint64_t boots_ = 0;
};

bool struck(const FaultOutcome& outcome) {
  return !outcome.report.empty() && !outcome.report.starts_with("total ");
}

/// Strikes at call 1, 2, 3, ... (those that the sample takes) until a run ends without having been
/// struck, and at the last call of that run.
void strike_everywhere(const std::string& kind, const std::string& range, bool must_go_on) {
  const std::uint64_t seed = fiducia::test::seed();
  const Sample taken = struck_calls(seed);
  FaultyLog log;
  std::uint64_t runs = 0;
  std::uint64_t last = 0;  // of the run that was not struck
  for (std::uint64_t n = 1; last == 0 || n == last; ++n) {
    if (last == 0 && !taken.takes(n - 1)) continue;
    std::string plan = kind + "@" + std::to_string(n);
    if (range == "on") plan += "-";
    if (range == "while") plan += "-" + std::to_string(n + 12);
    SCOPED_TRACE("plan " + plan + ", rerun with FIDUCIA_SEED=" + std::to_string(seed));
    log.restore();
    const FaultOutcome outcome = log.append(plan, seed, 6, 1);
    SCOPED_TRACE(outcome.report);
    ASSERT_TRUE(outcome.ended_well() || struck(outcome)) << outcome.output << outcome.status;
    if (must_go_on) {
      EXPECT_TRUE(outcome.ended_well()) << outcome.status << " " << outcome.told.back().text;
    }
    ASSERT_NO_FATAL_FAILURE(log.judge());
    if (::testing::Test::HasFailure()) return;
    ++runs;
    if (last != 0 || outcome.calls == 0 || outcome.calls >= n) continue;
    last = outcome.calls;
    n = last - 1;
  }
  EXPECT_GE(runs, 2 + 40 / taken.step);
  std::printf("%s%s: %lu runs\n", kind.c_str(), range.c_str(), static_cast<unsigned long>(runs));
}

TEST(FaultyLog, goes_on_after_one_failed_call) { strike_everywhere("eio", "", true); }
TEST(FaultyLog, goes_on_after_one_call_without_space) { strike_everywhere("enospc", "", true); }
TEST(FaultyLog, goes_on_after_a_short_write) { strike_everywhere("short", "", true); }
TEST(FaultyLog, goes_on_when_a_full_disk_has_space_again) {
  strike_everywhere("enospc", "while", true);
}
TEST(FaultyLog, refuses_on_a_full_disk_and_goes_on_later) {
  strike_everywhere("enospc", "on", false);
}
TEST(FaultyLog, refuses_on_a_read_only_disk_and_goes_on_later) {
  strike_everywhere("erofs", "on", false);
}
TEST(FaultyLog, refuses_on_a_dead_disk_and_goes_on_later) { strike_everywhere("eio", "on", false); }
TEST(FaultyLog, survives_death_before_every_call) { strike_everywhere("kill", "", false); }
TEST(FaultyLog, survives_death_after_every_call) { strike_everywhere("killed", "", false); }
TEST(FaultyLog, survives_death_within_every_write) { strike_everywhere("torn", "", false); }
TEST(FaultyLog, survives_a_power_cut_before_every_call) { strike_everywhere("cut", "", false); }
TEST(FaultyLog, survives_a_power_cut_after_every_call) { strike_everywhere("cutoff", "", false); }

TEST(FaultyLog, is_made_whole_or_not_at_all) {
  for (const std::string kind :
       {"eio", "enospc", "short", "kill", "killed", "torn", "cut", "cutoff"}) {
    for (std::uint64_t n = 1;; ++n) {
      const std::string plan = kind + "@" + std::to_string(n);
      SCOPED_TRACE(plan);
      const ScratchFolder scratch;
      const fs::path folder = scratch.path() / "disk" / "log";
      fs::create_directories(folder.parent_path());
      const fs::path key_file = scratch.path() / "key.pem";
      const auto key = crypto::PrivateKey::generate(crypto::KeyKind::ed25519).value();
      write_text(key_file, key.write_pem().value());
      const FaultOutcome outcome =
          run_worker({.arguments = {"create", folder.string(), key_file.string()},
                      .folder = scratch.path() / "disk",
                      .plan = plan,
                      .seed = n,
                      .boot = "boot"});
      SCOPED_TRACE(outcome.report);
      EXPECT_EQ(outcome.output, "");
      bool promised = false;
      for (const Told& told : outcome.told) {
        EXPECT_NE(told.kind, Told::wrong) << told.text;
        promised = promised || told.kind == Told::acknowledged;
      }
      if (!fs::exists(folder)) {
        ASSERT_FALSE(promised) << "the log was promised and is lost";
        ASSERT_TRUE(Log::create(folder, log_origin, key, log_time).has_value());
      }
      auto log = open_small_log(folder, crypto::PrivateKey::read_pem(text_of(key_file)).value());
      ASSERT_TRUE(log.has_value()) << to_sentence(log.error());
      ASSERT_TRUE(log->append(counter_entries(1, 2)).has_value());
      if (!struck(outcome)) break;
    }
  }
}

/// Runs a scenario of the worker that mounts a disk of its own; no shim is asked for anything.
void run_on_own_disk(const std::string& scenario, std::size_t refusals) {
  const ScratchFolder scratch;
  const fs::path folder = scratch.path() / "disk";
  fs::create_directory(folder);
  const fs::path key_file = scratch.path() / "key.pem";
  const auto key = crypto::PrivateKey::generate(crypto::KeyKind::ed25519).value();
  write_text(key_file, key.write_pem().value());
  const FaultOutcome outcome =
      run_worker({.arguments = {scenario, folder.string(), key_file.string()},
                  .folder = scratch.path() / "elsewhere",
                  .plan = ""});
  if (WIFEXITED(outcome.status) && WEXITSTATUS(outcome.status) == 77)
    GTEST_SKIP() << "mounting is not allowed here; FaultyLog.* does the same with false errors";
  EXPECT_EQ(outcome.output, "");
  EXPECT_TRUE(outcome.ended_well()) << outcome.status;
  std::size_t refused = 0;
  for (const Told& told : outcome.told) {
    EXPECT_NE(told.kind, Told::wrong) << told.text;
    if (told.kind == Told::refused) ++refused;
  }
  EXPECT_GE(refused, refusals);
}

TEST(OwnDisk, when_full_refuses_clearly_and_goes_on_without_a_human) { run_on_own_disk("full", 1); }
TEST(OwnDisk, when_read_only_refuses_clearly_and_goes_on_later) { run_on_own_disk("read-only", 2); }

std::string random_plan(std::mt19937_64& prng, std::uint64_t calls_max) {
  const auto at = [&] { return std::to_string(1 + prng() % calls_max); };
  constexpr const char* faults[] = {"eio", "enospc", "erofs", "short"};
  constexpr const char* ends[] = {"kill", "killed", "torn", "cut", "cutoff", "cut", "cutoff"};
  std::string plan = ends[prng() % std::size(ends)] + ("@" + at());
  for (std::uint64_t more = prng() % 3; more > 0; --more) {
    plan += "," + (faults[prng() % std::size(faults)] + ("@" + at()));
    if (prng() % 3 == 0) {
      const std::uint64_t first = 1 + prng() % calls_max;
      plan += ",enospc@" + std::to_string(first) + "-" + std::to_string(first + prng() % 30);
    }
  }
  return plan;
}

TEST(FaultyLog, survives_faults_upon_faults) {
  const std::uint64_t seed = fiducia::test::seed();
  std::mt19937_64 prng{seed};
  FaultyLog log;
  for (std::uint64_t round = 0; round < rounds(); ++round) {
    SCOPED_TRACE("round " + std::to_string(round) +
                 ", rerun with FIDUCIA_SEED=" + std::to_string(seed));
    if (round % 20 == 0) log.restore();
    // Now and then the next run finds what the last one left, without a whole opening between.
    std::string plans;
    const std::uint64_t runs = 1 + prng() % 3;
    for (std::uint64_t run = 0; run < runs; ++run) {
      const auto threads = static_cast<unsigned>(1 + prng() % 4);
      const std::string plan = random_plan(prng, run == 0 ? 150 : 40);
      const FaultOutcome outcome = log.append(plan, prng(), 5, threads);
      plans += plan + " with " + std::to_string(threads) + " threads\n" + outcome.report;
    }
    SCOPED_TRACE(plans);
    ASSERT_NO_FATAL_FAILURE(log.judge());
    if (::testing::Test::HasFailure()) return;
  }
}

TEST(FaultyLog, survives_kill_9_at_random_moments) {
  const std::uint64_t seed = fiducia::test::seed();
  std::mt19937_64 prng{seed};
  FaultyLog log;
  std::uint64_t acknowledged = 0;
  for (std::uint64_t round = 0; round < rounds(); ++round) {
    SCOPED_TRACE("round " + std::to_string(round) +
                 ", rerun with FIDUCIA_SEED=" + std::to_string(seed));
    if (round % 50 == 0) {
      acknowledged += log.acknowledged_count();
      log.restore();
    }
    const std::chrono::microseconds moment{5'000 + prng() % 40'000};
    const FaultOutcome outcome =
        log.append("", prng(), 0, static_cast<unsigned>(1 + prng() % 4), moment);
    EXPECT_TRUE(outcome.was_killed());
    ASSERT_NO_FATAL_FAILURE(log.judge());
    if (::testing::Test::HasFailure()) return;
  }
  ASSERT_NO_FATAL_FAILURE(log.judge());
  acknowledged += log.acknowledged_count();
  EXPECT_GT(acknowledged, rounds()) << "the worker was killed too early to append anything";
}

}  // namespace
}  // namespace fiducia::ledger::test
