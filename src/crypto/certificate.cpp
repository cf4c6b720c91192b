// SPDX-License-Identifier: Apache-2.0
#include "crypto/certificate.h"

#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <limits>
#include <utility>

#include "crypto/hash.h"
#include "crypto/openssl.h"

namespace fiducia::crypto {
namespace {

using Text = FreedPtr<ASN1_STRING, ASN1_STRING_free>;
using BitString = FreedPtr<ASN1_BIT_STRING, ASN1_BIT_STRING_free>;
using OctetString = FreedPtr<ASN1_OCTET_STRING, ASN1_OCTET_STRING_free>;

std::unexpected<Error> malformed(std::string what) {
  return fail_malformed("certificate", std::move(what));
}

std::optional<UnixTime> find_time(const ASN1_TIME* time) {
  std::tm tm{};
  if (time == nullptr || ASN1_TIME_to_tm(time, &tm) != 1) return std::nullopt;
  const std::chrono::year_month_day day{std::chrono::year(tm.tm_year + 1900),
                                        std::chrono::month(static_cast<unsigned>(tm.tm_mon + 1)),
                                        std::chrono::day(static_cast<unsigned>(tm.tm_mday))};
  if (!day.ok()) return std::nullopt;
  const auto midnight = std::chrono::sys_seconds(std::chrono::sys_days(day));
  return UnixTime{midnight.time_since_epoch().count() + tm.tm_hour * 3600 + tm.tm_min * 60 +
                  tm.tm_sec};
}

/// The DER that OpenSSL writes for what it read.
Bytes encode(X509* x509) {
  const int length = i2d_X509(x509, nullptr);
  if (length <= 0) return {};
  Bytes out(static_cast<std::size_t>(length));
  auto* at = reinterpret_cast<unsigned char*>(out.data());
  return i2d_X509(x509, &at) == length ? out : Bytes();
}

// --- making certificates ---------------------------------------------------------------------

Status check_request(const CertificateRequest& request) {
  // RFC 5280 appendix A: ub-common-name and ub-organization-name are 64 characters.
  constexpr std::size_t name_characters_max = 64;
  const auto bad = [](std::string_view text) {
    return !is_utf8(text) || count_characters(text) > name_characters_max ||
           std::ranges::any_of(
               text, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
  };
  if (request.common_name.empty() || bad(request.common_name) || bad(request.organization)) {
    return fail(ErrorCode::usage_invalid,
                "a certificate's name is empty, too long, or not printable UTF-8",
                "Use 1 to 64 characters.");
  }
  // The years 0 to 9999 of GeneralizedTime, short of both ends.
  constexpr std::int64_t earliest = -60'000'000'000;
  constexpr std::int64_t latest = 253'402'300'799;
  if (request.not_before > request.not_after || request.not_before.seconds < earliest ||
      request.not_after.seconds > latest) {
    return fail(ErrorCode::usage_invalid, "a certificate ends before it begins",
                "Give a start before the end, and years up to 9999.");
  }
  return {};
}

bool set_name(X509_NAME* name, const CertificateRequest& request) {
  const auto add = [name](int nid, std::string_view text) {
    return X509_NAME_add_entry_by_NID(name, nid, MBSTRING_UTF8, openssl_bytes(as_bytes(text)),
                                      narrow<int>(text.size()), -1, 0) == 1;
  };
  return (request.organization.empty() || add(NID_organizationName, request.organization)) &&
         add(NID_commonName, request.common_name);
}

bool set_serial(X509* x509) {
  // RFC 5280 section 4.1.2.2: positive, at most 20 bytes; random, so that no state is kept.
  std::array<std::byte, 16> bytes{};
  if (!fill_random(bytes)) return false;
  bytes[0] = (bytes[0] & std::byte{0x7f}) | std::byte{0x40};
  const Number number(BN_bin2bn(openssl_bytes(bytes), narrow<int>(bytes.size()), nullptr));
  return number != nullptr &&
         BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(x509)) != nullptr;
}

/// Key usage bits of RFC 5280 section 4.2.1.3, by their place.
constexpr int bit_digital_signature = 0;
constexpr int bit_key_cert_sign = 5;
constexpr int bit_crl_sign = 6;

bool add_extension(X509* x509, int nid, void* value, bool critical) {
  return X509_add1_ext_i2d(x509, nid, value, critical ? 1 : 0, X509V3_ADD_DEFAULT) == 1;
}

bool add_key_usage(X509* x509, std::span<const int> bits) {
  const BitString usage(ASN1_BIT_STRING_new());
  if (usage == nullptr) return false;
  for (const int bit : bits) {
    if (ASN1_BIT_STRING_set_bit(usage.get(), bit, 1) != 1) return false;
  }
  return add_extension(x509, NID_key_usage, usage.get(), true);
}

bool add_basic_constraints(X509* x509, bool authority) {
  const FreedPtr<BASIC_CONSTRAINTS, BASIC_CONSTRAINTS_free> constraints(BASIC_CONSTRAINTS_new());
  if (constraints == nullptr) return false;
  constraints->ca = authority ? 0xff : 0;
  return add_extension(x509, NID_basic_constraints, constraints.get(), true);
}

/// RFC 7093 section 2, method 1: the first 20 bytes of the SHA-256 of the key's bits.
std::array<std::byte, 20> key_identifier(X509* x509) {
  const ASN1_BIT_STRING* bits = X509_get0_pubkey_bitstr(x509);
  const Digest digest = sha256(std::as_bytes(
      std::span(ASN1_STRING_get0_data(bits), static_cast<std::size_t>(ASN1_STRING_length(bits)))));
  std::array<std::byte, 20> out{};
  std::copy_n(digest.bytes.begin(), out.size(), out.begin());
  return out;
}

bool add_key_identifiers(X509* x509, const ASN1_OCTET_STRING* authority) {
  const auto identifier = key_identifier(x509);
  const OctetString own(ASN1_OCTET_STRING_new());
  if (own == nullptr ||
      ASN1_OCTET_STRING_set(own.get(), openssl_bytes(identifier), narrow<int>(identifier.size())) !=
          1 ||
      !add_extension(x509, NID_subject_key_identifier, own.get(), false)) {
    return false;
  }
  if (authority == nullptr) return true;
  const FreedPtr<AUTHORITY_KEYID, AUTHORITY_KEYID_free> issuer(AUTHORITY_KEYID_new());
  if (issuer == nullptr) return false;
  issuer->keyid = ASN1_OCTET_STRING_dup(authority);
  return issuer->keyid != nullptr &&
         add_extension(x509, NID_authority_key_identifier, issuer.get(), false);
}

const EVP_MD* signing_digest(KeyKind kind) {
  switch (kind) {
    case KeyKind::ed25519:
      return nullptr;  // signs the message itself
    case KeyKind::p384:
      return fetched_sha384();
    default:
      return fetched_sha256();
  }
}

/// The parts that both kinds of certificate share.
Result<X509Handle> begin_certificate(const CertificateRequest& request, EVP_PKEY* subject_key) {
  FIDUCIA_CHECK(check_request(request));
  start_openssl();
  X509Handle x509(X509_new());
  if (x509 == nullptr || X509_set_version(x509.get(), X509_VERSION_3) != 1 ||
      !set_serial(x509.get()) || !set_name(X509_get_subject_name(x509.get()), request) ||
      ASN1_TIME_set(X509_getm_notBefore(x509.get()), request.not_before.seconds) == nullptr ||
      ASN1_TIME_set(X509_getm_notAfter(x509.get()), request.not_after.seconds) == nullptr ||
      X509_set_pubkey(x509.get(), subject_key) != 1) {
    return fail_crypto("cannot make a certificate");
  }
  return x509;
}

Result<Certificate> sign_certificate(X509* x509, const PrivateKey::Handle& key) {
  if (X509_sign(x509, key.key.get(), signing_digest(key.kind)) <= 0) {
    return fail_crypto("cannot sign a certificate");
  }
  return Certificate::read_der(encode(x509));
}

// --- judging chains --------------------------------------------------------------------------

ChainStatus status_of(int openssl_error) {
  switch (openssl_error) {
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_CERT_UNTRUSTED:
      return ChainStatus::unknown_authority;
    case X509_V_ERR_CERT_HAS_EXPIRED:
      return ChainStatus::expired;
    case X509_V_ERR_CERT_NOT_YET_VALID:
      return ChainStatus::not_yet_valid;
    case X509_V_ERR_INVALID_CA:
    case X509_V_ERR_PATH_LENGTH_EXCEEDED:
    case X509_V_ERR_INVALID_PURPOSE:
    case X509_V_ERR_KEYUSAGE_NO_CERTSIGN:
    case X509_V_ERR_KEYUSAGE_NO_DIGITAL_SIGNATURE:
    case X509_V_ERR_PERMITTED_VIOLATION:
    case X509_V_ERR_EXCLUDED_VIOLATION:
      return ChainStatus::bad_usage;
    default:
      return ChainStatus::broken;
  }
}

/// basicConstraints with CA true, and keyCertSign where key usage is given. OpenSSL's own check
/// also lets old certificates without basicConstraints pass (answers 3 to 5); this one does not.
bool may_issue(X509* x509) { return X509_check_ca(x509) == 1; }

using Usages = FreedPtr<EXTENDED_KEY_USAGE, EXTENDED_KEY_USAGE_free>;

/// Its extended key usages, null where it has none.
Usages usages_of(X509* x509) {
  Usages usages(static_cast<EXTENDED_KEY_USAGE*>(
      X509_get_ext_d2i(x509, NID_ext_key_usage, nullptr, nullptr)));
  forget_openssl_errors();
  return usages;
}

bool is_usage(const ASN1_OBJECT* usage, Role role) {
  const FreedPtr<ASN1_OBJECT, ASN1_OBJECT_free> wanted(OBJ_txt2obj(role_oid(role).c_str(), 1));
  return wanted != nullptr && OBJ_cmp(usage, wanted.get()) == 0;
}

/// An end entity whose extended key usages are `role`, perhaps other roles, and nothing else: a
/// certificate for TLS or mail that names a role besides was not made for sealing.
bool is_made_for(X509* x509, Role role) {
  if (X509_check_ca(x509) != 0) return false;
  const Usages usages = usages_of(x509);
  if (usages == nullptr) return false;
  bool found = false;
  for (int i = 0; i < sk_ASN1_OBJECT_num(usages.get()); ++i) {
    const ASN1_OBJECT* usage = sk_ASN1_OBJECT_value(usages.get(), i);
    if (std::ranges::none_of(all_roles, [&](Role known) { return is_usage(usage, known); }))
      return false;
    found = found || is_usage(usage, role);
  }
  return found;
}

/// An authority between signer and anchor that states what it issues for must name the role.
bool may_issue_for(X509* x509, Role role) {
  const Usages usages = usages_of(x509);
  if (usages == nullptr) return true;
  for (int i = 0; i < sk_ASN1_OBJECT_num(usages.get()); ++i) {
    const ASN1_OBJECT* usage = sk_ASN1_OBJECT_value(usages.get(), i);
    if (is_usage(usage, role) || OBJ_obj2nid(usage) == NID_anyExtendedKeyUsage) return true;
  }
  return false;
}

bool well_formed(X509* x509) { return (X509_get_extension_flags(x509) & EXFLAG_INVALID) == 0; }

}  // namespace

int accept_last_second(int fine, X509_STORE_CTX* context) {
  if (fine == 1) return 1;
  if (X509_STORE_CTX_get_error(context) != X509_V_ERR_CERT_HAS_EXPIRED) return 0;
  const auto not_after = find_time(X509_get0_notAfter(X509_STORE_CTX_get_current_cert(context)));
  const auto at = X509_VERIFY_PARAM_get_time(X509_STORE_CTX_get0_param(context));
  if (!not_after || not_after->seconds != at) return 0;
  X509_STORE_CTX_set_error(context, X509_V_OK);
  return 1;
}

// --- Certificate -----------------------------------------------------------------------------

Result<Certificate> Certificate::read_der(ByteView der) {
  start_openssl();
  if (der.size() > limits::certificate_bytes_max) {
    return fail(ErrorCode::over_limit, "a certificate is longer than 64 KiB");
  }
  const unsigned char* at = openssl_bytes(der);
  X509Handle x509(d2i_X509(nullptr, &at, static_cast<long>(der.size())));
  if (x509 == nullptr || at != openssl_bytes(der) + der.size()) {
    forget_openssl_errors();
    return malformed("the bytes are not one X.509 certificate");
  }
  // One certificate, one spelling: fingerprints and revocations go by the bytes.
  if (!same_bytes(encode(x509.get()), der)) return malformed("a certificate is not DER");
  const auto not_before = find_time(X509_get0_notBefore(x509.get()));
  const auto not_after = find_time(X509_get0_notAfter(x509.get()));
  if (!not_before || !not_after) {
    forget_openssl_errors();
    return malformed("a certificate's validity is not a time");
  }
  const Digest key_hash = hash_of_key(X509_get0_pubkey(x509.get()));
  forget_openssl_errors();
  return Certificate(std::make_shared<const Handle>(Handle{.x509 = std::move(x509),
                                                           .der = Bytes(der.begin(), der.end()),
                                                           .not_before = *not_before,
                                                           .not_after = *not_after,
                                                           .key_hash = key_hash}));
}

Result<Certificate> Certificate::read_pem(std::string_view pem) {
  // RFC 7468 section 5.
  constexpr std::string_view begin = "-----BEGIN CERTIFICATE-----";
  constexpr std::string_view end = "-----END CERTIFICATE-----";
  const std::size_t from = pem.find(begin);
  if (from == std::string_view::npos) return malformed("the text holds no PEM certificate");
  const std::string_view rest = pem.substr(from + begin.size());
  const std::size_t to = rest.find(end);
  if (to == std::string_view::npos) return malformed("a PEM certificate has no end");
  if (to > 2 * limits::certificate_bytes_max) {
    return fail(ErrorCode::over_limit, "a certificate is longer than 64 KiB");
  }
  std::string base64;
  for (const char c : rest.substr(0, to)) {
    if (c != '\n' && c != '\r' && c != ' ' && c != '\t') base64.push_back(c);
  }
  const auto der = from_base64(base64);
  if (!der) return malformed("a PEM certificate is not base64");
  return read_der(*der);
}

ByteView Certificate::der() const { return handle_->der; }

std::string Certificate::write_pem() const {
  constexpr std::size_t line_characters = 64;
  const std::string base64 = to_base64(handle_->der);
  std::string out = "-----BEGIN CERTIFICATE-----\n";
  for (std::size_t i = 0; i < base64.size(); i += line_characters) {
    out.append(base64, i, line_characters).push_back('\n');
  }
  return out += "-----END CERTIFICATE-----\n";
}

Digest Certificate::fingerprint() const { return sha256(handle_->der); }

std::string Certificate::common_name() const {
  const X509_NAME* name = X509_get_subject_name(handle_->x509.get());
  // RFC 5280 section 4.1.2.4 lists the most specific part last.
  int last = -1;
  for (int i = -1; (i = X509_NAME_get_index_by_NID(name, NID_commonName, i)) >= 0;) last = i;
  if (last < 0) return {};
  const ASN1_STRING* value = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, last));
  unsigned char* raw = nullptr;
  const int length = ASN1_STRING_to_UTF8(&raw, value);
  if (length < 0) {
    forget_openssl_errors();
    return {};
  }
  const std::unique_ptr<unsigned char, Freed<[](void* p) { OPENSSL_free(p); }>> owner(raw);
  std::string out(reinterpret_cast<const char*>(raw), static_cast<std::size_t>(length));
  // A name that would break the line it is printed on, or end early in C, is no name.
  const bool bad = !is_utf8(out) || std::ranges::any_of(out, [](char c) {
    return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
  });
  return bad ? std::string() : out;
}

