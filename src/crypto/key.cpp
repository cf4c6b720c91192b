// SPDX-License-Identifier: Apache-2.0
#include "crypto/key.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/rsa.h>

#include <algorithm>
#include <array>
#include <climits>
#include <utility>

#include "crypto/ecdsa_der.h"
#include "crypto/hash.h"
#include "crypto/openssl.h"

namespace fiducia::crypto {
namespace {

constexpr int rsa_bits_min = 2048;
// A verifier's time grows with the modulus; honest keys end at 4096 bits.
constexpr int rsa_bits_max = 8192;
// A PEM key is 240 to 6,500 characters; an RSA key of 8192 bits is the longest.
constexpr std::size_t pem_bytes_max = 64 << 10;

std::unexpected<Error> unsupported_key(std::string what) {
  auto error = fail(ErrorCode::unsupported, std::move(what),
                    "Use a P-256, P-384, Ed25519, or RSA (2048 to 8192 bits) key.");
  error.error().kind = "key";
  return error;
}

std::unexpected<Error> bad_signature(std::string what) {
  return fail(ErrorCode::signature_bad, std::move(what));
}

/// Bytes of one coordinate, or of r or s.
std::size_t field_bytes(KeyKind kind) { return kind == KeyKind::p256 ? 32 : 48; }
const char* group_name(KeyKind kind) { return kind == KeyKind::p256 ? "P-256" : "P-384"; }

Result<KeyKind> kind_of(EVP_PKEY* key) {
  switch (EVP_PKEY_get_base_id(key)) {
    case EVP_PKEY_ED25519:
      return KeyKind::ed25519;
    case EVP_PKEY_RSA: {
      const int bits = EVP_PKEY_get_bits(key);
      if (bits < rsa_bits_min || bits > rsa_bits_max) {
        return unsupported_key("an RSA key has " + std::to_string(bits) + " bits");
      }
      return KeyKind::rsa;
    }
    case EVP_PKEY_EC: {
      // Parameters written out may look like a named curve and yet have another generator
      // (CVE-2020-0601), so only names count.
      int is_explicit = 0;
      EVP_PKEY_get_int_param(key, OSSL_PKEY_PARAM_EC_DECODED_FROM_EXPLICIT_PARAMS, &is_explicit);
      std::array<char, 64> name{};
      std::size_t length = 0;
      if (is_explicit == 0 &&
          EVP_PKEY_get_group_name(key, name.data(), name.size(), &length) == 1) {
        const std::string_view group(name.data(), length);
        if (group == "prime256v1" || group == "P-256") return KeyKind::p256;
        if (group == "secp384r1" || group == "P-384") return KeyKind::p384;
      }
      forget_openssl_errors();
      return unsupported_key("an elliptic curve key is not on P-256 or P-384");
    }
    default:
      return unsupported_key("a key is of a kind that Fiducia does not use");
  }
}

Result<Bytes> point_of(EVP_PKEY* key) {
  std::array<unsigned char, 1 + 2 * 48> point{};
  std::size_t length = 0;
  if (EVP_PKEY_get_octet_string_param(key, OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size(),
                                      &length) != 1) {
    return fail_crypto("cannot read the public point of a key");
  }
  const ByteView bytes = std::as_bytes(std::span(point)).first(length);
  return Bytes(bytes.begin(), bytes.end());
}

/// A public key from an encoded point; OpenSSL checks that it lies on the curve.
Result<KeyHandle> read_point(KeyKind kind, ByteView point) {
  using Builder = FreedPtr<OSSL_PARAM_BLD, OSSL_PARAM_BLD_free>;
  using Params = FreedPtr<OSSL_PARAM, OSSL_PARAM_free>;
  const Builder builder(OSSL_PARAM_BLD_new());
  if (builder == nullptr ||
      OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, group_name(kind),
                                      0) != 1 ||
      OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(),
                                       point.size()) != 1) {
    return fail_crypto("cannot prepare an elliptic curve key");
  }
  const Params params(OSSL_PARAM_BLD_to_param(builder.get()));
  const KeyContext context(EVP_PKEY_CTX_new_from_name(nullptr, "EC", nullptr));
  if (params == nullptr || context == nullptr || EVP_PKEY_fromdata_init(context.get()) != 1) {
    return fail_crypto("cannot prepare an elliptic curve key");
  }
  EVP_PKEY* raw = nullptr;
  const int made = EVP_PKEY_fromdata(context.get(), &raw, EVP_PKEY_PUBLIC_KEY, params.get());
  KeyHandle key(raw);
  if (made != 1 || key == nullptr) {
    forget_openssl_errors();
    return fail_malformed("key", "the coordinates are not a point of the curve");
  }
  return key;
}

