// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <chrono>
#include <optional>
#include <system_error>

#include "core/descriptor.h"
#include "crypto/crypto.h"
#include "store/record.h"
#include "store/sqlite.h"

namespace fiducia::store {
namespace {

constexpr std::int64_t application_id = 0x46645374;  // "FdSt"; spec/store.md 2
constexpr std::int64_t schema_version = 2;
constexpr std::int64_t schema_version_min = 1;  // read, and brought to schema_version by a writer
/// Connections for reading that stay open when nobody uses them.
constexpr std::size_t idle_readers_max = 16;

constexpr const char* schema_sql = R"(
CREATE TABLE object (
  id             INTEGER PRIMARY KEY,
  root           BLOB NOT NULL UNIQUE,
  instance       BLOB,
  ledger_index   INTEGER NOT NULL,
  textured_tiles INTEGER NOT NULL,
  evidence       BLOB NOT NULL,
  digest         BLOB NOT NULL,
  study          BLOB NOT NULL DEFAULT x'',
  series         BLOB NOT NULL DEFAULT x''
) STRICT;
CREATE TABLE home (
  id           INTEGER PRIMARY KEY CHECK (id = 1),
  store        BLOB NOT NULL,
  key_check    BLOB NOT NULL,
  objects      INTEGER NOT NULL,
  tree_size    INTEGER NOT NULL,
  root         BLOB NOT NULL,
  pending      INTEGER NOT NULL,
  trust_serial INTEGER NOT NULL
) STRICT;
CREATE INDEX object_by_instance ON object (instance) WHERE instance IS NOT NULL;
CREATE TABLE sketch (
  value  INTEGER NOT NULL,
  object INTEGER NOT NULL,
  PRIMARY KEY (value, object)
) STRICT, WITHOUT ROWID;
)";

/// What a listing shows stands in the indexes: to reach what lies behind the evidence in a row,
/// SQLite would walk through all of its pages.
constexpr const char* listing_sql = R"(
CREATE INDEX object_by_study ON object (study, id, series, instance, root, ledger_index);
CREATE INDEX object_by_series ON object (series, study, id, instance, root, ledger_index)
  WHERE series <> x'';
)";

/// Rows of version 1 have no study and no series; their digests stay good.
constexpr const char* from_version_1_sql = R"(
ALTER TABLE object ADD COLUMN study BLOB NOT NULL DEFAULT x'';
ALTER TABLE object ADD COLUMN series BLOB NOT NULL DEFAULT x'';
)";

std::filesystem::path beside(const std::filesystem::path& path, const char* suffix) {
  std::filesystem::path out = path;
  out += suffix;
  return out;
}

/// What lies on disk, as far as it tells how to open the file for reading only.
struct FileState {
  bool log_in_use = false;  // a write-ahead log or journal lies beside it
  bool log_lost = false;    // the log has content, but its index is missing
  dev_t device = 0;
  ino_t inode = 0;
  off_t size = 0;
  std::int64_t changed_ns = 0;
  bool operator==(const FileState&) const = default;
};

FileState look_at(const std::filesystem::path& path) {
  FileState state;
  struct stat info{};
  if (::stat(beside(path, "-wal").c_str(), &info) == 0) {
    const bool index = ::access(beside(path, "-shm").c_str(), F_OK) == 0;
    state.log_in_use = index || info.st_size > 0;
    state.log_lost = !index && info.st_size > 0;
  } else if (::access(beside(path, "-journal").c_str(), F_OK) == 0) {
    state.log_in_use = true;
  }
  // Beside a log the file may change at any time, and SQLite sees to it.
  if (!state.log_in_use && ::stat(path.c_str(), &info) == 0) {
    state.device = info.st_dev;
    state.inode = info.st_ino;
    state.size = info.st_size;
    state.changed_ns = std::int64_t{info.st_mtim.tv_sec} * 1'000'000'000 + info.st_mtim.tv_nsec;
  }
  return state;
}

/// The same, once no writer is just closing: SQLite removes the index of a log that it has merged
/// a moment before the log.
FileState look_at_rest(const std::filesystem::path& path) {
  constexpr int attempts_max = 20;
  constexpr std::chrono::milliseconds pause{5};
  FileState state = look_at(path);
  for (int attempt = 1; state.log_lost && attempt < attempts_max; ++attempt) {
    pause_between_tries(pause);
    state = look_at(path);
  }
  return state;
}

/// Takes back a transaction that was not committed.
class Transaction {
 public:
  static Result<Transaction> begin(Connection& connection, const char* how) {
    FIDUCIA_CHECK(connection.execute(how));
    return Transaction{connection};
  }
  /// For a query: within the transaction that the connection is in, if it is in one.
  static Result<Transaction> begin_reading(Connection& connection) {
    if (!connection.in_transaction()) return begin(connection, "BEGIN");
    Transaction outer{connection};
    outer.connection_ = nullptr;
    return Result<Transaction>{std::move(outer)};
  }
  Status commit() { return connection_ != nullptr ? connection_->execute("COMMIT") : Status{}; }
  Transaction(Transaction&& other) noexcept
      : connection_(std::exchange(other.connection_, nullptr)) {}
  Transaction& operator=(Transaction&&) = delete;
  ~Transaction() {
    if (connection_ != nullptr && connection_->in_transaction())
      static_cast<void>(connection_->execute("ROLLBACK"));  // nothing is left to tell
  }

