// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "finding/finding.h"
#include "report/sample_results.h"
#include "seal/seal.h"
#include "trust/trust.h"

namespace fiducia::report {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

TEST(TerminalLine, says_verdict_path_and_the_worst_finding) {
  seal::VerifyResult result = test::altered_item().result;
  const std::string expected =
      "altered  ct/0042.dcm  Frame 1: 3 of 64 tiles differ from the seal. (+4 more)";
  EXPECT_EQ(to_line(result, false), expected);
  std::ranges::rotate(result.findings, result.findings.end() - 1);  // the note comes first
  EXPECT_EQ(to_line(result, false), expected);
}

TEST(TerminalLine, says_who_sealed_what_is_authentic) {
  seal::VerifyResult result = test::sample_result(finding::Verdict::authentic, "a.dcm");
  result.findings.clear();
  EXPECT_EQ(to_line(result, false), "authentic  a.dcm  Sealed by CT-1 at 2026-11-24T10:00:00Z.");
}

TEST(TerminalLine, says_who_else_attests_the_date) {
  seal::VerifyResult result = test::sample_result(finding::Verdict::authentic, "a.dcm");
  result.findings.clear();
  const std::string sealed = "authentic  a.dcm  Sealed by CT-1 at 2026-11-24T10:00:00Z";
  result.ledger->dated_at = UnixTime{1'795'514'461};
  result.ledger->dated_by = trust::DatedBy::log;
  EXPECT_EQ(to_line(result, false), sealed + ".");
  result.ledger->dated_by = trust::DatedBy::witness;
  EXPECT_EQ(to_line(result, false),
            sealed +
                "; it existed by 2026-11-24T10:01:01Z, attested by the witnesses "
                "north-witness and university.");
  result.ledger->dated_by = trust::DatedBy::tsa;
  result.ledger->time_stamps = {"Example TSA"};
  EXPECT_EQ(to_line(result, false), sealed +
                                        "; it existed by 2026-11-24T10:01:01Z, attested by "
                                        "the time-stamp of Example TSA.");
}

TEST(TerminalLine, has_a_reason_for_every_verdict_without_findings) {
  for (const finding::Verdict verdict : test::all_verdicts) {
    seal::VerifyResult result;
    result.path = "p";
    result.verdict = verdict;
    const std::string line = to_line(result, false);
    EXPECT_THAT(line, StartsWith(std::string{finding::to_word(verdict)} + "  p  "));
    EXPECT_TRUE(line.ends_with('.')) << line;
  }
}

TEST(TerminalLine, has_colours_only_when_asked) {
  for (const finding::Verdict verdict : test::all_verdicts) {
    const seal::VerifyResult result = test::sample_result(verdict, "p");
    EXPECT_EQ(to_line(result, false).find('\x1b'), std::string::npos);
    const std::string line = to_line(result, true);
    EXPECT_EQ(line.front(), '\x1b');
    EXPECT_THAT(line, HasSubstr("\x1b[0m  p  "));
  }
}

TEST(TerminalLine, makes_control_characters_visible) {
  seal::VerifyResult result = test::sample_result(finding::Verdict::malformed, "");
  result.path =
      "a\x1b[2J\nb\xff\xe2\x80\xae"
      "c\xc2\x9b\xc3\xa9";
  result.findings[0].text = "bell\x07";
  EXPECT_EQ(to_line(result, false),
            "malformed  a\\x1b[2J\\x0ab\\xff\\u202ec\\u009b\xc3\xa9  bell\\x07");
}

}  // namespace
}  // namespace fiducia::report
