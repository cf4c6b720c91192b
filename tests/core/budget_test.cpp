// SPDX-License-Identifier: Apache-2.0
#include "core/budget.h"

#include <gtest/gtest.h>

using namespace fiducia;

TEST(Budget, is_the_same_for_all_small_objects_and_grows_with_larger_ones) {
  EXPECT_EQ(Budget(0).allowed(), limits::work_floor);
  EXPECT_EQ(Budget(limits::work_floor_bytes).allowed(), limits::work_floor);
  EXPECT_EQ(Budget(limits::work_floor_bytes + 10).allowed(),
            limits::work_floor + 10 * limits::work_a_byte);
}

TEST(Budget, is_spent_to_the_last_unit_and_then_refuses_everything) {
  Budget budget{0};
  EXPECT_TRUE(budget.take(budget.allowed() - 1));
  EXPECT_TRUE(budget.spend(1).has_value());
  EXPECT_FALSE(budget.is_exceeded());
  const Status refused = budget.spend(1);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, ErrorCode::over_limit);
  EXPECT_TRUE(budget.is_exceeded());
  EXPECT_FALSE(budget.take(0));
}

TEST(Budget, refuses_what_would_wrap) {
  Budget budget{0};
  EXPECT_TRUE(budget.take(5));
  EXPECT_FALSE(budget.take(~std::uint64_t{0}));
  EXPECT_FALSE(budget.take(1));  // once something was refused, everything is
}

TEST(Budget, lets_the_decoder_take_so_much_time_and_then_refuses_everything) {
  Budget budget{0};
  budget.take_decoding(limits::decoder_ns_free - 1);
  EXPECT_EQ(budget.decoding_left(), 1U);
  EXPECT_TRUE(budget.take(1));
  budget.allow_decoding(10);
  budget.take_decoding(10);
  EXPECT_FALSE(budget.is_exceeded());
  budget.take_decoding(1);
  EXPECT_EQ(budget.decoding_left(), 0U);
  EXPECT_TRUE(budget.is_exceeded());
}