Result<KeyHandle> decode_spki(ByteView der) {
  start_openssl();
  if (der.size() > limits::certificate_bytes_max) {
    return fail_malformed("key", "a public key is longer than any honest one");
  }
  const unsigned char* at = openssl_bytes(der);
  KeyHandle key(d2i_PUBKEY(nullptr, &at, static_cast<long>(der.size())));
  if (key == nullptr || at != openssl_bytes(der) + der.size()) {
    forget_openssl_errors();
    return fail_malformed("key", "the bytes are not a SubjectPublicKeyInfo");
  }
  return key;
}

Bytes encode_spki(EVP_PKEY* key) {
  unsigned char* raw = nullptr;
  const int length = i2d_PUBKEY(key, &raw);
  FIDUCIA_ASSERT(length > 0 && raw != nullptr);
  const std::unique_ptr<unsigned char, Freed<[](void* p) { OPENSSL_free(p); }>> owner(raw);
  const ByteView bytes = std::as_bytes(std::span(raw, static_cast<std::size_t>(length)));
  return {bytes.begin(), bytes.end()};
}

Bytes encode_ed25519(EVP_PKEY* key) {
  Bytes out(32);
  std::size_t length = out.size();
  FIDUCIA_ASSERT(EVP_PKEY_get_raw_public_key(key, reinterpret_cast<unsigned char*>(out.data()),
                                             &length) == 1 &&
                 length == out.size());
  return out;
}

/// The SubjectPublicKeyInfo of a key on a curve, its point uncompressed: a head that names the
/// curve (RFC 5480, RFC 8410), then the key. OpenSSL loads all its encoders to say the same, which
/// is a tenth of the time of a small file.
std::optional<Bytes> plain_spki(EVP_PKEY* key, KeyKind kind) {
  static constexpr auto head_p256 = std::to_array<std::uint8_t>(
      {0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x02, 0x01, 0x06,
       0x08, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00, 0x04});
  static constexpr auto head_p384 = std::to_array<std::uint8_t>(
      {0x30, 0x76, 0x30, 0x10, 0x06, 0x07, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x02,
       0x01, 0x06, 0x05, 0x2B, 0x81, 0x04, 0x00, 0x22, 0x03, 0x62, 0x00, 0x04});
  static constexpr auto head_ed25519 = std::to_array<std::uint8_t>(
      {0x30, 0x2A, 0x30, 0x05, 0x06, 0x03, 0x2B, 0x65, 0x70, 0x03, 0x21, 0x00});
  Bytes out;
  if (kind == KeyKind::ed25519) {
    append(out, std::as_bytes(std::span{head_ed25519}));
    append(out, encode_ed25519(key));
    return out;
  }
  append(out, kind == KeyKind::p256 ? std::as_bytes(std::span{head_p256})
                                    : ByteView{std::as_bytes(std::span{head_p384})});
  for (const char* coordinate : {OSSL_PKEY_PARAM_EC_PUB_X, OSSL_PKEY_PARAM_EC_PUB_Y}) {
    BIGNUM* raw = nullptr;
    Bytes bytes(field_bytes(kind));
    const int length = narrow<int>(bytes.size());
    const bool read = EVP_PKEY_get_bn_param(key, coordinate, &raw) == 1;
    const Number number(raw);
    if (!read || BN_bn2binpad(number.get(), reinterpret_cast<unsigned char*>(bytes.data()),
                              length) != length) {
      forget_openssl_errors();
      return std::nullopt;
    }
    append(out, bytes);
  }
  return out;
}

