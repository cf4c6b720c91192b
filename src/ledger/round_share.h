// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstddef>
#include <cstdint>

#include "core/limits.h"

namespace fiducia::ledger {

/// What one waiting append puts into a round.
struct RoundShare {
  std::size_t entries = 0;
  std::uint64_t bytes = 0;  // of the entries as they stand in a bundle
};

/// How many of the waiting appends, the first ones first, make one round: so many that they have
/// together at most limits::ledger_round_entries_max entries and ledger_round_bytes_max bytes, and
/// one in any case. `share_of` gives the RoundShare of one. 0 for none waiting.
template <class Waiting, class ShareOf>
[[nodiscard]] std::size_t count_of_round(const Waiting& waiting, ShareOf share_of) {
  std::size_t count = 0;
  RoundShare sum;
  for (const auto& one : waiting) {
    const RoundShare share = share_of(one);
    if (count > 0 && (sum.entries + share.entries > limits::ledger_round_entries_max ||
                      sum.bytes + share.bytes > limits::ledger_round_bytes_max))
      break;
    sum.entries += share.entries;
    sum.bytes += share.bytes;
    ++count;
  }
  return count;
}

}  // namespace fiducia::ledger
