// SPDX-License-Identifier: Apache-2.0
#include "crypto/role.h"

#include <gtest/gtest.h>

#include <regex>
#include <vector>

#include "support/support.h"

namespace fiducia::crypto {
namespace {

using Rows = std::vector<std::pair<std::string, std::string>>;

TEST(Role, list_is_that_of_the_specification) {
  const auto bytes = read_file(test::source("spec/trust.md"), 1 << 20);
  ASSERT_TRUE(bytes.has_value());
  const std::string spec{as_text(*bytes)};
  // The rows of section 6: | `seal` | 2.25.….1.1 | seals |
  const std::regex row{R"(\n\| `([a-z]+)` \| (2\.25\.[0-9.]+) \|)"};
  Rows listed;
  for (std::sregex_iterator at{spec.begin(), spec.end(), row}; at != std::sregex_iterator{}; ++at)
    listed.emplace_back((*at)[1], (*at)[2]);
  Rows ours;
  std::string words;
  for (const Role role : all_roles) {
    ours.emplace_back(to_word(role), role_oid(role));
    words += (words.empty() ? "`" : ", `") + std::string{to_word(role)} + "`";
  }
  EXPECT_EQ(ours, listed);
  // And the member of the trust file that takes these words (section 2).
  EXPECT_NE(
      spec.find("| `roles` | yes | list | what its signers may do, at least one of " + words + ","),
      std::string::npos)
      << words;
}

TEST(Role, is_found_by_its_word_and_by_no_other) {
  for (const Role role : all_roles) EXPECT_EQ(find_role(to_word(role)), role);
  for (const std::string_view word : {"", "Seal", "seal ", "sealed", "1"})
    EXPECT_FALSE(find_role(word).has_value()) << word;
}

}  // namespace
}  // namespace fiducia::crypto
