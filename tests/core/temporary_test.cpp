// SPDX-License-Identifier: Apache-2.0
#include "core/temporary.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <fstream>

#include "core/core.h"
#include "support/support.h"

namespace fiducia {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> names_in(const fs::path& folder) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder))
    names.push_back(entry.path().filename().string());
  std::ranges::sort(names);
  return names;
}

void touch(const fs::path& path) { std::ofstream{path} << "x"; }

TEST(Temporary, names_say_their_target) {
  EXPECT_EQ(target_of_temporary(".a.dcm.Xy12Zz"), "a.dcm");
  EXPECT_EQ(target_of_temporary(".checkpoint.abcdef"), "checkpoint");
  EXPECT_EQ(target_of_temporary("..a.Xy12Zz"), ".a");
  for (const char* name : {"", ".", "a.dcm.Xy12Zz", ".a.dcm.Xy12Z", ".a.dcm.Xy12Zz9",
                           ".a.dcm-Xy12Zz", "..Xy12Zz", ".Xy12Zz", ".a.Xy1 Zz", ".a.Xy1.Zz"})
    EXPECT_EQ(target_of_temporary(name), "") << name;
}

TEST(Temporary, files_of_the_targets_that_are_meant_are_removed) {
  const test::ScratchFolder folder;
  for (const char* name :
       {".state.Xy12Zz", ".state.abcdef", ".other.Xy12Zz", "state", ".state.old"})
    touch(folder.path() / name);
  fs::create_directory(folder.path() / ".state.folder");
  const auto is_state = [](std::string_view target) { return target == "state"; };
  EXPECT_EQ(remove_temporaries(folder.path(), is_state), 2U);
  EXPECT_EQ(names_in(folder.path()),
            (std::vector<std::string>{".other.Xy12Zz", ".state.folder", ".state.old", "state"}));
  EXPECT_EQ(remove_temporaries(folder.path() / "missing", is_state), 0U);
}

TEST(BuildFolder, comes_to_its_place_whole_or_leaves_nothing) {
  const test::ScratchFolder folder;
  {
    auto building = BuildFolder::make(folder.path() / "home");
    ASSERT_TRUE(building.has_value()) << to_sentence(building.error());
    touch(building->path() / "file");
    EXPECT_FALSE(fs::exists(folder.path() / "home"));
    EXPECT_EQ(building->move_to_place(), 0);
  }
  EXPECT_TRUE(fs::exists(folder.path() / "home/file"));
  {
    auto building = BuildFolder::make(folder.path() / "home");
    ASSERT_TRUE(building.has_value());
    touch(building->path() / "file");
    EXPECT_EQ(building->move_to_place(), ENOTEMPTY) << "what is there stays";
  }
  EXPECT_EQ(names_in(folder.path()), std::vector<std::string>{"home"});
  const auto nowhere = BuildFolder::make(folder.path() / "missing" / "home");
  ASSERT_FALSE(nowhere.has_value());
  EXPECT_EQ(nowhere.error().code, ErrorCode::io_unwritable);
}

TEST(BuildFolder, of_a_killed_process_is_removed_and_of_a_living_one_is_not) {
  const test::ScratchFolder folder;
  fs::create_directory(folder.path() / ".home.building-folder-of-a-user");
  fs::create_directory(folder.path() / ".other.building-abcdef");
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe(ends.data()), 0);
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    const auto building = BuildFolder::make(folder.path() / "home");
    if (!building) ::_exit(1);
    touch(building->path() / "key.pem");
    const std::string name = building->path().filename().string();
    static_cast<void>(::write(ends[1], name.data(), name.size()));
    for (;;) ::pause();
  }
  std::array<char, 256> name{};
  const ssize_t length = ::read(ends[0], name.data(), name.size());
  ASSERT_GT(length, 0);
  const fs::path of_child =
      folder.path() / std::string(name.data(), static_cast<std::size_t>(length));
  EXPECT_TRUE(BuildFolder::make(folder.path() / "home").has_value());
  EXPECT_TRUE(fs::exists(of_child / "key.pem")) << "its maker lives";
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  EXPECT_TRUE(BuildFolder::make(folder.path() / "elsewhere").has_value());
  EXPECT_TRUE(fs::exists(of_child / "key.pem")) << "somebody else's place";
  EXPECT_TRUE(BuildFolder::make(folder.path() / "home").has_value());
  EXPECT_EQ(names_in(folder.path()), (std::vector<std::string>{".home.building-folder-of-a-user",
                                                               ".other.building-abcdef"}));
  ::close(ends[0]);
  ::close(ends[1]);
}

}  // namespace
}  // namespace fiducia
