// SPDX-License-Identifier: Apache-2.0
#include "cli/cli.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace fiducia::cli {
namespace {

// Property: whatever the order in which workers finish, results come out in the order of the
// inputs, each once, and never more than the window waits.
TEST(InOrder, brings_results_of_many_workers_into_order) {
  constexpr std::size_t count = 20'000;
  InOrder<std::size_t> in_order{8};
  std::vector<std::size_t> out;
  parallel_for(count, 4, [&](std::size_t index, unsigned) {
    if (index % 97 == 0) std::this_thread::yield();
    in_order.put(index, std::size_t{index}, [&](std::size_t value) { out.push_back(value); });
  });
  ASSERT_EQ(out.size(), count);
  for (std::size_t i = 0; i < count; ++i) ASSERT_EQ(out[i], i);
}

TEST(Printable, spells_out_what_would_drive_a_terminal) {
  EXPECT_EQ(printable("plain ä"), "plain ä");
  EXPECT_EQ(printable("a\x1b[31m").find('\x1b'), std::string::npos);
  EXPECT_EQ(printable("a\nb").find('\n'), std::string::npos);
}

}  // namespace
}  // namespace fiducia::cli
