// SPDX-License-Identifier: Apache-2.0
#include "home/home.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

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

 private:
  test::ScratchFolder folder_;
};

TEST_F(Leftovers, of_noted_files_are_removed_and_nothing_else) {
  touch("a.dcm");
  touch(".a.dcm.backup");  // a user's own, older than the note
  age(".a.dcm.backup");
  ASSERT_TRUE(note_writing(home(), std::vector{file("a.dcm")}).has_value());
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

TEST_F(Leftovers, are_not_looked_for_after_a_complete_run) {
  ASSERT_TRUE(note_writing(home(), std::vector{file("a.dcm")}).has_value());
  forget_writing(home());
  touch(".a.dcm.Xy12Zz");
  EXPECT_EQ(remove_leftovers(home()), 0u);
  EXPECT_TRUE(std::filesystem::exists(file(".a.dcm.Xy12Zz")));
}

}  // namespace
}  // namespace fiducia::home
