// SPDX-License-Identifier: Apache-2.0
#include "ledger/ledger.h"

#include <gtest/gtest.h>

#include "scratch_home.h"

namespace fiducia::app {
namespace {

using test::run_captured;
using test::ScratchHome;

LedgerOptions asking(const ScratchHome& scratch, LedgerOptions::Action action,
                     const std::string& target = "") {
  return {.common = scratch.common(), .action = action, .target = target, .out = ""};
}

class LedgerCommand : public testing::Test {
 protected:
  void SetUp() override {
    image_ = scratch_.write_image("a.dcm", "1.2.1", 1);
    EXPECT_EQ(run_captured(SealOptions{.common = scratch_.common(),
                                       .paths = {image_.string()},
                                       .device = "",
                                       .out = "",
                                       .in_place = false,
                                       .sidecar = false})
                  .first,
              0);
  }
  ScratchHome scratch_;
  std::filesystem::path image_;
};

TEST_F(LedgerCommand, status_names_origin_and_size) {
  const auto [code, out] = run_captured(asking(scratch_, LedgerOptions::Action::status));
  EXPECT_EQ(code, 0);
  EXPECT_NE(out.find(R"("schema":"fiducia.ledger/1")"), std::string::npos) << out;
  EXPECT_NE(out.find(R"("tree_size":2)"), std::string::npos) << out;
}

TEST_F(LedgerCommand, check_says_intact_and_then_finds_damage) {
  EXPECT_EQ(run_captured(asking(scratch_, LedgerOptions::Action::check)).first, 0);
  std::filesystem::path bundle;
  for (const auto& entry :
       std::filesystem::recursive_directory_iterator(scratch_.home() / "ledger/tile/entries"))
    if (entry.is_regular_file() && entry.path().filename() == "2") bundle = entry.path();
  ASSERT_FALSE(bundle.empty());
  std::string text = test::content(bundle);
  text.back() = static_cast<char>(text.back() ^ 1);
  ASSERT_TRUE(durable_write(bundle, as_bytes(text)).has_value());
  const auto [code, out] = run_captured(asking(scratch_, LedgerOptions::Action::check));
  EXPECT_EQ(code, 2);
  EXPECT_NE(out.find("tile/entries"), std::string::npos) << out;
}

TEST_F(LedgerCommand, a_forged_checkpoint_is_damage) {
  std::string note = test::content(scratch_.home() / "ledger/checkpoint");
  const std::size_t size = note.find("\n2\n");
  ASSERT_NE(size, std::string::npos);
  note[size + 1] = '1';
  ASSERT_TRUE(durable_write(scratch_.home() / "ledger/checkpoint", as_bytes(note)).has_value());
  EXPECT_EQ(run_captured(asking(scratch_, LedgerOptions::Action::status)).first, 2);
}

TEST_F(LedgerCommand, proves_by_index_and_by_path_the_same) {
  LedgerOptions by_index = asking(scratch_, LedgerOptions::Action::prove, "1");
  by_index.common.json = false;
  LedgerOptions by_path = asking(scratch_, LedgerOptions::Action::prove, image_.string());
  by_path.common.json = false;
  const auto [code, proof] = run_captured(by_index);
  EXPECT_EQ(code, 0);
  EXPECT_TRUE(proof.starts_with("c2sp.org/tlog-proof@v1\nindex 1\n")) << proof;
  EXPECT_EQ(run_captured(by_path), (std::pair{0, proof}));
  by_index.out = scratch_.path("x.tlog-proof").string();
  EXPECT_EQ(run_captured(by_index).first, 0);
  EXPECT_EQ(test::content(by_index.out), proof);
}

TEST_F(LedgerCommand, refuses_what_is_not_in_the_ledger) {
  EXPECT_EQ(run_captured(asking(scratch_, LedgerOptions::Action::prove, "2")).first, 1);
  const auto stranger = scratch_.write_image("b.dcm", "1.2.9", 9);
  EXPECT_EQ(run_captured(asking(scratch_, LedgerOptions::Action::prove, stranger.string())).first,
            1);
}

}  // namespace
}  // namespace fiducia::app
