// SPDX-License-Identifier: Apache-2.0
#include "crypto/cose.h"

#include <algorithm>
#include <array>
#include <utility>

namespace fiducia::crypto {
namespace {

constexpr std::uint64_t tag_sign1 = 18;  // RFC 9052 section 2
constexpr std::byte empty_map{0xa0};

// Header labels (RFC 9052 section 3.1, RFC 9597, RFC 9360, RFC 9942).
constexpr std::int64_t label_algorithm = 1;
constexpr std::int64_t label_crit = 2;
constexpr std::int64_t label_content_type = 3;
constexpr std::int64_t label_kid = 4;
constexpr std::int64_t label_cwt_claims = 15;
constexpr std::int64_t label_x5chain = 33;
constexpr std::int64_t label_vds = 395;
constexpr std::int64_t label_vdp = 396;
// Claims (RFC 8392 section 3.1) and proofs (RFC 9942).
constexpr std::int64_t claim_issuer = 1;
constexpr std::int64_t claim_issued_at = 6;
constexpr std::int64_t vdp_inclusion = -1;
constexpr std::int64_t vdp_consistency = -2;

/// What `crit` may name: the protected parameters that this file acts on.
constexpr std::array understood{label_algorithm,  label_crit,    label_content_type, label_kid,
                                label_cwt_claims, label_x5chain, label_vds};

using Key = CborMap::Key;
bool same_key(const Key& a, const Key& b) { return a.number == b.number && a.text == b.text; }

std::unexpected<Error> bad_message(std::string what) {
  return fail_malformed("cose", std::move(what));
}

Result<Key> read_label(CborReader& reader) {
  FIDUCIA_TRY(type, reader.peek());
  if (type == CborType::text) {
    FIDUCIA_TRY(text, reader.text());
    return Key{.number = {}, .text = text};
  }
  FIDUCIA_TRY(number, reader.integer());
  return Key{.number = number, .text = {}};
}

/// Whether certificates are parsed; a caller who has the key already need not pay for it.
enum class Certificates { read, skip };

/// One pass over both header maps.
class HeaderReader {
 public:
  explicit HeaderReader(Certificates certificates) : certificates_(certificates) {}

  Status read_protected(ByteView encoded) {
    // A zero-length string stands for the empty map (RFC 9052 section 3).
    if (encoded.empty()) return {};
    CborReader reader(encoded, CborOrder::any);
    FIDUCIA_TRY(map, CborMap::open(reader));
    for (;;) {
      FIDUCIA_TRY(key, map.next());
      if (!key) break;
      labels_.push_back(*key);
      FIDUCIA_CHECK(read_protected_value(reader, *key));
    }
    FIDUCIA_CHECK(reader.finish());
    return check_crit();
  }

  Status read_unprotected(ByteView encoded) {
    CborReader reader(encoded, CborOrder::any);
    FIDUCIA_TRY(map, CborMap::open(reader));
    for (;;) {
      FIDUCIA_TRY(key, map.next());
      if (!key) break;
      if (std::ranges::any_of(labels_, [&](const Key& k) { return same_key(k, *key); })) {
        return bad_message("a header label occurs in both maps");
      }
      FIDUCIA_CHECK(read_unprotected_value(reader, *key));
    }
    return reader.finish();
  }

  Sign1Headers take() { return std::move(headers_); }

 private:
  Status read_protected_value(CborReader& reader, const Key& key) {
    switch (key.number.value_or(0)) {  // 0 is reserved: no parameter
      case label_algorithm: {
        // Algorithms with names of text exist; none of them is ours.
        FIDUCIA_TRY(label, read_label(reader));
        headers_.algorithm = label.number;
        return {};
      }
      case label_crit:
        return read_crit(reader);
      case label_content_type:
        return read_content_type(reader);
      case label_kid:
        return read_kid(reader);
      case label_cwt_claims:
        return read_claims(reader);
      case label_x5chain:
        return read_x5chain(reader);
      case label_vds: {
        FIDUCIA_TRY(vds, reader.integer());
        headers_.vds = vds;
        return {};
      }
      default:
        FIDUCIA_CHECK(reader.skip());
        return {};
    }
  }

  Status read_unprotected_value(CborReader& reader, const Key& key) {
    switch (key.number.value_or(0)) {
      case label_crit:
        return bad_message("crit is not protected");
      case label_kid:
        return read_kid(reader);
      case label_vdp:
        return read_proofs(reader);
      default:  // anybody may have put it there: nothing that a verdict rests on
        FIDUCIA_CHECK(reader.skip());
        return {};
    }
  }

