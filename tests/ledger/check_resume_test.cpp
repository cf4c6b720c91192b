// SPDX-License-Identifier: Apache-2.0
// A check that is stopped, killed or repeated comes to the answer of one that ran through.
#include <signal.h>
#include <sys/wait.h>

#include "memory_log.h"

namespace fiducia::ledger::test {
namespace {

/// Everything that a check says, but for what it took over.
std::string said(const LogCheck& check) {
  return std::to_string(check.ok) + std::to_string(check.interrupted) + " " +
         std::to_string(check.entries_checked) + " of " + std::to_string(check.tree_size) + " " +
         check.damaged + " " + check.text;
}

/// All states that one check keeps, one a bundle, and its answer.
std::pair<std::vector<Bytes>, LogCheck> states_of(const ObjectSource& source,
                                                  const ledger_format::VerifierKey& key) {
  std::vector<Bytes> states;
  CheckOptions options;
  options.save_every = std::chrono::milliseconds{0};
  options.save = [&](const CheckState& state) -> Status {
    states.push_back(write_check_state(state));
    return {};
  };
  auto check = check_log(source, key, options);
  FIDUCIA_ASSERT(check.has_value());
  return {std::move(states), std::move(*check)};
}

Result<LogCheck> resumed(const ObjectSource& source, const ledger_format::VerifierKey& key,
                         const Bytes& state) {
  CheckOptions options;
  options.from = read_check_state(state).value();
  return check_log(source, key, options);
}

TEST(CheckResume, from_every_point_the_answer_is_that_of_one_run) {
  // 65,536 is where a third level of tiles begins.
  const MemoryLog log{66'000};
  struct Row {
    const char* damaged;
    std::size_t states;  // one a bundle that was judged before, and one at the end
  };
  const Sample taken = sample(2, 8);
  for (const Row& row :
       {Row{"", 258}, Row{"tile/0/200", 200}, Row{"tile/entries/200", 200}, Row{"tile/1/000", 255},
        Row{"tile/0/257.p/208", 257}, Row{"tile/entries/257.p/208", 257},
        Row{"tile/1/001.p/1", 258}, Row{"tile/2/000.p/1", 258}}) {
    SCOPED_TRACE(row.damaged);
    std::optional<Bytes> content;
    if (*row.damaged != '\0') {
      content = log.objects.at(row.damaged);
      (*content)[9] ^= std::byte{1};
    }
    const Patched source{log, row.damaged, content};
    const auto [states, whole] = states_of(source, log.vkey());
    EXPECT_EQ(whole.damaged, row.damaged) << whole.text;
    ASSERT_GE(states.size(), row.states);
    for (std::size_t i = 0; i < states.size(); ++i) {
      if (!taken.takes(i, states.size())) continue;
      const auto check = resumed(source, log.vkey(), states[i]);
      ASSERT_TRUE(check.has_value()) << sentence(check.error());
      ASSERT_EQ(said(*check), said(whole)) << "resumed from state " << i;
    }
  }
}

TEST(CheckResume, a_stopped_check_goes_on_where_it_was_stopped) {
  const MemoryLog log{5'000};
  const LogCheck whole = check_log(log, log.vkey()).value();
  for (unsigned after = 0; after <= 20; ++after) {
    std::optional<CheckState> kept;
    CheckOptions options;
    options.workers = 1 + after % 3;
    options.save = [&](const CheckState& state) -> Status {
      kept = read_check_state(write_check_state(state)).value();
      return {};
    };
    unsigned asked = 0;
    options.stop = [&] { return asked++ == after; };
    const auto stopped = check_log(log, log.vkey(), options);
    ASSERT_TRUE(stopped.has_value());
    ASSERT_TRUE(kept.has_value());
    if (after < 20) {
      EXPECT_TRUE(stopped->interrupted);
      EXPECT_FALSE(stopped->ok);
      EXPECT_FALSE(kept->finished);
      EXPECT_EQ(kept->bundles, std::min(after, 19U));
    } else {
      EXPECT_TRUE(stopped->ok);
      EXPECT_TRUE(kept->finished);
    }
    const auto check = check_log(log, log.vkey(), {.from = kept});
    ASSERT_TRUE(check.has_value());
    EXPECT_EQ(said(*check), said(whole));
    EXPECT_EQ(check->entries_resumed, kept->bundles * 256);
  }
}

TEST(CheckResume, a_finished_state_leaves_only_what_was_appended) {
  MemoryLog log{70'000};
  const auto [states, whole] = states_of(log, log.vkey());
  ASSERT_TRUE(whole.ok) << whole.text;
  EXPECT_TRUE(read_check_state(states.back())->finished);
  for (std::size_t i = 0; i + 1 < states.size(); ++i)
    ASSERT_FALSE(read_check_state(states[i])->finished) << i;
  log.grow(140'001);
  const auto check = resumed(log, log.vkey(), states.back());
  ASSERT_TRUE(check.has_value()) << sentence(check.error());
  EXPECT_TRUE(check->ok) << check->text;
  EXPECT_EQ(check->entries_checked, 140'001U);
  EXPECT_EQ(check->entries_resumed, 69'888U);
  // It does find what is wrong in the new part, and does not look at the old one.
  const auto damaged = [&](const std::string& path) {
    Bytes content = log.objects.at(path);
    content[0] ^= std::byte{1};
    return resumed(Patched{log, path, content}, log.vkey(), states.back())->damaged;
  };
  EXPECT_EQ(damaged("tile/entries/400"), "tile/entries/400");
  EXPECT_EQ(damaged("tile/entries/100"), "");
}

TEST(CheckResume, a_state_that_does_not_fit_the_log_is_refused) {
  const MemoryLog log{5'000};
  const CheckState good = read_check_state(states_of(log, log.vkey()).first[10]).value();
  const auto refusal = [&](const ObjectSource& source, const ledger_format::VerifierKey& key,
                           const CheckState& state) {
    CheckOptions options;
    options.from = state;
    const auto check = check_log(source, key, options);
    EXPECT_FALSE(check.has_value());
    if (check) return std::string{};
    EXPECT_EQ(check.error().code, ErrorCode::usage_invalid);
    EXPECT_FALSE(check.error().remedy.empty());
    return check.error().what;
  };
  CheckState state = good;
  state.origin = "example.org/other";
  EXPECT_NE(refusal(log, log.vkey(), state).find("example.org/other"), std::string::npos);
  state = good;
  state.vkey = ledger_format::write_vkey(vkey_of(new_key()));
  EXPECT_NE(refusal(log, log.vkey(), state).find("key"), std::string::npos);
  MemoryLog smaller{2'000};
  smaller.key = copy_of(log.key);
  smaller.sign(smaller.frontage.root());
  EXPECT_NE(refusal(smaller, log.vkey(), good).find("2000"), std::string::npos);
  MemoryLog other{5'000, [](std::uint64_t i) { return numbered_entry(i + 1); }};
  other.key = copy_of(log.key);
  other.sign(other.frontage.root());
  EXPECT_NE(refusal(other, log.vkey(), good).find("other entries"), std::string::npos);
  EXPECT_TRUE(check_log(log, log.vkey(), {.from = good})->ok);
}

TEST(CheckResume, a_state_that_was_touched_is_refused) {
  const MemoryLog log{70'000};
  const auto states = states_of(log, log.vkey()).first;
  for (const std::size_t index : {std::size_t{0}, std::size_t{10}, states.size() - 1}) {
    const Bytes good = states[index];
    ASSERT_EQ(write_check_state(read_check_state(good).value()), good);
    for (std::size_t bit = 0; bit < good.size() * 8; bit += 1 + bit / 4096) {
      Bytes bad = good;
      bad[bit / 8] ^= std::byte{1} << (bit % 8);
      const auto state = read_check_state(bad);
      ASSERT_FALSE(state.has_value()) << bit;
      ASSERT_EQ(code_word(state.error()), "malformed.check_state") << bit;
      ASSERT_FALSE(state.error().remedy.empty());
    }
    for (std::size_t length = 0; length < good.size(); length += 1 + length / 64)
      ASSERT_FALSE(read_check_state(ByteView{good}.first(length)).has_value()) << length;
    Bytes longer = good;
    longer.push_back(std::byte{0});
    EXPECT_FALSE(read_check_state(longer).has_value());
  }
  // A digest that fits does not save rows that do not.
  CheckState state = read_check_state(states[10]).value();
  state.levels[1].pop_back();
  EXPECT_FALSE(read_check_state(write_check_state(state)).has_value());
  state = read_check_state(states[10]).value();
  state.root.bytes[0] ^= std::byte{1};
  EXPECT_FALSE(read_check_state(write_check_state(state)).has_value());
  state = read_check_state(states[10]).value();
  state.bundles += 65'536;
  EXPECT_FALSE(read_check_state(write_check_state(state)).has_value());
}

TEST(CheckResume, damage_found_on_the_way_to_the_state_is_named_as_in_one_run) {
  // The tiles that would tell whether the state fits are damaged: the check begins anew.
  const MemoryLog log{70'000};
  const Bytes state = states_of(log, log.vkey()).first[200];
  for (const std::string path : {"tile/1/000", "tile/1/001.p/17", "tile/2/000.p/1"}) {
    Bytes content = log.objects.at(path);
    content[1] ^= std::byte{1};
    const Patched damaged{log, path, content};
    const auto check = resumed(damaged, log.vkey(), state);
    ASSERT_TRUE(check.has_value()) << sentence(check.error());
    EXPECT_EQ(said(*check), said(*check_log(damaged, log.vkey())));
    EXPECT_EQ(check->damaged, path);
  }
}

TEST(CheckResume, an_error_of_keeping_the_state_ends_the_check) {
  const MemoryLog log{5'000};
  CheckOptions options;
  options.save_every = std::chrono::milliseconds{0};
  options.save = [](const CheckState&) -> Status {
    return fail(ErrorCode::io_unwritable, "no room", "make room");
  };
  const auto check = check_log(log, log.vkey(), options);
  ASSERT_FALSE(check.has_value());
  EXPECT_EQ(check.error().code, ErrorCode::io_unwritable);
}

TEST(CheckResume, a_killed_check_goes_on_from_the_state_it_kept) {
  const std::uint64_t seed = fiducia::test::seed();
  SCOPED_TRACE("rerun with FIDUCIA_SEED=" + std::to_string(seed));
  std::mt19937_64 prng{seed};
  const MemoryLog log{20'000};
  const LogCheck whole = check_log(log, log.vkey()).value();
  for (int round = 0; round < 10; ++round) {
    const ScratchFolder scratch;
    const fs::path file = scratch.path() / "state";
    const std::uint64_t saves = 1 + prng() % 77;
    const pid_t child = ::fork();
    if (child == 0) {
      CheckOptions options;
      options.save_every = std::chrono::milliseconds{0};
      std::uint64_t count = 0;
      options.save = [&](const CheckState& state) -> Status {
        if (++count > saves) ::kill(::getpid(), SIGKILL);
        return durable_write(file, write_check_state(state));
      };
      static_cast<void>(check_log(log, log.vkey(), options));
      ::_exit(9);
    }
    ASSERT_GT(child, 0);
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status));
    const auto kept = read_file(file, limits::ledger_check_state_bytes_max);
    ASSERT_TRUE(kept.has_value());
    EXPECT_EQ(read_check_state(*kept)->bundles, saves);
    const auto check = resumed(log, log.vkey(), *kept);
    ASSERT_TRUE(check.has_value());
    EXPECT_EQ(said(*check), said(whole));
  }
}

TEST(CheckResume, a_check_that_came_to_its_end_begins_anew_unless_only_news_are_asked_for) {
  const MemoryLog log{600};
  const auto [states, whole] = states_of(log, log.vkey());
  ASSERT_TRUE(whole.ok);
  const ScratchFolder folder;
  const auto file = folder.path() / "state";
  for (const bool incremental : {false, true}) {
    const auto missing = find_check_state(folder.path() / "missing", incremental);
    ASSERT_TRUE(missing.has_value());
    EXPECT_FALSE(missing->has_value());
    ASSERT_TRUE(durable_write(file, states.front()).has_value());
    const auto half_way = find_check_state(file, incremental);
    ASSERT_TRUE(half_way.has_value());
    ASSERT_TRUE(half_way->has_value());
    EXPECT_EQ(write_check_state(**half_way), states.front());
    ASSERT_TRUE(durable_write(file, states.back()).has_value());
    const auto finished = find_check_state(file, incremental);
    ASSERT_TRUE(finished.has_value());
    EXPECT_EQ(finished->has_value(), incremental);
  }
  ASSERT_TRUE(durable_write(file, as_bytes("no state")).has_value());
  const auto refused = find_check_state(file, true);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(code_word(refused.error()), "malformed.check_state");
  EXPECT_EQ(refused.error().where.file, file.string());
}

}  // namespace
}  // namespace fiducia::ledger::test