 private:
  explicit Transaction(Connection& connection) : connection_(&connection) {}
  Connection* connection_;
};

/// The schema version of an evidence store; 0 for a file with nothing in it yet.
/// Must run inside a transaction: the three answers belong together.
Result<std::int64_t> version_in_transaction(Connection& connection) {
  FIDUCIA_TRY(id, connection.integer("PRAGMA application_id"));
  FIDUCIA_TRY(version, connection.integer("PRAGMA user_version"));
  if (id == application_id) {
    if (version >= schema_version_min && version <= schema_version) return version;
    return fail(ErrorCode::config_invalid,
                "The evidence store has schema version " + std::to_string(version) +
                    "; this program knows versions up to " + std::to_string(schema_version) + ".",
                "Use the version of Fiducia that wrote it, or a later one.");
  }
  FIDUCIA_TRY(tables, connection.integer("SELECT count(*) FROM sqlite_schema"));
  if (id == 0 && version == 0 && tables == 0) return 0;
  return fail(ErrorCode::config_invalid, "The file is an SQLite database, but no evidence store.",
              "Name the evidence store, or a file that does not exist yet.");
}

/// Creates an empty file that only its owner can read: the seeds in evidence allow guesses at
/// sealed values to be confirmed. SQLite gives its log the same permissions.
Status create_file(const std::filesystem::path& path) {
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd < 0) {
    if (errno == EEXIST) return {};
    return fail(ErrorCode::io_unwritable,
                std::string("Cannot create the evidence store: ") +
                    std::generic_category().message(errno) + ".",
                "Give a path in a folder that exists and is writable.", {.file = path.string()});
  }
  ::close(fd);
  const std::filesystem::path folder = path.parent_path();
  return sync_folder(folder.empty() ? "." : folder);
}

/// Columns of the queries that read records, in the order that `record_in` takes them.
std::string record_columns(std::int64_t version) {
  return std::string{"evidence, digest, root, instance, ledger_index, textured_tiles, "} +
         (version == 1 ? "x'', x''" : "study, series");
}

/// The record of the row that `row` is at, without its sketch; absent when it is not as it was
/// written. Valid until the row is left.
std::optional<StoredRecord> record_in(const Statement& row) {
  StoredRecord record{.object_root = {},
                      .instance = row.is_null(3) ? ByteView{} : row.blob(3),
                      .study = row.blob(6),
                      .series = row.blob(7),
                      .ledger_index = std::bit_cast<std::uint64_t>(row.integer(4)),
                      .textured_tiles = std::bit_cast<std::uint64_t>(row.integer(5)),
                      .sketch_values = {},
                      .evidence = row.blob(0)};
  const ByteView root = row.blob(2);
  if (root.size() != record.object_root.bytes.size()) return std::nullopt;
  std::ranges::copy(root, record.object_root.bytes.begin());
  if (!same_bytes(row.blob(1), record_digest(record).view())) return std::nullopt;
  return record;
}

/// The evidence of the row that `row` is at; empty when the record is not as it was written.
ByteView evidence_in(const Statement& row) {
  const std::optional<StoredRecord> record = record_in(row);
  return record ? record->evidence : ByteView{};
}

/// Makes the tables, or brings those of an earlier version to this one: as a whole or not at all.
Status prepare_schema(Connection& connection, const StoreKeys& keys) {
  FIDUCIA_TRY(transaction, Transaction::begin(connection, "BEGIN IMMEDIATE"));
  FIDUCIA_TRY(version, version_in_transaction(connection));  // another process may have been first
  if (version == schema_version) return {};
  if (version == 1) {
    FIDUCIA_CHECK(connection.execute(from_version_1_sql));
  } else {
    FIDUCIA_CHECK(connection.execute(schema_sql));
    std::array<std::byte, 16> id{};
    FIDUCIA_CHECK(crypto::fill_random(id));
    FIDUCIA_TRY(insert, connection.prepare(
                            "INSERT INTO home (id, store, key_check, objects, tree_size, root, "
                            "pending, trust_serial) VALUES (1, ?, ?, 0, 0, x'', 0, 0)"));
    const Digest key_check = keys.check();
    insert.bind(1, id);
    insert.bind(2, key_check.view());
    FIDUCIA_CHECK(insert.run());
    FIDUCIA_CHECK(connection.execute("PRAGMA application_id = " + std::to_string(application_id)));
  }
  FIDUCIA_CHECK(connection.execute(listing_sql));
  FIDUCIA_CHECK(connection.execute("PRAGMA user_version = " + std::to_string(schema_version)));
  return transaction.commit();
}

/// Puts the file into WAL mode, which it keeps. While another process does the same, SQLite
/// answers "busy" at once instead of waiting.
Status use_log(Connection& connection) {
  constexpr int attempts_max = 500;
  constexpr std::chrono::milliseconds pause{10};
  for (int attempt = 1;; ++attempt) {
    FIDUCIA_TRY(statement, connection.prepare("PRAGMA journal_mode = WAL"));
    const auto row = statement.step();
    if (row && *row && statement.text(0) == "wal") return {};
    const bool busy = !row && row.error().code == ErrorCode::busy;
    if (!row && (!busy || attempt == attempts_max)) return std::unexpected(row.error());
    if (row)
      return fail(ErrorCode::io_unwritable, "The file system cannot hold a write-ahead log.",
                  "Put the evidence store on a local disk.");
    pause_between_tries(pause);
  }
}

