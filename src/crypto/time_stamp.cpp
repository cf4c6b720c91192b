// SPDX-License-Identifier: Apache-2.0
#include "crypto/time_stamp.h"

#include <openssl/ess.h>
#include <openssl/pkcs7.h>
#include <openssl/ts.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <set>

#include "crypto/hash.h"
#include "crypto/openssl.h"

namespace fiducia::crypto {
namespace {

using Request = FreedPtr<TS_REQ, TS_REQ_free>;
using Response = FreedPtr<TS_RESP, TS_RESP_free>;
using Imprint = FreedPtr<TS_MSG_IMPRINT, TS_MSG_IMPRINT_free>;
using Token = FreedPtr<PKCS7, PKCS7_free>;
using Info = FreedPtr<TS_TST_INFO, TS_TST_INFO_free>;
using Object = FreedPtr<ASN1_OBJECT, ASN1_OBJECT_free>;
using Integer = FreedPtr<ASN1_INTEGER, ASN1_INTEGER_free>;
using Algorithm = FreedPtr<X509_ALGOR, X509_ALGOR_free>;
using Sequence = FreedPtr<ASN1_SEQUENCE_ANY,
                          [](ASN1_SEQUENCE_ANY* s) { sk_ASN1_TYPE_pop_free(s, ASN1_TYPE_free); }>;
/// Holds borrowed certificates: freed itself, not what is in it.
using BorrowedStack = FreedPtr<STACK_OF(X509), [](STACK_OF(X509) * s) { sk_X509_free(s); }>;

constexpr std::size_t oid_characters_max = 128;
constexpr std::int64_t micro = 1'000'000;

std::unexpected<Error> bad_token(std::string what) {
  forget_openssl_errors();
  return fail_malformed("time_stamp", std::move(what));
}

std::unexpected<Error> refused(std::string what) {
  forget_openssl_errors();
  return fail(ErrorCode::signature_bad, std::move(what),
              "Have this stamped again, or name the authority in the trust file if you trust it.");
}

std::unexpected<Error> too_long(const char* what) {
  return fail(ErrorCode::over_limit, std::string(what) + " is longer than 64 KiB.",
              "Ask another time-stamp authority.");
}

template <class Handle, auto Encode>
Bytes encode(Handle* handle) {
  unsigned char* raw = nullptr;
  const int length = Encode(handle, &raw);
  if (length <= 0) return {};
  const std::unique_ptr<unsigned char, Freed<[](void* p) { OPENSSL_free(p); }>> owner(raw);
  const auto bytes = std::as_bytes(std::span(raw, static_cast<std::size_t>(length)));
  return {bytes.begin(), bytes.end()};
}

ByteView bytes_of(const ASN1_STRING* text) {
  return std::as_bytes(
      std::span(ASN1_STRING_get0_data(text), static_cast<std::size_t>(ASN1_STRING_length(text))));
}

std::string dotted(const ASN1_OBJECT* object) {
  std::array<char, oid_characters_max + 1> text{};
  const int length = OBJ_obj2txt(text.data(), static_cast<int>(text.size()), object, 1);
  if (length <= 0 || static_cast<std::size_t>(length) >= text.size()) return {};
  return {text.data(), static_cast<std::size_t>(length)};
}

/// SHA-256, SHA-384 or SHA-512; null for anything else.
const EVP_MD* strong_digest(const X509_ALGOR* algorithm) {
  const ASN1_OBJECT* object = nullptr;
  X509_ALGOR_get0(&object, nullptr, nullptr, algorithm);
  switch (OBJ_obj2nid(object)) {
    case NID_sha256:
      return EVP_sha256();
    case NID_sha384:
      return EVP_sha384();
    case NID_sha512:
      return EVP_sha512();
    default:
      return nullptr;
  }
}

// --- what a TSA says in words -----------------------------------------------------------------

/// Text of a stranger, made fit for one line.
std::string printable(ByteView text) {
  std::string out;
  for (const char c : as_text(text.first(std::min<std::size_t>(text.size(), 200))))
    out += static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) > 0x7e ? '?' : c;
  return out;
}

/// PKIFailureInfo of RFC 3161 section 2.4.2.
std::string failure_of(const TS_STATUS_INFO* status) {
  struct Row {
    int bit;
    const char* meaning;
  };
  static constexpr std::array rows{Row{0, "it does not know the digest algorithm"},
                                   Row{2, "it does not do what was asked"},
                                   Row{5, "it could not read the request"},
                                   Row{14, "its clock is not available"},
                                   Row{15, "it does not follow the policy that was asked for"},
                                   Row{16, "it does not know an extension"},
                                   Row{17, "it cannot give what was asked for in addition"},
                                   Row{25, "it has a fault"}};
  std::string out;
  if (const ASN1_BIT_STRING* bits = TS_STATUS_INFO_get0_failure_info(status))
    for (const Row& row : rows)
      if (ASN1_BIT_STRING_get_bit(bits, row.bit) == 1)
        out += (out.empty() ? "" : ", ") + std::string(row.meaning);
  if (const STACK_OF(ASN1_UTF8STRING)* texts = TS_STATUS_INFO_get0_text(status))
    if (sk_ASN1_UTF8STRING_num(texts) > 0)
      out += (out.empty() ? "" : "; ") + std::string("in its words: ") +
             printable(bytes_of(sk_ASN1_UTF8STRING_value(texts, 0)));
  return out.empty() ? "it gives no reason" : out;
}

// --- the signature ----------------------------------------------------------------------------

Result<Token> read_token(ByteView encoded) {
  start_openssl();
  if (encoded.size() > limits::time_stamp_bytes_max) return too_long("A time-stamp token");
  const unsigned char* at = openssl_bytes(encoded);
  Token token(d2i_PKCS7(nullptr, &at, static_cast<long>(encoded.size())));
  if (token == nullptr || at != openssl_bytes(encoded) + encoded.size())
    return bad_token("The bytes are not one time-stamp token (CMS).");
  if (!PKCS7_type_is_signed(token.get()) || token->d.sign == nullptr ||
      token->d.sign->contents == nullptr)
    return bad_token("The token is not signed data.");
  const PKCS7* contents = token->d.sign->contents;
  if (OBJ_obj2nid(contents->type) != NID_id_smime_ct_TSTInfo || contents->d.other == nullptr ||
      contents->d.other->type != V_ASN1_OCTET_STRING)
    return bad_token("What the token signs is not a time-stamp (TSTInfo).");
  return token;
}

/// The one value of a signed attribute; null if it is absent.
const ASN1_TYPE* signed_attribute(const PKCS7_SIGNER_INFO* signer, int nid) {
  return PKCS7_get_signed_attribute(signer, nid);
}

/// RFC 5652 section 11: each attribute once, with one value.
bool attributes_are_unique(const PKCS7_SIGNER_INFO* signer) {
  std::set<std::string> seen;
  for (int i = 0; i < sk_X509_ATTRIBUTE_num(signer->auth_attr); ++i) {
    X509_ATTRIBUTE* attribute = sk_X509_ATTRIBUTE_value(signer->auth_attr, i);
    if (X509_ATTRIBUTE_count(attribute) != 1 ||
        !seen.insert(dotted(X509_ATTRIBUTE_get0_object(attribute))).second)
      return false;
  }
  return true;
}

Sequence items_of(const ASN1_TYPE* value) {
  if (value == nullptr || value->type != V_ASN1_SEQUENCE) return nullptr;
  const ByteView der = bytes_of(value->value.sequence);
  const unsigned char* at = openssl_bytes(der);
  return Sequence(d2i_ASN1_SEQUENCE_ANY(nullptr, &at, static_cast<long>(der.size())));
}

const ASN1_TYPE* first_of(const Sequence& items) {
  return items == nullptr || sk_ASN1_TYPE_num(items.get()) < 1 ? nullptr
                                                               : sk_ASN1_TYPE_value(items.get(), 0);
}

/// Whether the first ESSCertIDv2 (RFC 5035 section 4) is a strong digest of the signer's
/// certificate. OpenSSL compares, but takes SHA-1 as well.
bool names_strongly(const ASN1_TYPE* attribute, X509* signer) {
  const Sequence signing_certificate = items_of(attribute);
  const Sequence identifiers = items_of(first_of(signing_certificate));
  const Sequence identifier = items_of(first_of(identifiers));
  const ASN1_TYPE* hash = first_of(identifier);
  if (hash == nullptr) return false;
  const EVP_MD* digest = EVP_sha256();  // the default of hashAlgorithm
  if (hash->type == V_ASN1_SEQUENCE) {
    const ByteView der = bytes_of(hash->value.sequence);
    const unsigned char* at = openssl_bytes(der);
    const Algorithm algorithm(d2i_X509_ALGOR(nullptr, &at, static_cast<long>(der.size())));
    digest = algorithm == nullptr ? nullptr : strong_digest(algorithm.get());
    hash =
        sk_ASN1_TYPE_num(identifier.get()) < 2 ? nullptr : sk_ASN1_TYPE_value(identifier.get(), 1);
  }
  if (digest == nullptr || hash == nullptr || hash->type != V_ASN1_OCTET_STRING) return false;
  std::array<unsigned char, EVP_MAX_MD_SIZE> computed{};
  unsigned length = 0;
  return X509_digest(signer, digest, computed.data(), &length) == 1 &&
         same_bytes(bytes_of(hash->value.octet_string),
                    std::as_bytes(std::span(computed).first(length)));
}

Status check_signing_certificate(const PKCS7_SIGNER_INFO* info, X509* signer,
                                 const STACK_OF(X509) * known) {
  const ASN1_TYPE* attribute = signed_attribute(info, NID_id_smime_aa_signingCertificateV2);
  if (attribute == nullptr)
    return signed_attribute(info, NID_id_smime_aa_signingCertificate) != nullptr
               ? refused(
                     "The token names its signer's certificate by SHA-1 only (ESSCertID), "
                     "which does not last; ESSCertIDv2 with SHA-256 is needed.")
               : refused("The token does not name its signer's certificate (ESSCertIDv2).");
  if (!names_strongly(attribute, signer))
    return refused(
        "The certificate that the token names (ESSCertIDv2) is not that of its signer, "
        "or is named by a weak digest.");
  const ByteView der = bytes_of(attribute->value.sequence);
  const unsigned char* at = openssl_bytes(der);
  const FreedPtr<ESS_SIGNING_CERT_V2, ESS_SIGNING_CERT_V2_free> named(
      d2i_ESS_SIGNING_CERT_V2(nullptr, &at, static_cast<long>(der.size())));
  // OpenSSL wants the signer first.
  const BorrowedStack chain(sk_X509_new_null());
  if (chain == nullptr || sk_X509_push(chain.get(), signer) <= 0)
    return fail_crypto("cannot check a time-stamp");
  for (int i = 0; i < sk_X509_num(known); ++i)
    if (sk_X509_push(chain.get(), sk_X509_value(known, i)) <= 0)
      return fail_crypto("cannot check a time-stamp");
  if (named == nullptr || OSSL_ESS_check_signing_certs(nullptr, named.get(), chain.get(), 1) != 1)
    return refused("The certificates that the token names (ESSCertIDv2) are not those it carries.");
  return {};
}

std::string why(int openssl_error) {
  switch (openssl_error) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
      return "A certificate of the time-stamp authority had expired when it stamped.";
    case X509_V_ERR_CERT_NOT_YET_VALID:
      return "A certificate of the time-stamp authority was not yet valid when it stamped.";
    case X509_V_ERR_INVALID_PURPOSE:
      return "The signer's certificate is not made for time-stamping.";
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_CERT_UNTRUSTED:
      return "The time-stamp authority is not one that is trusted here.";
    case X509_V_ERR_EE_KEY_TOO_SMALL:
    case X509_V_ERR_CA_KEY_TOO_SMALL:
    case X509_V_ERR_CA_MD_TOO_WEAK:
      return "A certificate of the time-stamp authority has a weak key or signature.";
    default:
      return "The certificates of the time-stamp authority do not form a chain.";
  }
}

