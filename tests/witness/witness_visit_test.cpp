// SPDX-License-Identifier: Apache-2.0
#include "witness/witness_visit.h"

#include "ledger_support.h"
#include "witness_support.h"

namespace fiducia::witness::test {

using namespace fiducia::ledger::test;

namespace {

/// A log in a folder and a witness that follows it.
struct Setting {
  ScratchLog log;
  ScratchWitness scratch;
  Witness witness = scratch.open();
  Setting() { FIDUCIA_ASSERT(witness.add_log(origin, vkey_of(log.key)).has_value()); }
  void append(std::uint64_t first, std::uint64_t count) const {
    auto open = log.open();
    FIDUCIA_ASSERT(open.has_value());
    FIDUCIA_ASSERT(open->append(counter_entries(first, count)).has_value());
  }
  [[nodiscard]] Result<Visit> visit() const {
    return visit_log(witness, std::make_shared<ledger::DirectoryStore>(log.folder));
  }
};

TEST(WitnessVisit, cosigns_a_log_that_grows) {
  const Setting setting;
  for (std::uint64_t round = 0; round < 4; ++round) {
    SCOPED_TRACE(round);
    const auto visit = setting.visit();
    ASSERT_TRUE(visit.has_value()) << sentence(visit.error());
    ASSERT_EQ(visit->answer.status, WitnessStatus::cosigned) << visit->answer.text;
    const std::vector keys{vkey_of(setting.log.key), setting.witness.key()};
    EXPECT_EQ(
        ledger_format::verify_note(ledger_format::read_note(visit->note).value(), keys)->size(),
        2U);
    EXPECT_EQ(setting.witness.logs()->at(0).latest->tree_size,
              setting.log.read()->status().tree_size);
    setting.append(round * 1000, 1 + round * 300);
  }
  // Twice at the same size.
  EXPECT_EQ(setting.visit()->answer.status, WitnessStatus::cosigned);
  EXPECT_EQ(setting.visit()->answer.status, WitnessStatus::cosigned);
}

TEST(WitnessVisit, refuses_an_old_copy_and_a_fork_of_it) {
  const Setting setting;
  setting.append(0, 5);
  const Snapshot old = snapshot(setting.log.folder);
  setting.append(5, 5);
  ASSERT_EQ(setting.visit()->answer.status, WitnessStatus::cosigned);
  restore(setting.log.folder, old);
  const auto old_copy = setting.visit();
  EXPECT_EQ(old_copy->answer.status, WitnessStatus::bad_request);
  EXPECT_TRUE(old_copy->shrunk);
  setting.append(100, 5);  // as many again, and others
  const auto same_size = setting.visit();
  EXPECT_EQ(same_size->answer.status, WitnessStatus::inconsistent);
  EXPECT_FALSE(same_size->shrunk);
  EXPECT_TRUE(same_size->answer.evidence.starts_with("split-view."));
  setting.append(200, 5);
  const auto larger = setting.visit();
  ASSERT_TRUE(larger.has_value());
  EXPECT_EQ(larger->answer.status, WitnessStatus::inconsistent);
  EXPECT_FALSE(larger->answer.evidence.empty());
}

TEST(WitnessVisit, needs_a_log_that_it_knows_and_whole_tiles) {
  const Setting setting;
  ASSERT_EQ(setting.visit()->answer.status, WitnessStatus::cosigned);
  setting.append(0, 300);
  fs::remove(setting.log.folder / "tile/0/000");
  EXPECT_FALSE(setting.visit().has_value());
  EXPECT_EQ(setting.witness.logs()->at(0).latest->tree_size, 1U);

  const ScratchLog stranger;  // the same origin, another key
  const auto visit =
      visit_log(setting.witness, std::make_shared<ledger::DirectoryStore>(stranger.folder));
  EXPECT_EQ(visit->answer.status, WitnessStatus::forbidden);
  const ScratchFolder empty;
  const auto nothing =
      visit_log(setting.witness, std::make_shared<ledger::DirectoryStore>(empty.path()));
  ASSERT_FALSE(nothing.has_value());
  EXPECT_EQ(nothing.error().code, ErrorCode::io_unreadable);
  write_plain(empty.path() / "checkpoint", as_bytes("garbage"));
  EXPECT_EQ(visit_log(setting.witness, std::make_shared<ledger::DirectoryStore>(empty.path()))
                ->answer.status,
            WitnessStatus::bad_request);
}

}  // namespace
}  // namespace fiducia::witness::test
