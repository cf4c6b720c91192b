// SPDX-License-Identifier: Apache-2.0
#pragma once
// Inside of module crypto: signing with Ed25519 by libsodium, which takes less than half of the
// time that OpenSSL 3.0 needs (docs/performance.md). The signatures are the same: RFC 8032
// section 5.1.6 leaves no choice. Verifying stays OpenSSL's, for there implementations differ.
#include <array>

#include "core/core.h"

namespace fiducia::crypto {

/// The private numbers of one key. Not copied; wiped at the end.
class Ed25519Signer {
 public:
  /// `seed` and `public_key`: 32 bytes each, as in RFC 8032 section 5.1.5.
  Ed25519Signer(std::span<const std::byte, 32> seed, std::span<const std::byte, 32> public_key);
  ~Ed25519Signer();
  Ed25519Signer(const Ed25519Signer&) = delete;
  Ed25519Signer& operator=(const Ed25519Signer&) = delete;

  /// 64 bytes.
  [[nodiscard]] Bytes sign(ByteView message) const;

 private:
  std::array<unsigned char, 64> secret_;  // seed and public key, as libsodium wants them
};

}  // namespace fiducia::crypto
