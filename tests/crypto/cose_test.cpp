// SPDX-License-Identifier: Apache-2.0
#include "crypto/cose.h"

#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "support/support.h"

namespace fiducia::crypto {
namespace {

using test::bytes;
constexpr UnixTime start{1'700'000'000};
constexpr UnixTime end{1'900'000'000};

std::optional<PublicKey> vector_key(const nlohmann::json& key) {
  const auto part = [&](const char* name) { return bytes(key[name].get<std::string>()); };
  const auto curve = key["crv"].get<std::string>();
  if (curve == "P-256")
    return PublicKey::read_ec(KeyKind::p256, part("x_hex"), part("y_hex")).value();
  if (curve == "P-384")
    return PublicKey::read_ec(KeyKind::p384, part("x_hex"), part("y_hex")).value();
  if (curve == "Ed25519") return PublicKey::read_ed25519(part("x_hex")).value();
  return std::nullopt;  // P-521 and Ed448 are not ours
}

Status verify_vector(const nlohmann::json& vector, const PublicKey& key) {
  const Bytes encoded = bytes(vector["cbor_hex"].get<std::string>());
  const Bytes aad = bytes(vector["external_aad_hex"].get<std::string>());
  FIDUCIA_TRY(message, read_sign1(encoded));
  FIDUCIA_CHECK(read_headers(message));
  return verify_sign1(message, key, message.payload.value_or(ByteView()), aad);
}

TEST(CoseVectors, AreAcceptedAndRefusedAsPublished) {
  std::ifstream file(test::data("vectors") / "cose-sign1.json");
  int accepted = 0;
  int refused = 0;
  for (const auto& vector : nlohmann::json::parse(file)) {
    const auto id = vector["id"].get<std::string>();
    SCOPED_TRACE(id);
    const auto key = vector_key(vector["public_key"]);
    if (!key) continue;
    const Status status = verify_vector(vector, *key);
    const bool foreign_algorithm = id == "ecdsa-sig-04";  // P-256 with SHA-512
    const bool unprotected_algorithm = id == "sign-pass-01";
    if (vector["accept"].get<bool>() && !foreign_algorithm && !unprotected_algorithm) {
      EXPECT_TRUE(status) << status.error().what;
      ++accepted;
    } else {
      EXPECT_FALSE(status);
      ++refused;
    }
    if (foreign_algorithm) {
      EXPECT_EQ(status.error().code, ErrorCode::unsupported);
    }
    if (vector["accept"].get<bool>()) {
      const Bytes encoded = bytes(vector["cbor_hex"].get<std::string>());
      const auto message = read_sign1(encoded).value();
      const Bytes aad = bytes(vector["external_aad_hex"].get<std::string>());
      const Bytes structure = sig_structure(message.protected_bytes, aad, *message.payload);
      EXPECT_EQ(to_hex(structure), vector["sig_structure_hex"].get<std::string>());
      if (unprotected_algorithm) {
        // The signature is good, but nothing protects the choice of its algorithm.
        EXPECT_TRUE(key->verify(SignatureAlgorithm::es256, structure, message.signature));
        EXPECT_EQ(status.error().code, ErrorCode::malformed);
      }
      // The refuse twin: every vector with another byte at the end fails.
      Bytes forged = encoded;
      forged.back() ^= std::byte{1};
      EXPECT_FALSE(verify_sign1(read_sign1(forged).value(), *key, *message.payload, aad));
    }
  }
  EXPECT_EQ(accepted, 5);
  EXPECT_EQ(refused, 8);
}

Bytes read_vector(const char* name) {
  return read_file(test::data("vectors") / name, 1 << 20).value();
}

TEST(CoseVectors, ReceiptsWithLabelsOutOfOrderAreRead) {
  const Bytes inclusion = read_vector("cose-inclusion-receipt.cbor");
  const auto message = read_sign1(inclusion).value();
  EXPECT_FALSE(message.payload) << "a receipt is detached";
  const auto headers = read_headers(message);
  ASSERT_TRUE(headers) << headers.error().what;
  EXPECT_EQ(headers->algorithm, -7);
  EXPECT_EQ(headers->vds, 1);
  EXPECT_EQ(headers->issuer, "https://transparency-service.example.com");
  EXPECT_EQ(as_text(*headers->kid), "test-key-1");
  ASSERT_EQ(headers->inclusion_proofs.size(), 1U);
  EXPECT_TRUE(headers->consistency_proofs.empty());
  CborReader proof(headers->inclusion_proofs[0]);
  EXPECT_EQ(proof.array().value(), 3U);
  EXPECT_EQ(proof.uint().value(), 5U);
  EXPECT_EQ(proof.uint().value(), 3U);

  const auto consistency =
      read_headers(read_sign1(read_vector("cose-consistency-receipt.cbor")).value());
  ASSERT_TRUE(consistency) << consistency.error().what;
  EXPECT_EQ(consistency->consistency_proofs.size(), 1U);
  EXPECT_TRUE(consistency->inclusion_proofs.empty());
}

/// A message with these header maps, not signed.
Result<Sign1Headers> headers_of(std::string_view protected_hex, std::string_view unprotected_hex) {
  const Bytes encoded =
      assemble_sign1(bytes(protected_hex), bytes(unprotected_hex), std::nullopt, Bytes(64));
  FIDUCIA_TRY(message, read_sign1(encoded));
  return read_headers(message);
}

TEST(CoseHeaders, LabelsOccurOnceInBothMapsTogether) {
  EXPECT_TRUE(headers_of("a10126", "a1044101"));
  EXPECT_FALSE(headers_of("a10126", "a10126")) << "alg in both";
  EXPECT_FALSE(headers_of("a201260441ff", "a10441ff")) << "kid in both";
  EXPECT_FALSE(headers_of("a201260126", "a0")) << "twice in protected";
  EXPECT_FALSE(headers_of("a10126", "a2044100044100")) << "twice in unprotected";
  EXPECT_FALSE(headers_of("a2012663666f6f00", "a163666f6f00")) << "a text label in both";
  EXPECT_FALSE(headers_of("a10126", "a1180126")) << "another width of the same label";
}

TEST(CoseHeaders, ReceiptsHoldSoManyProofsOfOneKind) {
  constexpr std::int64_t vdp = 396;
  const auto headers_with = [](std::size_t count) {
    CborWriter map;
    map.map(1);
    map.integer(vdp);
    map.map(1);
    map.integer(-1);
    map.array(count);
    for (std::size_t i = 0; i < count; ++i) map.bytes(bytes("00"));
    return headers_of("a10126", to_hex(map.take()));
  };
  const auto most = headers_with(limits::cose_proofs_max);
  ASSERT_TRUE(most) << most.error().what;
  EXPECT_EQ(most->inclusion_proofs.size(), limits::cose_proofs_max);
  const auto refused = headers_with(limits::cose_proofs_max + 1);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::malformed);
}

TEST(CoseHeaders, CritMustBeProtectedPresentAndUnderstood) {
  EXPECT_TRUE(headers_of("a20126028101", "a0"));
  EXPECT_TRUE(headers_of("a301260281030363666f6f", "a0"));
  EXPECT_FALSE(headers_of("a20126028103", "a0")) << "names an absent parameter";
  EXPECT_FALSE(headers_of("a20126028104", "a1044101")) << "names an unprotected parameter";
  EXPECT_FALSE(headers_of("a3012602811863186300", "a0")) << "names an unknown parameter";
  EXPECT_FALSE(headers_of("a30126028163666f6f63666f6f00", "a0"))
      << "names an unknown text parameter";
  EXPECT_FALSE(headers_of("a201260280", "a0")) << "is empty";
  EXPECT_FALSE(headers_of("a201260201", "a0")) << "is no array";
  EXPECT_FALSE(headers_of("a10126", "a1028101")) << "is not protected";
}

TEST(CoseHeaders, WhatMustBeProtectedDoesNotCountUnprotected) {
  const auto headers = headers_of("a0", "a3012603626f6b19018b01").value();
  EXPECT_FALSE(headers.algorithm);
  EXPECT_FALSE(headers.content_type);
  EXPECT_FALSE(headers.vds);
  const auto proofs = headers_of("a119018ca120814100", "a0").value();
  EXPECT_TRUE(proofs.inclusion_proofs.empty());
}

TEST(CoseHeaders, ValuesOfTheWrongTypeAreRefused) {
  for (const char* hex : {"a1014100", "a1034100", "a10401", "a10f01", "a10fa10100", "a10fa1066161",
                          "a1182100", "a1182180", "a11821814100", "a1182143616263", "a119018b6161",
                          "a1", "80", "00", "a10126ff"}) {
    EXPECT_FALSE(headers_of(hex, "a0")) << hex;
  }
  EXPECT_FALSE(headers_of("", "a119018c00"));
  EXPECT_FALSE(headers_of("", "a119018ca12000"));
  EXPECT_FALSE(headers_of("", "a119018ca1208100"));
  EXPECT_TRUE(headers_of("", "a119018ca120814100"));
  EXPECT_TRUE(headers_of("", "a0")) << "a zero-length protected header is an empty map";
}

TEST(Sign1, OnlyFourPartsAndTag18AreRead) {
  EXPECT_TRUE(read_sign1(bytes("d28440a0f640")));
  EXPECT_TRUE(read_sign1(bytes("8440a0f640")));
  for (const char* hex : {"d18440a0f640", "d2d28440a0f640", "d28340a0f6", "d28540a0f64000",
                          "d284a0a0f640", "d2844040f640", "d28440a0f540", "d28440a0f6f6",
                          "d28440a0f64000", "d29f40a0f640ff", "", "d2"}) {
    EXPECT_FALSE(read_sign1(bytes(hex))) << hex;
  }
  EXPECT_TRUE(read_sign1(bytes("d2845800a0f640"), CborOrder::any));
  EXPECT_FALSE(read_sign1(bytes("d2845800a0f640"), CborOrder::deterministic));
}

TEST(Sign1, AnEncodedEmptyMapCountsAsAnEmptyProtectedHeader) {
  EXPECT_EQ(sig_structure(bytes("a0"), {}, bytes("01")), sig_structure({}, {}, bytes("01")));
  EXPECT_EQ(
      to_hex(sig_structure(bytes("a10126"), bytes("11aa22bb33cc44dd55006699"),
                           as_bytes("This is the content."))),
      "846a5369676e61747572653143a101264c11aa22bb33cc44dd5500669954546869732069732074686520636f"
      "6e74656e742e");
}

struct Signer {
  PrivateKey key;
  std::vector<Certificate> chain;
};
Signer make_signer(KeyKind kind) {
  const auto authority_key = PrivateKey::generate(KeyKind::p256).value();
  const auto authority =
      make_authority(
          authority_key,
          {.common_name = "CA", .organization = "", .not_before = start, .not_after = end})
          .value();
  auto key = PrivateKey::generate(kind).value();
  auto device =
      make_device_certificate(
          key.public_key(),
          {.common_name = "CT-1", .organization = "", .not_before = start, .not_after = end},
          authority_key, authority)
          .value();
  return {std::move(key), {device, authority}};
}

TEST(Sign1, WhatIsSignedReadsBackAndVerifiesAttachedAndDetached) {
  const Bytes payload = bytes("a10102");
  for (const KeyKind kind : {KeyKind::p256, KeyKind::p384, KeyKind::ed25519}) {
    const Signer signer = make_signer(kind);
    for (const bool detached : {false, true}) {
      for (const std::size_t certificates : {0U, 1U, 2U}) {
        Sign1Spec spec{.algorithm = signer.key.default_algorithm(),
                       .x5chain = {},
                       .content_type = "application/fiducia-statement+cbor",
                       .kid = bytes("0102"),
                       .issuer = "example.org/ledger",
                       .issued_at = start,
                       .vds = 1,
                       .detached = detached};
        spec.x5chain.assign(signer.chain.begin(),
                            signer.chain.begin() + static_cast<std::ptrdiff_t>(certificates));
        const Bytes encoded = write_sign1(spec, signer.key, payload).value();
        const auto message = read_sign1(encoded, CborOrder::deterministic).value();
        EXPECT_EQ(message.payload.has_value(), !detached);
        CborReader protected_map(message.protected_bytes);
        EXPECT_TRUE(protected_map.skip()) << "protected must be deterministic";
        const auto headers = read_headers(message).value();
        EXPECT_EQ(headers.algorithm, std::to_underlying(spec.algorithm));
        EXPECT_EQ(headers.content_type, spec.content_type);
        EXPECT_EQ(headers.kid, spec.kid);
        EXPECT_EQ(headers.issuer, spec.issuer);
        EXPECT_EQ(headers.issued_at, start.seconds);
        EXPECT_EQ(headers.vds, 1);
        ASSERT_EQ(headers.x5chain.size(), certificates);
        for (std::size_t i = 0; i < certificates; ++i) {
          EXPECT_TRUE(same_bytes(headers.x5chain[i].der(), signer.chain[i].der()));
        }
        const PublicKey key = signer.key.public_key();
        EXPECT_TRUE(verify_sign1(message, key, payload));
        EXPECT_EQ(verify_sign1(message, key, bytes("a10103")).error().code,
                  ErrorCode::signature_bad);
        EXPECT_EQ(verify_sign1(message, key, payload, bytes("00")).error().code,
                  ErrorCode::signature_bad);
        EXPECT_EQ(verify_sign1(message, make_signer(kind).key.public_key(), payload).error().code,
                  ErrorCode::signature_bad);
        // Putting it together again from its parts gives the same bytes.
        EXPECT_EQ(to_hex(assemble_sign1(message.protected_bytes, message.unprotected_map,
                                        message.payload, message.signature)),
                  to_hex(encoded));
      }
    }
  }
}

TEST(Sign1, NoSingleChangedBitVerifies) {
  const auto key = PrivateKey::generate(KeyKind::p256).value();
  const Bytes payload = bytes("0102030405");
  const Sign1Spec spec{.algorithm = SignatureAlgorithm::es256,
                       .x5chain = {},
                       .content_type = {},
                       .kid = bytes("07"),
                       .issuer = {},
                       .issued_at = {},
                       .vds = {}};
  const Bytes encoded = write_sign1(spec, key, payload).value();
  ASSERT_TRUE(verify_sign1(read_sign1(encoded).value(), key.public_key(), payload));
  for (std::size_t bit = 0; bit < encoded.size() * 8; ++bit) {
    Bytes forged = encoded;
    forged[bit / 8] ^= static_cast<std::byte>(1U << bit % 8);
    const auto message = read_sign1(forged);
    if (!message || !message->payload) continue;
    ASSERT_FALSE(verify_sign1(*message, key.public_key(), *message->payload)) << "bit " << bit;
  }
}

TEST(Sign1, AnEd25519KeyDoesNotVerifyUnderTheAlgorithmOfAnotherKind) {
  const auto key = PrivateKey::generate(KeyKind::ed25519).value();
  const Sign1Spec spec{.algorithm = SignatureAlgorithm::es256,
                       .x5chain = {},
                       .content_type = {},
                       .kid = {},
                       .issuer = {},
                       .issued_at = {},
                       .vds = {}};
  EXPECT_FALSE(write_sign1(spec, key, bytes("00")));
  const Bytes protected_bytes = write_protected(spec);
  const Bytes signature =
      key.sign(SignatureAlgorithm::eddsa, sig_structure(protected_bytes, {}, bytes("00"))).value();
  const Bytes encoded = assemble_sign1(protected_bytes, bytes("a0"), bytes("00"), signature);
  EXPECT_EQ(verify_sign1(read_sign1(encoded).value(), key.public_key(), bytes("00")).error().code,
            ErrorCode::signature_bad);
}

}  // namespace
}  // namespace fiducia::crypto
