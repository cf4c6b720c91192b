// SPDX-License-Identifier: Apache-2.0
#include "home/parts.h"

#include <gtest/gtest.h>

#include "home/scratch_home.h"

namespace fiducia::home {
namespace {

class SharedParts : public testing::Test {
 protected:
  /// Whether a ledger of so many entries fits, where the store now knows five, and knew `known` of
  /// them before the ledger was looked at.
  Status check(std::uint64_t known, std::uint64_t entries, Appenders appenders) {
    const store::HomeMark now{.tree_size = 5, .root = {}, .pending = 0, .trust_serial = 1};
    EXPECT_TRUE(store_->put({}, &now).has_value());
    store::HomeMark before = now;
    before.tree_size = known;
    ledger::LogStatus log;
    log.origin = home_.about().ledger_origin;
    log.tree_size = entries;
    return check_parts(home_, *store_, before, log, trust_, appenders);
  }
  const test::ScratchHome scratch_;
  const Home home_ = Home::open(scratch_.home()).value();
  const trust::Trust trust_ = trust::open_trust(home_.trust_path()).value();
  const std::unique_ptr<store::EvidenceStore> store_ = home_.open_store(false).value();
};

// Another machine has appended since, and told the store that both use.
TEST_F(SharedParts, fit_although_the_store_has_heard_of_more_since_the_ledger_was_looked_at) {
  const Status fits = check(3, 3, Appenders::others);
  EXPECT_TRUE(fits.has_value()) << to_sentence(fits.error());
  EXPECT_TRUE(check(3, 4, Appenders::others).has_value());
}

TEST_F(SharedParts, do_not_fit_where_the_ledger_is_older_than_what_was_known_before) {
  EXPECT_EQ(check(4, 3, Appenders::others).error().code, ErrorCode::home_mismatch);
  EXPECT_EQ(check(3, 3, Appenders::this_home).error().code, ErrorCode::home_mismatch)
      << "nobody else appends";
  EXPECT_TRUE(check(5, 5, Appenders::this_home).has_value());
}

TEST_F(SharedParts, of_a_home_that_was_given_another_store_meanwhile_are_looked_at_again) {
  ASSERT_TRUE(home_.adopt_store(home_.about().store, "service=elsewhere").has_value());
  EXPECT_EQ(check(5, 5, Appenders::this_home).error().code, ErrorCode::busy);
}

}  // namespace
}  // namespace fiducia::home
