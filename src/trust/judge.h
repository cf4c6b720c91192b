// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "crypto/crypto.h"
#include "evidence/evidence_file.h"
#include "finding/finding.h"
#include "ledger_format/ledger_format.h"
#include "trust/judgement.h"
#include "trust/trust_file.h"

namespace fiducia::trust {

/// Judges seals by a trust file (spec/seal.md 9). Thread-safe; remembers what it has checked.
class TrustJudge {
 public:
  TrustJudge(Trust trust, std::optional<UnixTime> at);
  [[nodiscard]] TrustJudgement judge(const evidence::Evidence& evidence) const;
  [[nodiscard]] const Trust& trust() const { return trust_; }
  /// What a seal by these certificates (end entity first) of this moment would be found wanting in.
  [[nodiscard]] std::vector<finding::Finding> judge_chain(
      std::span<const crypto::Certificate> chain, UnixTime at) const;

 private:
  /// A signer as its protected header names it; parsed once.
  struct Signer {
    crypto::Sign1Headers headers;
    crypto::PublicKey key;
    Digest fingerprint;
    // Times at which the chain was found good, by the number of revocations that did not concern
    // it. Validity periods are intervals, and so is their intersection: what is good at both ends
    // is good between them. Guarded by mutex_.
    std::map<std::size_t, std::pair<UnixTime, UnixTime>> good;
  };
  [[nodiscard]] Result<std::shared_ptr<Signer>> signer_of(const crypto::Sign1& message) const;
  /// A chain as far as revocations leave it: of the keys of authorities, those count that are not
  /// revoked, or not before `attested`.
  struct Certificates {
    std::vector<crypto::Certificate> chain;
    std::vector<crypto::Certificate> anchors;
    bool complete = true;  // nothing was left out
  };
  [[nodiscard]] Certificates certificates_at(const Signer& signer,
                                             std::optional<UnixTime> attested) const;
  [[nodiscard]] crypto::ChainStatus chain_status(Signer& signer, UnixTime at,
                                                 std::optional<UnixTime> attested) const;
  /// When this key was revoked, as far as the moment asked for knows.
  [[nodiscard]] std::optional<UnixTime> revoked_at(const Digest& key) const;
  /// What others than the ledger say of a checkpoint that holds.
  struct Cosigned {
    std::string witness;                   // its name in the trust file
    UnixTime time;                         // of its earliest cosignature
    std::optional<UnixTime> revoked = {};  // its key
  };
  struct Stamped {
    std::size_t tsa = 0;                   // in the trust file
    Digest key;                            // hash of the TSA's key
    UnixTime latest;                       // by then the checkpoint existed
    std::optional<UnixTime> revoked = {};  // the earliest of its chain's keys
  };
  /// A receipt that holds, with its checkpoint, and what is missing of what the trust file demands.
  struct Entered {
    LedgerInfo info;  // with its date
    std::vector<finding::Finding> missing;
    std::optional<UnixTime> attested;  // by whom no revocation concerns: it existed then
  };
  /// The entry that dates the seal, absent when no receipt is good. Fills `out`.
  [[nodiscard]] std::optional<Entered> judge_ledger(const evidence::Evidence& evidence,
                                                    const Digest& signer,
                                                    TrustJudgement& out) const;
  /// The earliest time of a pinned checkpoint whose tree has this leaf.
  [[nodiscard]] std::optional<UnixTime> pinned_at(std::span<const ledger_format::Receipt> receipts,
                                                  const Digest& leaf) const;
  [[nodiscard]] bool judge_receipt(const ledger_format::Receipt& receipt,
                                   const TrustedLedger& ledger, const Digest& leaf,
                                   Digest& root) const;
  /// Absent when the checkpoint does not hold, or is missing although a quorum is asked for.
  [[nodiscard]] std::optional<std::vector<Cosigned>> judge_checkpoint(
      const evidence::Evidence& evidence, const ledger_format::Receipt& receipt, const Digest& root,
      const TrustedLedger& ledger) const;
  /// Good time-stamps over the evidence's checkpoint, earliest first.
  [[nodiscard]] std::vector<Stamped> judge_time_stamps(const evidence::Evidence& evidence) const;
  [[nodiscard]] Entered date_entry(const evidence::Evidence& evidence,
                                   const ledger_format::Receipt& receipt,
                                   const TrustedLedger& ledger, std::vector<Cosigned> cosigned,
                                   std::optional<UnixTime> pinned) const;
  void judge_signer(Signer& signer, UnixTime sealed_at, std::optional<UnixTime> attested,
                    std::vector<finding::Finding>& findings) const;

  Trust trust_;
  std::optional<UnixTime> at_;
  std::vector<crypto::Certificate> anchors_;                   // authorities that may seal
  std::vector<std::optional<crypto::PublicKey>> ledger_keys_;  // one a ledger of the trust file
  std::map<Digest, UnixTime> revoked_;                         // known at `at_`, by key
  std::vector<std::optional<UnixTime>> ledgers_revoked_;       // one a ledger: its key
  mutable Mutex mutex_;
  // By hash of the protected header.
  mutable std::map<Digest, std::shared_ptr<Signer>> signers_ FIDUCIA_GUARDED_BY(mutex_);
  // By hash of key, header, root, signature.
  mutable std::map<Digest, bool> signed_roots_ FIDUCIA_GUARDED_BY(mutex_);
  // Good ones: who cosigned.
  mutable std::map<Digest, std::vector<Cosigned>> checkpoints_ FIDUCIA_GUARDED_BY(mutex_);
  // By checkpoint and tokens.
  mutable std::map<Digest, std::vector<Stamped>> time_stamps_ FIDUCIA_GUARDED_BY(mutex_);
};

}  // namespace fiducia::trust
