// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "evidence/evidence.h"
#include "finding/finding.h"
#include "seal/hospital.h"
#include "seal/images.h"

namespace fiducia::test {
namespace {

class TrustOfASeal : public testing::Test {
 protected:
  TrustOfASeal() {
    std::mt19937_64 prng{1};
    const ImageShape shape{.rows = 10, .columns = 10, .frames = 1};
    file_ = image_data_set(shape, random_samples(prng, shape)).file(explicit_le);
    evidence_ = hospital_.seal(read_dicom(file_));
  }
  seal::VerifyResult verify(seal::VerifierOptions options = {}) {
    return hospital_.verify(file_, evidence_, nullptr, options);
  }
  void expect_untrusted(const char* code, seal::VerifierOptions options = {}) {
    const seal::VerifyResult result = verify(options);
    EXPECT_EQ(result.verdict, finding::Verdict::untrusted) << describe(result);
    EXPECT_NE(find_code(result, code), nullptr) << describe(result);
  }
  void revoke(UnixTime at) {
    hospital_.trust().revocations.push_back(
        {.key = hospital_.device_certificate().key_hash(), .at = at, .reason = "lost"});
  }

  Hospital hospital_;
  Bytes file_;
  Bytes evidence_;
};

TEST_F(TrustOfASeal, is_complete_for_a_known_device_and_ledger) {
  const seal::VerifyResult result = verify();
  EXPECT_EQ(result.verdict, finding::Verdict::authentic) << describe(result);
  ASSERT_TRUE(result.seal && result.ledger);
  EXPECT_EQ(result.seal->device, "CT-1");
  EXPECT_EQ(result.seal->signer, hospital_.device_certificate().fingerprint());
  EXPECT_EQ(result.seal->sealed_at, hospital_.now);
  EXPECT_EQ(result.ledger->index, 1U);
  EXPECT_EQ(result.ledger->tree_size, 2U);
  EXPECT_EQ(result.ledger->checkpoint_at, hospital_.now);
}

TEST_F(TrustOfASeal, needs_an_authority_that_may_seal) {
  hospital_.trust().authorities.front().roles = {"amend", "gateway"};
  expect_untrusted("signer.untrusted");
  hospital_.trust().authorities.clear();
  expect_untrusted("signer.untrusted");
}

TEST_F(TrustOfASeal, ends_with_a_revocation_that_is_older_than_the_seal) {
  revoke({hospital_.now.seconds + 1});
  EXPECT_EQ(verify().verdict, finding::Verdict::authentic);
  revoke(hospital_.now);
  expect_untrusted("signer.revoked");
}

TEST_F(TrustOfASeal, at_an_earlier_time_does_not_know_later_revocations) {
  // Revoked from before the seal on, but the question is asked for a time before that was known.
  revoke({hospital_.now.seconds - day});
  expect_untrusted("signer.revoked");
  expect_untrusted("seal.later", {.at = UnixTime{hospital_.now.seconds - 2 * day}});
}

TEST_F(TrustOfASeal, needs_a_ledger_of_the_trust_file) {
  const auto ledger = hospital_.trust().ledgers.front();
  hospital_.trust().ledgers.front().origin = "another.example/log";
  expect_untrusted("ledger.missing");
  // Another key under the same origin: somebody else's log, or a fork.
  auto key = crypto::PrivateKey::generate(crypto::KeyKind::ed25519);
  ASSERT_TRUE(key.has_value());
  hospital_.trust().ledgers.front() = ledger;
  hospital_.trust().ledgers.front().key = ledger_format::make_vkey(
      ledger.origin, ledger_format::NoteKeyType::ed25519, key->public_key().write_ed25519());
  expect_untrusted("ledger.invalid");
  // A trust file that names no ledger asks for none.
  hospital_.trust().ledgers.clear();
  EXPECT_EQ(verify().verdict, finding::Verdict::authentic);
}

TEST_F(TrustOfASeal, needs_the_witnesses_that_the_trust_file_asks_for) {
  auto key = crypto::PrivateKey::generate(crypto::KeyKind::ed25519);
  ASSERT_TRUE(key.has_value());
  auto& ledger = hospital_.trust().ledgers.front();
  ledger.quorum = 1;
  ledger.witnesses.push_back(
      {.name = "w",
       .key = ledger_format::make_vkey("w.example", ledger_format::NoteKeyType::cosignature,
                                       key->public_key().write_ed25519())});
  expect_untrusted("ledger.unwitnessed");
}

TEST_F(TrustOfASeal, receipts_of_other_seals_prove_nothing) {
  const auto mine = evidence::read_evidence(evidence_);
  ASSERT_TRUE(mine.has_value());
  const Bytes other_evidence = hospital_.seal(read_dicom(file_));
  const auto other = evidence::read_evidence(other_evidence);
  ASSERT_TRUE(other.has_value());
  const Bytes receipt(other->receipts.front().begin(), other->receipts.front().end());
  const auto mixed = evidence::with_receipts(evidence_, {&receipt, 1}, other->checkpoint);
  ASSERT_TRUE(mixed.has_value());
  evidence_ = *mixed;
  expect_untrusted("ledger.invalid");
  const auto without = evidence::with_receipts(evidence_, {}, "");
  ASSERT_TRUE(without.has_value());
  evidence_ = *without;
  expect_untrusted("ledger.missing");
}

TEST_F(TrustOfASeal, fresh_receipts_replace_old_ones_and_verify) {
  const auto read = evidence::read_evidence(evidence_);
  ASSERT_TRUE(read.has_value());
  const Bytes receipt(read->receipts.front().begin(), read->receipts.front().end());
  const auto same = evidence::with_receipts(evidence_, {&receipt, 1}, read->checkpoint);
  ASSERT_TRUE(same.has_value());
  EXPECT_EQ(*same, evidence_);
}

TEST_F(TrustOfASeal, a_checkpoint_of_another_tree_is_refused) {
  const auto read = evidence::read_evidence(evidence_);
  ASSERT_TRUE(read.has_value());
  const Bytes receipt(read->receipts.front().begin(), read->receipts.front().end());
  const Bytes later = hospital_.seal(read_dicom(file_));
  const auto mixed =
      evidence::with_receipts(evidence_, {&receipt, 1}, evidence::read_evidence(later)->checkpoint);
  ASSERT_TRUE(mixed.has_value());
  evidence_ = *mixed;
  expect_untrusted("ledger.invalid");
}

TEST_F(TrustOfASeal, is_judged_at_the_time_of_the_ledger_not_of_today) {
  // The device's certificate ends a year after `now`. A seal made later than that is expired,
  // although the claimed time is what an attacker with the key would choose.
  hospital_.now.seconds += 2 * 365 * day;
  evidence_ = hospital_.seal(read_dicom(file_));
  expect_untrusted("signer.expired");
}

TEST_F(TrustOfASeal, a_back_dated_claim_does_not_escape_a_revocation) {
  revoke({hospital_.now.seconds + day});
  const UnixTime claimed = hospital_.now;
  hospital_.now.seconds += 3 * day;  // the ledger's clock
  evidence_ = hospital_.seal_claiming(read_dicom(file_), claimed);
  expect_untrusted("signer.revoked");
  hospital_.trust().revocations.clear();
  const seal::VerifyResult result = verify();
  EXPECT_EQ(result.verdict, finding::Verdict::authentic) << describe(result);
  EXPECT_NE(find_code(result, "time.disagrees"), nullptr);
}

TEST_F(TrustOfASeal, values_are_shown_only_on_request) {
  std::mt19937_64 prng{2};
  const ImageShape shape{.rows = 10, .columns = 10, .frames = 1};
  DicomDataSet d = image_data_set(shape, random_samples(prng, shape));
  const Bytes evidence = hospital_.seal(read_dicom(d.file(explicit_le)));
  Bytes& name = element_of(d, {0x0010, 0x0010}).value;
  name.assign(as_bytes("Eve^Twin").begin(), as_bytes("Eve^Twin").end());
  for (const bool show : {false, true}) {
    const auto result =
        hospital_.verify(d.file(explicit_le), evidence, nullptr, {.at = {}, .show_values = show});
    const finding::Finding* finding = find_code(result, "attribute.altered");
    ASSERT_NE(finding, nullptr);
    EXPECT_EQ(finding->attribute, "(0010,0010)");
    EXPECT_EQ(finding->keyword, "PatientName");
    EXPECT_EQ(finding->text.find("Eve"), std::string::npos);
    EXPECT_EQ(finding->current_value, show ? std::optional<std::string>("Eve^Twin") : std::nullopt);
  }
}

TEST_F(TrustOfASeal, a_device_that_seals_everything_makes_a_missing_seal_an_alarm) {
  std::mt19937_64 prng{3};
  const ImageShape shape{.rows = 10, .columns = 10, .frames = 1};
  DicomDataSet d = image_data_set(shape, random_samples(prng, shape));
  d.text({0x0008, 0x1010}, "SH", "CT-1").sort();  // StudyDate is 20260102
  const auto judge = [&](const char* since) {
    const auto time = read_rfc3339(since);
    hospital_.trust().devices = {{.name = "CT-1", .seals_since = *time}};
    return hospital_.verify_carried(d.file(explicit_le));
  };
  EXPECT_NE(find_code(judge("2026-01-02"), "seal.expected"), nullptr);
  EXPECT_EQ(judge("2026-01-02").verdict, finding::Verdict::unsealed);
  EXPECT_EQ(find_code(judge("2026-01-03"), "seal.expected"), nullptr);
}

}  // namespace
}  // namespace fiducia::test
