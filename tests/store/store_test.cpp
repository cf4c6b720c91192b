// SPDX-License-Identifier: Apache-2.0
#include "store/store.h"

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

#include "canonical/canonical.h"
#include "crypto/crypto.h"
#include "support/support.h"

namespace fiducia::store {
namespace {

using Evidences = std::vector<Bytes>;

const Bytes key(32, std::byte{0x42});

Digest digest_of(std::uint64_t number) {
  std::array<std::byte, 8> bytes;
  store_le(bytes.data(), number);
  return crypto::sha256(bytes);
}

/// A record that its number determines, so that a reader can tell whether it came back whole.
Record record_of(std::uint64_t number, std::size_t evidence_bytes = 300) {
  Record record;
  record.sop_instance_uid = "1.2.826.0.1.3680043.10.1." + std::to_string(number);
  record.object_root = digest_of(number);
  std::mt19937_64 prng{number};
  for (int i = 0; i < 32; ++i) record.sketch.values.push_back(prng());
  std::sort(record.sketch.values.begin(), record.sketch.values.end());
  record.sketch.textured_tiles = 64;
  record.evidence = test::random_bytes(prng, evidence_bytes);
  record.ledger_index = number;
  return record;
}

class Store : public ::testing::Test {
 protected:
  std::filesystem::path path() const { return folder_.path() / "evidence.db"; }
  std::unique_ptr<EvidenceStore> open(bool read_only = false, ByteView with = key) {
    auto store = EvidenceStore::open(path(), with, read_only);
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

TEST_F(Store, finds_what_was_put_by_instance_root_and_sketch) {
  const auto store = open();
  const std::vector<Record> records{record_of(1), record_of(2), record_of(3)};
  ASSERT_TRUE(store->put(records).has_value());
  EXPECT_EQ(store->count().value(), 3u);
  for (const Record& record : records) {
    EXPECT_EQ(store->find_by_instance(record.sop_instance_uid).value(), Evidences{record.evidence});
    EXPECT_EQ(store->find_by_root(record.object_root).value(), record.evidence);
    EXPECT_EQ(store->find_by_sketch(record.sketch).value(), Evidences{record.evidence});
  }
}

TEST_F(Store, finds_nothing_that_was_not_put) {
  const auto store = open();
  ASSERT_TRUE(store->put(std::vector{record_of(1)}).has_value());
  const Record other = record_of(2);
  EXPECT_TRUE(store->find_by_instance(other.sop_instance_uid).value().empty());
  EXPECT_FALSE(store->find_by_root(other.object_root).value().has_value());
  EXPECT_TRUE(store->find_by_sketch(other.sketch).value().empty());
  EXPECT_TRUE(store->find_by_sketch({}).value().empty());
}

TEST_F(Store, keeps_its_records_when_opened_again) {
  const Record record = record_of(7);
  ASSERT_TRUE(open()->put(std::vector{record}).has_value());
  for (const bool read_only : {false, true}) {
    SCOPED_TRACE(read_only);
    EXPECT_EQ(open(read_only)->find_by_root(record.object_root).value(), record.evidence);
  }
}

TEST_F(Store, gives_the_newest_evidence_of_an_instance_first) {
  const auto store = open();
  Record first = record_of(1), second = record_of(2), third = record_of(3);
  second.sop_instance_uid = third.sop_instance_uid = first.sop_instance_uid;
  ASSERT_TRUE(store->put(std::vector{first, second}).has_value());
  ASSERT_TRUE(store->put(std::vector{third}).has_value());
  EXPECT_EQ(store->find_by_instance(first.sop_instance_uid).value(),
            (Evidences{third.evidence, second.evidence, first.evidence}));
}

TEST_F(Store, leaves_an_object_root_that_is_there_as_it_is) {
  const auto store = open();
  const Record original = record_of(1);
  Record again = record_of(2);
  again.object_root = original.object_root;
  ASSERT_TRUE(store->put(std::vector{original}).has_value());
  // In the same transaction with a new one, and twice in one transaction.
  ASSERT_TRUE(store->put(std::vector{again, record_of(3), again}).has_value());
  EXPECT_EQ(store->count().value(), 2u);
  EXPECT_EQ(store->find_by_root(original.object_root).value(), original.evidence);
  EXPECT_TRUE(store->find_by_instance(again.sop_instance_uid).value().empty());
  EXPECT_TRUE(store->find_by_sketch(again.sketch).value().empty())
      << "a refused record must leave no sketch values behind";
}

TEST_F(Store, puts_all_records_of_a_call_or_none) {
  const auto store = open();
  std::vector<Record> records{record_of(1), record_of(2)};
  records[1].evidence.resize(limits::evidence_bytes_max + 1);
  const Status refused = store->put(records);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, ErrorCode::over_limit);
  EXPECT_EQ(store->count().value(), 0u);
}

TEST_F(Store, finds_nothing_under_another_key) {
  const Record record = record_of(1);
  ASSERT_TRUE(open()->put(std::vector{record}).has_value());
  const Bytes other_key(32, std::byte{0x43});
  const auto store = open(false, other_key);
  EXPECT_TRUE(store->find_by_instance(record.sop_instance_uid).value().empty());
}

TEST_F(Store, refuses_a_key_that_is_not_32_bytes) {
  for (const std::size_t size : {0u, 31u, 33u}) {
    const auto store = EvidenceStore::open(path(), Bytes(size));
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

TEST_F(Store, finds_an_instance_with_and_without_its_padding) {
  const auto store = open();
  const Record record = record_of(1);
  ASSERT_TRUE(store->put(std::vector{record}).has_value());
  EXPECT_EQ(store->find_by_instance(record.sop_instance_uid + '\0').value().size(), 1u);
  EXPECT_TRUE(store->find_by_instance(record.sop_instance_uid + '1').value().empty());
}

TEST_F(Store, an_object_without_uid_is_found_by_root_only) {
  const auto store = open();
  Record record = record_of(1);
  record.sop_instance_uid.clear();
  ASSERT_TRUE(store->put(std::vector{record}).has_value());
  EXPECT_TRUE(store->find_by_instance("").value().empty());
  EXPECT_EQ(store->find_by_root(record.object_root).value(), record.evidence);
}

TEST_F(Store, remembers_what_it_is_and_what_it_knew) {
  std::array<std::byte, 16> id{};
  {
    const auto store = open();
    id = store->identity()->id;
    EXPECT_TRUE(store->identity()->key_fits);
    EXPECT_FALSE(store->identity()->emptied);
    EXPECT_EQ(store->mark()->tree_size, 0U);
    const HomeMark mark{
        .tree_size = 7, .root = digest_of(1), .pending = 3, .trust_serial = 1ULL << 63};
    ASSERT_TRUE(store->put(std::vector{record_of(1)}, &mark).has_value());
  }
  const auto again = open();
  EXPECT_EQ(again->identity()->id, id);
  EXPECT_EQ(again->mark()->tree_size, 7U);
  EXPECT_EQ(again->mark()->root, digest_of(1));
  EXPECT_EQ(again->mark()->pending, 3U);
  EXPECT_EQ(again->mark()->trust_serial, 1ULL << 63);
  EXPECT_TRUE(again->check()->ok());
  EXPECT_FALSE(open(false, Bytes(32, std::byte{1}))->identity()->key_fits);
}

TEST_F(Store, notices_that_it_was_emptied) {
  {
    ASSERT_TRUE(open()->put(std::vector{record_of(1), record_of(2)}).has_value());
  }
  sqlite3* raw = nullptr;
  ASSERT_EQ(sqlite3_open(path().c_str(), &raw), SQLITE_OK);
  ASSERT_EQ(sqlite3_exec(raw, "DELETE FROM object WHERE id = 1", nullptr, nullptr, nullptr),
            SQLITE_OK);
  EXPECT_FALSE(open()->check()->ok()) << "one is missing";
  EXPECT_FALSE(open()->identity()->emptied);
  ASSERT_EQ(sqlite3_exec(raw, "DELETE FROM object", nullptr, nullptr, nullptr), SQLITE_OK);
  sqlite3_close(raw);
  const auto store = open();
  EXPECT_TRUE(store->identity()->emptied);
  ASSERT_TRUE(store->accept({}).has_value());
  EXPECT_FALSE(store->identity()->emptied);
  EXPECT_TRUE(store->check()->ok());
}

// Whatever part of a record is damaged: it is found as damaged, and named.
TEST_F(Store, finds_a_damaged_record_as_empty) {
  {
    ASSERT_TRUE(open()->put(std::vector{record_of(1), record_of(2)}).has_value());
  }
  for (const char* change :
       {"evidence = zeroblob(300)", "evidence = x''", "ledger_index = ledger_index + 1",
        "textured_tiles = 0", "digest = zeroblob(32)"}) {
    SCOPED_TRACE(change);
    const Bytes good = content();
    sqlite3* raw = nullptr;
    ASSERT_EQ(sqlite3_open(path().c_str(), &raw), SQLITE_OK);
    const std::string sql = std::string{"UPDATE object SET "} + change + " WHERE id = 1";
    ASSERT_EQ(sqlite3_exec(raw, sql.c_str(), nullptr, nullptr, nullptr), SQLITE_OK);
    sqlite3_close(raw);
    {
      const auto store = open();
      EXPECT_EQ(store->find_by_instance(record_of(1).sop_instance_uid).value(), Evidences{Bytes{}});
      EXPECT_EQ(store->find_by_root(record_of(1).object_root).error().code,
                ErrorCode::store_damaged);
      EXPECT_EQ(store->find_by_instance(record_of(2).sop_instance_uid).value(),
                Evidences{record_of(2).evidence});
      const auto check = store->check();
      ASSERT_TRUE(check.has_value());
      EXPECT_FALSE(check->ok());
      EXPECT_EQ(check->damaged, std::vector{record_of(1).object_root});
    }
    ASSERT_TRUE(durable_write(path(), good).has_value());
  }
}

TEST_F(Store, holds_small_and_large_evidence) {
  const auto store = open();
  const Record empty = record_of(1, 1);
  const Record large = record_of(2, 40 << 20);
  ASSERT_TRUE(store->put(std::vector{empty, large}).has_value());
  EXPECT_EQ(store->find_by_root(empty.object_root).value(), empty.evidence);
  EXPECT_EQ(store->find_by_root(large.object_root).value(), large.evidence);
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
        Row{"a later schema", "PRAGMA application_id = 1180979060; PRAGMA user_version = 2"},
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
      const auto store = EvidenceStore::open(path(), key, read_only);
      ASSERT_FALSE(store.has_value());
      EXPECT_EQ(store.error().code, ErrorCode::config_invalid) << to_sentence(store.error());
      EXPECT_EQ(store.error().where.file, path().string());
    }
    EXPECT_EQ(content(), before);
    EXPECT_EQ(files(), std::vector<std::string>{"evidence.db"});
  }
}

TEST_F(Store, read_only_refuses_what_is_not_there_and_creates_nothing) {
  const auto store = EvidenceStore::open(path(), key, true);
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
    const auto store = EvidenceStore::open(path(), key, true);
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
    const auto store = EvidenceStore::open(path(), key);
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
  const auto store = EvidenceStore::open(path(), key, true);
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
    const auto store = EvidenceStore::open(path(), key, true);
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

// --- look-up by sketch ---------------------------------------------------------------------------

TEST_F(Store, ranks_candidates_by_what_they_share_and_gives_at_most_four) {
  const auto store = open();
  const Record query = record_of(1000);
  std::vector<Record> records;
  for (std::size_t i = 0; i < 8; ++i) {
    Record record = record_of(i);
    // Record i shares 3 * (i + 1) values.
    std::copy_n(query.sketch.values.begin(), 3 * (i + 1), record.sketch.values.begin());
    std::sort(record.sketch.values.begin(), record.sketch.values.end());
    records.push_back(record);
  }
  std::shuffle(records.begin(), records.end(), std::mt19937_64{1});
  ASSERT_TRUE(store->put(records).has_value());
  EXPECT_EQ(store->find_by_sketch(query.sketch).value(),
            (Evidences{record_of(7).evidence, record_of(6).evidence, record_of(5).evidence,
                       record_of(4).evidence}));
}

TEST_F(Store, of_equals_prefers_the_one_with_as_many_textured_tiles) {
  const auto store = open();
  Record small = record_of(1), same = record_of(2), large = record_of(3);
  small.sketch.values = large.sketch.values = same.sketch.values;
  small.sketch.textured_tiles = 10;
  large.sketch.textured_tiles = 6400;
  ASSERT_TRUE(store->put(std::vector{small, same, large}).has_value());
  const auto found = store->find_by_sketch(same.sketch).value();
  ASSERT_EQ(found.size(), 3u);
  EXPECT_EQ(found[0], same.evidence);
  EXPECT_EQ(found[1], small.evidence);
}

TEST_F(Store, ignores_values_that_many_objects_share) {
  const auto store = open();
  // A screen: 31 values of its frame in every object, one value of its own.
  const std::vector<std::uint64_t> frame = record_of(5000).sketch.values;
  std::vector<Record> records;
  for (std::uint64_t i = 0; i < 70; ++i) {
    Record record = record_of(i);
    const std::uint64_t own = record.sketch.values.front();
    record.sketch.values = frame;
    record.sketch.values.back() = own;
    std::sort(record.sketch.values.begin(), record.sketch.values.end());
    records.push_back(record);
  }
  ASSERT_TRUE(store->put(std::span{records}.first(64)).has_value());
  EXPECT_EQ(store->find_by_sketch({.values = frame, .textured_tiles = 64}).value().size(), 4u)
      << "64 objects are still few";
  ASSERT_TRUE(store->put(std::span{records}.subspan(64)).has_value());
  std::vector<std::uint64_t> screen = frame;  // a quarter of it is an image of its own
  for (std::size_t i = 0; i < screen.size(); i += 4) screen[i] ^= 1;
  std::sort(screen.begin(), screen.end());
  EXPECT_TRUE(store->find_by_sketch({.values = screen, .textured_tiles = 64}).value().empty());
  EXPECT_EQ(store->find_by_sketch(records[5].sketch).value().front(), records[5].evidence)
      << "its own value is enough";
}

TEST_F(Store, finds_an_image_although_many_copies_of_it_were_sealed) {
  const auto store = open();
  const Record image = record_of(1);
  std::vector<Record> records{image};
  for (std::uint64_t i = 2; i < 72; ++i) {
    Record copy = record_of(i);
    copy.sketch = image.sketch;
    records.push_back(copy);
  }
  ASSERT_TRUE(store->put(records).has_value());
  canonical::Sketch altered = image.sketch;
  altered.values.back() -= 1;
  const auto found = store->find_by_sketch(altered).value();
  ASSERT_EQ(found.size(), 4u);
  EXPECT_EQ(found.front(), image.evidence) << "the first one sealed";
}

// --- durability and threads
// ------------------------------------------------------------------------

TEST_F(Store, keeps_every_acknowledged_record_when_killed) {
  const std::uint64_t seed = test::seed();
  SCOPED_TRACE("rerun with FIDUCIA_SEED=" + std::to_string(seed));
  std::mt19937_64 prng{seed};
  std::uint64_t next = 1;  // records below are acknowledged or were tried
  std::vector<std::uint64_t> acknowledged;
  for (int round = 0; round < 30; ++round) {
    int channel[2];
    ASSERT_EQ(::pipe(channel), 0);
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      ::close(channel[0]);
      auto store = EvidenceStore::open(path(), key);
      if (!store) ::_exit(1);
      for (std::uint64_t number = next;; number += 3) {
        const std::vector<Record> batch{record_of(number, 6000), record_of(number + 1, 100),
                                        record_of(number + 2, 20000)};
        if (!(*store)->put(batch)) ::_exit(2);
        if (::write(channel[1], &number, sizeof number) != sizeof number) ::_exit(3);
      }
    }
    ::close(channel[1]);
    std::uint64_t last = 0;
    std::uint64_t number = 0;
    // Killed after a few acknowledgements, at a point that varies.
    const std::uint64_t wanted = prng() % 12;
    for (std::uint64_t i = 0; i < wanted; ++i) {
      ASSERT_EQ(::read(channel[0], &number, sizeof number), ssize_t{sizeof number});
      last = number;
    }
    ::usleep(static_cast<useconds_t>(prng() % 2000));
    ::kill(child, SIGKILL);
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status)) << "the child ended by itself: " << WEXITSTATUS(status);
    while (::read(channel[0], &number, sizeof number) == ssize_t{sizeof number}) last = number;
    ::close(channel[0]);

