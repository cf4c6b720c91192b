// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "finding/finding.h"
#include "report/sample_results.h"
#include "seal/seal.h"
#include "support/support.h"
#include "trust/trust.h"

namespace fiducia::report {
namespace {

using nlohmann::json;

TEST(VerifyJson, has_the_members_of_the_contract_in_its_order) {
  seal::VerifyResult result = test::altered_item().result;
  result.findings[1].current_value = "X^Y";
  std::string expected =
      R"j({"schema":"fiducia.verify/1","path":"ct/0042.dcm","verdict":"altered","findings":[)j"
      R"j({"code":"pixels.altered","severity":"alarm","text":"Frame 1: 3 of 64 tiles differ )j"
      R"j(from the seal.","frame":1,"tiles":[[3,4],[3,5],[4,4]],)j"
      R"j("box":{"x":256,"y":192,"width":128,"height":128}},)j"
      R"j({"code":"attribute.altered","severity":"alarm","text":"Patient's Name (0010,0010) )j"
      R"j(differs from the seal.","attribute":"(0010,0010)","keyword":"PatientName",)j"
      R"j("current_value":"X^Y"},)j"
      R"j({"code":"attribute.removed","severity":"alarm","text":"Accession Number (0008,0050) )j"
      R"j(is missing.","attribute":"(0008,0050)","keyword":"AccessionNumber"},)j"
      R"j({"code":"attribute.added","severity":"alarm","text":"(0029,\"SIEMENS MEDCOM )j"
      R"j(HEADER\",10) was not there when the image was sealed.",)j"
      R"j("attribute":"(0029,\"SIEMENS MEDCOM HEADER\",10)"},)j"
      R"j({"code":"encoding.changed","severity":"note","text":"Sealed as Explicit VR Little )j"
      R"j(Endian, now JPEG-LS Lossless."}],"seal":{"device":"CT-1","signer":"sha256:)j";
  expected += to_hex(result.seal->signer.view());
  expected += R"j(","signer_key":"sha256:)j" + to_hex(result.seal->signer_key.view());
  expected += R"j(","signer_name":"CT-1, Example Hospital","sealed_at":"2026-11-24T10:00:00Z",)j"
              R"j("object_root":")j";
  expected += to_hex(result.seal->object_root.view());
  expected +=
      R"j(","found_in":"file"},"ledger":{"origin":"example.org/ledger","index":41,)j"
      R"j("tree_size":300,"checkpoint_at":"2026-11-24T10:01:00Z",)j"
      R"j("witnesses":["north-witness","university"]},)j"
      R"j("image":{"sop_class":"1.2.840.10008.5.1.4.1.1.2",)j"
      R"j("transfer_syntax":"1.2.840.10008.1.2.4.80","frames":1,"rows":512,"columns":512}})j";
  EXPECT_EQ(to_json(result), expected);
}

TEST(VerifyJson, says_whose_word_the_date_is) {
  seal::VerifyResult result = test::sample_result(finding::Verdict::authentic, "a.dcm");
  EXPECT_FALSE(json::parse(to_json(result))["ledger"].contains("dated_by"));
  result.ledger->dated_at = UnixTime{1'795'514'461};
  for (const trust::DatedBy by :
       {trust::DatedBy::log, trust::DatedBy::witness, trust::DatedBy::tsa}) {
    result.ledger->dated_by = by;
    result.ledger->time_stamps = {"A", "B"};
    const json ledger = json::parse(to_json(result))["ledger"];
    EXPECT_EQ(ledger["dated_at"], "2026-11-24T10:01:01Z");
    EXPECT_EQ(ledger["dated_by"], trust::to_word(by));
    EXPECT_EQ(ledger["time_stamps"], (json{"A", "B"}));
  }
}

TEST(VerifyJson, leaves_out_what_is_not_there) {
  seal::VerifyResult result;
  result.path = "x";
  EXPECT_EQ(to_json(result),
            R"({"schema":"fiducia.verify/1","path":"x","verdict":"indeterminate","findings":[]})");
}

TEST(VerifyJson, gives_back_every_text_that_is_utf8_and_stays_on_one_line) {
  for (const std::string& text :
       {std::string{"plain"}, std::string{"quote\" back\\slash \n\t\r\b"}, std::string{"\0x", 2},
        std::string{"\xe2\x80\xae rtl \xc2\x9b c1 \x7f"}, std::string{"\xf0\x9f\xa9\xbb"},
        std::string{"\xf3\xa0\x80\x81 tag"}}) {
    seal::VerifyResult result;
    result.path = text;
    const std::string line = to_json(result);
    EXPECT_EQ(json::parse(line)["path"], text);
    for (const char c : line) EXPECT_FALSE(static_cast<unsigned char>(c) < 0x20 || c == 0x7F);
    EXPECT_EQ(line.find("\xe2\x80\xae"), std::string::npos) << "prints an override";
    EXPECT_EQ(line.find("\xc2\x9b"), std::string::npos) << "prints a control sequence introducer";
  }
}

// Property: whatever bytes come in, what goes out is JSON and UTF-8, and good characters beside
// broken ones survive.
TEST(VerifyJson, is_valid_for_any_bytes) {
  const std::uint64_t seed = test::seed();
  SCOPED_TRACE("rerun with FIDUCIA_SEED=" + std::to_string(seed));
  std::mt19937_64 prng{seed};
  for (int round = 0; round < 2'000; ++round) {
    seal::VerifyResult result;
    const Bytes bytes = test::random_bytes(prng, prng() % 12);
    result.path = "A" + std::string{as_text(bytes)} + "Z";
    const std::string line = to_json(result);
    ASSERT_TRUE(is_utf8(line));
    ASSERT_TRUE(is_utf8(visible(result.path)));
    const std::string path = json::parse(line)["path"];
    ASSERT_EQ(path.front(), 'A');
    ASSERT_EQ(path.back(), 'Z');
    if (is_utf8(result.path)) {
      ASSERT_EQ(path, result.path);
    }
  }
}

}  // namespace
}  // namespace fiducia::report
