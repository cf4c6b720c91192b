// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "crypto/tls.h"
#include "foreign_certificates.h"

/// Authorities and the certificates of servers and clients, for handshakes.
namespace fiducia::test {

/// An authority and what it issues.
class TlsAuthority {
 public:
  explicit TlsAuthority(const std::string& name);
  /// For 127.0.0.1 and localhost.
  [[nodiscard]] crypto::TlsIdentity server() const;
  [[nodiscard]] crypto::TlsIdentity client(const std::string& name) const;
  /// Valid until yesterday.
  [[nodiscard]] crypto::TlsIdentity expired_server() const;
  [[nodiscard]] crypto::TlsIdentity expired_client() const;
  [[nodiscard]] std::string pem() const { return certificate_.write_pem(); }

 private:
  [[nodiscard]] crypto::TlsIdentity issue(const std::string& name, std::int64_t days_left,
                                          const std::vector<Extension>& extensions) const;
  crypto::PrivateKey key_;
  crypto::Certificate certificate_;
};

}  // namespace fiducia::test
