// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <bit>
#include <chrono>
#include <optional>

#include "crypto/crypto.h"
#include "postgres/postgres.h"
#include "store/record.h"
#include "store_postgres/schema.h"
#include "store_postgres/store_postgres.h"

namespace fiducia::store_postgres {
namespace {

using postgres::Answer;
using postgres::Command;
using postgres::Failure;
using postgres::Rows;
using std::chrono::milliseconds;
using store::Claim;
using store::ClaimAnswer;
using store::HomeMark;
using store::StoredRecord;

Location here() { return {.file = place}; }

constexpr std::size_t idle_connections_max = 16;
/// Past what the database allows itself, which then says so.
constexpr milliseconds answer_margin{10'000};

constexpr const char* begin_sql = "BEGIN ISOLATION LEVEL READ COMMITTED";
constexpr const char* begin_snapshot_sql = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
constexpr const char* commit_sql = "COMMIT";
constexpr const char* rollback_sql = "ROLLBACK";

constexpr const char* version_sql =
    "SELECT version, (current_setting('fsync') = 'on')::int::bigint FROM fiducia_evidence.store";

// In the order in which record_in takes them.
#define FIDUCIA_RECORD_COLUMNS \
  "evidence, digest, root, instance, study, series, ledger_index, textured_tiles"
// Rows of `o` whose evidence fits into $2 bytes together, and the first one always.
#define FIDUCIA_FITTING "WHERE o.place = 1 OR o.total <= $2::bigint ORDER BY o.place"

constexpr const char* by_instance_sql =
    "SELECT " FIDUCIA_RECORD_COLUMNS
    " FROM (SELECT *, sum(octet_length(evidence)) OVER (ORDER BY id DESC) AS total,"
    " row_number() OVER (ORDER BY id DESC) AS place FROM (SELECT * FROM fiducia_evidence.object"
    " WHERE instance = $1::bytea ORDER BY id DESC LIMIT 64) AS p) AS o " FIDUCIA_FITTING;
static_assert(store::instance_evidences_max == 64);
constexpr const char* by_ids_sql =
    "SELECT " FIDUCIA_RECORD_COLUMNS
    " FROM (SELECT p.*, a.place, sum(octet_length(evidence)) OVER (ORDER BY a.place) AS total"
    " FROM unnest($1::bigint[]) WITH ORDINALITY AS a (id, place)"
    " JOIN fiducia_evidence.object AS p ON p.id = a.id) AS o " FIDUCIA_FITTING;
constexpr const char* page_sql =
    "SELECT " FIDUCIA_RECORD_COLUMNS
    ", id FROM (SELECT *, sum(octet_length(evidence)) OVER (ORDER BY id) AS total,"
    " row_number() OVER (ORDER BY id) AS place FROM (SELECT * FROM fiducia_evidence.object"
    " WHERE id > $1::bigint ORDER BY id LIMIT 256) AS p) AS o " FIDUCIA_FITTING;
constexpr const char* by_root_sql =
    "SELECT " FIDUCIA_RECORD_COLUMNS " FROM fiducia_evidence.object WHERE root = $1::bytea";
constexpr const char* tiles_sql =
    "SELECT coalesce(p.textured_tiles, 0) FROM unnest($1::bigint[]) WITH ORDINALITY AS a (id, "
    "place)"
    " LEFT JOIN fiducia_evidence.object AS p ON p.id = a.id ORDER BY a.place";
// One row for each value: the numbers of its objects, 8 bytes each.
constexpr const char* by_values_sql =
    "SELECT (SELECT string_agg(int8send(s.object), ''::bytea ORDER BY s.object)"
    " FROM (SELECT object FROM fiducia_evidence.sketch WHERE value = a.value"
    " ORDER BY object LIMIT 65) AS s)"
    " FROM unnest($1::bigint[]) WITH ORDINALITY AS a (value, place) ORDER BY a.place";
static_assert(store::common_value_objects + 1 == 65);
constexpr const char* count_sql = "SELECT count(*) FROM fiducia_evidence.object";
constexpr const char* count_instance_sql =
    "SELECT count(*) FROM fiducia_evidence.object WHERE instance = $1::bytea";
constexpr const char* identity_sql =
    "SELECT id, key_check, (objects > 0 AND NOT EXISTS (SELECT FROM fiducia_evidence.object))"
    "::int::bigint, objects FROM fiducia_evidence.store";
constexpr const char* mark_sql =
    "SELECT tree_size, root, pending, trust_serial FROM fiducia_evidence.home WHERE name = "
    "$1::text";
#define FIDUCIA_LISTED                                                                  \
  "SELECT id, root, ledger_index, instance, study, series FROM fiducia_evidence.object" \
  " WHERE (study, id) > ($1::bytea, $2::bigint)"
#define FIDUCIA_LISTED_ORDER " ORDER BY study, id LIMIT $3::bigint"
constexpr const char* list_sql = FIDUCIA_LISTED FIDUCIA_LISTED_ORDER;
constexpr const char* list_study_sql = FIDUCIA_LISTED " AND study = $4::bytea" FIDUCIA_LISTED_ORDER;
constexpr const char* list_series_sql =
    FIDUCIA_LISTED " AND series = $4::bytea AND series <> ''" FIDUCIA_LISTED_ORDER;
constexpr const char* list_both_sql = FIDUCIA_LISTED
    " AND study = $4::bytea AND series = $5::bytea AND series <> ''" FIDUCIA_LISTED_ORDER;

// Sorted, so that two who make the same rows do not wait for each other in a ring.
constexpr const char* know_identities_sql =
    "INSERT INTO fiducia_evidence.identity (instance)"
    " SELECT i FROM unnest($1::bytea[]) AS a (i) ORDER BY i ON CONFLICT DO NOTHING";
constexpr const char* lock_free_sql =
    "SELECT instance FROM fiducia_evidence.identity WHERE instance = ANY ($1::bytea[])"
    " FOR UPDATE SKIP LOCKED";
constexpr const char* lock_waiting_sql =
    "SELECT instance FROM fiducia_evidence.identity WHERE instance = ANY ($1::bytea[])"
    " ORDER BY instance FOR UPDATE";
// A statement of its own, after the locks: it sees what those before us have stored.
constexpr const char* count_instances_sql =
    "SELECT instance, count(*) FROM fiducia_evidence.object WHERE instance = ANY ($1::bytea[])"
    " GROUP BY instance";
constexpr const char* wait_sql = "SELECT set_config('lock_timeout', $1::text, true)";
constexpr const char* insert_sql =
    "WITH added AS (INSERT INTO fiducia_evidence.object (root, instance, study, series,"
    " ledger_index, textured_tiles, evidence, digest) VALUES ($1::bytea, nullif($2::bytea, ''),"
    " $3::bytea, $4::bytea, $5::bigint, $6::bigint, $7::bytea, $8::bytea)"
    " ON CONFLICT (root) DO NOTHING RETURNING id), counted AS (INSERT INTO fiducia_evidence.sketch"
    " (value, object) SELECT DISTINCT v, id FROM added, unnest($9::bigint[]) AS a (v))"
    " SELECT id FROM added";
constexpr const char* counted_sql =
    "UPDATE fiducia_evidence.store SET objects = objects + $1::bigint";
constexpr const char* put_mark_sql =
    "INSERT INTO fiducia_evidence.home AS h (name, tree_size, root, pending, trust_serial)"
    " VALUES ($1::text, $2::bigint, $3::bytea, $4::bigint, $5::bigint)"
    " ON CONFLICT (name) DO UPDATE SET tree_size = $2::bigint, root = $3::bytea,"
    " pending = $4::bigint, trust_serial = greatest(h.trust_serial, $5::bigint)"
    " WHERE h.tree_size <= $2::bigint";
constexpr const char* set_mark_sql =
    "INSERT INTO fiducia_evidence.home AS h (name, tree_size, root, pending, trust_serial)"
    " VALUES ($1::text, $2::bigint, $3::bytea, $4::bigint, $5::bigint)"
    " ON CONFLICT (name) DO UPDATE SET tree_size = $2::bigint, root = $3::bytea,"
    " pending = $4::bigint, trust_serial = $5::bigint";
constexpr const char* accept_sql =
    "UPDATE fiducia_evidence.store SET objects = (SELECT count(*) FROM fiducia_evidence.object)";

/// What answers mean here, besides what they mean to everybody.
constexpr const char* make_remedy =
    "Make it with `fiducia store move`, as the owner of the database, or name the right database.";
constexpr std::array own_meanings{
    postgres::Meaning{"55P03", ErrorCode::busy, "Another machine holds what this one needs.",
                      "Try again."},
    postgres::Meaning{"25P03", ErrorCode::io_unwritable,
                      "The identities were kept for so long that the database gave them back.",
                      "Nothing was stored. Seal the images again."},
    postgres::Meaning{"42501", ErrorCode::io_unwritable, "The role has no right to do that.",
                      "Grant it what docs/operations.md lists for the evidence store."},
    postgres::Meaning{"3F000", ErrorCode::config_invalid, "This database has no evidence store.",
                      make_remedy},
    postgres::Meaning{"42P01", ErrorCode::config_invalid, "This database has no evidence store.",
                      make_remedy},
    postgres::Meaning{"42703", ErrorCode::config_invalid,
                      "The evidence store is of another version.",
                      "Use the release that made it, or a later one."},
    postgres::Meaning{"XX001", ErrorCode::store_damaged, "The database of the store is damaged.",
                      store::damage_remedy},
    postgres::Meaning{"XX002", ErrorCode::store_damaged, "The database of the store is damaged.",
                      store::damage_remedy},
};

std::unexpected<Error> fail_of(const Failure& failure, ErrorCode otherwise) {
  return std::unexpected(postgres::error_of(failure, otherwise, place, own_meanings));
}

/// One-dimensional arrays as PostgreSQL takes them in binary: how many dimensions, whether there
/// are nulls, the type of the elements; count and first index; then each with its length.
Bytes array_head(std::uint32_t element_type, std::size_t count) {
  Bytes out;
  append_be(out, std::uint32_t{count == 0 ? 0U : 1U});
  append_be(out, std::uint32_t{0});
  append_be(out, element_type);
  if (count == 0) return out;
  append_be(out, narrow<std::uint32_t>(count));
  append_be(out, std::uint32_t{1});
  return out;
}
template <std::ranges::sized_range Values>
Bytes bigint_array(const Values& values) {
  constexpr std::uint32_t int8_type = 20;
  Bytes out = array_head(int8_type, std::ranges::size(values));
  for (const auto value : values) {
    append_be(out, std::uint32_t{8});
    append_be(out, std::bit_cast<std::uint64_t>(value));
  }
  return out;
}
Bytes bytea_array(std::span<const Bytes> values) {
  constexpr std::uint32_t bytea_type = 17;
  Bytes out = array_head(bytea_type, values.size());
  for (const Bytes& value : values) {
    append_be(out, narrow<std::uint32_t>(value.size()));
    append(out, value);
  }
  return out;
}

std::int64_t as_signed(std::uint64_t value) { return std::bit_cast<std::int64_t>(value); }
std::uint64_t as_unsigned(std::optional<std::int64_t> value) {
  return std::bit_cast<std::uint64_t>(value.value_or(0));
}

bool copy_digest(ByteView from, Digest& to) {
  if (from.size() != to.bytes.size()) return false;
  std::ranges::copy(from, to.bytes.begin());
  return true;
}

/// Whether the record is as it was written; `evidence` borrows from `rows`.
bool record_in(const Rows& rows, std::size_t row, StoredRecord& record) {
  record = {.object_root = {},
            .instance = rows.bytes(row, 3),
            .study = rows.bytes(row, 4),
            .series = rows.bytes(row, 5),
            .ledger_index = as_unsigned(rows.integer(row, 6)),
            .textured_tiles = as_unsigned(rows.integer(row, 7)),
            .sketch_values = {},
            .evidence = rows.bytes(row, 0)};
  return copy_digest(rows.bytes(row, 2), record.object_root) &&
         same_bytes(rows.bytes(row, 1), store::record_digest(record).view());
}

std::vector<Bytes> evidences_in(const Rows& rows) {
  std::vector<Bytes> found;
  StoredRecord record;
  for (std::size_t row = 0; row < rows.count(); ++row) {
    const bool good = record_in(rows, row, record);
    found.push_back(good ? Bytes(record.evidence.begin(), record.evidence.end()) : Bytes{});
  }
  return found;
}

class PostgresStore final : public store::EvidenceStore {
 public:
  PostgresStore(PostgresStoreOptions options, store::StoreKeys keys)
      : options_(std::move(options)), keys_(std::move(keys)) {}
  /// Connects, so that what is wrong is told at once.
  Status start();

  Status put(std::span<const store::Record> records, const HomeMark* mark) override;
  Status put_stored(std::span<const StoredRecord> records) override;
  Result<std::unique_ptr<store::Reservation>> reserve(std::span<const Claim> claims,
                                                      std::uint32_t wait_ms) override;
  Result<HomeMark> mark() override;
  Status accept(const HomeMark& mark) override;
  Result<store::StoreIdentity> identity() override;
  Result<store::StoreCheck> check(
      const std::function<void(std::uint64_t done, std::uint64_t total)>& progress) override;
  Result<std::optional<Bytes>> find_by_root(const Digest& object_root) override;
  Result<std::uint64_t> count() override;
  Result<std::uint64_t> count_by_instance(std::string_view sop_instance_uid) override;
  Result<store::ListPage> list(const store::ListQuery& query) override;
  Result<std::vector<Bytes>> find_by_instance(std::string_view sop_instance_uid) override;
  std::unique_ptr<canonical::SketchBuilder> new_sketch() override {
    return store::make_sketch_builder(keys_.sketch_secret());
  }
  Result<std::vector<Bytes>> find_by_sketch(const canonical::Sketch& sketch) override;

 private:
  friend class PostgresReservation;
  using Connection = std::unique_ptr<postgres::Connection>;

  Answer<Connection> connect(std::optional<Error>& refusal);
  /// One that waits for work, or a new one.
  Result<Connection> take(ErrorCode otherwise, bool& was_idle);
  void give_back(Connection connection);
  Answer<std::vector<Rows>> run(postgres::Connection& connection, std::span<const Command> commands,
                                std::uint32_t wait_ms = 0) const {
    const milliseconds timeout{options_.statement_timeout_ms + wait_ms};
    return connection.run(commands, timeout + answer_margin, /*prepare=*/true,
                          store::answer_bytes_max + (64 << 20));
  }
  /// Runs commands that may be run twice on a connection from the pool: one that was lost while it
  /// was idle is made anew. `connection` has what ran them.
  Result<std::vector<Rows>> run_first(Connection& connection, std::span<const Command> commands,
                                      ErrorCode otherwise);
  Result<Rows> ask(const Command& command);
  Answer<std::int64_t> insert(postgres::Connection& connection,
                              std::span<const StoredRecord> records) const;
  /// Inserts within the transaction that `connection` is in, and commits.
  Status finish(postgres::Connection& connection, std::span<const StoredRecord> records,
                const HomeMark* mark) const;
  [[nodiscard]] Command mark_command(const char* sql, const HomeMark& mark) const {
    return {sql,
            {std::string_view{options_.home}, as_signed(mark.tree_size), mark.root.view(),
             as_signed(mark.pending), as_signed(mark.trust_serial)}};
  }
  Status check_writable(std::span<const StoredRecord> records) const;

  // Set when made and not changed.
  const PostgresStoreOptions options_;
  const store::StoreKeys keys_;

  Mutex mutex_;  // never held during I/O
  std::vector<Connection> idle_ FIDUCIA_GUARDED_BY(mutex_);
};

class PostgresReservation final : public store::Reservation {
 public:
  /// `connection`: in the transaction that holds the locks.
  PostgresReservation(PostgresStore& store, PostgresStore::Connection connection,
                      std::vector<ClaimAnswer> answers)
      : Reservation(std::move(answers)), store_(store), connection_(std::move(connection)) {}
  ~PostgresReservation() override {
    if (connection_ == nullptr) return;
    const Command rollback{rollback_sql};
    // Where that fails, the end of the connection takes the transaction with it.
    if (store_.run(*connection_, std::span{&rollback, 1})) store_.give_back(std::move(connection_));
  }
  Status put(std::span<const store::Record> records, const HomeMark* mark) override {
    if (connection_ == nullptr)
      return fail(ErrorCode::io_unwritable, "The reservation has ended.", "Seal the image again.",
                  here());
    std::vector<store::HashedRecord> hashed;
    hashed.reserve(records.size());
    std::vector<StoredRecord> stored;
    for (const store::Record& record : records)
      stored.push_back(hashed.emplace_back(store_.keys_, record).view());
    const PostgresStore::Connection connection = std::move(connection_);
    FIDUCIA_CHECK(store_.check_writable(stored));  // else the connection ends, and all with it
    return store_.finish(*connection, stored, mark);
  }

 private:
  PostgresStore& store_;
  PostgresStore::Connection connection_;  // null once it has ended
};

Answer<PostgresStore::Connection> PostgresStore::connect(std::optional<Error>& refusal) {
  auto opened = postgres::Connection::open(options_.connection);
  if (!opened) return std::unexpected(std::move(opened).error());
  auto connection = std::make_unique<postgres::Connection>(std::move(*opened));
  const postgres::Session session{
      {.lock_timeout = milliseconds{options_.statement_timeout_ms},
       .statement_timeout = milliseconds{options_.statement_timeout_ms},
       .idle_in_transaction_timeout = milliseconds{options_.reservation_ms_max},
       .read_only = options_.read_only}};
  const std::array commands{session.command(), Command{version_sql}};
  auto answers = run(*connection, commands);
  if (!answers) return std::unexpected(std::move(answers).error());
  const Rows& found = answers->back();
  const auto version = found.count() == 1 ? found.integer(0, 0) : std::nullopt;
  if (version != schema_version)
    refusal = Error{.code = ErrorCode::config_invalid,
                    .what = "The evidence store in this database is of another version than " +
                            std::to_string(schema_version) + ".",
                    .remedy = "Use the release that made it, or a later one.",
                    .where = here()};
  else if (found.integer(0, 1) != 1 && !options_.read_only)
    refusal =
        Error{.code = ErrorCode::config_invalid,
              .what = "The database does not write durably (fsync is off).",
              .remedy = "Set fsync = on in postgresql.conf: evidence must survive a power cut.",
              .where = here()};
  return Answer<Connection>{std::move(connection)};
}

Result<PostgresStore::Connection> PostgresStore::take(ErrorCode otherwise, bool& was_idle) {
  {
    const MutexLock lock{mutex_};
    was_idle = !idle_.empty();
    if (was_idle) {
      Connection connection = std::move(idle_.back());
      idle_.pop_back();
      return Result<Connection>{std::move(connection)};
    }
  }
  std::optional<Error> refusal;
  auto connection = connect(refusal);
  if (!connection) return fail_of(connection.error(), otherwise);
  if (refusal) return std::unexpected(std::move(*refusal));
  return Result<Connection>{std::move(*connection)};
}

void PostgresStore::give_back(Connection connection) {
  const MutexLock lock{mutex_};
  if (idle_.size() < idle_connections_max) idle_.push_back(std::move(connection));
}

Result<std::vector<Rows>> PostgresStore::run_first(Connection& connection,
                                                   std::span<const Command> commands,
                                                   ErrorCode otherwise) {
  for (;;) {
    bool was_idle = false;
    FIDUCIA_TRY(taken, take(otherwise, was_idle));
    connection = std::move(taken);
    auto answers = run(*connection, commands);
    if (answers) return Result<std::vector<Rows>>{std::move(*answers)};
    if (!answers.error().lost || !was_idle) return fail_of(answers.error(), otherwise);
    const MutexLock lock{mutex_};
    idle_.clear();  // of the same age
  }
}

Result<Rows> PostgresStore::ask(const Command& command) {
  Connection connection;
  FIDUCIA_TRY(answers, run_first(connection, std::span{&command, 1}, ErrorCode::io_unreadable));
  give_back(std::move(connection));
  return Result<Rows>{std::move(answers.back())};
}

Status PostgresStore::start() {
  bool was_idle = false;
  FIDUCIA_TRY(connection, take(ErrorCode::io_unreadable, was_idle));
  give_back(std::move(connection));
  return {};
}

Status PostgresStore::check_writable(std::span<const StoredRecord> records) const {
  if (options_.read_only)
    return fail(ErrorCode::io_unwritable, "The evidence store was opened for reading only.",
                "Open it for writing.", here());
  for (const StoredRecord& record : records) FIDUCIA_CHECK(store::check_sizes(record));
  return {};
}

/// How many of the records were not there yet.
Answer<std::int64_t> PostgresStore::insert(postgres::Connection& connection,
                                           std::span<const StoredRecord> records) const {
  std::int64_t added = 0;
  while (!records.empty()) {
    // What travels at once is held in memory once more.
    std::vector<Digest> digests;
    std::vector<Bytes> values;
    std::size_t bytes = 0;
    std::size_t count = 0;
    while (count < records.size() && (count == 0 || bytes < limits::store_pass_bytes_max)) {
      digests.push_back(store::record_digest(records[count]));
      values.push_back(bigint_array(records[count].sketch_values));
      bytes += records[count].evidence.size() + values.back().size();
      ++count;
    }
    std::vector<Command> commands;
    for (std::size_t i = 0; i < count; ++i) {
      const StoredRecord& record = records[i];
      commands.push_back({insert_sql,
                          {record.object_root.view(), record.instance, record.study, record.series,
                           as_signed(record.ledger_index), as_signed(record.textured_tiles),
                           record.evidence, digests[i].view(), ByteView{values[i]}}});
    }
    auto answers = run(connection, commands);
    if (!answers) return std::unexpected(std::move(answers).error());
    for (const Rows& rows : *answers) added += static_cast<std::int64_t>(rows.count());
    records = records.subspan(count);
  }
  return added;
}

Status PostgresStore::finish(postgres::Connection& connection,
                             std::span<const StoredRecord> records, const HomeMark* mark) const {
  const auto added = insert(connection, records);
  if (!added) return fail_of(added.error(), ErrorCode::io_unwritable);
  std::vector<Command> commands;
  // Last, since all who store wait here for each other.
  if (mark != nullptr) commands.push_back(mark_command(put_mark_sql, *mark));
  if (*added > 0) commands.push_back({counted_sql, {*added}});
  commands.push_back({commit_sql});
  const auto committed = run(connection, commands);
  if (!committed) return fail_of(committed.error(), ErrorCode::io_unwritable);
  if (committed->back().command_tag() != "COMMIT")
    return fail(ErrorCode::io_unwritable, "The database took nothing.", "Try again.", here());
  if (connection.warned())
    return fail(ErrorCode::io_unwritable,
                "The database has not confirmed that its standby holds the evidence.",
                "Check the standby servers, and seal the images again.", here());
  return {};
}

Status PostgresStore::put(std::span<const store::Record> records, const HomeMark* mark) {
  std::vector<store::HashedRecord> hashed;
  hashed.reserve(records.size());
  std::vector<StoredRecord> stored;
  for (const store::Record& record : records)
    stored.push_back(hashed.emplace_back(keys_, record).view());
  FIDUCIA_CHECK(check_writable(stored));
  if (!stored.empty()) {
    if (mark == nullptr) return put_stored(stored);
    FIDUCIA_CHECK(put_stored(stored));
  }
  if (mark == nullptr) return {};
  Connection connection;
  const std::array commands{Command{begin_sql}, mark_command(put_mark_sql, *mark),
                            Command{commit_sql}};
  FIDUCIA_CHECK(run_first(connection, commands, ErrorCode::io_unwritable));
  give_back(std::move(connection));
  return {};
}

Status PostgresStore::put_stored(std::span<const StoredRecord> records) {
  FIDUCIA_CHECK(check_writable(records));
  // Whoever seals one of these identities now is waited for: it counts what is stored first.
  std::vector<Bytes> instances;
  for (const StoredRecord& record : records)
    if (!record.instance.empty())
      instances.emplace_back(record.instance.begin(), record.instance.end());
  const Bytes array = bytea_array(instances);
  Connection connection;
  const std::array know{Command{know_identities_sql, {ByteView{array}}}};
  FIDUCIA_CHECK(run_first(connection, know, ErrorCode::io_unwritable));
  const std::array lock{Command{begin_sql}, Command{lock_waiting_sql, {ByteView{array}}}};
  if (const auto locked = run(*connection, lock); !locked)
    return fail_of(locked.error(), ErrorCode::io_unwritable);
  FIDUCIA_CHECK(finish(*connection, records, nullptr));
  give_back(std::move(connection));
  return {};
}

Result<std::unique_ptr<store::Reservation>> PostgresStore::reserve(std::span<const Claim> claims,
                                                                   std::uint32_t wait_ms) {
  FIDUCIA_CHECK(check_writable({}));
  FIDUCIA_CHECK(store::check_claims(claims));
  std::vector<Bytes> instances;
  std::vector<Bytes> asked;
  for (const Claim& claim : claims) {
    instances.push_back(keys_.instance_hash(claim.sop_instance_uid));
    if (!instances.back().empty()) asked.push_back(instances.back());
  }
  const Bytes array = bytea_array(asked);
  Connection connection;
  const std::array know{Command{know_identities_sql, {ByteView{array}}}};
  FIDUCIA_CHECK(run_first(connection, know, ErrorCode::io_unwritable));
  const std::array look{Command{begin_sql}, Command{lock_free_sql, {ByteView{array}}},
                        Command{count_instances_sql, {ByteView{array}}}};
  const auto end = std::chrono::steady_clock::now() + milliseconds{wait_ms};
  for (;;) {
    const auto found = run(*connection, look);
    if (!found) return fail_of(found.error(), ErrorCode::io_unwritable);
    std::vector<Bytes> held;
    for (std::size_t row = 0; row < (*found)[1].count(); ++row) {
      const ByteView instance = (*found)[1].bytes(row, 0);
      held.emplace_back(instance.begin(), instance.end());
    }
    std::ranges::sort(held);
    std::vector<std::pair<Bytes, std::uint64_t>> known;
    for (std::size_t row = 0; row < (*found)[2].count(); ++row) {
      const ByteView instance = (*found)[2].bytes(row, 0);
      known.emplace_back(Bytes(instance.begin(), instance.end()),
                         as_unsigned((*found)[2].integer(row, 1)));
    }
    std::ranges::sort(known);
    std::vector<ClaimAnswer> answers;
    for (std::size_t i = 0; i < claims.size(); ++i) {
      const Bytes& instance = instances[i];
      const auto at =
          std::ranges::lower_bound(known, instance, {}, &std::pair<Bytes, std::uint64_t>::first);
      const std::uint64_t count = at != known.end() && at->first == instance ? at->second : 0;
      if (instance.empty())
        answers.push_back(ClaimAnswer::granted);
      else if (!std::ranges::binary_search(held, instance))
        answers.push_back(ClaimAnswer::taken);
      else
        answers.push_back(count == claims[i].known ? ClaimAnswer::granted : ClaimAnswer::changed);
    }
    const auto left =
        std::chrono::duration_cast<milliseconds>(end - std::chrono::steady_clock::now());
    const bool only_taken = !answers.empty() && std::ranges::all_of(answers, [](ClaimAnswer one) {
      return one == ClaimAnswer::taken;
    });
    if (!only_taken || left.count() <= 0)
      return std::make_unique<PostgresReservation>(*this, std::move(connection),
                                                   std::move(answers));
    // Nothing is held: no ring of those who wait can close.
    const Bytes first = bytea_array(std::span{asked}.first(1));
    const std::string wait = std::to_string(left.count());
    const std::array wait_for_it{Command{rollback_sql}, Command{begin_sql},
                                 Command{wait_sql, {std::string_view{wait}}},
                                 Command{lock_waiting_sql, {ByteView{first}}}};
    const std::array stop{Command{rollback_sql}};
    const auto waited = run(*connection, wait_for_it, narrow<std::uint32_t>(left.count()));
    constexpr std::string_view lock_not_available = "55P03";
    if (!waited && (waited.error().lost || waited.error().sqlstate != lock_not_available))
      return fail_of(waited.error(), ErrorCode::io_unwritable);
    if (const auto stopped = run(*connection, stop); !stopped)
      return fail_of(stopped.error(), ErrorCode::io_unwritable);
  }
}

Result<HomeMark> PostgresStore::mark() {
  FIDUCIA_TRY(rows, ask({mark_sql, {std::string_view{options_.home}}}));
  if (rows.count() != 1) return HomeMark{};  // this home has stored nothing yet
  HomeMark mark{.tree_size = as_unsigned(rows.integer(0, 0)),
                .root = {},
                .pending = as_unsigned(rows.integer(0, 2)),
                .trust_serial = as_unsigned(rows.integer(0, 3))};
  static_cast<void>(copy_digest(rows.bytes(0, 1), mark.root));
  return mark;
}

Status PostgresStore::accept(const HomeMark& mark) {
  FIDUCIA_CHECK(check_writable({}));
  Connection connection;
  const std::array commands{Command{begin_sql}, Command{accept_sql},
                            mark_command(set_mark_sql, mark), Command{commit_sql}};
  FIDUCIA_CHECK(run_first(connection, commands, ErrorCode::io_unwritable));
  give_back(std::move(connection));
  return {};
}

Result<store::StoreIdentity> PostgresStore::identity() {
  FIDUCIA_TRY(rows, ask({identity_sql}));
  store::StoreIdentity identity;
  if (rows.count() != 1) return identity;
  if (const ByteView id = rows.bytes(0, 0); id.size() == identity.id.size())
    std::ranges::copy(id, identity.id.begin());
  identity.key_fits = same_bytes(rows.bytes(0, 1), keys_.check().view());
  identity.emptied = rows.integer(0, 2) != 0;
  return identity;
}

Result<store::StoreCheck> PostgresStore::check(
    const std::function<void(std::uint64_t done, std::uint64_t total)>& progress) {
  store::StoreCheck found{.objects = 0, .damaged = {}, .text = {}, .sound = true};
  Connection connection;
  // One snapshot, so that what others store meanwhile is not missed or counted twice.
  const std::array start{Command{begin_snapshot_sql}, Command{identity_sql}};
  FIDUCIA_TRY(begun, run_first(connection, start, ErrorCode::io_unreadable));
  const std::int64_t expected = begun[1].count() == 1 ? begun[1].integer(0, 3).value_or(-1) : -1;
  std::uint64_t damaged = 0;
  for (std::int64_t after = 0;;) {
    const Command page{page_sql, {after, std::int64_t{limits::store_pass_bytes_max}}};
    const auto answers = run(*connection, std::span{&page, 1});
    if (!answers) return fail_of(answers.error(), ErrorCode::io_unreadable);
    const Rows& rows = answers->back();
    if (rows.count() == 0) break;
    StoredRecord record;
    for (std::size_t row = 0; row < rows.count(); ++row) {
      ++found.objects;
      if (record_in(rows, row, record)) continue;
      ++damaged;
      if (found.damaged.size() < store::damaged_listed_max)
        found.damaged.push_back(record.object_root);
    }
    const auto last = rows.integer(rows.count() - 1, 8);
    if (!last || *last <= after)
      return fail(ErrorCode::store_damaged, "The database of the store is damaged.",
                  store::damage_remedy, here());
    after = *last;
    if (progress) progress(found.objects, as_unsigned(std::max<std::int64_t>(expected, 0)));
  }
  const Command end{commit_sql};
  if (run(*connection, std::span{&end, 1})) give_back(std::move(connection));
  store::conclude(found, damaged, expected);
  return found;
}

Result<std::uint64_t> PostgresStore::count() {
  FIDUCIA_TRY(rows, ask({count_sql}));
  return rows.count() == 1 ? as_unsigned(rows.integer(0, 0)) : 0;
}

Result<std::uint64_t> PostgresStore::count_by_instance(std::string_view sop_instance_uid) {
  const Bytes instance = keys_.instance_hash(sop_instance_uid);
  if (instance.empty()) return 0;
  FIDUCIA_TRY(rows, ask({count_instance_sql, {ByteView{instance}}}));
  return rows.count() == 1 ? as_unsigned(rows.integer(0, 0)) : 0;
}

Result<std::optional<Bytes>> PostgresStore::find_by_root(const Digest& object_root) {
  FIDUCIA_TRY(rows, ask({by_root_sql, {object_root.view()}}));
  if (rows.count() == 0) return std::nullopt;
  StoredRecord record;
  if (!record_in(rows, 0, record))
    return fail(ErrorCode::store_damaged, "A record of the evidence store is damaged.",
                store::damage_remedy, here());
  return Bytes(record.evidence.begin(), record.evidence.end());
}

Result<std::vector<Bytes>> PostgresStore::find_by_instance(std::string_view sop_instance_uid) {
  const Bytes instance = keys_.instance_hash(sop_instance_uid);
  if (instance.empty()) return std::vector<Bytes>{};
  FIDUCIA_TRY(rows,
              ask({by_instance_sql, {ByteView{instance}, std::int64_t{store::answer_bytes_max}}}));
  return evidences_in(rows);
}

Result<std::vector<Bytes>> PostgresStore::find_by_sketch(const canonical::Sketch& sketch) {
  if (sketch.values.empty()) return std::vector<Bytes>{};
  const std::size_t asked = std::min(sketch.values.size(), store::sketch_values_max);
  const Bytes values = bigint_array(std::span{sketch.values}.first(asked));
  FIDUCIA_TRY(rows, ask({by_values_sql, {ByteView{values}}}));
  std::vector<std::vector<std::int64_t>> hits(rows.count());
  for (std::size_t row = 0; row < rows.count(); ++row) {
    const ByteView objects = rows.bytes(row, 0);
    for (std::size_t i = 0; i + 8 <= objects.size(); i += 8)
      hits[row].push_back(std::bit_cast<std::int64_t>(load_be<std::uint64_t>(objects.data() + i)));
  }
  const auto tiles_of =
      [&](std::span<const std::int64_t> objects) -> Result<std::vector<std::int64_t>> {
    const Bytes ids = bigint_array(objects);
    FIDUCIA_TRY(found, ask({tiles_sql, {ByteView{ids}}}));
    std::vector<std::int64_t> tiles(objects.size());
    for (std::size_t row = 0; row < std::min(found.count(), tiles.size()); ++row)
      tiles[row] = found.integer(row, 0).value_or(0);
    return tiles;
  };
  FIDUCIA_TRY(ranked, store::rank_objects(hits, sketch.textured_tiles, tiles_of));
  if (ranked.empty()) return std::vector<Bytes>{};
  const Bytes ids = bigint_array(ranked);
  FIDUCIA_TRY(found, ask({by_ids_sql, {ByteView{ids}, std::int64_t{store::answer_bytes_max}}}));
  return evidences_in(found);
}

Result<store::ListPage> PostgresStore::list(const store::ListQuery& query) {
  FIDUCIA_CHECK(store::check_page(query));
  FIDUCIA_TRY(after, store::read_position(query.after));
  const Bytes study = keys_.study_hash(query.study_instance_uid);
  const Bytes series = keys_.series_hash(query.series_instance_uid);
  Command command{
      list_sql,
      {ByteView{after.study}, after.object, static_cast<std::int64_t>(query.objects_max)}};
  if (!study.empty()) command.parameters.emplace_back(ByteView{study});
  if (!series.empty()) command.parameters.emplace_back(ByteView{series});
  if (!study.empty() || !series.empty())
    command.sql = series.empty() ? list_study_sql : study.empty() ? list_series_sql : list_both_sql;
  FIDUCIA_TRY(rows, ask(command));
  store::ListPage page;
  const auto bytes = [&rows](std::size_t row, int column) {
    const ByteView value = rows.bytes(row, column);
    return Bytes(value.begin(), value.end());
  };
  for (std::size_t row = 0; row < rows.count(); ++row) {
    store::ListedObject object{.object_root = {},
                               .ledger_index = as_unsigned(rows.integer(row, 2)),
                               .instance = bytes(row, 3),
                               .study = bytes(row, 4),
                               .series = bytes(row, 5)};
    static_cast<void>(copy_digest(rows.bytes(row, 1), object.object_root));
    page.objects.push_back(std::move(object));
  }
  if (page.objects.size() == query.objects_max)
    page.next = store::write_position({.study = page.objects.back().study,
                                       .object = rows.integer(rows.count() - 1, 0).value_or(0)});
  return page;
}

}  // namespace

Result<bool> holds_secret(const std::string& connection) {
  const auto found = postgres::Connection::holds_secret(connection);
  if (!found)
    return fail_of(found.error(),
                   found.error().lost ? ErrorCode::config_invalid : ErrorCode::config_missing);
  return *found;
}

Status create(const std::string& connection, ByteView key) {
  FIDUCIA_TRY(keys, store::StoreKeys::make(key));
  auto opened = postgres::Connection::open(connection);
  if (!opened) return fail_of(opened.error(), ErrorCode::io_unreadable);
  constexpr milliseconds timeout{limits::store_statement_timeout_ms};
  const auto run = [&](std::span<const Command> commands) {
    return opened->run(commands, timeout + answer_margin, /*prepare=*/false);
  };
  const postgres::Session session{{.lock_timeout = timeout,
                                   .statement_timeout = timeout,
                                   .idle_in_transaction_timeout = timeout}};
  // Two that make the schema at once: the second waits for the first and finds it made.
  const std::array look{
      session.command(), Command{begin_sql},
      Command{"SELECT pg_advisory_xact_lock(4203181512206478849)"},
      Command{"SELECT (to_regclass('fiducia_evidence.store') IS NOT NULL)::int::bigint"}};
  const auto found = run(look);
  if (!found) return fail_of(found.error(), ErrorCode::io_unwritable);
  const Digest check = keys.check();
  if (found->back().count() == 1 && found->back().integer(0, 0) == 1) {
    const std::array compare{Command{"SELECT version, key_check FROM fiducia_evidence.store"},
                             Command{commit_sql}};
    const auto there = run(compare);
    if (!there) return fail_of(there.error(), ErrorCode::io_unwritable);
    const Rows& rows = there->front();
    if (rows.count() != 1 || rows.integer(0, 0) != schema_version)
      return fail(ErrorCode::config_invalid,
                  "The evidence store in this database is of another version.",
                  "Use the release that made it, or a later one.", here());
    if (!same_bytes(rows.bytes(0, 1), check.view()))
      return fail(ErrorCode::home_mismatch, "This database has an evidence store with another key.",
                  "Join it with that key (`fiducia store join`), or name another database.",
                  here());
    return {};
  }
  std::array<std::byte, 16> id{};
  FIDUCIA_CHECK(crypto::fill_random(id));
  std::vector<Command> commands;
  for (const char* sql : schema_statements()) commands.push_back({sql});
  commands.push_back(
      {"INSERT INTO fiducia_evidence.store (version, id, key_check) VALUES ($1::bigint, $2::bytea,"
       " $3::bytea)",
       {schema_version, ByteView{id}, check.view()}});
  commands.push_back({commit_sql});
  if (const auto made = run(commands); !made)
    return fail_of(made.error(), ErrorCode::io_unwritable);
  return {};
}

Result<std::unique_ptr<store::EvidenceStore>> open(const PostgresStoreOptions& options,
                                                   ByteView key) {
  FIDUCIA_TRY(keys, store::StoreKeys::make(key));
  if (options.home.empty() || options.home.size() > limits::postgres_origin_bytes_max)
    return fail(ErrorCode::config_invalid, "The home has no name by which a store could know it.",
                "Give the home's ledger a name of 1 to 1,024 bytes.");
  auto store = std::make_unique<PostgresStore>(options, std::move(keys));
  FIDUCIA_CHECK(store->start());
  return std::unique_ptr<store::EvidenceStore>{std::move(store)};
}

}  // namespace fiducia::store_postgres
