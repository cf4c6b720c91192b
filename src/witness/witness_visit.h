// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <memory>
#include <string>

#include "core/core.h"
#include "ledger/object_store.h"
#include "witness/witness.h"

/// A witness that comes to the log instead of being asked: once a day, or with a disk in the hand.
namespace fiducia::witness {

struct Visit {
  WitnessAnswer answer;  // as add_checkpoint gives it
  std::string note;      // the log's checkpoint, with the cosignature merged if it was cosigned
  bool shrunk = false;   // the log itself shows fewer entries than were cosigned
};

/// Reads the checkpoint of the log behind `source`, makes the consistency proof from its tiles,
/// each verified against the checkpoint, and judges it as `witness.add_checkpoint` does. Errors:
/// io_unreadable (no checkpoint, missing tiles), malformed, signature_bad (tiles that do not lead
/// to the checkpoint); and those of `add_checkpoint`.
[[nodiscard]] Result<Visit> visit_log(const Witness& witness,
                                      std::shared_ptr<const ledger::ObjectSource> source);

}  // namespace fiducia::witness
