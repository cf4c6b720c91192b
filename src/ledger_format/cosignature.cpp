// SPDX-License-Identifier: Apache-2.0
#include "ledger_format/cosignature.h"

#include <algorithm>

namespace fiducia::ledger_format {
namespace {

bool same_key(const NoteSignature& line, std::string_view name, std::uint32_t key_id) {
  return line.name == name && line.key_id == key_id;
}

Status check_bounds(const VerifiedSignature& signature, const CosignatureBounds& bounds) {
  if (!signature.time)
    return fail(
        ErrorCode::signature_bad,
        "The signature by " + signature.name + " states no time, so it is not a cosignature.",
        "Configure the witness with its key of type 4.");
  if (*signature.time < bounds.earliest)
    return fail(ErrorCode::signature_bad,
                "The cosignature by " + signature.name + " states the time " +
                    to_rfc3339(*signature.time) + ", before " + to_rfc3339(bounds.earliest) +
                    "; it may be an old one played back.",
                "Ask the witness again, and have its clock checked.");
  if (*signature.time > bounds.latest)
    return fail(ErrorCode::signature_bad,
                "The cosignature by " + signature.name + " states a time in the future, " +
                    std::to_string(signature.time->seconds) + " seconds after 1970.",
                "Check the clock here and that of the witness.");
  return {};
}

/// The time of the first line of this key that verifies over the note's own text.
std::optional<UnixTime> time_of(const Note& note, const VerifierKey& key) {
  for (const NoteSignature& line : note.signatures) {
    if (!same_key(line, key.name, key.key_id)) continue;
    const Note alone{.text = note.text, .signatures = {line}};
    if (const auto verified = verify_note(alone, std::span{&key, 1})) return verified->front().time;
  }
  return std::nullopt;
}

/// `line` becomes the only one of its key, in the place of an older one if there is one.
void put_line(std::vector<NoteSignature>& lines, NoteSignature line) {
  const auto is_same = [name = line.name, key_id = line.key_id](const NoteSignature& other) {
    return same_key(other, name, key_id);
  };
  const auto first = std::find_if(lines.begin(), lines.end(), is_same);
  if (first == lines.end()) {
    lines.push_back(std::move(line));
    return;
  }
  *first = std::move(line);
  lines.erase(std::remove_if(std::next(first), lines.end(), is_same), lines.end());
}

}  // namespace

Result<NoteSignature> cosign(std::string_view text, const VerifierKey& cosigner,
                             const crypto::SigningKey& key, UnixTime time) {
  FIDUCIA_ASSERT(cosigner.type == NoteKeyType::cosignature);
  if (time.seconds < 1)
    return fail(ErrorCode::usage_invalid, "A cosignature needs a time after 1970.",
                "Set the clock of this machine.");
  if (text.empty() || text.back() != '\n')
    return fail(ErrorCode::usage_invalid, "A checkpoint's text does not end in a line feed.");
  const std::string message =
      "cosignature/v1\ntime " + std::to_string(time.seconds) + "\n" + std::string{text};
  FIDUCIA_TRY(signature, key.sign(crypto::SignatureAlgorithm::eddsa, as_bytes(message)));
  NoteSignature line{.name = cosigner.name, .key_id = cosigner.key_id, .signature = {}};
  append_be(line.signature, static_cast<std::uint64_t>(time.seconds));
  append(line.signature, signature);
  return line;
}

Result<MergedNote> merge_cosignatures(std::string_view note, std::string_view lines,
                                      std::span<const VerifierKey> cosigners,
                                      const CosignatureBounds& bounds) {
  FIDUCIA_TRY(into, read_note(note));
  FIDUCIA_TRY(answer, read_note(into.text + "\n" + std::string{lines}));
  // An empty line among the lines would make them part of the text (signed-note splits at the
  // last one), and what was verified then would be another text.
  if (answer.text != into.text)
    return fail_malformed("note", "The cosignatures hold an empty line.");
  FIDUCIA_TRY(added, verify_note(answer, cosigners));
  for (const VerifiedSignature& signature : added) FIDUCIA_CHECK(check_bounds(signature, bounds));

  std::vector<NoteSignature> merged = into.signatures;
  for (const VerifiedSignature& signature : added) {
    const auto key = std::find_if(cosigners.begin(), cosigners.end(), [&](const VerifierKey& k) {
      return k.name == signature.name && k.key_id == signature.key_id;
    });
    const auto held = time_of(into, *key);
    if (held && *held >= *signature.time) continue;
    const auto line = std::find_if(
        answer.signatures.begin(), answer.signatures.end(),
        [&](const NoteSignature& l) { return same_key(l, signature.name, signature.key_id); });
    put_line(merged, *line);
  }
  if (merged.size() > limits::note_signatures_max)
    return fail(ErrorCode::over_limit, "The note would have more than " +
                                           std::to_string(limits::note_signatures_max) +
                                           " signatures.");
  std::string text = into.text + "\n";
  for (const NoteSignature& line : merged) text += write_signature_line(line);
  return MergedNote{.note = std::move(text), .added = std::move(added)};
}

}  // namespace fiducia::ledger_format
