// SPDX-License-Identifier: Apache-2.0
// What is said when an object costs more than it may (spec/seal.md 10.8).
#include <gtest/gtest.h>

#include <algorithm>

#include "evidence/evidence.h"
#include "finding/finding.h"
#include "hospital.h"
#include "images.h"
#include "seal/seal.h"

namespace fiducia::test {
namespace {

using finding::Verdict;

const ImageShape limit_shape{.rows = 70, .columns = 70, .frames = 4};

bool tells_limit(const seal::VerifyResult& result) {
  return find_code(result, "limit.reached") != nullptr;
}

class Limit : public testing::Test {
 protected:
  Limit() {
    samples_ = random_samples(prng_, limit_shape);
    image_ = image_data_set(limit_shape, samples_);
  }
  /// Judges `file` when only `left` of its budget is there (all of it, when absent). `spent_` is
  /// what that took.
  seal::VerifyResult judge(const Bytes& file, const std::vector<Bytes>& given,
                           evidence::EvidenceLookup* lookup = nullptr,
                           std::optional<std::uint64_t> left = {}) {
    const auto verifier = seal::Verifier::make(hospital_.trust(), {}, lookup, given);
    const dicom::File opened = read_dicom(file);
    Budget& budget = opened.budget();
    const bool taken = !left || budget.take(budget.allowed() - *left);
    EXPECT_TRUE(taken);
    const std::uint64_t before = budget.spent();
    auto result = verifier->verify(opened, nullptr);
    EXPECT_TRUE(result.has_value());
    spent_ = budget.spent() - before;
    return result ? std::move(*result) : seal::VerifyResult{};
  }
  /// Judges with every budget from nothing to what it needs, in about 40 steps.
  template <class Check>
  void with_every_budget(const Bytes& file, const std::vector<Bytes>& given,
                         evidence::EvidenceLookup* lookup, Check check) {
    static_cast<void>(judge(file, given, lookup));
    const std::uint64_t needed = spent_;
    ASSERT_GT(needed, 0U);
    for (std::uint64_t left = 0; left < needed; left += needed / 40 + 1) {
      SCOPED_TRACE("left " + std::to_string(left) + " of " + std::to_string(needed));
      check(judge(file, given, lookup, left));
    }
    SCOPED_TRACE("just enough");
    EXPECT_FALSE(tells_limit(judge(file, given, lookup, needed)));
  }
  [[nodiscard]] Bytes file() const { return image_.file(explicit_le); }
  Bytes seal() { return hospital_.seal(read_dicom(file())); }