struct Writer {
  Connection connection;
  Statement insert_object;
  Statement insert_value;
  Statement count_object;
  Statement update_mark;
};

Result<Writer> open_writer(const std::filesystem::path& path, const StoreKeys& keys) {
  FIDUCIA_CHECK(create_file(path));
  FIDUCIA_TRY(connection, Connection::open(path, OpenMode::read_write));
  {  // Before anything is written: it may be foreign.
    FIDUCIA_TRY(transaction, Transaction::begin(connection, "BEGIN"));
    FIDUCIA_TRY(version, version_in_transaction(connection));
    static_cast<void>(version);  // any that we know
    FIDUCIA_CHECK(transaction.commit());
  }
  FIDUCIA_CHECK(use_log(connection));
  // FULL: a committed transaction survives a power cut, not only a crash of the program.
  FIDUCIA_CHECK(
      connection.execute("PRAGMA synchronous = FULL; PRAGMA cache_size = -65536; "
                         "PRAGMA wal_autocheckpoint = 4096"));
  FIDUCIA_CHECK(prepare_schema(connection, keys));
  FIDUCIA_TRY(insert_object, connection.prepare("INSERT INTO object (root, instance, ledger_index, "
                                                "textured_tiles, evidence, digest, study, series) "
                                                "VALUES (?, ?, ?, ?, ?, ?, ?, ?) "
                                                "ON CONFLICT (root) DO NOTHING"));
  FIDUCIA_TRY(insert_value, connection.prepare("INSERT OR IGNORE INTO sketch (value, object) "
                                               "VALUES (?, ?)"));
  FIDUCIA_TRY(count_object, connection.prepare("UPDATE home SET objects = objects + 1"));
  FIDUCIA_TRY(update_mark,
              connection.prepare("UPDATE home SET tree_size = ?, root = ?, pending = ?, "
                                 "trust_serial = ?"));
  return Writer{.connection = std::move(connection),
                .insert_object = std::move(insert_object),
                .insert_value = std::move(insert_value),
                .count_object = std::move(count_object),
                .update_mark = std::move(update_mark)};
}

/// A connection for reading with its statements.
struct Reader {
  FileState state;  // how the file was when this was opened; only for stores opened read-only
  std::int64_t version;
  Connection connection;
  Statement by_instance;
  Statement by_root;
  Statement by_value;
  Statement tiles_of;
  Statement evidence_of;
  std::optional<Statement> count_instance =
      {};  // prepared when it is first asked: only sealing does
};

Result<std::unique_ptr<Reader>> open_reader(const std::filesystem::path& path, OpenMode mode,
                                            const FileState& state) {
  FIDUCIA_TRY(connection, Connection::open(path, mode));
  FIDUCIA_CHECK(connection.execute("PRAGMA query_only = 1; PRAGMA cache_size = -8192; BEGIN"));
  FIDUCIA_TRY(version, version_in_transaction(connection));
  if (version == 0)
    return fail(ErrorCode::config_invalid, "The file is empty, no evidence store.",
                "Seal something first, or name the evidence store.");
  // What was read as version 1 stays version 1 for this reader, whoever brings the file forward.
  if (version == schema_version) FIDUCIA_CHECK(connection.execute("COMMIT"));
  const std::string select = "SELECT " + record_columns(version) + " FROM object WHERE ";
  FIDUCIA_TRY(by_instance, connection.prepare(select + "instance = ? ORDER BY id DESC LIMIT " +
                                              std::to_string(instance_evidences_max)));
  FIDUCIA_TRY(by_root, connection.prepare(select + "root = ?"));
  FIDUCIA_TRY(by_value, connection.prepare("SELECT object FROM sketch WHERE value = ? "
                                           "ORDER BY object LIMIT " +
                                           std::to_string(common_value_objects + 1)));
  FIDUCIA_TRY(tiles_of, connection.prepare("SELECT textured_tiles FROM object WHERE id = ?"));
  FIDUCIA_TRY(evidence_of, connection.prepare(select + "id = ?"));
  return std::make_unique<Reader>(Reader{.state = state,
                                         .version = version,
                                         .connection = std::move(connection),
                                         .by_instance = std::move(by_instance),
                                         .by_root = std::move(by_root),
                                         .by_value = std::move(by_value),
                                         .tiles_of = std::move(tiles_of),
                                         .evidence_of = std::move(evidence_of)});
}

/// An open file of claims: the byte at the place that an identity's hash names is locked by
/// whoever seals it. The kernel frees the locks of a process that ends, however it ends.
class ClaimFile {
 public:
  static Result<ClaimFile> open(const std::filesystem::path& store) {
    const std::filesystem::path path = beside(store, "-claims");
    ClaimFile file;
    file.fd_ = Descriptor{::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600)};
    if (!file.fd_.valid())
      return fail(ErrorCode::io_unwritable,
                  std::string("Cannot open the file of claims: ") +
                      std::generic_category().message(errno) + ".",
                  "Check the permissions of the home.", {.file = path.string()});
    return Result<ClaimFile>{std::move(file)};
  }
  /// Whether the identity is ours now. Errors: io_unwritable.
  Result<bool> take(ByteView instance) { return set(instance, F_WRLCK); }
  void give_back(ByteView instance) { static_cast<void>(set(instance, F_UNLCK)); }

 private:
  ClaimFile() = default;
  Result<bool> set(ByteView instance, short kind) {
    struct flock lock{};
    lock.l_type = kind;
    lock.l_whence = SEEK_SET;
    // Two identities at one place would only wait for each other.
    lock.l_start = static_cast<off_t>(load_be<std::uint64_t>(instance.data()) >> 2);
    lock.l_len = 1;
    // Of this descriptor, not of the process: threads exclude each other as well.
    if (::fcntl(fd_.value(), F_OFD_SETLK, &lock) == 0) return true;
    if (errno == EAGAIN || errno == EACCES) return false;
    return fail(
        ErrorCode::io_unwritable,
        std::string("Cannot claim an identity: ") + std::generic_category().message(errno) + ".",
        "Put the evidence store on a local disk.");
  }
  Descriptor fd_;
};

