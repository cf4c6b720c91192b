// SPDX-License-Identifier: Apache-2.0
#include "ledger/log.h"

#include <sys/resource.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <thread>

#include "ledger/journal.h"
#include "ledger_support.h"
#include "merkle/merkle.h"
#include "published_vectors.h"

namespace fiducia::ledger::test {
namespace {

TEST(LogCreate, leaves_a_log_with_its_genesis_entry_and_nothing_beside_it) {
  const ScratchLog log;
  const auto reader = log.read();
  ASSERT_TRUE(reader.has_value()) << sentence(reader.error());
  EXPECT_EQ(reader->status().tree_size, 1U);
  EXPECT_EQ(reader->status().origin, origin);
  EXPECT_EQ(reader->status().checkpoint_at, noon);
  const auto genesis = ledger_format::read_entry(reader->entry(0).value()).value();
  EXPECT_EQ(genesis.type, ledger_format::EntryType::genesis);
  EXPECT_EQ(genesis.sign1_hash, Digest{});
  EXPECT_EQ(genesis.signer_hash,
            crypto::sha256(as_bytes(ledger_format::write_vkey(vkey_of(log.key)))));
  EXPECT_EQ(genesis.claimed_at, noon);
  std::vector<std::string> names;
  for (const auto& [name, bytes] : snapshot(log.scratch.path())) names.push_back(name);
  EXPECT_EQ(names, (std::vector<std::string>{"ledger/.journal/00000001", "ledger/checkpoint",
                                             "ledger/signed-root.cbor", "ledger/tile/0/000.p/1",
                                             "ledger/tile/entries/000.p/1"}));
}

TEST(LogCreate, refuses_a_folder_that_holds_something) {
  const ScratchLog log;
  const auto again = Log::create(log.folder, origin, log.key, noon);
  ASSERT_FALSE(again.has_value());
  EXPECT_EQ(again.error().code, ErrorCode::exists);
  ASSERT_TRUE(log.check()->ok);
  const fs::path other = log.scratch.path() / "other";
  fs::create_directory(other);
  EXPECT_TRUE(Log::create(other, origin, log.key, noon).has_value()) << "an empty folder is fine";
}

TEST(LogCreate, leaves_nothing_when_it_fails) {
  const ScratchFolder scratch;
  const auto key = new_key();
  EXPECT_FALSE(Log::create(scratch.path() / "ledger", "no spaces here", key, noon).has_value());
  const auto p256 = crypto::PrivateKey::generate(crypto::KeyKind::p256).value();
  EXPECT_FALSE(Log::create(scratch.path() / "ledger", origin, p256, noon).has_value());
  EXPECT_TRUE(fs::is_empty(scratch.path()));
  write_plain(scratch.path() / "file", as_bytes("x"));
  const auto below_file = Log::create(scratch.path() / "file" / "ledger", origin, key, noon);
  ASSERT_FALSE(below_file.has_value());
  EXPECT_EQ(below_file.error().code, ErrorCode::io_unwritable);
}

TEST(LogAppend, answers_with_receipts_that_verify) {
  const ScratchLog scratch;
  auto log = scratch.open(UnixTime{noon.seconds + 60});
  ASSERT_TRUE(log.has_value()) << sentence(log.error());
  std::uint64_t next = 1;
  for (const std::uint64_t count : {1U, 1U, 3U, 250U, 1U, 1U, 1U, 300U}) {
    const auto entries = counter_entries(next, count);
    const auto answers = append_shown(*log, entries);
    ASSERT_TRUE(answers.has_value()) << sentence(answers.error());
    ASSERT_EQ(answers->size(), count);
    for (std::size_t i = 0; i < count; ++i) {
      const ledger_format::Appended& answer = (*answers)[i];
      EXPECT_EQ(answer.index, next + i);
      EXPECT_EQ(answer.tree_size, next + count);
      EXPECT_EQ(answer.checkpoint_at.seconds, noon.seconds + 60);
      const auto receipt = ledger_format::read_receipt(answer.receipt);
      ASSERT_TRUE(receipt.has_value()) << sentence(receipt.error());
      EXPECT_EQ(receipt->tree_size, answer.tree_size);
      EXPECT_EQ(receipt->leaf_index, answer.index);
      const auto root = ledger_format::verify_receipt(*receipt, merkle::leaf_hash(entries[i]),
                                                      scratch.key.public_key());
      ASSERT_TRUE(root.has_value()) << sentence(root.error());
      EXPECT_EQ(*root, log->status().root);
    }
    next += count;
    EXPECT_EQ(log->status().tree_size, next);
    EXPECT_EQ(log->checkpoint(), read_text(scratch.folder / "checkpoint"));
    const auto check = scratch.check();
    ASSERT_TRUE(check->ok) << check->text;
    EXPECT_EQ(check->entries_checked, next);
  }
}

TEST(LogAppend, refuses_an_entry_too_long_and_takes_the_longest) {
  const ScratchLog scratch;
  auto log = scratch.open().value();
  std::vector<Bytes> entries{Bytes(limits::ledger_entry_bytes_max + 1)};
  const auto refused = append_shown(log, entries);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, ErrorCode::over_limit);
  EXPECT_EQ(log.status().tree_size, 1U);
  entries[0].pop_back();
  entries.emplace_back();  // an empty entry is one as well
  ASSERT_TRUE(append_shown(log, entries).has_value());
  EXPECT_EQ(scratch.read()->entry(1).value(), entries[0]);
  EXPECT_EQ(scratch.read()->entry(2).value(), Bytes{});
  EXPECT_TRUE(append_shown(log, {}).value().empty());
  EXPECT_EQ(log.status().tree_size, 3U);
  EXPECT_TRUE(scratch.check()->ok);
}

TEST(LogAppend, writes_the_published_tiles_of_70000_counter_entries) {
  // The published tree has the counter at leaf 0; a log of ours starts with its genesis entry.
  // So the three tiles that hold nothing of leaf 0 are compared here, and all six in tree_test.
  const ScratchLog scratch;
  auto log = scratch.open().value();
  ASSERT_TRUE(append_shown(log, counter_entries(1, 69'999)).has_value());
  const auto reader = scratch.read();
  ASSERT_TRUE(reader.has_value()) << sentence(reader.error());
  ASSERT_EQ(reader->status().tree_size, 70'000U);
  const auto published = read_json("counter-leaf-tiles-70000.json");
  for (const auto& tile : published["tiles"]) {
    const std::string path = tile["path"];
    SCOPED_TRACE(path);
    const auto content = read_file(scratch.folder / path, 8192);
    ASSERT_TRUE(content.has_value()) << sentence(content.error());
    EXPECT_EQ(content->size(), tile["bytes"].get<std::size_t>());
    const bool holds_genesis = tile["index"] == 0;
    if (!holds_genesis) {
      EXPECT_EQ(to_hex(crypto::sha256(*content).view()), tile["sha256_of_tile"].get<std::string>());
    }
  }
  for (const std::uint64_t index : {0U, 1U, 255U, 256U, 65'535U, 65'536U, 69'999U}) {
    const auto path = reader->inclusion_proof(index);
    ASSERT_TRUE(path.has_value()) << sentence(path.error());
    EXPECT_TRUE(merkle::verify_inclusion(index, 70'000, merkle::leaf_hash(*reader->entry(index)),
                                         *path, reader->status().root)
                    .has_value());
  }
  EXPECT_TRUE(scratch.check()->ok);
}

TEST(LogAppend, has_the_right_files_at_the_sizes_where_tiles_fill) {
  const ScratchLog scratch;
  struct Row {
    std::uint64_t size;
    std::vector<std::string> there;
    std::vector<std::string> absent;
  };
  const std::vector<Row> rows{
      {255, {"tile/0/000.p/255", "tile/entries/000.p/255"}, {"tile/0/000", "tile/1"}},
      {256,
       {"tile/0/000", "tile/entries/000", "tile/1/000.p/1"},
       {"tile/0/000.p", "tile/entries/000.p", "tile/0/001.p"}},
      {257, {"tile/0/001.p/1", "tile/entries/001.p/1", "tile/1/000.p/1"}, {"tile/1/000.p/2"}},
      {65'535, {"tile/0/255.p/255", "tile/1/000.p/255"}, {"tile/0/255", "tile/2"}},
      {65'536,
       {"tile/0/255", "tile/entries/255", "tile/1/000", "tile/2/000.p/1"},
       {"tile/0/255.p", "tile/1/000.p", "tile/0/256.p"}},
      {65'537, {"tile/0/256.p/1", "tile/entries/256.p/1", "tile/2/000.p/1"}, {"tile/1/001.p"}}};
  std::uint64_t size = 1;
  for (const Row& row : rows) {
    SCOPED_TRACE(row.size);
    auto log = scratch.open();
    ASSERT_TRUE(log.has_value()) << sentence(log.error());
    const Digest before = log->status().root;
    ASSERT_TRUE(append_shown(*log, counter_entries(size, row.size - size)).has_value());
    for (const std::string& path : row.there)
      EXPECT_TRUE(fs::exists(scratch.folder / path)) << path;
    for (const std::string& path : row.absent)
      EXPECT_FALSE(fs::exists(scratch.folder / path)) << path;
    const auto reader = scratch.read();
    ASSERT_TRUE(reader.has_value()) << sentence(reader.error());
    const auto proof = reader->consistency_proof(size);
    ASSERT_TRUE(proof.has_value()) << sentence(proof.error());
    EXPECT_TRUE(merkle::verify_consistency(size, row.size, before, reader->status().root, *proof)
                    .has_value());
    for (const std::uint64_t index : {std::uint64_t{0}, size, row.size - 1}) {
      const auto path = reader->inclusion_proof(index);
      ASSERT_TRUE(path.has_value());
      EXPECT_TRUE(merkle::verify_inclusion(index, row.size,
                                           merkle::leaf_hash(*reader->entry(index)), *path,
                                           reader->status().root)
                      .has_value());
    }
    const auto check = scratch.check();
    EXPECT_TRUE(check->ok) << check->text;
    size = row.size;
  }
}

TEST(LogAppend, never_lets_the_time_of_a_checkpoint_decrease) {
  const ScratchLog scratch;
  std::int64_t now = noon.seconds + 100;
  auto log = Log::open(scratch.folder, copy_of(scratch.key), [&] { return UnixTime{now}; }).value();
  const auto time_of = [&](std::uint64_t counter) {
    return log.append(counter_entries(counter, 1))->front().checkpoint_at.seconds;
  };
  EXPECT_EQ(time_of(1), noon.seconds + 100);
  now = noon.seconds + 100 - limits::ledger_clock_back_seconds_max;
  EXPECT_EQ(time_of(2), noon.seconds + 100);
  now = noon.seconds + 101;
  EXPECT_EQ(time_of(3), noon.seconds + 101);
}

TEST(LogAppend, with_a_clock_that_ran_backwards_names_both_times_and_goes_on_when_it_is_right) {
  const ScratchLog scratch;
  std::int64_t now = noon.seconds;
  auto log = Log::open(scratch.folder, copy_of(scratch.key), [&] { return UnixTime{now}; }).value();
  now = noon.seconds - limits::ledger_clock_back_seconds_max - 1;
  const auto refused = log.append(counter_entries(1, 1));
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(code_word(refused.error()), "clock.invalid");
  EXPECT_NE(refused.error().what.find(to_rfc3339(UnixTime{now})), std::string::npos);
  EXPECT_NE(refused.error().what.find(to_rfc3339(noon)), std::string::npos);
  EXPECT_EQ(log.status().tree_size, 1U);
  now = noon.seconds;
  EXPECT_EQ(log.append(counter_entries(1, 1))->front().index, 1U);
}

TEST(LogAppend, keeps_its_time_over_a_restart) {
  const ScratchLog scratch;
  ASSERT_TRUE(scratch.open(UnixTime{noon.seconds + 100})->append(counter_entries(1, 1)));
  auto log = scratch.open(UnixTime{noon.seconds - 5}).value();
  EXPECT_EQ(append_shown(log, counter_entries(2, 1))->front().checkpoint_at.seconds,
            noon.seconds + 100);
}

TEST(LogAppend, by_many_threads_gives_each_entry_one_place) {
  const ScratchLog scratch;
  auto log = scratch.open().value();
  constexpr unsigned threads = 8;
  constexpr unsigned rounds = 25;
  std::mutex mutex;
  std::map<std::uint64_t, Bytes> places;
  std::atomic<int> bad = 0;
  {
    std::vector<std::jthread> workers;
    for (unsigned t = 0; t < threads; ++t)
      workers.emplace_back([&, t] {
        for (unsigned r = 0; r < rounds; ++r) {
          const std::vector<Bytes> entries =
              counter_entries((std::uint64_t{t} << 32) + r * 8, 1 + r % 3);
          const auto answers = append_shown(log, entries);
          if (!answers || answers->size() != entries.size()) {
            ++bad;
            continue;
          }
          const std::lock_guard guard{mutex};
          for (std::size_t i = 0; i < entries.size(); ++i) {
            const ledger_format::Appended& answer = (*answers)[i];
            if (!places.emplace(answer.index, entries[i]).second) ++bad;
            const auto receipt = ledger_format::read_receipt(answer.receipt);
            if (!receipt || !ledger_format::verify_receipt(*receipt, merkle::leaf_hash(entries[i]),
                                                           scratch.key.public_key()))
              ++bad;
          }
        }
      });
  }
  EXPECT_EQ(bad, 0);
  EXPECT_EQ(log.status().tree_size, 1 + places.size());
  const auto reader = scratch.read();
  ASSERT_TRUE(reader.has_value());
  for (const auto& [index, entry] : places) ASSERT_EQ(reader->entry(index).value(), entry);
  EXPECT_TRUE(scratch.check()->ok);
}

TEST(LogOpen, is_busy_while_another_appender_has_the_lock) {
  const ScratchLog scratch;
  std::optional<Log> log = scratch.open().value();
  // The full wait is limits::ledger_lock_timeout_ms; here the first appender leaves before it.
  std::jthread leaver([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds{100});
    log.reset();
  });
  EXPECT_TRUE(scratch.open().has_value());
  leaver.join();
  const auto lock = FileLock::acquire(scratch.folder / "lock", 0);
  ASSERT_TRUE(lock.has_value());
  EXPECT_TRUE(scratch.read().has_value()) << "a reader needs no lock";
  const auto refused = LocalJournal::open(scratch.folder, {.lock_timeout_ms = 200});
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, ErrorCode::busy);
  if (!whole()) return;  // the full wait
  const auto refused_later = scratch.open();
  ASSERT_FALSE(refused_later.has_value());
  EXPECT_EQ(refused_later.error().code, ErrorCode::busy);
}

TEST(LogOpen, refuses_another_key_and_a_folder_without_a_log) {
  const ScratchLog scratch;
  const auto other = Log::open(scratch.folder, new_key());
  ASSERT_FALSE(other.has_value());
  EXPECT_EQ(other.error().code, ErrorCode::signature_bad);
  const auto missing = Log::open(scratch.scratch.path() / "none", new_key());
  ASSERT_FALSE(missing.has_value());
  EXPECT_EQ(missing.error().code, ErrorCode::io_unreadable);
  EXPECT_FALSE(fs::exists(scratch.scratch.path() / "none"));
}

TEST(LogAppend, says_unwritable_when_no_room_is_left_and_goes_on_when_there_is) {
  const ScratchLog scratch;
  auto log = scratch.open().value();
  ASSERT_TRUE(append_shown(log, counter_entries(1, 3)).has_value());
  struct sigaction ignore = {};
  struct sigaction before = {};
  ignore.sa_handler = SIG_IGN;
  sigaction(SIGXFSZ, &ignore, &before);
  rlimit usual = {};
  getrlimit(RLIMIT_FSIZE, &usual);
  std::uint64_t counter = 4;
  int refused = 0;
  // Each limit stops the append at another place of the journal or of its next segment.
  for (rlim_t limit = 0; limit < 20'000; limit += 260) {
    SCOPED_TRACE("files up to " + std::to_string(limit) + " bytes");
    const LogStatus earlier = log.status();
    rlimit small = usual;
    small.rlim_cur = limit;
    setrlimit(RLIMIT_FSIZE, &small);
    const auto answers = log.append(counter_entries(counter, 1));
    const auto reader = scratch.read();
    setrlimit(RLIMIT_FSIZE, &usual);
    ASSERT_TRUE(reader.has_value()) << sentence(reader.error());
    EXPECT_TRUE(reader->inclusion_proof(2).has_value());
    if (answers) {
      EXPECT_EQ(log.status().tree_size, ++counter);
      continue;
    }
    ++refused;
    EXPECT_EQ(answers.error().code, ErrorCode::io_unwritable) << sentence(answers.error());
    EXPECT_EQ(log.status().tree_size, earlier.tree_size);
    const auto check = scratch.check();
    ASSERT_TRUE(check->ok) << check->text;
    // With room again: the same log object appends, and has told no two stories.
    const auto later = append_shown(log, counter_entries(counter, 1));
    ASSERT_TRUE(later.has_value()) << sentence(later.error());
    const std::uint64_t size = log.status().tree_size;
    const auto proof = scratch.read()->consistency_proof(earlier.tree_size);
    EXPECT_TRUE(
        merkle::verify_consistency(earlier.tree_size, size, earlier.root, log.status().root, *proof)
            .has_value());
    counter = size;
  }
  sigaction(SIGXFSZ, &before, nullptr);
  EXPECT_GT(refused, 10);
  const auto check = scratch.check();
  EXPECT_TRUE(check->ok) << check->text;
  for (const auto& [name, content] : snapshot(scratch.folder))
    EXPECT_EQ(name.find("/."), std::string::npos) << "left behind: " << name;
}

TEST(LogAppend, refuses_while_its_tiles_cannot_be_written_and_loses_nothing) {
  const ScratchLog scratch;
  auto log = scratch.open().value();
  // Root may write anywhere; a file where a folder must be made stops everybody.
  fs::remove_all(scratch.folder / "tile/0/000.p");
  write_plain(scratch.folder / "tile/0/000.p", as_bytes("x"));
  // The first is durable in the journal before its tiles are tried; then nothing more is taken.
  ASSERT_TRUE(log.append(counter_entries(1, 1)).has_value());
  EXPECT_FALSE(log.flush().has_value());
  const auto refused = log.append(counter_entries(2, 1));
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, ErrorCode::io_unwritable);
  EXPECT_EQ(refused.error().where.file, "tile/0/000.p/2");
  EXPECT_EQ(log.status().tree_size, 2U);
  fs::remove(scratch.folder / "tile/0/000.p");
  const auto again = append_shown(log, counter_entries(2, 1));
  ASSERT_TRUE(again.has_value()) << sentence(again.error());
  EXPECT_EQ(again->front().index, 2U);
  EXPECT_EQ(scratch.read()->entry(1).value(), counter_entry(1));
  const auto check = scratch.check();
  EXPECT_TRUE(check->ok) << check->text;
}

TEST(LogAppend, of_an_entry_that_is_there_already_answers_with_its_index) {
  const ScratchLog scratch;
  auto log = scratch.open().value();
  ASSERT_TRUE(log.append(counter_entries(1, 300)).has_value());
  std::vector<Bytes> mixed = counter_entries(299, 4);  // 299 and 300 are known, 301 and 302 new
  mixed.push_back(counter_entry(301));                 // twice in one append
  const auto answers = log.append(mixed);
  ASSERT_TRUE(answers.has_value()) << sentence(answers.error());
  std::vector<std::uint64_t> indices;
  for (std::size_t i = 0; i < answers->size(); ++i) {
    indices.push_back((*answers)[i].index);
    const auto receipt = ledger_format::read_receipt((*answers)[i].receipt).value();
    EXPECT_EQ(receipt.tree_size, 303U);
    EXPECT_EQ(ledger_format::verify_receipt(receipt, merkle::leaf_hash(mixed[i]),
                                            scratch.key.public_key())
                  .value(),
              log.status().root);
  }
  EXPECT_EQ(indices, (std::vector<std::uint64_t>{299, 300, 301, 302, 301}));
  // Nothing but known entries: no new checkpoint.
  const auto known = log.append(counter_entries(1, 2));
  ASSERT_TRUE(known.has_value()) << sentence(known.error());
  EXPECT_EQ(known->front().index, 1U);
  EXPECT_EQ(known->front().tree_size, 303U);
  EXPECT_EQ(log.status().tree_size, 303U);
}

TEST(LogAppend, hands_out_the_checkpoint_that_its_receipts_belong_to) {
  const ScratchLog scratch;
  auto log = scratch.open().value();
  const auto first = log.append(counter_entries(1, 1)).value();
  ASSERT_TRUE(log.append(counter_entries(2, 1)).has_value());
  const ledger_format::Note note = ledger_format::read_note(*first.front().checkpoint).value();
  EXPECT_EQ(ledger_format::read_checkpoint(note.text)->tree_size, first.front().tree_size);
}

// One wrong clock must not date seals, nor forbid right ones for as long as it was wrong.
TEST(LogClock, ahead_by_more_than_a_day_has_to_be_confirmed) {
  // A year ago: no time server vouches for it.
  const UnixTime newest{system_now().seconds - std::int64_t{366} * 86'400};
  EXPECT_TRUE(check_clock_ahead(newest, newest, false).has_value());
  EXPECT_TRUE(check_clock_ahead(newest, {newest.seconds + 86'400}, false).has_value());
  EXPECT_TRUE(check_clock_ahead(newest, {newest.seconds - 86'400}, false).has_value());
  const auto refused = check_clock_ahead(newest, {newest.seconds + 86'401}, false);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, ErrorCode::clock_invalid);
  EXPECT_NE(refused.error().remedy.find("--clock-is-right"), std::string::npos);
  EXPECT_TRUE(check_clock_ahead(newest, {newest.seconds + 86'401}, true).has_value());
}

TEST(LogClock, that_was_wrong_is_left_behind_by_whoever_says_so) {
  const test::ScratchFolder scratch;
  const auto folder = scratch.path() / "log";
  const UnixTime right{1'790'000'000};
  const UnixTime wrong{right.seconds + std::int64_t{366} * 86'400};
  const auto key = crypto::PrivateKey::generate(crypto::KeyKind::ed25519).value();
  const std::string pem = key.write_pem().value();
  const auto own_key = [&] { return crypto::PrivateKey::read_pem(pem).value(); };
  const auto vkey = ledger_format::make_vkey(
      "clock.example/log", ledger_format::NoteKeyType::ed25519, key.public_key().write_ed25519());
  ASSERT_TRUE(Log::create(folder, "clock.example/log", key, right).has_value());
  const auto append = [&](UnixTime now, std::uint8_t entry, bool clock_is_right) {
    auto log = Log::open(folder, own_key(), [now] { return now; }, clock_is_right);
    EXPECT_TRUE(log.has_value());
    const Bytes one(8, static_cast<std::byte>(entry));
    return log->append({&one, 1});
  };
  ASSERT_TRUE(append(wrong, 1, false).has_value());
  const auto blocked = append(right, 2, false);
  ASSERT_FALSE(blocked.has_value());
  EXPECT_EQ(blocked.error().code, ErrorCode::clock_invalid);
  EXPECT_NE(blocked.error().remedy.find("--clock-is-right"), std::string::npos);
  const auto on = append(right, 2, true);
  ASSERT_TRUE(on.has_value()) << to_sentence(on.error());
  EXPECT_EQ(on->front().checkpoint_at, right);
  EXPECT_TRUE(append({right.seconds + 60}, 3, false).has_value()) << "nobody is asked again";
  EXPECT_TRUE(check_log(folder, vkey)->ok);
}

}  // namespace
}  // namespace fiducia::ledger::test