    auto store = EvidenceStore::open(path(), key);
    ASSERT_TRUE(store.has_value()) << to_sentence(store.error());
    if (last != 0)
      for (std::uint64_t n = next; n <= last; n += 3) acknowledged.push_back(n);
    for (const std::uint64_t n : acknowledged) {
      ASSERT_EQ((*store)->find_by_root(digest_of(n)).value(), record_of(n, 6000).evidence);
      ASSERT_EQ((*store)->find_by_instance(record_of(n + 1).sop_instance_uid).value().size(), 1u);
      ASSERT_EQ((*store)->find_by_sketch(record_of(n + 2, 20000).sketch).value(),
                Evidences{record_of(n + 2, 20000).evidence});
    }
    // What was under way is there as a whole or not at all.
    const std::uint64_t open_batch = last == 0 ? next : last + 3;
    const bool first_is_there = (*store)->find_by_root(digest_of(open_batch)).value().has_value();
    const bool last_is_there =
        (*store)->find_by_root(digest_of(open_batch + 2)).value().has_value();
    EXPECT_EQ(first_is_there, last_is_there);
    next = open_batch + 6;
  }
  EXPECT_GT(acknowledged.size(), 30u);
  sqlite3* connection = nullptr;
  ASSERT_EQ(sqlite3_open(path().c_str(), &connection), SQLITE_OK);
  std::string answer;
  sqlite3_exec(
      connection, "PRAGMA integrity_check",
      [](void* to, int, char** columns, char**) {
        *static_cast<std::string*>(to) = columns[0];
        return 0;
      },
      &answer, nullptr);
  sqlite3_close(connection);
  EXPECT_EQ(answer, "ok");
}

TEST_F(Store, serves_readers_and_writers_at_the_same_time) {
  const auto store = open();
  constexpr std::uint64_t per_writer = 60;
  std::atomic<std::uint64_t> wrong{0};
  std::atomic<std::uint64_t> done_up_to[2] = {0, 0};
  {
    std::vector<std::jthread> threads;
    for (std::uint64_t writer = 0; writer < 2; ++writer)
      threads.emplace_back([&, writer] {
        for (std::uint64_t i = 1; i <= per_writer; ++i) {
          if (!store->put(std::vector{record_of(writer * 1000 + i)})) ++wrong;
          done_up_to[writer] = i;
        }
      });
    for (std::uint64_t reader = 0; reader < 4; ++reader)
      threads.emplace_back([&, reader] {
        std::mt19937_64 prng{reader};
        while (done_up_to[0] + done_up_to[1] < 2 * per_writer && wrong == 0) {
          const std::uint64_t writer = prng() % 2;
          const std::uint64_t known = done_up_to[writer];
          if (known == 0) continue;
          const Record record = record_of(writer * 1000 + 1 + prng() % known);
          const auto by_root = store->find_by_root(record.object_root);
          const auto by_instance = store->find_by_instance(record.sop_instance_uid);
          const auto by_sketch = store->find_by_sketch(record.sketch);
          if (!by_root || *by_root != record.evidence) ++wrong;
          if (!by_instance || *by_instance != Evidences{record.evidence}) ++wrong;
          if (!by_sketch || *by_sketch != Evidences{record.evidence}) ++wrong;
        }
      });
  }
  EXPECT_EQ(wrong, 0u);
  EXPECT_EQ(store->count().value(), 2 * per_writer);
}

TEST_F(Store, is_created_once_when_many_open_it_at_the_same_time) {
  {
    std::vector<std::jthread> threads;
    for (std::uint64_t i = 0; i < 6; ++i)
      threads.emplace_back([&, i] {
        const auto store = EvidenceStore::open(path(), key);
        EXPECT_TRUE(store.has_value()) << to_sentence(store.error());
        if (!store) return;
        const Status put = (*store)->put(std::vector{record_of(i)});
        EXPECT_TRUE(put.has_value()) << to_sentence(put.error());
      });
  }
  EXPECT_EQ(open()->count().value(), 6u);
}

// Names of any kind reach the file they name, not what SQLite's URIs would make of them.
TEST_F(Store, opens_odd_file_names_as_they_are) {
  for (const char* name : {"a?mode=memory", "b#c", "100%41", "with space", ":memory:"}) {
    SCOPED_TRACE(name);
    const std::filesystem::path odd = folder_.path() / name;
    {
      auto store = EvidenceStore::open(odd, key);
      ASSERT_TRUE(store.has_value());
      ASSERT_TRUE((*store)->put(std::vector{record_of(1)}).has_value());
    }
    EXPECT_TRUE(std::filesystem::exists(odd));
    auto store = EvidenceStore::open(odd, key, true);
    ASSERT_TRUE(store.has_value());
    EXPECT_EQ((*store)->count().value(), 1u);
  }
}

}  // namespace
}  // namespace fiducia::store
