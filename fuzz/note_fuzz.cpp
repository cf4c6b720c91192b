// SPDX-License-Identifier: Apache-2.0
// Signed notes, checkpoints and verifier keys from strangers.
#include "ledger_format/note.h"
#include "target.h"

using namespace fiducia;

FIDUCIA_FUZZ_TARGET(note) {
  const std::string_view text{reinterpret_cast<const char*>(data), size};
  if (const auto key = ledger_format::read_vkey(text))
    FIDUCIA_ASSERT(ledger_format::write_vkey(*key) == text);  // one spelling
  if (const auto checkpoint = ledger_format::read_checkpoint(text))
    FIDUCIA_ASSERT(ledger_format::write_checkpoint(*checkpoint) == text);
  const auto note = ledger_format::read_note(text);
  if (!note) return 0;
  FIDUCIA_ASSERT(!note->signatures.empty());
  FIDUCIA_ASSERT(note->signatures.size() <= limits::note_signatures_max);
  // Put together again from its parts, a note is the same bytes.
  std::string again = note->text + "\n";
  for (const ledger_format::NoteSignature& line : note->signatures) {
    Bytes bytes;
    append_be(bytes, line.key_id);
    append(bytes, line.signature);
    again += "\xE2\x80\x94 " + line.name + " " + to_base64(bytes) + "\n";
  }
  FIDUCIA_ASSERT(again == text);
  // A key nobody listed is never verified; one whose pair is listed never verifies by chance.
  FIDUCIA_ASSERT(!ledger_format::verify_note(*note, {}).has_value());
  if (const auto checkpoint = ledger_format::read_checkpoint(note->text))
    FIDUCIA_ASSERT(ledger_format::write_checkpoint(*checkpoint) == note->text);
  return 0;
}
