// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <filesystem>
#include <string>

#include "core/core.h"
#include "ledger/object_store.h"
#include "ledger_format/note.h"
#include "ledger_format/root_record.h"

/// Inside the ledger: the two small files that say what the log is, and where files lie.
namespace fiducia::ledger {

inline constexpr const char* checkpoint_file = "checkpoint";
inline constexpr const char* signed_root_file = "signed-root.cbor";
inline constexpr const char* lock_file = "lock";
inline constexpr std::uint64_t signed_root_bytes_max = 8 << 10;  // honest ones are below 1 KiB

/// A verified checkpoint: the signed note and what its text says.
struct Head {
  std::string note;
  ledger_format::Checkpoint checkpoint;
};
/// Errors: io_unreadable, malformed, signature_bad, over_limit; they name the file.
[[nodiscard]] Result<Head> read_head(const ObjectSource& source,
                                     const ledger_format::VerifierKey& key);

/// Errors: io_unreadable, malformed, signature_bad; they name the file.
[[nodiscard]] Result<ledger_format::RootRecords> read_records(const ObjectSource& source,
                                                              const std::string& origin,
                                                              const crypto::PublicKey& log_key);

/// The record of `records` that belongs to the checkpoint, or null.
[[nodiscard]] const ledger_format::RootRecord* find_record(
    const ledger_format::RootRecords& records, const ledger_format::Checkpoint& checkpoint);

/// Checkpoint and signed root that fit each other, although somebody may be appending.
struct HeadAndRecords {
  Head head;
  std::optional<ledger_format::RootRecords> records;  // absent in a log of another implementation
};
/// Errors: as `read_head` and `read_records`.
[[nodiscard]] Result<HeadAndRecords> read_head_and_records(const ObjectSource& source,
                                                           const ledger_format::VerifierKey& key);

/// `error` with its file (a path below the log's root) as a person would find it.
[[nodiscard]] std::unexpected<Error> below(const ObjectSource& source, Error error);

}  // namespace fiducia::ledger
