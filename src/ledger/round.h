// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/core.h"
#include "ledger/object_store.h"
#include "ledger/sequencer.h"
#include "ledger_format/note.h"

/// Inside the ledger: from entries to a signed round, and from a round to what it brings into
/// the store. The second needs no key and gives the same bytes wherever it runs.
namespace fiducia::ledger {

/// Who signs. Not changed while a log is open.
struct LogIdentity {
  LogIdentity(std::string log_origin, std::shared_ptr<const crypto::SigningKey> log_key);
  const std::string origin;
  const std::shared_ptr<const crypto::SigningKey> key;  // Ed25519
  const crypto::PublicKey public_key;
  const ledger_format::VerifierKey vkey;
};

/// A round that was computed and signed, not yet committed.
struct NextRound {
  Round round;
  Tail tail;                                             // the tree with it
  std::shared_ptr<const ledger_format::GrownTree> tree;  // for the proofs of its entries
};

/// Appends `entries` (encoded, at least one) with their `leaves` behind `tail` and signs the
/// checkpoint of the new tree; its record is left to `sign_record`. The time of a checkpoint is
/// never below that of the one before, unless `clock_is_right`. Errors: crypto_failed, unsupported.
[[nodiscard]] Result<NextRound> make_round(const LogIdentity& identity, const Tail& tail,
                                           std::span<const ByteView> entries,
                                           std::span<const Digest> leaves, UnixTime now,
                                           bool clock_is_right = false);

/// Signs the root of `record` for receipts, if it is not signed. Ed25519 gives the same signature
/// each time (RFC 8032 section 5.1.6): a round is committed without it, and whoever needs it
/// later, after a crash or on another machine of this log, makes it again.
/// Errors: crypto_failed, unsupported.
[[nodiscard]] Status sign_record(const LogIdentity& identity, ledger_format::RootRecord& record);

/// What a committed round adds: the tree with it and the tiles and bundles it brings.
struct AppliedRound {
  Tail tail;
  std::vector<Digest> leaves;  // of the round's entries
  std::vector<NewObject> objects;
  std::vector<std::string> superseded;  // full tiles and bundles whose partial forms may go
};
/// Recomputes `round` behind `tail`; its root must come out, signatures are for `check_signed`.
/// Errors: malformed (kind "journal").
[[nodiscard]] Result<AppliedRound> apply_round(const Tail& tail, const Round& round);

/// Rounds that follow each other, at least one, as one: all entries, the last record and note.
[[nodiscard]] Round merge_rounds(std::span<const Round> rounds);

/// Whether the log itself signed the root and the checkpoint of `tail`.
/// Errors: signature_bad, malformed (kind "journal").
[[nodiscard]] Status check_signed(const LogIdentity& identity, const Tail& tail);

}  // namespace fiducia::ledger
