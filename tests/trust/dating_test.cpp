// SPDX-License-Identifier: Apache-2.0
// Who says when a seal was made: time-stamp authorities, witnesses, the ledger (spec/seal.md 9.4).
#include <gtest/gtest.h>

#include "evidence/evidence.h"
#include "finding/finding.h"
#include "seal/hospital.h"
#include "seal/images.h"
#include "trust/trust.h"

namespace fiducia::test {
namespace {

/// A time-stamp authority under a root of its own.
class Tsa {
 public:
  Tsa(UnixTime from, UnixTime to)
      : root_key_(crypto::PrivateKey::generate(crypto::KeyKind::p256).value()),
        root_(crypto::make_authority(root_key_, request({from.seconds - year}, {to.seconds + year}))
                  .value()),
        key_(crypto::PrivateKey::generate(crypto::KeyKind::p256).value()),
        certificate_(crypto::make_time_stamp_certificate(key_.public_key(), request(from, to),
                                                         root_key_, root_)
                         .value()) {}

  [[nodiscard]] Bytes stamp(std::string_view checkpoint, UnixTime when) const {
    const auto imprint = evidence::time_stamp_imprint(checkpoint);
    FIDUCIA_ASSERT(imprint.has_value());
    const auto question = crypto::make_time_stamp_request(*imprint).value();
    const auto answer =
        crypto::answer_time_stamp_request(question.encoded, {.key = key_,
                                                             .certificate = certificate_,
                                                             .above = {},
                                                             .policy = "2.999.1",
                                                             .clock = [when] { return when; },
                                                             .accuracy_seconds = 1});
    return crypto::read_time_stamp_response(answer.value()).value();
  }
  [[nodiscard]] const crypto::Certificate& root() const { return root_; }
  [[nodiscard]] const crypto::Certificate& certificate() const { return certificate_; }

 private:
  static crypto::CertificateRequest request(UnixTime from, UnixTime to) {
    return {.common_name = "TSA", .organization = "", .not_before = from, .not_after = to};
  }
  crypto::PrivateKey root_key_;
  crypto::Certificate root_;
  crypto::PrivateKey key_;
  crypto::Certificate certificate_;
};

class DateOfASeal : public testing::Test {
 protected:
  DateOfASeal() : now_(hospital_.now), tsa_({now_.seconds - 30 * day}, {now_.seconds + 30 * day}) {
    std::mt19937_64 prng{1};
    const ImageShape shape{.rows = 10, .columns = 10, .frames = 1};
    file_ = image_data_set(shape, random_samples(prng, shape)).file(explicit_le);
    evidence_ = hospital_.seal(read_dicom(file_));
  }

  trust::Trust& trust() { return hospital_.trust(); }
  void trust_tsa(const Tsa& tsa, std::uint32_t demanded, const std::string& name = "TSA") {
    trust().tsas.push_back({.name = name, .certificate = tsa.root(), .policies = {}});
    trust().ledgers.front().time_stamps = demanded;
  }
  [[nodiscard]] std::string checkpoint() const {
    return evidence::read_evidence(evidence_)->checkpoint;
  }
  /// `evidence_` with these parts exchanged.
  void exchange(std::span<const Bytes> receipts, const std::string& checkpoint,
                std::span<const Bytes> tokens) {
    auto exchanged = evidence::with_receipts(evidence_, receipts, checkpoint, tokens);
    ASSERT_TRUE(exchanged.has_value()) << to_sentence(exchanged.error());
    evidence_ = std::move(*exchanged);
  }
  void stamp(std::vector<Bytes> tokens) {
    const auto read = evidence::read_evidence(evidence_);
    const Bytes receipt(read->receipts.front().begin(), read->receipts.front().end());
    exchange({&receipt, 1}, read->checkpoint, tokens);
  }
  seal::VerifyResult verify(seal::VerifierOptions options = {}) {
    return hospital_.verify(file_, evidence_, nullptr, options);
  }
  void expect_untrusted(const char* code, seal::VerifierOptions options = {}) {
    const seal::VerifyResult result = verify(options);
    EXPECT_EQ(result.verdict, finding::Verdict::untrusted) << describe(result);
    EXPECT_NE(find_code(result, code), nullptr) << describe(result);
  }
  void expect_dated(trust::DatedBy by, UnixTime at) {
    const seal::VerifyResult result = verify();
    EXPECT_EQ(result.verdict, finding::Verdict::authentic) << describe(result);
    ASSERT_TRUE(result.ledger.has_value());
    EXPECT_EQ(trust::to_word(result.ledger->dated_by), trust::to_word(by));
    ASSERT_TRUE(result.ledger->dated_at.has_value());
    EXPECT_EQ(*result.ledger->dated_at, at);
  }
  void revoke(UnixTime at) {
    trust().revocations.push_back(
        {.key = hospital_.device_certificate().key_hash(), .at = at, .reason = "stolen"});
  }
  [[nodiscard]] UnixTime after(std::int64_t seconds) const { return {now_.seconds + seconds}; }

