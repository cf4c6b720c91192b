// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <array>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "crypto/key.h"
#include "crypto/role.h"

namespace fiducia::crypto {

/// An X.509 certificate (RFC 5280). Copyable: copies share the parsed form.
class Certificate {
 public:
  /// Errors: malformed (also trailing bytes), over_limit (limits::certificate_bytes_max).
  [[nodiscard]] static Result<Certificate> read_der(ByteView der);
  /// The first certificate of a PEM text. Errors: malformed.
  [[nodiscard]] static Result<Certificate> read_pem(std::string_view pem);
  [[nodiscard]] ByteView der() const;  // owned by this object
  [[nodiscard]] std::string write_pem() const;
  /// SHA-256 of the DER; Fiducia's name for a signer. Not for revocations: whoever has a
  /// certificate signed with ECDSA can make a twin with another hash.
  [[nodiscard]] Digest fingerprint() const;
  /// The subject's common name as UTF-8, "" if there is none.
  [[nodiscard]] std::string common_name() const;
  [[nodiscard]] Result<PublicKey> public_key() const;
  /// SHA-256 of the DER of its SubjectPublicKeyInfo, points of elliptic curves uncompressed: what a
  /// revocation names.
  [[nodiscard]] Digest key_hash() const;
  /// Whether it says of itself that it may issue others: basicConstraints with cA TRUE, and
  /// keyCertSign where keyUsage is present (RFC 5280 sections 4.2.1.9 and 4.2.1.3).
  [[nodiscard]] bool is_authority() const;
  /// The roles among its extended key usages.
  [[nodiscard]] std::vector<Role> roles() const;
  [[nodiscard]] UnixTime not_before() const;
  [[nodiscard]] UnixTime not_after() const;

  struct Handle;
  explicit Certificate(std::shared_ptr<const Handle> handle) : handle_(std::move(handle)) {}
  [[nodiscard]] const Handle& handle() const { return *handle_; }

 private:
  std::shared_ptr<const Handle> handle_;
};

struct CertificateRequest {
  std::string common_name;   // of the subject, UTF-8, 1..64 characters
  std::string organization;  // may be empty
  UnixTime not_before;
  UnixTime not_after;
};

inline constexpr std::array seal_only{Role::seal};

/// A self-signed CA: basicConstraints CA critical, keyUsage keyCertSign + cRLSign.
[[nodiscard]] Result<Certificate> make_authority(const PrivateKey& key,
                                                 const CertificateRequest& request);
/// A device certificate signed by an authority: CA false, keyUsage digitalSignature, extended key
/// usage critical with `roles` (at least one) and nothing else.
[[nodiscard]] Result<Certificate> make_device_certificate(const PublicKey& subject_key,
                                                          const CertificateRequest& request,
                                                          const PrivateKey& authority_key,
                                                          const Certificate& authority,
                                                          std::span<const Role> roles = seal_only);

/// A certificate of a time-stamp authority (RFC 3161 section 2.3): CA false, keyUsage
/// digitalSignature, extended key usage critical and time-stamping alone. To try things out.
[[nodiscard]] Result<Certificate> make_time_stamp_certificate(const PublicKey& subject_key,
                                                              const CertificateRequest& request,
                                                              const PrivateKey& authority_key,
                                                              const Certificate& authority);

/// Why a chain is not accepted; `ok` only when everything holds.
/// `wrong_role`: the signer's certificate is a CA's, or is not made for the role and nothing but
/// roles, or one between it and the anchor may only issue for other uses.
enum class ChainStatus {
  ok,
  unknown_authority,
  expired,
  not_yet_valid,
  bad_usage,
  wrong_role,
  broken
};

/// Whether chain[0] (the signer) leads through chain[1..] to one of `anchors`, with every
/// certificate valid at `at` (never "now"), the signer allowed to sign (keyUsage, if present,
/// has digitalSignature) and made for `role`, and the issuers allowed to issue. RFC 5280 section
/// 6, spec/trust.md section 6.
[[nodiscard]] ChainStatus verify_chain(std::span<const Certificate> chain,
                                       std::span<const Certificate> anchors, UnixTime at,
                                       Role role);

}  // namespace fiducia::crypto
