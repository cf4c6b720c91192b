// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstddef>
#include <optional>
#include <stop_token>
#include <utility>
#include <vector>

#include "core/error.h"
#include "core/mutex.h"

namespace fiducia {

/// A bounded queue between workers that finish in any order and one who wants results in the order
/// of their indices.
///
/// At most `window` results are held or being made: a worker that is further ahead waits in
/// `reserve` or `put`, so that memory stays flat when the first of 100,000 files is a slow one. The
/// worker that holds the earliest index never waits. Thread-safe.
template <class T>
class OrderedQueue {
 public:
  explicit OrderedQueue(std::size_t window) : slots_(window) { FIDUCIA_ASSERT(window >= 1); }

  /// Waits until there is room for result `index`. False when a stop was requested first.
  [[nodiscard]] bool wait_for_room(std::size_t index, const std::stop_token& stop = {}) {
    MutexLock lock{mutex_};
    return room_.wait(lock, stop, [&]() FIDUCIA_REQUIRES(mutex_) { return has_room(index); });
  }

  /// Hands in result `index`, each once; waits until there is room for it.
  void put(std::size_t index, T value) {
    MutexLock lock{mutex_};
    room_.wait(lock, [&]() FIDUCIA_REQUIRES(mutex_) { return has_room(index); });
    slots_[index % slots_.size()] = std::move(value);
    if (index == next_) filled_.notify_one();
  }

  /// The next result in order; waits for it.
  [[nodiscard]] T take() {
    MutexLock lock{mutex_};
    filled_.wait(
        lock, [&]() FIDUCIA_REQUIRES(mutex_) { return slots_[next_ % slots_.size()].has_value(); });
    return take_next();
  }

  /// The next result in order, if it is there.
  [[nodiscard]] std::optional<T> try_take() {
    const MutexLock lock{mutex_};
    if (!slots_[next_ % slots_.size()]) return std::nullopt;
    return take_next();
  }

 private:
  [[nodiscard]] bool has_room(std::size_t index) const FIDUCIA_REQUIRES(mutex_) {
    return index < next_ + slots_.size();
  }
  [[nodiscard]] T take_next() FIDUCIA_REQUIRES(mutex_) {
    T value = *std::exchange(slots_[next_ % slots_.size()], std::nullopt);
    ++next_;
    room_.notify_all();
    return value;
  }

  Mutex mutex_;
  StoppableCondition room_;
  Condition filled_;
  std::vector<std::optional<T>> slots_ FIDUCIA_GUARDED_BY(mutex_);  // by index % window
  std::size_t next_ FIDUCIA_GUARDED_BY(mutex_) = 0;                 // the next to take
};

}  // namespace fiducia
