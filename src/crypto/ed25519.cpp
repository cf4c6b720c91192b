// SPDX-License-Identifier: Apache-2.0
#include "crypto/ed25519.h"

#include <sodium.h>

#include <algorithm>

namespace fiducia::crypto {

static_assert(crypto_sign_ed25519_SECRETKEYBYTES == 64 && crypto_sign_ed25519_BYTES == 64);

Ed25519Signer::Ed25519Signer(std::span<const std::byte, 32> seed,
                             std::span<const std::byte, 32> public_key) {
  const int started = sodium_init();  // chooses among its implementations, once
  FIDUCIA_ASSERT(started >= 0);
  const auto bytes = std::as_writable_bytes(std::span{secret_});
  std::ranges::copy(public_key, std::ranges::copy(seed, bytes.begin()).out);
}

Ed25519Signer::~Ed25519Signer() { sodium_memzero(secret_.data(), secret_.size()); }

Bytes Ed25519Signer::sign(ByteView message) const {
  Bytes signature(crypto_sign_ed25519_BYTES);
  const int failed = crypto_sign_ed25519_detached(
      reinterpret_cast<unsigned char*>(signature.data()), nullptr,
      reinterpret_cast<const unsigned char*>(message.data()), message.size(), secret_.data());
  FIDUCIA_ASSERT(failed == 0);  // it knows no failure
  return signature;
}

}  // namespace fiducia::crypto
