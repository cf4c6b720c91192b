// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <thread>

#include "services/postgres_service.h"
#include "store/any_store.h"
#include "store_postgres/store_postgres.h"
#include "support/support.h"

namespace fiducia::store_postgres {
namespace {

using postgres::test::Administrator;
using postgres::test::PostgresService;
using store::Claim;
using store::ClaimAnswer;
using store::EvidenceStore;
using store::HomeMark;
using store::Record;
using store::suite::digest_of;
using store::suite::key;
using store::suite::record_of;

/// A database of its own on the shared server, dropped at the end.
class Database {
 public:
  Database() : name_("store_" + std::to_string(++made_)) {
    administrator_.run(("CREATE DATABASE " + name_).c_str());
  }
  ~Database() { administrator_.run(("DROP DATABASE " + name_ + " WITH (FORCE)").c_str()); }
  [[nodiscard]] std::string connection(const std::string& further = "") const {
    return PostgresService::shared().connection_with("dbname=" + name_ + " " + further);
  }

 private:
  static inline std::atomic<int> made_{0};
  const std::string name_;
  Administrator administrator_{PostgresService::shared().connection()};
};

class PostgresBackend final : public store::suite::Backend {
 public:
  Result<std::unique_ptr<EvidenceStore>> open(bool read_only, ByteView with) override {
    // As whoever moves a store does; a database that has one is left as it is.
    if (!read_only && same_bytes(with, key)) FIDUCIA_CHECK(create(database_.connection(), with));
    return store_postgres::open(
        {.connection = database_.connection(), .home = "log.example/1", .read_only = read_only},
        with);
  }
  void damage(const Digest& root, const std::string& column) override {
    const bool is_number = column == "ledger_index" || column == "textured_tiles";
    const std::string bit = column == "evidence" ? "octet_length(evidence) * 8 - 1" : "0";
    change("UPDATE fiducia_evidence.object SET " + column + " = " +
               (is_number ? column + " + 1"
                          : "set_bit(" + column + ", " + bit + ", 1 - get_bit(" + column + ", " +
                                bit + "))") +
               " WHERE root = $1::bytea",
           {root.view()});
  }
  void remove(const Digest& root) override {
    change("DELETE FROM fiducia_evidence.object WHERE root = $1::bytea", {root.view()});
  }
  void remove_all() override { change("DELETE FROM fiducia_evidence.object", {}); }
  int kill_rounds() const override { return 6; }

