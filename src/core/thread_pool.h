// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstddef>
#include <functional>

namespace fiducia {

/// How many workers this process may use: the processors the kernel grants, at least 1;
/// FIDUCIA_WORKERS in the environment overrides it.
[[nodiscard]] unsigned worker_count();

/// Runs `work(index, worker)` for every index in [0, count), on up to `workers` threads that it
/// owns and joins. Indices are handed out in ascending order; `worker` is in [0, workers), so
/// that each worker can keep state of its own. Returns when all are done. `work` must not throw.
/// With one worker or one index everything runs on the calling thread.
void parallel_for(std::size_t count, unsigned workers,
                  const std::function<void(std::size_t index, unsigned worker)>& work);

}  // namespace fiducia
