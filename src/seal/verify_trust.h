// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "crypto/crypto.h"
#include "ledger/ledger.h"
#include "seal/evidence.h"
#include "seal/result.h"
#include "seal/trust.h"

namespace fiducia::seal {

/// What can be said of the seal itself, whatever the content. Default: nothing holds.
struct TrustJudgement {
  bool tables_valid = false;     // leaf tables lead to the signed roots
  bool signature_valid = false;  // of the statement, by the certificate it carries
  bool accepted = false;         // signer, ledger, witnesses and time please the trust file
  std::vector<Finding> findings;
  SealInfo seal;
  std::optional<LedgerInfo> ledger;
};

/// Judges seals by a trust file (spec/seal.md 9). Thread-safe; remembers what it has checked.
class TrustJudge {
 public:
  TrustJudge(Trust trust, std::optional<UnixTime> at);
  [[nodiscard]] TrustJudgement judge(const Evidence& evidence) const;
  [[nodiscard]] const Trust& trust() const { return trust_; }

 private:
  /// A signer as its protected header names it; parsed once.
  struct Signer {
    crypto::Sign1Headers headers;
    crypto::PublicKey key;
    Digest fingerprint;
    // Times at which the chain was found good. Validity periods are intervals, and so is their
    // intersection: what is good at both ends is good between them. Guarded by mutex_.
    std::optional<std::pair<UnixTime, UnixTime>> good;
  };
  [[nodiscard]] Result<std::shared_ptr<Signer>> signer_of(const crypto::Sign1& message) const;
  [[nodiscard]] crypto::ChainStatus chain_status(Signer& signer, UnixTime at) const;
  /// What others than the ledger say of a checkpoint that holds.
  struct Cosigned {
    std::string witness;  // its name in the trust file
    UnixTime time;        // of its earliest cosignature
  };
  struct Stamped {
    std::size_t tsa = 0;  // in the trust file
    Digest signer;        // certificate of the TSA
    Digest key;           // public key of the TSA
    UnixTime latest;      // by then the checkpoint existed
  };
  /// A receipt that holds, with its checkpoint, and what is missing of what the trust file demands.
  struct Entered {
    LedgerInfo info;  // with its date
    std::vector<Finding> missing;
  };
  /// The entry that dates the seal, absent when no receipt is good. Fills `out`.
  [[nodiscard]] std::optional<LedgerInfo> judge_ledger(const Evidence& evidence,
                                                       const Digest& signer,
                                                       TrustJudgement& out) const;
  [[nodiscard]] bool judge_receipt(const ledger::Receipt& receipt, const TrustedLedger& ledger,
                                   const Digest& leaf, Digest& root) const;
  /// Absent when the checkpoint does not hold, or is missing although a quorum is asked for.
  [[nodiscard]] std::optional<std::vector<Cosigned>> judge_checkpoint(
      const Evidence& evidence, const ledger::Receipt& receipt, const Digest& root,
      const TrustedLedger& ledger) const;
  /// Good time-stamps over the evidence's checkpoint, earliest first; each TSA and each TSA's key
  /// once.
  [[nodiscard]] std::vector<Stamped> judge_time_stamps(const Evidence& evidence) const;
  [[nodiscard]] bool is_known(const Stamped& stamp) const;
  [[nodiscard]] Entered date_entry(const Evidence& evidence, const ledger::Receipt& receipt,
                                   const TrustedLedger& ledger,
                                   const std::vector<Cosigned>& cosigned) const;
  void judge_signer(Signer& signer, UnixTime sealed_at, TrustJudgement& out) const;

  Trust trust_;
  std::optional<UnixTime> at_;
  std::vector<crypto::Certificate> anchors_;                   // authorities that may seal
  std::vector<std::optional<crypto::PublicKey>> ledger_keys_;  // one a ledger of the trust file
  mutable std::mutex mutex_;                                   // guards the four maps
  mutable std::map<Digest, std::shared_ptr<Signer>> signers_;  // by hash of the protected header
  mutable std::map<Digest, bool> signed_roots_;                // by hash of key, header, root, sig
  mutable std::map<Digest, std::vector<Cosigned>> checkpoints_;  // good ones: who cosigned
  mutable std::map<Digest, std::vector<Stamped>> time_stamps_;   // by checkpoint and tokens
};

}  // namespace fiducia::seal