bool fits(SignatureAlgorithm algorithm, KeyKind kind) {
  switch (algorithm) {
    case SignatureAlgorithm::es256:
    case SignatureAlgorithm::esp256:
      return kind == KeyKind::p256;
    case SignatureAlgorithm::es384:
    case SignatureAlgorithm::esp384:
      return kind == KeyKind::p384;
    case SignatureAlgorithm::eddsa:
    case SignatureAlgorithm::ed25519:
      return kind == KeyKind::ed25519;
    case SignatureAlgorithm::ps256:
      return kind == KeyKind::rsa;
  }
  return false;
}

/// The digest that is signed: SHA-384 for P-384, else SHA-256 (Ed25519 signs the message itself).
Result<Bytes> digest_of(KeyKind kind, ByteView message) {
  if (kind != KeyKind::p384) {
    const Digest digest = sha256(message);
    return Bytes(digest.bytes.begin(), digest.bytes.end());
  }
  Bytes out(48);
  unsigned length = 0;
  if (EVP_Digest(message.data(), message.size(), reinterpret_cast<unsigned char*>(out.data()),
                 &length, fetched_sha384(), nullptr) != 1 ||
      length != out.size()) {
    return fail_crypto("cannot hash with SHA-384");
  }
  return out;
}

/// RFC 8230 section 2: MGF1 with the same hash, salt as long as the hash.
bool set_pss(EVP_PKEY_CTX* context) {
  return EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING) == 1 &&
         EVP_PKEY_CTX_set_signature_md(context, fetched_sha256()) == 1 &&
         EVP_PKEY_CTX_set_rsa_mgf1_md(context, fetched_sha256()) == 1 &&
         EVP_PKEY_CTX_set_rsa_pss_saltlen(context, 32) == 1;
}

/// r || s to the DER that OpenSSL reads (RFC 9053 section 2.1).
Result<Bytes> der_from_rs(ByteView rs) {
  const std::size_t half = rs.size() / 2;
  const int half_int = narrow<int>(half);
  const EcdsaSignature signature(ECDSA_SIG_new());
  Number r(BN_bin2bn(openssl_bytes(rs), half_int, nullptr));
  Number s(BN_bin2bn(openssl_bytes(rs.subspan(half)), half_int, nullptr));
  if (signature == nullptr || r == nullptr || s == nullptr ||
      ECDSA_SIG_set0(signature.get(), r.get(), s.get()) != 1) {
    return fail_crypto("cannot convert an ECDSA signature");
  }
  static_cast<void>(r.release());  // the signature owns both now
  static_cast<void>(s.release());
  const int length = i2d_ECDSA_SIG(signature.get(), nullptr);
  if (length <= 0) return fail_crypto("cannot convert an ECDSA signature");
  Bytes out(static_cast<std::size_t>(length));
  auto* at = reinterpret_cast<unsigned char*>(out.data());
  if (i2d_ECDSA_SIG(signature.get(), &at) != length) {
    return fail_crypto("cannot convert an ECDSA signature");
  }
  return out;
}

}  // namespace

Result<Bytes> read_ecdsa_der(ByteView der, std::size_t half_bytes) {
  const auto refused = [] { return fail_crypto("cannot convert an ECDSA signature"); };
  if (der.size() > 1024) return refused();
  const unsigned char* at = openssl_bytes(der);
  const EcdsaSignature signature(d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(der.size())));
  Bytes out(2 * half_bytes);
  auto* to = reinterpret_cast<unsigned char*>(out.data());
  const int half = narrow<int>(half_bytes);
  if (signature == nullptr || BN_bn2binpad(ECDSA_SIG_get0_r(signature.get()), to, half) != half ||
      BN_bn2binpad(ECDSA_SIG_get0_s(signature.get()), to + half_bytes, half) != half)
    return refused();
  // OpenSSL reads BER as well, and stops where the value ends.
  FIDUCIA_TRY(again, der_from_rs(out));
  if (!same_bytes(again, der)) return refused();
  return out;
}

