// SPDX-License-Identifier: Apache-2.0
#include "crypto/key.h"

#include <gtest/gtest.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include <random>
#include <set>
#include <utility>

#include "crypto/openssl.h"
#include "foreign_certificates.h"
#include "support/support.h"

namespace fiducia::crypto {
namespace {

using test::bytes;

constexpr std::array all_algorithms{SignatureAlgorithm::es256,  SignatureAlgorithm::eddsa,
                                    SignatureAlgorithm::esp256, SignatureAlgorithm::ed25519,
                                    SignatureAlgorithm::es384,  SignatureAlgorithm::ps256,
                                    SignatureAlgorithm::esp384};

std::string rsa_pem(unsigned bits) {
  const KeyHandle key(EVP_RSA_gen(bits));
  const BioHandle bio(BIO_new(BIO_s_mem()));
  FIDUCIA_ASSERT(
      PEM_write_bio_PrivateKey(bio.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr) == 1);
  char* text = nullptr;
  const long length = BIO_get_mem_data(bio.get(), &text);
  return {text, static_cast<std::size_t>(length)};
}

std::vector<PrivateKey> one_of_each_kind() {
  std::vector<PrivateKey> keys;
  keys.push_back(PrivateKey::generate(KeyKind::p256).value());
  keys.push_back(PrivateKey::generate(KeyKind::p384).value());
  keys.push_back(PrivateKey::generate(KeyKind::ed25519).value());
  keys.push_back(PrivateKey::read_pem(rsa_pem(2048)).value());
  return keys;
}

TEST(Keys, EachKindSignsWithItsAlgorithmsAndNothingElseVerifies) {
  const auto keys = one_of_each_kind();
  const Bytes message = bytes("00112233");
  for (const PrivateKey& key : keys) {
    const PublicKey mine = key.public_key();
    ASSERT_TRUE(key.sign(key.default_algorithm(), message));
    for (const SignatureAlgorithm algorithm : all_algorithms) {
      SCOPED_TRACE(std::to_underlying(algorithm));
      const auto signature = key.sign(algorithm, message);
      if (!signature) {  // does not fit the key: then no signature can verify either
        EXPECT_EQ(signature.error().code, ErrorCode::unsupported);
        const auto other =
            mine.verify(algorithm, message, key.sign(key.default_algorithm(), message).value());
        ASSERT_FALSE(other);
        EXPECT_EQ(other.error().code, ErrorCode::signature_bad);
        continue;
      }
      EXPECT_TRUE(mine.verify(algorithm, message, *signature));
      EXPECT_EQ(mine.verify(algorithm, bytes("00112234"), *signature).error().code,
                ErrorCode::signature_bad);
      for (const std::size_t at : {std::size_t{0}, signature->size() / 2, signature->size() - 1}) {
        Bytes forged = *signature;
        forged[at] ^= std::byte{1};
        EXPECT_EQ(mine.verify(algorithm, message, forged).error().code, ErrorCode::signature_bad);
      }
      Bytes longer = *signature;
      longer.push_back(std::byte{0});
      EXPECT_FALSE(mine.verify(algorithm, message, longer));
      EXPECT_FALSE(mine.verify(algorithm, message, ByteView(*signature).first(10)));
      EXPECT_FALSE(mine.verify(algorithm, message, {}));
      EXPECT_FALSE(mine.verify(algorithm, message, Bytes(signature->size())));
      for (const PrivateKey& other : keys) {
        if (&other == &key) continue;
        EXPECT_FALSE(other.public_key().verify(algorithm, message, *signature));
      }
    }
  }
}

TEST(Keys, EcdsaSignaturesAreRAndSOfFixedLength) {
  const auto p256 = PrivateKey::generate(KeyKind::p256).value();
  const auto p384 = PrivateKey::generate(KeyKind::p384).value();
  for (int i = 0; i < 300; ++i) {  // 1 in 128 has a short r or s, which must be padded
    const auto signature = p256.sign(SignatureAlgorithm::es256, bytes("00")).value();
    ASSERT_EQ(signature.size(), 64U);
    ASSERT_TRUE(p256.public_key().verify(SignatureAlgorithm::es256, bytes("00"), signature));
  }
  EXPECT_EQ(p384.sign(SignatureAlgorithm::es384, bytes("00")).value().size(), 96U);
}

TEST(Keys, Ed25519SignsAsRfc8032Section71Says) {
  // Test 2: the PKCS #8 wrapping of its secret key.
  const Bytes der = bytes(
      "302e020100300506032b657004220420"
      "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb");
  const std::string pem =
      "-----BEGIN PRIVATE KEY-----\n" + to_base64(der) + "\n-----END PRIVATE KEY-----\n";
  const auto key = PrivateKey::read_pem(pem).value();
  EXPECT_EQ(to_hex(key.public_key().write_ed25519()),
            "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c");
  EXPECT_EQ(to_hex(key.sign(SignatureAlgorithm::eddsa, bytes("72")).value()),
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
            "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00");
}

/// The same signature by OpenSSL, which signs with the key's own handle.
Bytes sign_with_openssl(const PrivateKey& key, ByteView message) {
  const DigestContext context(EVP_MD_CTX_new());
  Bytes signature(64);
  std::size_t length = signature.size();
  EXPECT_EQ(EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, key.handle().key.get()),
            1);
  EXPECT_EQ(EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature.data()),
                           &length, openssl_bytes(message), message.size()),
            1);
  return signature;
}