  Hospital hospital_;
  UnixTime now_;
  Tsa tsa_;
  Bytes file_;
  Bytes evidence_;
};

TEST_F(DateOfASeal, is_the_ledgers_where_nobody_else_is_asked) {
  expect_dated(trust::DatedBy::log, now_);
  // A stamp that is there, but not asked for, is listed and changes nothing.
  trust_tsa(tsa_, 0);
  stamp({tsa_.stamp(checkpoint(), after(5))});
  expect_dated(trust::DatedBy::log, now_);
  EXPECT_EQ(verify().ledger->time_stamps, std::vector<std::string>{"TSA"});
}

TEST_F(DateOfASeal, is_the_time_stamps_where_the_trust_file_asks_for_one) {
  trust_tsa(tsa_, 1);
  expect_untrusted("ledger.unstamped");
  stamp({tsa_.stamp(checkpoint(), after(5))});
  expect_dated(trust::DatedBy::tsa, after(6));  // accuracy added
  EXPECT_EQ(verify().ledger->time_stamps, std::vector<std::string>{"TSA"});
}

TEST_F(DateOfASeal, is_the_later_of_two_time_stamps_where_two_are_asked_for) {
  const Tsa other({now_.seconds - day}, {now_.seconds + day});
  trust_tsa(tsa_, 1);
  trust_tsa(other, 2, "Other");
  stamp({other.stamp(checkpoint(), after(60)), tsa_.stamp(checkpoint(), after(5))});
  expect_dated(trust::DatedBy::tsa, after(61));
  // One authority twice is one.
  stamp({tsa_.stamp(checkpoint(), after(60)), tsa_.stamp(checkpoint(), after(5))});
  expect_untrusted("ledger.unstamped");
}

TEST_F(DateOfASeal, counts_one_key_once_under_whatever_names) {
  // The root demands a policy of its own, so that a token can count for the TSA's own certificate.
  trust().tsas.push_back({.name = "root", .certificate = tsa_.root(), .policies = {"2.999.1"}});
  trust().tsas.push_back({.name = "itself", .certificate = tsa_.certificate(), .policies = {}});
  trust().ledgers.front().time_stamps = 2;
  stamp({tsa_.stamp(checkpoint(), after(5)), tsa_.stamp(checkpoint(), after(6))});
  expect_untrusted("ledger.unstamped");
  trust().ledgers.front().time_stamps = 1;
  expect_dated(trust::DatedBy::tsa, after(6));
}

TEST_F(DateOfASeal, outlives_the_certificate_of_the_tsa) {
  trust_tsa(tsa_, 1);
  stamp({tsa_.stamp(checkpoint(), after(5))});
  EXPECT_EQ(verify({.at = after(30 * year)}).verdict, finding::Verdict::authentic);
  // One that had expired when it stamped is none.
  stamp({tsa_.stamp(checkpoint(), after(31 * day))});
  expect_untrusted("ledger.unstamped");
}

TEST_F(DateOfASeal, is_not_proven_by_stamps_of_strangers_or_over_something_else) {
  trust_tsa(tsa_, 1);
  const Tsa stranger({now_.seconds - day}, {now_.seconds + day});
  stamp({stranger.stamp(checkpoint(), after(5))});
  expect_untrusted("ledger.unstamped");
  const std::string mine = checkpoint();
  const Bytes other = hospital_.seal(read_dicom(file_));
  const std::string elsewhere = evidence::read_evidence(other)->checkpoint;
  ASSERT_NE(mine, elsewhere);
  stamp({tsa_.stamp(elsewhere, after(5))});
  expect_untrusted("ledger.unstamped");
  stamp({tsa_.stamp(mine, after(5))});
  EXPECT_EQ(verify().verdict, finding::Verdict::authentic);
  trust().tsas.front().policies = {"2.999.7"};
  expect_untrusted("ledger.unstamped");
}

TEST_F(DateOfASeal, is_not_proven_by_a_tsa_that_was_revoked_before) {
  trust_tsa(tsa_, 1);
  stamp({tsa_.stamp(checkpoint(), after(5))});
  trust().revocations.push_back(
      {.key = tsa_.certificate().key_hash(), .at = after(7), .reason = "x"});
  // Its key can have dated the stamp back, so its own word is not enough ...
  expect_untrusted("ledger.unstamped");
  // ... and somebody else's is.
  const auto tree =
      ledger_format::read_checkpoint(ledger_format::read_note(checkpoint())->text).value();
  trust().ledgers.front().pinned = {
      {.tree_size = tree.tree_size, .root = tree.root, .at = after(6)}};
  EXPECT_EQ(verify().verdict, finding::Verdict::authentic);
  trust().revocations.front().at = after(6);
  expect_untrusted("ledger.unstamped");
}

// The heart of it: the thief has the device's key and the ledger's, and sets both clocks back to
// before the revocation.
TEST_F(DateOfASeal, cannot_be_set_back_by_whoever_holds_device_and_ledger) {
  revoke(after(-5 * day));
  evidence_ = hospital_.seal_claiming(read_dicom(file_), after(-10 * day));
  hospital_.now = after(-10 * day);
  const Bytes lie = hospital_.receipt_of(2);
  hospital_.now = now_;
  exchange({&lie, 1}, checkpoint(), {});
  expect_dated(trust::DatedBy::log,
               after(-10 * day));  // the ledger's word is all that was asked for

  trust_tsa(tsa_, 1);
  expect_untrusted("ledger.unstamped");
  stamp({tsa_.stamp(checkpoint(), after(5))});
  expect_untrusted("signer.revoked");
  EXPECT_NE(find_code(verify(), "time.disagrees"), nullptr);
}

TEST_F(DateOfASeal, is_the_witnesses_where_the_trust_file_has_a_quorum) {
  struct Witness {
    crypto::PrivateKey key = crypto::PrivateKey::generate(crypto::KeyKind::ed25519).value();
    ledger_format::VerifierKey vkey;
  };
  std::vector<Witness> witnesses(3);
  auto& ledger = trust().ledgers.front();
  for (std::size_t i = 0; i < witnesses.size(); ++i) {
    witnesses[i].vkey = ledger_format::make_vkey("w" + std::to_string(i) + ".example",
                                                 ledger_format::NoteKeyType::cosignature,
                                                 witnesses[i].key.public_key().write_ed25519());
    ledger.witnesses.push_back({.name = "w" + std::to_string(i), .key = witnesses[i].vkey});
  }
  // C2SP tlog-cosignature, written out.
  const auto line = [&](std::size_t i, const std::string& note, UnixTime when) {
    const auto text = ledger_format::read_note(note)->text;
    const std::string message =
        "cosignature/v1\ntime " + std::to_string(when.seconds) + "\n" + text;
    Bytes signature;
    append_be(signature, witnesses[i].vkey.key_id);
    append_be(signature, static_cast<std::uint64_t>(when.seconds));
    append(signature,
           witnesses[i].key.sign(crypto::SignatureAlgorithm::eddsa, as_bytes(message)).value());
    return "\xE2\x80\x94 " + witnesses[i].vkey.name + " " + to_base64(signature) + "\n";
  };
  const std::string note = checkpoint();
  const auto with = [&](const std::string& lines) {
    const auto read = evidence::read_evidence(evidence_);
    const Bytes receipt(read->receipts.front().begin(), read->receipts.front().end());
    exchange({&receipt, 1}, note + lines, {});
  };

  ledger.quorum = 2;
  with(line(0, note, after(60)));
  expect_untrusted("ledger.unwitnessed");
  with(line(0, note, after(60)) + line(0, note, after(61)));
  expect_untrusted("ledger.unwitnessed");
  // One that claims to be first changes nothing: the second counts.
  with(line(0, note, after(60)) + line(1, note, after(-year)) + line(2, note, after(7)));
  expect_dated(trust::DatedBy::witness, after(7));
  EXPECT_EQ(verify().ledger->witnesses, (std::vector<std::string>{"w0", "w1", "w2"}));
  // Of one witness the earliest.
  with(line(0, note, after(60)) + line(2, note, after(7)) + line(0, note, after(3)));
  expect_dated(trust::DatedBy::witness, after(7));
  // Those after the time asked for are not there yet.
  expect_untrusted("ledger.unwitnessed", {.at = after(6)});
  EXPECT_EQ(verify({.at = after(7)}).verdict, finding::Verdict::authentic);
  // The date is what everything is judged by.
  revoke(after(7));
  expect_untrusted("signer.revoked");
  trust().revocations.clear();

  // A cosignature of another checkpoint, replayed.
  const Bytes other = hospital_.seal(read_dicom(file_));
  const std::string elsewhere = evidence::read_evidence(other)->checkpoint;
  with(line(0, note, after(7)) + line(1, elsewhere, after(8)));
  expect_untrusted("ledger.invalid");

  // Time-stamps, when asked for, go before witnesses, which still have to be there.
  trust_tsa(tsa_, 1);
  evidence_ = [&] {
    const auto read = evidence::read_evidence(evidence_);
    const Bytes receipt(read->receipts.front().begin(), read->receipts.front().end());
    const std::string cosigned = note + line(0, note, after(7)) + line(1, note, after(8));
    const Bytes token = tsa_.stamp(note, after(20));
    return evidence::with_receipts(evidence_, {&receipt, 1}, cosigned, {&token, 1}).value();
  }();
  expect_dated(trust::DatedBy::tsa, after(21));
  ledger.quorum = 3;
  expect_untrusted("ledger.unwitnessed");
}

TEST_F(DateOfASeal, that_a_ledgers_clock_disagrees_with_is_worth_a_remark) {
  trust_tsa(tsa_, 1);
  stamp({tsa_.stamp(checkpoint(), after(day - 1))});
  EXPECT_EQ(find_code(verify(), "time.disagrees"), nullptr);
  stamp({tsa_.stamp(checkpoint(), after(day))});  // plus a second of accuracy
  const seal::VerifyResult result = verify();
  EXPECT_EQ(result.verdict, finding::Verdict::authentic) << describe(result);
  EXPECT_NE(find_code(result, "time.disagrees"), nullptr);
  // An issued-at later than the stamp: the ledger signed again, or its clock is ahead.
  hospital_.now = after(3 * day);
  const Bytes receipt = hospital_.receipt_of(1);
  hospital_.now = now_;
  const Bytes token = tsa_.stamp(checkpoint(), after(5));
  exchange({&receipt, 1}, checkpoint(), {&token, 1});
  EXPECT_EQ(verify().verdict, finding::Verdict::authentic);
  EXPECT_EQ(*verify().ledger->dated_at, after(6));
  EXPECT_NE(find_code(verify(), "time.disagrees"), nullptr);
}

TEST_F(DateOfASeal, is_not_looked_for_before_the_time_asked_for) {
  trust_tsa(tsa_, 1);
  stamp({tsa_.stamp(checkpoint(), after(5))});
  expect_untrusted("ledger.unstamped", {.at = after(5)});
  EXPECT_EQ(verify({.at = after(6)}).verdict, finding::Verdict::authentic);
}

// --- evidence ---------------------------------------------------------------------------------

TEST_F(DateOfASeal, travels_in_the_evidence_byte_for_byte) {
  const Bytes without = evidence_;
  const std::vector<Bytes> tokens{tsa_.stamp(checkpoint(), after(5)), Bytes(3, std::byte{7})};
  stamp(tokens);
  const auto read = evidence::read_evidence(evidence_);
  ASSERT_TRUE(read.has_value());
  ASSERT_EQ(read->time_stamps.size(), 2U);
  EXPECT_TRUE(same_bytes(read->time_stamps[0], tokens[0]));
  EXPECT_TRUE(same_bytes(read->time_stamps[1], tokens[1]));
  stamp({});
  EXPECT_EQ(evidence_, without) << "no time-stamps: the bytes of before";
}

TEST_F(DateOfASeal, is_refused_in_evidence_of_another_form) {
  const std::size_t plain = evidence_.size();
  const auto with_key_8 = [&](const std::function<void(crypto::CborWriter&)>& value) {
    Bytes out = evidence_;
    EXPECT_EQ(out.front(), std::byte{0xa7});
    out.front() = std::byte{0xa8};
    crypto::CborWriter writer;
    writer.map(1);
    writer.uint(8);
    value(writer);
    const Bytes pair = writer.take();
    out.insert(out.end(), pair.begin() + 1, pair.end());
    return out;
  };
  const auto list = [](std::size_t count, std::size_t bytes) {
    return [=](crypto::CborWriter& out) {
      out.array(count);
      for (std::size_t i = 0; i < count; ++i) out.bytes(Bytes(bytes));
    };
  };
  EXPECT_TRUE(evidence::read_evidence(with_key_8(list(8, 1))).has_value());
  EXPECT_TRUE(
      evidence::read_evidence(with_key_8(list(1, limits::time_stamp_bytes_max))).has_value());
  struct Row {
    const char* name;
    Bytes evidence;
  };
  for (const Row& row : {Row{"none", with_key_8(list(0, 0))}, Row{"nine", with_key_8(list(9, 1))},
                         Row{"empty", with_key_8(list(1, 0))},
                         Row{"too long", with_key_8(list(1, limits::time_stamp_bytes_max + 1))},
                         Row{"no list", with_key_8([](crypto::CborWriter& out) { out.uint(1); })},
                         Row{"text", with_key_8([](crypto::CborWriter& out) {
                               out.array(1);
                               out.text("x");
                             })}}) {
    const auto read = evidence::read_evidence(row.evidence);
    ASSERT_FALSE(read.has_value()) << row.name;
    EXPECT_EQ(read.error().code, ErrorCode::malformed) << row.name;
  }
  // Without a checkpoint there is nothing that they could be over.
  exchange({}, "", {});
  EXPECT_TRUE(evidence::read_evidence(evidence_).has_value());
  EXPECT_FALSE(evidence::read_evidence(with_key_8(list(1, 1))).has_value());
  EXPECT_LT(evidence_.size(), plain);
}

}  // namespace
}  // namespace fiducia::test
