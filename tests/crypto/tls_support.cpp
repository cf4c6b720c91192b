// SPDX-License-Identifier: Apache-2.0
#include "tls_support.h"

namespace fiducia::test {
namespace {

constexpr std::int64_t day = 86'400;

crypto::CertificateRequest request_for(const std::string& name, std::int64_t days_left) {
  const std::int64_t now = system_now().seconds;
  return {.common_name = name,
          .organization = {},
          .not_before = {.seconds = now - 30 * day},
          .not_after = {.seconds = now + days_left * day}};
}

const std::vector<Extension> for_server{{"extendedKeyUsage", "serverAuth"},
                                        {"subjectAltName", "DNS:localhost,IP:127.0.0.1"}};
const std::vector<Extension> for_client{{"extendedKeyUsage", "clientAuth"}};

}  // namespace

TlsAuthority::TlsAuthority(const std::string& name)
    : key_(crypto::PrivateKey::generate(crypto::KeyKind::p256).value()),
      certificate_(crypto::make_authority(key_, request_for(name, 300)).value()) {}

crypto::TlsIdentity TlsAuthority::issue(const std::string& name, std::int64_t days_left,
                                        const std::vector<Extension>& extensions) const {
  const auto key = crypto::PrivateKey::generate(crypto::KeyKind::p256).value();
  const auto certificate = make_foreign_certificate(key.public_key(), request_for(name, days_left),
                                                    key_, certificate_, extensions);
  return {.chain_pem = certificate.write_pem(), .key_pem = key.write_pem().value()};
}

crypto::TlsIdentity TlsAuthority::server() const { return issue("server", 30, for_server); }
crypto::TlsIdentity TlsAuthority::client(const std::string& name) const {
  return issue(name, 30, for_client);
}
crypto::TlsIdentity TlsAuthority::expired_server() const { return issue("server", -1, for_server); }
crypto::TlsIdentity TlsAuthority::expired_client() const { return issue("old", -1, for_client); }

}  // namespace fiducia::test
