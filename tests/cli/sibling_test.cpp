// SPDX-License-Identifier: Apache-2.0
#include "cli/cli.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <variant>

namespace fiducia::cli {
namespace {

TEST(Sibling, runs_what_may_talk_to_others_and_nothing_else) {
  for (const std::vector<std::string>& its : {std::vector<std::string>{"ledger"},
                                              {"ledger", "serve"},
                                              {"ledger", "check"},
                                              {"ledger", "--help"},
                                              {"export", "x", "--out", "y"}})
    EXPECT_TRUE(is_for_sibling(its));
  for (const std::vector<std::string>& own : {std::vector<std::string>{},
                                              {"serve"},
                                              {"--help"},
                                              {"verify", "ledger"},
                                              {"seal", "export"}})
    EXPECT_FALSE(is_for_sibling(own));
}

TEST(Sibling, lists_its_commands_and_not_what_is_not_for_people) {
  const auto help = std::get<Answer>(read_arguments({"ledger", "--help"}));
  for (const char* name :
       {"status", "check", "prove", "verify-proof", "serve", "mirror", "witness"})
    EXPECT_NE(help.text.find(std::string{"  "} + name), std::string::npos) << name;
  EXPECT_EQ(help.text.find("append "), std::string::npos) << help.text;
  const auto append = read_arguments({"ledger", "append", "--home", "h", "--passphrase-fd=3"});
  EXPECT_EQ(std::get<AppendOptions>(std::get<Command>(append)).passphrase_fd, 3);
}

TEST(Sibling, that_is_missing_is_named_with_a_remedy) {
  ::setenv("FIDUCIA_LEDGER", "/nowhere/fiducia-ledger", 1);
  const Error error = run_sibling({"ledger", "serve"});
  ::unsetenv("FIDUCIA_LEDGER");
  EXPECT_EQ(error.code, ErrorCode::config_missing);
  EXPECT_EQ(error.where.file, "/nowhere/fiducia-ledger");
  EXPECT_NE(error.remedy.find("FIDUCIA_LEDGER"), std::string::npos);
}

}  // namespace
}  // namespace fiducia::cli
