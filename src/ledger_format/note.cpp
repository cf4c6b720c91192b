// SPDX-License-Identifier: Apache-2.0
#include "ledger_format/note.h"

#include <algorithm>
#include <charconv>
#include <limits>

#include "crypto/ecdsa_der.h"

namespace fiducia::ledger_format {
namespace {

constexpr std::string_view em_dash_space = "\xE2\x80\x94 ";  // U+2014 SP
constexpr std::size_t ed25519_key_bytes = 32;
constexpr std::size_t ed25519_signature_bytes = 64;
constexpr std::size_t key_id_bytes = 4;

std::unexpected<Error> bad_note(std::string what, std::optional<std::uint64_t> offset = {}) {
  return fail_malformed("note", std::move(what), offset);
}

std::unexpected<Error> bad_vkey(std::string what) {
  return fail_malformed("vkey", std::move(what));
}

std::unexpected<Error> bad_checkpoint(std::string what) {
  return fail_malformed("checkpoint", std::move(what));
}

/// White_Space of Unicode, beyond the ASCII controls that a note cannot hold anyway.
bool is_unicode_space(std::uint32_t c) {
  return (c >= 0x09 && c <= 0x0D) || c == 0x20 || c == 0x85 || c == 0xA0 || c == 0x1680 ||
         (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 || c == 0x202F || c == 0x205F ||
         c == 0x3000;
}

/// Whether well-formed UTF-8 holds a white-space character.
bool has_space(std::string_view utf8) {
  for (std::size_t i = 0; i < utf8.size();) {
    const auto lead = static_cast<unsigned char>(utf8[i]);
    const std::size_t length = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    std::uint32_t c = length == 1 ? lead : lead & (0x7FU >> length);
    for (std::size_t k = 1; k < length; ++k)
      c = c << 6 | (static_cast<unsigned char>(utf8[i + k]) & 0x3FU);
    if (is_unicode_space(c)) return true;
    i += length;
  }
  return false;
}

bool has_control(std::string_view text) {
  return std::any_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) < 0x20 && c != '\n'; });
}

std::uint32_t first_four_bytes(const Digest& digest) {
  return load_be<std::uint32_t>(digest.bytes.data());
}

std::uint32_t key_id_of(std::string_view name, NoteKeyType type, ByteView public_key) {
  // ECDSA keys keep the older rule of their ecosystem: no name, no type.
  if (type == NoteKeyType::ecdsa) return first_four_bytes(crypto::sha256(public_key));
  const std::array<std::byte, 2> separator{std::byte{0x0A}, std::byte{std::to_underlying(type)}};
  const std::array<ByteView, 3> parts{as_bytes(name), separator, public_key};
  return first_four_bytes(crypto::sha256(parts));
}

std::string hex_of(std::uint32_t key_id) {
  std::array<std::byte, key_id_bytes> bytes;
  store_be(bytes.data(), key_id);
  return to_hex(bytes);
}

/// Whether `line` verifies under `key`; the time it states, for cosignatures.
Result<std::optional<UnixTime>> verify_line(const std::string& text, const NoteSignature& line,
                                            const VerifierKey& key) {
  switch (key.type) {
    case NoteKeyType::ed25519: {
      FIDUCIA_TRY(public_key, crypto::PublicKey::read_ed25519(key.public_key));
      FIDUCIA_CHECK(
          public_key.verify(crypto::SignatureAlgorithm::eddsa, as_bytes(text), line.signature));
      return std::nullopt;
    }
    case NoteKeyType::ecdsa: {
      FIDUCIA_TRY(public_key, crypto::PublicKey::read_spki(key.public_key));
      constexpr std::size_t half_bytes = 32;  // of P-256, the one curve of such keys
      const auto signature = crypto::read_ecdsa_der(line.signature, half_bytes);
      if (!signature) return bad_note("An ECDSA signature is not DER.");
      FIDUCIA_CHECK(
          public_key.verify(crypto::SignatureAlgorithm::es256, as_bytes(text), *signature));
      return std::nullopt;
    }
    case NoteKeyType::cosignature: {
      // u64be time || Ed25519 over a message that repeats the time (tlog-cosignature).
      if (line.signature.size() != 8 + ed25519_signature_bytes)
        return bad_note("A cosignature is not 72 bytes.");
      const auto time = load_be<std::uint64_t>(line.signature.data());
      if (time > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()))
        return bad_note("The time of a cosignature is out of range.");
      FIDUCIA_TRY(public_key, crypto::PublicKey::read_ed25519(key.public_key));
      const std::string message = "cosignature/v1\ntime " + std::to_string(time) + "\n" + text;
      FIDUCIA_CHECK(public_key.verify(crypto::SignatureAlgorithm::eddsa, as_bytes(message),
                                      ByteView{line.signature}.subspan(8)));
      return UnixTime{static_cast<std::int64_t>(time)};
    }
  }
  return fail(ErrorCode::unsupported, "The key type is not one Fiducia verifies.");
}