class SqliteStore final : public EvidenceStore {
 public:
  SqliteStore(std::filesystem::path path, StoreKeys keys, bool read_only)
      : path_(std::move(path)), keys_(std::move(keys)), read_only_(read_only) {}
  /// Opens what is to be told at once: a file that is no store. Errors: as open_sqlite.
  Status start();

  Status put(std::span<const Record> records, const HomeMark* mark) override;
  Status put_stored(std::span<const StoredRecord> records) override {
    return put_all(records, nullptr);
  }
  Result<std::unique_ptr<Reservation>> reserve(std::span<const Claim> claims,
                                               std::uint32_t wait_ms) override;
  Result<HomeMark> mark() override;
  Status accept(const HomeMark& mark) override;
  Result<StoreIdentity> identity() override;
  Result<StoreCheck> check(
      const std::function<void(std::uint64_t done, std::uint64_t total)>& progress) override;
  Result<std::optional<Bytes>> find_by_root(const Digest& object_root) override;
  Result<std::uint64_t> count() override;
  Result<std::uint64_t> count_by_instance(std::string_view sop_instance_uid) override;
  Result<ListPage> list(const ListQuery& query) override;
  Result<std::vector<Bytes>> find_by_instance(std::string_view sop_instance_uid) override;
  std::unique_ptr<canonical::SketchBuilder> new_sketch() override {
    return make_sketch_builder(keys_.sketch_secret());
  }
  Result<std::vector<Bytes>> find_by_sketch(const canonical::Sketch& sketch) override;

  /// See read_sqlite.
  Status read_all(
      std::uint64_t& damaged,
      const std::function<Status(std::span<const StoredRecord>, std::uint64_t total)>& sink);

 private:
  friend class SqliteReservation;

  Status put_all(std::span<const StoredRecord> records, const HomeMark* mark);
  Status insert(Writer& writer, const StoredRecord& record);
  Result<std::vector<ClaimAnswer>> answer(ClaimFile& file, std::span<const Claim> claims,
                                          std::vector<Bytes>& held);
  Result<std::unique_ptr<Reader>> take_reader();
  void give_back(std::unique_ptr<Reader> reader);

  /// Runs `query` with a reader. A reader that failed is closed, not given back.
  template <class Query>
  auto read(Query query) -> decltype(query(std::declval<Reader&>())) {
    auto reader = take_reader();
    if (!reader) return std::unexpected(with_file(std::move(reader).error()));
    auto answer = query(**reader);
    if (!answer) return std::unexpected(with_file(std::move(answer).error()));
    give_back(std::move(*reader));
    return answer;
  }

  Error with_file(Error error) const {
    if (error.where.file.empty()) error.where.file = path_.string();
    return error;
  }

  // Set when made and not changed.
  const std::filesystem::path path_;
  const StoreKeys keys_;
  const bool read_only_;

  Mutex write_mutex_;                                              // one transaction at a time
  std::optional<Writer> writer_ FIDUCIA_GUARDED_BY(write_mutex_);  // absent when read-only

  Mutex pool_mutex_;  // never held during I/O
  std::vector<std::unique_ptr<Reader>> idle_ FIDUCIA_GUARDED_BY(pool_mutex_);  // nobody uses them

  Mutex claims_mutex_;
  Condition claims_changed_;
  std::uint64_t claims_given_back_ FIDUCIA_GUARDED_BY(claims_mutex_) = 0;  // reservations ended
};

class SqliteReservation final : public Reservation {
 public:
  SqliteReservation(SqliteStore& store, ClaimFile file, std::vector<ClaimAnswer> answers)
      : Reservation(std::move(answers)), store_(store), file_(std::move(file)) {}
  ~SqliteReservation() override { end(); }
  Status put(std::span<const Record> records, const HomeMark* mark) override {
    if (!file_)
      return fail(ErrorCode::io_unwritable, "The reservation has ended.", "Seal the image again.",
                  {.file = store_.path_.string()});
    Status done = store_.put(records, mark);
    end();
    return done;
  }

 private:
  void end() {
    if (!file_) return;
    file_.reset();  // closes it, which frees its locks
    const MutexLock lock{store_.claims_mutex_};
    ++store_.claims_given_back_;
    store_.claims_changed_.notify_all();
  }

  SqliteStore& store_;
  std::optional<ClaimFile> file_;
};

Status SqliteStore::start() {
  if (read_only_) {
    auto reader = take_reader();
    if (!reader) return std::unexpected(with_file(std::move(reader).error()));
    give_back(std::move(*reader));
  } else {
    auto writer = open_writer(path_, keys_);
    if (!writer) return std::unexpected(with_file(std::move(writer).error()));
    const MutexLock lock{write_mutex_};
    writer_.emplace(std::move(*writer));
  }
  return {};
}

