// SPDX-License-Identifier: Apache-2.0
#include "finding/code.h"

#include <gmock/gmock.h>

#include <fstream>
#include <set>

#include "finding/finding.h"
#include "support/support.h"

namespace fiducia::finding {
namespace {

/// Word of docs/codes.md: that of a family stands with its place for a kind.
std::string word_in_document(const CodeEntry& entry) {
  return std::string(entry.word) + (is_family(entry.code) ? ".<what>" : "");
}

std::vector<std::string> rows_of_document() {
  std::ifstream in{fiducia::test::source("docs/codes.md")};
  std::vector<std::string> rows;
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with("| `")) rows.push_back(line);
  }
  return rows;
}

TEST(Codes, of_the_document_and_of_the_table_are_the_same) {
  std::vector<std::string> rows;
  for (const CodeEntry& entry : all_codes()) {
    std::string row = "| `" + word_in_document(entry) + "` | ";
    if (entry.usual != Usual::error) row.append(to_word(entry.usual)).append(" | ");
    row.append(entry.meaning).append(" | ");
    rows.push_back(row.append(entry.remedy).append(" |"));
  }
  EXPECT_THAT(rows_of_document(), testing::ElementsAreArray(rows));
}

TEST(Codes, are_told_once_and_in_whole_sentences) {
  std::set<std::string_view> seen;
  for (const CodeEntry& entry : all_codes()) {
    SCOPED_TRACE(entry.word);
    EXPECT_TRUE(seen.insert(entry.word).second);
    for (const std::string_view sentence : {entry.meaning, entry.remedy}) {
      EXPECT_TRUE(sentence.ends_with('.'));
      EXPECT_TRUE(sentence[0] >= 'A' && sentence[0] <= 'Z');
    }
  }
}

TEST(Codes, that_the_contract_names_are_all_there) {
  std::set<std::string_view> words;
  for (const CodeEntry& entry : all_codes()) words.insert(entry.word);
  for (const std::string_view word :
       {"pixels.altered",     "pixels.missing",    "pixels.added",       "attribute.altered",
        "attribute.added",    "attribute.removed", "item.added",         "item.removed",
        "seal.stripped",      "seal.expected",     "seal.invalid",       "signer.untrusted",
        "signer.revoked",     "signer.expired",    "ledger.missing",     "ledger.invalid",
        "ledger.unwitnessed", "encoding.changed",  "lossy.recompressed", "withheld",
        "codec.missing",      "limit.reached"})
    EXPECT_TRUE(words.contains(word)) << word;
}

TEST(Codes, of_errors_are_found_by_their_words) {
  for (int i = 0; i <= static_cast<int>(last_error_code); ++i) {
    const Error error{.code = static_cast<ErrorCode>(i), .what = "x", .kind = "nesting"};
    const Finding finding = of_error(error, Severity::alarm, "text");
    EXPECT_EQ(word_of(finding), code_word(error));
    EXPECT_EQ(finding.code, code_of(error));
  }
}

TEST(Codes, of_a_family_go_on_with_the_kind) {
  const auto of = [](ErrorCode code, const char* kind) {
    return of_error({.code = code, .what = "x", .kind = kind}, Severity::alarm, "text");
  };
  EXPECT_EQ(of(ErrorCode::malformed, "nesting").code, Code::malformed_nesting);
  EXPECT_EQ(word_of(of(ErrorCode::malformed, "nesting")), "malformed.nesting");
  EXPECT_EQ(of(ErrorCode::malformed, "cbor").code, Code::malformed);
  EXPECT_EQ(word_of(of(ErrorCode::malformed, "cbor")), "malformed.cbor");
  EXPECT_EQ(word_of(of(ErrorCode::malformed, "")), "malformed.structure");
  EXPECT_EQ(word_of(of(ErrorCode::unsupported, "codec")), "unsupported.codec");
  EXPECT_EQ(word_of(of(ErrorCode::unsupported, "")), "unsupported.feature");
}

TEST(Finding, that_nobody_filled_in_is_a_fault_of_ours) {
  EXPECT_EQ(Finding{}.code, Code::internal);
  EXPECT_EQ(word_of(Finding{}), "internal");
}

}  // namespace
}  // namespace fiducia::finding
