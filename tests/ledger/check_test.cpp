// SPDX-License-Identifier: Apache-2.0
#include "ledger_support.h"

namespace fiducia::ledger::test {
namespace {

/// Flips one bit of `name` in turn and asks every reader of the log.
void expect_refused(const ScratchLog& scratch, const std::string& name, std::size_t bit,
                    const Bytes& good) {
  Bytes broken = good;
  broken[bit / 8] ^= std::byte{1} << (bit % 8);
  write_plain(scratch.folder / name, broken);
  const auto check = scratch.check();
  ASSERT_TRUE(check.has_value());
  ASSERT_FALSE(check->ok) << name << " bit " << bit;
  ASSERT_EQ(check->damaged, name) << "bit " << bit << ": " << check->text;
  ASSERT_NE(check->text.find(name), std::string::npos);
}

TEST(CheckLog, names_the_file_for_every_single_bit_of_a_small_log) {
  const ScratchLog scratch;
  {
    auto log = scratch.open().value();
    ASSERT_TRUE(append_shown(log, counter_entries(1, 2)).has_value());
    ASSERT_TRUE(append_shown(log, counter_entries(3, 2)).has_value());
  }
  const Sample taken = sample(3, 21);  // no multiples of eight: each bit of a byte has its turn
  for (const std::string name :
       {"checkpoint", "signed-root.cbor", "tile/0/000.p/5", "tile/entries/000.p/5"}) {
    const Bytes good = read_file(scratch.folder / name, 1 << 20).value();
    for (std::size_t bit = 0; bit < good.size() * 8; ++bit) {
      if (!taken.takes(bit, good.size() * 8)) continue;
      expect_refused(scratch, name, bit, good);
      if (HasFatalFailure()) return;
      // Neither appends nor reads go on with it. The leaf of a wrong entry is a tile's affair
      // for the reader: it opens, and refuses that entry.
      if (name != "signed-root.cbor") {  // what an appender builds upon is in its journal
        EXPECT_FALSE(scratch.open().has_value()) << name << " bit " << bit;
      }
      const auto reader = scratch.read();
      bool refused = !reader;
      for (std::uint64_t i = 0; reader && i < 5; ++i) refused |= !reader->entry(i).has_value();
      EXPECT_TRUE(refused || name == "signed-root.cbor") << name << " bit " << bit;
    }
    write_plain(scratch.folder / name, good);
  }
  ASSERT_TRUE(scratch.check()->ok);
}

/// The entry to ask for first where this bit of a bundle or a leaf tile is another one: each takes
/// a reader a whole bundle. "tile/entries/001" begins with entry 256; here all have eight bytes.
std::uint64_t likely_damaged(const std::string& name, std::size_t bit) {
  const bool bundle = name.starts_with("tile/entries/");
  if (!bundle && !name.starts_with("tile/0/")) return 0;
  const std::size_t at = name.rfind("/00") + 3;
  return 256 * static_cast<std::uint64_t>(name[at] - '0') + bit / 8 / (bundle ? 2 + 8 : 32);
}

TEST(CheckLog, names_the_file_for_any_bit_of_a_log_with_several_tiles) {
  const std::uint64_t seed = fiducia::test::seed();
  SCOPED_TRACE("rerun with FIDUCIA_SEED=" + std::to_string(seed));
  std::mt19937_64 prng{seed};
  const ScratchLog scratch;
  {
    auto log = scratch.open().value();
    ASSERT_TRUE(append_shown(log, counter_entries(1, 299)).has_value());
    ASSERT_TRUE(append_shown(log, counter_entries(300, 300)).has_value());
  }
  const Sample taken = sample(3, 21, seed);
  for (const std::string name :
       {"tile/0/000", "tile/0/001", "tile/0/002.p/88", "tile/1/000.p/2", "tile/entries/000",
        "tile/entries/001", "tile/entries/002.p/88", "checkpoint"}) {
    const Bytes good = read_file(scratch.folder / name, 1 << 20).value();
    for (std::size_t i = 0; i < 300; i += taken.step) {
      const std::size_t bit = prng() % (good.size() * 8);
      expect_refused(scratch, name, bit, good);
      if (HasFatalFailure()) return;
      const auto reader = scratch.read();
      bool refused = !reader;
      for (std::uint64_t k = 0; reader && k < 600 && !refused; ++k)
        refused |= !reader->entry((likely_damaged(name, bit) + k) % 600).has_value();
      EXPECT_TRUE(refused) << name << " bit " << bit;
    }
    write_plain(scratch.folder / name, good);
  }
  ASSERT_TRUE(scratch.check()->ok);
}

TEST(CheckLog, names_a_file_that_is_missing_cut_or_longer) {
  const ScratchLog scratch;
  ASSERT_TRUE(scratch.open()->append(counter_entries(1, 599)).has_value());
  const Snapshot good = public_snapshot(scratch.folder);
  for (const auto& [name, bytes] : good) {
    if (name == "signed-root.cbor") continue;  // another implementation's log has none
    SCOPED_TRACE(name);
    fs::remove(scratch.folder / name);
    EXPECT_EQ(scratch.check()->damaged, name);
    write_plain(scratch.folder / name, std::span{bytes}.first(bytes.size() - 1));
    EXPECT_EQ(scratch.check()->damaged, name);
    Bytes longer = bytes;
    longer.push_back(std::byte{0});
    write_plain(scratch.folder / name, longer);
    EXPECT_EQ(scratch.check()->damaged, name);
    write_plain(scratch.folder / name, bytes);
    EXPECT_TRUE(scratch.check()->ok);
  }
}

TEST(CheckLog, reports_progress_to_the_end) {
  const ScratchLog scratch;
  ASSERT_TRUE(scratch.open()->append(counter_entries(1, 39'999)).has_value());
  std::vector<std::uint64_t> seen;
  const auto check = check_log(scratch.folder, vkey_of(scratch.key),
                               {.progress = [&](std::uint64_t done, std::uint64_t total) {
                                 EXPECT_EQ(total, 40'000U);
                                 seen.push_back(done);
                               }});
  ASSERT_TRUE(check->ok) << check->text;
  ASSERT_GE(seen.size(), 3U);
  EXPECT_TRUE(std::is_sorted(seen.begin(), seen.end()));
  EXPECT_EQ(seen.back(), 40'000U);
}

TEST(CheckLog, refuses_another_key) {
  const ScratchLog scratch;
  const auto check = check_log(scratch.folder, vkey_of(new_key()));
  ASSERT_TRUE(check.has_value());
  EXPECT_FALSE(check->ok);
  EXPECT_EQ(check->damaged, "checkpoint");
}

}  // namespace
}  // namespace fiducia::ledger::test
