// SPDX-License-Identifier: Apache-2.0
#include "trust/proof_judge.h"

#include <algorithm>

namespace fiducia::trust {
namespace {

/// What a proof shows about one trusted ledger.
struct Proven {
  ledger_format::Checkpoint checkpoint;
  std::vector<std::string> witnesses;  // names, as in the trust file
};

Result<Proven> verify_against(const TrustedLedger& trusted, const ledger_format::TlogProof& proof,
                              const Digest& leaf) {
  std::vector<ledger_format::VerifierKey> keys;
  for (const TrustedWitness& witness : trusted.witnesses) keys.push_back(witness.key);
  FIDUCIA_TRY(proven, ledger_format::verify_tlog_proof(proof, leaf,
                                                       {.origin = trusted.origin,
                                                        .log_keys = std::span{&trusted.key, 1},
                                                        .witnesses = keys}));
  Proven found{.checkpoint = std::move(proven.checkpoint), .witnesses = {}};
  for (const TrustedWitness& witness : trusted.witnesses)
    if (std::ranges::any_of(proven.cosignatures, [&](const ledger_format::VerifiedSignature& by) {
          return by.name == witness.key.name && by.key_id == witness.key.key_id;
        }))
      found.witnesses.push_back(witness.name);
  return found;
}

std::string list_of(const std::vector<std::string>& names) {
  std::string list;
  for (const std::string& name : names) list += (list.empty() ? "" : ", ") + visible(name);
  return list;
}

}  // namespace

Result<ProofJudgement> judge_proof(const ledger_format::TlogProof& proof, const Digest& leaf,
                                   std::span<const TrustedLedger> ledgers) {
  FIDUCIA_TRY(note, ledger_format::read_note(proof.checkpoint));
  FIDUCIA_TRY(claimed, ledger_format::read_checkpoint(note.text));
  ProofJudgement answer{.origin = claimed.origin,
                        .text = "The trust file names no ledger " + visible(claimed.origin) + "."};
  std::optional<Error> bad;
  for (const TrustedLedger& trusted : ledgers) {
    if (trusted.origin != claimed.origin) continue;
    auto proven = verify_against(trusted, proof, leaf);
    if (!proven) {
      bad = std::move(proven).error();
      continue;
    }
    answer.proven = proven->witnesses.size() >= trusted.quorum;
    answer.text = "Entry " + std::to_string(proof.index) + " of " + visible(trusted.origin) +
                  ", in its tree of " + std::to_string(proven->checkpoint.tree_size) + " entries";
    if (!proven->witnesses.empty()) answer.text += "; cosigned by " + list_of(proven->witnesses);
    answer.text += ".";
    if (!answer.proven)
      answer.text += " The trust file asks for " + std::to_string(trusted.quorum) + " witnesses.";
    answer.checkpoint = std::move(proven->checkpoint);
    answer.witnesses = std::move(proven->witnesses);
    if (answer.proven) return answer;
  }
  if (bad && !answer.checkpoint) return std::unexpected(std::move(*bad));
  return answer;
}

}  // namespace fiducia::trust
