// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <optional>
#include <string>

#include "core/core.h"
#include "ledger_format/receipt.h"

/// `signed-root.cbor`, the record that commits an append (spec/ledger.md).
namespace fiducia::ledger_format {

/// A root the log has signed for receipts, with the tree size it belongs to.
struct RootRecord {
  std::uint64_t tree_size = 0;
  Digest root;
  UnixTime issued_at;
  SignedRoot signed_root;
};

/// The newest record and the one before it, so that one of the two always fits the checkpoint,
/// which is replaced after this file.
struct RootRecords {
  RootRecord current;
  std::optional<RootRecord> previous;
};

[[nodiscard]] Bytes write_root_records(const RootRecords& records);

/// Reads and verifies both. Errors: malformed (kind "signed_root"), signature_bad.
[[nodiscard]] Result<RootRecords> read_root_records(ByteView encoded, const std::string& origin,
                                                    const crypto::PublicKey& log_key);

}  // namespace fiducia::ledger_format
