// SPDX-License-Identifier: Apache-2.0
// Bounds of what goes to a database and comes from it: at each it is taken, one past it is refused.
#include <gtest/gtest.h>

#include "ledger_postgres/ledger_postgres.h"
#include "services/postgres_service.h"

namespace fiducia::ledger_postgres::test {
namespace {

using postgres::test::Administrator;
using postgres::test::PostgresService;

TEST(PostgresLimit, of_a_logs_name_holds) {
  const std::string& server = PostgresService::shared().connection();
  const auto made =
      PostgresSequencer::create(server, std::string(limits::postgres_origin_bytes_max, 'o'));
  EXPECT_TRUE(made.has_value()) << to_sentence(made.error());
  const auto refused =
      PostgresSequencer::create(server, std::string(limits::postgres_origin_bytes_max + 1, 'o'));
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, ErrorCode::usage_invalid);
}

TEST(PostgresLimit, of_what_is_kept_and_handed_on_is_that_of_the_program_unless_told) {
  // What each does at its value and past it is tested with smaller ones.
  const PostgresOptions options;
  EXPECT_EQ(options.publishing_bytes_max, limits::postgres_publishing_bytes_max);
  EXPECT_EQ(options.kept_rounds_max, limits::postgres_kept_rounds_max);
  EXPECT_EQ(options.kept_bytes_max, limits::postgres_kept_bytes_max);
}

TEST(PostgresLimit, of_the_rows_of_one_answer_holds) {
  constexpr std::int64_t bytes = 1'000'000;
  const auto ask = [&](std::uint64_t row_bytes_max) {
    auto connection = postgres::Connection::open(PostgresService::shared().connection());
    EXPECT_TRUE(connection.has_value());
    const std::array commands{
        postgres::Command{"SELECT convert_to(repeat('x', $1::bigint::int), 'UTF8')", {bytes / 2}},
        postgres::Command{"SELECT convert_to(repeat('y', $1::bigint::int), 'UTF8')", {bytes / 2}}};
    return connection->run(commands, std::chrono::minutes{1}, /*prepare=*/false, row_bytes_max);
  };
  const auto taken = ask(bytes);
  ASSERT_TRUE(taken.has_value()) << taken.error().text;
  EXPECT_EQ(taken->back().bytes(0, 0).size(), static_cast<std::size_t>(bytes / 2));
  const auto refused = ask(bytes - 1);
  ASSERT_FALSE(refused.has_value());
  EXPECT_TRUE(refused.error().lost) << "what still comes is not waited for";
}

}  // namespace
}  // namespace fiducia::ledger_postgres::test