  std::mt19937_64 prng_{seed()};
  Hospital hospital_;
  Hospital stranger_{"Another Hospital"};
  Bytes samples_;
  DicomDataSet image_;
  std::uint64_t spent_ = 0;
};

TEST_F(Limit, makes_an_image_that_is_as_it_was_sealed_indeterminate_whenever_it_is_reached) {
  const Bytes evidence = seal();
  EXPECT_EQ(judge(file(), {evidence}).verdict, Verdict::authentic);
  with_every_budget(file(), {evidence}, nullptr, [](const seal::VerifyResult& result) {
    EXPECT_EQ(result.verdict, Verdict::indeterminate) << describe(result);
    EXPECT_TRUE(tells_limit(result)) << describe(result);
  });
}

TEST_F(Limit, leaves_altered_what_was_found_before_it) {
  const Bytes evidence = seal();
  Bytes& value = element_of(image_, dicom::tags::pixel_data).value;
  value[0] ^= std::byte{1};
  bool found_early = false;
  with_every_budget(file(), {evidence}, nullptr, [&](const seal::VerifyResult& result) {
    EXPECT_TRUE(result.verdict == Verdict::altered || result.verdict == Verdict::indeterminate)
        << describe(result);
    EXPECT_TRUE(tells_limit(result)) << describe(result);
    EXPECT_EQ(result.verdict == Verdict::altered, find_code(result, "pixels.altered") != nullptr)
        << describe(result);
    found_early |= result.verdict == Verdict::altered;
  });
  EXPECT_TRUE(found_early);
}

TEST_F(Limit, does_not_hide_a_seal_that_was_forged) {
  Bytes evidence = seal();
  const auto read = evidence::read_evidence(evidence);
  ASSERT_TRUE(read.has_value());
  const std::size_t signature_ends =
      static_cast<std::size_t>(read->sign1.data() + read->sign1.size() - read->encoded.data());
  evidence[signature_ends - 1] ^= std::byte{1};
  with_every_budget(file(), {evidence}, nullptr, [&](const seal::VerifyResult& result) {
    // Before the evidence could be read nobody knows of it.
    if (result.seal)
      EXPECT_EQ(result.verdict, Verdict::altered) << describe(result);
    else
      EXPECT_EQ(result.verdict, Verdict::indeterminate) << describe(result);
  });
}

TEST_F(Limit, is_no_reason_to_say_that_a_seal_is_a_strangers_or_that_there_is_none) {
  const Bytes of_stranger = stranger_.seal(read_dicom(file()));
  EXPECT_EQ(judge(file(), {of_stranger}).verdict, Verdict::untrusted);
  with_every_budget(file(), {of_stranger}, nullptr, [](const seal::VerifyResult& result) {
    EXPECT_EQ(result.verdict, Verdict::indeterminate) << describe(result);
    EXPECT_EQ(find_code(result, "unsealed"), nullptr) << describe(result);
    EXPECT_TRUE(tells_limit(result)) << describe(result);
  });
  // Another image, which the store proposes by its pixels, compares and rejects.
  static_cast<void>(seal());
  DicomDataSet other = image_data_set(limit_shape, random_samples(prng_, limit_shape));
  element_of(other, dicom::tags::sop_instance_uid).value = bytes("312e322e392e3900");
  const Bytes unsealed = other.file(explicit_le);
  EXPECT_EQ(judge(unsealed, {}, &hospital_.store()).verdict, Verdict::unsealed);
  with_every_budget(unsealed, {}, &hospital_.store(), [](const seal::VerifyResult& result) {
    EXPECT_EQ(result.verdict, Verdict::indeterminate) << describe(result);
    EXPECT_EQ(find_code(result, "unsealed"), nullptr) << describe(result);
  });
}

TEST_F(Limit, of_others_seals_does_not_touch_the_own_one) {
  // Whatever a stranger puts in front of it: content is compared for accepted seals first.
  std::vector<Bytes> given;
  for (int i = 0; i < 20; ++i) given.push_back(stranger_.seal(read_dicom(file())));
  given.push_back(seal());
  ASSERT_EQ(judge(file(), {given.back()}).verdict, Verdict::authentic);
  const std::uint64_t alone = spent_;
  const auto evidence_work = [&](const Bytes& evidence) {
    return limits::work_an_evidence + evidence.size() * limits::work_a_value_byte;
  };
  std::uint64_t reading = 0;
  for (const Bytes& evidence : given) reading += evidence_work(evidence);
  const std::uint64_t content = alone - evidence_work(given.back());
  // Enough to read them all and to compare one of them.
  EXPECT_EQ(judge(file(), given, nullptr, reading + content).verdict, Verdict::authentic);
  // One of ours, and four of the others.
  const seal::VerifyResult whole = judge(file(), given);
  EXPECT_EQ(whole.verdict, Verdict::authentic) << describe(whole);
  EXPECT_EQ(spent_, reading + 5 * content);
}

TEST_F(Limit, of_evidences_read_is_told_unless_they_proved_something_before) {
  DicomDataSet report;
  report.text({0x0008, 0x0016}, "UI", "1.2.840.10008.5.1.4.1.1.88.11")
      .text({0x0008, 0x0018}, "UI", "1.2.3.4");
  const Bytes object = report.file(explicit_le);
  std::vector<Bytes> given;
  for (std::size_t i = 0; i < limits::object_evidences_max; ++i)
    given.push_back(stranger_.seal(read_dicom(object)));
  const seal::VerifyResult just_all = judge(object, given);
  EXPECT_EQ(just_all.verdict, Verdict::untrusted) << describe(just_all);
  EXPECT_FALSE(tells_limit(just_all)) << describe(just_all);

  const Bytes own = hospital_.seal(read_dicom(object));
  std::vector<Bytes> last = given;
  last.push_back(own);
  const seal::VerifyResult hidden = judge(object, last);
  EXPECT_EQ(hidden.verdict, Verdict::indeterminate) << describe(hidden);
  EXPECT_TRUE(tells_limit(hidden)) << describe(hidden);

  std::vector<Bytes> first = given;
  first.insert(first.begin(), own);
  const seal::VerifyResult proven = judge(object, first);
  EXPECT_EQ(proven.verdict, Verdict::authentic) << describe(proven);

  // The same evidence again, byte for byte, is none more.
  given.insert(given.end(), 100, given.front());
  const seal::VerifyResult repeated = judge(object, given);
  EXPECT_EQ(repeated.verdict, Verdict::untrusted) << describe(repeated);
}

TEST(SealLimit, of_receipts_in_one_evidence_holds) {
  Hospital hospital;
  DicomDataSet report;
  report.text({0x0008, 0x0016}, "UI", "1.2.840.10008.5.1.4.1.1.88.11")
      .text({0x0008, 0x0018}, "UI", "1.2.3.4");
  const Bytes evidence = hospital.seal(read_dicom(report.file(explicit_le)));
  const auto read = evidence::read_evidence(evidence);
  ASSERT_TRUE(read.has_value());
  const Bytes receipt(read->receipts.front().begin(), read->receipts.front().end());
  const auto reading_with = [&](std::size_t count) {
    const std::vector<Bytes> receipts(count, receipt);
    const auto written = evidence::with_receipts(evidence, receipts, read->checkpoint);
    if (!written) return code_word(written.error());
    const auto again = evidence::read_evidence(*written);
    return again ? "read " + std::to_string(again->receipts.size()) : code_word(again.error());
  };
  EXPECT_EQ(reading_with(limits::evidence_receipts_max),
            "read " + std::to_string(limits::evidence_receipts_max));
  EXPECT_EQ(reading_with(limits::evidence_receipts_max + 1), "malformed.evidence");
}

TEST(SealLimit, of_findings_listed_holds) {
  // As many private attributes as findings, and one more.
  const auto data_set = [](std::size_t altered) {
    DicomDataSet out;
    out.text({0x0008, 0x0016}, "UI", "1.2.840.10008.5.1.4.1.1.88.11")
        .text({0x0008, 0x0018}, "UI", "1.2.3.4");
    for (std::uint8_t block = 0x10; block < 0x14; ++block)
      out.private_creator(0x0019, block, "ACME " + std::to_string(block));
    for (std::size_t i = 0; i <= limits::findings_max; ++i)
      out.text({0x0019, static_cast<std::uint16_t>(0x1000 + i)}, "LO", i < altered ? "B" : "A");
    return out.file(explicit_le);
  };
  Hospital hospital;
  const Bytes evidence = hospital.seal(read_dicom(data_set(0)));
  const seal::VerifyResult most = hospital.verify(data_set(limits::findings_max), evidence);
  EXPECT_EQ(most.findings.size(), limits::findings_max);
  EXPECT_EQ(find_code(most, "findings.more"), nullptr);
  const seal::VerifyResult more = hospital.verify(data_set(limits::findings_max + 1), evidence);
  EXPECT_EQ(more.findings.size(), limits::findings_max);
  ASSERT_NE(find_code(more, "findings.more"), nullptr);
  EXPECT_EQ(&more.findings.back(), find_code(more, "findings.more"));
  EXPECT_TRUE(more.findings.back().text.contains(" 2 more ")) << more.findings.back().text;
  EXPECT_EQ(more.verdict, Verdict::altered);
}

TEST(SealLimit, of_tiles_listed_in_a_finding_holds) {
  constexpr std::uint16_t across = 64;
  static_assert(limits::tiles_listed_max % across == 0);
  const ImageShape shape{
      .rows = static_cast<std::uint16_t>((limits::tiles_listed_max / across + 1) * 64),
      .columns = across * 64,
      .frames = 1,
      .bits_allocated = 8,
      .bits_stored = 8};
  Bytes samples(shape.frame_bytes());
  Hospital hospital;
  const Bytes evidence =
      hospital.seal(read_dicom(image_data_set(shape, samples).file(explicit_le)));
  const auto finding_of = [&](std::size_t altered_tiles) {
    for (std::size_t t = 0; t < altered_tiles; ++t)
      samples[t / across * 64 * shape.columns + t % across * 64] = std::byte{1};
    const auto result = hospital.verify(image_data_set(shape, samples).file(explicit_le), evidence);
    const finding::Finding* finding = find_code(result, "pixels.altered");
    EXPECT_NE(finding, nullptr) << describe(result);
    return finding == nullptr ? finding::Finding{} : *finding;
  };
  const finding::Finding most = finding_of(limits::tiles_listed_max);
  EXPECT_EQ(most.tiles.size(), limits::tiles_listed_max);
  ASSERT_TRUE(most.box.has_value());
  EXPECT_EQ(most.box->height, shape.rows - 64U);
  const finding::Finding more = finding_of(limits::tiles_listed_max + 1);
  EXPECT_EQ(more.tiles.size(), limits::tiles_listed_max);
  ASSERT_TRUE(more.box.has_value());
  EXPECT_EQ(more.box->height, shape.rows) << "the box covers what the list does not";
}

/// How sealing an image ends that is encoded in `syntax` and has these frames.
std::string sealing_code(std::string_view syntax, std::uint16_t rows, std::uint16_t columns,
                         std::vector<Bytes> frames) {
  DicomDataSet image;
  image.text({0x0008, 0x0016}, "UI", "1.2.840.10008.5.1.4.1.1.7")
      .text({0x0008, 0x0018}, "UI", "1.2.3.4")
      .us({0x0028, 0x0002}, 1)
      .text({0x0028, 0x0004}, "CS", "MONOCHROME2")
      .text({0x0028, 0x0008}, "IS", std::to_string(frames.size()))
      .us({0x0028, 0x0010}, rows)
      .us({0x0028, 0x0011}, columns)
      .us({0x0028, 0x0100}, 8)
      .us({0x0028, 0x0101}, 8)
      .us({0x0028, 0x0102}, 7)
      .us({0x0028, 0x0103}, 0)
      .encapsulated(std::move(frames));
  Hospital hospital;
  const dicom::File file = read_dicom(image.file(syntax));
  const auto draft = seal::draft_seal(file, hospital.signer(), hospital.now, nullptr, nullptr);
  return draft ? "" : code_word(draft.error()) + ": " + draft.error().what;
}

TEST(SealLimit, of_tiles_holds_where_no_decoder_is) {
  // 250,000 tiles a frame, and one byte for 128 samples, as a decoder may be asked for.
  constexpr std::string_view jpeg_ls = "1.2.840.10008.1.2.4.80";
  constexpr std::uint16_t edge = 500 * 64;
  constexpr std::size_t frames = limits::tiles_max / (500 * 500);
  static_assert(frames * 500 * 500 == limits::tiles_max);
  const Bytes frame(std::size_t{edge} * edge / limits::frame_samples_a_byte / 60 & ~1UL);
  EXPECT_EQ(sealing_code(jpeg_ls, edge, edge, std::vector<Bytes>(frames, frame)), "");
  EXPECT_EQ(sealing_code(jpeg_ls, edge, edge, std::vector<Bytes>(frames + 1, frame)),
            "limit.reached: the image has more than 16000000 tiles.");
}

TEST(SealLimit, of_sealed_tiles_holds_where_samples_are_decoded) {
  // One row of 65,535 zeros in 1,024 tiles a frame: header, 511 runs of 128, one of 127.
  Bytes frame(64);
  frame[0] = std::byte{1};   // segments
  frame[4] = std::byte{64};  // where the first one begins
  for (int run = 0; run < 511; ++run) append(frame, bytes("8100"));
  append(frame, bytes("8200"));
  constexpr std::size_t frames = limits::sealed_tiles_max / 1024;
  EXPECT_EQ(sealing_code("1.2.840.10008.1.2.5", 1, 65'535, std::vector<Bytes>(frames + 1, frame)),
            "limit.reached: the image has more than 8388608 tiles.");
  // As many have a place, but nothing else has one beside them.
  if (!whole()) return;
  EXPECT_EQ(sealing_code("1.2.840.10008.1.2.5", 1, 65'535, std::vector<Bytes>(frames, frame)),
            "limit.reached: its evidence would be larger than 256 MiB.");
}

}  // namespace
}  // namespace fiducia::test
