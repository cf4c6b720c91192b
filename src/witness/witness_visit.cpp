// SPDX-License-Identifier: Apache-2.0
#include "witness/witness_visit.h"

#include <algorithm>

#include "ledger/reader.h"

namespace fiducia::witness {
namespace {

/// The key among `keys` with which the whole note verifies, if there is one.
const ledger_format::VerifierKey* find_signer(const ledger_format::Note& note,
                                              std::span<const ledger_format::VerifierKey> keys) {
  const auto found =
      std::find_if(keys.begin(), keys.end(), [&](const ledger_format::VerifierKey& key) {
        return ledger_format::verify_note(note, std::span{&key, 1}).has_value();
      });
  return found == keys.end() ? nullptr : &*found;
}

Result<Visit> submit(const Witness& witness, AddCheckpoint request) {
  FIDUCIA_TRY(answer, witness.add_checkpoint(request));
  Visit visit{.answer = std::move(answer), .note = std::move(request.note)};
  if (visit.answer.status != WitnessStatus::cosigned) return visit;
  FIDUCIA_TRY(merged, ledger_format::merge_cosignatures(visit.note, visit.answer.body,
                                                        std::span{&witness.key(), 1}));
  visit.note = std::move(merged.note);
  return visit;
}

}  // namespace

Result<Visit> visit_log(const Witness& witness,
                        std::shared_ptr<const ledger::ObjectSource> source) {
  FIDUCIA_TRY(bytes, source->read("checkpoint", limits::note_bytes_max));
  if (!bytes)
    return fail(ErrorCode::io_unreadable, "There is no checkpoint here.",
                "Name the folder or the URL of a log.",
                Location{.file = source->name_of("checkpoint")});
  AddCheckpoint request{.old_size = 0, .proof = {}, .note = std::string{as_text(*bytes)}};
  const auto note = ledger_format::read_note(request.note);
  const auto checkpoint =
      note ? ledger_format::read_checkpoint(note->text) : std::unexpected(note.error());
  if (!checkpoint) return submit(witness, std::move(request));
  FIDUCIA_TRY(logs, witness.logs());
  const auto log = std::find_if(logs.begin(), logs.end(), [&](const WitnessedLog& known) {
    return known.origin == checkpoint->origin;
  });
  const ledger_format::VerifierKey* const key =
      log == logs.end() ? nullptr : find_signer(*note, log->keys);
  if (key == nullptr || !log->latest) return submit(witness, std::move(request));
  request.old_size = log->latest->tree_size;
  if (request.old_size > 0 && request.old_size < checkpoint->tree_size) {
    FIDUCIA_TRY(reader, ledger::LogReader::open(source, *key));
    // The log may have grown since its checkpoint was read: everything from one reading.
    request.note = reader.checkpoint();
    FIDUCIA_TRY(proof, reader.consistency_proof(request.old_size));
    request.proof = std::move(proof);
  }
  const bool shrunk = request.old_size > checkpoint->tree_size;
  FIDUCIA_TRY(visit, submit(witness, std::move(request)));
  visit.shrunk = shrunk;
  if (shrunk)
    visit.answer.text = "The log shows " + std::to_string(checkpoint->tree_size) +
                        " entries, fewer than the " + std::to_string(log->latest->tree_size) +
                        " that were cosigned.";
  return std::move(visit);
}

}  // namespace fiducia::witness
