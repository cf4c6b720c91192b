// SPDX-License-Identifier: Apache-2.0
// Must pass clang's analysis: every use of the member holds its lock.
#include "core/mutex.h"

namespace fiducia {

class Counter {
 public:
  void add() {
    const MutexLock lock{mutex_};
    add_locked();
    changed_.notify_one();
  }
  int wait_for_two() {
    MutexLock lock{mutex_};
    changed_.wait(lock, [&]() FIDUCIA_REQUIRES(mutex_) { return count_ >= 2; });
    return count_;
  }

 private:
  void add_locked() FIDUCIA_REQUIRES(mutex_) { ++count_; }
  Mutex mutex_;
  Condition changed_;
  int count_ FIDUCIA_GUARDED_BY(mutex_) = 0;
};

int use(Counter& counter) {
  counter.add();
  return counter.wait_for_two();
}

}  // namespace fiducia