namespace {

Status verify_ed25519(EVP_PKEY* key, ByteView message, ByteView signature) {
  const DigestContext context(EVP_MD_CTX_new());
  if (context == nullptr ||
      EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, key) != 1) {
    return fail_crypto("cannot prepare an Ed25519 verification");
  }
  if (EVP_DigestVerify(context.get(), openssl_bytes(signature), signature.size(),
                       openssl_bytes(message), message.size()) != 1) {
    forget_openssl_errors();
    return bad_signature("the signature does not verify");
  }
  return {};
}

Status verify_digest(EVP_PKEY* key, KeyKind kind, ByteView digest, ByteView signature) {
  const KeyContext context(EVP_PKEY_CTX_new(key, nullptr));
  if (context == nullptr || EVP_PKEY_verify_init(context.get()) != 1 ||
      (kind == KeyKind::rsa && !set_pss(context.get()))) {
    return fail_crypto("cannot prepare a verification");
  }
  if (EVP_PKEY_verify(context.get(), openssl_bytes(signature), signature.size(),
                      openssl_bytes(digest), digest.size()) != 1) {
    forget_openssl_errors();
    return bad_signature("the signature does not verify");
  }
  return {};
}

/// A key of its own that does not hold the private number.
Result<PublicKey> public_part(EVP_PKEY* key, KeyKind kind) {
  if (kind == KeyKind::ed25519) return PublicKey::read_ed25519(encode_ed25519(key));
  if (kind == KeyKind::rsa) return PublicKey::read_spki(encode_spki(key));
  FIDUCIA_TRY(point, point_of(key));
  FIDUCIA_TRY(made, read_point(kind, point));
  return adopt_public_key(std::move(made));
}

Result<std::unique_ptr<const Ed25519Signer>> make_signer(EVP_PKEY* key) {
  std::array<unsigned char, 32> seed{};
  std::size_t length = seed.size();
  const bool read = EVP_PKEY_get_raw_private_key(key, seed.data(), &length) == 1;
  if (!read || length != seed.size()) return fail_crypto("cannot read a private Ed25519 key");
  const Bytes point = encode_ed25519(key);
  auto signer = std::make_unique<const Ed25519Signer>(
      std::as_bytes(std::span{seed}), std::span<const std::byte, 32>{point.data(), point.size()});
  OPENSSL_cleanse(seed.data(), seed.size());
  return signer;
}

Result<PrivateKey> adopt_private_key(KeyHandle key) {
  FIDUCIA_TRY(kind, kind_of(key.get()));
  FIDUCIA_TRY(public_key, public_part(key.get(), kind));
  PrivateKey::Handle handle{
      .key = std::move(key), .kind = kind, .public_key = std::move(public_key)};
  if (kind == KeyKind::ed25519) {
    FIDUCIA_TRY(signer, make_signer(handle.key.get()));
    handle.ed25519 = std::move(signer);
  }
  return PrivateKey(std::make_unique<PrivateKey::Handle>(std::move(handle)));
}

/// Hands OpenSSL the pass phrase; nobody is asked for one.
int give_passphrase(char* to, int size, int, void* from) {
  const auto& passphrase = *static_cast<const std::string_view*>(from);
  if (passphrase.empty() || passphrase.size() > static_cast<std::size_t>(size)) return -1;
  std::ranges::copy(passphrase, to);
  return narrow<int>(passphrase.size());
}