/// Key hashes of the chain that holds.
Result<std::vector<Digest>> check_chain(X509* signer, STACK_OF(X509) * others,
                                        std::span<const Certificate> anchors, UnixTime at) {
  const FreedPtr<X509_STORE, X509_STORE_free> store(X509_STORE_new());
  const FreedPtr<X509_STORE_CTX, X509_STORE_CTX_free> context(X509_STORE_CTX_new());
  if (store == nullptr || context == nullptr) return fail_crypto("cannot check a chain");
  for (const Certificate& anchor : anchors)
    if (X509_STORE_add_cert(store.get(), anchor.handle().x509.get()) != 1)
      return fail_crypto("cannot check a chain");
  if (X509_STORE_CTX_init(context.get(), store.get(), signer, others) != 1 ||
      X509_STORE_CTX_set_purpose(context.get(), X509_PURPOSE_TIMESTAMP_SIGN) != 1)
    return fail_crypto("cannot check a chain");
  X509_VERIFY_PARAM* rules = X509_STORE_CTX_get0_param(context.get());
  X509_VERIFY_PARAM_set_time(rules, at.seconds);  // sets X509_V_FLAG_USE_CHECK_TIME
  // A TSA of the trust file counts although its issuer is not there.
  X509_VERIFY_PARAM_set_flags(rules, X509_V_FLAG_PARTIAL_CHAIN);
  X509_VERIFY_PARAM_set_depth(rules, narrow<int>(limits::certificate_chain_max));
  X509_VERIFY_PARAM_set_auth_level(rules, 2);  // 112 bits
  X509_STORE_CTX_set_verify_cb(context.get(), accept_last_second);
  if (X509_verify_cert(context.get()) != 1)
    return refused(why(X509_STORE_CTX_get_error(context.get())));
  const STACK_OF(X509)* verified = X509_STORE_CTX_get0_chain(context.get());
  std::vector<Digest> keys;
  for (int i = 0; i < sk_X509_num(verified); ++i) {
    X509* certificate = sk_X509_value(verified, i);
    if (i > 0 && X509_check_ca(certificate) != 1)
      return refused("A certificate above the time-stamp authority's may not issue others.");
    keys.push_back(hash_of_key(X509_get0_pubkey(certificate)));
  }
  return keys;
}

