// SPDX-License-Identifier: Apache-2.0
#include "vectors.h"

#include <gtest/gtest.h>

#include <cstdlib>

#include "evidence/evidence.h"
#include "finding/finding.h"
#include "seal/hospital.h"
#include "support/support.h"
#include "trust/trust.h"

namespace fiducia::test {
namespace {

const std::filesystem::path folder = data("vectors/fiducia");
const std::filesystem::path spec = source("spec/seal.md");

std::string read_text(const std::filesystem::path& path) {
  const auto bytes = read_file(path, 64 << 20);
  return bytes ? std::string(as_text(*bytes)) : std::string();
}

/// Rewrites vectors and examples, for a change of the canonical form that is meant.
bool writes() { return std::getenv("FIDUCIA_WRITE_VECTORS") != nullptr; }

void write_text(const std::filesystem::path& path, std::string_view text) {
  ASSERT_TRUE(durable_write(path, as_bytes(text)).has_value()) << path;
}

TEST(SealVectors, are_what_the_code_computes) {
  for (const auto& [name, json] : compute_vectors()) {
    const std::string text = json.dump(1) + "\n";
    if (writes()) write_text(folder / name, text);
    EXPECT_EQ(read_text(folder / name), text) << name;
  }
}

TEST(SealVectors, the_examples_of_the_specification_are_what_the_code_computes) {
  std::string text = read_text(spec);
  for (const auto& [name, example] : compute_examples()) {
    const std::string begin = "<!-- vectors: " + name + " -->\n";
    const std::size_t from = text.find(begin);
    ASSERT_NE(from, std::string::npos) << name;
    const std::size_t at = from + begin.size();
    const std::size_t to = text.find("<!-- /vectors -->", at);
    ASSERT_NE(to, std::string::npos) << name;
    if (writes()) text.replace(at, to - at, example);
    if (!writes()) {
      EXPECT_EQ(text.substr(at, to - at), example) << name;
    }
  }
  if (writes()) write_text(spec, text);
}

class TinyObject : public testing::TestWithParam<std::string> {
 protected:
  [[nodiscard]] static Bytes part(const std::string& name) {
    auto bytes = read_file(folder / name, 1 << 20);
    return bytes ? std::move(*bytes) : Bytes{};
  }
  [[nodiscard]] static seal::VerifyResult verify(Bytes file, const Bytes& evidence,
                                                 const char* trust_file = "tiny.trust.toml") {
    auto trust = trust::open_trust(folder / trust_file);
    FIDUCIA_ASSERT(trust.has_value());
    auto verifier = seal::Verifier::make(std::move(*trust), {}, nullptr, {evidence});
    FIDUCIA_ASSERT(verifier.has_value());
    return *verifier->verify(read_dicom(std::move(file)), nullptr);
  }
};

TEST_P(TinyObject, of_years_ago_still_verifies) {
  const auto result = verify(part(GetParam()), part("tiny.evidence"));
  EXPECT_EQ(result.verdict, finding::Verdict::authentic) << describe(result);
}
INSTANTIATE_TEST_SUITE_P(Encodings, TinyObject,
                         testing::Values("tiny.dcm", "tiny-implicit.dcm", "tiny-big-endian.dcm",
                                         "tiny-deflated.dcm"));

TEST_F(TinyObject, is_altered_when_any_byte_of_its_values_is) {
  const Bytes file = part("tiny.dcm");
  const Bytes evidence = part("tiny.evidence");
  const std::pair<std::string_view, const char*> places[] = {
      {"1.2.826.0.1.3680043.10.1.7", "attribute.altered"}, {"ACME", "attribute.removed"}};
  for (const auto& [text, code] : places) {
    Bytes changed = file;
    // The last occurrence: the meta information, which is not sealed, may hold the same UID.
    const std::size_t at = as_text(changed).rfind(text);
    ASSERT_NE(at, std::string_view::npos) << text;
    changed[at + text.size() - 1] ^= std::byte{1};
    const auto result = verify(std::move(changed), evidence);
    EXPECT_EQ(result.verdict, finding::Verdict::altered) << describe(result);
    EXPECT_NE(find_code(result, code), nullptr) << describe(result);
  }
  Bytes last_pixel = file;
  last_pixel[last_pixel.size() - 1] ^= std::byte{8};
  const auto result = verify(std::move(last_pixel), evidence);
  EXPECT_EQ(result.verdict, finding::Verdict::altered) << describe(result);
  const finding::Finding* finding = find_code(result, "pixels.altered");
  ASSERT_NE(finding, nullptr) << describe(result);
  EXPECT_EQ(finding->frame, 2U);
}

TEST_F(TinyObject, is_not_authentic_with_any_byte_of_its_evidence_changed) {
  const Bytes file = part("tiny.dcm");
  const Bytes evidence = part("tiny.evidence");
  ASSERT_FALSE(evidence.empty());
  auto trust = trust::open_trust(folder / "tiny.trust.toml");
  ASSERT_TRUE(trust.has_value());
  const dicom::File opened = read_dicom(file);
  for (std::size_t at = 0; at < evidence.size(); ++at) {
    Bytes changed = evidence;
    changed[at] ^= std::byte{1};
    auto verifier = seal::Verifier::make(*trust, {}, nullptr, {changed});
    if (!verifier) continue;  // not even evidence
    const auto result = verifier->verify(opened, nullptr);
    ASSERT_TRUE(result.has_value());
    EXPECT_NE(result->verdict, finding::Verdict::authentic) << "byte " << at;
  }
}

// The same evidence with a time-stamp over its checkpoint; the authority's certificate ended in
// December 2026.
TEST_F(TinyObject, stamped_years_ago_is_dated_by_the_stamp) {
  const Bytes plain = part("tiny.evidence");
  const Bytes stamped = part("tiny-stamped.evidence");
  const auto read = evidence::read_evidence(stamped);
  ASSERT_TRUE(read.has_value()) << to_sentence(read.error());
  ASSERT_EQ(read->time_stamps.size(), 1U);
  const auto result = verify(part("tiny.dcm"), stamped, "tiny-stamped.trust.toml");
  EXPECT_EQ(result.verdict, finding::Verdict::authentic) << describe(result);
  ASSERT_TRUE(result.ledger.has_value());
  EXPECT_EQ(result.ledger->dated_by, trust::DatedBy::tsa);
  EXPECT_EQ(result.ledger->time_stamps, std::vector<std::string>{"Vector TSA"});
  // genTime 1795000007.125, accuracy 1 s, rounded up.
  EXPECT_EQ(result.ledger->dated_at, (UnixTime{1'795'000'009}));
  const auto without = verify(part("tiny.dcm"), plain, "tiny-stamped.trust.toml");
  EXPECT_EQ(without.verdict, finding::Verdict::untrusted);
  EXPECT_NE(find_code(without, "ledger.unstamped"), nullptr) << describe(without);
  EXPECT_EQ(verify(part("tiny.dcm"), stamped).verdict, finding::Verdict::authentic)
      << "a trust file that asks for none takes it as well";
}

TEST_F(TinyObject, has_no_other_date_with_any_byte_of_its_time_stamp_changed) {
  const dicom::File file = read_dicom(part("tiny.dcm"));
  auto trust = trust::open_trust(folder / "tiny-stamped.trust.toml");
  ASSERT_TRUE(trust.has_value());
  const Bytes evidence = part("tiny-stamped.evidence");
  const std::size_t plain_bytes = part("tiny.evidence").size();
  ASSERT_GT(evidence.size(), plain_bytes);
  for (std::size_t at = plain_bytes; at < evidence.size(); ++at) {
    Bytes changed = evidence;
    changed[at] ^= std::byte{1};
    auto verifier = seal::Verifier::make(*trust, {}, nullptr, {changed});
    if (!verifier) continue;  // not even evidence
    const auto result = verifier->verify(file, nullptr);
    ASSERT_TRUE(result.has_value());
    if (result->verdict != finding::Verdict::authentic) continue;
    // What is not signed, such as a version number, changes nothing that is said.
    EXPECT_EQ(result->ledger->dated_at, (UnixTime{1'795'000'009})) << "byte " << at;
  }
}

}  // namespace
}  // namespace fiducia::test