/// PBES2 with scrypt at 16 MiB (the most that readers take without being told to), so that guessing
/// a pass phrase costs memory, too.
bool write_encrypted(BIO* bio, EVP_PKEY* key, std::string_view passphrase) {
  constexpr std::uint64_t scrypt_n = 1 << 14;
  using Info = FreedPtr<PKCS8_PRIV_KEY_INFO, PKCS8_PRIV_KEY_INFO_free>;
  const Info info(EVP_PKEY2PKCS8(key));
  std::array<std::byte, 16> salt{};
  if (info == nullptr || !fill_random(salt)) return false;
  FreedPtr<X509_ALGOR, X509_ALGOR_free> scheme(PKCS5_pbe2_set_scrypt(
      EVP_aes_256_cbc(), openssl_bytes(salt), narrow<int>(salt.size()), nullptr, scrypt_n, 8, 1));
  if (scheme == nullptr) return false;
  const FreedPtr<X509_SIG, X509_SIG_free> sealed(
      PKCS8_set0_pbe(passphrase.data(), narrow<int>(passphrase.size()), info.get(), scheme.get()));
  if (sealed == nullptr) return false;
  static_cast<void>(scheme.release());  // the structure owns it now
  return PEM_write_bio_PKCS8(bio, sealed.get()) == 1;
}

Number read_order(int curve) {
  const FreedPtr<EC_GROUP, EC_GROUP_free> group(EC_GROUP_new_by_curve_name(curve));
  Number order(BN_new());
  if (group == nullptr || order == nullptr ||
      EC_GROUP_get_order(group.get(), order.get(), nullptr) != 1) {
    return nullptr;
  }
  return order;
}

/// The order of the curve, null for other kinds. Made once: each signature is compared with it.
const BIGNUM* order_of(KeyKind kind) {
  static const Number p256 = read_order(NID_X9_62_prime256v1);
  static const Number p384 = read_order(NID_secp384r1);
  if (kind == KeyKind::p256) return p256.get();
  return kind == KeyKind::p384 ? p384.get() : nullptr;
}

}  // namespace

std::optional<SignatureAlgorithm> find_algorithm(std::int64_t cose_alg) {
  for (const SignatureAlgorithm algorithm :
       {SignatureAlgorithm::es256, SignatureAlgorithm::eddsa, SignatureAlgorithm::esp256,
        SignatureAlgorithm::ed25519, SignatureAlgorithm::es384, SignatureAlgorithm::ps256,
        SignatureAlgorithm::esp384}) {
    if (std::to_underlying(algorithm) == cose_alg) return algorithm;
  }
  return std::nullopt;
}

SignatureAlgorithm default_algorithm_of(KeyKind kind) {
  switch (kind) {
    case KeyKind::p256:
      return SignatureAlgorithm::es256;
    case KeyKind::p384:
      return SignatureAlgorithm::es384;
    case KeyKind::ed25519:
      return SignatureAlgorithm::eddsa;
    case KeyKind::rsa:
      return SignatureAlgorithm::ps256;
  }
  std::unreachable();
}

bool has_low_s(KeyKind kind, ByteView signature) {
  if (kind != KeyKind::p256 && kind != KeyKind::p384) return true;
  const BIGNUM* const order = order_of(kind);
  const std::size_t half = signature.size() / 2;
  const Number s(BN_bin2bn(openssl_bytes(signature) + half, narrow<int>(half), nullptr));
  // The order is odd: twice the lower of s and n-s is less, twice the higher one more.
  return order != nullptr && s != nullptr && BN_lshift1(s.get(), s.get()) == 1 &&
         BN_cmp(s.get(), order) < 0;
}

Result<Bytes> with_low_s(KeyKind kind, Bytes signature) {
  if (has_low_s(kind, signature)) return signature;
  const std::size_t half = signature.size() / 2;
  const int half_int = narrow<int>(half);
  const BIGNUM* const order = order_of(kind);
  const Number s(BN_bin2bn(openssl_bytes(signature) + half, half_int, nullptr));
  if (order == nullptr || s == nullptr || BN_sub(s.get(), order, s.get()) != 1 ||
      BN_bn2binpad(s.get(), reinterpret_cast<unsigned char*>(signature.data()) + half, half_int) !=
          half_int) {
    return fail_crypto("cannot sign");
  }
  return signature;
}

bool is_encrypted_pem(std::string_view pem) {
  return pem.find("-----BEGIN ENCRYPTED PRIVATE KEY-----") != std::string_view::npos ||
         pem.find("Proc-Type: 4,ENCRYPTED") != std::string_view::npos;
}

