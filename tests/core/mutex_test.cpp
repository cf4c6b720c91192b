// SPDX-License-Identifier: Apache-2.0
#include "core/mutex.h"

#include <gtest/gtest.h>

#include <thread>

namespace fiducia {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

TEST(PauseBetweenTries, lasts_as_long_as_asked) {
  const auto start = steady_clock::now();
  EXPECT_TRUE(pause_between_tries(milliseconds{20}));
  EXPECT_GE(steady_clock::now() - start, milliseconds{20});
}

TEST(PauseBetweenTries, ends_when_a_stop_is_requested) {
  const auto start = steady_clock::now();
  bool whole = true;
  {
    // The thread's end requests the stop.
    const std::jthread waiting{[&](const std::stop_token& stop) {
      whole = pause_between_tries(std::chrono::minutes{10}, stop);
    }};
  }
  EXPECT_FALSE(whole);
  EXPECT_LT(steady_clock::now() - start, std::chrono::minutes{1});
}

TEST(StoppableCondition, a_wait_ends_with_the_stop_and_says_what_is_true) {
  Mutex mutex;
  StoppableCondition changed;
  std::stop_source stop;
  stop.request_stop();
  MutexLock lock{mutex};
  EXPECT_FALSE(changed.wait(lock, stop.get_token(), [] { return false; }));
  EXPECT_TRUE(changed.wait(lock, stop.get_token(), [] { return true; }));
}

}  // namespace
}  // namespace fiducia
