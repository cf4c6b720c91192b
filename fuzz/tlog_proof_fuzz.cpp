// SPDX-License-Identifier: Apache-2.0
// tlog-proofs from strangers.
#include "ledger_format/proof.h"
#include "target.h"

using namespace fiducia;

FIDUCIA_FUZZ_TARGET(tlog_proof) {
  static const crypto::PrivateKey key =
      crypto::PrivateKey::generate(crypto::KeyKind::ed25519).value();
  const std::string_view text{reinterpret_cast<const char*>(data), size};
  const auto proof = ledger_format::read_tlog_proof(text);
  if (!proof) return 0;
  FIDUCIA_ASSERT(proof->path.size() <= limits::inclusion_path_max);
  FIDUCIA_ASSERT(!proof->extra || proof->extra->size() <= limits::tlog_proof_extra_bytes_max);
  // One spelling: put together again it is the same bytes.
  const auto extra = proof->extra ? std::optional<ByteView>{*proof->extra} : std::nullopt;
  FIDUCIA_ASSERT(
      ledger_format::write_tlog_proof(proof->index, proof->path, proof->checkpoint, extra) == text);
  // Nobody knows the key: whatever verifies is a forgery.
  const auto note = ledger_format::read_note(proof->checkpoint);
  FIDUCIA_ASSERT(note.has_value());
  const auto checkpoint = ledger_format::read_checkpoint(note->text);
  FIDUCIA_ASSERT(checkpoint.has_value() && proof->index < checkpoint->tree_size);
  const ledger_format::VerifierKey vkey =
      ledger_format::make_vkey(note->signatures.front().name, ledger_format::NoteKeyType::ed25519,
                               key.public_key().write_ed25519());
  FIDUCIA_ASSERT(
      !ledger_format::verify_tlog_proof(
           *proof, Digest{}, {.origin = checkpoint->origin, .log_keys = std::span{&vkey, 1}})
           .has_value());
  return 0;
}
