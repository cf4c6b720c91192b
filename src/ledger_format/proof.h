// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/core.h"
#include "crypto/crypto.h"
#include "ledger_format/note.h"

/// Proofs that one entry is in a log, in a text that verifies offline (C2SP tlog-proof).
namespace fiducia::ledger_format {

/// A tlog-proof as it was read; nothing is verified.
struct TlogProof {
  std::optional<Bytes> extra;  // opaque, and not covered by any signature
  std::uint64_t index = 0;
  std::vector<Digest> path;  // RFC 9162 section 2.1.3: the leaf's sibling first
  std::string checkpoint;    // the signed note, verbatim
};

/// Errors: malformed (kind "tlog_proof", "note", "checkpoint"), over_limit
/// (limits::tlog_proof_bytes_max, limits::tlog_proof_extra_bytes_max).
[[nodiscard]] Result<TlogProof> read_tlog_proof(std::string_view encoded);

/// What `read_tlog_proof` reads. `extra`, if given, is not empty (the form has no word for that).
[[nodiscard]] std::string write_tlog_proof(std::uint64_t index, std::span<const Digest> path,
                                           std::string_view checkpoint,
                                           std::optional<ByteView> extra = {});

/// What a proof has to fulfil; all of it is the verifier's own knowledge.
struct TlogProofDemands {
  std::string origin;                           // first line of an acceptable checkpoint
  std::span<const VerifierKey> log_keys;        // configured for that origin; one must have signed
  std::span<const VerifierKey> witnesses = {};  // keys of type cosignature
  std::size_t witnesses_min = 0;                // how many of them must have cosigned
};

/// What a verified proof shows.
struct ProvenEntry {
  Checkpoint checkpoint;
  std::vector<VerifiedSignature> cosignatures;  // by known witnesses, each once, with their times
};

/// Verifies as tlog-proof asks: origin, signature of the log, every cosignature by a known witness
/// (one that fails refuses the proof), how many there are, and the path from `leaf`, the hash of
/// the entry, to the signed root. Other rules about witnesses or times are the caller's, by what is
/// returned. Errors: those of `read_note` and `read_checkpoint`, signature_bad, usage_invalid (a
/// witness without a cosignature key, or one key for two of them or for the log).
[[nodiscard]] Result<ProvenEntry> verify_tlog_proof(const TlogProof& proof, const Digest& leaf,
                                                    const TlogProofDemands& demands);

}  // namespace fiducia::ledger_format
