// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite.h"

#include <gtest/gtest.h>

#include "support/support.h"

namespace fiducia::store {
namespace {

class Sqlite : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(durable_write(path(), ByteView{}).has_value());
    auto connection = Connection::open(path(), OpenMode::read_write);
    ASSERT_TRUE(connection.has_value());
    connection_.emplace(std::move(*connection));
    ASSERT_TRUE(connection_->execute("CREATE TABLE t (n INTEGER, b BLOB) STRICT").has_value());
  }
  std::filesystem::path path() const { return folder_.path() / "test.db"; }
  test::ScratchFolder folder_;
  std::optional<Connection> connection_;
};

TEST_F(Sqlite, values_come_back_as_they_were_bound) {
  auto insert = connection_->prepare("INSERT INTO t VALUES (?, ?)").value();
  auto select = connection_->prepare("SELECT n, b FROM t WHERE n = ?").value();
  const Bytes zeros(3);
  for (const std::int64_t number : {std::int64_t{0}, std::int64_t{-1}, INT64_MIN, INT64_MAX}) {
    insert.bind(1, number);
    insert.bind(2, zeros);
    ASSERT_TRUE(insert.run().has_value());
    EXPECT_EQ(connection_->changes(), 1);
    const ResetAtEnd reset{select};
    select.bind(1, number);
    ASSERT_TRUE(select.step().value());
    EXPECT_EQ(select.integer(0), number);
    EXPECT_TRUE(same_bytes(select.blob(1), zeros));
    EXPECT_FALSE(select.step().value());
  }
}

TEST_F(Sqlite, an_empty_blob_is_not_null_and_nothing_bound_is) {
  auto insert = connection_->prepare("INSERT INTO t VALUES (?, ?)").value();
  insert.bind(1, std::int64_t{1});
  insert.bind(2, ByteView{});
  ASSERT_TRUE(insert.run().has_value());
  insert.bind(1, std::int64_t{2});  // reset forgot the blob
  ASSERT_TRUE(insert.run().has_value());
  auto select = connection_->prepare("SELECT b FROM t ORDER BY n").value();
  ASSERT_TRUE(select.step().value());
  EXPECT_FALSE(select.is_null(0));
  EXPECT_TRUE(select.blob(0).empty());
  ASSERT_TRUE(select.step().value());
  EXPECT_TRUE(select.is_null(0));
}

TEST_F(Sqlite, a_connection_for_reading_does_not_write) {
  auto reader = Connection::open(path(), OpenMode::read_only).value();
  EXPECT_EQ(reader.integer("SELECT count(*) FROM t").value(), 0);
  const Status refused = reader.execute("INSERT INTO t VALUES (1, x'00')");
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, ErrorCode::io_unwritable);
}

TEST_F(Sqlite, errors_say_what_to_do_next) {
  const auto missing = Connection::open(folder_.path() / "none" / "x.db", OpenMode::read_write);
  ASSERT_FALSE(missing.has_value());
  EXPECT_EQ(missing.error().code, ErrorCode::io_unreadable);
  EXPECT_FALSE(missing.error().remedy.empty());

  ASSERT_TRUE(durable_write(folder_.path() / "text", as_bytes(std::string(4096, 'x'))).has_value());
  auto text = Connection::open(folder_.path() / "text", OpenMode::read_only).value();
  const auto answer = text.integer("SELECT count(*) FROM sqlite_schema");
  ASSERT_FALSE(answer.has_value());
  EXPECT_EQ(answer.error().code, ErrorCode::config_invalid);
}

TEST_F(Sqlite, triggers_of_a_foreign_file_do_not_run) {
  ASSERT_TRUE(connection_
                  ->execute("CREATE TABLE u (n INTEGER) STRICT; CREATE TRIGGER x AFTER INSERT ON t "
                            "BEGIN INSERT INTO u VALUES (1); END; INSERT INTO t VALUES (1, x'00')")
                  .has_value());
  EXPECT_EQ(connection_->integer("SELECT count(*) FROM t").value(), 1);
  EXPECT_EQ(connection_->integer("SELECT count(*) FROM u").value(), 0);
}

}  // namespace
}  // namespace fiducia::store