/// A reader of the caller's own. For a store opened read-only, one that fits what lies on disk
/// now: another process may have begun to write, or finished.
Result<std::unique_ptr<Reader>> SqliteStore::take_reader() {
  FileState now;
  if (read_only_) now = look_at_rest(path_);
  {
    const MutexLock lock{pool_mutex_};
    while (!idle_.empty()) {
      std::unique_ptr<Reader> reader = std::move(idle_.back());
      idle_.pop_back();
      if (reader->state == now) return reader;
    }
  }
  if (!read_only_) return open_reader(path_, OpenMode::read_write, now);
  if (now.log_lost)
    return std::unexpected(
        Error{.code = ErrorCode::io_unreadable,
              .what = "The evidence store has a write-ahead log that was not merged, and its index "
                      "is missing.",
              .remedy = "Open it once with the right to write, or copy it with its -wal file to a "
                        "writable folder and open it there once.",
              .where = {},
              .kind = log_lost_kind});
  return open_reader(path_, now.log_in_use ? OpenMode::read_only : OpenMode::read_immutable, now);
}

void SqliteStore::give_back(std::unique_ptr<Reader> reader) {
  if (reader->version != schema_version) return;  // it stays at what it saw first
  const MutexLock lock{pool_mutex_};
  if (idle_.size() < idle_readers_max) idle_.push_back(std::move(reader));
}

Status SqliteStore::put(std::span<const Record> records, const HomeMark* mark) {
  std::vector<HashedRecord> hashed;
  hashed.reserve(records.size());
  std::vector<StoredRecord> stored;
  for (const Record& record : records) stored.push_back(hashed.emplace_back(keys_, record).view());
  return put_all(stored, mark);
}

Status SqliteStore::insert(Writer& writer, const StoredRecord& record) {
  const Digest digest = record_digest(record);
  Statement& object = writer.insert_object;
  object.bind(1, record.object_root.view());
  if (!record.instance.empty()) object.bind(2, record.instance);
  object.bind(3, std::bit_cast<std::int64_t>(record.ledger_index));
  object.bind(4, std::bit_cast<std::int64_t>(record.textured_tiles));
  object.bind(5, record.evidence);
  object.bind(6, digest.view());
  object.bind(7, record.study);
  object.bind(8, record.series);
  FIDUCIA_CHECK(object.run());
  if (writer.connection.changes() == 0) return {};  // this object root is there already
  const std::int64_t id = writer.connection.last_row_id();
  FIDUCIA_CHECK(writer.count_object.run());
  for (const std::uint64_t value : record.sketch_values) {
    writer.insert_value.bind(1, std::bit_cast<std::int64_t>(value));
    writer.insert_value.bind(2, id);
    FIDUCIA_CHECK(writer.insert_value.run());
  }
  return {};
}

Status SqliteStore::put_all(std::span<const StoredRecord> records, const HomeMark* mark) {
  if (read_only_)
    return fail(ErrorCode::io_unwritable, "The evidence store was opened for reading only.",
                "Open it for writing.", {.file = path_.string()});
  for (const StoredRecord& record : records)
    if (Status fits = check_sizes(record); !fits)
      return std::unexpected(with_file(std::move(fits).error()));

  const MutexLock lock{write_mutex_};
  Writer& writer = *writer_;
  const auto insert_all = [&]() -> Status {
    FIDUCIA_TRY(transaction, Transaction::begin(writer.connection, "BEGIN IMMEDIATE"));
    for (const StoredRecord& record : records) FIDUCIA_CHECK(insert(writer, record));
    if (mark != nullptr) {
      writer.update_mark.bind(1, std::bit_cast<std::int64_t>(mark->tree_size));
      writer.update_mark.bind(2, mark->root.view());
      writer.update_mark.bind(3, std::bit_cast<std::int64_t>(mark->pending));
      writer.update_mark.bind(4, std::bit_cast<std::int64_t>(mark->trust_serial));
      FIDUCIA_CHECK(writer.update_mark.run());
    }
    return transaction.commit();
  };
  Status done = insert_all();
  if (!done) {
    // Whatever SQLite calls it, to the caller the records could not be written.
    if (done.error().code == ErrorCode::io_unreadable) done.error().code = ErrorCode::io_unwritable;
    return std::unexpected(with_file(std::move(done).error()));
  }
  return done;
}

/// Takes what is free. `held`: the identities that were granted, for giving them back.
Result<std::vector<ClaimAnswer>> SqliteStore::answer(ClaimFile& file, std::span<const Claim> claims,
                                                     std::vector<Bytes>& held) {
  std::vector<ClaimAnswer> answers;
  for (const Claim& claim : claims) {
    Bytes instance = keys_.instance_hash(claim.sop_instance_uid);
    if (instance.empty()) {
      answers.push_back(ClaimAnswer::granted);
      continue;
    }
    FIDUCIA_TRY(taken, file.take(instance));
    if (!taken) {
      answers.push_back(ClaimAnswer::taken);
      continue;
    }
    // Counted while it is ours: whoever had it before has put what it had to put.
    FIDUCIA_TRY(known, count_by_instance(claim.sop_instance_uid));
    answers.push_back(known == claim.known ? ClaimAnswer::granted : ClaimAnswer::changed);
    if (known == claim.known)
      held.push_back(std::move(instance));
    else
      file.give_back(instance);
  }
  return answers;
}

