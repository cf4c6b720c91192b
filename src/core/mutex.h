// SPDX-License-Identifier: Apache-2.0
#pragma once
// The locks of this program: those of the standard library, with words for clang's analysis.
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <stop_token>
#include <utility>

#include "core/thread_annotations.h"

namespace fiducia {

/// A lock. Members that it guards say so with FIDUCIA_GUARDED_BY.
class FIDUCIA_CAPABILITY("mutex") Mutex {
 public:
  Mutex() = default;
  Mutex(const Mutex&) = delete;
  Mutex& operator=(const Mutex&) = delete;

 private:
  friend class MutexLock;
  std::mutex mutex_;
};

/// Holds a lock from construction to destruction, but for what lies between unlock() and lock().
class FIDUCIA_SCOPED_CAPABILITY MutexLock {
 public:
  explicit MutexLock(Mutex& mutex) FIDUCIA_ACQUIRE(mutex) : lock_(mutex.mutex_) {}
  ~MutexLock() FIDUCIA_RELEASE() = default;
  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;

  void unlock() FIDUCIA_RELEASE() { lock_.unlock(); }
  void lock() FIDUCIA_ACQUIRE() { lock_.lock(); }

 private:
  friend class Condition;
  friend class StoppableCondition;
  std::unique_lock<std::mutex> lock_;
};

/// What threads wait for with a lock held. `ready` is called with that lock; its lambda says so:
/// `[&]() FIDUCIA_REQUIRES(mutex_) { return ...; }`.
class Condition {
 public:
  template <class Ready>
  void wait(MutexLock& lock, Ready ready) {
    changed_.wait(lock.lock_, std::move(ready));
  }
  /// Whether `ready` came true in time.
  template <class Rep, class Period, class Ready>
  [[nodiscard]] bool wait_for(MutexLock& lock, std::chrono::duration<Rep, Period> time,
                              Ready ready) {
    return changed_.wait_for(lock.lock_, time, std::move(ready));
  }
  template <class Ready>
  bool wait_until(MutexLock& lock, std::chrono::steady_clock::time_point end, Ready ready) {
    return changed_.wait_until(lock.lock_, end, std::move(ready));
  }
  void notify_one() { changed_.notify_one(); }
  void notify_all() { changed_.notify_all(); }

 private:
  std::condition_variable changed_;
};

/// The same for threads that a stop token ends. Each wait returns whether `ready` is true.
class StoppableCondition {
 public:
  template <class Ready>
  void wait(MutexLock& lock, Ready ready) {
    changed_.wait(lock.lock_, std::move(ready));
  }
  template <class Ready>
  bool wait(MutexLock& lock, const std::stop_token& stop, Ready ready) {
    return changed_.wait(lock.lock_, stop, std::move(ready));
  }
  template <class Ready>
  bool wait_until(MutexLock& lock, const std::stop_token& stop,
                  std::chrono::steady_clock::time_point end, Ready ready) {
    return changed_.wait_until(lock.lock_, stop, end, std::move(ready));
  }
  void notify_one() { changed_.notify_one(); }
  void notify_all() { changed_.notify_all(); }

 private:
  std::condition_variable_any changed_;
};

/// Returns when the time is over, or at once when a stop is requested: for pauses between two
/// tries at what tells nobody when it changes, such as a file or a server. False when stopped.
bool pause_between_tries(std::chrono::milliseconds time, const std::stop_token& stop = {});

}  // namespace fiducia
