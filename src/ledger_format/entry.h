// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <array>
#include <string>

#include "core/core.h"

namespace fiducia::ledger_format {

/// What an entry enters into a log (spec/ledger.md section 1). Append, never renumber. Open: a
/// reader takes and proves an entry of any number, and says the number where it knows no word for
/// it.
enum class EntryType : std::uint16_t {
  genesis = 0,
  seal = 1,
  amendment = 2,    // a correction of a sealed object
  derivation = 3,   // an object that was computed or de-identified from others
  manifest = 4,     // a collection of objects
  audit_event = 5,  // something that was done with them
};
inline constexpr std::array known_entry_types{EntryType::genesis,   EntryType::seal,
                                              EntryType::amendment, EntryType::derivation,
                                              EntryType::manifest,  EntryType::audit_event};
/// "seal", and "type 77" where this release knows no word.
[[nodiscard]] std::string to_word(EntryType type);

/// A ledger entry: CBOR [1, type, statement hash, signer certificate hash, claimed time]
/// (spec/ledger.md section 1). Nothing about a patient.
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
