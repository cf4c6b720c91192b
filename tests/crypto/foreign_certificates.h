// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>
#include <vector>

#include "crypto/crypto.h"

/// Certificates that Fiducia itself does not make.
namespace fiducia::test {

/// One extension in the words of openssl.cnf: {"extendedKeyUsage", "serverAuth"}.
struct Extension {
  std::string name;
  std::string value;
};

/// A certificate for `key` with these extensions, issued by `authority`; aborts when that fails.
[[nodiscard]] crypto::Certificate make_foreign_certificate(
    const crypto::PublicKey& key, const crypto::CertificateRequest& request,
    const crypto::PrivateKey& authority_key, const crypto::Certificate& authority,
    const std::vector<Extension>& extensions);

/// The same certificate with the other of the two ECDSA signatures, (r, n-s): as good, but of
/// other bytes. Anybody can make it.
[[nodiscard]] crypto::Certificate twin_of(const crypto::Certificate& certificate);
/// The same for r || s.
[[nodiscard]] Bytes twin_of_signature(ByteView signature);

}  // namespace fiducia::test
