// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <vector>

#include "core/core.h"
#include "crypto/crypto.h"
#include "ledger/ledger.h"
#include "ledger_format/ledger_format.h"
#include "trust/trust_file.h"

namespace fiducia::trust {

/// Makes receipts under the checkpoints of a ledger that a trust file pins, for seals that are
/// older: with them, and the old receipts beside them, a seal still counts after a key of the
/// ledger or of an authority was stolen (spec/trust.md section 7).
///
/// Invariant: each receipt's path leads to the root that is pinned. `reader` outlives it.
/// Thread safety: const methods may run concurrently.
class PinnedReceipts {
 public:
  /// `ledger`: of the trust file; `reader`, `key`: of the same log; `now` is stated as the time of
  /// issue. Errors: config_missing, when nothing is pinned of this ledger; config_invalid, when the
  /// log never had that many entries.
  [[nodiscard]] static Result<PinnedReceipts> make(const TrustedLedger& ledger,
                                                   const ledger::LogReader& reader,
                                                   const crypto::PrivateKey& key, UnixTime now);

  /// `evidence` with a receipt under each pinned checkpoint whose tree has its entry, behind those
  /// that it had. Absent when the seal is younger than all of them, or was never in this ledger.
  /// Errors: those of read_evidence and of LogReader; signature_bad, when the log does not lead to
  /// the pinned root; over_limit, when the evidence holds too many receipts.
  [[nodiscard]] Result<std::optional<Bytes>> add_to(ByteView evidence) const;

 private:
  struct Pin {
    PinnedCheckpoint checkpoint;
    ledger_format::SignedRoot signed_root;
  };
  PinnedReceipts(std::string origin, const ledger::LogReader& reader)
      : origin_(std::move(origin)), reader_(&reader) {}

  std::string origin_;
  const ledger::LogReader* reader_;
  std::vector<Pin> pins_;
};

}  // namespace fiducia::trust