  Status read_crit(CborReader& reader) {
    FIDUCIA_TRY(count, reader.array());
    if (count == 0) return bad_message("crit is empty");
    for (std::size_t i = 0; i < count; ++i) {
      FIDUCIA_TRY(label, read_label(reader));
      const bool known =
          label.number && std::ranges::find(understood, *label.number) != understood.end();
      if (!known) return bad_message("crit names a parameter that is not understood");
      critical_.push_back(*label.number);
    }
    return {};
  }

  [[nodiscard]] Status check_crit() const {
    // `critical_` may be long, but holds only the few values of `understood`.
    for (const std::int64_t label : understood) {
      if (std::ranges::find(critical_, label) == critical_.end()) continue;
      if (!std::ranges::any_of(labels_, [&](const Key& k) { return k.number == label; })) {
        return bad_message("crit names a parameter that is absent");
      }
    }
    return {};
  }

  Status read_content_type(CborReader& reader) {
    FIDUCIA_TRY(type, reader.peek());
    if (type == CborType::uint) {  // a CoAP content format
      FIDUCIA_CHECK(reader.uint());
      return {};
    }
    FIDUCIA_TRY(text, reader.text());
    headers_.content_type = std::string(text);
    return {};
  }

  Status read_kid(CborReader& reader) {
    FIDUCIA_TRY(kid, reader.bytes());
    headers_.kid = Bytes(kid.begin(), kid.end());
    return {};
  }

  Status read_claims(CborReader& reader) {
    FIDUCIA_TRY(map, CborMap::open(reader));
    for (;;) {
      FIDUCIA_TRY(key, map.next());
      if (!key) return {};
      if (key->number == claim_issuer) {
        FIDUCIA_TRY(issuer, reader.text());
        headers_.issuer = std::string(issuer);
      } else if (key->number == claim_issued_at) {
        FIDUCIA_TRY(seconds, reader.integer());
        headers_.issued_at = seconds;
      } else {
        FIDUCIA_CHECK(reader.skip());
      }
    }
  }

  /// RFC 9360 section 2: one certificate is a byte string, more are an array of two and more.
  Status read_x5chain(CborReader& reader) {
    FIDUCIA_TRY(type, reader.peek());
    std::size_t count = 1;
    if (type == CborType::array) {
      FIDUCIA_TRY(items, reader.array());
      if (items < 2) return bad_message("an x5chain array has less than two certificates");
      count = items;
    }
    if (count > limits::certificate_chain_max)
      return bad_message("x5chain has too many certificates");
    for (std::size_t i = 0; i < count; ++i) {
      FIDUCIA_TRY(der, reader.bytes());
      if (certificates_ == Certificates::skip) continue;
      auto certificate = Certificate::read_der(der);
      if (!certificate) return bad_message("x5chain holds something that is not a certificate");
      headers_.x5chain.push_back(*std::move(certificate));
    }
    return {};
  }

  Status read_proofs(CborReader& reader) {
    FIDUCIA_TRY(map, CborMap::open(reader));
    for (;;) {
      FIDUCIA_TRY(key, map.next());
      if (!key) return {};
      if (key->number == vdp_inclusion) {
        FIDUCIA_CHECK(read_proof_list(reader, headers_.inclusion_proofs));
      } else if (key->number == vdp_consistency) {
        FIDUCIA_CHECK(read_proof_list(reader, headers_.consistency_proofs));
      } else {
        FIDUCIA_CHECK(reader.skip());
      }
    }
  }

  static Status read_proof_list(CborReader& reader, std::vector<Bytes>& out) {
    FIDUCIA_TRY(count, reader.array());
    if (count > limits::cose_proofs_max) return bad_message("a receipt holds too many proofs");
    for (std::size_t i = 0; i < count; ++i) {
      FIDUCIA_TRY(proof, reader.bytes());
      out.emplace_back(proof.begin(), proof.end());
    }
    return {};
  }

