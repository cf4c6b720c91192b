// SPDX-License-Identifier: Apache-2.0
#pragma once
// Inside of module sealing: drafts on their way through claims, ledger and store.
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "core/core.h"
#include "sealing/service.h"
#include "sealing/work.h"
#include "store/store.h"

namespace fiducia::sealing {

/// Drafts of one round: they share a checkpoint of the ledger, and so one wait for the disk.
inline constexpr std::size_t round_objects_max = 256;
static_assert(round_objects_max <= limits::store_claims_max);

/// Brings drafts into ledger and store. Callers that wait at the same time share a round, in the
/// order in which they came: whoever finds nobody leading leads the next one. Thread-safe.
///
/// A round claims the identities, says in the store how many entries may follow, records them,
/// finishes and checks the evidence, and puts it into the store. Ledger first, then store: an entry
/// without evidence is harmless, evidence without an entry would be a seal without a date. It never
/// waits for a claim, so that two services cannot wait for each other; the claims end with it,
/// however it ends.
class Rounds {
 public:
  explicit Rounds(const ServiceParts& parts)
      : parts_(parts), mark_(parts.start.mark), tree_size_(parts.start.mark.tree_size) {}

  /// Returns when each of `works`, drafted ones, is settled with its evidence or an error, `taken`,
  /// or `unjudged`: its twin went first, in this round or since it was judged.
  void run(std::span<Work* const> works);

  /// Of the ledger, with the last entry that is known here.
  [[nodiscard]] std::uint64_t tree_size() const;

 private:
  struct Waiting {
    Work* work;
    std::size_t* left;  // of its caller: how many are not back yet; guarded by mutex_
  };
  void lead(std::vector<Work*> round);
  [[nodiscard]] Result<std::unique_ptr<store::Reservation>> claim(std::vector<Work*>& round);
  [[nodiscard]] Status record(std::vector<Work*>& round, store::Reservation& reservation);
  [[nodiscard]] Status take_mark(const ledger::Recorded& recorded, std::size_t entries);

  const ServiceParts& parts_;
  // Of whoever leads.
  store::HomeMark mark_;
  std::optional<Error> stopped_;  // the ledger contradicts itself: nothing more is entered

  mutable Mutex mutex_;
  Condition changed_;
  bool leading_ FIDUCIA_GUARDED_BY(mutex_) = false;
  std::deque<Waiting> waiting_ FIDUCIA_GUARDED_BY(mutex_);
  std::uint64_t tree_size_ FIDUCIA_GUARDED_BY(mutex_);
};

}  // namespace fiducia::sealing
