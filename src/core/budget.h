// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <algorithm>
#include <atomic>
#include <cstdint>

#include "core/error.h"
#include "core/limits.h"

namespace fiducia {

/// The work that one object may cost, whatever is asked of it: all evidences and candidates, all
/// passes over its frames take from the same budget. Counted, not timed, so that a file gets the
/// same answer on every machine; the unit is about a nanosecond of one core (core/limits.h).
///
/// Invariant: once something was refused, everything is. Thread-safe.
class Budget {
 public:
  explicit Budget(std::uint64_t object_bytes)
      : object_bytes_(object_bytes),
        allowed_(limits::work_floor +
                 limits::work_a_byte * (object_bytes > limits::work_floor_bytes
                                            ? object_bytes - limits::work_floor_bytes
                                            : 0)) {}
  Budget(const Budget&) = delete;
  Budget& operator=(const Budget&) = delete;

  /// Takes `work` for something that is about to be done. Errors: over_limit.
  [[nodiscard]] Status spend(std::uint64_t work) {
    if (take(work)) return {};
    return fail(ErrorCode::over_limit, "it costs more work than a file of its size may.",
                "Convert it to an uncompressed transfer syntax, or split it, if its source is "
                "trusted.");
  }
  /// The same without an Error.
  [[nodiscard]] bool take(std::uint64_t work) {
    std::uint64_t spent = spent_.load(std::memory_order_relaxed);
    do {
      if (spent > allowed_ || work > allowed_ - spent) {
        spent_.store(allowed_ + 1, std::memory_order_relaxed);
        return false;
      }
    } while (!spent_.compare_exchange_weak(spent, spent + work, std::memory_order_relaxed));
    return true;
  }
  /// Refuses everything from now on: another limit was reached.
  void exhaust() { spent_.store(allowed_ + 1, std::memory_order_relaxed); }
  /// Whether something was refused.
  [[nodiscard]] bool is_exceeded() const { return spent() > allowed_; }
  /// Lets the decoder take `ns` more of processor time (limits::decoder_ns_free at first).
  void allow_decoding(std::uint64_t ns) {
    decoding_allowed_.fetch_add(ns, std::memory_order_relaxed);
  }
  /// What it has taken. Past what is allowed, nothing more may be done about the object.
  void take_decoding(std::uint64_t ns) {
    decoding_taken_.fetch_add(ns, std::memory_order_relaxed);
    if (decoding_left() == 0) exhaust();
  }
  [[nodiscard]] std::uint64_t decoding_left() const {
    const std::uint64_t allowed = decoding_allowed_.load(std::memory_order_relaxed);
    return allowed - std::min(allowed, decoding_taken_.load(std::memory_order_relaxed));
  }
  [[nodiscard]] std::uint64_t spent() const { return spent_.load(std::memory_order_relaxed); }
  [[nodiscard]] std::uint64_t allowed() const { return allowed_; }
  [[nodiscard]] std::uint64_t object_bytes() const { return object_bytes_; }

 private:
  const std::uint64_t object_bytes_;
  const std::uint64_t allowed_;
  std::atomic<std::uint64_t> spent_{0};
  std::atomic<std::uint64_t> decoding_allowed_{limits::decoder_ns_free};
  std::atomic<std::uint64_t> decoding_taken_{0};
};

}  // namespace fiducia
