// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string_view>

#include "core/core.h"

/// Inside ledger_net: the content coding gzip (RFC 9110 section 8.4.1.3, RFC 1952).
namespace fiducia::ledger_net {

/// `bytes` as one gzip member, the same for the same bytes.
[[nodiscard]] Bytes gzip(ByteView bytes);

/// The content of one gzip member that ends where `bytes` ends. Works in memory of `bytes_max` at
/// most, however well the input is packed.
/// Errors: malformed (kind "gzip"), over_limit (longer than `bytes_max`).
[[nodiscard]] Result<Bytes> gunzip(ByteView bytes, std::uint64_t bytes_max);

/// Whether a client that sent this Accept-Encoding takes gzip (RFC 9110 section 12.5.3).
[[nodiscard]] bool accepts_gzip(std::string_view accept_encoding);

}  // namespace fiducia::ledger_net
