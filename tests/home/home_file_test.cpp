// SPDX-License-Identifier: Apache-2.0
#include "home/home.h"

#include <gtest/gtest.h>

#include "support/support.h"

namespace fiducia::home {
namespace {

TEST(HomeFile, comes_back_as_it_was_written) {
  for (const char* name : {"Klinik", "Probe-Klinikum \"Köln\"", "a\\b", "tab\there", "# no comment",
                           "日本 病院", "a = \"b\""}) {
    const HomeFile home{.hospital = name,
                        .default_device = "CT 1 \"x\"",
                        .ledger_origin = "fiducia.local/a-1",
                        .store = "00ff"};
    const auto read = read_home_file(write_home_file(home), "f");
    ASSERT_TRUE(read.has_value()) << to_sentence(read.error());
    EXPECT_EQ(read->hospital, home.hospital);
    EXPECT_EQ(read->default_device, home.default_device);
    EXPECT_EQ(read->ledger_origin, home.ledger_origin);
    EXPECT_EQ(read->store, home.store);
  }
}

TEST(HomeFile, says_where_a_shared_store_is) {
  HomeFile home{
      .hospital = "h", .default_device = "d", .ledger_origin = "o", .store = "s", .postgres = ""};
  EXPECT_EQ(write_home_file(home).find("evidence]"), std::string::npos);
  home.postgres = "host=db dbname='Köln'";
  const auto read = read_home_file(write_home_file(home), "f");
  ASSERT_TRUE(read.has_value()) << to_sentence(read.error());
  EXPECT_EQ(read->postgres, home.postgres);

  home.postgres.clear();
  const std::string without = write_home_file(home);
  EXPECT_EQ(read_home_file(without, "f")->postgres, "");
  for (const std::string& evidence :
       {std::string{"[evidence]\n"}, std::string{"[evidence]\npostgres = \"\"\n"},
        std::string{"[evidence]\npostgres = 5432\n"},
        std::string{"[[evidence]]\npostgres = \"x\"\n"},
        std::string{"[evidence]\npostgres = \"x\"\nsqlite = \"y\"\n"},
        std::string{"[evidence]\npostgres = \"a\\u0000b\"\n"},
        "[evidence]\npostgres = \"" + std::string(4'097, 'x') + "\"\n"}) {
    const auto refused = read_home_file(without + evidence, "f");
    ASSERT_FALSE(refused.has_value()) << evidence;
    EXPECT_EQ(refused.error().code, ErrorCode::config_invalid);
    EXPECT_EQ(refused.error().where.file, "f");
  }
}

TEST(HomeFile, of_random_text_comes_back) {
  const std::uint64_t seed = test::seed();
  SCOPED_TRACE("rerun with FIDUCIA_SEED=" + std::to_string(seed));
  std::mt19937_64 prng{seed};
  for (int round = 0; round < 2000; ++round) {
    std::string name;
    for (std::size_t i = 0, n = 1 + prng() % 20; i < n; ++i)
      name += static_cast<char>(1 + prng() % 0x7F);
    const HomeFile home{
        .hospital = name, .default_device = "d", .ledger_origin = "o", .store = "s"};
    const auto read = read_home_file(write_home_file(home), "f");
    ASSERT_TRUE(read.has_value()) << to_sentence(read.error());
    ASSERT_EQ(read->hospital, name);
  }
}

TEST(HomeFile, is_refused_when_a_line_is_not_understood) {
  const std::string rest =
      "hospital = \"h\"\ndefault_device = \"d\"\nledger_origin = \"o\"\nstore = \"s\"\n";
  ASSERT_TRUE(read_home_file("[home]\nversion = 1 # first\n" + rest, "f").has_value());
  for (const std::string& toml :
       {std::string{}, "version = 1\n" + rest, "[home]\n" + rest, "[home]\nversion = 2\n" + rest,
        "[home]\nversion = 1x\n" + rest, "[home]\nversion = 1\nversion = 1\n" + rest,
        "[home]\nversion = 1\ncolour = \"red\"\n" + rest, "[home]\n[home]\nversion = 1\n" + rest,
        "[home]\nversion = 1\n" + rest + "nonsense\n", std::string{"[[["}, std::string(80'000, '['),
        "[[home]]\nversion = 1\n" + rest, "[home]\nversion = \"1\"\n" + rest,
        std::string{"[home]\nversion = 1\nhospital = \"h\ndefault_device = \"d\"\n"
                    "ledger_origin = \"o\"\nstore = \"s\"\n"},
        std::string{"[home]\nversion = 1\nhospital = \"h\" x\ndefault_device = \"d\"\n"
                    "ledger_origin = \"o\"\nstore = \"s\"\n"},
        std::string{"[home]\nversion = 1\nhospital = \"\\q\"\ndefault_device = \"d\"\n"
                    "ledger_origin = \"o\"\nstore = \"s\"\n"},
        std::string{"[home]\nversion = 1\nhospital = \"\\uD800\"\ndefault_device = \"d\"\n"
                    "ledger_origin = \"o\"\nstore = \"s\"\n"},
        std::string{"[home]\nversion = 1\nhospital = \"\xff\"\ndefault_device = \"d\"\n"
                    "ledger_origin = \"o\"\nstore = \"s\"\n"}}) {
    const auto read = read_home_file(toml, "f");
    ASSERT_FALSE(read.has_value()) << toml;
    EXPECT_EQ(read.error().code, ErrorCode::config_invalid);
    EXPECT_EQ(read.error().where.file, "f");
  }
}

}  // namespace
}  // namespace fiducia::home
