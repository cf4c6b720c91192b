// SPDX-License-Identifier: Apache-2.0
// Which object a check blames: for every bit of a small log, for every file of a large one.
#include <sys/stat.h>
#include <sys/wait.h>

#include <atomic>
#include <mutex>

#include "memory_log.h"

namespace fiducia::ledger::test {
namespace {

/// What is wrong with the answer to a damaged `path`, or nothing.
std::string wrong_answer(const ObjectSource& source, const ledger_format::VerifierKey& key,
                         const std::string& path, const CheckOptions& options = {}) {
  const auto check = check_log(source, key, options);
  if (!check) return "no answer: " + sentence(check.error());
  if (check->ok) return "passed";
  if (check->damaged != path) return "blames " + check->damaged + ": " + check->text;
  if (check->text.find(path) == std::string::npos) return "says " + check->text;
  return "";
}

TEST(CheckDamage, every_single_bit_of_a_log_of_300_entries_is_blamed_on_its_file) {
  const MemoryLog log{300};
  ASSERT_EQ(log.objects.size(), 6U);  // checkpoint, three tiles, two bundles
  ASSERT_TRUE(check_log(log, log.vkey())->ok);
  const Sample taken = sample(3, 21);
  for (const auto& [path, good] : log.objects) {
    SCOPED_TRACE(path);
    std::mutex mutex;
    std::string first_wrong;
    parallel_for(good.size(), worker_count(), [&](std::size_t at, unsigned) {
      Patched damaged{log, path, good};
      for (unsigned bit = 0; bit < 8; ++bit) {
        if (!taken.takes(at * 8 + bit, good.size() * 8)) continue;
        damaged.content()[at] ^= std::byte{1} << bit;
        const std::string wrong = wrong_answer(damaged, log.vkey(), path);
        damaged.content()[at] = good[at];
        if (wrong.empty()) continue;
        const std::lock_guard lock{mutex};
        first_wrong = "byte " + std::to_string(at) + " bit " + std::to_string(bit) + ": " + wrong;
      }
    });
    EXPECT_EQ(first_wrong, "");
  }
}

/// 273 full bundles and 112 entries: three levels of tiles, full and partial.
const MemoryLog& large_log() {
  static const MemoryLog log{70'000};
  return log;
}

TEST(CheckDamage, a_damaged_byte_in_any_file_of_a_log_of_70000_entries_is_blamed_on_it) {
  const std::uint64_t seed = fiducia::test::seed();
  SCOPED_TRACE("rerun with FIDUCIA_SEED=" + std::to_string(seed));
  std::mt19937_64 prng{seed};
  const MemoryLog& log = large_log();
  ASSERT_EQ(log.objects.size(), 1U + 274 + 274 + 2 + 1);
  const Sample taken = sample(3, 21, seed);
  std::size_t number = 0;
  for (const auto& [path, good] : log.objects) {
    if (!taken.takes(number++, log.objects.size())) continue;
    Patched damaged{log, path, good};
    const std::size_t at = prng() % good.size();
    damaged.content()[at] ^= std::byte{1} << (prng() % 8);
    EXPECT_EQ(wrong_answer(damaged, log.vkey(), path), "") << path << " byte " << at;
  }
}

TEST(CheckDamage, a_missing_cut_or_longer_file_of_a_log_of_70000_entries_is_blamed) {
  const MemoryLog& log = large_log();
  std::size_t number = 0;
  for (const auto& [path, good] : log.objects) {
    if (path == "checkpoint") continue;
    const bool special = path.find(".p/") != std::string::npos || path.starts_with("tile/1") ||
                         path.starts_with("tile/2");
    if (number++ % 29 != 0 && !special) continue;
    SCOPED_TRACE(path);
    EXPECT_EQ(wrong_answer(Patched{log, path, std::nullopt}, log.vkey(), path), "");
    EXPECT_EQ(wrong_answer(Patched{log, path, Bytes{}}, log.vkey(), path), "");
    Bytes other = good;
    other.push_back(std::byte{0});
    EXPECT_EQ(wrong_answer(Patched{log, path, other}, log.vkey(), path), "");
    other.resize(good.size() - 1);
    EXPECT_EQ(wrong_answer(Patched{log, path, other}, log.vkey(), path), "");
  }
}

TEST(CheckDamage, full_files_serve_in_place_of_partial_ones) {
  MemoryLog log{300};
  const Bytes note = log.objects.at("checkpoint");
  log.grow(70'000);
  log.objects["checkpoint"] = note;
  for (const std::string path : {"tile/0/001.p/44", "tile/1/000.p/1", "tile/entries/001.p/44"})
    ASSERT_EQ(log.objects.erase(path), 1U) << path;
  const auto check = check_log(log, log.vkey());
  ASSERT_TRUE(check.has_value());
  EXPECT_TRUE(check->ok) << check->text;
  EXPECT_EQ(check->entries_checked, 300U);
}

TEST(CheckDamage, a_wrong_leaf_that_its_tile_repeats_is_blamed_above) {
  // Bundle and leaf tile agree, so level 1 is the first that does not fit.
  MemoryLog log{70'000};
  MemoryLog other{70'000, [](std::uint64_t i) { return numbered_entry(i == 300 ? 1 : i); }};
  for (const std::string path : {"tile/0/001", "tile/entries/001"})
    log.objects[path] = other.objects[path];
  EXPECT_EQ(wrong_answer(log, log.vkey(), "tile/1/000"), "");
  // And with all tiles exchanged it is the signed root.
  for (auto& [path, bytes] : log.objects)
    if (path != "checkpoint") bytes = other.objects[path];
  EXPECT_EQ(wrong_answer(log, log.vkey(), "checkpoint"), "");
}

TEST(CheckDamage, the_first_of_several_is_named_for_any_number_of_workers) {
  MemoryLog log{70'000};
  for (const std::string path : {"tile/0/200", "tile/entries/100", "tile/0/101", "tile/2/000.p/1"})
    log.objects[path][3] ^= std::byte{4};
  const auto reference = check_log(log, log.vkey(), {.workers = 1});
  ASSERT_TRUE(reference.has_value());
  EXPECT_EQ(reference->damaged, "tile/entries/100");
  for (const unsigned workers : {2U, 3U, 8U}) {
    const auto check = check_log(log, log.vkey(), {.workers = workers});
    ASSERT_TRUE(check.has_value());
    EXPECT_EQ(check->text, reference->text);
    EXPECT_EQ(check->entries_checked, reference->entries_checked);
  }
}

TEST(CheckDamage, says_that_there_is_no_signed_root) {
  const MemoryLog log{300};
  const auto check = check_log(log, log.vkey());
  EXPECT_FALSE(check->has_signed_root);
  EXPECT_NE(check->text.find("signed-root.cbor"), std::string::npos) << check->text;
  const ScratchLog scratch;
  EXPECT_TRUE(scratch.check()->has_signed_root);
  EXPECT_EQ(scratch.check()->text.find("signed-root.cbor"), std::string::npos);
  fs::remove(scratch.folder / "signed-root.cbor");
  EXPECT_FALSE(scratch.check()->has_signed_root);
  EXPECT_EQ(scratch.read()->status().checkpoint_at, std::nullopt);
}

/// A log that somebody appends to whenever it is read: partial tiles give way to full ones.
class GrowingLog : public ObjectSource {
 public:
  explicit GrowingLog(std::uint64_t size) : log_{size} {}
  [[nodiscard]] Result<std::optional<Bytes>> read(const std::string& path,
                                                  std::uint64_t bytes_max) const override {
    const std::lock_guard lock{mutex_};
    auto found = log_.read(path, bytes_max);
    if (++reads_ % 7 != 0) return found;
    const std::uint64_t before = log_.frontage.size;
    log_.grow(before + 100);
    std::erase_if(log_.objects, [&](const auto& object) {
      const std::size_t partial = object.first.find(".p/");
      return partial != std::string::npos && log_.objects.contains(object.first.substr(0, partial));
    });
    return found;
  }
  [[nodiscard]] std::string name_of(const std::string& path) const override { return path; }
  [[nodiscard]] ledger_format::VerifierKey vkey() const { return log_.vkey(); }
  [[nodiscard]] std::uint64_t size() const { return log_.frontage.size; }

 private:
  mutable std::mutex mutex_;
  mutable MemoryLog log_;
  mutable std::uint64_t reads_ = 0;
};

TEST(CheckDamage, a_log_that_grows_during_the_check_is_intact) {
  const GrowingLog log{30'000};
  const auto check = check_log(log, log.vkey(), {.workers = 3});
  ASSERT_TRUE(check.has_value());
  EXPECT_TRUE(check->ok) << check->text;
  EXPECT_EQ(check->entries_checked, 30'000U);
  EXPECT_GT(log.size(), 31'000U);
}

TEST(CheckDamage, a_folder_that_may_not_be_written_is_checked_and_left_as_it_was) {
  const ScratchLog scratch;
  ASSERT_TRUE(scratch.open()->append(counter_entries(1, 299)).has_value());
  const Snapshot before = snapshot(scratch.folder);
  fs::permissions(scratch.scratch.path(), fs::perms{0755});
  for (const auto& entry : fs::recursive_directory_iterator(scratch.folder))
    fs::permissions(entry.path(), entry.is_directory() ? fs::perms{0555} : fs::perms{0444});
  fs::permissions(scratch.folder, fs::perms{0555});
  const pid_t child = ::fork();
  if (child == 0) {
    // To root permission bits say nothing; another user is bound by them.
    if (::geteuid() == 0 && (::setgid(65534) != 0 || ::setuid(65534) != 0)) ::_exit(3);
    if (::access((scratch.folder / "checkpoint").c_str(), W_OK) == 0) ::_exit(4);
    const auto check = scratch.check();
    ::_exit(check && check->ok && check->entries_checked == 300 ? 0 : 5);
  }
  ASSERT_GT(child, 0);
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
  for (const auto& entry : fs::recursive_directory_iterator(scratch.folder))
    if (entry.is_directory()) fs::permissions(entry.path(), fs::perms{0755});
  fs::permissions(scratch.folder, fs::perms{0755});
  EXPECT_EQ(snapshot(scratch.folder), before);
}

}  // namespace
}  // namespace fiducia::ledger::test
