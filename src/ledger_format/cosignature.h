// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/core.h"
#include "crypto/crypto.h"
#include "ledger_format/note.h"

/// Cosignatures of witnesses (C2SP tlog-cosignature, cosignature/v1): "as of `time` this is the
/// largest consistent tree that I have seen of this log".
namespace fiducia::ledger_format {

/// Cosigns the text of a checkpoint. `cosigner` is of type cosignature and belongs to `key`
/// (Ed25519). Deterministic: the same text and time give the same bytes.
/// Errors: usage_invalid (time below 1, text that is no note's), crypto_failed.
[[nodiscard]] Result<NoteSignature> cosign(std::string_view text, const VerifierKey& cosigner,
                                           const crypto::SigningKey& key, UnixTime time);

/// Which times of a cosignature are plausible. The bounds belong to them.
struct CosignatureBounds {
  UnixTime earliest{1};  // 0 would make no statement about the tree (tlog-witness)
  UnixTime latest{std::numeric_limits<std::int64_t>::max()};
};

struct MergedNote {
  std::string note;                      // the whole signed note
  std::vector<VerifiedSignature> added;  // what `lines` had by known cosigners
};

/// Adds to a signed note what a witness answered. `lines` are signature lines; each by one of
/// `cosigners` must verify over the text of `note` and lie within `bounds`, lines by others are
/// left out. A key has one line in the result: a newer time replaces an older one, never the other
/// way round. Errors: malformed (kind "note"), signature_bad (a known line fails, none is known,
/// or its time is out of bounds), over_limit.
[[nodiscard]] Result<MergedNote> merge_cosignatures(std::string_view note, std::string_view lines,
                                                    std::span<const VerifierKey> cosigners,
                                                    const CosignatureBounds& bounds = {});

}  // namespace fiducia::ledger_format
