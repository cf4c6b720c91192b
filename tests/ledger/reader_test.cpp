// SPDX-License-Identifier: Apache-2.0
#include <atomic>
#include <thread>

#include "ledger_support.h"
#include "merkle/merkle.h"
#include "published_vectors.h"

namespace fiducia::ledger::test {
namespace {

ledger_format::VerifierKey vkey_in(const fs::path& file) {
  std::string text = read_text(file);
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return ledger_format::read_vkey(text).value();
}

TEST(LogReader, reads_the_tessera_log_at_every_size) {
  const fs::path source = data("vectors/tessera-log");
  const ledger_format::VerifierKey key = vkey_in(source / "log.vkey");
  const ScratchFolder scratch;
  const fs::path folder = scratch.path() / "log";
  fs::copy(source, folder, fs::copy_options::recursive);
  std::vector<Digest> roots;
  for (std::uint64_t size = 0; size <= 15; ++size) {
    SCOPED_TRACE(size);
    fs::copy_file(source / ("checkpoint." + std::to_string(size)), folder / "checkpoint",
                  fs::copy_options::overwrite_existing);
    const auto reader = LogReader::open(folder, key);
    ASSERT_TRUE(reader.has_value()) << sentence(reader.error());
    ASSERT_EQ(reader->status().tree_size, size);
    roots.push_back(reader->status().root);
    for (std::uint64_t index = 0; index < size; ++index) {
      const auto path = reader->inclusion_proof(index);
      ASSERT_TRUE(path.has_value()) << sentence(path.error());
      EXPECT_TRUE(merkle::verify_inclusion(index, size, merkle::leaf_hash(*reader->entry(index)),
                                           *path, reader->status().root)
                      .has_value());
    }
    for (std::uint64_t first = 1; first <= size; ++first)
      EXPECT_TRUE(merkle::verify_consistency(first, size, roots[first], roots[size],
                                             *reader->consistency_proof(first))
                      .has_value());
    const auto check = check_log(folder, key);
    ASSERT_TRUE(check.has_value());
    EXPECT_TRUE(check->ok) << check->text;
  }
}

TEST(LogReader, reads_the_mirrored_tiles_under_a_cosigners_key) {
  const fs::path folder = data("vectors/mirror-log-300");
  const auto reader = LogReader::open(folder, vkey_in(folder / "cosigner.vkey"));
  ASSERT_TRUE(reader.has_value()) << sentence(reader.error());
  EXPECT_EQ(reader->status().tree_size, 300U);
  for (const std::uint64_t index : {0U, 255U, 256U, 299U})
    EXPECT_TRUE(reader->inclusion_proof(index).has_value()) << index;
  const auto entry = reader->entry(0);
  ASSERT_FALSE(entry.has_value());
  EXPECT_EQ(entry.error().code, ErrorCode::io_unreadable);
}

TEST(LogReader, gives_the_published_tlog_proofs) {
  const ScratchFolder scratch;
  const fs::path folder = scratch.path() / "log";
  fs::copy(data("vectors/tessera-log"), folder, fs::copy_options::recursive);
  int written = 0;
  for (const auto& row : read_json("tlog-proofs.json")) {
    SCOPED_TRACE(row["id"].get<std::string>());
    const std::string proof = row["proof"];
    const auto key = ledger_format::read_vkey(row["log_vkey"].get<std::string>()).value();
    if (!row["accept"].get<bool>() || proof.find("\nextra ") != std::string::npos) continue;
    const std::size_t at = proof.find("\n\n") + 2;
    write_plain(folder / "checkpoint", as_bytes(proof.substr(at)));
    const auto reader = LogReader::open(folder, key);
    ASSERT_TRUE(reader.has_value()) << sentence(reader.error());
    const std::uint64_t index = std::stoull(proof.substr(proof.find("index ") + 6));
    EXPECT_EQ(ledger_format::write_tlog_proof(index, *reader->inclusion_proof(index),
                                              reader->checkpoint()),
              proof);
    ++written;
  }
  EXPECT_GT(written, 5);
}

TEST(LogReader, refuses_indices_and_sizes_that_are_not_there) {
  const ScratchLog scratch;
  ASSERT_TRUE(scratch.open()->append(counter_entries(1, 4)).has_value());
  const auto reader = scratch.read().value();
  for (const std::uint64_t index : {std::uint64_t{5}, ~std::uint64_t{0}}) {
    EXPECT_EQ(reader.entry(index).error().code, ErrorCode::over_limit);
    EXPECT_EQ(reader.inclusion_proof(index).error().code, ErrorCode::over_limit);
  }
  for (const std::uint64_t first : {std::uint64_t{0}, std::uint64_t{6}, ~std::uint64_t{0}})
    EXPECT_EQ(reader.consistency_proof(first).error().code, ErrorCode::over_limit);
  EXPECT_TRUE(reader.consistency_proof(5)->empty());
}

TEST(LogReader, refuses_another_key_and_a_missing_log) {
  const ScratchLog scratch;
  EXPECT_EQ(LogReader::open(scratch.folder, vkey_of(new_key())).error().code,
            ErrorCode::signature_bad);
  EXPECT_EQ(LogReader::open(scratch.folder, vkey_of(scratch.key, "example.org/other")).error().code,
            ErrorCode::signature_bad);
  const auto missing = LogReader::open(scratch.folder / "none", vkey_of(scratch.key));
  EXPECT_EQ(missing.error().code, ErrorCode::io_unreadable);
}

TEST(LogReader, goes_on_reading_after_partial_tiles_gave_way_to_full_ones) {
  const ScratchLog scratch;
  auto log = scratch.open().value();
  ASSERT_TRUE(append_shown(log, counter_entries(1, 199)).has_value());
  const auto reader = scratch.read().value();
  ASSERT_TRUE(append_shown(log, counter_entries(200, 400)).has_value());
  EXPECT_FALSE(fs::exists(scratch.folder / "tile/entries/000.p"));
  for (std::uint64_t index = 1; index < 200; ++index)
    ASSERT_EQ(reader.entry(index).value(), counter_entry(index));
  EXPECT_EQ(reader.status().tree_size, 200U);
}

TEST(LogReader, never_stumbles_while_another_thread_appends) {
  const ScratchLog scratch;
  auto log = scratch.open().value();
  std::atomic<bool> done = false;
  std::jthread appender([&] {
    for (std::uint64_t i = 1; i < 400; ++i)
      if (!append_shown(log, counter_entries(i, 1))) break;
    done = true;
  });
  std::uint64_t size = 0;
  Digest root;
  int reads = 0;
  while (!done) {
    const auto reader = scratch.read();
    ASSERT_TRUE(reader.has_value()) << sentence(reader.error());
    const std::uint64_t now = reader->status().tree_size;
    ASSERT_GE(now, size);
    if (size > 0) {
      const auto proof = reader->consistency_proof(size);
      ASSERT_TRUE(proof.has_value()) << sentence(proof.error());
      ASSERT_TRUE(
          merkle::verify_consistency(size, now, root, reader->status().root, *proof).has_value());
    }
    const auto entry = reader->entry(now - 1);
    ASSERT_TRUE(entry.has_value()) << sentence(entry.error());
    size = now;
    root = reader->status().root;
    ++reads;
  }
  EXPECT_GT(reads, 1);
  EXPECT_EQ(log.status().tree_size, 400U);
}

TEST(LogReader, answers_many_threads) {
  const ScratchLog scratch;
  ASSERT_TRUE(scratch.open()->append(counter_entries(1, 2000)).has_value());
  const auto reader = scratch.read().value();
  std::atomic<int> bad = 0;
  {
    std::vector<std::jthread> workers;
    for (unsigned t = 0; t < 4; ++t)
      workers.emplace_back([&, t] {
        for (std::uint64_t index = t; index < 2001; index += 7) {
          const auto path = reader.inclusion_proof(index);
          const auto entry = reader.entry(index);
          if (!path || !entry ||
              !merkle::verify_inclusion(index, 2001, merkle::leaf_hash(*entry), *path,
                                        reader.status().root))
            ++bad;
        }
      });
  }
  EXPECT_EQ(bad, 0);
}

TEST(LogReader, proves_consistency_between_any_two_earlier_sizes) {
  const ScratchLog scratch;
  std::vector<Digest> roots{{}, scratch.read()->status().root};
  {
    auto log = scratch.open().value();
    for (std::uint64_t size = 2; size <= 40; ++size) {
      ASSERT_TRUE(log.append(counter_entries(size, 1)).has_value());
      roots.push_back(log.status().root);
    }
  }
  const auto reader = scratch.read();
  ASSERT_TRUE(reader.has_value()) << sentence(reader.error());
  for (std::uint64_t second = 1; second <= 40; ++second)
    for (std::uint64_t first = 1; first <= second; ++first) {
      const auto proof = reader->consistency_proof(first, second);
      ASSERT_TRUE(proof.has_value()) << first << " to " << second;
      EXPECT_TRUE(merkle::verify_consistency(first, second, roots[first], roots[second], *proof)
                      .has_value())
          << first << " to " << second;
    }
  for (const auto& [first, second] : {std::pair{0, 5}, {6, 5}, {5, 41}})
    EXPECT_EQ(reader
                  ->consistency_proof(static_cast<std::uint64_t>(first),
                                      static_cast<std::uint64_t>(second))
                  .error()
                  .code,
              ErrorCode::over_limit);
}

TEST(LogReader, reads_and_proves_entries_of_types_that_nobody_knows_yet) {
  const ScratchLog scratch;
  auto log = scratch.open().value();
  const Bytes later = ledger_format::write_entry({.type = static_cast<ledger_format::EntryType>(77),
                                                  .sign1_hash = merkle::leaf_hash({}),
                                                  .signer_hash = merkle::leaf_hash({}),
                                                  .claimed_at = noon});
  const auto appended = append_shown(log, {&later, 1});
  ASSERT_TRUE(appended.has_value()) << sentence(appended.error());
  const std::uint64_t index = appended->front().index;
  const auto reader = scratch.read();
  const auto entry = reader->entry(index);
  ASSERT_TRUE(entry.has_value()) << sentence(entry.error());
  EXPECT_EQ(to_word(ledger_format::read_entry(*entry)->type), "type 77");
  const auto proof = ledger_format::read_tlog_proof(ledger_format::write_tlog_proof(
      index, *reader->inclusion_proof(index), reader->checkpoint()));
  const ledger_format::VerifierKey key = vkey_of(scratch.key);
  EXPECT_TRUE(ledger_format::verify_tlog_proof(*proof, merkle::leaf_hash(later),
                                               {.origin = origin, .log_keys = {&key, 1}})
                  .has_value());
  EXPECT_TRUE(scratch.check()->ok);
}

}  // namespace
}  // namespace fiducia::ledger::test
