// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <functional>
#include <optional>
#include <vector>

#include "crypto/cbor.h"
#include "crypto/certificate.h"

namespace fiducia::crypto {

/// A COSE_Sign1 message (RFC 9052 section 4.2), tag 18 present or not. Spans point into the
/// input that was read.
struct Sign1 {
  ByteView protected_bytes;         // as received: content of the bstr, maybe empty
  ByteView unprotected_map;         // the encoded map
  std::optional<ByteView> payload;  // absent: detached
  ByteView signature;
};

/// Errors: truncated, malformed. `order` as in CborReader, for the outer structure.
[[nodiscard]] Result<Sign1> read_sign1(ByteView encoded, CborOrder order = CborOrder::any);

/// The header parameters Fiducia understands, from the protected map, and from the unprotected
/// map where a parameter may live there (kid, x5chain is accepted only when protected).
struct Sign1Headers {
  std::optional<std::int64_t> algorithm;
  std::optional<Bytes> kid;
  std::vector<Certificate> x5chain;         // label 33, end entity first
  std::optional<std::int64_t> vds;          // label 395
  std::optional<std::int64_t> issued_at;    // label 15 (CWT Claims), claim 6
  std::optional<std::string> issuer;        // label 15, claim 1
  std::optional<std::string> content_type;  // label 3 as text
  std::vector<Bytes> inclusion_proofs;      // unprotected 396, key -1
  std::vector<Bytes> consistency_proofs;    // unprotected 396, key -2
};

/// Errors: malformed (also duplicate labels across both maps, `crit` naming a parameter that is
/// absent, unprotected, or not understood: RFC 9052 section 3.1).
[[nodiscard]] Result<Sign1Headers> read_headers(const Sign1& message);

/// The bytes that are signed (RFC 9052 section 4.4). `payload` is the full content even when
/// it is detached. An encoded empty map (A0) counts as an empty protected header.
[[nodiscard]] Bytes sig_structure(ByteView protected_bytes, ByteView external_aad,
                                  ByteView payload);

/// Checks a signature with `key` and the algorithm its protected header names.
/// Errors: signature_bad, unsupported, malformed.
[[nodiscard]] Status verify_sign1(const Sign1& message, const PublicKey& key, ByteView payload,
                                  ByteView external_aad = {});

struct Sign1Spec {
  SignatureAlgorithm algorithm;
  std::vector<Certificate> x5chain;         // empty: no label 33
  std::optional<std::string> content_type;  // label 3
  std::optional<Bytes> kid;                 // label 4
  std::optional<std::string> issuer;        // label 15, claim 1
  std::optional<UnixTime> issued_at;        // label 15, claim 6
  std::optional<std::int64_t> vds;          // label 395
  bool detached = false;                    // payload is signed but left out
};

/// The encoded protected header map of `spec`, deterministic.
[[nodiscard]] Bytes write_protected(const Sign1Spec& spec);

/// Signs and writes tag 18, empty unprotected map. Errors: crypto_failed.
[[nodiscard]] Result<Bytes> write_sign1(const Sign1Spec& spec, const SigningKey& key,
                                        ByteView payload);

/// Puts a COSE_Sign1 together from its parts (receipts share one signature a checkpoint).
/// `unprotected_map` is an encoded map.
[[nodiscard]] Bytes assemble_sign1(ByteView protected_bytes, ByteView unprotected_map,
                                   std::optional<ByteView> payload, ByteView signature);

}  // namespace fiducia::crypto