TEST(Keys, Ed25519SignaturesAreThoseOfOpenSslForMessagesOfAnyLength) {
  const std::uint64_t seed = fiducia::test::seed();
  SCOPED_TRACE("rerun with FIDUCIA_SEED=" + std::to_string(seed));
  std::mt19937_64 prng{seed};
  for (std::size_t length = 0; length < 600; ++length) {
    const auto key = PrivateKey::generate(KeyKind::ed25519).value();
    Bytes message(length);
    for (std::byte& byte : message) byte = static_cast<std::byte>(prng());
    const Bytes signature = key.sign(SignatureAlgorithm::eddsa, message).value();
    ASSERT_EQ(signature, sign_with_openssl(key, message)) << length;
    ASSERT_TRUE(key.public_key().verify(SignatureAlgorithm::eddsa, message, signature)) << length;
  }
}

TEST(Keys, PublicKeysSurviveTheirEncodings) {
  for (const PrivateKey& key : one_of_each_kind()) {
    const PublicKey mine = key.public_key();
    const Bytes spki = mine.write_spki();
    const auto again = PublicKey::read_spki(spki);
    ASSERT_TRUE(again);
    EXPECT_EQ(again->kind(), mine.kind());
    EXPECT_TRUE(same_bytes(again->write_spki(), spki));
    EXPECT_EQ(mine.hash(), sha256(spki));
    const auto signature = key.sign(key.default_algorithm(), bytes("01")).value();
    EXPECT_TRUE(again->verify(key.default_algorithm(), bytes("01"), signature));
    Bytes trailing = spki;
    trailing.push_back(std::byte{0});
    EXPECT_FALSE(PublicKey::read_spki(trailing));
    for (std::size_t length = 0; length < spki.size(); ++length) {
      EXPECT_FALSE(PublicKey::read_spki(ByteView(spki).first(length)));
    }
    if (mine.kind() == KeyKind::ed25519) {
      const auto raw = PublicKey::read_ed25519(mine.write_ed25519());
      ASSERT_TRUE(raw);
      EXPECT_TRUE(same_bytes(raw->write_spki(), spki));
    }
  }
  EXPECT_FALSE(PublicKey::read_ed25519(Bytes(31)));
  EXPECT_FALSE(PublicKey::read_ed25519(Bytes(33)));
}

TEST(Keys, APublicKeyOfAPrivateOneCannotSign) {
  const auto key = PrivateKey::generate(KeyKind::p256).value();
  const PublicKey half = key.public_key();
  BIGNUM* secret = nullptr;
  EXPECT_EQ(EVP_PKEY_get_bn_param(half.handle().key.get(), "priv", &secret), 0);
}

