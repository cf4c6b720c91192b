// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>

#include "evidence/evidence.h"
#include "finding/finding.h"
#include "hospital.h"
#include "images.h"
#include "seal/seal.h"

// Ways around the seal that somebody thought of, each closed once (spec/seal.md 12).
namespace fiducia::test {
namespace {

DicomDataSet plain() {
  DicomDataSet d;
  d.text({0x0008, 0x0016}, "UI", "1.2.840.10008.5.1.4.1.1.7")
      .text({0x0008, 0x0018}, "UI", "1.2.3.4");
  return d;
}

class Attack : public testing::Test {
 protected:
  Bytes seal(const DicomDataSet& d) { return hospital_.seal(read_dicom(d.file(explicit_le))); }
  seal::VerifyResult judge(const DicomDataSet& d, const Bytes& evidence,
                           std::string_view syntax = explicit_le) {
    return hospital_.verify(d.file(syntax), evidence);
  }
  void expect_altered(const DicomDataSet& d, const Bytes& evidence, std::string_view attribute) {
    const seal::VerifyResult result = judge(d, evidence);
    EXPECT_EQ(result.verdict, finding::Verdict::altered) << describe(result);
    EXPECT_TRUE(std::ranges::any_of(result.findings, [&](const finding::Finding& finding) {
      return finding.attribute == attribute;
    })) << describe(result);
  }
  DicomDataSet image(std::uint16_t samples = 1) {
    const ImageShape shape{.rows = 130,
                           .columns = 130,
                           .frames = 1,
                           .samples = samples,
                           .bits_allocated = 8,
                           .bits_stored = 8};
    samples_ = random_samples(prng_, shape);
    return image_data_set(shape, samples_);
  }
  Hospital hospital_;
  std::mt19937_64 prng_{seed()};
  Bytes samples_;
};

TEST_F(Attack, a_second_element_of_an_attribute_that_is_left_out) {
  DicomDataSet d = image(3);
  const Bytes evidence = seal(d);
  DicomDataSet changed = d;
  changed.us({0x0028, 0x0006}, 1).sort();  // another reader might take the second
  expect_altered(changed, evidence, "(0028,0006)");
  changed = d;
  changed.elements.insert(
      changed.elements.begin(),
      {.tag = {0x0008, 0x0005}, .vr = dicom::vr::cs, .value = bytes("49534f5f4952203131302020")});
  expect_altered(changed, evidence, "(0008,0005)");
  changed = d;
  changed.bytes({0xFFFC, 0xFFFC}, "OB", Bytes(4)).bytes({0xFFFC, 0xFFFC}, "OB", Bytes(4));
  expect_altered(changed, evidence, "(FFFC,FFFC)");
}

TEST_F(Attack, numbers_in_forms_that_readers_take_differently) {
  DicomDataSet d = plain();
  d.text({0x0020, 0x0013}, "IS", "5").text({0x0028, 0x1052}, "DS", "-1024");
  const Bytes evidence = seal(d);
  DicomDataSet changed = d;
  element_of(changed, {0x0020, 0x0013}).value = bytes("2b303520");              // +05
  element_of(changed, {0x0028, 0x1052}).value = bytes("2d312e303234652b3033");  // -1.024e+03
  EXPECT_EQ(judge(changed, evidence).verdict, finding::Verdict::authentic);
  for (const char* value : {"3530452d3120", "352e3020", "3030303030303030303030303520"}) {
    changed = d;  // 50E-1, 5.0, thirteen digits
    element_of(changed, {0x0020, 0x0013}).value = bytes(value);
    expect_altered(changed, evidence, "(0020,0013)");
  }
  changed = d;
  element_of(changed, {0x0028, 0x1052}).value = bytes("2d3030303030303030303030303031303234");
  expect_altered(changed, evidence, "(0028,1052)");
}

TEST_F(Attack, samples_called_signed_are_told_as_that) {
  DicomDataSet d = image();
  const Bytes evidence = seal(d);
  element_of(d, {0x0028, 0x0103}).value = bytes("0100");
  const seal::VerifyResult result = judge(d, evidence);
  EXPECT_EQ(result.verdict, finding::Verdict::altered) << describe(result);
  const finding::Finding* finding = find_code(result, "pixels.altered");
  ASSERT_NE(finding, nullptr) << describe(result);
  EXPECT_NE(finding->text.find("8 bits (signed); sealed were"), std::string::npos) << finding->text;
  EXPECT_NE(finding->text.find("8 bits (unsigned)."), std::string::npos) << finding->text;
}

TEST_F(Attack, unsigned_numbers_called_signed) {
  DicomDataSet d = plain();
  d.bytes({0x0028, 0x0106}, "US", bytes("0080")).bytes({0x0028, 0x0107}, "US", bytes("ff7f"));
  const Bytes evidence = seal(d);
  EXPECT_EQ(judge(d, evidence, implicit_le).verdict, finding::Verdict::authentic);
  DicomDataSet changed = d;
  element_of(changed, {0x0028, 0x0107}).vr = dicom::vr::ss;  // the same number: an encoding
  EXPECT_EQ(judge(changed, evidence).verdict, finding::Verdict::authentic);
  EXPECT_EQ(judge(changed, evidence, explicit_be).verdict, finding::Verdict::authentic);
  element_of(changed, {0x0028, 0x0106}).vr = dicom::vr::ss;  // 32768 became -32768
  expect_altered(changed, evidence, "(0028,0106)");
  EXPECT_EQ(judge(changed, evidence, explicit_be).verdict, finding::Verdict::altered);
}

TEST_F(Attack, a_second_photometric_interpretation) {
  DicomDataSet d = image();
  const Bytes evidence = seal(d);
  Bytes& value = element_of(d, {0x0028, 0x0004}).value;
  const std::string_view two = "MONOCHROME2\\MONOCHROME1 ";
  value.assign(as_bytes(two).begin(), as_bytes(two).end());
  expect_altered(d, evidence, "(0028,0004)");
}

TEST_F(Attack, a_character_set_for_text_that_does_not_decode) {
  DicomDataSet d = plain();
  d.text({0x0010, 0x0010}, "PN", "M\xFCller");
  const Bytes evidence = seal(d);
  EXPECT_EQ(judge(d, evidence).verdict, finding::Verdict::authentic);
  for (const std::string_view term : {"ISO_IR 192", "ISO_IR 999", "ISO_IR 100"}) {
    DicomDataSet changed = d;
    changed.text({0x0008, 0x0005}, "CS", term).sort();
    expect_altered(changed, evidence, "(0010,0010)");
  }
}

TEST_F(Attack, hidden_elements_in_our_own_private_block) {
  const DicomDataSet d = image();
  const Bytes sealed = hospital_.seal_in_file(d.file(explicit_le));
  EXPECT_EQ(hospital_.verify_carried(sealed).verdict, finding::Verdict::authentic);
  const Bytes evidence = seal(d);
  DicomDataSet changed = d;
  changed.private_creator(0x0F1D, 0x10, "FIDUCIA")
      .bytes({0x0F1D, 0x1002}, "OB", bytes("6869"))
      .sort();
  expect_altered(changed, evidence, "(0F1D,\"FIDUCIA\",02)");
  changed = d;
  DicomDataSet item;
  item.text({0x0008, 0x0104}, "LO", "hidden");
  changed.private_creator(0x0F1D, 0x10, "FIDUCIA").sequence({0x0F1D, 0x1001}, {item}).sort();
  expect_altered(changed, evidence, "(0F1D,\"FIDUCIA\",01)");
}

TEST_F(Attack, the_statement_signed_again_by_a_stranger) {
  const DicomDataSet d = image();
  const Bytes true_evidence = seal(d);
  const auto read = evidence::read_evidence(true_evidence);
  ASSERT_TRUE(read.has_value());
  Hospital stranger("Stranger");
  const auto sign1 =
      crypto::write_sign1({.algorithm = stranger.signer().key->default_algorithm(),
                           .x5chain = stranger.signer().chain,
                           .content_type = std::string(evidence::statement_content_type),
                           .kid = {},
                           .issuer = {},
                           .issued_at = {},
                           .vds = {}},
                          *stranger.signer().key, evidence::write_statement(read->statement));
  ASSERT_TRUE(sign1.has_value());
  const Bytes forged = evidence::write_evidence({.sign1 = *sign1,
                                                 .seed = &read->seed,
                                                 .attributes = read->attributes,
                                                 .pixels = &read->pixels,
                                                 .receipts = {},
                                                 .checkpoint = {}});
  std::vector<Bytes> storage;
  Bytes carrying;
  const dicom::File file = read_dicom(d.file(explicit_le));
  const auto parts = evidence::embed_parts(file, forged, storage);
  ASSERT_TRUE(parts.has_value());
  for (const ByteView part : *parts) append(carrying, part);
  EXPECT_EQ(hospital_.verify_carried(carrying).verdict, finding::Verdict::untrusted);
  // The store has the true seal, and nothing of the image was changed.
  const seal::VerifyResult result = hospital_.verify_carried(carrying, &hospital_.store());
  EXPECT_EQ(result.verdict, finding::Verdict::authentic) << describe(result);
  EXPECT_NE(find_code(result, "signer.untrusted"), nullptr) << describe(result);
}

TEST_F(Attack, another_device_named_in_the_seal) {
  hospital_.rename_device("CT-2");  // the certificate still says CT-1
  const DicomDataSet d = plain();
  const seal::VerifyResult result = judge(d, seal(d));
  EXPECT_EQ(result.verdict, finding::Verdict::untrusted) << describe(result);
}

TEST_F(Attack, a_strangers_seal_on_an_image_with_new_identity) {
  DicomDataSet d = image();
  static_cast<void>(seal(d));
  Bytes& uid = element_of(d, dicom::tags::sop_instance_uid).value;
  uid = bytes("392e392e392e3900");
  element_of(d, dicom::tags::pixel_data).value[0] ^= std::byte{1};
  Hospital stranger("Stranger");
  const Bytes forged = stranger.seal_in_file(d.file(explicit_le));
  const seal::VerifyResult result = hospital_.verify_carried(forged, &hospital_.store());
  EXPECT_EQ(result.verdict, finding::Verdict::altered) << describe(result);
  EXPECT_NE(find_code(result, "seal.stripped"), nullptr);
  EXPECT_NE(find_code(result, "signer.untrusted"), nullptr);
  // With another hospital's trust file nothing is accused that was not changed.
  const DicomDataSet other = image();
  const Bytes sealed = stranger.seal_in_file(other.file(explicit_le));
  EXPECT_EQ(hospital_.verify_carried(sealed, &stranger.store()).verdict,
            finding::Verdict::untrusted);
}

TEST_F(Attack, pixels_of_another_sealed_image) {
  const DicomDataSet one = image();
  DicomDataSet other = image();
  element_of(other, dicom::tags::sop_instance_uid).value = bytes("312e322e332e3400");
  const Bytes evidence = seal(one);
  static_cast<void>(seal(other));
  DicomDataSet changed = one;
  element_of(changed, dicom::tags::pixel_data).value =
      element_of(other, dicom::tags::pixel_data).value;
  const auto judged = hospital_.verify_carried(changed.file(explicit_le), &hospital_.store());
  EXPECT_EQ(judged.verdict, finding::Verdict::altered) << describe(judged);
  ASSERT_NE(find_code(judged, "pixels.of-other"), nullptr) << describe(judged);
  EXPECT_EQ(judged.findings.front().code, finding::Code::pixels_of_other)
      << "it sums up the others";
  // Pixels that nobody sealed are nobody's.
  element_of(changed, dicom::tags::pixel_data).value[0] ^= std::byte{1};
  const auto unknown = hospital_.verify_carried(changed.file(explicit_le), &hospital_.store());
  EXPECT_EQ(unknown.verdict, finding::Verdict::altered);
  EXPECT_EQ(find_code(unknown, "pixels.of-other"), nullptr) << describe(unknown);
  EXPECT_EQ(find_code(hospital_.verify(one.file(explicit_le), evidence), "pixels.of-other"),
            nullptr);
}

TEST_F(Attack, tells_an_exchanged_picture_from_one_that_was_retouched) {
  const DicomDataSet one = image();
  const Bytes evidence = seal(one);
  const auto text_of = [&](auto change) {
    DicomDataSet changed = one;
    change(element_of(changed, dicom::tags::pixel_data).value);
    const auto judged = hospital_.verify(changed.file(explicit_le), evidence);
    const finding::Finding* finding = find_code(judged, "pixels.altered");
    return finding == nullptr ? describe(judged) : finding->text;
  };
  const std::string exchanged = text_of([](Bytes& pixels) {
    for (std::byte& sample : pixels) sample ^= std::byte{1};
  });
  EXPECT_TRUE(exchanged.starts_with("Frame 1 differs from the seal all over (")) << exchanged;
  const std::string retouched = text_of([](Bytes& pixels) { pixels[0] ^= std::byte{1}; });
  EXPECT_TRUE(retouched.starts_with("Frame 1: 1 of ")) << retouched;
  EXPECT_TRUE(retouched.ends_with(" tiles differs from the seal.")) << retouched;
}

TEST_F(Attack, a_million_private_creators) {
  DicomDataSet d = plain();
  for (unsigned group = 0x0009; group < 0x4000; group += 2)
    for (unsigned block = 0x10; block < 0x30; ++block)
      d.private_creator(static_cast<std::uint16_t>(group), static_cast<std::uint8_t>(block),
                        std::to_string(block));
  const Bytes evidence = seal(d);
  EXPECT_EQ(judge(d, evidence).verdict, finding::Verdict::authentic);
}

TEST_F(Attack, evidence_that_makes_counting_items_expensive) {
  DicomDataSet d = plain();
  for (unsigned element = 0x1000; element < 0x2000; ++element)
    d.sequence({0x0041, static_cast<std::uint16_t>(element)}, {});
  const Bytes evidence = seal(d);
  DicomDataSet changed = plain();
  for (unsigned element = 0x1000; element < 0x2000; ++element)
    changed.sequence({0x0041, static_cast<std::uint16_t>(element)},
                     std::vector<DicomDataSet>(1 + element % 7));
  EXPECT_EQ(judge(changed, evidence).verdict, finding::Verdict::altered);
}

TEST_F(Attack, a_fresher_receipt_does_not_make_a_seal_late) {
  const DicomDataSet d = plain();
  const Bytes evidence = seal(d);
  const auto read = evidence::read_evidence(evidence);
  ASSERT_TRUE(read.has_value());
  // A receipt of the same entry from a later checkpoint stands before the old one.
  hospital_.now.seconds += 30 * 24 * 60 * 60;
  static_cast<void>(seal(plain()));
  const Bytes later = hospital_.receipt_of(1);
  const std::vector<Bytes> receipts{
      later, Bytes(read->receipts.front().begin(), read->receipts.front().end())};
  const auto both = evidence::with_receipts(evidence, receipts, read->checkpoint);
  ASSERT_TRUE(both.has_value());
  const seal::VerifyResult result = judge(d, *both);
  EXPECT_EQ(result.verdict, finding::Verdict::authentic) << describe(result);
  EXPECT_EQ(result.ledger->checkpoint_at, result.seal->sealed_at);
}

}  // namespace
}  // namespace fiducia::test
