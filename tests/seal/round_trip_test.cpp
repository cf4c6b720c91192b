// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <filesystem>
#include <set>

#include "finding/finding.h"
#include "hospital.h"
#include "seal/seal.h"
#include "support/support.h"

namespace fiducia::test {
namespace {

const std::filesystem::path pydicom_samples =
    "/usr/lib/python3/dist-packages/pydicom/data/test_files";

TEST(RoundTrip, every_sample_that_can_be_read_seals_and_verifies_in_its_file) {
  if (!std::filesystem::exists(pydicom_samples)) GTEST_SKIP() << "python3-pydicom is not installed";
  Hospital hospital;
  codec::CodecChild child(program("fiducia-codec"));
  int sealed = 0;
  const auto paths = list_files(pydicom_samples);
  ASSERT_TRUE(paths.has_value());
  for (const auto& path : *paths) {
    if (path.extension() != ".dcm") continue;
    SCOPED_TRACE(path.filename().string());
    auto file = dicom::File::open(path);
    if (!file) continue;
    auto draft = seal::draft_seal(*file, hospital.signer(), hospital.now, &child, nullptr);
    if (!draft) {
      std::printf("not sealed: %s: %s\n", path.filename().c_str(),
                  to_sentence(draft.error()).c_str());
      continue;
    }
    ++sealed;
    const Bytes with_seal = hospital.seal_in_file(*read_file(path, 1 << 30), &child);
    const seal::VerifyResult result = hospital.verify_carried(with_seal, nullptr, &child);
    // Readers show these differently (spec/seal.md 7.1) or read them differently (14).
    static const std::set<std::string> ambiguous = {"GDCMJ2K_TextGBR.dcm",
                                                    "J2K_pixelrep_mismatch.dcm",
                                                    "SC_jpeg_no_color_transform.dcm",
                                                    "SC_rgb_jpeg.dcm",
                                                    "SC_rgb_jpeg_lossy_gdcm.dcm",
                                                    "meta_missing_tsyntax.dcm",
                                                    "nested_priv_SQ.dcm",
                                                    "no_meta_group_length.dcm",
                                                    "rtdose_rle.dcm",
                                                    "rtdose_rle_1frame.dcm",
                                                    "winter.dcm"};
    const bool agreed = !ambiguous.contains(path.filename());
    EXPECT_EQ(result.verdict,
              agreed ? finding::Verdict::authentic : finding::Verdict::indeterminate)
        << describe(result);
    EXPECT_EQ(find_code(result, "reading.ambiguous") == nullptr, agreed);
  }
  EXPECT_GT(sealed, 60);
}

}  // namespace
}  // namespace fiducia::test
