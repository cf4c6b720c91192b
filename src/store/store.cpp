// SPDX-License-Identifier: Apache-2.0
#include "store/store.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <chrono>
#include <mutex>
#include <system_error>
#include <thread>

#include "canonical/canonical.h"
#include "crypto/crypto.h"
#include "store/sketch.h"
#include "store/sqlite.h"

namespace fiducia::store {
namespace {

constexpr std::int64_t application_id = 0x46645374;  // "FdSt"; spec/store.md 2
constexpr std::int64_t schema_version = 1;
constexpr std::size_t key_bytes = 32;
constexpr std::size_t instance_hash_bytes = 16;
/// Evidence of one SOP Instance UID that a look-up returns; an object is sealed a few times.
constexpr std::size_t instance_evidences_max = 64;
constexpr std::size_t sketch_evidences_max = 4;
/// Evidence bytes that one look-up returns (its first evidence always).
constexpr std::size_t answer_bytes_max = 2 * limits::evidence_bytes_max;
/// A fingerprint in more objects than this names a template (a screen's frame, a logo), not an
/// image, and is ignored.
constexpr std::int64_t common_value_objects = 64;
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
  digest         BLOB NOT NULL
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
    std::this_thread::sleep_for(pause);
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
  Status commit() { return connection_->execute("COMMIT"); }
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

enum class Kind { empty, ours };

/// Whether the file is an evidence store of this version, or nothing yet.
/// Must run inside a transaction: the three answers belong together.
Result<Kind> kind_in_transaction(Connection& connection) {
  FIDUCIA_TRY(id, connection.integer("PRAGMA application_id"));
  FIDUCIA_TRY(version, connection.integer("PRAGMA user_version"));
  if (id == application_id) {
    if (version == schema_version) return Kind::ours;
    return fail(ErrorCode::config_invalid,
                "The evidence store has schema version " + std::to_string(version) +
                    "; this program knows version " + std::to_string(schema_version) + ".",
                "Use the version of Fiducia that wrote it, or a later one.");
  }
  FIDUCIA_TRY(tables, connection.integer("SELECT count(*) FROM sqlite_schema"));
  if (id == 0 && version == 0 && tables == 0) return Kind::empty;
  return fail(ErrorCode::config_invalid, "The file is an SQLite database, but no evidence store.",
              "Name the evidence store, or a file that does not exist yet.");
}

Result<Kind> kind_of(Connection& connection) {
  FIDUCIA_TRY(transaction, Transaction::begin(connection, "BEGIN"));
  FIDUCIA_TRY(kind, kind_in_transaction(connection));
  FIDUCIA_CHECK(transaction.commit());
  return kind;
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

Digest key_check_of(const Digest& instance_key) {
  return crypto::hmac_sha256(instance_key.view(), as_bytes("fiducia/store/check/1"));
}

/// What the digest of a record is over: all that it says, so that no part can be damaged unseen.
Digest record_digest(ByteView root, ByteView instance, std::int64_t ledger_index,
                     std::int64_t textured_tiles, ByteView evidence) {
  crypto::Sha256 hash;
  Bytes head;
  append(head, root);
  append_be(head, std::uint64_t{instance.size()});
  append(head, instance);
  append_be(head, std::bit_cast<std::uint64_t>(ledger_index));
  append_be(head, std::bit_cast<std::uint64_t>(textured_tiles));
  hash.update(head);
  hash.update(evidence);
  return hash.finish();
}

/// Columns of the queries that read records, in the order that `evidence_in` takes them.
constexpr const char* record_columns =
    "evidence, digest, root, instance, ledger_index, textured_tiles";

/// The evidence of the row that `row` is at; empty when the record is not as it was written.
ByteView evidence_in(const Statement& row) {
  const ByteView evidence = row.blob(0);
  const ByteView instance = row.is_null(3) ? ByteView{} : row.blob(3);
  const Digest digest =
      record_digest(row.blob(2), instance, row.integer(4), row.integer(5), evidence);
  return same_bytes(row.blob(1), digest.view()) ? evidence : ByteView{};
}

Status create_schema(Connection& connection, const Digest& instance_key) {
  FIDUCIA_TRY(transaction, Transaction::begin(connection, "BEGIN IMMEDIATE"));
  FIDUCIA_TRY(kind, kind_in_transaction(connection));  // another process may have been first
  if (kind == Kind::ours) return {};
  FIDUCIA_CHECK(connection.execute(schema_sql));
  std::array<std::byte, 16> id{};
  FIDUCIA_CHECK(crypto::fill_random(id));
  const Digest key_check = key_check_of(instance_key);
  FIDUCIA_TRY(insert, connection.prepare(
                          "INSERT INTO home (id, store, key_check, objects, tree_size, root, "
                          "pending, trust_serial) VALUES (1, ?, ?, 0, 0, x'', 0, 0)"));
  insert.bind(1, id);
  insert.bind(2, key_check.view());
  FIDUCIA_CHECK(insert.run());
  FIDUCIA_CHECK(connection.execute("PRAGMA application_id = " + std::to_string(application_id)));
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
    std::this_thread::sleep_for(pause);
  }
}

struct Writer {
  Connection connection;
  Statement insert_object;
  Statement insert_value;
  Statement count_object;
  Statement update_mark;
};

Result<Writer> open_writer(const std::filesystem::path& path, const Digest& instance_key) {
  FIDUCIA_CHECK(create_file(path));
  FIDUCIA_TRY(connection, Connection::open(path, OpenMode::read_write));
  FIDUCIA_TRY(kind, kind_of(connection));  // before anything is written: it may be foreign
  FIDUCIA_CHECK(use_log(connection));
  // FULL: a committed transaction survives a power cut, not only a crash of the program.
  FIDUCIA_CHECK(
      connection.execute("PRAGMA synchronous = FULL; PRAGMA cache_size = -65536; "
                         "PRAGMA wal_autocheckpoint = 4096"));
  if (kind == Kind::empty) FIDUCIA_CHECK(create_schema(connection, instance_key));
  FIDUCIA_TRY(insert_object,
              connection.prepare("INSERT INTO object (root, instance, ledger_index, "
                                 "textured_tiles, evidence, digest) VALUES (?, ?, ?, ?, ?, ?) "
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
  Connection connection;
  Statement by_instance;
  Statement by_root;
  Statement by_value;
  Statement tiles_of;
  Statement evidence_of;
};

Result<std::unique_ptr<Reader>> open_reader(const std::filesystem::path& path, OpenMode mode,
                                            const FileState& state) {
  FIDUCIA_TRY(connection, Connection::open(path, mode));
  FIDUCIA_TRY(kind, kind_of(connection));
  if (kind == Kind::empty)
    return fail(ErrorCode::config_invalid, "The file is empty, no evidence store.",
                "Seal something first, or name the evidence store.");
  FIDUCIA_CHECK(connection.execute("PRAGMA query_only = 1; PRAGMA cache_size = -8192"));
  const std::string select = std::string{"SELECT "} + record_columns + " FROM object WHERE ";
  FIDUCIA_TRY(by_instance, connection.prepare(select + "instance = ? ORDER BY id DESC LIMIT " +
                                              std::to_string(instance_evidences_max)));
  FIDUCIA_TRY(by_root, connection.prepare(select + "root = ?"));
  FIDUCIA_TRY(by_value, connection.prepare("SELECT object FROM sketch WHERE value = ? "
                                           "ORDER BY object LIMIT " +
                                           std::to_string(common_value_objects + 1)));
  FIDUCIA_TRY(tiles_of, connection.prepare("SELECT textured_tiles FROM object WHERE id = ?"));
  FIDUCIA_TRY(evidence_of, connection.prepare(select + "id = ?"));
  return std::make_unique<Reader>(Reader{.state = state,
                                         .connection = std::move(connection),
                                         .by_instance = std::move(by_instance),
                                         .by_root = std::move(by_root),
                                         .by_value = std::move(by_value),
                                         .tiles_of = std::move(tiles_of),
                                         .evidence_of = std::move(evidence_of)});
}

/// A UID names the same object with and without its padding (PS3.5 section 9.1).
std::string_view without_padding(std::string_view uid) {
  while (!uid.empty() && (uid.back() == '\0' || uid.back() == ' ')) uid.remove_suffix(1);
  return uid;
}

/// An object that shares fingerprints with a sketch.
struct Candidate {
  std::int64_t object = 0;
  std::size_t shared = 0;
  double size_ratio = 0;  // of textured tiles, the smaller by the larger: 1 for equal
};

/// Objects by how many of `hits` name them, most first; of equals the newest first.
std::vector<Candidate> count_hits(std::vector<std::int64_t> hits) {
  std::sort(hits.begin(), hits.end());
  std::vector<Candidate> candidates;
  for (const std::int64_t object : hits) {
    if (candidates.empty() || candidates.back().object != object)
      candidates.push_back({.object = object});
    ++candidates.back().shared;
  }
  std::sort(candidates.begin(), candidates.end(), [](const Candidate& a, const Candidate& b) {
    return a.shared != b.shared ? a.shared > b.shared : a.object > b.object;
  });
  return candidates;
}

}  // namespace

struct EvidenceStore::State {
  std::filesystem::path path;
  bool read_only = false;
  Digest instance_key;
  std::shared_ptr<const SketchSecret> secret;

  std::mutex write_mutex;        // guards writer: one transaction at a time
  std::optional<Writer> writer;  // absent when read-only

  std::mutex pool_mutex;                      // guards idle; never held during I/O
  std::vector<std::unique_ptr<Reader>> idle;  // readers that nobody uses

  ~State() { wipe(instance_key.bytes); }

  /// A reader of the caller's own. For a store opened read-only, one that fits what lies on disk
  /// now: another process may have begun to write, or finished.
  Result<std::unique_ptr<Reader>> take_reader() {
    FileState now;
    if (read_only) now = look_at_rest(path);
    {
      const std::lock_guard lock{pool_mutex};
      while (!idle.empty()) {
        std::unique_ptr<Reader> reader = std::move(idle.back());
        idle.pop_back();
        if (reader->state == now) return reader;
      }
    }
    if (!read_only) return open_reader(path, OpenMode::read_write, now);
    if (now.log_lost)
      return std::unexpected(Error{
          .code = ErrorCode::io_unreadable,
          .what = "The evidence store has a write-ahead log that was not merged, and its index "
                  "is missing.",
          .remedy = "Open it once with the right to write, or copy it with its -wal file to a "
                    "writable folder and open it there once.",
          .where = {},
          .kind = log_lost_kind});
    return open_reader(path, now.log_in_use ? OpenMode::read_only : OpenMode::read_immutable, now);
  }

  void give_back(std::unique_ptr<Reader> reader) {
    const std::lock_guard lock{pool_mutex};
    if (idle.size() < idle_readers_max) idle.push_back(std::move(reader));
  }

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
    error.where.file = path.string();
    return error;
  }

  Digest instance_hash(std::string_view uid) const {
    return crypto::hmac_sha256(instance_key.view(), as_bytes(uid));
  }
};

EvidenceStore::EvidenceStore(std::unique_ptr<State> state) : state_(std::move(state)) {}
EvidenceStore::~EvidenceStore() = default;

Result<std::unique_ptr<EvidenceStore>> EvidenceStore::open(const std::filesystem::path& path,
                                                           ByteView key, bool read_only) {
  if (key.size() != key_bytes)
    return fail(
        ErrorCode::config_invalid,
        "The key of the evidence store has " + std::to_string(key.size()) + " bytes; it needs 32.",
        "Give the key file that `fiducia init` made.");
  auto state = std::make_unique<State>();
  state->path = path;
  state->read_only = read_only;
  state->instance_key = crypto::hmac_sha256(key, as_bytes("fiducia/store/instance/1"));
  Digest sketch_key = crypto::hmac_sha256(key, as_bytes("fiducia/store/sketch/1"));
  state->secret = std::make_shared<const SketchSecret>(sketch_secret(sketch_key));
  wipe(sketch_key.bytes);
  if (read_only) {
    // Opens a reader now, so that a file that is no store is told here.
    auto reader = state->take_reader();
    if (!reader) return std::unexpected(state->with_file(std::move(reader).error()));
    state->give_back(std::move(*reader));
  } else {
    auto writer = open_writer(path, state->instance_key);
    if (!writer) return std::unexpected(state->with_file(std::move(writer).error()));
    state->writer.emplace(std::move(*writer));
  }
  return std::unique_ptr<EvidenceStore>(new EvidenceStore(std::move(state)));
}

Status EvidenceStore::put(std::span<const Record> records, const HomeMark* mark) {
  if (!state_->writer)
    return fail(ErrorCode::io_unwritable, "The evidence store was opened for reading only.",
                "Open it for writing.", {.file = state_->path.string()});
  for (const Record& record : records)
    if (record.evidence.size() > limits::evidence_bytes_max ||
        record.sketch.values.size() > sketch_values_max)
      return fail(ErrorCode::over_limit,
                  "An evidence of " + std::to_string(record.evidence.size()) +
                      " bytes is larger than the store takes.",
                  "Seal the object in parts.", {.file = state_->path.string()});

  const std::lock_guard lock{state_->write_mutex};
  Writer& writer = *state_->writer;
  const auto insert = [&](const Record& record) -> Status {
    const std::string_view uid = without_padding(record.sop_instance_uid);
    const Digest instance = state_->instance_hash(uid);
    writer.insert_object.bind(1, record.object_root.view());
    if (!uid.empty()) writer.insert_object.bind(2, instance.view().first(instance_hash_bytes));
    writer.insert_object.bind(3, std::bit_cast<std::int64_t>(record.ledger_index));
    writer.insert_object.bind(4, std::bit_cast<std::int64_t>(record.sketch.textured_tiles));
    writer.insert_object.bind(5, record.evidence);
    const Digest digest =
        record_digest(record.object_root.view(),
                      uid.empty() ? ByteView{} : instance.view().first(instance_hash_bytes),
                      std::bit_cast<std::int64_t>(record.ledger_index),
                      std::bit_cast<std::int64_t>(record.sketch.textured_tiles), record.evidence);
    writer.insert_object.bind(6, digest.view());
    FIDUCIA_CHECK(writer.insert_object.run());
    if (writer.connection.changes() == 0) return {};  // this object root is there already
    const std::int64_t object = writer.connection.last_row_id();
    FIDUCIA_CHECK(writer.count_object.run());
    for (const std::uint64_t value : record.sketch.values) {
      writer.insert_value.bind(1, std::bit_cast<std::int64_t>(value));
      writer.insert_value.bind(2, object);
      FIDUCIA_CHECK(writer.insert_value.run());
    }
    return {};
  };
  const auto insert_all = [&]() -> Status {
    FIDUCIA_TRY(transaction, Transaction::begin(writer.connection, "BEGIN IMMEDIATE"));
    for (const Record& record : records) FIDUCIA_CHECK(insert(record));
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
    return std::unexpected(state_->with_file(std::move(done).error()));
  }
  return done;
}

Result<std::optional<Bytes>> EvidenceStore::find_by_root(const Digest& object_root) {
  return state_->read([&](Reader& reader) -> Result<std::optional<Bytes>> {
    const ResetAtEnd reset{reader.by_root};
    reader.by_root.bind(1, object_root.view());
    FIDUCIA_TRY(row, reader.by_root.step());
    if (!row) return std::nullopt;
    const ByteView evidence = evidence_in(reader.by_root);
    if (evidence.empty())
      return fail(ErrorCode::store_damaged, "A record of the evidence store is damaged.",
                  "Run `fiducia store check`, and restore the store from a copy.");
    return Bytes(evidence.begin(), evidence.end());
  });
}

Status EvidenceStore::accept(const HomeMark& mark) {
  {
    const std::lock_guard lock{state_->write_mutex};
    FIDUCIA_ASSERT(state_->writer.has_value());
    FIDUCIA_CHECK(state_->writer->connection.execute(
        "UPDATE home SET objects = (SELECT count(*) FROM object)"));
  }
  return put({}, &mark);
}

Result<HomeMark> EvidenceStore::mark() {
  return state_->read([](Reader& reader) -> Result<HomeMark> {
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

Result<StoreIdentity> EvidenceStore::identity() {
  return state_->read([this](Reader& reader) -> Result<StoreIdentity> {
    FIDUCIA_TRY(query, reader.connection.prepare(
                           "SELECT store, key_check, objects > 0 AND NOT EXISTS (SELECT 1 FROM "
                           "object) FROM home"));
    FIDUCIA_TRY(row, query.step());
    StoreIdentity identity;
    if (!row) return identity;
    if (const ByteView id = query.blob(0); id.size() == identity.id.size())
      std::ranges::copy(id, identity.id.begin());
    identity.key_fits = same_bytes(query.blob(1), key_check_of(state_->instance_key).view());
    identity.emptied = query.integer(2) != 0;
    return identity;
  });
}

Result<StoreCheck> EvidenceStore::check(
    const std::function<void(std::uint64_t done, std::uint64_t total)>& progress) {
  constexpr std::size_t damaged_listed_max = 1'000;
  return state_->read([&](Reader& reader) -> Result<StoreCheck> {
    FIDUCIA_TRY(transaction, Transaction::begin(reader.connection, "BEGIN"));
    StoreCheck found;
    FIDUCIA_TRY(structure, reader.connection.prepare("PRAGMA integrity_check(1)"));
    FIDUCIA_TRY(has_answer, structure.step());
    found.sound = has_answer && structure.text(0) == "ok";
    structure.reset();
    FIDUCIA_TRY(total, reader.connection.integer("SELECT count(*) FROM object"));
    FIDUCIA_TRY(expected, reader.connection.integer("SELECT coalesce(max(objects), -1) FROM home"));
    FIDUCIA_TRY(records, reader.connection.prepare(std::string{"SELECT "} + record_columns +
                                                   " FROM object ORDER BY id"));
    std::uint64_t damaged = 0;
    for (;;) {
      FIDUCIA_TRY(row, records.step());
      if (!row) break;
      ++found.objects;
      if (evidence_in(records).empty()) {
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
    const std::string objects = std::to_string(found.objects) + " objects";
    if (!found.sound)
      found.text = "The database of the store is damaged.";
    else if (damaged > 0)
      found.text = std::to_string(damaged) + " of " + objects + " are not as they were written.";
    else if (total != expected) {
      found.sound = false;
      found.text = "The store has " + objects + ", and had " + std::to_string(expected) + ".";
    } else
      found.text = "All " + objects + " are as they were written.";
    return found;
  });
}

Result<std::uint64_t> EvidenceStore::count() {
  return state_->read([](Reader& reader) -> Result<std::uint64_t> {
    FIDUCIA_TRY(count, reader.connection.integer("SELECT count(*) FROM object"));
    return static_cast<std::uint64_t>(count);
  });
}

Result<std::vector<Bytes>> EvidenceStore::find_by_instance(std::string_view sop_instance_uid) {
  const std::string_view uid = without_padding(sop_instance_uid);
  if (uid.empty()) return std::vector<Bytes>{};  // no UID is no identity
  const Digest instance = state_->instance_hash(uid);
  return state_->read([&](Reader& reader) -> Result<std::vector<Bytes>> {
    const ResetAtEnd reset{reader.by_instance};
    reader.by_instance.bind(1, instance.view().first(instance_hash_bytes));
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

std::unique_ptr<canonical::SketchBuilder> EvidenceStore::new_sketch() {
  return make_sketch_builder(state_->secret);
}

Result<std::vector<Bytes>> EvidenceStore::find_by_sketch(const canonical::Sketch& sketch) {
  if (sketch.values.empty()) return std::vector<Bytes>{};
  return state_->read([&](Reader& reader) -> Result<std::vector<Bytes>> {
    // One read transaction: the answers fit together, and the locks are taken once.
    FIDUCIA_TRY(transaction, Transaction::begin(reader.connection, "BEGIN"));
    std::vector<std::int64_t> hits;
    std::vector<std::int64_t> common_hits;  // of the oldest objects that have a common value
    std::size_t common_values = 0;
    const std::size_t asked = std::min(sketch.values.size(), sketch_values_max);
    for (std::size_t i = 0; i < asked; ++i) {
      const ResetAtEnd reset{reader.by_value};
      reader.by_value.bind(1, std::bit_cast<std::int64_t>(sketch.values[i]));
      const std::size_t before = hits.size();
      while (true) {
        FIDUCIA_TRY(row, reader.by_value.step());
        if (!row) break;
        hits.push_back(reader.by_value.integer(0));
      }
      if (hits.size() - before <= common_value_objects) continue;
      ++common_values;
      common_hits.insert(common_hits.end(), hits.begin() + static_cast<std::ptrdiff_t>(before),
                         hits.end());
      hits.resize(before);  // a template
    }
    std::vector<Candidate> candidates = count_hits(std::move(hits));
    // Of those that share as much, the one with about as many textured tiles.
    constexpr std::size_t compared_max = 32;
    candidates.resize(std::min(candidates.size(), compared_max));
    for (Candidate& candidate : candidates) {
      const ResetAtEnd reset{reader.tiles_of};
      reader.tiles_of.bind(1, candidate.object);
      FIDUCIA_TRY(row, reader.tiles_of.step());
      if (!row) continue;
      const auto sealed = static_cast<double>(reader.tiles_of.integer(0));
      const auto now = static_cast<double>(sketch.textured_tiles);
      candidate.size_ratio = std::min(sealed, now) / std::max({sealed, now, 1.0});
    }
    std::stable_sort(
        candidates.begin(), candidates.end(), [](const Candidate& a, const Candidate& b) {
          return a.shared != b.shared ? a.shared > b.shared : a.size_ratio > b.size_ratio;
        });
    candidates.resize(std::min(candidates.size(), sketch_evidences_max));
    // An image nearly all of which stands in many objects is no template with something of its own:
    // somebody may have had copies of a sealed image sealed, so that it counts as one and is not
    // found any more. The first to have been sealed are asked as well.
    if (common_values * 16 >= asked * 15) {
      std::vector<Candidate> oldest = count_hits(std::move(common_hits));
      std::ranges::stable_sort(oldest, [](const Candidate& a, const Candidate& b) {
        return a.shared != b.shared ? a.shared > b.shared : a.object < b.object;
      });
      std::size_t added = 0;
      for (const Candidate& candidate : oldest) {
        if (added == sketch_evidences_max) break;
        if (std::ranges::find(candidates, candidate.object, &Candidate::object) != candidates.end())
          continue;
        candidates.push_back(candidate);
        ++added;
      }
    }
    std::vector<Bytes> found;
    std::size_t total_bytes = 0;
    for (const Candidate& candidate : candidates) {
      const ResetAtEnd reset{reader.evidence_of};
      reader.evidence_of.bind(1, candidate.object);
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

}  // namespace fiducia::store
