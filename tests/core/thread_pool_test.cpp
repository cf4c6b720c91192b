// SPDX-License-Identifier: Apache-2.0
#include "core/thread_pool.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

namespace fiducia {
namespace {

/// Sets FIDUCIA_WORKERS and puts back what was there.
class Workers {
 public:
  explicit Workers(const char* text) {
    if (const char* before = std::getenv("FIDUCIA_WORKERS")) before_ = before;
    text ? setenv("FIDUCIA_WORKERS", text, 1) : unsetenv("FIDUCIA_WORKERS");
  }
  ~Workers() {
    before_.empty() ? unsetenv("FIDUCIA_WORKERS") : setenv("FIDUCIA_WORKERS", before_.c_str(), 1);
  }
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;

 private:
  std::string before_;
};

// Under ThreadSanitizer this also says that what a worker writes is seen by the caller, and that
// nobody else touches the state of a worker.
TEST(ParallelFor, does_each_index_once_and_shows_the_caller_what_was_written) {
  for (const std::size_t count : {0U, 1U, 2U, 3U, 7U, 64U, 1000U})
    for (const unsigned workers : {0U, 1U, 2U, 3U, 8U, 17U}) {
      SCOPED_TRACE(std::to_string(count) + " by " + std::to_string(workers));
      std::vector<unsigned> done(count);
      std::vector<std::size_t> done_by(std::max(1U, workers));
      parallel_for(count, workers, [&](std::size_t index, unsigned worker) {
        ++done.at(index);
        ++done_by.at(worker);
      });
      EXPECT_EQ(done, std::vector<unsigned>(count, 1));
      std::size_t sum = 0;
      for (const std::size_t part : done_by) sum += part;
      EXPECT_EQ(sum, count);
    }
}

TEST(ParallelFor, hands_out_indices_in_ascending_order) {
  std::vector<std::vector<std::size_t>> of_worker(4);
  parallel_for(500, 4,
               [&](std::size_t index, unsigned worker) { of_worker.at(worker).push_back(index); });
  for (const auto& indices : of_worker) EXPECT_TRUE(std::ranges::is_sorted(indices));
}

TEST(ParallelFor, really_works_on_several_threads) {
  // Each index waits for the others, so that fewer threads than indices would never end.
  constexpr unsigned workers = 3;
  std::atomic<unsigned> waiting{0};
  std::mutex mutex;
  std::set<std::thread::id> threads;
  parallel_for(workers, workers, [&](std::size_t, unsigned) {
    ++waiting;
    while (waiting.load() < workers) std::this_thread::yield();
    const std::scoped_lock lock{mutex};
    threads.insert(std::this_thread::get_id());
  });
  EXPECT_EQ(threads.size(), workers);
  EXPECT_TRUE(threads.contains(std::this_thread::get_id())) << "the caller works as well";
}

TEST(ParallelFor, stays_on_the_calling_thread_with_one_worker_or_one_index) {
  const auto self = std::this_thread::get_id();
  parallel_for(10, 1, [&](std::size_t, unsigned worker) {
    EXPECT_EQ(std::this_thread::get_id(), self);
    EXPECT_EQ(worker, 0U);
  });
  parallel_for(1, 8, [&](std::size_t, unsigned worker) {
    EXPECT_EQ(std::this_thread::get_id(), self);
    EXPECT_EQ(worker, 0U);
  });
}

// Sanitizers reserve terabytes of addresses, so no limit of addresses can be set under them.
#if !defined(FIDUCIA_SANITIZED)
TEST(ParallelFor, does_all_work_where_the_system_grants_no_thread) {
  const auto without_threads = [] {
    const rlimit none{.rlim_cur = 1 << 20, .rlim_max = 1 << 20};  // no room for a stack
    if (setrlimit(RLIMIT_AS, &none) != 0) std::_Exit(3);
    // The C library keeps stacks of threads that have ended, so a few threads may still be had.
    std::atomic<unsigned> done{0};
    parallel_for(100, 64, [&](std::size_t, unsigned) { ++done; });
    std::_Exit(done == 100 ? 0 : 1);
  };
  EXPECT_EXIT(without_threads(), testing::ExitedWithCode(0), "");
}
#endif

TEST(WorkerCount, follows_the_environment_only_where_it_makes_sense) {
  const Workers unset{nullptr};
  const unsigned granted = worker_count();
  EXPECT_GE(granted, 1U);
  for (const char* text : {"1", "3", "1024"}) {
    const Workers set{text};
    EXPECT_EQ(worker_count(), static_cast<unsigned>(std::atoi(text)));
  }
  for (const char* text : {"0", "-1", "1025", "4294967297", "two", "2 ", " 2", "2x", ""}) {
    const Workers set{text};
    EXPECT_EQ(worker_count(), granted) << '"' << text << '"';
  }
}

}  // namespace
}  // namespace fiducia
