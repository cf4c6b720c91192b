// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <memory>
#include <string>

#include "core/core.h"

namespace fiducia::crypto {

/// COSE algorithm identifiers (RFC 9053, RFC 9864). ES256 is what Fiducia writes.
enum class SignatureAlgorithm : std::int32_t {
  es256 = -7,     // ECDSA, SHA-256, P-256
  eddsa = -8,     // the curve comes from the key; Ed25519 only
  esp256 = -9,    // ECDSA, P-256, SHA-256, fully specified
  ed25519 = -19,  // fully specified
  es384 = -35,
  ps256 = -37,  // RSASSA-PSS, SHA-256, salt 32, RSA >= 2048 bits
  esp384 = -51,
};
/// The algorithm of a COSE `alg` value, if Fiducia accepts it.
[[nodiscard]] std::optional<SignatureAlgorithm> find_algorithm(std::int64_t cose_alg);

enum class KeyKind { p256, p384, ed25519, rsa };
/// The algorithm that Fiducia writes with a kind of key: es256, es384, eddsa, ps256.
[[nodiscard]] SignatureAlgorithm default_algorithm_of(KeyKind kind);

/// Whether the second half of an ECDSA signature is at most half of the curve's order. Of the two
/// signatures (r, s) and (r, n-s), which are equally good, Fiducia writes and accepts one for what
/// it signs itself; certificates may have either.
[[nodiscard]] bool has_low_s(KeyKind kind, ByteView signature);
/// The ECDSA signature r || s with the lower of s and n-s; others as they are. A token gives
/// either. Errors: crypto_failed.
[[nodiscard]] Result<Bytes> with_low_s(KeyKind kind, Bytes signature);

/// A public key. Copyable: copies share the underlying immutable key.
class PublicKey {
 public:
  /// From DER SubjectPublicKeyInfo. Errors: malformed, unsupported.
  [[nodiscard]] static Result<PublicKey> read_spki(ByteView der);
  /// From the 32 bytes of RFC 8032. Errors: malformed.
  [[nodiscard]] static Result<PublicKey> read_ed25519(ByteView raw);
  /// From affine coordinates of P-256 or P-384 (for COSE_Key and test vectors). Errors: malformed.
  [[nodiscard]] static Result<PublicKey> read_ec(KeyKind kind, ByteView x, ByteView y);
  [[nodiscard]] KeyKind kind() const;
  [[nodiscard]] Bytes write_spki() const;
  /// SHA-256 of what write_spki writes, points uncompressed: how a revocation names a key.
  [[nodiscard]] Digest hash() const;
  /// The 32 raw bytes; only for Ed25519 keys.
  [[nodiscard]] Bytes write_ed25519() const;
  /// Checks a signature in COSE form (ECDSA: r || s, RFC 9053 section 2.1). Errors:
  /// signature_bad (does not verify, or the algorithm does not fit the key).
  [[nodiscard]] Status verify(SignatureAlgorithm algorithm, ByteView message,
                              ByteView signature) const;

  struct Handle;
  explicit PublicKey(std::shared_ptr<const Handle> handle) : handle_(std::move(handle)) {}
  [[nodiscard]] const Handle& handle() const { return *handle_; }

 private:
  std::shared_ptr<const Handle> handle_;
};

/// A private key that signs, wherever it lies: in memory (`PrivateKey`), or in a token that never
/// gives it away. All that seals, signs checkpoints and cosigns asks for this and nothing more; the
/// certificates that speak of the key go beside it (`Sign1Spec::x5chain`).
/// Thread safety: const methods may run concurrently.
class SigningKey {
 public:
  virtual ~SigningKey() = default;
  /// Lives as long as this.
  [[nodiscard]] virtual const PublicKey& public_key() const = 0;
  /// The algorithm that Fiducia writes with this key.
  [[nodiscard]] virtual SignatureAlgorithm default_algorithm() const {
    return default_algorithm_of(public_key().kind());
  }
  /// Signs in COSE form, as readers demand it: ECDSA is r || s (RFC 9053 section 2.1) with the
  /// lower s (`with_low_s`), Ed25519 the same bytes each time (RFC 8032 section 5.1.6). Errors:
  /// unsupported (the algorithm does not fit the key), crypto_failed.
  [[nodiscard]] virtual Result<Bytes> sign(SignatureAlgorithm algorithm,
                                           ByteView message) const = 0;
};

/// A private key in memory. Movable, not copyable.
class PrivateKey final : public SigningKey {
 public:
  /// Errors: crypto_failed, unsupported (rsa).
  [[nodiscard]] static Result<PrivateKey> generate(KeyKind kind);
  /// From PKCS #8 or SEC 1 PEM; `passphrase` opens an encrypted one. Errors: malformed,
  /// unsupported, signature_bad (encrypted, and the pass phrase is missing or wrong).
  [[nodiscard]] static Result<PrivateKey> read_pem(std::string_view pem,
                                                   std::string_view passphrase = {});
  /// PKCS #8 PEM; the caller stores it with mode 0600. With a pass phrase encrypted (PBES2: scrypt,
  /// AES-256 in CBC mode).
  [[nodiscard]] Result<std::string> write_pem(std::string_view passphrase = {}) const;
  [[nodiscard]] const PublicKey& public_key() const override;
  [[nodiscard]] Result<Bytes> sign(SignatureAlgorithm algorithm, ByteView message) const override;

  PrivateKey(PrivateKey&&) noexcept;
  PrivateKey& operator=(PrivateKey&&) noexcept;
  ~PrivateKey() override;
  struct Handle;
  explicit PrivateKey(std::unique_ptr<Handle> handle);
  [[nodiscard]] const Handle& handle() const { return *handle_; }

 private:
  std::unique_ptr<Handle> handle_;
};

/// Whether a PEM text holds a key that needs a pass phrase.
[[nodiscard]] bool is_encrypted_pem(std::string_view pem);

}  // namespace fiducia::crypto
