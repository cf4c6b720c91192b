// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <vector>

#include "ledger/ledger.h"

namespace fiducia::ledger_postgres::test {

/// Rounds that follow each other as those of a log do, but with signatures that are none: a
/// sequencer does not verify them.
class RoundChain {
 public:
  RoundChain() : tails_(1) {}
  /// What the next round builds upon, and what it would be; nothing is added yet.
  [[nodiscard]] const ledger::Tail& tail() const { return tails_.back(); }
  [[nodiscard]] std::uint64_t size() const { return tail().frontage.size; }
  /// `entry_bytes` long entries, each with its index and `salt` in it.
  [[nodiscard]] ledger::Round next(std::uint64_t count, std::uint64_t salt = 0,
                                   std::size_t entry_bytes = 16) const;
  void add(const ledger::Round& round);

  /// rounds()[i] builds upon tails()[i].
  [[nodiscard]] const std::vector<ledger::Tail>& tails() const { return tails_; }
  [[nodiscard]] const std::vector<ledger::Round>& rounds() const { return rounds_; }

  /// Whether `news` is exactly what came behind a tree of `known_size` leaves, or behind a base
  /// that is one of the trees of this chain. Returns what is wrong, or nothing.
  [[nodiscard]] std::string difference(const ledger::News& news, std::uint64_t known_size) const;

 private:
  std::vector<ledger::Tail> tails_;
  std::vector<ledger::Round> rounds_;
};

/// The tree behind `before` with `round` in it.
[[nodiscard]] ledger::Tail tail_behind(const ledger::Tail& before, const ledger::Round& round);

}  // namespace fiducia::ledger_postgres::test
