// SPDX-License-Identifier: Apache-2.0
// The sample of a long loop that other tests take.
#include <gtest/gtest.h>

#include <stdlib.h>

#include <algorithm>
#include <cstdlib>
#include <optional>
#include <string>
#include <vector>

#include "support/support.h"

namespace fiducia::test {
namespace {

/// An environment variable that has another value, or none, for a while.
class Changed {
 public:
  Changed(const char* name, const char* value) : name_(name) {
    if (const char* before = std::getenv(name)) before_ = before;
    value != nullptr ? setenv(name, value, 1) : unsetenv(name);
  }
  ~Changed() { before_ ? setenv(name_, before_->c_str(), 1) : unsetenv(name_); }
  Changed(const Changed&) = delete;
  Changed& operator=(const Changed&) = delete;

 private:
  const char* name_;
  std::optional<std::string> before_;
};

constexpr std::size_t count = 100;

std::vector<bool> cases_of(const Sample& sample) {
  std::vector<bool> cases;
  for (std::size_t i = 0; i < count; ++i) cases.push_back(sample.takes(i, count));
  return cases;
}
std::size_t taken_of(const std::vector<bool>& cases) {
  return static_cast<std::size_t>(std::ranges::count(cases, true));
}

TEST(Sample, takes_one_in_so_many_and_both_ends) {
  for (const std::size_t one_in : {1U, 2U, 3U, 7U, 50U, 1000U})
    for (std::uint64_t seed = 0; seed < 2 * one_in; ++seed) {
      const auto cases = cases_of(Sample::drawn(one_in, seed));
      ASSERT_TRUE(cases.front() && cases.back()) << one_in << " " << seed;
      ASSERT_GE(taken_of(cases), count / one_in) << seed;
      ASSERT_LE(taken_of(cases), count / one_in + 3) << seed;
    }
}

TEST(Sample, of_one_seed_is_the_same_one) {
  const Changed not_whole{"FIDUCIA_WHOLE", "0"};
  const Changed seeded{"FIDUCIA_SEED", "12345"};
  const auto cases = cases_of(sample(7, 7));
  EXPECT_EQ(cases_of(sample(7, 7)), cases);
  EXPECT_EQ(cases_of(sample(7, 7, 12345)), cases);
  EXPECT_NE(cases_of(sample(7, 7, 12346)), cases);
}

TEST(Sample, gives_each_case_its_turn) {
  const Changed random{"FIDUCIA_SEED", nullptr};
  std::vector<bool> seen(count, false);
  for (int run = 0; run < 100; ++run) {  // a case is left out of all of them once in 10^10 times
    const auto cases = cases_of(Sample::drawn(4, seed()));
    for (std::size_t i = 0; i < count; ++i) seen[i] = seen[i] || cases[i];
  }
  EXPECT_EQ(taken_of(seen), count);
}

TEST(Sample, is_everything_where_everything_is_asked_for) {
  const Changed asked{"FIDUCIA_WHOLE", "1"};
  EXPECT_TRUE(whole());
  EXPECT_EQ(taken_of(cases_of(sample(7, 21))), count);
  EXPECT_EQ(draws(500), 500);
}

}  // namespace
}  // namespace fiducia::test
