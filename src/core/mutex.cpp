// SPDX-License-Identifier: Apache-2.0
#include "core/mutex.h"

namespace fiducia {

bool pause_between_tries(std::chrono::milliseconds time, const std::stop_token& stop) {
  Mutex mutex;
  StoppableCondition never;
  MutexLock lock{mutex};
  never.wait_until(lock, stop, std::chrono::steady_clock::now() + time, [] { return false; });
  return !stop.stop_requested();
}

}  // namespace fiducia