bool may_time_stamp(X509* x509) {
  int critical = 0;
  const FreedPtr<EXTENDED_KEY_USAGE, EXTENDED_KEY_USAGE_free> usage(
      static_cast<EXTENDED_KEY_USAGE*>(
          X509_get_ext_d2i(x509, NID_ext_key_usage, &critical, nullptr)));
  forget_openssl_errors();
  constexpr std::uint32_t others = ~std::uint32_t{KU_DIGITAL_SIGNATURE | KU_NON_REPUDIATION};
  const std::uint32_t key_usage = X509_get_key_usage(x509);  // all ones: absent
  return usage != nullptr && critical == 1 && sk_ASN1_OBJECT_num(usage.get()) == 1 &&
         OBJ_obj2nid(sk_ASN1_OBJECT_value(usage.get(), 0)) == NID_time_stamp &&
         (key_usage == UINT32_MAX || (key_usage & others) == 0);
}

/// The certificate of the one signer, its signature over the content checked; the chain is not.
Result<X509*> check_signature(PKCS7* token, STACK_OF(X509) * known) {
  STACK_OF(PKCS7_SIGNER_INFO)* infos = PKCS7_get_signer_info(token);
  if (infos == nullptr || sk_PKCS7_SIGNER_INFO_num(infos) != 1)
    return refused("The token does not have exactly one signer.");
  PKCS7_SIGNER_INFO* info = sk_PKCS7_SIGNER_INFO_value(infos, 0);
  const BorrowedStack signers(PKCS7_get0_signers(token, known, 0));
  if (signers == nullptr || sk_X509_num(signers.get()) != 1)
    return refused("The certificate of the token's signer is not at hand.");
  X509* signer = sk_X509_value(signers.get(), 0);
  if (strong_digest(info->digest_alg) == nullptr)
    return refused("The token is signed over a digest that is not SHA-256, 384 or 512.");
  const ASN1_TYPE* type = signed_attribute(info, NID_pkcs9_contentType);
  if (!attributes_are_unique(info) || type == nullptr || type->type != V_ASN1_OBJECT ||
      OBJ_obj2nid(type->value.object) != NID_id_smime_ct_TSTInfo)
    return refused("The signed attributes of the token are not those of a time-stamp.");
  FIDUCIA_CHECK(check_signing_certificate(info, signer, known));
  const BioHandle content(PKCS7_dataInit(token, nullptr));
  if (content == nullptr) return bad_token("The content of the token cannot be read.");
  std::array<char, 4096> buffer{};
  while (BIO_read(content.get(), buffer.data(), static_cast<int>(buffer.size())) > 0) {
  }
  if (PKCS7_signatureVerify(content.get(), token, info, signer) != 1)
    return refused("The signature of the token does not verify.");
  return signer;
}

