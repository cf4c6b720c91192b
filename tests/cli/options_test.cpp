// SPDX-License-Identifier: Apache-2.0
#include "cli/cli.h"

#include <gtest/gtest.h>

namespace fiducia::cli {
namespace {

template <class Options>
Options parsed(std::vector<std::string> arguments) {
  auto result = read_arguments(std::move(arguments));
  if (const auto* answer = std::get_if<Answer>(&result)) {
    ADD_FAILURE() << answer->text;
    return {};
  }
  return std::get<Options>(std::get<Command>(result));
}

TEST(Options, of_verify_arrive_where_they_belong) {
  const auto o = parsed<VerifyOptions>({"verify", "a.dcm", "-", "--trust", "t.toml", "--evidence",
                                        "e1", "--evidence", "e2", "--at", "2026-11-24", "--json",
                                        "--show-values", "--home", "/h", "b"});
  EXPECT_EQ(o.paths, (std::vector<std::string>{"a.dcm", "-", "b"}));
  EXPECT_EQ(o.evidence, (std::vector<std::string>{"e1", "e2"}));
  EXPECT_EQ(o.trust, "t.toml");
  EXPECT_EQ(o.common.home, "/h");
  EXPECT_TRUE(o.common.json);
  EXPECT_TRUE(o.show_values);
  ASSERT_TRUE(o.at.has_value());
  EXPECT_EQ(to_rfc3339(*o.at), "2026-11-24T23:59:59Z");
}

TEST(Options, a_bare_day_is_its_end_for_verify_and_its_begin_for_revoke) {
  const auto at = [](const char* time) {
    return parsed<VerifyOptions>({"verify", "x", "--at", time}).at;
  };
  EXPECT_EQ(at("2026-11-24"), read_rfc3339("2026-11-24T23:59:59Z"));
  EXPECT_EQ(at("2026-11-24T00:00:00Z"), read_rfc3339("2026-11-24T00:00:00Z"));
  const auto revoke = parsed<DeviceOptions>({"device", "revoke", "CT-1", "--at", "2026-11-24"});
  EXPECT_EQ(revoke.at, read_rfc3339("2026-11-24T00:00:00Z")) << "revoking takes the whole day";
}

TEST(Options, of_device_add_name_roles) {
  EXPECT_EQ(parsed<DeviceOptions>({"device", "add", "X"}).roles, std::vector<std::string>{"seal"});
  EXPECT_EQ(
      parsed<DeviceOptions>({"device", "add", "X", "--role", "amend", "--role", "derive"}).roles,
      (std::vector<std::string>{"amend", "derive"}));
  EXPECT_EQ(std::get<Answer>(read_arguments({"device", "add", "X", "--role", "sealing"})).exit_code,
            1);
}

TEST(Options, of_the_other_commands_arrive_where_they_belong) {
  EXPECT_EQ(parsed<InitOptions>({"init", "--name", "H"}).hospital, "H");
  const auto revoke = parsed<DeviceOptions>({"device", "revoke", "CT-1", "--reason", "lost"});
  EXPECT_EQ(revoke.action, DeviceOptions::Action::revoke);
  EXPECT_EQ(revoke.name, "CT-1");
  EXPECT_EQ(revoke.reason, "lost");
  EXPECT_FALSE(revoke.at.has_value());
  EXPECT_EQ(parsed<DeviceOptions>({"device", "list"}).action, DeviceOptions::Action::list);
  EXPECT_TRUE(parsed<SealOptions>({"seal", "x", "--in-place"}).in_place);
  EXPECT_EQ(parsed<ExportOptions>({"export", "x", "--out", "y"}).out, "y");
  EXPECT_EQ(parsed<LedgerOptions>({"ledger", "prove", "7"}).target, "7");
  EXPECT_EQ(parsed<LedgerOptions>({"ledger", "check"}).action, LedgerOptions::Action::check);
}

TEST(Options, that_do_not_fit_are_answered_with_exit_code_1) {
  for (const std::vector<std::string>& arguments :
       std::vector<std::vector<std::string>>{{"frobnicate"},
                                             {"--json", "verify", "x"},
                                             {"verify"},
                                             {"verify", "--bogus", "x"},
                                             {"verify", "x", "--at", "yesterday"},
                                             {"seal", "x", "--in-place", "--sidecar"},
                                             {"seal", "x", "--out", "d", "--in-place"},
                                             {"export", "x"},
                                             {"device"},
                                             {"device", "add"},
                                             {"ledger", "prove"},
                                             {"ledger", "verify-proof", "x"},
                                             {"inspect", "a", "b"}}) {
    const auto result = read_arguments(arguments);
    const auto* answer = std::get_if<Answer>(&result);
    ASSERT_NE(answer, nullptr) << testing::PrintToString(arguments);
    EXPECT_EQ(answer->exit_code, 1) << testing::PrintToString(arguments);
    EXPECT_FALSE(answer->text.empty());
  }
}

TEST(Options, without_any_the_overview_is_shown) {
  const auto result = read_arguments({});
  const auto* answer = std::get_if<Answer>(&result);
  ASSERT_NE(answer, nullptr);
  EXPECT_EQ(answer->exit_code, 0);
  EXPECT_NE(answer->text.find("Show what the reader sees"), std::string::npos) << answer->text;
}

TEST(Options, that_name_no_command_are_named) {
  struct Row {
    std::vector<std::string> arguments;
    const char* said;
  };
  for (const Row& row :
       {Row{{"frobnicate"}, "\"frobnicate\" is not a command of `fiducia`: those are init, device"},
        Row{{"--json", "verify"}, "\"--json\" stands before it"},
        Row{{"device"}, "needs one of its commands: add, list and revoke"},
        Row{{"device", "drop", "x"}, "\"drop\" is not a command of `fiducia device`"},
        Row{{"ledger", "--json", "check"}, "\"--json\" stands before it"},
        Row{{"ledger", "chek"},
            "\"chek\" is not a command of `fiducia ledger`: those are status, "},
        Row{{"ledger", "chek"}, ", witness and move; the nearest is `check`"},
        Row{{"vreify", "x"}, "; the nearest is `verify`"},
        Row{{"insp"}, "; the nearest is `inspect`"},
        Row{{"store"}, "needs one of its commands: check, accept, list, move and join"},
        Row{{"device", "revok", "x"}, "; the nearest is `revoke`"},
        Row{{"verify", "x", "--reprot=y"},
            "\"--reprot\" is not an option of `fiducia verify`; the nearest is `--report`"},
        Row{{"device", "add", "x", "--devise"},
            "\"--devise\" is not an option of `fiducia device add`"},
        Row{{"verify", "x", "--xyzzy"}, "\"--xyzzy\" is not an option of `fiducia verify`"}}) {
    const auto result = read_arguments(row.arguments);
    const auto* answer = std::get_if<Answer>(&result);
    ASSERT_NE(answer, nullptr) << row.said;
    EXPECT_EQ(answer->exit_code, 1);
    EXPECT_NE(answer->text.find(row.said), std::string::npos) << answer->text;
  }
}

TEST(Options, that_are_wrong_are_sent_to_the_help_of_their_command) {
  const auto help_of = [](std::vector<std::string> arguments) {
    return std::get<Answer>(read_arguments(std::move(arguments))).command + " --help";
  };
  EXPECT_EQ(help_of({"vreify"}), "fiducia --help");
  EXPECT_EQ(help_of({"verify"}), "fiducia verify --help");
  EXPECT_EQ(help_of({"device", "revok", "x"}), "fiducia device --help");
  EXPECT_EQ(help_of({"device", "revoke"}), "fiducia device revoke --help");
}

TEST(Options, help_of_each_command_teaches_with_an_example) {
  for (const std::vector<std::string>& arguments :
       std::vector<std::vector<std::string>>{{"--help"},
                                             {"init", "--help"},
                                             {"device", "--help"},
                                             {"device", "add", "--help"},
                                             {"device", "list", "--help"},
                                             {"device", "revoke", "--help"},
                                             {"seal", "--help"},
                                             {"verify", "--help"},
                                             {"export", "--help"},
                                             {"inspect", "--help"},
                                             {"ledger", "--help"},
                                             {"ledger", "status", "--help"},
                                             {"ledger", "check", "--help"},
                                             {"ledger", "prove", "--help"},
                                             {"ledger", "verify-proof", "--help"}}) {
    SCOPED_TRACE(testing::PrintToString(arguments));
    const auto result = read_arguments(arguments);
    const auto* answer = std::get_if<Answer>(&result);
    ASSERT_NE(answer, nullptr);
    EXPECT_EQ(answer->exit_code, 0);
    EXPECT_NE(answer->text.find("  fiducia " + (arguments.front() == "--help" ? std::string("init")
                                                                              : arguments.front())),
              std::string::npos)
        << answer->text;
  }
}

TEST(Options, help_says_how_a_time_is_written) {
  for (const std::vector<std::string>& arguments : std::vector<std::vector<std::string>>{
           {"verify", "--help"}, {"device", "revoke", "--help"}}) {
    const auto result = read_arguments(arguments);
    const auto* answer = std::get_if<Answer>(&result);
    ASSERT_NE(answer, nullptr);
    EXPECT_NE(answer->text.find("TIME: 2026-11-24T10:00:00Z, or a day"), std::string::npos)
        << answer->text;
  }
}

TEST(Options, version_is_printed) {
  const auto result = read_arguments({"--version"});
  const auto* answer = std::get_if<Answer>(&result);
  ASSERT_NE(answer, nullptr);
  EXPECT_EQ(answer->exit_code, 0);
  EXPECT_TRUE(answer->text.starts_with("fiducia "));
}

}  // namespace
}  // namespace fiducia::cli
