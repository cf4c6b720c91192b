// SPDX-License-Identifier: Apache-2.0
#pragma once
// Inside of module sealing: an object on its way from its source to its answer.
#include <cstdint>
#include <optional>
#include <string>

#include "core/core.h"
#include "dicom/dicom.h"
#include "evidence/evidence.h"
#include "seal/seal.h"
#include "sealing/object.h"

namespace fiducia::sealing {

/// One object on its way. It belongs to the thread that seals it, and to whoever leads a round
/// while it waits for that.
///
/// The file stays open from the draft to the copy, so that what is written is what was sealed;
/// inflated data sets alone are given back and read again, as a batch of them could fill the
/// memory.
struct Work {
  enum class State : std::uint8_t {
    unjudged,  // to be opened and judged, perhaps again
    drafted,   // signed, not yet in the ledger
    taken,     // the same, and somebody else is sealing this identity
    settled,   // has a seal, which may have to be written; or has its error
  };
  Object object;
  State state = State::unjudged;
  Answer answer = {};
  std::optional<dicom::File> file = {};
  std::optional<Digest> content = {};  // of the file's bytes, when it is to be read again
  std::optional<seal::Draft> draft = {};
  /// How many objects the store had of this identity before it was judged.
  std::uint64_t known = 0;
  std::string study_uid = {};
  std::string series_uid = {};
  Bytes evidence = {};  // of the seal that it has
  Bytes former = {};    // of a seal that no longer counts, which stays beside the new one

  [[nodiscard]] EvidencePlace place() const {
    return object.placement ? object.placement->place() : EvidencePlace::store;
  }
  /// What goes into or beside a file.
  [[nodiscard]] Bytes evidence_file() const;
  /// Its answer is this error.
  void end(Answer::Status status, Error error);
  /// The same, with the object's name where the error has none.
  void end_named(Answer::Status status, Error error);
  /// Forgets what was found out, so that it can be judged from the start.
  void judge_again();
};

}  // namespace fiducia::sealing
