// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <functional>
#include <vector>

#include "core/core.h"
#include "crypto/crypto.h"
#include "ledger_format/ledger_format.h"
#include "trust/trust_file.h"

namespace fiducia::trust {

/// PATH(index, D[tree_size]) of a log (RFC 9162 section 2.1.3.1), believed only where it leads to a
/// root that is known.
using InclusionProofs =
    std::function<Result<std::vector<Digest>>(std::uint64_t index, std::uint64_t tree_size)>;

/// Makes receipts under the checkpoints of a ledger that a trust file pins, for seals that are
/// older: with them, and the old receipts beside them, a seal still counts after a key of the
/// ledger or of an authority was stolen (spec/trust.md section 7).
///
/// Invariant: each receipt's path leads to the root that is pinned.
/// Thread safety: const methods may run concurrently, if `proofs` may be called so.
class PinnedReceipts {
 public:
  /// `ledger`: of the trust file; `tree_size`, `proofs`, `key`: of the same log; `now` is stated as
  /// the time of issue. Errors: config_missing, when nothing is pinned of this ledger;
  /// config_invalid, when the log never had that many entries.
  [[nodiscard]] static Result<PinnedReceipts> make(const TrustedLedger& ledger,
                                                   std::uint64_t tree_size, InclusionProofs proofs,
                                                   const crypto::SigningKey& key, UnixTime now);

  /// `evidence` with a receipt under each pinned checkpoint whose tree has its entry, behind those
  /// that it had. Absent when the seal is younger than all of them, or was never in this ledger.
  /// Errors: those of read_evidence and of `proofs`; signature_bad, when the log does not lead to
  /// the pinned root; over_limit, when the evidence holds too many receipts.
  [[nodiscard]] Result<std::optional<Bytes>> add_to(ByteView evidence) const;

 private:
  struct Pin {
    PinnedCheckpoint checkpoint;
    ledger_format::SignedRoot signed_root;
  };
  PinnedReceipts(std::string origin, InclusionProofs proofs)
      : origin_(std::move(origin)), proofs_(std::move(proofs)) {}

  std::string origin_;
  InclusionProofs proofs_;
  std::vector<Pin> pins_;
};

}  // namespace fiducia::trust