Result<NoteSignature> read_signature_line(std::string_view line, std::uint64_t offset) {
  if (!line.starts_with(em_dash_space))
    return bad_note("A signature line does not start with an em dash and a space.", offset);
  line.remove_prefix(em_dash_space.size());
  const std::size_t space = line.find(' ');
  if (space == std::string_view::npos) return bad_note("A signature line has no space.", offset);
  NoteSignature signature;
  signature.name = line.substr(0, space);
  if (!is_key_name(signature.name))
    return bad_note("The key name of a signature line is empty or holds a space or '+'.", offset);
  const auto decoded = from_base64(line.substr(space + 1));
  if (!decoded) return bad_note("A signature is not canonical base64.", offset);
  if (decoded->size() <= key_id_bytes)
    return bad_note("A signature is shorter than its key id.", offset);
  signature.key_id = load_be<std::uint32_t>(decoded->data());
  signature.signature.assign(decoded->begin() + key_id_bytes, decoded->end());
  return signature;
}

}  // namespace

bool is_key_name(std::string_view name) {
  return !name.empty() && is_utf8(name) && !has_control(name) && !has_space(name) &&
         name.find('+') == std::string_view::npos && name.find('\n') == std::string_view::npos;
}

std::string write_signature_line(const NoteSignature& signature) {
  Bytes bytes;
  append_be(bytes, signature.key_id);
  append(bytes, signature.signature);
  return std::string{em_dash_space} + signature.name + " " + to_base64(bytes) + "\n";
}

Result<VerifierKey> read_vkey(std::string_view text) {
  // The base64 part may hold '+': only the first two count (signed-note).
  const std::size_t first = text.find('+');
  const std::size_t second = first == std::string_view::npos ? first : text.find('+', first + 1);
  if (second == std::string_view::npos)
    return bad_vkey("A verifier key has three parts joined by '+'.");
  VerifierKey key;
  key.name = text.substr(0, first);
  if (!is_key_name(key.name)) return bad_vkey("The key name is empty or holds a space.");
  const std::string_view hex = text.substr(first + 1, second - first - 1);
  const auto id = from_hex(hex);
  if (!id || id->size() != key_id_bytes || to_hex(*id) != hex)
    return bad_vkey("The key id is not eight lower-case hexadecimal digits.");
  key.key_id = load_be<std::uint32_t>(id->data());
  const auto data = from_base64(text.substr(second + 1));
  if (!data || data->empty()) return bad_vkey("The key is not canonical base64.");
  const auto type = std::to_integer<std::uint8_t>(data->front());
  key.public_key.assign(data->begin() + 1, data->end());
  switch (type) {
    case std::to_underlying(NoteKeyType::ed25519):
    case std::to_underlying(NoteKeyType::cosignature): {
      if (key.public_key.size() != ed25519_key_bytes)
        return bad_vkey("An Ed25519 key is not 32 bytes.");
      FIDUCIA_CHECK(crypto::PublicKey::read_ed25519(key.public_key));
      break;
    }
    case std::to_underlying(NoteKeyType::ecdsa): {
      FIDUCIA_TRY(public_key, crypto::PublicKey::read_spki(key.public_key));
      // Over P-384 the type still means SHA-256, a pair that COSE has no algorithm for.
      if (public_key.kind() != crypto::KeyKind::p256)
        return fail(ErrorCode::unsupported, "An ECDSA verifier key is not on P-256.");
      break;
    }
    default:
      return fail(ErrorCode::unsupported, "The verifier key has signature type " +
                                              std::to_string(type) +
                                              "; Fiducia verifies types 1, 2 and 4.");
  }
  key.type = static_cast<NoteKeyType>(type);
  if (key_id_of(key.name, key.type, key.public_key) != key.key_id)
    return bad_vkey("The key id does not belong to this name and key.");
  return key;
}

std::string write_vkey(const VerifierKey& key) {
  Bytes data{std::byte{std::to_underlying(key.type)}};
  append(data, key.public_key);
  return key.name + "+" + hex_of(key.key_id) + "+" + to_base64(data);
}

VerifierKey make_vkey(std::string name, NoteKeyType type, ByteView public_key) {
  VerifierKey key;
  key.name = std::move(name);
  key.type = type;
  key.public_key.assign(public_key.begin(), public_key.end());
  key.key_id = key_id_of(key.name, type, public_key);
  return key;
}

Result<Note> read_note(std::string_view encoded) {
  if (encoded.size() > limits::note_bytes_max)
    return fail(ErrorCode::over_limit, "A signed note is larger than " +
                                           std::to_string(limits::note_bytes_max) + " bytes.");
  if (!is_utf8(encoded)) return bad_note("The note is not UTF-8.");
  if (has_control(encoded)) return bad_note("The note holds a control character.");
  // The text may hold empty lines: the last one separates (signed-note).
  const std::size_t split = encoded.rfind("\n\n");
  if (split == std::string_view::npos) return bad_note("No empty line before the signatures.");
  Note note;
  note.text = encoded.substr(0, split + 1);
  std::size_t at = split + 2;
  if (at == encoded.size()) return bad_note("The note has no signature.");
  while (at < encoded.size()) {
    const std::size_t end = encoded.find('\n', at);
    if (end == std::string_view::npos)
      return bad_note("The last signature line does not end in a line feed.", at);
    if (note.signatures.size() == limits::note_signatures_max)
      return fail(ErrorCode::over_limit, "A signed note has more than " +
                                             std::to_string(limits::note_signatures_max) +
                                             " signatures.");
    FIDUCIA_TRY(signature, read_signature_line(encoded.substr(at, end - at), at));
    note.signatures.push_back(std::move(signature));
    at = end + 1;
  }
  return note;
}

