// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/core.h"
#include "ledger/object_store.h"
#include "ledger_format/note.h"
#include "ledger_format/views.h"

namespace fiducia::ledger {

/// A log and a checkpoint that somebody else holds, judged by `compare_views`.
struct LogComparison {
  /// Views::split: the log showed different entries to different people, and the two signed notes
  /// prove it to anybody who has the key.
  ledger_format::Views views = ledger_format::Views::unknown;
  ledger_format::Checkpoint ours;
  ledger_format::Checkpoint other;
  std::string our_note;
  std::string other_note;
  /// The root that the larger tree had at the size of the smaller one, and the consistency proof
  /// of these two (RFC 9162 section 2.1.4.1). Absent where sizes are equal or one is 0.
  std::optional<Digest> root_then;
  std::vector<Digest> proof;
  std::string text;  // one sentence
};

/// Compares the log at `source` with a checkpoint that somebody else holds. The proof comes from
/// the tiles of whichever is larger; `other` is where the other's tiles are, null when there is
/// nothing but the note.
/// Errors: usage_invalid (the other note is of another key or origin), signature_bad (a signature
/// in the name of `key` does not verify), io_unreadable (the other checkpoint is larger and its
/// tiles are not to be had), malformed. Those about the other note name no file, or one of `other`.
[[nodiscard]] Result<LogComparison> compare_logs(std::shared_ptr<const ObjectSource> source,
                                                 const ledger_format::VerifierKey& key,
                                                 const std::string& other_note,
                                                 std::shared_ptr<const ObjectSource> other);

/// A copy of a log that somebody else has: its signed note, and where its tiles are (null:
/// nowhere).
struct OtherCopy {
  std::string note;
  std::shared_ptr<const ObjectSource> source;
};
/// The copy whose objects `source` gives. Errors: those of the source, with the name of its
/// checkpoint; io_unreadable where it has none.
[[nodiscard]] Result<OtherCopy> read_other_copy(std::shared_ptr<const ObjectSource> source);

/// One file of what somebody needs to see a split view for himself.
struct EvidenceFile {
  std::string name;
  std::string content;
};
/// Both signed notes as `checkpoint.ours` and `checkpoint.other`; and, where one tree is larger,
/// what it says that it was at the size of the smaller one: `consistency-proof` (hashes in base64,
/// one a line) and `root-then` (hexadecimal).
[[nodiscard]] std::vector<EvidenceFile> evidence_of(const LogComparison& found);

}  // namespace fiducia::ledger
