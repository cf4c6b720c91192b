// SPDX-License-Identifier: Apache-2.0
#include "ledger/recent.h"

namespace fiducia::ledger {

std::uint64_t RecentEntries::find_or_add(const Digest& leaf, std::uint64_t next) {
  const auto [at, added] = index_.try_emplace(leaf, next);
  if (!added) return at->second;
  order_.emplace_back(next, leaf);
  if (order_.size() > limits::ledger_remembered_entries_max) {
    index_.erase(order_.front().second);
    order_.pop_front();
  }
  return next;
}

void RecentEntries::remember(std::uint64_t first, std::span<const Digest> leaves) {
  for (const Digest& leaf : leaves) (void)find_or_add(leaf, first++);
}

void RecentEntries::forget_from(std::uint64_t index) {
  while (!order_.empty() && order_.back().first >= index) {
    index_.erase(order_.back().second);
    order_.pop_back();
  }
}

}  // namespace fiducia::ledger
