// SPDX-License-Identifier: Apache-2.0
#include "home/home.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/support.h"

namespace fiducia::home {
namespace {

class Leftovers : public testing::Test {
 protected:
  void SetUp() override { std::filesystem::create_directories(home()); }
  [[nodiscard]] std::filesystem::path home() const { return folder_.path() / "home"; }
  [[nodiscard]] std::filesystem::path file(const std::string& name) const {
    return folder_.path() / name;
  }
  void touch(const std::string& name) const {
    ASSERT_TRUE(durable_write(file(name), as_bytes("x")).has_value());
  }
  /// Makes a file an hour older than the note.
  void age(const std::string& name) const {
    const timespec times[2] = {{.tv_sec = 1'000'000, .tv_nsec = 0},
                               {.tv_sec = 1'000'000, .tv_nsec = 0}};
    ASSERT_EQ(utimensat(AT_FDCWD, file(name).c_str(), times, 0), 0);
  }
  /// A process that notes these files and is killed.
  void note_and_die(const std::vector<std::string>& names) const {
    std::vector<std::filesystem::path> targets;
    for (const std::string& name : names) targets.push_back(file(name));
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      const auto note = WritingNote::make(home(), targets);
      ::_exit(note ? 0 : 1);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_EQ(status, 0);
  }

 private:
  test::ScratchFolder folder_;
};

TEST_F(Leftovers, of_noted_files_are_removed_and_nothing_else) {
  touch("a.dcm");
  touch(".a.dcm.backup");  // a user's own, older than the note
  age(".a.dcm.backup");
  note_and_die({"a.dcm"});
  for (const char* name :
       {".a.dcm.Xy12Zz", ".b.dcm.Xy12Zz", "a.dcm.Xy12Zz", ".a.dcm.Xy12Zz9", ".a.dcm"})
    touch(name);
  EXPECT_EQ(remove_leftovers(home()), 1u);
  EXPECT_FALSE(std::filesystem::exists(file(".a.dcm.Xy12Zz")));
  for (const char* name :
       {"a.dcm", ".a.dcm.backup", ".b.dcm.Xy12Zz", "a.dcm.Xy12Zz", ".a.dcm.Xy12Zz9", ".a.dcm"})
    EXPECT_TRUE(std::filesystem::exists(file(name))) << name;
  touch(".a.dcm.Xy12Zz");
  EXPECT_EQ(remove_leftovers(home()), 0u) << "the note was used up";
}

TEST_F(Leftovers, of_writers_side_by_side_are_all_removed) {
  note_and_die({"a.dcm", "b.dcm"});
  note_and_die({"c.dcm"});
  touch("writing-1");  // no note: it is not in the home
  for (const char* name : {".a.dcm.Xy12Zz", ".b.dcm.Xy12Zz", ".c.dcm.Xy12Zz"}) touch(name);
  EXPECT_EQ(remove_leftovers(home()), 3u);
  EXPECT_TRUE(std::filesystem::is_empty(home())) << "the notes were used up";
  EXPECT_TRUE(std::filesystem::exists(file("writing-1")));
}

TEST_F(Leftovers, are_not_looked_for_after_a_complete_run) {
  {
    const auto one = WritingNote::make(home(), std::vector{file("a.dcm")});
    const auto other = WritingNote::make(home(), std::vector{file("b.dcm")});
    ASSERT_TRUE(one.has_value() && other.has_value());
    EXPECT_EQ(std::distance(std::filesystem::directory_iterator{home()}, {}), 2);
  }
  touch(".a.dcm.Xy12Zz");
  touch(".b.dcm.Xy12Zz");
  EXPECT_EQ(remove_leftovers(home()), 0u);
  EXPECT_TRUE(std::filesystem::exists(file(".a.dcm.Xy12Zz")));
}

}  // namespace
}  // namespace fiducia::home
