// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/core.h"
#include "ledger_format/ledger_format.h"
#include "trust/trust_file.h"

namespace fiducia::trust {

/// What the trust file says of a proof that an entry is in a log.
struct ProofJudgement {
  bool proven = false;
  std::string origin = {};
  std::optional<ledger_format::Checkpoint> checkpoint = {};  // verified
  std::vector<std::string> witnesses = {};                   // names, as in the trust file
  std::string text = {};                                     // one or two sentences
};

/// Judges by the ledgers that the trust file names; proven: as many of its witnesses as it asks for
/// have cosigned. Errors: signature_bad and malformed (the proof is bad).
[[nodiscard]] Result<ProofJudgement> judge_proof(const ledger_format::TlogProof& proof,
                                                 const Digest& leaf,
                                                 std::span<const TrustedLedger> ledgers);

}  // namespace fiducia::trust