  Certificates certificates_;
  Sign1Headers headers_;
  std::vector<Key> labels_;             // of the protected map
  std::vector<std::int64_t> critical_;  // what crit lists
};

Result<Sign1Headers> read_headers(const Sign1& message, Certificates certificates) {
  HeaderReader reader(certificates);
  FIDUCIA_CHECK(reader.read_protected(message.protected_bytes));
  FIDUCIA_CHECK(reader.read_unprotected(message.unprotected_map));
  return reader.take();
}

void write_x5chain(CborWriter& out, std::span<const Certificate> chain) {
  if (chain.size() > 1) out.array(chain.size());
  for (const Certificate& certificate : chain) out.bytes(certificate.der());
}

}  // namespace

Result<Sign1> read_sign1(ByteView encoded, CborOrder order) {
  CborReader reader(encoded, order);
  FIDUCIA_TRY(type, reader.peek());
  if (type == CborType::tag) {
    FIDUCIA_TRY(tag, reader.tag());
    if (tag != tag_sign1) return bad_message("the tag is not that of a COSE_Sign1");
  }
  FIDUCIA_TRY(count, reader.array());
  if (count != 4) return bad_message("a COSE_Sign1 has four parts");
  Sign1 message;
  FIDUCIA_TRY(protected_bytes, reader.bytes());
  message.protected_bytes = protected_bytes;
  FIDUCIA_TRY(unprotected_type, reader.peek());
  if (unprotected_type != CborType::map) return bad_message("the unprotected header is not a map");
  FIDUCIA_TRY(unprotected_map, reader.skip());
  message.unprotected_map = unprotected_map;
  FIDUCIA_TRY(payload_type, reader.peek());
  if (payload_type == CborType::null) {
    FIDUCIA_CHECK(reader.null());
  } else {
    FIDUCIA_TRY(payload, reader.bytes());
    message.payload = payload;
  }
  FIDUCIA_TRY(signature, reader.bytes());
  message.signature = signature;
  FIDUCIA_CHECK(reader.finish());
  return message;
}

Result<Sign1Headers> read_headers(const Sign1& message) {
  return read_headers(message, Certificates::read);
}

Bytes sig_structure(ByteView protected_bytes, ByteView external_aad, ByteView payload) {
  if (protected_bytes.size() == 1 && protected_bytes.front() == empty_map) protected_bytes = {};
  CborWriter out;
  out.array(4);
  out.text("Signature1");
  out.bytes(protected_bytes);
  out.bytes(external_aad);
  out.bytes(payload);
  return out.take();
}

Status verify_sign1(const Sign1& message, const PublicKey& key, ByteView payload,
                    ByteView external_aad) {
  FIDUCIA_TRY(headers, read_headers(message, Certificates::skip));
  if (!headers.algorithm) {
    return bad_message("the protected header names no algorithm by number");
  }
  const auto algorithm = find_algorithm(*headers.algorithm);
  if (!algorithm) {
    auto error = fail(ErrorCode::unsupported,
                      "COSE algorithm " + std::to_string(*headers.algorithm) + " is not accepted");
    error.error().kind = "algorithm";
    return error;
  }
  if (message.payload && !same_bytes(*message.payload, payload)) {
    return fail(ErrorCode::signature_bad, "the message carries another payload");
  }
  return key.verify(*algorithm, sig_structure(message.protected_bytes, external_aad, payload),
                    message.signature);
}

Bytes write_protected(const Sign1Spec& spec) {
  const std::uint64_t claims = (spec.issuer ? 1U : 0U) + (spec.issued_at ? 1U : 0U);
  CborWriter out;
  out.map(std::uint64_t{1} + (spec.content_type ? 1U : 0U) + (spec.kid ? 1U : 0U) +
          (claims != 0 ? 1U : 0U) + (spec.x5chain.empty() ? 0U : 1U) + (spec.vds ? 1U : 0U));
  out.integer(label_algorithm);
  out.integer(std::to_underlying(spec.algorithm));
  if (spec.content_type) {
    out.integer(label_content_type);
    out.text(*spec.content_type);
  }
  if (spec.kid) {
    out.integer(label_kid);
    out.bytes(*spec.kid);
  }
  if (claims != 0) {
    out.integer(label_cwt_claims);
    out.map(claims);
    if (spec.issuer) {
      out.integer(claim_issuer);
      out.text(*spec.issuer);
    }
    if (spec.issued_at) {
      out.integer(claim_issued_at);
      out.integer(spec.issued_at->seconds);
    }
  }
  if (!spec.x5chain.empty()) {
    out.integer(label_x5chain);
    write_x5chain(out, spec.x5chain);
  }
  if (spec.vds) {
    out.integer(label_vds);
    out.integer(*spec.vds);
  }
  return out.take();
}

Result<Bytes> write_sign1(const Sign1Spec& spec, const SigningKey& key, ByteView payload) {
  const Bytes protected_bytes = write_protected(spec);
  FIDUCIA_TRY(signature, key.sign(spec.algorithm, sig_structure(protected_bytes, {}, payload)));
  return assemble_sign1(protected_bytes, ByteView(&empty_map, 1),
                        spec.detached ? std::nullopt : std::optional(payload), signature);
}

Bytes assemble_sign1(ByteView protected_bytes, ByteView unprotected_map,
                     std::optional<ByteView> payload, ByteView signature) {
  CborWriter out;
  out.tag(tag_sign1);
  out.array(4);
  out.bytes(protected_bytes);
  out.raw(unprotected_map);
  if (payload) {
    out.bytes(*payload);
  } else {
    out.null();
  }
  out.bytes(signature);
  return out.take();
}

}  // namespace fiducia::crypto