Result<PublicKey> Certificate::public_key() const {
  KeyHandle key(X509_get_pubkey(handle_->x509.get()));
  if (key == nullptr) {
    forget_openssl_errors();
    return malformed("a certificate's public key cannot be read");
  }
  return adopt_public_key(std::move(key));
}

Digest Certificate::key_hash() const { return handle_->key_hash; }

bool Certificate::is_authority() const {
  X509* x509 = handle_->x509.get();
  constexpr std::uint32_t is_ca = EXFLAG_BCONS | EXFLAG_CA;
  return well_formed(x509) && (X509_get_extension_flags(x509) & is_ca) == is_ca &&
         (X509_get_key_usage(x509) & KU_KEY_CERT_SIGN) != 0;  // all ones where it is absent
}

std::vector<Role> Certificate::roles() const {
  std::vector<Role> roles;
  const Usages usages = usages_of(handle_->x509.get());
  for (int i = 0; usages != nullptr && i < sk_ASN1_OBJECT_num(usages.get()); ++i)
    for (const Role role : all_roles)
      if (is_usage(sk_ASN1_OBJECT_value(usages.get(), i), role)) roles.push_back(role);
  return roles;
}

UnixTime Certificate::not_before() const { return handle_->not_before; }
UnixTime Certificate::not_after() const { return handle_->not_after; }