Result<std::unique_ptr<Reservation>> SqliteStore::reserve(std::span<const Claim> claims,
                                                          std::uint32_t wait_ms) {
  FIDUCIA_CHECK(check_claims(claims));
  // How soon the claims of another process are looked at again: nobody tells when it ends.
  constexpr std::chrono::milliseconds look_again{50};
  const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds{wait_ms};
  for (;;) {
    std::uint64_t given_back_before = 0;
    {
      const MutexLock lock{claims_mutex_};
      given_back_before = claims_given_back_;
    }
    FIDUCIA_TRY(file, ClaimFile::open(path_));
    std::vector<Bytes> held;
    FIDUCIA_TRY(answers, answer(file, claims, held));
    const auto now = std::chrono::steady_clock::now();
    const bool only_taken = !answers.empty() && std::ranges::all_of(answers, [](ClaimAnswer one) {
      return one == ClaimAnswer::taken;
    });
    if (!only_taken || now >= end)
      return std::make_unique<SqliteReservation>(*this, std::move(file), std::move(answers));
    MutexLock lock{claims_mutex_};
    claims_changed_.wait_until(
        lock, std::min(end, now + look_again),
        [&]() FIDUCIA_REQUIRES(claims_mutex_) { return claims_given_back_ != given_back_before; });
  }
}

Result<std::optional<Bytes>> SqliteStore::find_by_root(const Digest& object_root) {
  return read([&](Reader& reader) -> Result<std::optional<Bytes>> {
    const ResetAtEnd reset{reader.by_root};
    reader.by_root.bind(1, object_root.view());
    FIDUCIA_TRY(row, reader.by_root.step());
    if (!row) return std::nullopt;
    const ByteView evidence = evidence_in(reader.by_root);
    if (evidence.empty())
      return fail(ErrorCode::store_damaged, "A record of the evidence store is damaged.",
                  damage_remedy);
    return Bytes(evidence.begin(), evidence.end());
  });
}

Status SqliteStore::accept(const HomeMark& mark) {
  {
    const MutexLock lock{write_mutex_};
    FIDUCIA_ASSERT(writer_.has_value());
    FIDUCIA_CHECK(
        writer_->connection.execute("UPDATE home SET objects = (SELECT count(*) FROM object)"));
  }
  return put({}, &mark);
}

Result<HomeMark> SqliteStore::mark() {
  return read([](Reader& reader) -> Result<HomeMark> {
    FIDUCIA_TRY(query, reader.connection.prepare(
                           "SELECT tree_size, root, pending, trust_serial FROM home"));
    FIDUCIA_TRY(row, query.step());
    if (!row)
      return fail(ErrorCode::store_damaged, "The evidence store does not say whose it is.",
                  "Restore the store from a copy.");
    HomeMark mark{.tree_size = std::bit_cast<std::uint64_t>(query.integer(0)),
                  .root = {},
                  .pending = std::bit_cast<std::uint64_t>(query.integer(2)),
                  .trust_serial = std::bit_cast<std::uint64_t>(query.integer(3))};
    if (const ByteView root = query.blob(1); root.size() == mark.root.bytes.size())
      std::ranges::copy(root, mark.root.bytes.begin());
    return mark;
  });
}

Result<StoreIdentity> SqliteStore::identity() {
  return read([this](Reader& reader) -> Result<StoreIdentity> {
    FIDUCIA_TRY(query, reader.connection.prepare(
                           "SELECT store, key_check, objects > 0 AND NOT EXISTS (SELECT 1 FROM "
                           "object) FROM home"));
    FIDUCIA_TRY(row, query.step());
    StoreIdentity identity;
    if (!row) return identity;
    if (const ByteView id = query.blob(0); id.size() == identity.id.size())
      std::ranges::copy(id, identity.id.begin());
    identity.key_fits = same_bytes(query.blob(1), keys_.check().view());
    identity.emptied = query.integer(2) != 0;
    return identity;
  });
}

Result<StoreCheck> SqliteStore::check(
    const std::function<void(std::uint64_t done, std::uint64_t total)>& progress) {
  return read([&](Reader& reader) -> Result<StoreCheck> {
    FIDUCIA_TRY(transaction, Transaction::begin_reading(reader.connection));
    StoreCheck found;
    FIDUCIA_TRY(structure, reader.connection.prepare("PRAGMA integrity_check(1)"));
    FIDUCIA_TRY(has_answer, structure.step());
    found.sound = has_answer && structure.text(0) == "ok";
    structure.reset();
    FIDUCIA_TRY(total, reader.connection.integer("SELECT count(*) FROM object"));
    FIDUCIA_TRY(expected, reader.connection.integer("SELECT coalesce(max(objects), -1) FROM home"));
    FIDUCIA_TRY(records, reader.connection.prepare("SELECT " + record_columns(reader.version) +
                                                   " FROM object ORDER BY id"));
    std::uint64_t damaged = 0;
    for (;;) {
      FIDUCIA_TRY(row, records.step());
      if (!row) break;
      ++found.objects;
      if (!record_in(records)) {
        ++damaged;
        Digest root;
        if (const ByteView said = records.blob(2); said.size() == root.bytes.size())
          std::ranges::copy(said, root.bytes.begin());
        if (found.damaged.size() < damaged_listed_max) found.damaged.push_back(root);
      }
      if (progress && found.objects % 256 == 0)
        progress(found.objects, static_cast<std::uint64_t>(total));
    }
    FIDUCIA_CHECK(transaction.commit());
    conclude(found, damaged, expected);
    return found;
  });
}