// --- the statement ----------------------------------------------------------------------------

Result<Info> read_info(const PKCS7* token) {
  const ByteView der = bytes_of(token->d.sign->contents->d.other->value.octet_string);
  const unsigned char* at = openssl_bytes(der);
  Info info(d2i_TS_TST_INFO(nullptr, &at, static_cast<long>(der.size())));
  if (info == nullptr || at != openssl_bytes(der) + der.size())
    return bad_token("The time-stamp inside the token (TSTInfo) cannot be read.");
  if (TS_TST_INFO_get_version(info.get()) != 1)
    return bad_token("The time-stamp inside the token has another version than 1.");
  return info;
}

/// A moment in microseconds since 1970, rounded down and up.
struct Moment {
  std::int64_t from = 0;
  std::int64_t to = 0;
};

/// GeneralizedTime as RFC 3161 section 2.4.2 has it: YYYYMMDDhhmmss[.s...]Z.
std::optional<Moment> read_moment(ByteView encoded) {
  constexpr std::size_t whole = 14;
  constexpr std::size_t fraction_digits_max = 20;
  const std::string_view text = as_text(encoded);
  if (text.size() < whole + 1 || text.back() != 'Z') return std::nullopt;
  const std::string_view digits = text.substr(0, whole);
  std::string_view fraction = text.substr(whole, text.size() - whole - 1);
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  if (!std::ranges::all_of(digits, is_digit)) return std::nullopt;
  if (!fraction.empty()) {
    if (fraction.size() < 2 || fraction.size() > fraction_digits_max || fraction.front() != '.')
      return std::nullopt;
    fraction.remove_prefix(1);
    if (!std::ranges::all_of(fraction, is_digit)) return std::nullopt;
  }
  const auto number = [&](std::size_t from, std::size_t count) {
    int value = 0;
    for (const char c : digits.substr(from, count)) value = value * 10 + (c - '0');
    return value;
  };
  const std::chrono::year_month_day day{std::chrono::year(number(0, 4)),
                                        std::chrono::month(static_cast<unsigned>(number(4, 2))),
                                        std::chrono::day(static_cast<unsigned>(number(6, 2)))};
  const int hour = number(8, 2);
  const int minute = number(10, 2);
  const int second = number(12, 2);  // 60 is a leap second: counted as the next minute's first
  if (!day.ok() || hour > 23 || minute > 59 || second > 60) return std::nullopt;
  const auto midnight =
      std::chrono::sys_seconds(std::chrono::sys_days(day)).time_since_epoch().count();
  const std::int64_t seconds = midnight + hour * 3600 + minute * 60 + second;
  std::int64_t part = 0;
  std::int64_t unit = micro / 10;
  bool beyond = false;  // digits finer than a microsecond
  for (const char c : fraction) {
    part += (c - '0') * unit;
    beyond = beyond || (unit == 0 && c != '0');
    unit /= 10;
  }
  const std::int64_t from = seconds * micro + part;
  return Moment{.from = from, .to = from + (beyond ? 1 : 0)};
}

