// SPDX-License-Identifier: Apache-2.0
#include "cli/cli.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <condition_variable>
#include <mutex>

namespace fiducia::cli {
namespace {

/// Whether `token` is asked to stop within ten seconds.
bool is_stopped(const std::stop_token& token) {
  std::mutex mutex;
  std::condition_variable_any changed;
  std::unique_lock lock{mutex};
  changed.wait_for(lock, token, std::chrono::seconds{10}, [] { return false; });
  return token.stop_requested();
}

TEST(StopOnSignal, asks_to_stop_at_the_first_signal) {
  for (const int signal : {SIGINT, SIGTERM}) {
    const StopOnSignal stop;
    EXPECT_FALSE(stop.token().stop_requested());
    ::raise(signal);
    EXPECT_TRUE(is_stopped(stop.token())) << signal;
  }
}

TEST(StopOnSignal, lets_the_second_signal_end_the_process) {
  const pid_t child = ::fork();
  if (child == 0) {
    const StopOnSignal stop;
    ::raise(SIGTERM);
    if (!is_stopped(stop.token())) ::_exit(1);
    ::raise(SIGTERM);
    ::_exit(2);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM) << status;
}

TEST(StopOnSignal, gives_back_what_signals_did_before) {
  struct sigaction before = {};
  struct sigaction after = {};
  ::sigaction(SIGINT, nullptr, &before);
  {
    const StopOnSignal stop;
  }
  ::sigaction(SIGINT, nullptr, &after);
  EXPECT_EQ(before.sa_handler, after.sa_handler);
}

}  // namespace
}  // namespace fiducia::cli
