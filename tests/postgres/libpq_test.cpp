// SPDX-License-Identifier: Apache-2.0
#include "postgres/libpq.h"

#include <dlfcn.h>
#include <gtest/gtest.h>

#include "support/support.h"

namespace fiducia::postgres {
namespace {

bool is_loaded(const char* library) {
  void* const found = ::dlopen(library, RTLD_LAZY | RTLD_NOLOAD);
  if (found != nullptr) ::dlclose(found);
  return found != nullptr;
}

// The first test of this program: what is linked would be loaded from its start.
TEST(Libpq, is_loaded_by_the_first_connection_and_not_by_the_program) {
  EXPECT_FALSE(is_loaded(libpq_file));
  const auto connection = Connection::open("host=/nowhere/at/all dbname=none");
  ASSERT_FALSE(connection.has_value());
  EXPECT_TRUE(connection.error().text.starts_with("The database cannot be reached"))
      << connection.error().text;
  EXPECT_EQ(connection.error().remedy, "");
  EXPECT_TRUE(is_loaded(libpq_file));
}

TEST(Libpq, that_is_not_installed_is_a_failure_that_says_what_to_install) {
  const auto missing = load_libpq("libpq-that-is-not-there.so.5");
  ASSERT_FALSE(missing.has_value());
  EXPECT_FALSE(missing.error().lost) << "it would be tried again";
  EXPECT_NE(missing.error().text.find("libpq-that-is-not-there.so.5"), std::string::npos);
  EXPECT_NE(missing.error().remedy.find("libpq5"), std::string::npos);
}

TEST(Libpq, that_lacks_a_function_is_refused_as_a_whole) {
  const auto other = load_libpq("libm.so.6");  // a library, and not libpq
  ASSERT_FALSE(other.has_value());
  EXPECT_NE(other.error().text.find("has no PQ"), std::string::npos) << other.error().text;
  EXPECT_NE(other.error().remedy.find("PostgreSQL 14"), std::string::npos);
}

TEST(Libpq, that_is_installed_has_all_functions) {
  const auto loaded = load_libpq(libpq_file);
  ASSERT_TRUE(loaded.has_value()) << loaded.error().text;
#define FIDUCIA_EXPECT(name) EXPECT_NE(loaded->name, nullptr) << #name;
  FIDUCIA_LIBPQ_FUNCTIONS(FIDUCIA_EXPECT)
#undef FIDUCIA_EXPECT
}

}  // namespace
}  // namespace fiducia::postgres