Result<std::uint64_t> SqliteStore::count() {
  return read([](Reader& reader) -> Result<std::uint64_t> {
    FIDUCIA_TRY(count, reader.connection.integer("SELECT count(*) FROM object"));
    return static_cast<std::uint64_t>(count);
  });
}

Result<std::uint64_t> SqliteStore::count_by_instance(std::string_view sop_instance_uid) {
  const Bytes instance = keys_.instance_hash(sop_instance_uid);
  if (instance.empty()) return 0;
  return read([&](Reader& reader) -> Result<std::uint64_t> {
    if (!reader.count_instance) {
      FIDUCIA_TRY(count,
                  reader.connection.prepare("SELECT count(*) FROM object WHERE instance = ?"));
      reader.count_instance.emplace(std::move(count));
    }
    const ResetAtEnd reset{*reader.count_instance};
    reader.count_instance->bind(1, instance);
    FIDUCIA_TRY(row, reader.count_instance->step());
    FIDUCIA_ASSERT(row);
    return static_cast<std::uint64_t>(reader.count_instance->integer(0));
  });
}

Result<std::vector<Bytes>> SqliteStore::find_by_instance(std::string_view sop_instance_uid) {
  const Bytes instance = keys_.instance_hash(sop_instance_uid);
  if (instance.empty()) return std::vector<Bytes>{};
  return read([&](Reader& reader) -> Result<std::vector<Bytes>> {
    const ResetAtEnd reset{reader.by_instance};
    reader.by_instance.bind(1, instance);
    std::vector<Bytes> found;
    std::size_t total_bytes = 0;
    while (true) {
      FIDUCIA_TRY(row, reader.by_instance.step());
      if (!row) return found;
      const ByteView evidence = evidence_in(reader.by_instance);
      total_bytes += evidence.size();
      if (!found.empty() && total_bytes > answer_bytes_max) return found;
      found.emplace_back(evidence.begin(), evidence.end());
    }
  });
}

Result<std::vector<Bytes>> SqliteStore::find_by_sketch(const canonical::Sketch& sketch) {
  if (sketch.values.empty()) return std::vector<Bytes>{};
  return read([&](Reader& reader) -> Result<std::vector<Bytes>> {
    // One read transaction: the answers fit together, and the locks are taken once.
    FIDUCIA_TRY(transaction, Transaction::begin_reading(reader.connection));
    std::vector<std::vector<std::int64_t>> hits(std::min(sketch.values.size(), sketch_values_max));
    for (std::size_t i = 0; i < hits.size(); ++i) {
      const ResetAtEnd reset{reader.by_value};
      reader.by_value.bind(1, std::bit_cast<std::int64_t>(sketch.values[i]));
      for (;;) {
        FIDUCIA_TRY(row, reader.by_value.step());
        if (!row) break;
        hits[i].push_back(reader.by_value.integer(0));
      }
    }
    const auto tiles_of =
        [&](std::span<const std::int64_t> objects) -> Result<std::vector<std::int64_t>> {
      std::vector<std::int64_t> tiles;
      for (const std::int64_t object : objects) {
        const ResetAtEnd reset{reader.tiles_of};
        reader.tiles_of.bind(1, object);
        FIDUCIA_TRY(row, reader.tiles_of.step());
        tiles.push_back(row ? reader.tiles_of.integer(0) : 0);
      }
      return tiles;
    };
    FIDUCIA_TRY(ranked, rank_objects(hits, sketch.textured_tiles, tiles_of));
    std::vector<Bytes> found;
    std::size_t total_bytes = 0;
    for (const std::int64_t object : ranked) {
      const ResetAtEnd reset{reader.evidence_of};
      reader.evidence_of.bind(1, object);
      FIDUCIA_TRY(row, reader.evidence_of.step());
      if (!row) continue;
      const ByteView evidence = evidence_in(reader.evidence_of);
      total_bytes += evidence.size();
      if (!found.empty() && total_bytes > answer_bytes_max) break;
      found.emplace_back(evidence.begin(), evidence.end());
    }
    FIDUCIA_CHECK(transaction.commit());
    return found;
  });
}

