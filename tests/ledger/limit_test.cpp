// SPDX-License-Identifier: Apache-2.0
// Bounds of what is appended: at each it is taken, one past it is refused.
#include "ledger/recent.h"
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

}  // namespace
}  // namespace fiducia::ledger::test
