// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <atomic>
#include <utility>

#include "crypto/crypto.h"

namespace fiducia::test {

/// A key as a token holds it: it signs, says its public half, and can be pulled out. Nobody gets at
/// its private half.
class TokenKey final : public crypto::SigningKey {
 public:
  explicit TokenKey(crypto::KeyKind kind) : key_(crypto::PrivateKey::generate(kind).value()) {}

  [[nodiscard]] const crypto::PublicKey& public_key() const override { return key_.public_key(); }
  [[nodiscard]] Result<Bytes> sign(crypto::SignatureAlgorithm algorithm,
                                   ByteView message) const override {
    if (!plugged_in)
      return fail(ErrorCode::crypto_failed, "The token does not answer.", "Plug it in.");
    ++signatures;
    return key_.sign(algorithm, message);
  }

  std::atomic<bool> plugged_in = true;
  mutable std::atomic<int> signatures = 0;

 private:
  crypto::PrivateKey key_;
};

}  // namespace fiducia::test