// --- public keys -----------------------------------------------------------------------------

Result<PublicKey> adopt_public_key(KeyHandle key) {
  FIDUCIA_TRY(kind, kind_of(key.get()));
  return PublicKey(std::make_shared<const PublicKey::Handle>(
      PublicKey::Handle{.key = std::move(key), .kind = kind}));
}

Result<PublicKey> PublicKey::read_spki(ByteView der) {
  FIDUCIA_TRY(key, decode_spki(der));
  return adopt_public_key(std::move(key));
}

Result<PublicKey> PublicKey::read_ed25519(ByteView raw) {
  start_openssl();
  if (raw.size() != 32) return fail_malformed("key", "an Ed25519 key has 32 bytes");
  KeyHandle key(
      EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, openssl_bytes(raw), raw.size()));
  if (key == nullptr) return fail_crypto("cannot make an Ed25519 key");
  return adopt_public_key(std::move(key));
}

Result<PublicKey> PublicKey::read_ec(KeyKind kind, ByteView x, ByteView y) {
  start_openssl();
  if (kind != KeyKind::p256 && kind != KeyKind::p384) {
    return fail_malformed("key", "only keys on P-256 and P-384 have coordinates");
  }
  if (x.size() != field_bytes(kind) || y.size() != field_bytes(kind)) {
    return fail_malformed("key", "a coordinate is not as long as the field of its curve");
  }
  Bytes point{std::byte{0x04}};  // SEC 1 section 2.3.3: uncompressed
  append(point, x);
  append(point, y);
  FIDUCIA_TRY(key, read_point(kind, point));
  return adopt_public_key(std::move(key));
}

KeyKind PublicKey::kind() const { return handle_->kind; }

Digest hash_of_key(EVP_PKEY* key) {
  if (key == nullptr) return sha256(ByteView{});
  if (const auto kind = kind_of(key); kind && *kind != KeyKind::rsa)
    if (const auto spki = plain_spki(key, *kind)) return sha256(*spki);
  if (EVP_PKEY_get_base_id(key) != EVP_PKEY_EC) return sha256(encode_spki(key));
  // One key, one name: a point can be written in three ways. Of a copy, for keys are shared.
  const KeyHandle copy(EVP_PKEY_dup(key));
  if (copy == nullptr ||
      EVP_PKEY_set_utf8_string_param(copy.get(), OSSL_PKEY_PARAM_EC_POINT_CONVERSION_FORMAT,
                                     OSSL_PKEY_EC_POINT_CONVERSION_FORMAT_UNCOMPRESSED) != 1) {
    forget_openssl_errors();
    return sha256(encode_spki(key));
  }
  return sha256(encode_spki(copy.get()));
}

Digest PublicKey::hash() const { return hash_of_key(handle_->key.get()); }

Bytes PublicKey::write_spki() const { return encode_spki(handle_->key.get()); }

Bytes PublicKey::write_ed25519() const {
  FIDUCIA_ASSERT(kind() == KeyKind::ed25519);
  return encode_ed25519(handle_->key.get());
}

Status PublicKey::verify(SignatureAlgorithm algorithm, ByteView message, ByteView signature) const {
  if (!fits(algorithm, kind())) {
    return bad_signature("the signature's algorithm does not fit the key");
  }
  EVP_PKEY* key = handle_->key.get();
  if (kind() == KeyKind::ed25519) return verify_ed25519(key, message, signature);
  FIDUCIA_TRY(digest, digest_of(kind(), message));
  if (kind() == KeyKind::rsa) return verify_digest(key, kind(), digest, signature);
  if (signature.size() != 2 * field_bytes(kind())) {
    return bad_signature("an ECDSA signature is not r and s of the curve's length");
  }
  FIDUCIA_TRY(der, der_from_rs(signature));
  return verify_digest(key, kind(), digest, der);
}

// --- private keys ----------------------------------------------------------------------------

PrivateKey::PrivateKey(std::unique_ptr<Handle> handle) : handle_(std::move(handle)) {}
PrivateKey::PrivateKey(PrivateKey&&) noexcept = default;
PrivateKey& PrivateKey::operator=(PrivateKey&&) noexcept = default;
PrivateKey::~PrivateKey() = default;