/// Microseconds of Accuracy (RFC 3161 section 2.4.2), 0 if it is absent; absent: not readable.
std::optional<std::int64_t> read_accuracy(TS_ACCURACY* accuracy) {
  if (accuracy == nullptr) return 0;
  constexpr std::int64_t seconds_max = 1'000'000'000;
  const auto part = [](const ASN1_INTEGER* integer,
                       std::int64_t max) -> std::optional<std::int64_t> {
    if (integer == nullptr) return 0;
    std::int64_t value = 0;
    if (ASN1_INTEGER_get_int64(&value, integer) != 1 || value < 0 || value > max)
      return std::nullopt;
    return value;
  };
  const auto seconds = part(TS_ACCURACY_get_seconds(accuracy), seconds_max);
  const auto millis = part(TS_ACCURACY_get_millis(accuracy), 999);
  const auto micros = part(TS_ACCURACY_get_micros(accuracy), 999);
  if (!seconds || !millis || !micros) return std::nullopt;
  return *seconds * micro + *millis * 1000 + *micros;
}

UnixTime floor_seconds(std::int64_t microseconds) {
  std::int64_t seconds = microseconds / micro;
  if (microseconds % micro < 0) --seconds;
  return {seconds};
}

struct Times {
  UnixTime at;
  UnixTime latest;
};
Result<Times> read_times(const TS_TST_INFO* info) {
  const ASN1_GENERALIZEDTIME* time = TS_TST_INFO_get_time(info);
  const auto moment = time == nullptr ? std::nullopt : read_moment(bytes_of(time));
  if (!moment) return bad_token("The time in the token is not one in UTC.");
  const auto accuracy = read_accuracy(TS_TST_INFO_get_accuracy(const_cast<TS_TST_INFO*>(info)));
  if (!accuracy) return bad_token("The accuracy in the token is out of range.");
  return Times{.at = floor_seconds(moment->from),
               .latest = floor_seconds(moment->to + *accuracy + micro - 1)};
}

