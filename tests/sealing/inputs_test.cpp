// SPDX-License-Identifier: Apache-2.0
#include "sealing/sealing.h"

#include <gtest/gtest.h>

#include "support/support.h"

namespace fiducia::sealing {
namespace {

void touch(const std::filesystem::path& path) {
  std::filesystem::create_directories(path.parent_path());
  ASSERT_TRUE(durable_write(path, as_bytes("x")).has_value());
}

TEST(Inputs, of_a_folder_are_its_files_in_order_without_evidence_files) {
  const test::ScratchFolder folder;
  for (const char* name : {"b.dcm", "a/z.dcm", "a/y.dcm", "b.dcm.evidence", ".hidden"})
    touch(folder.path() / name);
  const auto inputs = find_inputs({folder.path().string()});
  ASSERT_TRUE(inputs.has_value());
  std::vector<std::string> relative;
  for (const Input& input : *inputs) {
    relative.push_back(input.relative.string());
    EXPECT_FALSE(input.is_explicit);
  }
  // Hidden files are judged: an attacker must not be able to hide one by a dot.
  EXPECT_EQ(relative, (std::vector<std::string>{".hidden", "a/y.dcm", "a/z.dcm", "b.dcm"}));
}

TEST(Inputs, named_twice_are_taken_once) {
  const test::ScratchFolder folder;
  touch(folder.path() / "a.dcm");
  const std::string file = (folder.path() / "a.dcm").string();
  const auto inputs = find_inputs({file, folder.path().string(), folder.path() / "./a.dcm"});
  ASSERT_TRUE(inputs.has_value());
  ASSERT_EQ(inputs->size(), 1u);
  EXPECT_TRUE(inputs->front().is_explicit);
  EXPECT_EQ(inputs->front().relative, "a.dcm");
  EXPECT_FALSE(find_inputs({"-", "-"}).has_value());
}

}  // namespace
}  // namespace fiducia::sealing
