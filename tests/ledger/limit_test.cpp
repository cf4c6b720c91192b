// SPDX-License-Identifier: Apache-2.0
// Bounds of what is appended: at each it is taken, one past it is refused.
#include "ledger/journal.h"
#include "ledger/recent.h"
#include "ledger/round_share.h"
#include "ledger/sequencer.h"
#include "ledger_support.h"

namespace fiducia::ledger::test {
namespace {

TEST(LogLimit, of_one_entry_holds) {
  const ScratchLog scratch;
  auto log = scratch.open().value();
  const Bytes longest(limits::ledger_entry_bytes_max, std::byte{7});
  const auto taken = append_shown(log, {&longest, 1});
  ASSERT_TRUE(taken.has_value()) << sentence(taken.error());
  EXPECT_EQ(scratch.read()->entry(taken->front().index), longest);
  const Bytes longer(limits::ledger_entry_bytes_max + 1, std::byte{7});
  const auto refused = log.append({&longer, 1});
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(code_word(refused.error()), "limit.reached");
}

#ifndef FIDUCIA_SANITIZED  // a quarter of a gibibyte of entries
TEST(LogLimit, of_one_append_holds) {
  // With their two bytes of length they fill a round to the last byte.
  std::vector<Bytes> entries(limits::ledger_round_bytes_max >> 16);
  for (std::size_t i = 0; i < entries.size(); ++i) {
    entries[i] = Bytes((1 << 16) - 2, std::byte{7});
    store_be(entries[i].data(), static_cast<std::uint64_t>(i));
  }
  const ScratchLog scratch;
  auto log = scratch.open().value();
  const auto taken = log.append(entries);
  ASSERT_TRUE(taken.has_value()) << sentence(taken.error());
  EXPECT_EQ(taken->size(), entries.size());
  entries.front().push_back(std::byte{0});
  const auto refused = log.append(entries);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(code_word(refused.error()), "limit.reached");
  EXPECT_TRUE(append_shown(log, counter_entries(0, 1)).has_value()) << "the log goes on";
  EXPECT_TRUE(scratch.check()->ok);
}
#endif

TEST(LogLimit, of_remembered_entries_forgets_the_oldest) {
  const auto leaf = [](std::uint64_t i) {
    Digest digest;
    store_be(digest.bytes.data(), i);
    return digest;
  };
  RecentEntries recent;
  for (std::uint64_t i = 0; i < limits::ledger_remembered_entries_max; ++i)
    ASSERT_EQ(recent.find_or_add(leaf(i), i), i);
  EXPECT_EQ(recent.find_or_add(leaf(0), 99), 0U) << "as many as it remembers";
  EXPECT_EQ(recent.find_or_add(leaf(1'000'000), 1'000'000), 1'000'000U);
  EXPECT_EQ(recent.find_or_add(leaf(1), 99), 1U);
  EXPECT_EQ(recent.find_or_add(leaf(0), 2'000'000), 2'000'000U) << "one more: the oldest went";
}

TEST(LogLimit, of_a_clock_that_is_ahead_holds) {
  // Years from now, so that no time server of this machine vouches for it.
  const UnixTime newest{4'000'000'000};
  const auto check = [&](std::int64_t ahead, bool clock_is_right = false) {
    return check_clock_ahead(newest, {newest.seconds + ahead}, clock_is_right);
  };
  EXPECT_TRUE(check(limits::ledger_clock_ahead_seconds_max).has_value());
  const auto refused = check(limits::ledger_clock_ahead_seconds_max + 1);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(code_word(refused.error()), "clock.invalid");
  EXPECT_TRUE(check(limits::ledger_clock_ahead_seconds_max + 1, true).has_value());
}

TEST(LogLimit, of_a_tail_is_above_the_largest_tree) {
  // Seven levels and more of 255 hashes, a bundle of 255 of the longest entries, the longest note.
  ledger_format::Frontage frontage;
  const std::vector<Digest> hashes(255);
  frontage.size = (std::uint64_t{1} << 56) - 1;
  for (int level = 0; level < 7; ++level)
    frontage.levels.push_back(std::make_shared<const ledger_format::TileNodes>(hashes));
  Tail tail{.frontage = frontage,
            .bundle = Bytes(255 * (limits::ledger_entry_bytes_max + 2)),
            .record = ledger_format::RootRecord{},
            .note = std::string(limits::note_bytes_max, 'n')};
  EXPECT_LE(write_tail(tail).size(), limits::ledger_tail_bytes_max);
}

TEST(LogLimit, of_appends_that_share_a_round_holds) {
  const auto count = [](std::vector<RoundShare> waiting) {
    return count_of_round(waiting, [](const RoundShare& share) { return share; });
  };
  constexpr std::size_t entries = limits::ledger_round_entries_max;
  constexpr std::uint64_t bytes = limits::ledger_round_bytes_max;
  EXPECT_EQ(count({}), 0U);
  EXPECT_EQ(count({{entries - 2, 1}, {1, 1}, {1, 1}, {1, 1}}), 3U);
  EXPECT_EQ(count({{entries - 1, 1}, {2, 1}}), 1U);
  EXPECT_EQ(count({{1, bytes - 2}, {1, 1}, {1, 1}, {1, 1}}), 3U);
  EXPECT_EQ(count({{1, bytes - 1}, {1, 2}}), 1U);
  EXPECT_EQ(count({{entries + 1, 1}, {0, 0}}), 1U) << "one alone may have more entries";
}

/// Bytes of the segments of the journal in `folder`, ascending.
std::vector<std::uintmax_t> segments(const fs::path& folder) {
  std::vector<std::uintmax_t> out;
  for (const auto& entry : fs::directory_iterator(folder / ".journal"))
    if (entry.is_regular_file() && entry.file_size() >= limits::ledger_segment_bytes_min)
      out.push_back(entry.file_size());
  std::ranges::sort(out);
  return out;
}

TEST(LogLimit, of_segments_holds) {
  const ScratchLog scratch;
  auto log = scratch.open().value();
  EXPECT_EQ(segments(scratch.folder),
            std::vector<std::uintmax_t>{limits::ledger_segment_bytes_min});
  // Rounds of 4 MiB until the journal has seen three times the largest segment.
  std::uintmax_t largest = 0;
  for (std::uint64_t done = 0; done < 3 * limits::ledger_segment_bytes_max; done += 4 << 20) {
    std::vector<Bytes> entries(64, Bytes((64 << 10) - 2, std::byte{7}));
    for (std::size_t i = 0; i < entries.size(); ++i) store_be(entries[i].data(), done + i);
    ASSERT_TRUE(append_shown(log, entries).has_value());
    largest = std::max(largest, segments(scratch.folder).back());
  }
  EXPECT_EQ(largest, limits::ledger_segment_bytes_max);
}

}  // namespace
}  // namespace fiducia::ledger::test
