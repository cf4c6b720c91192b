// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <fstream>
#include <thread>

#include "crypto/crypto.h"
#include "store/any_store.h"
#include "support/support.h"

namespace fiducia::store {
namespace {

using suite::digest_of;
using suite::key;
using suite::record_of;

/// What somebody does with the sqlite3 program.
void execute(const std::filesystem::path& path, const std::string& sql) {
  sqlite3* raw = nullptr;
  ASSERT_EQ(sqlite3_open(path.c_str(), &raw), SQLITE_OK);
  sqlite3_busy_timeout(raw, 10'000);
  char* message = nullptr;
  EXPECT_EQ(sqlite3_exec(raw, sql.c_str(), nullptr, nullptr, &message), SQLITE_OK)
      << sql << ": " << message;
  sqlite3_free(message);
  sqlite3_close(raw);
}

class SqliteBackend final : public suite::Backend {
 public:
  Result<std::unique_ptr<EvidenceStore>> open(bool read_only, ByteView with) override {
    return open_sqlite(path(), with, read_only);
  }
  void damage(const Digest& root, const std::string& column) override {
    const bool is_number = column == "ledger_index" || column == "textured_tiles";
    std::string value = column + " + 1";
    if (!is_number) {
      Bytes bytes;
      sqlite3* raw = nullptr;
      ASSERT_EQ(sqlite3_open(path().c_str(), &raw), SQLITE_OK);
      const auto keep = [](void* to, int, char** columns, char**) {
        *static_cast<Bytes*>(to) = from_hex(columns[0]).value();
        return 0;
      };
      ASSERT_EQ(
          sqlite3_exec(raw, ("SELECT lower(hex(" + column + ")) FROM object" + where(root)).c_str(),
                       keep, &bytes, nullptr),
          SQLITE_OK);
      sqlite3_close(raw);
      ASSERT_FALSE(bytes.empty());
      if (column == "evidence")
        bytes.back() ^= std::byte{1};
      else
        bytes.front() ^= std::byte{0x80};
      value = "x'" + to_hex(bytes) + "'";
    }
    execute(path(), "UPDATE object SET " + column + " = " + value + where(root));
  }
  void remove(const Digest& root) override { execute(path(), "DELETE FROM object" + where(root)); }
  void remove_all() override { execute(path(), "DELETE FROM object"); }
  int kill_rounds() const override { return 30; }

 private:
  std::filesystem::path path() const { return folder_.path() / "evidence.db"; }
  static std::string where(const Digest& root) {
    return " WHERE root = x'" + to_hex(root.view()) + "'";
  }
  test::ScratchFolder folder_;
};

std::unique_ptr<suite::Backend> make_sqlite() { return std::make_unique<SqliteBackend>(); }

}  // namespace

namespace suite {
INSTANTIATE_TEST_SUITE_P(Sqlite, AnyStore, ::testing::Values(&make_sqlite));
}  // namespace suite

namespace {

class Store : public ::testing::Test {
 protected:
  std::filesystem::path path() const { return folder_.path() / "evidence.db"; }
  std::unique_ptr<EvidenceStore> open(bool read_only = false, ByteView with = key) {
    auto store = open_sqlite(path(), with, read_only);
    EXPECT_TRUE(store.has_value()) << (store ? "" : to_sentence(store.error()));
    return store ? std::move(*store) : nullptr;
  }
  std::vector<std::string> files() const {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(folder_.path()))
      names.push_back(entry.path().filename().string());
    std::sort(names.begin(), names.end());
    return names;
  }
  Bytes content() const { return read_file(path(), 1 << 30).value(); }
  test::ScratchFolder folder_;
};

TEST_F(Store, refuses_a_key_that_is_not_32_bytes) {
  for (const std::size_t size : {0u, 31u, 33u}) {
    const auto store = open_sqlite(path(), Bytes(size));
    ASSERT_FALSE(store.has_value());
    EXPECT_EQ(store.error().code, ErrorCode::config_invalid);
  }
  EXPECT_TRUE(files().empty());
}

TEST_F(Store, holds_no_instance_uid_in_clear) {
  const Record record = record_of(123456789);
  ASSERT_TRUE(open()->put(std::vector{record}).has_value());
  const Bytes bytes = content();
  EXPECT_EQ(as_text(bytes).find("1.2.826.0.1.3680043"), std::string_view::npos);
  // Nor an unkeyed hash that a list of known UIDs would reveal.
  const Digest plain = crypto::sha256(as_bytes(record.sop_instance_uid));
  EXPECT_EQ(as_text(bytes).find(as_text(plain.view().first(16))), std::string_view::npos);
}

TEST_F(Store, is_readable_by_its_owner_only) {
  const auto store = open();
  ASSERT_TRUE(store->put(std::vector{record_of(1)}).has_value());
  for (const std::string& name : files()) {
    SCOPED_TRACE(name);
    struct stat info{};
    ASSERT_EQ(::stat((folder_.path() / name).c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777U, 0600U);
  }
}

// --- refusals of files --------------------------------------------------------------------------

void make_database(const std::filesystem::path& path, const char* sql) {
  sqlite3* connection = nullptr;
  ASSERT_EQ(sqlite3_open(path.c_str(), &connection), SQLITE_OK);
  ASSERT_EQ(sqlite3_exec(connection, sql, nullptr, nullptr, nullptr), SQLITE_OK);
  sqlite3_close(connection);
}

TEST_F(Store, refuses_files_that_are_no_evidence_store_and_leaves_them_alone) {
  struct Row {
    const char* name;
    const char* sql;  // null: not SQLite at all
  };
  for (const Row& row :
       {Row{"someone else's database", "CREATE TABLE notes (text); INSERT INTO notes VALUES (1)"},
        Row{"another application id", "PRAGMA application_id = 99"},
        Row{"a later schema", "PRAGMA application_id = 1180979060; PRAGMA user_version = 3"},
        Row{"an earlier schema", "PRAGMA application_id = 1180979060; PRAGMA user_version = 0"},
        Row{"text", nullptr}}) {
    SCOPED_TRACE(row.name);
    std::filesystem::remove(path());
    if (row.sql != nullptr) {
      make_database(path(), row.sql);
    } else {
      std::ofstream{path()} << std::string(8192, 'x');
    }
    const Bytes before = content();
    for (const bool read_only : {false, true}) {
      const auto store = open_sqlite(path(), key, read_only);
      ASSERT_FALSE(store.has_value());
      EXPECT_EQ(store.error().code, ErrorCode::config_invalid) << to_sentence(store.error());
      EXPECT_EQ(store.error().where.file, path().string());
    }
    EXPECT_EQ(content(), before);
    EXPECT_EQ(files(), std::vector<std::string>{"evidence.db"});
  }
}

TEST_F(Store, read_only_refuses_what_is_not_there_and_creates_nothing) {
  const auto store = open_sqlite(path(), key, true);
  ASSERT_FALSE(store.has_value());
  EXPECT_EQ(store.error().code, ErrorCode::io_unreadable);
  EXPECT_TRUE(files().empty());
}

TEST_F(Store, a_damaged_file_gives_an_error_not_a_wrong_answer) {
  std::vector<Record> records;
  for (std::uint64_t i = 0; i < 50; ++i) records.push_back(record_of(i, 3000));
  ASSERT_TRUE(open()->put(records).has_value());
  const Bytes whole = content();
  const std::uint64_t seed = test::seed();
  SCOPED_TRACE("rerun with FIDUCIA_SEED=" + std::to_string(seed));
  std::mt19937_64 prng{seed};
  for (int round = 0; round < 60; ++round) {
    Bytes damaged = whole;
    // B-tree pages after the first: their headers and cell pointers.
    for (int i = 0; i < 200; ++i)
      damaged[4096 + prng() % (damaged.size() - 4096)] ^= std::byte{0x5A};
    if (round % 3 == 0) damaged.resize(prng() % damaged.size());
    ASSERT_TRUE(durable_write(path(), damaged).has_value());
    const auto store = open_sqlite(path(), key, true);
    if (!store) continue;
    for (const Record& record : records) {
      // Whatever comes back, it must come back: an error, nothing, or bytes. The content of
      // evidence is judged by signature, not by the store.
      static_cast<void>((*store)->find_by_instance(record.sop_instance_uid));
      static_cast<void>((*store)->find_by_root(record.object_root));
      const auto found = (*store)->find_by_sketch(record.sketch);
      EXPECT_TRUE(!found || found->size() <= 4u);
    }
  }
}

// --- reading only -------------------------------------------------------------------------------

TEST_F(Store, read_only_creates_nothing_beside_the_file) {
  const Record record = record_of(1);
  ASSERT_TRUE(open()->put(std::vector{record}).has_value());
  ASSERT_EQ(files(), std::vector<std::string>{"evidence.db"});
  const Bytes before = content();
  {
    const auto store = open(true);
    EXPECT_EQ(store->find_by_instance(record.sop_instance_uid).value().size(), 1u);
    EXPECT_EQ(files(), std::vector<std::string>{"evidence.db"});
    const Status refused = store->put(std::vector{record_of(2)});
    ASSERT_FALSE(refused.has_value());
    EXPECT_EQ(refused.error().code, ErrorCode::io_unwritable);
  }
  EXPECT_EQ(files(), std::vector<std::string>{"evidence.db"});
  EXPECT_EQ(content(), before);
}

TEST_F(Store, read_only_sees_what_a_writer_adds_while_both_are_open) {
  ASSERT_TRUE(open()->put(std::vector{record_of(1)}).has_value());
  const auto reader = open(true);  // opened while nobody writes
  EXPECT_EQ(reader->count().value(), 1u);
  {
    const auto writer = open();
    for (std::uint64_t i = 2; i < 40; ++i) {
      ASSERT_TRUE(writer->put(std::vector{record_of(i, 5000)}).has_value());
      ASSERT_EQ(reader->find_by_root(digest_of(i)).value(), record_of(i, 5000).evidence) << i;
    }
  }
  EXPECT_EQ(reader->count().value(), 39u) << "after the writer has closed";
  ASSERT_TRUE(open()->put(std::vector{record_of(99)}).has_value());
  EXPECT_EQ(reader->find_by_root(digest_of(99)).value(), record_of(99).evidence)
      << "a writer came and went between two look-ups";
}

TEST_F(Store, read_only_reads_the_log_of_a_writer_that_was_killed) {
  const Record record = record_of(1);
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    const auto store = open_sqlite(path(), key);
    if (!store || !(*store)->put(std::vector{record})) ::_exit(1);
    ::kill(::getpid(), SIGKILL);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFSIGNALED(status));
  ASSERT_TRUE(std::filesystem::exists(path().string() + "-wal"));
  EXPECT_EQ(open(true)->find_by_root(record.object_root).value(), record.evidence);
  // Without the log's index the log cannot be read without writing: that is said, not guessed.
  std::filesystem::remove(path().string() + "-shm");
  const auto store = open_sqlite(path(), key, true);
  ASSERT_FALSE(store.has_value());
  EXPECT_EQ(store.error().code, ErrorCode::io_unreadable);
  EXPECT_EQ(store.error().kind, log_lost_kind);
  EXPECT_FALSE(std::filesystem::exists(path().string() + "-shm"));
  // With write access it is recovered.
  EXPECT_EQ(open()->find_by_root(record.object_root).value(), record.evidence);
}

TEST_F(Store, read_only_works_in_a_folder_that_nobody_can_write_to) {
  const Record record = record_of(1);
  ASSERT_TRUE(open()->put(std::vector{record}).has_value());
  std::filesystem::permissions(path(), std::filesystem::perms(0444));
  std::filesystem::permissions(folder_.path(), std::filesystem::perms(0555));
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    // Permissions do not bind root.
    constexpr uid_t nobody = 65534;
    if (::geteuid() == 0 && ::setuid(nobody) != 0) ::_exit(2);
    if (::access(folder_.path().c_str(), W_OK) == 0) ::_exit(3);
    const auto store = open_sqlite(path(), key, true);
    if (!store) ::_exit(4);
    const auto found = (*store)->find_by_root(record.object_root);
    ::_exit(found && *found == record.evidence ? 0 : 5);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
  std::filesystem::permissions(folder_.path(), std::filesystem::perms(0700));
}

// --- earlier versions ----------------------------------------------------------------------------

/// A store as version 1 wrote it, with the records given.
void make_version_1(const std::filesystem::path& path, std::span<const Record> records) {
  {
    auto store = open_sqlite(path, key);
    ASSERT_TRUE(store.has_value());
    std::vector<Record> plain(records.begin(), records.end());
    for (Record& record : plain) record.study_instance_uid = record.series_instance_uid = "";
    ASSERT_TRUE((*store)->put(plain).has_value());
  }
  execute(path,
          "DROP INDEX object_by_study; DROP INDEX object_by_series; "
          "ALTER TABLE object DROP COLUMN study; ALTER TABLE object DROP COLUMN series; "
          "PRAGMA user_version = 1; PRAGMA journal_mode = DELETE");
}

TEST_F(Store, reads_a_store_of_version_1_and_leaves_it_as_it_is) {
  const std::vector<Record> records{record_of(1), record_of(2)};
  make_version_1(path(), records);
  const Bytes before = content();
  {
    const auto store = open(true);
    EXPECT_EQ(store->find_by_root(digest_of(1)).value(), records[0].evidence);
    EXPECT_EQ(store->find_by_instance(records[1].sop_instance_uid)->size(), 1u);
    EXPECT_EQ(store->find_by_sketch(records[1].sketch)->size(), 1u);
    EXPECT_TRUE(store->check()->ok()) << store->check()->text;
    EXPECT_EQ(store->list({})->objects.size(), 2u);
    EXPECT_EQ(store->list({.objects_max = 1})->objects.size(), 1u);
    EXPECT_TRUE(
        store->list({.study_instance_uid = records[0].study_instance_uid})->objects.empty());
  }
  EXPECT_EQ(content(), before);
}

TEST_F(Store, brings_a_store_of_version_1_forward_when_it_writes) {
  const std::vector<Record> records{record_of(1), record_of(2)};
  make_version_1(path(), records);
  const auto reader = open(true);
  EXPECT_EQ(reader->count().value(), 2u);
  const auto store = open();
  ASSERT_TRUE(store->put(std::vector{record_of(3)}).has_value());
  const auto later = open(true);
  for (EvidenceStore* each : {store.get(), reader.get(), later.get()}) {
    for (std::uint64_t i = 1; i <= 3; ++i)
      EXPECT_EQ(each->find_by_root(digest_of(i)).value(), record_of(i).evidence);
    EXPECT_TRUE(each->check()->ok()) << each->check()->text;
    EXPECT_EQ(each->list({})->objects.size(), 3u);
    const auto listed = each->list({.study_instance_uid = record_of(3).study_instance_uid});
    ASSERT_EQ(listed->objects.size(), 1u);
    EXPECT_EQ(listed->objects.front().ledger_index, 3u);
  }
}

// Killed at any moment, the file is of the one version or of the other, and whole.
TEST_F(Store, is_whole_when_killed_while_it_is_brought_forward) {
  std::vector<Record> records;
  for (std::uint64_t i = 0; i < 300; ++i) records.push_back(record_of(i, 5000));
  make_version_1(path(), records);
  const Bytes before = content();
  const std::uint64_t seed = test::seed();
  SCOPED_TRACE("rerun with FIDUCIA_SEED=" + std::to_string(seed));
  std::mt19937_64 prng{seed};
  int killed = 0;
  for (int round = 0; round < 12; ++round) {
    for (const char* suffix : {"-wal", "-shm"}) std::filesystem::remove(path().string() + suffix);
    ASSERT_TRUE(durable_write(path(), before).has_value());
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      const auto store = open_sqlite(path(), key);
      ::_exit(store ? 0 : 1);
    }
    ::usleep(static_cast<useconds_t>(prng() % 12'000));
    ::kill(child, SIGKILL);
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    killed += WIFSIGNALED(status);
    ASSERT_TRUE(WIFSIGNALED(status) || WEXITSTATUS(status) == 0);
    const auto store = open();
    ASSERT_NE(store, nullptr);
    EXPECT_TRUE(store->check()->ok()) << store->check()->text;
    EXPECT_EQ(store->list({})->objects.size(), records.size());
    EXPECT_EQ(store->find_by_root(digest_of(7)).value(), records[7].evidence);
  }
  EXPECT_GT(killed, 0) << "no round was killed in time";
}

TEST_F(Store, gives_all_its_records_and_leaves_damaged_ones_out) {
  std::vector<Record> records;
  for (std::uint64_t i = 0; i < 600; ++i)
    records.push_back(record_of(i, i % 50 == 0 ? 200'000 : 200));
  records[5].sop_instance_uid = records[6].study_instance_uid = records[7].series_instance_uid = "";
  records[8].sketch = {};
  ASSERT_TRUE(open()->put(records).has_value());
  execute(path(), "UPDATE object SET ledger_index = 12345 WHERE id = 4");
  const std::filesystem::path copy = folder_.path() / "copy.db";
  {
    const auto to = open_sqlite(copy, key).value();
    std::uint64_t damaged = 0;
    const Status moved = read_sqlite(path(), key, damaged,
                                     [&](std::span<const StoredRecord> some, std::uint64_t total) {
                                       EXPECT_EQ(total, records.size());
                                       return to->put_stored(some);
                                     });
    ASSERT_TRUE(moved.has_value()) << to_sentence(moved.error());
    EXPECT_EQ(damaged, 1u);
  }
  const auto to = open_sqlite(copy, key, true).value();
  EXPECT_TRUE(to->check()->ok());
  EXPECT_EQ(to->count().value(), records.size() - 1);
  for (const Record& record : records) {
    if (record.ledger_index == 3) continue;
    ASSERT_EQ(to->find_by_root(record.object_root).value(), record.evidence);
    if (!record.sketch.values.empty()) {
      ASSERT_EQ(to->find_by_sketch(record.sketch)->size(), 1u);
    }
    if (!record.sop_instance_uid.empty()) {
      ASSERT_EQ(to->find_by_instance(record.sop_instance_uid)->size(), 1u);
    }
  }
  EXPECT_EQ(to->list({.study_instance_uid = records[16].study_instance_uid})->objects.size(), 8u);
}

// Names of any kind reach the file they name, not what SQLite's URIs would make of them.
TEST_F(Store, opens_odd_file_names_as_they_are) {
  for (const char* name : {"a?mode=memory", "b#c", "100%41", "with space", ":memory:"}) {
    SCOPED_TRACE(name);
    const std::filesystem::path odd = folder_.path() / name;
    {
      auto store = open_sqlite(odd, key);
      ASSERT_TRUE(store.has_value());
      ASSERT_TRUE((*store)->put(std::vector{record_of(1)}).has_value());
    }
    EXPECT_TRUE(std::filesystem::exists(odd));
    auto store = open_sqlite(odd, key, true);
    ASSERT_TRUE(store.has_value());
    EXPECT_EQ((*store)->count().value(), 1u);
  }
}

}  // namespace
}  // namespace fiducia::store
