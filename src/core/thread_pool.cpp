// SPDX-License-Identifier: Apache-2.0
#include "core/thread_pool.h"

#include <sched.h>

#include <algorithm>
#include <atomic>
#include <charconv>
#include <cstdlib>
#include <string_view>
#include <system_error>
#include <thread>
#include <vector>

namespace fiducia {

unsigned worker_count() {
  if (const char* text = std::getenv("FIDUCIA_WORKERS")) {
    unsigned count = 0;
    const std::string_view digits{text};
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), count);
    if (error == std::errc{} && end == digits.data() + digits.size() && count >= 1 && count <= 1024)
      return count;
  }
  cpu_set_t granted;
  if (sched_getaffinity(0, sizeof granted, &granted) == 0)
    return static_cast<unsigned>(std::max(1, CPU_COUNT(&granted)));
  return std::max(1U, std::thread::hardware_concurrency());
}

void parallel_for(std::size_t count, unsigned workers,
                  const std::function<void(std::size_t, unsigned)>& work) {
  const auto threads = static_cast<unsigned>(std::min<std::size_t>(std::max(1U, workers), count));
  if (threads <= 1) {
    for (std::size_t i = 0; i < count; ++i) work(i, 0);
    return;
  }
  std::atomic<std::size_t> next{0};  // the only thing the workers share
  const auto run = [&](unsigned worker) {
    for (std::size_t i = next.fetch_add(1); i < count; i = next.fetch_add(1)) work(i, worker);
  };
  std::vector<std::jthread> pool;
  pool.reserve(threads - 1);
  try {
    for (unsigned worker = 1; worker < threads; ++worker) pool.emplace_back(run, worker);
  } catch (const std::system_error&) {
    // The system grants no more threads (a limit of the user or container): those that run, at
    // least the calling one, do all the work.
  }
  run(0);
}

}  // namespace fiducia
