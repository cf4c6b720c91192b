// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <vector>

#include "core/core.h"

/// Entry bundles, `u16be length || entry` one after the other (tlog-tiles).
namespace fiducia::ledger_format {

/// Bytes of the largest full bundle.
inline constexpr std::uint64_t bundle_bytes_max = 256ULL * (limits::ledger_entry_bytes_max + 2);

/// `entry` has at most limits::ledger_entry_bytes_max bytes.
void append_to_bundle(Bytes& bundle, ByteView entry);

/// The first `count` entries of `bundle`, as views into it. `exact`: nothing may follow them.
/// Errors: truncated, malformed (kind "bundle").
[[nodiscard]] Result<std::vector<ByteView>> read_bundle(ByteView bundle, std::size_t count,
                                                        bool exact);

}  // namespace fiducia::ledger_format
