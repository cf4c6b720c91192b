// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <vector>

#include "core/core.h"
#include "crypto/crypto.h"
#include "merkle/merkle.h"

namespace fiducia::ledger_format {

/// A COSE receipt of inclusion (RFC 9942, RFC9162_SHA256), signature not yet checked.
struct Receipt {
  std::uint64_t tree_size = 0;
  std::uint64_t leaf_index = 0;
  std::vector<Digest> path;
  std::optional<UnixTime> issued_at;  // CWT claim 6, signed: when the log says it was
  std::string issuer;                 // CWT claim 1: the log's origin
  Bytes encoded;                      // the whole message, for the signature check
};

/// Errors: malformed (kind "receipt"), unsupported (another vds).
[[nodiscard]] Result<Receipt> read_receipt(ByteView encoded);

/// Recomputes the root from `leaf` and the path, then verifies the log's signature over it.
/// Returns that root. Errors: signature_bad.
[[nodiscard]] Result<Digest> verify_receipt(const Receipt& receipt, const Digest& leaf,
                                            const crypto::PublicKey& log_key);

/// What one checkpoint's receipts share: the protected header and the signature over the root.
struct SignedRoot {
  Bytes protected_bytes;
  Bytes signature;
};
/// Signs `root` for receipts: alg EdDSA, vds 1, CWT claims {iss origin, iat time}.
[[nodiscard]] Result<SignedRoot> sign_root(const crypto::SigningKey& log_key,
                                           const std::string& origin, UnixTime time,
                                           const Digest& root);
/// `path` must not be empty: RFC 9942 has no receipt for a tree of one leaf.
[[nodiscard]] Bytes write_receipt(const SignedRoot& signed_root, std::uint64_t tree_size,
                                  std::uint64_t leaf_index, std::span<const Digest> path);

}  // namespace fiducia::ledger_format
