// SPDX-License-Identifier: Apache-2.0
#include "seal/loss_record.h"

#include <gtest/gtest.h>

#include "evidence/evidence.h"
#include "hospital.h"
#include "images.h"

namespace fiducia::seal {
namespace {

constexpr dicom::Tag flag{0x0028, 0x2110};
constexpr dicom::Tag ratio{0x0028, 0x2112};
constexpr dicom::Tag method{0x0028, 0x2114};

ProvenLoss loss_of(std::string_view transfer_syntax, bool lossless = false, bool root = true) {
  test::DicomDataSet d;
  d.text({0x0008, 0x0018}, "UI", "1.2.3");
  evidence::Statement statement;
  statement.transfer_syntax_uid = transfer_syntax;
  statement.pixels =
      evidence::SealedPixels{.geometry = {.frames = 1,
                                          .rows = 10,
                                          .columns = 10,
                                          .samples_per_pixel = 1,
                                          .sample_bytes = 2,
                                          .kind = 0,
                                          .bits_stored = 12},
                             .root = root ? std::optional<Digest>{Digest{}} : std::nullopt,
                             .leaf_count = 1,
                             .lossless = lossless,
                             .decoder = "x",
                             .photometric_interpretation = "MONOCHROME2"};
  return proven_loss(test::read_dicom(d.file(test::explicit_le)), statement);
}

TEST(LossRecord, is_true_only_of_an_image_that_was_decoded_with_loss) {
  constexpr std::string_view jpeg = "1.2.840.10008.1.2.4.50";
  EXPECT_TRUE(is_true_loss_record(loss_of(jpeg), flag, "01"));
  EXPECT_FALSE(is_true_loss_record(loss_of(jpeg, true), flag, "01")) << "nothing was lost";
  EXPECT_FALSE(is_true_loss_record(loss_of(jpeg, false, false), flag, "01"))
      << "nothing was decoded, so nothing is known of a loss";
  for (const std::string_view text : {"00", "", "1", "01\\01", "YES"})
    EXPECT_FALSE(is_true_loss_record(loss_of(jpeg), flag, text)) << text;
  EXPECT_FALSE(is_true_loss_record(loss_of(jpeg), {0x0008, 0x2111}, "01"));
}

TEST(LossRecord, names_the_method_of_the_sealed_encoding_and_no_other) {
  const std::pair<const char*, const char*> methods[] = {
      {"1.2.840.10008.1.2.4.50", "ISO_10918_1"},   {"1.2.840.10008.1.2.4.51", "ISO_10918_1"},
      {"1.2.840.10008.1.2.4.81", "ISO_14495_1"},   {"1.2.840.10008.1.2.4.91", "ISO_15444_1"},
      {"1.2.840.10008.1.2.4.203", "ISO_15444_15"}, {"1.2.840.10008.1.2.4.112", "ISO_18181_1"},
  };
  for (const auto& [syntax, own] : methods)
    for (const auto& [other_syntax, term] : methods)
      EXPECT_EQ(is_true_loss_record(loss_of(syntax), method, term),
                std::string_view{own} == std::string_view{term})
          << syntax << " " << term;
  EXPECT_FALSE(
      is_true_loss_record(loss_of("1.2.840.10008.1.2.4.50"), method, "ISO_10918_1\\ISO_10918_1"));
  EXPECT_FALSE(is_true_loss_record(loss_of(test::explicit_le), method, ""));
}

TEST(LossRecord, states_a_ratio_that_can_be_computed_again) {
  const ProvenLoss loss{.lossy = true,
                        .method = "ISO_10918_1",
                        .native_bytes = 1000,
                        .encoded_bytes = 96};  // 10.41666
  for (const std::string_view text : {"10", "11", "10.4", "10.42", "10.41", "10.4167"})
    EXPECT_TRUE(is_true_loss_record(loss, ratio, text)) << text;
  for (const std::string_view text :
       {"9", "12", "10.2", "10.6", "10.39", "10.44", "1.04e1", "+10", "", "10 ", "10\\10", "nan"})
    EXPECT_FALSE(is_true_loss_record(loss, ratio, text)) << text;
  EXPECT_FALSE(is_true_loss_record(loss_of("1.2.840.10008.1.2.4.50"), ratio, "10"))
      << "the codestream is gone";
}

}  // namespace
}  // namespace fiducia::seal
