// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <span>
#include <string>
#include <vector>

#include "core/core.h"
#include "crypto/crypto.h"

namespace fiducia::ledger_format {

/// Signature types of C2SP signed-note that Fiducia reads.
enum class NoteKeyType : std::uint8_t { ed25519 = 0x01, ecdsa = 0x02, cosignature = 0x04 };

/// A verifier key: `name+hash+base64(type || key)` (C2SP signed-note).
struct VerifierKey {
  std::string name;
  std::uint32_t key_id = 0;
  NoteKeyType type = NoteKeyType::ed25519;
  Bytes public_key;  // 32 bytes, or SPKI DER for ecdsa
};
/// Errors: malformed, unsupported (a type Fiducia does not verify).
[[nodiscard]] Result<VerifierKey> read_vkey(std::string_view text);
[[nodiscard]] std::string write_vkey(const VerifierKey& key);
/// The vkey of an Ed25519 key under `name` with the type's key id rule.
[[nodiscard]] VerifierKey make_vkey(std::string name, NoteKeyType type, ByteView public_key);

struct NoteSignature {
  std::string name;
  std::uint32_t key_id = 0;
  Bytes signature;  // without the key id
};

/// The line as it stands in a note: em dash, name, base64 of key id and signature, LF.
[[nodiscard]] std::string write_signature_line(const NoteSignature& signature);
/// Whether `name` may name a key: UTF-8, not empty, no Unicode space, control character or '+'.
[[nodiscard]] bool is_key_name(std::string_view name);

/// A parsed signed note. Text includes its last LF.
struct Note {
  std::string text;
  std::vector<NoteSignature> signatures;
};
/// Errors: malformed (kind "note"), over_limit.
[[nodiscard]] Result<Note> read_note(std::string_view encoded);

/// A signature of the note that verified, with the time it states (cosignature/v1 only).
struct VerifiedSignature {
  std::string name;
  std::uint32_t key_id = 0;
  std::optional<UnixTime> time;
};
/// Verifies every line whose (name, key id) is among `keys`; unknown lines are ignored; each key
/// counts once, a cosigner with its earliest time. Errors: signature_bad, if a known line fails or
/// no known line is there.
[[nodiscard]] Result<std::vector<VerifiedSignature>> verify_note(const Note& note,
                                                                 std::span<const VerifierKey> keys);

/// Text (ending in LF), an empty line, one Ed25519 signature line.
/// Errors: usage_invalid (text or name), unsupported (another kind of key).
[[nodiscard]] Result<std::string> write_note(std::string_view text, const std::string& name,
                                             const crypto::SigningKey& key);
/// The same for who signs often: `signer` is of type ed25519 and belongs to `key`.
[[nodiscard]] Result<std::string> write_note(std::string_view text, const VerifierKey& signer,
                                             const crypto::SigningKey& key);

/// The text of a checkpoint (C2SP tlog-checkpoint).
struct Checkpoint {
  std::string origin;
  std::uint64_t tree_size = 0;
  Digest root;
  std::vector<std::string> extensions;
};
/// Errors: malformed (kind "checkpoint").
[[nodiscard]] Result<Checkpoint> read_checkpoint(std::string_view text);
[[nodiscard]] std::string write_checkpoint(const Checkpoint& checkpoint);
/// The checkpoint of a signed note that `key` has signed. Errors: as read_note, verify_note and
/// read_checkpoint.
[[nodiscard]] Result<Checkpoint> read_signed_checkpoint(std::string_view note,
                                                        const VerifierKey& key);

}  // namespace fiducia::ledger_format