 private:
  /// Past the triggers, which only the owner can switch off.
  void change(const std::string& sql, std::vector<postgres::Parameter> parameters) {
    Administrator administrator{database_.connection()};
    EXPECT_EQ(administrator.sqlstate_of(sql.c_str(), parameters), "FE001");
    administrator.run("SET session_replication_role = replica");
    administrator.run(sql.c_str(), std::move(parameters));
  }
  Database database_;
};

std::unique_ptr<store::suite::Backend> make_postgres() {
  return std::make_unique<PostgresBackend>();
}

class PostgresStore : public ::testing::Test {
 protected:
  Result<std::unique_ptr<EvidenceStore>> try_open(PostgresStoreOptions options = {}) {
    if (options.connection.empty()) options.connection = database_.connection();
    if (options.home.empty()) options.home = "log.example/1";
    return store_postgres::open(options, key);
  }
  std::unique_ptr<EvidenceStore> open(PostgresStoreOptions options = {}) {
    EXPECT_TRUE(create(database_.connection(), key).has_value());
    auto store = try_open(std::move(options));
    EXPECT_TRUE(store.has_value()) << to_sentence(store.error());
    return std::move(*store);
  }
  Database database_;
};

TEST_F(PostgresStore, says_that_there_is_none_or_that_it_cannot_be_reached) {
  const auto missing = try_open();
  ASSERT_FALSE(missing.has_value());
  EXPECT_EQ(missing.error().code, ErrorCode::config_invalid);
  EXPECT_FALSE(missing.error().remedy.empty());
  for (const char* connection :
       {"host=/nowhere", "host=127.0.0.1 port=1", "no connection string"}) {
    SCOPED_TRACE(connection);
    const auto store = try_open({.connection = connection});
    ASSERT_FALSE(store.has_value());
    EXPECT_EQ(store.error().code, ErrorCode::io_unreadable);
    EXPECT_FALSE(store.error().remedy.empty());
  }
}

TEST_F(PostgresStore, is_not_made_twice_with_two_keys) {
  const auto id = open()->identity()->id;
  EXPECT_TRUE(create(database_.connection(), key).has_value());
  EXPECT_EQ(open()->identity()->id, id);
  EXPECT_EQ(create(database_.connection(), Bytes(32, std::byte{1})).error().code,
            ErrorCode::home_mismatch);
}

TEST_F(PostgresStore, refuses_a_later_version) {
  static_cast<void>(open());
  Administrator{database_.connection()}.run("UPDATE fiducia_evidence.store SET version = 2");
  EXPECT_EQ(try_open().error().code, ErrorCode::config_invalid);
  EXPECT_EQ(create(database_.connection(), key).error().code, ErrorCode::config_invalid);
}

TEST_F(PostgresStore, keeps_a_mark_for_each_ledger_that_never_goes_back) {
  const auto one = open(), same = open(), other = open({.home = "log.example/2"});
  const HomeMark older{.tree_size = 5, .root = digest_of(5), .pending = 2, .trust_serial = 3};
  const HomeMark newer{.tree_size = 9, .root = digest_of(9), .pending = 0, .trust_serial = 2};
  ASSERT_TRUE(one->put({}, &older).has_value());
  ASSERT_TRUE(same->put({}, &newer).has_value());
  ASSERT_TRUE(one->put({}, &older).has_value());
  EXPECT_EQ(one->mark()->tree_size, 9u);
  EXPECT_EQ(one->mark()->root, digest_of(9));
  EXPECT_EQ(one->mark()->trust_serial, 3u) << "the largest";
  EXPECT_EQ(other->mark()->tree_size, 0u);
  ASSERT_TRUE(one->accept(older).has_value());
  EXPECT_EQ(one->mark()->tree_size, 5u) << "unless somebody decides so";
}

// What docs/operations.md grants is enough to seal and to verify, and not to change anything.
TEST_F(PostgresStore, works_for_a_role_with_the_rights_that_are_documented) {
  static_cast<void>(open());
  Administrator administrator{database_.connection()};
  administrator.run("DROP ROLE IF EXISTS sealer");
  administrator.run("CREATE ROLE sealer LOGIN");
  for (const char* grant :
       {"GRANT USAGE ON SCHEMA fiducia_evidence TO sealer",
        "GRANT SELECT ON ALL TABLES IN SCHEMA fiducia_evidence TO sealer",
        "GRANT INSERT ON fiducia_evidence.object, fiducia_evidence.sketch,"
        " fiducia_evidence.identity, fiducia_evidence.home TO sealer",
        "GRANT UPDATE ON fiducia_evidence.identity, fiducia_evidence.home TO sealer",
        "GRANT UPDATE (objects) ON fiducia_evidence.store TO sealer"})
    administrator.run(grant);
  const std::string connection = database_.connection("user=sealer");
  {
    const auto store = try_open({.connection = connection});
    ASSERT_TRUE(store.has_value()) << to_sentence(store.error());
    const auto held = (*store)->reserve(std::vector<Claim>{{record_of(1).sop_instance_uid}}, 0);
    ASSERT_TRUE(held.has_value()) << to_sentence(held.error());
    const HomeMark mark{.tree_size = 1, .root = digest_of(1), .pending = 0, .trust_serial = 1};
    const Status put = (*held)->put(std::vector{record_of(1)}, &mark);
    ASSERT_TRUE(put.has_value()) << to_sentence(put.error());
    EXPECT_TRUE((*store)->check()->ok());
  }
  Administrator sealer{connection};
  EXPECT_EQ(sealer.sqlstate_of("DELETE FROM fiducia_evidence.object"), "42501");
  EXPECT_EQ(sealer.sqlstate_of("ALTER TABLE fiducia_evidence.object DISABLE TRIGGER no_change"),
            "42501");
  administrator.run("DROP OWNED BY sealer");
  administrator.run("DROP ROLE sealer");
}

// A role may be set up to look names up in a schema that others write to.
TEST_F(PostgresStore, finds_no_function_that_somebody_else_has_put_in_its_way) {
  static_cast<void>(open());
  Administrator administrator{database_.connection()};
  administrator.run("CREATE SCHEMA others");
  administrator.run(
      "CREATE FUNCTION others.int8send(bigint) RETURNS bytea LANGUAGE sql AS $$ SELECT ''::bytea "
      "$$");
  administrator.run(
      "CREATE FUNCTION others.octet_length(bytea) RETURNS integer LANGUAGE sql AS $$ SELECT 1 $$");
  const std::string connection =
      database_.connection("options='-c search_path=others,pg_catalog,fiducia_evidence'");
  EXPECT_EQ(Administrator{connection}.integer("SELECT octet_length('abc'::bytea)::bigint"), 1)
      << "the trap is set";
  const auto store = try_open({.connection = connection});
  ASSERT_TRUE(store.has_value()) << to_sentence(store.error());
  ASSERT_TRUE((*store)->put(std::vector{record_of(1)}).has_value());
  EXPECT_EQ((*store)->find_by_sketch(record_of(1).sketch).value(),
            std::vector<Bytes>{record_of(1).evidence});
}

TEST(PostgresStoreServer, whose_standby_has_not_confirmed_is_not_said_to_have_stored) {
  PostgresService service;
  ASSERT_TRUE(create(service.connection(), key).has_value());
  const auto store =
      store_postgres::open({.connection = service.connection(), .home = "log.example/1"}, key)
          .value();
  const auto held = store->reserve(std::vector<Claim>{{record_of(1).sop_instance_uid}}, 0).value();
  const auto name_standby = [&](const std::string& name) {
    service.command("set synchronous_standby_names " + name);
    // All sessions that are idle take it over.
    return postgres::test::eventually([&] {
      return Administrator{service.connection()}.integer(
                 "SELECT (current_setting('synchronous_standby_names') = $1::text)::int::bigint",
                 {std::string_view{name}}) == 1;
    });
  };
  ASSERT_TRUE(name_standby("nobody"));
  Status put;
  {
    const std::jthread putting{[&] { put = held->put(std::vector{record_of(1)}, nullptr); }};
    // Somebody who does not want to wait for the standby any more.
    EXPECT_TRUE(postgres::test::eventually([&] {
      return Administrator{service.connection()}.integer(
                 "SELECT count(pg_cancel_backend(pid)) FROM pg_stat_activity"
                 " WHERE wait_event = 'SyncRep'") == 1;
    }));
  }
  ASSERT_FALSE(put.has_value());
  EXPECT_EQ(put.error().code, ErrorCode::io_unwritable) << to_sentence(put.error());
  EXPECT_NE(put.error().what.find("standby"), std::string::npos) << put.error().what;
  EXPECT_FALSE(put.error().remedy.empty());
  ASSERT_TRUE(name_standby(""));
  EXPECT_EQ(store->find_by_root(record_of(1).object_root).value(), record_of(1).evidence)
      << "here it is";
}

TEST(PostgresStoreServer, that_would_forget_at_a_power_cut_stores_nothing) {
  PostgresService service;
  ASSERT_TRUE(create(service.connection(), key).has_value());
  service.command("set fsync off");
  const auto open = [&](bool read_only) {
    return store_postgres::open(
        {.connection = service.connection(), .home = "log.example/1", .read_only = read_only}, key);
  };
  ASSERT_TRUE(postgres::test::eventually([&] {
    return Administrator{service.connection()}.integer(
               "SELECT (current_setting('fsync') = 'off')::int::bigint") == 1;
  }));
  const auto refused = open(false);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, ErrorCode::config_invalid);
  EXPECT_TRUE(open(true).has_value()) << "who only reads loses nothing";
}

TEST_F(PostgresStore, a_reservation_that_was_lost_stores_nothing) {
  const auto store = open(), other = open();
  const std::vector<Claim> claim{{record_of(1).sop_instance_uid}};
  auto held = store->reserve(claim, 0).value();
  Administrator{database_.connection()}.run(
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
      " WHERE datname = current_database() AND state = 'idle in transaction'");
  const auto mine = other->reserve(claim, 60'000);
  ASSERT_TRUE(mine.has_value());
  EXPECT_EQ((*mine)->answers().front(), ClaimAnswer::granted);
  Record late = record_of(2);
  late.sop_instance_uid = record_of(1).sop_instance_uid;
  const Status put = held->put(std::vector{late}, nullptr);
  ASSERT_FALSE(put.has_value());
  EXPECT_EQ(put.error().code, ErrorCode::io_unwritable);
  EXPECT_FALSE(put.error().remedy.empty());
  ASSERT_TRUE((*mine)->put(std::vector{record_of(1)}, nullptr).has_value());
  EXPECT_EQ(store->find_by_instance(late.sop_instance_uid).value(),
            std::vector<Bytes>{record_of(1).evidence});
}

TEST_F(PostgresStore, a_reservation_of_somebody_who_stands_still_ends) {
  const auto slow = open({.reservation_ms_max = 100}), other = open();
  const std::vector<Claim> claim{{record_of(1).sop_instance_uid}};
  const auto held = slow->reserve(claim, 0).value();
  const auto mine = other->reserve(claim, 60'000);
  ASSERT_TRUE(mine.has_value()) << to_sentence(mine.error());
  EXPECT_EQ((*mine)->answers().front(), ClaimAnswer::granted);
  EXPECT_FALSE(held->put(std::vector{record_of(1)}, nullptr).has_value());
}

TEST_F(PostgresStore, waits_no_longer_than_it_may_for_an_answer) {
  const auto store = open({.statement_timeout_ms = 100});
  Administrator holder{database_.connection()};
  holder.run("BEGIN");
  holder.run("LOCK TABLE fiducia_evidence.object");
  const auto found = store->find_by_root(digest_of(1));
  ASSERT_FALSE(found.has_value());
  EXPECT_EQ(found.error().code, ErrorCode::busy);
  EXPECT_FALSE(found.error().remedy.empty());
}

TEST(PostgresStoreServer, goes_on_when_the_server_was_started_again) {
  PostgresService service;
  ASSERT_TRUE(create(service.connection(), key).has_value());
  const auto store =
      store_postgres::open({.connection = service.connection(), .home = "log.example/1"}, key)
          .value();
  ASSERT_TRUE(store->put(std::vector{record_of(1)}).has_value());
  service.command("stop immediate");
  const auto gone = store->find_by_root(digest_of(1));
  ASSERT_FALSE(gone.has_value());
  EXPECT_EQ(gone.error().code, ErrorCode::io_unreadable);
  const Status unwritten = store->put(std::vector{record_of(2)});
  ASSERT_FALSE(unwritten.has_value());
  EXPECT_EQ(unwritten.error().code, ErrorCode::io_unwritable);
  EXPECT_FALSE(unwritten.error().remedy.empty());
  service.command("start");
  EXPECT_EQ(store->find_by_root(digest_of(1)).value(), record_of(1).evidence);
  ASSERT_TRUE(store->put(std::vector{record_of(2)}).has_value());
  EXPECT_TRUE(store->check()->ok());
}

}  // namespace
}  // namespace fiducia::store_postgres

namespace fiducia::store::suite {
INSTANTIATE_TEST_SUITE_P(Postgres, AnyStore, ::testing::Values(&store_postgres::make_postgres));
}  // namespace fiducia::store::suite
