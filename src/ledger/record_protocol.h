// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <span>
#include <string>
#include <vector>

#include "core/core.h"
#include "ledger/log.h"

/// What `fiducia seal` and the process that appends for it (`fiducia-ledger append`) say to each
/// other: frames of u32be length and deterministic CBOR. The child speaks first (ready, or why
/// not); then each request has one reply.
namespace fiducia::ledger {

/// Entries that are in the log, and all that proves it and when.
struct Recorded {
  std::vector<ledger_format::Appended> entries;  // of one checkpoint
  std::string checkpoint;                        // the signed note with its cosignatures
  std::vector<Bytes> time_stamps;                // RFC 3161 tokens over its text
};

inline constexpr std::size_t record_frame_bytes_max = 512U << 20;

[[nodiscard]] Bytes write_record_request(std::span<const Bytes> entries);
/// Errors: malformed (kind "record"), over_limit.
[[nodiscard]] Result<std::vector<Bytes>> read_record_request(ByteView frame);
/// A Recorded without entries says that the child is ready.
[[nodiscard]] Bytes write_record_reply(const Result<Recorded>& reply);
/// The reply: what was recorded, or the child's error. Errors: also malformed (kind "record").
[[nodiscard]] Result<Recorded> read_record_reply(ByteView frame);

/// Reads one frame from a pipe, nothing at its end. Errors: io_unreadable, over_limit, truncated.
[[nodiscard]] Result<std::optional<Bytes>> read_frame(int fd);
/// Errors: io_unwritable.
[[nodiscard]] Status write_frame(int fd, ByteView frame);

}  // namespace fiducia::ledger