bool has_nonce(const TS_TST_INFO* info, ByteView nonce) {
  const ASN1_INTEGER* integer = TS_TST_INFO_get_nonce(info);
  if (integer == nullptr) return false;
  const Number number(ASN1_INTEGER_to_BN(integer, nullptr));
  if (number == nullptr || BN_is_negative(number.get()) == 1) return false;
  Bytes bytes(static_cast<std::size_t>(BN_num_bytes(number.get())));
  BN_bn2bin(number.get(), reinterpret_cast<unsigned char*>(bytes.data()));
  while (!nonce.empty() && nonce.front() == std::byte{}) nonce = nonce.subspan(1);
  return same_bytes(bytes, nonce);
}

Status check_info(TS_TST_INFO* info, const TimeStampDemands& demands) {
  TS_MSG_IMPRINT* imprint = TS_TST_INFO_get_msg_imprint(info);
  const ASN1_OBJECT* algorithm = nullptr;
  X509_ALGOR_get0(&algorithm, nullptr, nullptr, TS_MSG_IMPRINT_get_algo(imprint));
  if (OBJ_obj2nid(algorithm) != NID_sha256)
    return refused("The token stamps another digest than SHA-256.");
  if (!same_bytes(bytes_of(TS_MSG_IMPRINT_get_msg(imprint)), demands.imprint.view()))
    return refused("The token stamps something else.");
  const std::string policy = dotted(TS_TST_INFO_get_policy_id(info));
  if (!demands.policies.empty() &&
      std::ranges::find(demands.policies, policy) == demands.policies.end())
    return refused("The token was made under a policy that is not accepted: " + policy + ".");
  if (demands.nonce && !has_nonce(info, *demands.nonce))
    return refused("The token answers another request: its nonce differs.");
  for (int i = 0; i < TS_TST_INFO_get_ext_count(info); ++i)
    if (X509_EXTENSION_get_critical(TS_TST_INFO_get_ext(info, i)) != 0)
      return refused("The token has a critical extension that is not known here.");
  return {};
}

Integer make_integer(ByteView big_endian) {
  const Number number(
      BN_bin2bn(openssl_bytes(big_endian), narrow<int>(big_endian.size()), nullptr));
  return number == nullptr ? nullptr : Integer(BN_to_ASN1_INTEGER(number.get(), nullptr));
}

}  // namespace

bool is_object_identifier(std::string_view text) {
  if (text.empty() || text.size() > oid_characters_max) return false;
  std::vector<std::string_view> arcs;
  for (std::size_t at = 0; at <= text.size();) {
    const std::size_t dot = std::min(text.find('.', at), text.size());
    arcs.push_back(text.substr(at, dot - at));
    at = dot + 1;
  }
  for (const std::string_view arc : arcs)
    if (arc.empty() || (arc.size() > 1 && arc.front() == '0') ||
        !std::ranges::all_of(arc, [](char c) { return c >= '0' && c <= '9'; }))
      return false;
  if (arcs.size() < 2 || arcs[0].size() > 1 || arcs[0].front() > '2') return false;
  return arcs[0] == "2" || arcs[1].size() == 1 || (arcs[1].size() == 2 && arcs[1].front() < '4');
}

bool is_time_stamp_certificate(const Certificate& certificate) {
  return may_time_stamp(certificate.handle().x509.get());
}

