// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "core/core.h"

namespace fiducia::ledger_format {

/// What a ledger entry says: CBOR [1, type, statement hash, signer certificate hash, claimed
/// time] (spec/seal.md). Nothing about a patient.
enum class EntryType : std::uint8_t { genesis = 0, seal = 1 };
struct Entry {
  EntryType type = EntryType::seal;
  Digest sign1_hash;   // SHA-256 of the encoded COSE_Sign1
  Digest signer_hash;  // SHA-256 of the signer's certificate (DER)
  UnixTime claimed_at;
};
[[nodiscard]] Bytes write_entry(const Entry& entry);
/// Errors: malformed (kind "entry").
[[nodiscard]] Result<Entry> read_entry(ByteView encoded);

}  // namespace fiducia::ledger_format
