// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "core/core.h"
#include "evidence/evidence_file.h"

/// What sealing enters in the ledger (spec/ledger.md section 1).
namespace fiducia::evidence {

/// The ledger entry of a seal: `sign1` is its COSE_Sign1, `signer` the SHA-256 of the signing
/// certificate.
[[nodiscard]] Bytes seal_entry(ByteView sign1, const Digest& signer, UnixTime claimed_at);

/// The entry that belongs to `evidence`, whose signer is taken from its COSE_Sign1. Nothing is
/// verified. Errors: malformed (kind "cose"), unsupported; malformed (kind "evidence") when it
/// names no certificate.
[[nodiscard]] Result<Bytes> seal_entry(const Evidence& evidence);

}  // namespace fiducia::evidence
