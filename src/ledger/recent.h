// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstring>
#include <deque>
#include <span>
#include <unordered_map>

#include "core/core.h"

/// Inside the ledger: the indices of entries that were appended lately.
namespace fiducia::ledger {

/// Leaf hash to leaf index of the newest limits::ledger_remembered_entries_max entries that this
/// process has seen. Thread safety: none.
class RecentEntries {
 public:
  /// The index of an entry that is known; else remembers it as `next` and returns that.
  [[nodiscard]] std::uint64_t find_or_add(const Digest& leaf, std::uint64_t next);
  /// Remembers the entries of a committed round, the first of which has index `first`.
  void remember(std::uint64_t first, std::span<const Digest> leaves);
  /// Forgets entries that were given indices from `index` on: their round did not happen.
  void forget_from(std::uint64_t index);

 private:
  struct Hash {
    std::size_t operator()(const Digest& digest) const {
      std::size_t value = 0;  // a hash already, and nobody chooses its bits for us
      std::memcpy(&value, digest.bytes.data(), sizeof value);
      return value;
    }
  };
  std::unordered_map<Digest, std::uint64_t, Hash> index_;
  std::deque<std::pair<std::uint64_t, Digest>> order_;  // by index, ascending
};

}  // namespace fiducia::ledger