TEST(Keys, CoordinatesOffTheCurveAreRefused) {
  const Bytes x = bytes("bac5b11cad8f99f9c72b05cf4b9e26d244dc189f745228255a219a86d6a09eff");
  Bytes y = bytes("20138bf82dc1b6d562be0fa54ab7804a3a64b6d72ccfed6b6fb6ed28bbfc117e");
  EXPECT_TRUE(PublicKey::read_ec(KeyKind::p256, x, y));
  EXPECT_FALSE(PublicKey::read_ec(KeyKind::p384, x, y));
  EXPECT_FALSE(PublicKey::read_ec(KeyKind::ed25519, x, y));
  EXPECT_FALSE(PublicKey::read_ec(KeyKind::p256, ByteView(x).first(31), y));
  y.back() ^= std::byte{1};
  EXPECT_EQ(PublicKey::read_ec(KeyKind::p256, x, y).error().code, ErrorCode::malformed);
}

TEST(Keys, KeysThatFiduciaDoesNotUseAreRefused) {
  const KeyHandle small(EVP_RSA_gen(1024));
  const KeyHandle p521(EVP_EC_gen("P-521"));
  const KeyHandle secp256k1(EVP_EC_gen("secp256k1"));
  const KeyHandle x25519(EVP_PKEY_Q_keygen(nullptr, nullptr, "X25519"));
  for (const KeyHandle* key : {&small, &p521, &secp256k1, &x25519}) {
    unsigned char* der = nullptr;
    const int length = i2d_PUBKEY(key->get(), &der);
    ASSERT_GT(length, 0);
    const auto read =
        PublicKey::read_spki(std::as_bytes(std::span(der, static_cast<std::size_t>(length))));
    OPENSSL_free(der);
    ASSERT_FALSE(read);
    EXPECT_EQ(read.error().code, ErrorCode::unsupported);
  }
  EXPECT_EQ(PrivateKey::read_pem(rsa_pem(1024)).error().code, ErrorCode::unsupported);
  EXPECT_EQ(PrivateKey::generate(KeyKind::rsa).error().code, ErrorCode::unsupported);
}

TEST(Keys, AnEcKeyWithParametersWrittenOutIsRefused) {
  const KeyHandle key(EVP_EC_gen("P-256"));
  ASSERT_EQ(EVP_PKEY_set_utf8_string_param(key.get(), "encoding", "explicit"), 1);
  unsigned char* der = nullptr;
  const int length = i2d_PUBKEY(key.get(), &der);
  ASSERT_GT(length, 200) << "the parameters must be written out";
  const auto read =
      PublicKey::read_spki(std::as_bytes(std::span(der, static_cast<std::size_t>(length))));
  OPENSSL_free(der);
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code, ErrorCode::unsupported);
}

TEST(Keys, EcdsaSignaturesHaveTheLowerOfTwoHalves) {
  for (const KeyKind kind : {KeyKind::p256, KeyKind::p384}) {
    const auto key = PrivateKey::generate(kind).value();
    for (int i = 0; i < 40; ++i) {  // OpenSSL's own are high every other time
      const Bytes message(1, static_cast<std::byte>(i));
      const Bytes signature = key.sign(key.default_algorithm(), message).value();
      EXPECT_TRUE(has_low_s(kind, signature));
      EXPECT_TRUE(key.public_key().verify(key.default_algorithm(), message, signature));
      if (kind != KeyKind::p256) continue;
      const Bytes twin = test::twin_of_signature(signature);
      EXPECT_FALSE(has_low_s(kind, twin));
      EXPECT_TRUE(key.public_key().verify(key.default_algorithm(), message, twin))
          << "others may sign so";
    }
  }
  EXPECT_TRUE(has_low_s(KeyKind::ed25519, Bytes(64, std::byte{0xff}))) << "has only one form";
}

