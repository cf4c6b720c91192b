// SPDX-License-Identifier: Apache-2.0
// Must not pass clang's analysis: a guarded member is read without its lock.
#include "core/mutex.h"

namespace fiducia {

class Counter {
 public:
  void add() {
    const MutexLock lock{mutex_};
    ++count_;
  }
  [[nodiscard]] int count() const { return count_; }

 private:
  Mutex mutex_;
  int count_ FIDUCIA_GUARDED_BY(mutex_) = 0;
};

int use(const Counter& counter) { return counter.count(); }

}  // namespace fiducia