Result<Certificate> make_authority(const PrivateKey& key, const CertificateRequest& request) {
  FIDUCIA_TRY(x509, begin_certificate(request, key.handle().key.get()));
  constexpr std::array usage{bit_key_cert_sign, bit_crl_sign};
  if (X509_set_issuer_name(x509.get(), X509_get_subject_name(x509.get())) != 1 ||
      !add_basic_constraints(x509.get(), true) || !add_key_usage(x509.get(), usage) ||
      !add_key_identifiers(x509.get(), nullptr)) {
    return fail_crypto("cannot make a certificate");
  }
  return sign_certificate(x509.get(), key.handle());
}

namespace {

/// `oids` in dotted form.
bool add_extended_usages(X509* x509, std::span<const std::string> oids) {
  const Usages usages(EXTENDED_KEY_USAGE_new());
  if (usages == nullptr) return false;
  for (const std::string& oid : oids) {
    FreedPtr<ASN1_OBJECT, ASN1_OBJECT_free> usage(OBJ_txt2obj(oid.c_str(), 1));
    if (usage == nullptr || sk_ASN1_OBJECT_push(usages.get(), usage.get()) <= 0) return false;
    static_cast<void>(usage.release());  // the list owns it now
  }
  return add_extension(x509, NID_ext_key_usage, usages.get(), true);
}

/// An end entity's certificate.
Result<Certificate> issue(const PublicKey& subject_key, const CertificateRequest& request,
                          const PrivateKey& authority_key, const Certificate& authority,
                          std::span<const std::string> extended_usages) {
  FIDUCIA_TRY(x509, begin_certificate(request, subject_key.handle().key.get()));
  X509* issuer = authority.handle().x509.get();
  if (X509_check_private_key(issuer, authority_key.handle().key.get()) != 1 || !may_issue(issuer)) {
    forget_openssl_errors();
    return fail(ErrorCode::usage_invalid,
                "the authority's certificate does not belong to its key, or may not issue",
                "Give the CA certificate that was made with this key.");
  }
  constexpr std::array usage{bit_digital_signature};
  if (X509_set_issuer_name(x509.get(), X509_get_subject_name(issuer)) != 1 ||
      !add_basic_constraints(x509.get(), false) || !add_key_usage(x509.get(), usage) ||
      !add_extended_usages(x509.get(), extended_usages) ||
      !add_key_identifiers(x509.get(), X509_get0_subject_key_id(issuer))) {
    return fail_crypto("cannot make a certificate");
  }
  return sign_certificate(x509.get(), authority_key.handle());
}

}  // namespace