TEST(Keys, AKeyHasOneHashHoweverItsPointIsWritten) {
  const KeyHandle key(EVP_EC_gen("P-256"));
  std::set<std::string> encodings;
  std::set<std::string> hashes;
  for (const char* form : {"uncompressed", "compressed", "hybrid"}) {
    ASSERT_EQ(
        EVP_PKEY_set_utf8_string_param(key.get(), OSSL_PKEY_PARAM_EC_POINT_CONVERSION_FORMAT, form),
        1);
    unsigned char* der = nullptr;
    const int length = i2d_PUBKEY(key.get(), &der);
    ASSERT_GT(length, 0);
    const ByteView spki = std::as_bytes(std::span(der, static_cast<std::size_t>(length)));
    encodings.insert(to_hex(spki));
    const auto read = PublicKey::read_spki(spki);
    OPENSSL_free(der);
    ASSERT_TRUE(read) << form;
    hashes.insert(to_hex(read->hash().view()));
  }
  EXPECT_EQ(encodings.size(), 3U);
  EXPECT_EQ(hashes.size(), 1U);
}

TEST(Keys, APassPhraseEncryptsAndOnlyItOpens) {
  for (const PrivateKey& key : one_of_each_kind()) {
    const std::string pem = key.write_pem("correct horse").value();
    EXPECT_TRUE(pem.starts_with("-----BEGIN ENCRYPTED PRIVATE KEY-----\n"));
    EXPECT_TRUE(is_encrypted_pem(pem));
    EXPECT_FALSE(is_encrypted_pem(key.write_pem().value()));
    const auto again = PrivateKey::read_pem(pem, "correct horse");
    ASSERT_TRUE(again) << to_sentence(again.error());
    EXPECT_EQ(again->public_key().hash(), key.public_key().hash());
    for (const char* wrong : {"", "Correct horse", "correct horse "}) {
      const auto refused = PrivateKey::read_pem(pem, wrong);
      ASSERT_FALSE(refused);
      EXPECT_EQ(refused.error().code, ErrorCode::signature_bad);
    }
    EXPECT_NE(key.write_pem("correct horse").value(), pem) << "salted";
  }
}

TEST(Keys, PrivateKeysSurvivePemAndEncryptedOrBrokenPemIsRefused) {
  for (const PrivateKey& key : one_of_each_kind()) {
    const std::string pem = key.write_pem().value();
    EXPECT_TRUE(pem.starts_with("-----BEGIN PRIVATE KEY-----\n"));
    const auto again = PrivateKey::read_pem(pem);
    ASSERT_TRUE(again);
    EXPECT_TRUE(same_bytes(again->public_key().write_spki(), key.public_key().write_spki()));
    EXPECT_FALSE(PrivateKey::read_pem(std::string_view(pem).substr(0, pem.size() / 2)));
  }
  const KeyHandle key(EVP_EC_gen("P-256"));
  BioHandle bio(BIO_new(BIO_s_mem()));
  ASSERT_EQ(PEM_write_bio_PrivateKey_traditional(bio.get(), key.get(), nullptr, nullptr, 0, nullptr,
                                                 nullptr),
            1);
  char* text = nullptr;
  long length = BIO_get_mem_data(bio.get(), &text);
  const std::string sec1(text, static_cast<std::size_t>(length));
  EXPECT_TRUE(sec1.starts_with("-----BEGIN EC PRIVATE KEY-----"));
  EXPECT_TRUE(PrivateKey::read_pem(sec1));
  bio.reset(BIO_new(BIO_s_mem()));
  ASSERT_EQ(PEM_write_bio_PKCS8PrivateKey(bio.get(), key.get(), EVP_aes_128_cbc(), "secret", 6,
                                          nullptr, nullptr),
            1);
  length = BIO_get_mem_data(bio.get(), &text);
  EXPECT_FALSE(PrivateKey::read_pem({text, static_cast<std::size_t>(length)}));
  EXPECT_FALSE(PrivateKey::read_pem(""));
  EXPECT_FALSE(PrivateKey::read_pem(std::string(100'000, 'A')));
}

TEST(Algorithms, OnlyThoseWeAcceptAreFound) {
  for (const SignatureAlgorithm algorithm : all_algorithms) {
    EXPECT_EQ(find_algorithm(std::to_underlying(algorithm)), algorithm);
  }
  for (const std::int64_t other :
       std::initializer_list<std::int64_t>{0, 1, 5, -6, -10, -16, -36, -257, -65535, 4294967289}) {
    EXPECT_FALSE(find_algorithm(other)) << other;
  }
}

}  // namespace
}  // namespace fiducia::crypto