Result<PrivateKey> PrivateKey::generate(KeyKind kind) {
  start_openssl();
  KeyHandle key;
  switch (kind) {
    case KeyKind::p256:
    case KeyKind::p384:
      key.reset(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", group_name(kind)));
      break;
    case KeyKind::ed25519:
      key.reset(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"));
      break;
    case KeyKind::rsa:
      return unsupported_key("Fiducia makes no RSA keys");
  }
  if (key == nullptr) return fail_crypto("cannot generate a key");
  return adopt_private_key(std::move(key));
}

Result<PrivateKey> PrivateKey::read_pem(std::string_view pem, std::string_view passphrase) {
  start_openssl();
  if (pem.size() > pem_bytes_max) return fail_malformed("key", "a PEM key is too long");
  const BioHandle bio(BIO_new_mem_buf(pem.data(), narrow<int>(pem.size())));
  if (bio == nullptr) return fail_crypto("cannot read a PEM key");
  KeyHandle key(PEM_read_bio_PrivateKey(bio.get(), nullptr, give_passphrase, &passphrase));
  if (key == nullptr) {
    forget_openssl_errors();
    if (is_encrypted_pem(pem)) {
      return fail(ErrorCode::signature_bad,
                  passphrase.empty() ? "the key is encrypted, and no pass phrase was given"
                                     : "the pass phrase does not open the key",
                  "Give the pass phrase with which the key was encrypted.");
    }
    return fail_malformed("key", "the text holds no private key in PEM");
  }
  return adopt_private_key(std::move(key));
}

Result<std::string> PrivateKey::write_pem(std::string_view passphrase) const {
  const BioHandle bio(BIO_new(BIO_s_mem()));  // OpenSSL wipes its buffer when it frees it
  if (bio == nullptr) return fail_crypto("cannot write a key as PEM");
  if (passphrase.empty()) {
    if (PEM_write_bio_PKCS8PrivateKey(bio.get(), handle_->key.get(), nullptr, nullptr, 0, nullptr,
                                      nullptr) != 1) {
      return fail_crypto("cannot write a key as PEM");
    }
  } else if (!write_encrypted(bio.get(), handle_->key.get(), passphrase)) {
    return fail_crypto("cannot encrypt a key");
  }
  char* text = nullptr;
  const long length = BIO_get_mem_data(bio.get(), &text);
  if (length <= 0) return fail_crypto("cannot write a key as PEM");
  return std::string(text, static_cast<std::size_t>(length));
}

const PublicKey& PrivateKey::public_key() const { return handle_->public_key; }

Result<Bytes> PrivateKey::sign(SignatureAlgorithm algorithm, ByteView message) const {
  const KeyKind kind = handle_->kind;
  EVP_PKEY* key = handle_->key.get();
  if (!fits(algorithm, kind)) {
    return unsupported_key("the key cannot sign with the algorithm that was asked for");
  }
  if (kind == KeyKind::ed25519) return handle_->ed25519->sign(message);
  Bytes out(static_cast<std::size_t>(EVP_PKEY_get_size(key)));
  std::size_t length = out.size();
  auto* to = reinterpret_cast<unsigned char*>(out.data());
  FIDUCIA_TRY(digest, digest_of(kind, message));
  const KeyContext context(EVP_PKEY_CTX_new(key, nullptr));
  if (context == nullptr || EVP_PKEY_sign_init(context.get()) != 1 ||
      (kind == KeyKind::rsa && !set_pss(context.get())) ||
      EVP_PKEY_sign(context.get(), to, &length, openssl_bytes(digest), digest.size()) != 1) {
    return fail_crypto("cannot sign");
  }
  out.resize(length);
  if (kind == KeyKind::rsa) return out;
  FIDUCIA_TRY(rs, read_ecdsa_der(out, field_bytes(kind)));
  return with_low_s(kind, std::move(rs));
}

}  // namespace fiducia::crypto
