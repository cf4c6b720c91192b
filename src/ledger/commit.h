// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <filesystem>
#include <memory>
#include <span>
#include <string>

#include "core/core.h"
#include "ledger/note.h"
#include "ledger/root_record.h"
#include "ledger/tree.h"

/// Inside the ledger: one append from entries to a durable checkpoint, and recovery.
namespace fiducia::ledger {

/// Who appends where. Not changed while a log is open.
struct Writer {
  std::filesystem::path folder;
  std::string origin;
  const crypto::PrivateKey* key = nullptr;  // outlives this; Ed25519
};

/// What the next append builds upon.
struct Tail {
  Frontage frontage;
  Bytes bundle;  // content of the partial entry bundle, empty at a multiple of 256
  std::optional<RootRecord> record;
  std::string note;  // the signed checkpoint
};

struct Committed {
  std::unique_ptr<GrownTree> tree;  // for the proofs of the new entries
  Tail tail;
};

/// Thrown-away work and lost work look alike from outside; the caller must know which it was.
enum class Reached {
  nothing,  // no root was signed on disk: the append did not happen
  record,   // the signed root may be on disk: only recovery can tell
};

/// Appends `entries` behind `tail` in durable steps: tiles and bundles, then signed-root.cbor,
/// then the checkpoint. `reached` tells how far a failed commit came. Errors: io_unwritable,
/// crypto_failed, unsupported.
[[nodiscard]] Result<Committed> commit(const Writer& writer, const Tail& tail,
                                       std::span<const ByteView> entries, UnixTime now,
                                       Reached& reached);

/// Removes the partial tiles and bundles of the tree of `before` leaves that full ones of the tree
/// of `size` leaves supersede.
void remove_superseded(const std::filesystem::path& folder, std::uint64_t before,
                       std::uint64_t size);

/// Reads the durable state and completes an append that was cut off between its signed root and
/// its checkpoint. What lies past that is removed. Errors: io_unreadable, io_unwritable,
/// malformed, signature_bad; they name the file below the folder.
[[nodiscard]] Result<Tail> recover(const Writer& writer);

}  // namespace fiducia::ledger
