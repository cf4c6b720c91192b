// SPDX-License-Identifier: Apache-2.0
#include "core/output_file.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <thread>

#include "core/core.h"
#include "support/support.h"

namespace fiducia {
namespace {

namespace fs = std::filesystem;

OutputRules rules_of(std::vector<fs::path> inputs = {}, std::vector<fs::path> folders = {}) {
  return {.kind = "note",
          .is_kind = [](ByteView content) { return as_text(content).starts_with("note"); },
          .inputs = std::move(inputs),
          .folders = std::move(folders)};
}

void put(const fs::path& path, std::string_view text) {
  ASSERT_TRUE(durable_write(path, as_bytes(text)).has_value());
}

std::string text_of(const fs::path& path) {
  const auto bytes = read_file(path, 1 << 20);
  return bytes ? std::string(as_text(*bytes)) : std::string("(none)");
}

TEST(OutputFile, replaces_its_own_kind_and_keeps_its_permissions) {
  const test::ScratchFolder folder;
  const fs::path path = folder.path() / "a";
  ASSERT_TRUE(write_output(path, as_bytes("note 1"), rules_of(), 0600).has_value());
  struct stat info = {};
  ASSERT_EQ(stat(path.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
  ASSERT_EQ(chmod(path.c_str(), 0640), 0);
  ASSERT_TRUE(write_output(path, as_bytes("note 2"), rules_of(), 0600).has_value());
  EXPECT_EQ(text_of(path), "note 2");
  ASSERT_EQ(stat(path.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0640u);
  put(folder.path() / "empty", "");
  EXPECT_TRUE(write_output(folder.path() / "empty", as_bytes("note"), rules_of()).has_value());
}

TEST(OutputFile, refuses_what_would_be_lost) {
  const test::ScratchFolder folder;
  const fs::path home = folder.path() / "home";
  fs::create_directories(home / "keys");
  fs::create_directory_symlink(home, folder.path() / "way");
  put(folder.path() / "input", "note in");
  fs::create_hard_link(folder.path() / "input", folder.path() / "input-too");
  put(folder.path() / "letter", "letter");
  put(folder.path() / "image", "note" + std::string(124, ' ') + "DICM");
  put(home / "log", "note of the log");
  fs::create_symlink(folder.path() / "letter", folder.path() / "link");
  fs::create_symlink("home/new", folder.path() / "dangling");
  fs::create_symlink("circle", folder.path() / "circle");
  const OutputRules rules = rules_of({folder.path() / "input"}, {home});
  for (const char* name : {"input", "input-too", "letter", "image", "home/log", "home/keys/new",
                           "way/new", "link", "dangling", "circle", "home"}) {
    const fs::path path = folder.path() / name;
    const std::string before = text_of(path);
    EXPECT_FALSE(check_output(path, rules).has_value()) << name;
    EXPECT_FALSE(write_output(path, as_bytes("note new"), rules).has_value()) << name;
    EXPECT_EQ(text_of(path), before) << name;
  }
  EXPECT_FALSE(fs::exists(home / "new"));
}

TEST(OutputFile, follows_a_link_and_leaves_it_a_link) {
  const test::ScratchFolder folder;
  put(folder.path() / "target", "note");
  fs::create_symlink("target", folder.path() / "link");
  fs::create_symlink("later", folder.path() / "dangling");
  ASSERT_TRUE(write_output(folder.path() / "link", as_bytes("note 2"), rules_of()).has_value());
  ASSERT_TRUE(write_output(folder.path() / "dangling", as_bytes("note 3"), rules_of()).has_value());
  EXPECT_TRUE(fs::is_symlink(folder.path() / "link"));
  EXPECT_TRUE(fs::is_symlink(folder.path() / "dangling"));
  EXPECT_EQ(text_of(folder.path() / "target"), "note 2");
  EXPECT_EQ(text_of(folder.path() / "later"), "note 3");
}

TEST(OutputFile, writes_through_devices_and_pipes) {
  ASSERT_TRUE(write_output("/dev/null", as_bytes("note"), rules_of()).has_value());
  struct stat info = {};
  ASSERT_EQ(stat("/dev/null", &info), 0);
  EXPECT_TRUE(S_ISCHR(info.st_mode)) << "replaced by a file";

  const test::ScratchFolder folder;
  const fs::path pipe = folder.path() / "pipe";
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  std::string read;
  {
    const std::jthread reader{[&] {
      const int fd = ::open(pipe.c_str(), O_RDONLY);
      char buffer[64];
      for (ssize_t n = 0; (n = ::read(fd, buffer, sizeof buffer)) > 0;)
        read.append(buffer, static_cast<std::size_t>(n));
      ::close(fd);
    }};
    EXPECT_TRUE(write_output(pipe, as_bytes("note"), rules_of()).has_value());
  }
  EXPECT_EQ(read, "note");
  ASSERT_EQ(stat(pipe.c_str(), &info), 0);
  EXPECT_TRUE(S_ISFIFO(info.st_mode));
}

}  // namespace
}  // namespace fiducia
