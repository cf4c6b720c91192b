// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <array>

#include "postgres/postgres.h"

namespace fiducia::postgres {
namespace {

constexpr std::array own{
    Meaning{"55P03", ErrorCode::busy, "Another one holds it.", "Wait."},
    Meaning{"57014", ErrorCode::io_unreadable, "It took too long here.", "Ask for less."},
};

TEST(Meaning, is_that_of_the_caller_before_that_for_everybody) {
  const Error locked = error_of({.sqlstate = "55P03"}, ErrorCode::internal, "the place", own);
  EXPECT_EQ(locked.code, ErrorCode::busy);
  EXPECT_EQ(locked.what, "Another one holds it.");
  EXPECT_EQ(locked.where.file, "the place");
  EXPECT_EQ(error_of({.sqlstate = "57014"}, ErrorCode::internal, "", own).code,
            ErrorCode::io_unreadable);
  EXPECT_EQ(error_of({.sqlstate = "57014"}, ErrorCode::internal, "").code, ErrorCode::busy);
}

TEST(Meaning, of_what_a_server_says_to_all_has_a_code_and_a_remedy) {
  for (const char* busy : {"57014", "40001", "40P01", "53300"})
    EXPECT_EQ(error_of({.sqlstate = busy}, ErrorCode::internal, "").code, ErrorCode::busy) << busy;
  for (const char* unwritable : {"53100", "25006"})
    EXPECT_EQ(error_of({.sqlstate = unwritable}, ErrorCode::internal, "").code,
              ErrorCode::io_unwritable)
        << unwritable;
}

TEST(Meaning, of_anything_else_is_in_the_servers_words) {
  const Failure failure{.sqlstate = "22012", .text = "The database answered: division by zero."};
  const Error error = error_of(failure, ErrorCode::io_unreadable, "the place", own);
  EXPECT_EQ(error.code, ErrorCode::io_unreadable);
  EXPECT_EQ(error.what, failure.text);
  EXPECT_FALSE(error.remedy.empty());
  const Failure missing{.text = "No libpq.", .remedy = "Install it.", .lost = true};
  EXPECT_EQ(error_of(missing, ErrorCode::io_unwritable, "", own).remedy, "Install it.");
}

TEST(ConnectionString, holds_a_secret_where_libpq_would_not_show_it) {
  for (const char* secret :
       {"password=x", "host=db password='two words'", "postgresql://user:word@db/fiducia",
        "postgresql://db/fiducia?password=x", "host=db sslpassword=x"})
    EXPECT_TRUE(Connection::holds_secret(secret).value()) << secret;
  for (const char* open :
       {"service=fiducia", "host=db dbname=password", "postgresql://user@db/fiducia",
        "host=db passfile=/etc/fiducia/pgpass", "password=''", ""})
    EXPECT_FALSE(Connection::holds_secret(open).value()) << open;
  const auto nonsense = Connection::holds_secret("no connection string");
  ASSERT_FALSE(nonsense.has_value());
  EXPECT_FALSE(nonsense.error().remedy.empty());
  EXPECT_EQ(nonsense.error().text.find("no connection string"), std::string::npos);
}

}  // namespace
}  // namespace fiducia::postgres