Result<TimeStampRequest> make_time_stamp_request(const Digest& imprint, std::string_view policy) {
  start_openssl();
  if (!policy.empty() && !is_object_identifier(policy))
    return fail(ErrorCode::usage_invalid, "A time-stamp policy is not an object identifier.",
                "Write it in dotted form, such as 1.3.6.1.4.1.4146.2.3.");
  TimeStampRequest out{
      .imprint = imprint, .nonce = Bytes(8), .policy = std::string(policy), .encoded = {}};
  FIDUCIA_CHECK(fill_random(out.nonce));
  out.nonce[0] = (out.nonce[0] & std::byte{0x7f}) | std::byte{0x40};  // positive, 8 bytes
  const Request request(TS_REQ_new());
  const Imprint wanted(TS_MSG_IMPRINT_new());
  const Algorithm algorithm(X509_ALGOR_new());
  const Integer nonce = make_integer(out.nonce);
  if (request == nullptr || wanted == nullptr || algorithm == nullptr || nonce == nullptr)
    return fail_crypto("cannot make a time-stamp request");
  X509_ALGOR_set_md(algorithm.get(), fetched_sha256());
  // OpenSSL's signature is not const; it copies.
  auto* digest = const_cast<unsigned char*>(openssl_bytes(imprint.view()));
  if (TS_MSG_IMPRINT_set_algo(wanted.get(), algorithm.get()) != 1 ||
      TS_MSG_IMPRINT_set_msg(wanted.get(), digest, narrow<int>(imprint.bytes.size())) != 1 ||
      TS_REQ_set_version(request.get(), 1) != 1 ||
      TS_REQ_set_msg_imprint(request.get(), wanted.get()) != 1 ||
      TS_REQ_set_nonce(request.get(), nonce.get()) != 1 ||
      TS_REQ_set_cert_req(request.get(), 1) != 1)
    return fail_crypto("cannot make a time-stamp request");
  if (!policy.empty()) {
    const Object object(OBJ_txt2obj(out.policy.c_str(), 1));
    if (object == nullptr || TS_REQ_set_policy_id(request.get(), object.get()) != 1)
      return fail_crypto("cannot make a time-stamp request");
  }
  out.encoded = encode<TS_REQ, i2d_TS_REQ>(request.get());
  if (out.encoded.empty()) return fail_crypto("cannot write a time-stamp request");
  return out;
}

Result<Bytes> read_time_stamp_response(ByteView encoded) {
  start_openssl();
  if (encoded.size() > limits::time_stamp_bytes_max) return too_long("A time-stamp answer");
  const unsigned char* at = openssl_bytes(encoded);
  const Response response(d2i_TS_RESP(nullptr, &at, static_cast<long>(encoded.size())));
  if (response == nullptr || at != openssl_bytes(encoded) + encoded.size())
    return bad_token("The answer is not that of a time-stamp authority.");
  const TS_STATUS_INFO* status = TS_RESP_get_status_info(response.get());
  std::int64_t granted = -1;
  if (ASN1_INTEGER_get_int64(&granted, TS_STATUS_INFO_get0_status(status)) != 1) granted = -1;
  PKCS7* token = TS_RESP_get_token(response.get());
  if (granted != 0 && granted != 1) {
    forget_openssl_errors();
    return fail(ErrorCode::signature_bad,
                "The time-stamp authority did not stamp: " + failure_of(status) + ".",
                "Ask later, or ask another time-stamp authority.");
  }
  if (token == nullptr) return bad_token("The answer grants a time-stamp, but holds none.");
  // RFC 3161 section 2.4.2: a client must not go on over a failure that it does not understand.
  if (TS_STATUS_INFO_get0_failure_info(status) != nullptr)
    return bad_token("The answer grants a time-stamp and reports a failure.");
  Bytes out = encode<PKCS7, i2d_PKCS7>(token);
  if (out.empty()) return bad_token("The time-stamp in the answer cannot be written.");
  return out;
}

Result<TimeStamp> verify_time_stamp(ByteView encoded, const TimeStampDemands& demands) {
  FIDUCIA_TRY(token, read_token(encoded));
  FIDUCIA_TRY(info, read_info(token.get()));
  FIDUCIA_TRY(times, read_times(info.get()));

  const BorrowedStack known(sk_X509_new_null());
  if (known == nullptr) return fail_crypto("cannot check a time-stamp");
  const STACK_OF(X509)* carried = token->d.sign->cert;
  for (int i = 0; i < sk_X509_num(carried); ++i)
    if (sk_X509_push(known.get(), sk_X509_value(carried, i)) <= 0)
      return fail_crypto("cannot check a time-stamp");
  for (const Certificate& anchor : demands.anchors)
    if (sk_X509_push(known.get(), anchor.handle().x509.get()) <= 0)
      return fail_crypto("cannot check a time-stamp");

  FIDUCIA_TRY(signer, check_signature(token.get(), known.get()));
  FIDUCIA_TRY(certificate, Certificate::read_der(encode<X509, i2d_X509>(signer)));
  if (!may_time_stamp(signer))
    return refused("The signer's certificate is not made for time-stamping, and for nothing else.");
  FIDUCIA_TRY(keys, check_chain(signer, known.get(), demands.anchors, times.at));
  FIDUCIA_CHECK(check_info(info.get(), demands));
  return TimeStamp{.at = times.at,
                   .latest = times.latest,
                   .policy = dotted(TS_TST_INFO_get_policy_id(info.get())),
                   .signer = std::move(certificate),
                   .keys = std::move(keys)};
}

