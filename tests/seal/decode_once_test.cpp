// SPDX-License-Identifier: Apache-2.0
// However many evidences come with a file: its frames are decoded once for all of them. What the
// store proposes beside them is a pass more, which decodes an image of one frame no second time.
#include <gtest/gtest.h>

#include "canonical/canonical.h"
#include "finding/finding.h"
#include "hospital.h"
#include "images.h"
#include "seal/seal.h"

namespace fiducia::test {
namespace {

using finding::Verdict;

class DecodeOnce : public testing::Test {
 protected:
  struct Judged {
    seal::VerifyResult result;
    std::uint64_t decodings = 0;
  };
  Judged judge(const Bytes& bytes, const std::vector<Bytes>& given,
               evidence::EvidenceLookup* lookup) {
    const auto verifier = seal::Verifier::make(hospital_.trust(), {}, lookup, given);
    const dicom::File file = read_dicom(bytes);
    canonical::ObjectDecoder decoder(file, nullptr);
    auto result = verifier->verify(decoder);
    EXPECT_TRUE(result.has_value());
    return {result ? std::move(*result) : seal::VerifyResult{}, decoder.decodings()};
  }
  Bytes image(const ImageShape& shape) {
    samples_ = random_samples(prng_, shape);
    return image_data_set(shape, samples_).file(explicit_le);
  }
  std::vector<Bytes> seals(const Bytes& bytes, std::size_t count) {
    std::vector<Bytes> out;
    const dicom::File file = read_dicom(bytes);
    for (std::size_t i = 0; i < count; ++i) out.push_back(hospital_.seal(file));
    return out;
  }

  Hospital hospital_;
  std::mt19937_64 prng_{20'261'129};
  Bytes samples_;
};

TEST_F(DecodeOnce, frames_of_many_evidences) {
  const ImageShape shape{.rows = 70, .columns = 70, .frames = 3};
  const Bytes file = image(shape);
  const std::vector<Bytes> given = seals(file, limits::object_evidences_max);
  for (const std::size_t count : {std::size_t{1}, std::size_t{2}, given.size()}) {
    const Judged judged =
        judge(file, {given.begin(), given.begin() + static_cast<long>(count)}, nullptr);
    EXPECT_EQ(judged.result.verdict, Verdict::authentic) << describe(judged.result);
    EXPECT_EQ(judged.decodings, shape.frames) << count << " evidences";
  }
}

TEST_F(DecodeOnce, the_one_frame_of_an_altered_image_and_of_what_the_store_proposes) {
  const ImageShape shape{.rows = 130, .columns = 130, .frames = 1};
  const Bytes file = image(shape);
  const std::vector<Bytes> given = seals(file, 4);
  Bytes altered_samples = samples_;
  altered_samples[0] ^= std::byte{1};
  DicomDataSet data_set = image_data_set(shape, altered_samples);
  const Judged judged = judge(data_set.file(explicit_le), given, &hospital_.store());
  EXPECT_EQ(judged.result.verdict, Verdict::altered) << describe(judged.result);
  EXPECT_NE(find_code(judged.result, "pixels.altered"), nullptr);
  EXPECT_EQ(judged.decodings, 1U);
}

// What is decoded once is paid for by each: a file costs what it cost, whoever looks at it first.
TEST_F(DecodeOnce, and_each_who_looks_pays) {
  const ImageShape shape{.rows = 70, .columns = 70, .frames = 2};
  const dicom::File file = read_dicom(image(shape));
  canonical::ObjectDecoder decoder(file, nullptr);
  canonical::SharedFrames& frames = **decoder.frames();
  const std::uint64_t before = file.budget().spent();
  ASSERT_TRUE(frames.read(0).has_value());
  const std::uint64_t once = file.budget().spent() - before;
  EXPECT_GT(once, 0U);
  ASSERT_TRUE(frames.read(0).has_value());
  EXPECT_EQ(file.budget().spent() - before, 2 * once);
  EXPECT_EQ(decoder.decodings(), 1U);
  ASSERT_TRUE(frames.read(1).has_value());
  ASSERT_TRUE(frames.read(0).has_value());
  EXPECT_EQ(decoder.decodings(), 3U) << "only the last one is kept";
  file.budget().exhaust();
  EXPECT_FALSE(frames.read(0).has_value());
}

}  // namespace
}  // namespace fiducia::test
