// SPDX-License-Identifier: Apache-2.0
#include "seal/compressor_remark.h"

#include <gtest/gtest.h>

#include "finding/finding.h"
#include "hospital.h"
#include "images.h"

namespace fiducia::test {
namespace {

constexpr std::string_view remark =
    "Lossless JPEG compression, selection value 1, point transform 0, compression ratio 2.2013";

TEST(CompressorRemark, is_taken_off_only_when_it_is_exactly_one) {
  const std::string with_old = std::string(remark) + " [Scaled image]";
  EXPECT_EQ(seal::without_compressor_remark(remark), "");
  EXPECT_EQ(seal::without_compressor_remark(with_old), "Scaled image");
  for (const std::string& text :
       {std::string(), std::string("Scaled image"), std::string(remark) + ".",
        std::string(remark) + " Lesion enhanced", std::string(remark) + " [Lesion",
        "x" + std::string(remark), std::string(remark).replace(43, 1, "11"),
        std::string(remark.substr(0, remark.size() - 6)), std::string("Lossy JPEG compression")})
    EXPECT_FALSE(seal::without_compressor_remark(text).has_value()) << text;
}

class DerivationDescription : public testing::Test {
 protected:
  seal::VerifyResult judge(std::optional<std::string> sealed, std::string_view now,
                           bool change_pixel = false) {
    const ImageShape shape{.rows = 70, .columns = 70, .frames = 1};
    const Bytes samples = random_samples(prng_, shape);
    DicomDataSet d = image_data_set(shape, samples);
    DicomDataSet later = d;
    if (sealed) d.text({0x0008, 0x2111}, "ST", *sealed).sort();
    const Bytes evidence = hospital_.seal(read_dicom(d.file(explicit_le)));
    later.text({0x0008, 0x2111}, "ST", now).sort();
    if (change_pixel) element_of(later, dicom::tags::pixel_data).value[0] ^= std::byte{1};
    return hospital_.verify(later.file(explicit_le), evidence);
  }
  Hospital hospital_;
  std::mt19937_64 prng_{seed()};
};

TEST_F(DerivationDescription, may_gain_the_remark_of_a_lossless_compressor) {
  const std::string one(remark);
  EXPECT_EQ(judge({}, one).verdict, finding::Verdict::authentic);
  EXPECT_EQ(judge("", one).verdict, finding::Verdict::authentic);
  EXPECT_EQ(judge("Scaled image", one + " [Scaled image]").verdict, finding::Verdict::authentic);
  // Compressed, decompressed and compressed again.
  EXPECT_EQ(judge({}, one + " [" + one + "]").verdict, finding::Verdict::authentic);
  EXPECT_EQ(judge(one, one + " [" + one + "]").verdict, finding::Verdict::authentic);
}

TEST_F(DerivationDescription, may_change_in_no_other_way) {
  const std::string one(remark);
  for (const auto& [sealed, now] :
       {std::pair<std::optional<std::string>, std::string>{{}, "Lesion enhanced"},
        {{}, one + " [Lesion enhanced]"},
        {"Scaled image", one},
        {"Scaled image", one + " [Scaled imagf]"},
        {one, one + " [Scaled image]"}}) {
    const seal::VerifyResult result = judge(sealed, now);
    EXPECT_EQ(result.verdict, finding::Verdict::altered) << now;
    EXPECT_EQ(result.findings.front().attribute, "(0008,2111)") << describe(result);
  }
  const seal::VerifyResult result = judge({}, one, true);
  EXPECT_EQ(result.verdict, finding::Verdict::altered);
  EXPECT_NE(find_code(result, "attribute.added"), nullptr) << describe(result);
}

}  // namespace
}  // namespace fiducia::test
