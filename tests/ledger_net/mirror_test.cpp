// SPDX-License-Identifier: Apache-2.0
#include "ledger_net/mirror.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <fstream>

#include "paper_log.h"
#include "support/support.h"

namespace fiducia::ledger_net {
namespace {

using namespace test;
namespace fs = std::filesystem;

/// Nothing here is about the disk, and `sync` waits for all of it: work in memory where there is a
/// file system for that. TMPDIR overrides it.
const bool scratch_in_memory = fiducia::test::scratch_into_memory();

/// All files of a folder but the lock.
Objects files_of(const fs::path& folder) {
  Objects files;
  const auto list = list_files(folder);
  for (const fs::path& path : list.value())
    if (path.filename() != "lock")
      files[path.lexically_relative(folder).string()] = read_file(path, 64 << 20).value();
  return files;
}

void restore(const fs::path& folder, const Objects& files) {
  fs::remove_all(folder);
  for (const auto& [name, bytes] : files) {
    fs::create_directories((folder / name).parent_path());
    std::ofstream{folder / name, std::ios::binary}.write(
        reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  }
}

/// The objects that the tree of `size` leaves calls for.
Objects needed(const Objects& objects, std::uint64_t size) {
  Objects some;
  for (const std::string& path : called_for(size)) some[path] = objects.at(path);
  return some;
}

struct MirrorWorld {
  fiducia::test::ScratchFolder scratch;
  fs::path folder = scratch.path() / "copy";
  crypto::PrivateKey key = new_key();
  PaperLog log{key};
  explicit MirrorWorld(std::uint64_t size) { log.grow_to(size); }

  [[nodiscard]] std::shared_ptr<PaperSource> source() const {
    return std::make_shared<PaperSource>(log.objects);
  }
  [[nodiscard]] Result<Mirrored> mirror(std::shared_ptr<const ledger::ObjectSource> from,
                                        const MirrorOptions& options = {.parallel = 2}) const {
    return mirror_log(std::move(from), folder, vkey_of(key), options);
  }
  [[nodiscard]] Result<Mirrored> mirror() const { return mirror(source()); }
  [[nodiscard]] bool is_intact() const {
    const auto check = ledger::check_log(folder, vkey_of(key));
    return check && check->ok;
  }
};

TEST(Mirror, copies_what_the_checkpoint_calls_for_and_nothing_else) {
  for (const std::uint64_t size : {1U, 255U, 256U, 257U, 600U, 70'000U}) {
    const MirrorWorld world{size};
    std::uint64_t last_done = 0;
    const auto mirrored =
        world.mirror(world.source(), {.progress = [&](std::uint64_t done, std::uint64_t total) {
                       EXPECT_GT(done, last_done);
                       EXPECT_EQ(total, size);
                       last_done = done;
                     }});
    ASSERT_TRUE(mirrored) << to_sentence(mirrored.error());
    EXPECT_EQ(mirrored->state, MirrorState::updated);
    EXPECT_EQ(mirrored->size, size);
    EXPECT_EQ(mirrored->origin, origin);
    EXPECT_EQ(last_done, size);
    EXPECT_EQ(files_of(world.folder), needed(world.log.objects, size)) << size;
    EXPECT_TRUE(world.is_intact());
  }
}

TEST(Mirror, fetches_only_what_is_new) {
  MirrorWorld world{70'000};
  ASSERT_TRUE(world.mirror());
  const auto same = world.source();
  const auto unchanged = world.mirror(same);
  ASSERT_TRUE(unchanged);
  EXPECT_EQ(unchanged->state, MirrorState::unchanged);
  EXPECT_EQ(same->reads, 1);

  world.log.grow_to(70'300);
  const auto grown = world.source();
  const auto updated = world.mirror(grown);
  ASSERT_TRUE(updated) << to_sentence(updated.error());
  EXPECT_EQ(updated->state, MirrorState::updated);
  EXPECT_EQ(updated->size_before, 70'000U);
  EXPECT_LT(grown->reads, 30) << "of 550 objects";
  EXPECT_TRUE(world.is_intact());
  const auto files = files_of(world.folder);
  for (const std::string& path : called_for(70'300))
    EXPECT_EQ(files.at(path), world.log.objects.at(path)) << path;
  EXPECT_FALSE(fs::exists(world.folder / "tile/0/273.p")) << "a full tile is there instead";
  EXPECT_FALSE(fs::exists(world.folder / "tile/entries/273.p"));
}

/// Bytes that a run reads of the log.
class MeteredSource final : public ledger::ObjectSource {
 public:
  explicit MeteredSource(std::shared_ptr<const ledger::ObjectSource> source)
      : source_(std::move(source)) {}
  [[nodiscard]] Result<std::optional<Bytes>> read(const std::string& path,
                                                  std::uint64_t bytes_max) const override {
    auto object = source_->read(path, bytes_max);
    if (object && *object) bytes += (*object)->size();
    return object;
  }
  [[nodiscard]] std::string name_of(const std::string& path) const override {
    return source_->name_of(path);
  }
  mutable std::atomic<std::uint64_t> bytes = 0;

 private:
  std::shared_ptr<const ledger::ObjectSource> source_;
};

TEST(Mirror, has_the_bounds_of_the_program_unless_told) {
  // What each does at its value and past it is tested with smaller ones.
  const MirrorOptions options;
  EXPECT_EQ(options.entries_max, limits::mirror_run_entries_max);
  EXPECT_EQ(options.bytes_max, limits::mirror_run_bytes_max);
  EXPECT_EQ(options.time_max, std::chrono::seconds{limits::mirror_run_seconds_max});
}

TEST(Mirror, reads_no_more_bytes_in_one_run_than_it_may) {
  const MirrorWorld world{3'000};
  const auto metered = std::make_shared<MeteredSource>(world.source());
  ASSERT_TRUE(world.mirror(metered, {.parallel = 1}));
  const std::uint64_t all = metered->bytes;

  fs::remove_all(world.folder);
  ASSERT_TRUE(world.mirror(world.source(), {.parallel = 1, .bytes_max = all}));
  EXPECT_TRUE(world.is_intact());

  fs::remove_all(world.folder);
  const auto stopped = world.mirror(world.source(), {.parallel = 1, .bytes_max = all - 1});
  ASSERT_FALSE(stopped);
  EXPECT_EQ(code_word(stopped.error()), "limit.reached");
  EXPECT_NE(stopped.error().remedy.find("Run it again"), std::string::npos);
  EXPECT_FALSE(fs::exists(world.folder / "checkpoint")) << "the copy says nothing that it has not";
}

TEST(Mirror, that_reached_its_bound_goes_on_where_it_was) {
  const MirrorWorld world{3'000};
  const auto metered = std::make_shared<MeteredSource>(world.source());
  ASSERT_TRUE(world.mirror(metered));
  const std::uint64_t all = metered->bytes;
  fs::remove_all(world.folder);
  int runs = 1;
  while (!world.mirror(world.source(), {.parallel = 2, .bytes_max = all * 2 / 3})) {
    ASSERT_LT(runs, 10);
    ++runs;
  }
  EXPECT_GE(runs, 2);
  EXPECT_TRUE(world.is_intact());
  EXPECT_EQ(files_of(world.folder), needed(world.log.objects, 3'000));
}

TEST(Mirror, runs_no_longer_than_it_may) {
  const MirrorWorld world{600};
  const auto reads = world.source();
  ASSERT_TRUE(world.mirror(reads, {.parallel = 1}));
  // A clock that shows one second more each time it is looked at: at the beginning, and before each
  // object.
  const auto run = [&](int seconds) {
    fs::remove_all(world.folder);
    int looks = 0;
    return world.mirror(
        world.source(),
        {.parallel = 1, .time_max = std::chrono::seconds{seconds}, .now = [&looks] {
           return std::chrono::steady_clock::time_point{std::chrono::seconds{looks++}};
         }});
  };
  EXPECT_TRUE(run(reads->reads));
  const auto late = run(reads->reads - 1);
  ASSERT_FALSE(late);
  EXPECT_EQ(code_word(late.error()), "limit.reached");
}

TEST(Mirror, refuses_more_new_entries_than_one_run_takes_before_it_fetches_any) {
  MirrorWorld world{600};
  ASSERT_TRUE(world.mirror(world.source(), {.entries_max = 600}));
  world.log.grow_to(1'200);
  const auto source = world.source();
  const auto refused = world.mirror(source, {.entries_max = 599});
  ASSERT_FALSE(refused);
  EXPECT_EQ(code_word(refused.error()), "limit.reached");
  EXPECT_LT(source->reads, 10) << "checkpoint, and what shows that the log was continued";
  EXPECT_TRUE(world.is_intact()) << "of 600 entries still";
  EXPECT_TRUE(world.mirror(world.source(), {.entries_max = 600}));
}

TEST(Mirror, takes_over_new_cosignatures_of_the_same_tree) {
  const MirrorWorld world{10};
  ASSERT_TRUE(world.mirror());
  const auto source = world.source();
  append(source->objects()["checkpoint"], as_bytes("\xE2\x80\x94 witness AAAAAQAA\n"));
  const auto mirrored = world.mirror(source);
  ASSERT_TRUE(mirrored) << to_sentence(mirrored.error());
  EXPECT_EQ(mirrored->state, MirrorState::updated);
  EXPECT_EQ(files_of(world.folder).at("checkpoint"), source->objects().at("checkpoint"));
}

TEST(Mirror, names_the_object_that_is_damaged_and_keeps_the_old_copy) {
  MirrorWorld world{300};
  ASSERT_TRUE(world.mirror());
  const Objects before = files_of(world.folder);
  world.log.grow_to(900);
  int damaged = 0;
  for (const std::string& path : called_for(900)) {
    if (before.contains(path) && path != "checkpoint") continue;  // will not be asked for
    const auto source = world.source();
    Bytes& bytes = source->objects().at(path);
    bytes[bytes.size() / 2] ^= std::byte{4};
    const auto mirrored = world.mirror(source);
    ASSERT_FALSE(mirrored) << path;
    EXPECT_NE(mirrored.error().where.file.find(path), std::string::npos)
        << path << " was damaged, and this was said: " << to_sentence(mirrored.error());
    EXPECT_TRUE(mirrored.error().code == ErrorCode::malformed ||
                mirrored.error().code == ErrorCode::signature_bad)
        << to_sentence(mirrored.error());
    ++damaged;
    const Objects after = files_of(world.folder);
    for (const auto& [name, content] : before) EXPECT_EQ(after.at(name), content) << name;
    for (const auto& [name, content] : after)
      EXPECT_TRUE(before.contains(name) || world.log.objects.at(name) == content)
          << name << " is not what the log holds";
    EXPECT_TRUE(world.is_intact()) << path;
    restore(world.folder, before);
  }
  EXPECT_EQ(damaged, 8);
  EXPECT_TRUE(world.mirror());
  EXPECT_TRUE(world.is_intact());
}

TEST(Mirror, raises_an_alarm_when_the_log_forks) {
  struct Row {
    const char* name;
    std::uint64_t size;
    MirrorState state;
    bool proof;
  };
  for (const Row& row : {Row{"same size", 300, MirrorState::forked, false},
                         Row{"larger", 900, MirrorState::forked, true},
                         Row{"smaller", 290, MirrorState::forked, false}}) {
    const MirrorWorld world{300};
    ASSERT_TRUE(world.mirror());
    const Objects before = files_of(world.folder);
    PaperLog other{world.key};
    other.grow_to(280);
    other.grow_to(row.size, "other");
    for (int again = 0; again < 2; ++again) {
      const auto mirrored = world.mirror(std::make_shared<PaperSource>(other.objects));
      ASSERT_TRUE(mirrored) << row.name << to_sentence(mirrored.error());
      EXPECT_EQ(mirrored->state, row.state) << row.name;
      Objects after = files_of(world.folder);
      const std::string alarm = mirrored->alarm.lexically_relative(world.folder).string();
      EXPECT_EQ(after.at(alarm + "/kept-checkpoint"), before.at("checkpoint"));
      EXPECT_EQ(after.at(alarm + "/offered-checkpoint"), other.objects.at("checkpoint"));
      EXPECT_EQ(after.contains(alarm + "/consistency-proof"), row.proof) << row.name;
      std::erase_if(after, [](const auto& file) { return file.first.starts_with("alarms/"); });
      EXPECT_EQ(after, before) << "the copy is as it was";
    }
    EXPECT_TRUE(world.mirror()) << "the log as it was is still followed";
  }
}

TEST(Mirror, raises_an_alarm_when_the_log_shrinks) {
  MirrorWorld world{300};
  const auto earlier = world.source();
  world.log.grow_to(900);
  ASSERT_TRUE(world.mirror());
  const auto mirrored = world.mirror(earlier);
  ASSERT_TRUE(mirrored);
  EXPECT_EQ(mirrored->state, MirrorState::shrunk);
  EXPECT_EQ(mirrored->size_before, 900U);
  EXPECT_EQ(mirrored->size, 300U);
  EXPECT_TRUE(fs::exists(mirrored->alarm / "offered-checkpoint"));
  EXPECT_TRUE(world.is_intact());
}

TEST(Mirror, refuses_another_log_and_another_key) {
  const MirrorWorld world{10};
  const auto stranger = mirror_log(world.source(), world.folder, vkey_of(new_key()), {});
  ASSERT_FALSE(stranger);
  EXPECT_EQ(stranger.error().code, ErrorCode::signature_bad);
  EXPECT_EQ(stranger.error().where.file, "paper:checkpoint");
  // The right key signs under its name the checkpoint of another origin.
  const ledger_format::Checkpoint other{
      .origin = "example.org/other", .tree_size = 10, .root = {}, .extensions = {}};
  const auto note =
      ledger_format::write_note(ledger_format::write_checkpoint(other), origin, world.key);
  const auto source = world.source();
  source->objects()["checkpoint"].clear();
  append(source->objects()["checkpoint"], as_bytes(*note));
  const auto elsewhere = world.mirror(source);
  ASSERT_FALSE(elsewhere);
  EXPECT_EQ(elsewhere.error().code, ErrorCode::signature_bad);
  EXPECT_NE(elsewhere.error().what.find("example.org/other"), std::string::npos);
  EXPECT_FALSE(fs::exists(world.folder / "checkpoint"));
}

TEST(Mirror, says_so_when_the_copy_is_not_of_this_log) {
  const MirrorWorld world{10};
  ASSERT_TRUE(world.mirror());
  const crypto::PrivateKey key = new_key();
  PaperLog other{key};
  other.grow_to(20);
  const auto mirrored =
      mirror_log(std::make_shared<PaperSource>(other.objects), world.folder, vkey_of(key), {});
  ASSERT_FALSE(mirrored);
  EXPECT_EQ(mirrored.error().code, ErrorCode::signature_bad);
  EXPECT_EQ(mirrored.error().where.file, (world.folder / "checkpoint").string());
  EXPECT_TRUE(world.is_intact());
}

TEST(Mirror, goes_on_where_it_was_cut_off) {
  const MirrorWorld world{3'000};
  const auto counted = world.source();
  ASSERT_TRUE(world.mirror(counted, {.parallel = 1}));
  const int all_reads = counted->reads;
  int resumed_reads = 0;
  for (int allowed = 1; allowed < all_reads; ++allowed) {
    fs::remove_all(world.folder);
    const auto failing = world.source();
    failing->before_read = [allowed](int number) { return number <= allowed; };
    const auto cut = world.mirror(failing, {.parallel = 1});
    ASSERT_FALSE(cut) << allowed;
    EXPECT_EQ(cut.error().code, ErrorCode::io_unreadable);
    EXPECT_FALSE(fs::exists(world.folder / "checkpoint")) << "all or nothing";
    const auto rest = world.source();
    ASSERT_TRUE(world.mirror(rest, {.parallel = 1})) << allowed;
    resumed_reads = rest->reads;
    EXPECT_EQ(files_of(world.folder), needed(world.log.objects, 3'000)) << allowed;
  }
  EXPECT_LT(resumed_reads, all_reads / 2) << "what was there was fetched again";
}

TEST(Mirror, survives_a_kill_at_any_moment) {
  MirrorWorld world{300};
  ASSERT_TRUE(world.mirror());
  world.log.grow_to(2'000);
  const Objects before = files_of(world.folder);
  for (int at = 1; at <= 12; ++at) {
    restore(world.folder, before);
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      const auto source = world.source();
      source->before_read = [at](int number) {
        if (number == at) ::raise(SIGKILL);
        return true;
      };
      static_cast<void>(world.mirror(source));
      ::_exit(0);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status)) << at;
    // A kill between writing a file and giving it its name leaves these.
    for (const char* left :
         {".checkpoint.Xy12Zz", "tile/0/.001.Xy12Zz", "tile/entries/.001.Xy12Zz"}) {
      fs::create_directories((world.folder / left).parent_path());
      std::ofstream{world.folder / left} << "torn";
    }
    EXPECT_EQ(files_of(world.folder).at("checkpoint"), before.at("checkpoint")) << at;
    EXPECT_TRUE(world.is_intact()) << at;
    ASSERT_TRUE(world.mirror()) << at;
    EXPECT_TRUE(world.is_intact()) << at;
    const Objects after = files_of(world.folder);
    for (const auto& [path, content] : after) EXPECT_FALSE(path.contains("/.")) << path;
    EXPECT_FALSE(after.contains(".checkpoint.Xy12Zz"));
    for (const auto& [path, content] : needed(world.log.objects, 2'000))
      EXPECT_EQ(after.at(path), content) << path;
  }
}

TEST(Mirror, does_not_believe_what_an_earlier_run_left) {
  MirrorWorld world{300};
  ASSERT_TRUE(world.mirror());
  world.log.grow_to(900);
  fs::create_directories(world.folder / "tile/entries");
  for (const char* path : {"tile/0/001", "tile/entries/001", "tile/0/002"})
    std::ofstream{world.folder / path} << "torn";
  const auto mirrored = world.mirror();
  ASSERT_TRUE(mirrored) << to_sentence(mirrored.error());
  EXPECT_TRUE(world.is_intact());
}

TEST(Mirror, stops_when_asked) {
  const MirrorWorld world{3'000};
  std::stop_source stop;
  const auto source = world.source();
  source->before_read = [&stop](int number) {
    if (number == 8) stop.request_stop();
    return true;
  };
  const auto mirrored = world.mirror(source, {.parallel = 1, .stop = stop.get_token()});
  ASSERT_FALSE(mirrored);
  EXPECT_EQ(mirrored.error().code, ErrorCode::io_unreadable);
  EXPECT_FALSE(fs::exists(world.folder / "checkpoint"));
  EXPECT_TRUE(world.mirror());
}

TEST(Mirror, works_on_a_folder_alone) {
  const MirrorWorld world{10};
  ASSERT_TRUE(world.mirror());
  const auto held = FileLock::acquire(world.folder / "lock", 0);
  ASSERT_TRUE(held);
  const auto mirrored = world.mirror();
  ASSERT_FALSE(mirrored);
  EXPECT_EQ(mirrored.error().code, ErrorCode::busy);
}

}  // namespace
}  // namespace fiducia::ledger_net
