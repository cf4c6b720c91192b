// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "finding/finding.h"
#include "hospital.h"
#include "images.h"
#include "seal/seal.h"

// Objects that are no plain image: each seals, verifies and shows what was changed.
namespace fiducia::test {
namespace {

DicomDataSet identity(std::string_view sop_class) {
  DicomDataSet d;
  d.text({0x0008, 0x0016}, "UI", sop_class).text({0x0008, 0x0018}, "UI", "1.2.3.4");
  return d;
}

DicomDataSet image_module(DicomDataSet d, std::uint16_t rows, std::uint16_t columns,
                          std::uint16_t allocated, std::string_view frames = "1") {
  d.us({0x0028, 0x0002}, 1)
      .text({0x0028, 0x0004}, "CS", "MONOCHROME2")
      .text({0x0028, 0x0008}, "IS", frames)
      .us({0x0028, 0x0010}, rows)
      .us({0x0028, 0x0011}, columns)
      .us({0x0028, 0x0100}, allocated)
      .us({0x0028, 0x0101}, allocated)
      .us({0x0028, 0x0102}, static_cast<std::uint16_t>(allocated - 1))
      .us({0x0028, 0x0103}, 0);
  return d;
}

class OtherObjects : public testing::Test {
 protected:
  seal::VerifyResult judge(const DicomDataSet& d, const Bytes& evidence,
                           std::string_view syntax = explicit_le) {
    return hospital_.verify(d.file(syntax), evidence);
  }
  Bytes seal(const DicomDataSet& d, std::string_view syntax = explicit_le) {
    return hospital_.seal(read_dicom(d.file(syntax)));
  }
  Hospital hospital_;
  std::mt19937_64 prng_{seed()};
};

TEST_F(OtherObjects, one_bit_segmentation_is_sealed_bit_by_bit) {
  DicomDataSet d = image_module(identity("1.2.840.10008.5.1.4.1.1.66.4"), 9, 7, 1, "3");
  element_of(d, {0x0028, 0x0102}).value = bytes("0000");
  element_of(d, {0x0028, 0x0101}).value = bytes("0100");
  d.bytes({0x7FE0, 0x0010}, "OB", random_bytes(prng_, 24));  // 189 bits and padding
  const Bytes evidence = seal(d);
  EXPECT_EQ(judge(d, evidence, implicit_le).verdict, finding::Verdict::authentic);
  for (std::size_t bit = 0; bit < 189; ++bit) {
    DicomDataSet changed = d;
    element_of(changed, dicom::tags::pixel_data).value[bit / 8] ^=
        static_cast<std::byte>(1U << bit % 8);
    const seal::VerifyResult result = judge(changed, evidence);
    ASSERT_EQ(result.verdict, finding::Verdict::altered) << bit;
    ASSERT_EQ(find_code(result, "pixels.altered")->frame, bit / 63 + 1) << bit;
  }
}

TEST_F(OtherObjects, float_and_double_pixel_data_are_sealed_by_their_bits) {
  for (const bool twice : {false, true}) {
    DicomDataSet d = image_module(identity("1.2.840.10008.5.1.4.1.1.30"), 66, 65, twice ? 64 : 32);
    const dicom::Tag tag{0x7FE0, static_cast<std::uint16_t>(twice ? 0x0009 : 0x0008)};
    d.bytes(tag, twice ? "OD" : "OF", random_bytes(prng_, 66 * 65 * (twice ? 8 : 4)));
    const Bytes evidence = seal(d);
    EXPECT_EQ(judge(d, evidence, explicit_be).verdict, finding::Verdict::authentic);
    DicomDataSet changed = d;
    element_of(changed, tag).value.back() ^= std::byte{0x80};  // the sign
    const seal::VerifyResult result = judge(changed, evidence);
    EXPECT_EQ(result.verdict, finding::Verdict::altered);
    ASSERT_NE(find_code(result, "pixels.altered"), nullptr) << describe(result);
    EXPECT_EQ(find_code(result, "pixels.altered")->tiles,
              (std::vector<finding::TilePosition>{{1, 1}}));
  }
}

TEST_F(OtherObjects, reports_waveforms_and_documents_seal_without_pixels) {
  DicomDataSet channel;
  channel.us({0x003A, 0x0005}, 1).bytes({0x5400, 0x1010}, "OW", random_bytes(prng_, 64));
  DicomDataSet text;
  text.text({0x0040, 0xA040}, "CS", "TEXT").text({0x0040, 0xA160}, "UT", "No finding.\\Really");
  DicomDataSet container;
  container.text({0x0040, 0xA040}, "CS", "CONTAINER").sequence({0x0040, 0xA730}, {text, text});
  DicomDataSet d = identity("1.2.840.10008.5.1.4.1.1.104.1");
  d.sequence({0x0040, 0xA730}, {container, text})
      .bytes({0x0042, 0x0011}, "OB", random_bytes(prng_, 5000))
      .sequence({0x5400, 0x0100}, {channel})
      .bytes({0x6000, 0x3000}, "OW", random_bytes(prng_, 32));
  const Bytes evidence = seal(d);
  EXPECT_EQ(judge(d, evidence, implicit_le).verdict, finding::Verdict::authentic);
  EXPECT_EQ(judge(d, evidence, explicit_be).verdict, finding::Verdict::authentic);
  const auto expect_named = [&](const DicomDataSet& changed, std::string_view path) {
    const seal::VerifyResult result = judge(changed, evidence);
    EXPECT_EQ(result.verdict, finding::Verdict::altered);
    EXPECT_EQ(result.findings.front().attribute, path) << describe(result);
  };
  DicomDataSet changed = d;
  element_of(element_of(element_of(changed, {0x0040, 0xA730}).items[0], {0x0040, 0xA730}).items[1],
             {0x0040, 0xA160})
      .value[0] ^= std::byte{1};
  expect_named(changed, "(0040,A730)[1].(0040,A730)[2].(0040,A160)");
  changed = d;
  element_of(changed, {0x0042, 0x0011}).value[4999] ^= std::byte{1};
  expect_named(changed, "(0042,0011)");
  changed = d;
  element_of(element_of(changed, {0x5400, 0x0100}).items[0], {0x5400, 0x1010}).value[3] ^=
      std::byte{1};
  expect_named(changed, "(5400,0100)[1].(5400,1010)");
  changed = d;
  element_of(changed, {0x6000, 0x3000}).value[3] ^= std::byte{1};
  expect_named(changed, "(6000,3000)");
}

TEST_F(OtherObjects, a_video_is_sealed_by_its_codestream) {
  constexpr std::string_view mpeg4 = "1.2.840.10008.1.2.4.102";
  DicomDataSet d = image_module(identity("1.2.840.10008.5.1.4.1.1.77.1.1.1"), 100, 100, 8, "250");
  Bytes stream = random_bytes(prng_, 4000);
  d.encapsulated({stream});
  const Bytes evidence = seal(d, mpeg4);
  EXPECT_EQ(judge(d, evidence, mpeg4).verdict, finding::Verdict::authentic)
      << describe(judge(d, evidence, mpeg4));
  // Fragmented otherwise it is the same stream.
  DicomDataSet split = d;
  std::erase_if(split.elements, [](const auto& e) { return e.tag == dicom::tags::pixel_data; });
  split.encapsulated(
      {Bytes(stream.begin(), stream.begin() + 1000), Bytes(stream.begin() + 1000, stream.end())});
  EXPECT_EQ(judge(split, evidence, mpeg4).verdict, finding::Verdict::authentic);
  stream[2000] ^= std::byte{1};
  element_of(d, dicom::tags::pixel_data).fragments = {stream};
  const seal::VerifyResult result = judge(d, evidence, mpeg4);
  EXPECT_EQ(result.verdict, finding::Verdict::altered);
  EXPECT_NE(find_code(result, "pixels.altered"), nullptr);
}

TEST_F(OtherObjects, an_encoding_without_decoder_is_sealed_by_its_bytes) {
  constexpr std::string_view jpeg2000 = "1.2.840.10008.1.2.4.90";
  DicomDataSet d = image_module(identity("1.2.840.10008.5.1.4.1.1.2"), 100, 100, 8);
  Bytes stream = random_bytes(prng_, 400);
  d.encapsulated({stream});
  const Bytes evidence = seal(d, jpeg2000);  // no child: nothing can decode it here
  EXPECT_EQ(judge(d, evidence, jpeg2000).verdict, finding::Verdict::authentic);
  // The same bytes under another name are not the same image: it cannot be told here.
  EXPECT_EQ(judge(d, evidence, "1.2.840.10008.1.2.4.91").verdict, finding::Verdict::indeterminate);
  stream[100] ^= std::byte{1};
  element_of(d, dicom::tags::pixel_data).fragments = {stream};
  EXPECT_EQ(judge(d, evidence, jpeg2000).verdict, finding::Verdict::altered);
}

TEST_F(OtherObjects, a_missing_or_dead_decoder_is_never_a_pass) {
  const DicomDataSet d = image_module(identity("1.2.840.10008.5.1.4.1.1.2"), 64, 64, 8);
  DicomDataSet native = d;
  native.bytes({0x7FE0, 0x0010}, "OB", random_bytes(prng_, 64 * 64));
  const Bytes evidence = seal(native);
  DicomDataSet encoded = d;
  encoded.encapsulated({random_bytes(prng_, 400)});
  const Bytes file = encoded.file("1.2.840.10008.1.2.4.80");
  seal::VerifyResult result = hospital_.verify(file, evidence);
  EXPECT_EQ(result.verdict, finding::Verdict::indeterminate) << describe(result);
  EXPECT_NE(find_code(result, "codec.missing"), nullptr);
  codec::CodecChild nobody("/nonexistent/fiducia-codec");
  result = hospital_.verify(file, evidence, &nobody);
  EXPECT_EQ(result.verdict, finding::Verdict::indeterminate) << describe(result);
  codec::CodecChild dies("/bin/false");
  result = hospital_.verify(file, evidence, &dies);
  EXPECT_EQ(result.verdict, finding::Verdict::indeterminate) << describe(result);
  EXPECT_NE(find_code(result, "codec.failed"), nullptr) << describe(result);
  // A header that was changed as well is still accused.
  element_of(encoded, {0x0008, 0x0018}).value[0] = std::byte{'7'};
  result = hospital_.verify(encoded.file("1.2.840.10008.1.2.4.80"), evidence, &nobody);
  EXPECT_EQ(result.verdict, finding::Verdict::altered) << describe(result);
}

TEST_F(OtherObjects, pixel_data_that_is_no_image_is_sealed_as_an_attribute) {
  DicomDataSet d = identity("1.2.840.10008.5.1.4.1.1.7");
  d.bytes({0x7FE0, 0x0010}, "OB", random_bytes(prng_, 100));  // no rows, no columns
  const Bytes evidence = seal(d);
  EXPECT_EQ(judge(d, evidence, implicit_le).verdict, finding::Verdict::authentic);
  element_of(d, dicom::tags::pixel_data).value[50] ^= std::byte{1};
  const seal::VerifyResult result = judge(d, evidence);
  EXPECT_EQ(result.verdict, finding::Verdict::altered);
  EXPECT_EQ(result.findings.front().attribute, "(7FE0,0010)");
}

TEST_F(OtherObjects, a_sequence_never_passes_for_an_empty_value) {
  DicomDataSet d = identity("1.2.840.10008.5.1.4.1.1.7");
  d.private_creator(0x0029, 0x10, "ACME").bytes({0x0029, 0x1001}, "LO", {});
  const Bytes evidence = seal(d);
  for (const std::string_view syntax : {explicit_le, implicit_le}) {
    DicomDataSet changed = identity("1.2.840.10008.5.1.4.1.1.7");
    changed.private_creator(0x0029, 0x10, "ACME")
        .sequence({0x0029, 0x1001}, {DicomDataSet{}}, Lengths::undefined);
    EXPECT_EQ(judge(changed, evidence, syntax).verdict, finding::Verdict::altered);
  }
}

TEST_F(OtherObjects, a_value_of_odd_length_may_be_padded_and_no_more) {
  const dicom::Tag tag{0x0011, 0x1001};
  DicomDataSet d = identity("1.2.840.10008.5.1.4.1.1.88.11");
  d.bytes(tag, "UN", bytes("010203"));
  const Bytes evidence = seal(d);
  struct Row {
    const char* name;
    const char* value;
    finding::Verdict expected;
  };
  // Readers differ about what was sealed, so it never is authentic (spec/seal.md 14).
  for (const Row& row : {Row{"as it was", "010203", finding::Verdict::indeterminate},
                         Row{"padded", "01020300", finding::Verdict::indeterminate},
                         Row{"padded with something", "01020301", finding::Verdict::altered},
                         Row{"padded twice", "0102030000", finding::Verdict::altered},
                         Row{"cut", "0102", finding::Verdict::altered}}) {
    SCOPED_TRACE(row.name);
    element_of(d, tag).value = bytes(row.value);
    EXPECT_EQ(judge(d, evidence).verdict, row.expected);
  }
}

TEST_F(OtherObjects, meta_information_inside_an_item_is_part_of_the_item) {
  DicomDataSet item;
  item.text({0x0008, 0x0104}, "LO", "meaning");
  DicomDataSet d = identity("1.2.840.10008.5.1.4.1.1.7");
  d.sequence({0x0040, 0x0275}, {item});
  const Bytes evidence = seal(d);
  element_of(d, {0x0040, 0x0275}).items[0].text({0x0002, 0x0016}, "AE", "HIDDEN").sort();
  EXPECT_EQ(judge(d, evidence).verdict, finding::Verdict::altered);
}

// --- keys -----------------------------------------------------------------------------------

TEST_F(OtherObjects, every_kind_of_device_key_seals) {
  for (const crypto::KeyKind kind :
       {crypto::KeyKind::p256, crypto::KeyKind::p384, crypto::KeyKind::ed25519}) {
    Hospital hospital("Hospital", kind);
    const DicomDataSet d = identity("1.2.840.10008.5.1.4.1.1.7");
    const Bytes evidence = hospital.seal(read_dicom(d.file(explicit_le)));
    EXPECT_EQ(hospital.verify(d.file(explicit_le), evidence).verdict, finding::Verdict::authentic);
    EXPECT_EQ(hospital_.verify(d.file(explicit_le), evidence).verdict, finding::Verdict::untrusted);
  }
}

}  // namespace
}  // namespace fiducia::test
