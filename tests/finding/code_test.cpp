// SPDX-License-Identifier: Apache-2.0
#include "finding/code.h"

#include <gmock/gmock.h>

#include <fstream>
#include <set>
#include <sstream>

#include "support/support.h"

namespace fiducia::finding {
namespace {

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
    std::string row = "| `";
    row.append(entry.code).append("` | ").append(entry.meaning).append(" | ");
    rows.push_back(row.append(entry.remedy).append(" |"));
  }
  EXPECT_THAT(rows_of_document(), testing::ElementsAreArray(rows));
}

TEST(Codes, are_told_once_and_in_whole_sentences) {
  std::set<std::string_view> seen;
  for (const CodeEntry& entry : all_codes()) {
    SCOPED_TRACE(entry.code);
    EXPECT_TRUE(seen.insert(entry.code).second);
    for (const std::string_view sentence : {entry.meaning, entry.remedy}) {
      EXPECT_TRUE(sentence.ends_with('.'));
      EXPECT_TRUE(sentence[0] >= 'A' && sentence[0] <= 'Z');
    }
  }
}

TEST(Codes, that_the_contract_names_are_all_explained) {
  for (const std::string_view code : {"pixels.altered",    "pixels.missing",   "pixels.added",
                                      "attribute.altered", "attribute.added",  "attribute.removed",
                                      "item.added",        "item.removed",     "seal.stripped",
                                      "seal.invalid",      "signer.untrusted", "signer.revoked",
                                      "signer.expired",    "ledger.revoked",   "store.damaged",
                                      "ledger.missing",    "ledger.invalid",   "ledger.unwitnessed",
                                      "identity.conflict", "encoding.changed", "codec.missing",
                                      "codec.failed",      "limit.reached",    "lossy.recompressed",
                                      "withheld",          "similar.sealed",   "seal.expected",
                                      "seal.later",        "time.disagrees",   "unsealed"}) {
    EXPECT_EQ(explain_code(code).code, code);
  }
  EXPECT_EQ(explain_code("malformed.cbor").code, "malformed.<what>");
  EXPECT_EQ(explain_code("malformed.nesting").code, "malformed.nesting");
  EXPECT_EQ(explain_code("unsupported.codec").code, "unsupported.<what>");
  EXPECT_EQ(explain_code("new.word").code, "");
  EXPECT_FALSE(explain_code("new.word").remedy.empty());
}

}  // namespace
}  // namespace fiducia::finding
