// SPDX-License-Identifier: Apache-2.0
#include "trust/pinned_receipts.h"

#include <algorithm>

#include "evidence/evidence_file.h"
#include "evidence/ledger_entry.h"
#include "merkle/merkle.h"

namespace fiducia::trust {

Result<PinnedReceipts> PinnedReceipts::make(const TrustedLedger& ledger, std::uint64_t tree_size,
                                            InclusionProofs proofs, const crypto::SigningKey& key,
                                            UnixTime now) {
  if (ledger.pinned.empty())
    return fail(ErrorCode::config_missing,
                "The trust file pins no checkpoint of the ledger " + ledger.origin + ".",
                "Put a [[ledger.pinned]] of before the theft into it; docs/keys.md shows how.");
  PinnedReceipts out{ledger.origin, std::move(proofs)};
  for (const PinnedCheckpoint& pinned : ledger.pinned) {
    if (pinned.tree_size > tree_size)
      return fail(ErrorCode::config_invalid,
                  "The trust file pins a checkpoint of " + std::to_string(pinned.tree_size) +
                      " entries, but this ledger has " + std::to_string(tree_size) + ".",
                  "Name the home, or a copy of it, whose ledger has them all.");
    FIDUCIA_TRY(signed_root, ledger_format::sign_root(key, ledger.origin, now, pinned.root));
    out.pins_.push_back({.checkpoint = pinned, .signed_root = std::move(signed_root)});
  }
  return out;
}

Result<std::optional<Bytes>> PinnedReceipts::add_to(ByteView encoded) const {
  FIDUCIA_TRY(evidence, evidence::read_evidence(encoded));
  FIDUCIA_TRY(entry, evidence::seal_entry(evidence));
  const Digest leaf = merkle::leaf_hash(entry);
  std::vector<Bytes> receipts;
  std::optional<std::uint64_t> index;
  for (const ByteView old : evidence.receipts) {
    receipts.emplace_back(old.begin(), old.end());
    const auto receipt = ledger_format::read_receipt(old);
    if (receipt && receipt->issuer == origin_ && !index) index = receipt->leaf_index;
  }
  if (!index) return std::nullopt;
  bool is_covered = false;
  for (const Pin& pin : pins_) {
    const PinnedCheckpoint& pinned = pin.checkpoint;
    if (*index >= pinned.tree_size) continue;
    FIDUCIA_TRY(path, proofs_(*index, pinned.tree_size));
    const auto leads = merkle::verify_inclusion(*index, pinned.tree_size, leaf, path, pinned.root);
    if (!leads)
      return fail(ErrorCode::signature_bad,
                  "Entry " + std::to_string(*index) + " of the ledger " + origin_ +
                      " does not lead to the checkpoint of " + std::to_string(pinned.tree_size) +
                      " entries that the trust file pins.",
                  "Compare tree_size and root with the checkpoint of before the theft; if they are "
                  "right, this ledger or this evidence was exchanged.");
    is_covered = true;
    if (receipts.size() == limits::evidence_receipts_max)
      return fail(ErrorCode::over_limit, "The evidence holds as many receipts as it may.",
                  "Pin fewer checkpoints.");
    receipts.push_back(
        ledger_format::write_receipt(pin.signed_root, pinned.tree_size, *index, path));
  }
  if (!is_covered) return std::nullopt;
  std::vector<Bytes> time_stamps;
  for (const ByteView token : evidence.time_stamps)
    time_stamps.emplace_back(token.begin(), token.end());
  FIDUCIA_TRY(written,
              evidence::with_receipts(encoded, receipts, evidence.checkpoint, time_stamps));
  return std::optional<Bytes>{std::move(written)};
}

}  // namespace fiducia::trust
