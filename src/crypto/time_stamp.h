// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/core.h"
#include "crypto/certificate.h"

/// Time-stamps by a time-stamp authority, TSA (RFC 3161, RFC 5816): a signed statement that a
/// digest existed at a time. They prove "before T" although our own clocks may lie.
namespace fiducia::crypto {

/// A question to a TSA: "please stamp this digest".
struct TimeStampRequest {
  Digest imprint;      // SHA-256 of what is to be stamped
  Bytes nonce;         // 8 bytes, big endian, the first not 0; the answer must repeat it
  std::string policy;  // object identifier in dotted form, "" for the TSA's default
  Bytes encoded;       // DER of TimeStampReq (RFC 3161 section 2.4.1), certReq TRUE
};

/// A request with a fresh random nonce. Errors: usage_invalid (`policy` is no object identifier),
/// crypto_failed.
[[nodiscard]] Result<TimeStampRequest> make_time_stamp_request(const Digest& imprint,
                                                               std::string_view policy = {});

/// The bare token (DER of a CMS ContentInfo) out of a TSA's answer (TimeStampResp, RFC 3161
/// section 2.4.2); nothing is verified. Errors: malformed (kind "time_stamp"), over_limit
/// (limits::time_stamp_bytes_max), signature_bad when the TSA refused: the sentence says why.
[[nodiscard]] Result<Bytes> read_time_stamp_response(ByteView encoded);

/// What a token has to fulfil.
struct TimeStampDemands {
  Digest imprint;                              // SHA-256 of what was stamped
  std::span<const Certificate> anchors;        // roots of TSAs, or certificates of TSAs themselves
  std::span<const std::string> policies = {};  // dotted; empty: any policy
  std::optional<ByteView> nonce = {};          // of the request, big endian; absent: not compared
};

/// What a verified token says.
struct TimeStamp {
  UnixTime at;         // genTime, fractions of a second cut off
  UnixTime latest;     // genTime plus accuracy, rounded up: by then, at the latest, it existed
  std::string policy;  // dotted
  Certificate signer;  // of the TSA
  /// Key hashes (Certificate::key_hash) of the chain that was verified, the signer's first.
  std::vector<Digest> keys;
};

/// Verifies a bare token as RFC 3161 section 2.3, RFC 5816 and RFC 5652 ask: exactly one signer,
/// signed attributes (contentType, messageDigest, ESSCertIDv2 of the signer), chain to one of the
/// anchors *at genTime* (never "now": a token outlives its TSA's certificate), extended key usage
/// critical and time-stamping alone, imprint, policy, nonce, no critical extension. Refused as too
/// weak for evidence that has to last: SHA-1 anywhere (also ESSCertID of RFC 3161), keys below 112
/// bits of security. Errors: malformed (kind "time_stamp"), over_limit, signature_bad; the
/// sentence names the check that failed.
[[nodiscard]] Result<TimeStamp> verify_time_stamp(ByteView token, const TimeStampDemands& demands);

/// Whether a certificate is made for time-stamping and nothing else (RFC 3161 section 2.3):
/// extended key usage critical and id-kp-timeStamping alone; key usage, if there, with nothing
/// but digitalSignature and nonRepudiation.
[[nodiscard]] bool is_time_stamp_certificate(const Certificate& certificate);

/// Whether `text` is an object identifier in dotted form ("1.3.6.1.4.1.4146.2.3"), at most 128
/// characters.
[[nodiscard]] bool is_object_identifier(std::string_view text);

/// A small TSA, for tests and to try things out; not for production, where others must trust it.
struct TimeStampAuthority {
  const PrivateKey& key;           // P-256, P-384 or RSA
  Certificate certificate;         // `is_time_stamp_certificate`, of that key
  std::vector<Certificate> above;  // issuers that go into the token beside the signer's
  std::string policy;              // dotted
  Clock clock;                     // whole seconds
  std::uint32_t accuracy_seconds = 1;
};

/// The answer (TimeStampResp) to a request; a request that does not read or asks for what this TSA
/// does not do gets an answer that refuses. Errors: usage_invalid (certificate and key do not fit
/// or are not for this), crypto_failed.
[[nodiscard]] Result<Bytes> answer_time_stamp_request(ByteView request,
                                                      const TimeStampAuthority& authority);

}  // namespace fiducia::crypto
