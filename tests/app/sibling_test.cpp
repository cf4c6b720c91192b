// SPDX-License-Identifier: Apache-2.0
#include "sibling.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <variant>

#include "options.h"

namespace fiducia::app {
namespace {

TEST(Sibling, runs_what_talks_to_others_and_nothing_else) {
  EXPECT_TRUE(is_for_sibling({"ledger", "serve"}));
  EXPECT_TRUE(is_for_sibling({"ledger", "mirror", "--help"}));
  for (const std::vector<std::string>& own : {std::vector<std::string>{},
                                              {"ledger"},
                                              {"serve"},
                                              {"ledger", "check"},
                                              {"ledger", "--help"},
                                              {"verify", "serve"},
                                              {"ledger", "--json", "serve"}})
    EXPECT_FALSE(is_for_sibling(own));
}

TEST(Sibling, is_listed_in_the_help_of_ledger) {
  const auto help = std::get<Answer>(read_arguments({"ledger", "--help"}));
  for (const SiblingCommand& command : sibling_commands)
    EXPECT_NE(help.text.find(command.name), std::string::npos) << command.name;
  // Not in its place on the command line, it is refused and not taken for another command.
  EXPECT_EQ(std::get<Answer>(read_arguments({"ledger", "--", "serve"})).exit_code, 1);
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
}  // namespace fiducia::app
