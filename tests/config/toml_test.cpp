// SPDX-License-Identifier: Apache-2.0
#include "config/toml.h"

#include <gtest/gtest.h>

#include "support/support.h"

namespace fiducia::config {
namespace {

Result<Table> read(std::string_view text) { return read_toml(text, "a.toml", "Fix it."); }

TEST(Toml, gives_values_with_their_places) {
  const auto table =
      read("a = 1\nb = \"two\"\n[c]\nd = true\n[[e]]\nf = 2026-01-01T00:00:00Z\n[[e]]\n");
  ASSERT_TRUE(table.has_value()) << to_sentence(table.error());
  EXPECT_EQ(*table->find("a")->integer(), 1);
  EXPECT_EQ(*table->find("b")->text(), "two");
  EXPECT_EQ(table->find("b")->place.line, 2U);
  EXPECT_EQ(table->find("b")->place.column, 5U);
  const Table* c = table->find("c")->table();
  ASSERT_NE(c, nullptr);
  EXPECT_TRUE(*c->find("d")->boolean());
  const auto* e = table->find("e")->list();
  ASSERT_NE(e, nullptr);
  ASSERT_EQ(e->size(), 2U);
  EXPECT_EQ(e->front().table()->find("f")->time()->seconds, 1'767'225'600);
  EXPECT_TRUE(e->back().table()->entries.empty());
  EXPECT_EQ(table->find("g"), nullptr);
}

TEST(Toml, has_no_other_kind_under_a_name) {
  const auto table = read("a = 1.5\nb = 07:00:00\nc = 2026-01-01T00:00:00\nd = 1\n");
  ASSERT_TRUE(table.has_value());
  for (const char* key : {"a", "b", "c"}) {
    const Value& value = *table->find(key);
    EXPECT_TRUE(!value.text() && !value.integer() && !value.boolean() && !value.time() &&
                !value.list() && !value.table())
        << key;
  }
  EXPECT_EQ(table->find("d")->text(), nullptr);
}

// What asserts in the library, or would take its stack, is refused with a place.
TEST(Toml, refuses_what_the_library_asserts_against) {
  const std::string deep_dots = "a" + std::string(80'000, '.') + "a = 1";
  for (const std::string& text :
       {std::string{"[[["}, std::string{"[[[ d"}, std::string{"a = 1\n[[[ d"},
        std::string{"[[[ dL[[e]]\n"}, std::string(80'000, '['), "a = " + std::string(80'000, '['),
        std::string(80'000, '{'), deep_dots, std::string{"\xC3\xBC = 1"}}) {
    const auto refused = read(text);
    ASSERT_FALSE(refused.has_value()) << text.substr(0, 20);
    EXPECT_EQ(refused.error().code, ErrorCode::config_invalid);
    EXPECT_EQ(refused.error().remedy, "Fix it.");
  }
}

TEST(Toml, takes_as_many_dots_and_brackets_as_the_limits_say) {
  const auto dotted = [](std::size_t dots) {
    std::string key = "a";
    for (std::size_t i = 0; i < dots; ++i) key += ".a";
    return read(key + " = 1");
  };
  EXPECT_TRUE(dotted(limits::toml_dots_max).has_value());
  EXPECT_FALSE(dotted(limits::toml_dots_max + 1).has_value());
  const auto nested = [](std::size_t depth) {
    return read("a = " + std::string(depth, '[') + std::string(depth, ']'));
  };
  EXPECT_TRUE(nested(limits::toml_nesting_max).has_value());
  EXPECT_FALSE(nested(limits::toml_nesting_max + 1).has_value());
}

TEST(Toml, reads_back_each_string_that_it_writes) {
  const std::uint64_t seed = test::seed();
  SCOPED_TRACE("rerun with FIDUCIA_SEED=" + std::to_string(seed));
  std::mt19937_64 prng{seed};
  for (int round = 0, last = test::draws(2000); round < last; ++round) {
    std::string text = round % 2 == 0 ? "\xC3\xBC" : "";
    for (std::size_t i = 0, n = prng() % 20; i < n; ++i)
      text += static_cast<char>(1 + prng() % 0x7F);
    const auto table = read("a = " + toml_string(text));
    ASSERT_TRUE(table.has_value()) << to_sentence(table.error());
    EXPECT_EQ(*table->find("a")->text(), text);
  }
}

}  // namespace
}  // namespace fiducia::config