Result<ListPage> SqliteStore::list(const ListQuery& query) {
  FIDUCIA_CHECK(check_page(query));
  FIDUCIA_TRY(after, read_position(query.after));
  const Bytes study = keys_.study_hash(query.study_instance_uid);
  const Bytes series = keys_.series_hash(query.series_instance_uid);
  return read([&](Reader& reader) -> Result<ListPage> {
    ListPage page;
    // What was stored as version 1 has neither.
    if (reader.version == 1 && (!study.empty() || !series.empty())) return page;
    const bool old = reader.version == 1;
    std::string sql = std::string{"SELECT id, root, ledger_index, instance, "} +
                      (old ? "x'', x''" : "study, series") + " FROM object WHERE " +
                      (old ? "(x'', id)" : "(study, id)") + " > (?1, ?2)";
    if (!study.empty()) sql += " AND study = ?3";
    if (!series.empty()) sql += " AND series = ?4 AND series <> x''";
    sql += old ? " ORDER BY id" : " ORDER BY study, id";
    FIDUCIA_TRY(rows, reader.connection.prepare(sql + " LIMIT ?5"));
    rows.bind(1, after.study);
    rows.bind(2, after.object);
    if (!study.empty()) rows.bind(3, study);
    if (!series.empty()) rows.bind(4, series);
    rows.bind(5, static_cast<std::int64_t>(query.objects_max));
    ListPosition last;
    for (;;) {
      FIDUCIA_TRY(row, rows.step());
      if (!row) break;
      const auto bytes = [&rows](int column) {
        const ByteView value = rows.blob(column);
        return Bytes(value.begin(), value.end());
      };
      ListedObject object{.object_root = {},
                          .ledger_index = std::bit_cast<std::uint64_t>(rows.integer(2)),
                          .instance = bytes(3),
                          .study = bytes(4),
                          .series = bytes(5)};
      if (const ByteView root = rows.blob(1); root.size() == object.object_root.bytes.size())
        std::ranges::copy(root, object.object_root.bytes.begin());
      last = {.study = object.study, .object = rows.integer(0)};
      page.objects.push_back(std::move(object));
    }
    if (page.objects.size() == query.objects_max) page.next = write_position(last);
    return page;
  });
}

Status SqliteStore::read_all(
    std::uint64_t& damaged,
    const std::function<Status(std::span<const StoredRecord>, std::uint64_t total)>& sink) {
  const auto pass = [&](Reader& reader) -> Result<bool> {
    FIDUCIA_TRY(transaction, Transaction::begin_reading(reader.connection));
    FIDUCIA_TRY(total, reader.connection.integer("SELECT count(*) FROM object"));
    FIDUCIA_TRY(rows, reader.connection.prepare("SELECT " + record_columns(reader.version) +
                                                ", id FROM object ORDER BY id"));
    // Both in the order of objects: SQLite sorts outside of memory.
    FIDUCIA_TRY(values, reader.connection.prepare(
                            "SELECT object, value FROM sketch ORDER BY object, value"));
    FIDUCIA_TRY(more_values, values.step());
    struct Owned {
      StoredRecord record;
      Bytes bytes;  // instance, study, series, evidence
      std::vector<std::uint64_t> sketch;
    };
    std::vector<Owned> held;
    std::size_t held_bytes = 0;
    const auto hand_on = [&]() -> Status {
      std::vector<StoredRecord> records;
      for (const Owned& one : held) records.push_back(one.record);
      FIDUCIA_CHECK(sink(records, static_cast<std::uint64_t>(total)));
      held.clear();
      held_bytes = 0;
      return {};
    };
    for (;;) {
      FIDUCIA_TRY(row, rows.step());
      if (!row) break;
      const std::int64_t id = rows.integer(8);
      Owned one;
      for (; more_values && values.integer(0) <= id;) {
        if (values.integer(0) == id)
          one.sketch.push_back(std::bit_cast<std::uint64_t>(values.integer(1)));
        FIDUCIA_TRY(next, values.step());
        more_values = next;
      }
      const auto record = record_in(rows);
      if (!record) {
        ++damaged;
        continue;
      }
      // As a sketch is: ascending as unsigned numbers.
      std::ranges::sort(one.sketch);
      if (one.sketch.size() > sketch_values_max) one.sketch.resize(sketch_values_max);
      one.record = *record;
      for (const ByteView part :
           {record->instance, record->study, record->series, record->evidence})
        append(one.bytes, part);
      held_bytes += one.bytes.size();
      held.push_back(std::move(one));
      Owned& kept = held.back();
      ByteView rest{kept.bytes};
      for (ByteView* part : {&kept.record.instance, &kept.record.study, &kept.record.series,
                             &kept.record.evidence}) {
        const std::size_t size = part->size();
        *part = rest.first(size);
        rest = rest.subspan(size);
      }
      kept.record.sketch_values = kept.sketch;
      constexpr std::size_t held_max = 256;
      if (held.size() == held_max || held_bytes >= limits::store_pass_bytes_max)
        FIDUCIA_CHECK(hand_on());
    }
    if (!held.empty()) FIDUCIA_CHECK(hand_on());
    FIDUCIA_CHECK(transaction.commit());
    return true;
  };
  FIDUCIA_CHECK(read(pass));
  return {};
}

Result<std::unique_ptr<SqliteStore>> open_store(const std::filesystem::path& path, ByteView key,
                                                bool read_only) {
  FIDUCIA_TRY(keys, StoreKeys::make(key));
  auto store = std::make_unique<SqliteStore>(path, std::move(keys), read_only);
  FIDUCIA_CHECK(store->start());
  return Result<std::unique_ptr<SqliteStore>>{std::move(store)};
}

}  // namespace

Result<std::unique_ptr<EvidenceStore>> open_sqlite(const std::filesystem::path& path, ByteView key,
                                                   bool read_only) {
  FIDUCIA_TRY(store, open_store(path, key, read_only));
  return std::unique_ptr<EvidenceStore>{std::move(store)};
}

Status read_sqlite(
    const std::filesystem::path& path, ByteView key, std::uint64_t& damaged,
    const std::function<Status(std::span<const StoredRecord>, std::uint64_t total)>& sink) {
  FIDUCIA_TRY(store, open_store(path, key, /*read_only=*/true));
  return store->read_all(damaged, sink);
}

}  // namespace fiducia::store
