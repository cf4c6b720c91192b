// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstddef>

#include "core/bytes.h"

namespace fiducia::crypto {

/// An Ecdsa-Sig-Value (RFC 3279 section 2.2.3) as r || s, `half_bytes` each: the form of COSE, in
/// which PublicKey::verify takes it. Only DER is read (X.690 section 10), so that no signature has
/// two spellings. Errors: crypto_failed.
[[nodiscard]] Result<Bytes> read_ecdsa_der(ByteView der, std::size_t half_bytes);

}  // namespace fiducia::crypto
