// SPDX-License-Identifier: Apache-2.0
#pragma once
// Inside of module crypto: handles of OpenSSL that free themselves, its start, its errors.
#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include <memory>
#include <string>

#include "core/core.h"
#include "crypto/certificate.h"
#include "crypto/ed25519.h"
#include "crypto/key.h"

namespace fiducia::crypto {

template <auto Free>
struct Freed {
  void operator()(auto* handle) const noexcept { Free(handle); }
};
template <class T, auto Free>
using FreedPtr = std::unique_ptr<T, Freed<Free>>;

using KeyHandle = FreedPtr<EVP_PKEY, EVP_PKEY_free>;
using KeyContext = FreedPtr<EVP_PKEY_CTX, EVP_PKEY_CTX_free>;
using DigestContext = FreedPtr<EVP_MD_CTX, EVP_MD_CTX_free>;
using EcdsaSignature = FreedPtr<ECDSA_SIG, ECDSA_SIG_free>;
using Number = FreedPtr<BIGNUM, BN_free>;
using BioHandle = FreedPtr<BIO, BIO_free_all>;
using X509Handle = FreedPtr<X509, X509_free>;

/// Starts OpenSSL without its configuration file: nothing outside the program may change what
/// a signature means, and reading it costs start-up time. Every function that touches OpenSSL
/// calls this first.
void start_openssl();

/// SHA-256 and SHA-384, fetched on first use and kept.
[[nodiscard]] const EVP_MD* fetched_sha256();
[[nodiscard]] const EVP_MD* fetched_sha384();

/// The error for a call of OpenSSL that should not fail; empties its error queue.
[[nodiscard]] std::unexpected<Error> fail_crypto(std::string what);
/// Empties OpenSSL's error queue after a failure that the caller expects.
void forget_openssl_errors();

/// For X509_STORE_CTX_set_verify_cb. RFC 5280 section 4.1.2.5: notAfter itself still belongs to the
/// validity; OpenSSL already calls it expired.
int accept_last_second(int fine, X509_STORE_CTX* context);

[[nodiscard]] inline const unsigned char* openssl_bytes(ByteView bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}

struct PublicKey::Handle {
  KeyHandle key;
  KeyKind kind;
};
struct PrivateKey::Handle {
  KeyHandle key;  // OpenSSL wipes private numbers when it frees them
  KeyKind kind;
  PublicKey public_key;  // a key of its own: public keys are copied freely
  std::unique_ptr<const Ed25519Signer> ed25519 = {};  // for that kind alone
};
struct Certificate::Handle {
  X509Handle x509;
  Bytes der;
  UnixTime not_before;
  UnixTime not_after;
  Digest key_hash;
};

/// SHA-256 of the key's SubjectPublicKeyInfo, as Certificate::key_hash says. Null: of no bytes.
[[nodiscard]] Digest hash_of_key(EVP_PKEY* key);

/// Takes over an OpenSSL key. Errors: unsupported (kind "key").
[[nodiscard]] Result<PublicKey> adopt_public_key(KeyHandle key);

}  // namespace fiducia::crypto
