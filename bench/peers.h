// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <filesystem>
#include <memory>

#include "core/core.h"

/// What we are measured against: OpenSSL over the bytes of a file, DCMTK over its data set.
namespace fiducia::bench {

/// SHA-256 by OpenSSL's EVP; digest fetched once, context made anew for each message.
[[nodiscard]] Digest openssl_sha256(ByteView bytes);

/// ECDSA P-256 with SHA-256 over a whole file, EVP_DigestSign and EVP_DigestVerify.
class PlainSigner {
 public:
  PlainSigner();
  ~PlainSigner();
  [[nodiscard]] Bytes sign(ByteView bytes) const;
  [[nodiscard]] bool verify(ByteView bytes, ByteView signature) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// DCMTK's dcmdsig: all attributes, SHA-256, P-256, explicit little endian (PS3.15 Annex C).
class DcmtkObject {
 public:
  /// `key` and `certificate` are PEM files.
  DcmtkObject(const std::filesystem::path& file, const std::filesystem::path& key,
              const std::filesystem::path& certificate);
  ~DcmtkObject();
  /// Signs the data set and takes the signature away again.
  [[nodiscard]] bool sign();
  /// Signs once; `verify` judges that signature, without its certificate chain.
  [[nodiscard]] bool keep_signature();
  [[nodiscard]] bool verify();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Writes a P-256 key and a self-signed certificate as PEM into `folder`: key.pem, cert.pem.
void write_key_and_certificate(const std::filesystem::path& folder);

}  // namespace fiducia::bench
