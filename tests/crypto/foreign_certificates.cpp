// SPDX-License-Identifier: Apache-2.0
#include "foreign_certificates.h"

#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <array>

namespace fiducia::test {
namespace {

const unsigned char* raw(ByteView bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}

/// n - s, both of the order of P-256.
BIGNUM* other_s(const BIGNUM* s) {
  EC_GROUP* const group = EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1);
  BIGNUM* const other = BN_new();
  FIDUCIA_ASSERT(group != nullptr && other != nullptr &&
                 BN_sub(other, EC_GROUP_get0_order(group), s) == 1);
  EC_GROUP_free(group);
  return other;
}

X509* parsed(const crypto::Certificate& certificate) {
  const unsigned char* at = raw(certificate.der());
  X509* const x509 = d2i_X509(nullptr, &at, static_cast<long>(certificate.der().size()));
  FIDUCIA_ASSERT(x509 != nullptr);
  return x509;
}

crypto::Certificate written(X509* x509) {
  unsigned char* der = nullptr;
  const int length = i2d_X509(x509, &der);
  FIDUCIA_ASSERT(length > 0);
  auto read = crypto::Certificate::read_der(
      std::as_bytes(std::span{der, static_cast<std::size_t>(length)}));
  OPENSSL_free(der);
  X509_free(x509);
  FIDUCIA_ASSERT(read.has_value());
  return *read;
}

}  // namespace

crypto::Certificate make_foreign_certificate(const crypto::PublicKey& key,
                                             const crypto::CertificateRequest& request,
                                             const crypto::PrivateKey& authority_key,
                                             const crypto::Certificate& authority,
                                             const std::vector<Extension>& extensions) {
  X509* const issuer = parsed(authority);
  X509* const x509 = X509_new();
  const Bytes spki = key.write_spki();
  const unsigned char* at = raw(spki);
  EVP_PKEY* const public_key = d2i_PUBKEY(nullptr, &at, static_cast<long>(spki.size()));
  const std::string pem = authority_key.write_pem().value();
  BIO* const bio = BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()));
  EVP_PKEY* const signing_key = PEM_read_bio_PrivateKey(bio, nullptr, nullptr, nullptr);
  FIDUCIA_ASSERT(x509 != nullptr && public_key != nullptr && signing_key != nullptr);
  const auto* name = reinterpret_cast<const unsigned char*>(request.common_name.c_str());
  FIDUCIA_ASSERT(X509_set_version(x509, X509_VERSION_3) == 1 &&
                 ASN1_INTEGER_set(X509_get_serialNumber(x509), 4711) == 1 &&
                 X509_NAME_add_entry_by_txt(X509_get_subject_name(x509), "CN", MBSTRING_UTF8, name,
                                            -1, -1, 0) == 1 &&
                 X509_set_issuer_name(x509, X509_get_subject_name(issuer)) == 1 &&
                 ASN1_TIME_set(X509_getm_notBefore(x509), request.not_before.seconds) != nullptr &&
                 ASN1_TIME_set(X509_getm_notAfter(x509), request.not_after.seconds) != nullptr &&
                 X509_set_pubkey(x509, public_key) == 1);
  for (const Extension& extension : extensions) {
    X509_EXTENSION* const made = X509V3_EXT_conf_nid(
        nullptr, nullptr, OBJ_sn2nid(extension.name.c_str()), extension.value.c_str());
    FIDUCIA_ASSERT(made != nullptr && X509_add_ext(x509, made, -1) == 1);
    X509_EXTENSION_free(made);
  }
  FIDUCIA_ASSERT(X509_sign(x509, signing_key, EVP_sha256()) > 0);
  EVP_PKEY_free(public_key);
  EVP_PKEY_free(signing_key);
  BIO_free(bio);
  X509_free(issuer);
  return written(x509);
}

crypto::Certificate twin_of(const crypto::Certificate& certificate) {
  X509* const x509 = parsed(certificate);
  const ASN1_BIT_STRING* bits = nullptr;
  X509_get0_signature(&bits, nullptr, x509);
  const unsigned char* at = ASN1_STRING_get0_data(bits);
  ECDSA_SIG* const signature = d2i_ECDSA_SIG(nullptr, &at, ASN1_STRING_length(bits));
  FIDUCIA_ASSERT(signature != nullptr &&
                 ECDSA_SIG_set0(signature, BN_dup(ECDSA_SIG_get0_r(signature)),
                                other_s(ECDSA_SIG_get0_s(signature))) == 1);
  std::array<unsigned char, 128> der{};
  unsigned char* to = der.data();
  const int length = i2d_ECDSA_SIG(signature, &to);
  FIDUCIA_ASSERT(length > 0 &&
                 ASN1_STRING_set(const_cast<ASN1_BIT_STRING*>(bits), der.data(), length) == 1);
  ECDSA_SIG_free(signature);
  return written(x509);
}

Bytes twin_of_signature(ByteView signature) {
  FIDUCIA_ASSERT(signature.size() == 64);
  BIGNUM* const s = BN_bin2bn(raw(signature) + 32, 32, nullptr);
  BIGNUM* const other = other_s(s);
  Bytes out(signature.begin(), signature.end());
  FIDUCIA_ASSERT(BN_bn2binpad(other, reinterpret_cast<unsigned char*>(out.data()) + 32, 32) == 32);
  BN_free(s);
  BN_free(other);
  return out;
}

}  // namespace fiducia::test
