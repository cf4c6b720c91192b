// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <filesystem>

#include "hospital.h"
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
    EXPECT_EQ(result.verdict, seal::Verdict::authentic) << describe(result);
  }
  EXPECT_GT(sealed, 60);
}

}  // namespace
}  // namespace fiducia::test
