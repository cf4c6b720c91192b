// SPDX-License-Identifier: Apache-2.0
#include "peers.h"

// DCMTK first: its configuration must be seen before any other header.
#include <dcmtk/config/osconfig.h>
#include <dcmtk/dcmdata/dctk.h>
#include <dcmtk/dcmsign/dcsignat.h>
#include <dcmtk/dcmsign/sicert.h>
#include <dcmtk/dcmsign/simdmac.h>
#include <dcmtk/dcmsign/sinullpr.h>
#include <dcmtk/dcmsign/siprivat.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <cstdio>

namespace fiducia::bench {
namespace {

template <auto Free>
struct Freed {
  void operator()(auto* handle) const noexcept { Free(handle); }
};
using Key = std::unique_ptr<EVP_PKEY, Freed<EVP_PKEY_free>>;
using Context = std::unique_ptr<EVP_MD_CTX, Freed<EVP_MD_CTX_free>>;
using Certificate = std::unique_ptr<X509, Freed<X509_free>>;
using OutFile = std::unique_ptr<std::FILE, Freed<std::fclose>>;

const unsigned char* data(ByteView bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}

}  // namespace

Digest openssl_sha256(ByteView bytes) {
  static EVP_MD* const md = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  const Context context{EVP_MD_CTX_new()};
  Digest out;
  FIDUCIA_ASSERT(EVP_DigestInit_ex2(context.get(), md, nullptr) == 1);
  FIDUCIA_ASSERT(EVP_DigestUpdate(context.get(), bytes.data(), bytes.size()) == 1);
  FIDUCIA_ASSERT(EVP_DigestFinal_ex(context.get(),
                                    reinterpret_cast<unsigned char*>(out.bytes.data()),
                                    nullptr) == 1);
  return out;
}

struct PlainSigner::State {
  Key key{EVP_EC_gen("P-256")};
};

PlainSigner::PlainSigner() : state_(std::make_unique<State>()) {
  FIDUCIA_ASSERT(state_->key != nullptr);
}
PlainSigner::~PlainSigner() = default;

Bytes PlainSigner::sign(ByteView bytes) const {
  const Context context{EVP_MD_CTX_new()};
  Bytes out(128);
  std::size_t length = out.size();
  FIDUCIA_ASSERT(
      EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, state_->key.get()) == 1);
  FIDUCIA_ASSERT(EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(out.data()),
                                &length, data(bytes), bytes.size()) == 1);
  out.resize(length);
  return out;
}

bool PlainSigner::verify(ByteView bytes, ByteView signature) const {
  const Context context{EVP_MD_CTX_new()};
  FIDUCIA_ASSERT(
      EVP_DigestVerifyInit(context.get(), nullptr, EVP_sha256(), nullptr, state_->key.get()) == 1);
  return EVP_DigestVerify(context.get(), data(signature), signature.size(), data(bytes),
                          bytes.size()) == 1;
}

struct DcmtkObject::State {
  DcmFileFormat file;
  SiPrivateKey key;
  SiCertificate certificate;
  SiMDMAC mac{EMT_SHA256};
  SiNullProfile profile;

  OFCondition create(DcmSignature& signature) {
    return signature.createSignature(key, certificate, mac, profile, EXS_LittleEndianExplicit);
  }
};

DcmtkObject::DcmtkObject(const std::filesystem::path& file, const std::filesystem::path& key,
                         const std::filesystem::path& certificate)
    : state_(std::make_unique<State>()) {
  OFLog::configure(OFLogger::OFF_LOG_LEVEL);
  FIDUCIA_ASSERT(state_->file.loadFile(file.c_str()).good());
  state_->file.loadAllDataIntoMemory();
  FIDUCIA_ASSERT(state_->key.loadPrivateKey(key.c_str(), X509_FILETYPE_PEM).good());
  FIDUCIA_ASSERT(
      state_->certificate.loadCertificate(certificate.c_str(), X509_FILETYPE_PEM).good());
}
DcmtkObject::~DcmtkObject() = default;

bool DcmtkObject::sign() {
  DcmSignature signature;
  signature.attach(state_->file.getDataset());
  const bool done = state_->create(signature).good() && signature.removeSignature(0).good();
  signature.detach();
  return done;
}

bool DcmtkObject::keep_signature() {
  DcmSignature signature;
  signature.attach(state_->file.getDataset());
  const bool done = state_->create(signature).good();
  signature.detach();
  return done;
}

bool DcmtkObject::verify() {
  DcmSignature signature;
  signature.attach(state_->file.getDataset());
  const bool done = signature.selectSignature(0).good() && signature.verifyCurrent().good();
  signature.detach();
  return done;
}

void write_key_and_certificate(const std::filesystem::path& folder) {
  const Key key{EVP_EC_gen("P-256")};
  const Certificate certificate{X509_new()};
  X509_set_version(certificate.get(), X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), 1);
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -86400);
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), 86400 * 3650L);
  X509_set_pubkey(certificate.get(), key.get());
  X509_NAME* name = X509_get_subject_name(certificate.get());
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>("bench"), -1, -1, 0);
  X509_set_issuer_name(certificate.get(), name);
  FIDUCIA_ASSERT(X509_sign(certificate.get(), key.get(), EVP_sha256()) != 0);
  const OutFile key_file{std::fopen((folder / "key.pem").c_str(), "w")};
  const OutFile certificate_file{std::fopen((folder / "cert.pem").c_str(), "w")};
  FIDUCIA_ASSERT(
      PEM_write_PrivateKey(key_file.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr) == 1);
  FIDUCIA_ASSERT(PEM_write_X509(certificate_file.get(), certificate.get()) == 1);
}

}  // namespace fiducia::bench