Result<Certificate> make_device_certificate(const PublicKey& subject_key,
                                            const CertificateRequest& request,
                                            const PrivateKey& authority_key,
                                            const Certificate& authority,
                                            std::span<const Role> roles) {
  FIDUCIA_ASSERT(!roles.empty());
  std::vector<std::string> usages;
  for (const Role role : roles) usages.push_back(role_oid(role));
  return issue(subject_key, request, authority_key, authority, usages);
}

Result<Certificate> make_time_stamp_certificate(const PublicKey& subject_key,
                                                const CertificateRequest& request,
                                                const PrivateKey& authority_key,
                                                const Certificate& authority) {
  const std::string time_stamping = "1.3.6.1.5.5.7.3.8";  // id-kp-timeStamping
  return issue(subject_key, request, authority_key, authority, {&time_stamping, 1});
}

ChainStatus verify_chain(std::span<const Certificate> chain, std::span<const Certificate> anchors,
                         UnixTime at, Role role) {
  if (chain.empty() || chain.size() > limits::certificate_chain_max) return ChainStatus::broken;
  start_openssl();
  const FreedPtr<X509_STORE, X509_STORE_free> store(X509_STORE_new());
  const FreedPtr<X509_STORE_CTX, X509_STORE_CTX_free> context(X509_STORE_CTX_new());
  // Holds borrowed certificates: freed itself, not what is in it.
  const FreedPtr<STACK_OF(X509), [](STACK_OF(X509) * s) { sk_X509_free(s); }> others(
      sk_X509_new_null());
  if (store == nullptr || context == nullptr || others == nullptr) return ChainStatus::broken;

  // An anchor is a CA certificate that the trust file names, self-signed or not. One that may
  // not issue is left out, so that a device named there by mistake signs for nobody.
  for (const Certificate& anchor : anchors) {
    X509* x509 = anchor.handle().x509.get();
    if (!well_formed(x509) || !may_issue(x509)) continue;
    if (X509_STORE_add_cert(store.get(), x509) != 1) return ChainStatus::broken;
  }
  for (const Certificate& certificate : chain) {
    if (!well_formed(certificate.handle().x509.get())) return ChainStatus::broken;
  }
  for (const Certificate& certificate : chain.subspan(1)) {
    if (sk_X509_push(others.get(), certificate.handle().x509.get()) <= 0) {
      return ChainStatus::broken;
    }
  }
  X509* signer = chain.front().handle().x509.get();
  if (X509_STORE_CTX_init(context.get(), store.get(), signer, others.get()) != 1) {
    forget_openssl_errors();
    return ChainStatus::broken;
  }
  X509_VERIFY_PARAM* rules = X509_STORE_CTX_get0_param(context.get());
  X509_VERIFY_PARAM_set_time(rules, at.seconds);  // sets X509_V_FLAG_USE_CHECK_TIME
  X509_VERIFY_PARAM_set_flags(rules, X509_V_FLAG_PARTIAL_CHAIN);
  X509_VERIFY_PARAM_set_depth(rules, narrow<int>(limits::certificate_chain_max));
  // 112 bits: refuses MD5 and SHA-1 signatures, and RSA keys below 2048 bits.
  X509_VERIFY_PARAM_set_auth_level(rules, 2);
  X509_STORE_CTX_set_verify_cb(context.get(), accept_last_second);
  if (X509_verify_cert(context.get()) != 1) {
    const int error = X509_STORE_CTX_get_error(context.get());
    forget_openssl_errors();
    return status_of(error);
  }
  const STACK_OF(X509)* verified = X509_STORE_CTX_get0_chain(context.get());
  for (int i = 1; i < sk_X509_num(verified); ++i) {
    if (!may_issue(sk_X509_value(verified, i))) return ChainStatus::bad_usage;
  }
  // Absent key usage reads as all bits set.
  if ((X509_get_key_usage(signer) & KU_DIGITAL_SIGNATURE) == 0) return ChainStatus::bad_usage;
  if (!is_made_for(signer, role)) return ChainStatus::wrong_role;
  // The anchor itself, the last one, is named by the trust file for what it may do.
  for (int i = 1; i + 1 < sk_X509_num(verified); ++i) {
    if (!may_issue_for(sk_X509_value(verified, i), role)) return ChainStatus::wrong_role;
  }
  return ChainStatus::ok;
}

}  // namespace fiducia::crypto
