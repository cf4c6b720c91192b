// SPDX-License-Identifier: Apache-2.0
// Keys in other hands: what their revocation takes, and what it leaves (spec/trust.md 7).
#include <gtest/gtest.h>

#include "evidence/evidence.h"
#include "finding/finding.h"
#include "foreign_certificates.h"
#include "seal/hospital.h"
#include "seal/images.h"
#include "trust/trust.h"

namespace fiducia::test {
namespace {

class Revoked : public testing::Test {
 protected:
  Revoked() : now_(hospital_.now) {
    std::mt19937_64 prng{1};
    const ImageShape shape{.rows = 10, .columns = 10, .frames = 1};
    file_ = image_data_set(shape, random_samples(prng, shape)).file(explicit_le);
    evidence_ = hospital_.seal(read_dicom(file_));
  }
  trust::Trust& trust() { return hospital_.trust(); }
  [[nodiscard]] UnixTime after(std::int64_t seconds) const { return {now_.seconds + seconds}; }
  void revoke(const Digest& key, UnixTime at) {
    trust().revocations = {{.key = key, .at = at, .reason = "stolen"}};
  }
  void expect(finding::Verdict verdict, const char* code, seal::VerifierOptions options = {}) {
    const seal::VerifyResult result = hospital_.verify(file_, evidence_, nullptr, options);
    EXPECT_EQ(finding::to_word(result.verdict), finding::to_word(verdict)) << describe(result);
    if (code != nullptr) {
      EXPECT_NE(find_code(result, code), nullptr) << describe(result);
    }
  }
  void expect_authentic() { expect(finding::Verdict::authentic, nullptr); }
  void expect_untrusted(const char* code) { expect(finding::Verdict::untrusted, code); }

  [[nodiscard]] Digest device_key() const { return hospital_.device_certificate().key_hash(); }
  [[nodiscard]] Digest authority_key() {
    return trust().authorities.front().certificate.key_hash();
  }
  [[nodiscard]] Digest ledger_key() { return trust::key_hash_of(trust().ledgers.front().key); }

  /// The evidence with this checkpoint and these tokens, its receipt kept.
  void exchange(const std::string& checkpoint, std::span<const Bytes> tokens) {
    const auto read = evidence::read_evidence(evidence_).value();
    const Bytes receipt(read.receipts.front().begin(), read.receipts.front().end());
    evidence_ = evidence::with_receipts(evidence_, {&receipt, 1}, checkpoint, tokens).value();
  }
  [[nodiscard]] std::string checkpoint() const {
    return evidence::read_evidence(evidence_)->checkpoint;
  }
  [[nodiscard]] trust::PinnedCheckpoint pin(UnixTime at) const {
    const auto read =
        ledger_format::read_checkpoint(ledger_format::read_note(checkpoint()).value().text).value();
    return {.tree_size = read.tree_size, .root = read.root, .at = at};
  }

