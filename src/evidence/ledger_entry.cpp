// SPDX-License-Identifier: Apache-2.0
#include "evidence/ledger_entry.h"

#include "crypto/crypto.h"
#include "ledger_format/ledger_format.h"

namespace fiducia::evidence {

Bytes seal_entry(ByteView sign1, const Digest& signer, UnixTime claimed_at) {
  return ledger_format::write_entry({.type = ledger_format::EntryType::seal,
                                     .sign1_hash = crypto::sha256(sign1),
                                     .signer_hash = signer,
                                     .claimed_at = claimed_at});
}

Result<Bytes> seal_entry(const Evidence& evidence) {
  FIDUCIA_TRY(message, crypto::read_sign1(evidence.sign1));
  FIDUCIA_TRY(headers, crypto::read_headers(message));
  if (headers.x5chain.empty())
    return fail_malformed("evidence", "The seal names no certificate of its signer.");
  return seal_entry(evidence.sign1, headers.x5chain.front().fingerprint(),
                    evidence.statement.claimed_at);
}

}  // namespace fiducia::evidence