Result<std::vector<VerifiedSignature>> verify_note(const Note& note,
                                                   std::span<const VerifierKey> keys) {
  std::vector<VerifiedSignature> verified;
  for (const NoteSignature& line : note.signatures) {
    bool known = false;
    std::optional<VerifiedSignature> good;
    for (const VerifierKey& key : keys) {
      if (key.name != line.name || key.key_id != line.key_id) continue;
      known = true;
      if (const auto time = verify_line(note.text, line, key)) {
        good = VerifiedSignature{.name = key.name, .key_id = key.key_id, .time = *time};
        break;
      }
    }
    if (!known) continue;  // a line whose pair is unknown says nothing (signed-note)
    if (!good)
      return fail(ErrorCode::signature_bad,
                  "The note's signature by " + line.name + " does not verify.",
                  "Fetch the note again; if it stays so, somebody altered it.");
    const auto counted = std::find_if(
        verified.begin(), verified.end(),
        [&](const VerifiedSignature& v) { return v.name == line.name && v.key_id == line.key_id; });
    if (counted == verified.end())
      verified.push_back(std::move(*good));
    else if (good->time && counted->time && *good->time < *counted->time)
      counted->time = good->time;
  }
  if (verified.empty())
    return fail(ErrorCode::signature_bad, "The note carries no signature by a known key.",
                "Check that the right verifier key is configured.");
  return verified;
}

Result<std::string> write_note(std::string_view text, const VerifierKey& signer,
                               const crypto::SigningKey& key) {
  if (!is_key_name(signer.name))
    return fail(ErrorCode::usage_invalid,
                "A note's key name must not be empty or hold a space, '+' or control character.",
                "Choose a name like example.org/ledger.");
  if (text.empty() || text.back() != '\n' || !is_utf8(text) || has_control(text))
    return fail(ErrorCode::usage_invalid, "A note's text is not UTF-8 lines that end in LF.");
  FIDUCIA_TRY(signature, key.sign(crypto::SignatureAlgorithm::eddsa, as_bytes(text)));
  return std::string{text} + "\n" +
         write_signature_line(
             {.name = signer.name, .key_id = signer.key_id, .signature = std::move(signature)});
}

Result<std::string> write_note(std::string_view text, const std::string& name,
                               const crypto::SigningKey& key) {
  const crypto::PublicKey& public_key = key.public_key();
  if (public_key.kind() != crypto::KeyKind::ed25519)
    return fail(ErrorCode::unsupported, "Notes are signed with an Ed25519 key.",
                "Make an Ed25519 key for the log.");
  return write_note(text, make_vkey(name, NoteKeyType::ed25519, public_key.write_ed25519()), key);
}

Result<Checkpoint> read_checkpoint(std::string_view text) {
  if (text.empty() || text.back() != '\n')
    return bad_checkpoint("A checkpoint does not end in a line feed.");
  std::vector<std::string_view> lines;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = text.find('\n', at);
    if (end == at) return bad_checkpoint("A checkpoint holds an empty line.");
    lines.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  if (lines.size() < 3) return bad_checkpoint("A checkpoint has fewer than three lines.");
  Checkpoint checkpoint;
  checkpoint.origin = lines[0];
  const std::string_view size = lines[1];
  const auto [end, error] =
      std::from_chars(size.data(), size.data() + size.size(), checkpoint.tree_size);
  if (error != std::errc{} || end != size.data() + size.size() ||
      (size.size() > 1 && size[0] == '0'))
    return bad_checkpoint("The tree size is not a decimal number below 2^64.");
  const auto root = digest_from_base64(lines[2]);
  if (!root) return bad_checkpoint("The root hash is not 32 bytes in base64.");
  checkpoint.root = *root;
  checkpoint.extensions.assign(lines.begin() + 3, lines.end());
  return checkpoint;
}

std::string write_checkpoint(const Checkpoint& checkpoint) {
  std::string text = checkpoint.origin + "\n" + std::to_string(checkpoint.tree_size) + "\n" +
                     to_base64(checkpoint.root.view()) + "\n";
  for (const std::string& line : checkpoint.extensions) text += line + "\n";
  return text;
}

Result<Checkpoint> read_signed_checkpoint(std::string_view note, const VerifierKey& key) {
  FIDUCIA_TRY(read, read_note(note));
  FIDUCIA_CHECK(verify_note(read, std::span{&key, 1}));
  return read_checkpoint(read.text);
}

}  // namespace fiducia::ledger_format