// --- the small TSA ----------------------------------------------------------------------------

namespace {

int tell_time(TS_RESP_CTX* /*context*/, void* data, long* seconds, long* microseconds) {
  const auto* authority = static_cast<const TimeStampAuthority*>(data);
  *seconds = authority->clock().seconds;
  *microseconds = 0;
  return 1;
}

Response refusal() {
  constexpr int rejection = 2;  // PKIStatus of RFC 3161 section 2.4.2
  Response response(TS_RESP_new());
  const FreedPtr<TS_STATUS_INFO, TS_STATUS_INFO_free> status(TS_STATUS_INFO_new());
  if (response == nullptr || status == nullptr ||
      TS_STATUS_INFO_set_status(status.get(), rejection) != 1 ||
      TS_RESP_set_status_info(response.get(), status.get()) != 1)
    return nullptr;
  return response;
}

ASN1_INTEGER* draw_serial(TS_RESP_CTX* /*context*/, void* /*data*/) {
  std::array<std::byte, 16> bytes{};  // random, so that no state is kept
  if (!fill_random(bytes)) return nullptr;
  bytes[0] = (bytes[0] & std::byte{0x7f}) | std::byte{0x40};
  return make_integer(bytes).release();
}

}  // namespace

Result<Bytes> answer_time_stamp_request(ByteView request, const TimeStampAuthority& authority) {
  start_openssl();
  X509* certificate = authority.certificate.handle().x509.get();
  EVP_PKEY* key = authority.key.handle().key.get();
  if (authority.key.handle().kind == KeyKind::ed25519 ||
      X509_check_private_key(certificate, key) != 1 || !may_time_stamp(certificate) ||
      !is_object_identifier(authority.policy)) {
    forget_openssl_errors();
    return fail(ErrorCode::usage_invalid,
                "The time-stamp authority's key, certificate or policy does not fit its purpose.",
                "Give a certificate for time-stamping with its P-256, P-384 or RSA key, and a "
                "policy in dotted form.");
  }
  const FreedPtr<TS_RESP_CTX, TS_RESP_CTX_free> context(TS_RESP_CTX_new());
  const Object policy(OBJ_txt2obj(authority.policy.c_str(), 1));
  const BorrowedStack above(sk_X509_new_null());
  const BioHandle input(
      BIO_new_mem_buf(request.empty() ? "" : static_cast<const void*>(request.data()),
                      narrow<int>(std::min(request.size(), limits::time_stamp_bytes_max))));
  if (context == nullptr || policy == nullptr || above == nullptr || input == nullptr)
    return fail_crypto("cannot answer a time-stamp request");
  for (const Certificate& issuer : authority.above)
    if (sk_X509_push(above.get(), issuer.handle().x509.get()) <= 0)
      return fail_crypto("cannot answer a time-stamp request");
  auto* data = const_cast<TimeStampAuthority*>(&authority);  // read only by tell_time
  TS_RESP_CTX_set_time_cb(context.get(), tell_time, data);
  TS_RESP_CTX_set_serial_cb(context.get(), draw_serial, nullptr);
  if (TS_RESP_CTX_set_signer_cert(context.get(), certificate) != 1 ||
      TS_RESP_CTX_set_signer_key(context.get(), key) != 1 ||
      TS_RESP_CTX_set_signer_digest(context.get(), EVP_sha256()) != 1 ||
      TS_RESP_CTX_set_ess_cert_id_digest(context.get(), EVP_sha256()) != 1 ||
      TS_RESP_CTX_set_def_policy(context.get(), policy.get()) != 1 ||
      TS_RESP_CTX_set_certs(context.get(), above.get()) != 1 ||
      TS_RESP_CTX_add_md(context.get(), EVP_sha256()) != 1 ||
      TS_RESP_CTX_set_accuracy(context.get(), narrow<int>(authority.accuracy_seconds), 0, 0) != 1)
    return fail_crypto("cannot answer a time-stamp request");
  Response response(TS_RESP_create_response(context.get(), input.get()));
  forget_openssl_errors();  // a request that was refused leaves some
  // Some requests OpenSSL gives no answer at all.
  if (response == nullptr) response = refusal();
  if (response == nullptr) return fail_crypto("cannot answer a time-stamp request");
  Bytes out = encode<TS_RESP, i2d_TS_RESP>(response.get());
  if (out.empty()) return fail_crypto("cannot write a time-stamp answer");
  return out;
}

}  // namespace fiducia::crypto