  Hospital hospital_;
  UnixTime now_;
  Bytes file_;
  Bytes evidence_;
};

TEST_F(Revoked, a_device_loses_what_it_sealed_since_and_keeps_the_rest) {
  expect_authentic();
  revoke(device_key(), after(1));
  expect_authentic();
  revoke(device_key(), after(0));
  expect_untrusted("signer.revoked");
  EXPECT_EQ(hospital_.verify(file_, evidence_).findings.size(), 1U);
}

// Whoever holds a stolen device can make a twin of its certificate, whose hash is another.
TEST_F(Revoked, a_device_does_not_escape_by_a_twin_of_its_certificate) {
  const crypto::Certificate twin = twin_of(hospital_.device_certificate());
  revoke(device_key(), after(0));
  hospital_.replace_certificate(twin);
  evidence_ = hospital_.seal(read_dicom(file_));
  expect_untrusted("signer.revoked");
  trust().revocations.clear();
  expect_authentic();
  // A revocation that names a certificate in place of a key was meant, too.
  revoke(twin.fingerprint(), after(0));
  expect_untrusted("signer.revoked");
}

TEST_F(Revoked, a_device_does_not_escape_by_a_new_certificate_for_its_key) {
  revoke(device_key(), after(0));
  hospital_.replace_certificate(
      crypto::make_device_certificate(hospital_.signer().key->public_key(),
                                      {.common_name = "CT-1",
                                       .organization = "",
                                       .not_before = after(-day),
                                       .not_after = after(day)},
                                      hospital_.authority_key(),
                                      trust().authorities.front().certificate)
          .value());
  evidence_ = hospital_.seal(read_dicom(file_));
  expect_untrusted("signer.revoked");
}

TEST_F(Revoked, a_seal_with_the_other_ecdsa_signature_does_not_hold) {
  expect_authentic();
  const auto read = evidence::read_evidence(evidence_).value();
  const auto message = crypto::read_sign1(read.sign1).value();
  const Bytes twin = twin_of_signature(message.signature);
  // The signature stands in the evidence once, and keeps its length.
  const auto found = std::ranges::search(evidence_, message.signature);
  ASSERT_FALSE(found.empty());
  Bytes changed = evidence_;
  std::ranges::copy(twin, changed.begin() + (found.begin() - evidence_.begin()));
  evidence_ = changed;
  expect(finding::Verdict::altered, "seal.invalid");
  trust().ledgers.clear();  // nor where no ledger names the bytes of the seal
  expect(finding::Verdict::altered, "seal.invalid");
}

TEST_F(Revoked, an_authority_or_ledger_loses_all_that_nobody_else_dates) {
  for (const Digest& key : {authority_key(), ledger_key()}) {
    const char* code = key == ledger_key() ? "ledger.revoked" : "signer.revoked";
    // However late: its own word for the date is worth nothing since.
    for (const std::int64_t since : {std::int64_t{0}, std::int64_t{1}, 10 * year}) {
      revoke(key, after(since));
      expect_untrusted(code);
    }
    // Asked for a moment when it was not known yet.
    revoke(key, after(100));
    expect(finding::Verdict::authentic, nullptr, {.at = after(99)});
    expect(finding::Verdict::untrusted, code, {.at = after(100)});
  }
}

TEST_F(Revoked, an_authority_or_ledger_keeps_what_is_under_a_pinned_checkpoint) {
  for (const Digest& key : {authority_key(), ledger_key()}) {
    const char* code = key == ledger_key() ? "ledger.revoked" : "signer.revoked";
    revoke(key, after(100));
    trust().ledgers.front().pinned = {pin(after(99))};
    expect_authentic();
    trust().ledgers.front().pinned = {pin(after(100))};
    expect_untrusted(code);
    // Another tree of that size, and another size.
    trust().ledgers.front().pinned = {pin(after(99))};
    trust().ledgers.front().pinned.front().root = Digest{};
    expect_untrusted(code);
    trust().ledgers.front().pinned = {pin(after(99))};
    trust().ledgers.front().pinned.front().tree_size += 1;
    expect_untrusted(code);
    trust().ledgers.front().pinned.clear();
  }
}

// What a later tree has is older than that tree: a receipt under it is enough, beside the old one.
TEST_F(Revoked, a_ledger_keeps_seals_with_a_receipt_under_a_later_pinned_checkpoint) {
  const auto first = evidence::read_evidence(evidence_).value();
  const Bytes old_receipt(first.receipts.front().begin(), first.receipts.front().end());
  const std::string old_checkpoint = first.checkpoint;
  hospital_.now = after(50);
  static_cast<void>(hospital_.seal(read_dicom(file_)));
  const Bytes later_receipt = hospital_.receipt_of(1);
  const ledger_format::Receipt later = ledger_format::read_receipt(later_receipt).value();
  const Digest leaf = merkle::leaf_hash(evidence::seal_entry(first).value());
  const Digest root =
      merkle::root_from_inclusion(later.leaf_index, later.tree_size, leaf, later.path).value();
  trust().ledgers.front().pinned = {{.tree_size = later.tree_size, .root = root, .at = after(60)}};
  revoke(ledger_key(), after(100));
  expect_untrusted("ledger.revoked");
  const std::vector<Bytes> both{old_receipt, later_receipt};
  evidence_ = evidence::with_receipts(evidence_, both, old_checkpoint).value();
  expect_authentic();
  EXPECT_EQ(*hospital_.verify(file_, evidence_).ledger->dated_at, now_);
  trust().ledgers.front().pinned.clear();
  expect_untrusted("ledger.revoked");
}

/// A witness whose cosignature is in the evidence.
struct Witness {
  crypto::PrivateKey key = crypto::PrivateKey::generate(crypto::KeyKind::ed25519).value();
  ledger_format::VerifierKey vkey = ledger_format::make_vkey(
      "w.example", ledger_format::NoteKeyType::cosignature, key.public_key().write_ed25519());
  /// C2SP tlog-cosignature, written out.
  [[nodiscard]] std::string line(const std::string& note, UnixTime when) const {
    const std::string message = "cosignature/v1\ntime " + std::to_string(when.seconds) + "\n" +
                                ledger_format::read_note(note)->text;
    Bytes signature;
    append_be(signature, vkey.key_id);
    append_be(signature, static_cast<std::uint64_t>(when.seconds));
    append(signature, key.sign(crypto::SignatureAlgorithm::eddsa, as_bytes(message)).value());
    return "\xE2\x80\x94 " + vkey.name + " " + to_base64(signature) + "\n";
  }
};

TEST_F(Revoked, an_authority_or_ledger_keeps_what_a_witness_dates) {
  const Witness witness;
  auto& ledger = trust().ledgers.front();
  ledger.witnesses = {{.name = "w", .key = witness.vkey}};
  exchange(checkpoint() + witness.line(checkpoint(), after(10)), {});
  for (const std::uint32_t quorum : {0U, 1U}) {  // one is enough where none is asked for
    ledger.quorum = quorum;
    for (const Digest& key : {authority_key(), ledger_key()}) {
      revoke(key, after(11));
      expect_authentic();
      revoke(key, after(10));
      expect_untrusted(key == ledger_key() ? "ledger.revoked" : "signer.revoked");
    }
  }
  // A witness whose own key is out attests nothing ...
  trust().revocations = {
      {.key = ledger_key(), .at = after(11), .reason = "x"},
      {.key = trust::key_hash_of(witness.vkey), .at = after(1000), .reason = "x"}};
  expect_untrusted("ledger.revoked");
  // ... nor cosigns, unless somebody else says that it was before.
  revoke(trust::key_hash_of(witness.vkey), after(1000));
  expect_untrusted("ledger.unwitnessed");
  ledger.pinned = {pin(after(999))};
  expect_authentic();
  ledger.pinned = {pin(after(1000))};
  expect_untrusted("ledger.unwitnessed");
  // The pinned tree is older than the revocation, the cosignature is not.
  revoke(trust::key_hash_of(witness.vkey), after(10));
  ledger.pinned = {pin(after(9))};
  expect_untrusted("ledger.unwitnessed");
}

// A thief of the ledger's key who sets its clock back has no witness for it.
TEST_F(Revoked, a_stolen_ledger_cannot_date_back) {
  revoke(ledger_key(), after(-5 * day));
  evidence_ = hospital_.seal_claiming(read_dicom(file_), after(-10 * day));
  hospital_.now = after(-10 * day);
  const Bytes lie = hospital_.receipt_of(2);
  hospital_.now = now_;
  evidence_ = evidence::with_receipts(evidence_, {&lie, 1}, checkpoint()).value();
  expect_untrusted("ledger.revoked");
  trust().revocations.clear();
  expect_authentic();
}

TEST_F(Revoked, an_intermediate_authority_is_reached_as_well) {
  const auto intermediate_key = crypto::PrivateKey::generate(crypto::KeyKind::p256).value();
  const crypto::CertificateRequest request{.common_name = "Issuing CA",
                                           .organization = "",
                                           .not_before = after(-day),
                                           .not_after = after(day)};
  const crypto::Certificate intermediate = make_foreign_certificate(
      intermediate_key.public_key(), request, hospital_.authority_key(),
      trust().authorities.front().certificate,
      {{"basicConstraints", "critical,CA:TRUE"}, {"keyUsage", "critical,keyCertSign"}});
  crypto::CertificateRequest leaf = request;
  leaf.common_name = "CT-1";
  hospital_.replace_certificate(
      crypto::make_device_certificate(hospital_.signer().key->public_key(), leaf, intermediate_key,
                                      intermediate)
          .value());
  hospital_.add_to_chain(intermediate);
  evidence_ = hospital_.seal(read_dicom(file_));
  expect_authentic();
  for (const Digest& key : {intermediate.key_hash(), authority_key()}) {
    revoke(key, after(1));
    expect_untrusted("signer.revoked");
    trust().ledgers.front().pinned = {pin(after(0))};
    expect_authentic();
    trust().ledgers.front().pinned.clear();
  }
}

}  // namespace
}  // namespace fiducia::test
