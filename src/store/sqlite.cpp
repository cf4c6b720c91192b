// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite.h"

#include <sqlite3.h>

namespace fiducia::store {
namespace {

constexpr int busy_timeout_ms = 10'000;
/// Room for the columns beside the evidence in one row.
constexpr std::uint64_t row_overhead_bytes = 1 << 20;

/// The error for an answer that is not SQLITE_OK. SQLite's messages name tables and files, never
/// values.
std::unexpected<Error> fail_sqlite(sqlite3* connection, int answer) {
  const std::string what =
      std::string("SQLite: ") +
      (connection != nullptr ? sqlite3_errmsg(connection) : sqlite3_errstr(answer)) + ".";
  switch (answer & 0xFF) {  // the primary code of an extended one
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return fail(ErrorCode::busy, what, "Try again when the other program is done.");
    case SQLITE_NOTADB:
      return fail(ErrorCode::config_invalid, "The file is not an evidence store.",
                  "Name the evidence store, or a file that does not exist yet.");
    case SQLITE_FULL:
    case SQLITE_READONLY:
      return fail(ErrorCode::io_unwritable, what, "Make room, or give a writable path.");
    case SQLITE_CORRUPT:
      return fail(ErrorCode::store_damaged, what,
                  "Run `fiducia store check`, and restore the store from a copy; the ledger shows "
                  "which seals are missing.");
    default:
      return fail(ErrorCode::io_unreadable, what, "Check the path, its permissions and the disk.");
  }
}

/// `path` as an SQLite URI; everything that could end or change it is percent-encoded.
std::string uri_of(const std::filesystem::path& path, std::string_view query) {
  constexpr std::string_view plain =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~/";
  std::string out = "file:";
  for (const char c : path.string()) {
    if (plain.find(c) != std::string_view::npos)
      out += c;
    else
      out += "%" + to_hex(as_bytes(std::string_view{&c, 1}));
  }
  return out + std::string(query);
}

}  // namespace

void CloseConnection::operator()(sqlite3* connection) const noexcept {
  sqlite3_close_v2(connection);
}
void FinalizeStatement::operator()(sqlite3_stmt* statement) const noexcept {
  sqlite3_finalize(statement);
}

void Statement::bind(int parameter, std::int64_t value) {
  const int answer = sqlite3_bind_int64(handle_.get(), parameter, value);
  FIDUCIA_ASSERT(answer == SQLITE_OK);
}

void Statement::bind(int parameter, ByteView bytes) {
  // A null pointer would bind NULL; an empty blob needs an address.
  static constexpr std::byte nothing{};
  const void* data = bytes.empty() ? &nothing : bytes.data();
  const int answer =
      sqlite3_bind_blob64(handle_.get(), parameter, data, bytes.size(), SQLITE_STATIC);
  FIDUCIA_ASSERT(answer == SQLITE_OK);  // sizes are checked against the limit before
}

Result<bool> Statement::step() {
  const int answer = sqlite3_step(handle_.get());
  if (answer == SQLITE_ROW) return true;
  if (answer == SQLITE_DONE) return false;
  return fail_sqlite(sqlite3_db_handle(handle_.get()), answer);
}

Status Statement::run() {
  const ResetAtEnd reset_at_end{*this};
  FIDUCIA_TRY(row, step());
  FIDUCIA_ASSERT(!row);
  return {};
}

std::int64_t Statement::integer(int column) const {
  return sqlite3_column_int64(handle_.get(), column);
}

bool Statement::is_null(int column) const {
  return sqlite3_column_type(handle_.get(), column) == SQLITE_NULL;
}

ByteView Statement::blob(int column) const {
  const void* data = sqlite3_column_blob(handle_.get(), column);
  const int size = sqlite3_column_bytes(handle_.get(), column);
  if (data == nullptr || size <= 0) return {};
  return {static_cast<const std::byte*>(data), static_cast<std::size_t>(size)};
}

std::string Statement::text(int column) const {
  const unsigned char* data = sqlite3_column_text(handle_.get(), column);
  return data == nullptr ? std::string{} : std::string(reinterpret_cast<const char*>(data));
}

void Statement::reset() {
  sqlite3_reset(handle_.get());
  sqlite3_clear_bindings(handle_.get());
}

Result<Connection> Connection::open(const std::filesystem::path& path, OpenMode mode) {
  // Absolute and normal: SQLite gives names such as ":memory:" and "//host" a meaning.
  const std::filesystem::path target = std::filesystem::absolute(path).lexically_normal();
  const int access = mode == OpenMode::read_write ? SQLITE_OPEN_READWRITE : SQLITE_OPEN_READONLY;
  sqlite3* raw = nullptr;
  // NOMUTEX: a connection belongs to one thread at a time, which the store sees to.
  const int answer = sqlite3_open_v2(
      uri_of(target, mode == OpenMode::read_immutable ? "?immutable=1" : "").c_str(), &raw,
      access | SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, nullptr);
  Connection connection{raw};
  if (answer != SQLITE_OK) {
    auto error = fail_sqlite(raw, answer);
    error.error().where.file = path.string();
    return error;
  }
  sqlite3_busy_timeout(raw, busy_timeout_ms);
  sqlite3_limit(raw, SQLITE_LIMIT_LENGTH,
                static_cast<int>(limits::evidence_bytes_max + row_overhead_bytes));
  // Tables of a file from strangers may hold triggers and views: none of them may act.
  sqlite3_db_config(raw, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  sqlite3_db_config(raw, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  sqlite3_db_config(raw, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, nullptr);
  sqlite3_db_config(raw, SQLITE_DBCONFIG_ENABLE_VIEW, 0, nullptr);
  return connection;
}

Status Connection::execute(const std::string& sql) {
  const int answer = sqlite3_exec(handle_.get(), sql.c_str(), nullptr, nullptr, nullptr);
  if (answer != SQLITE_OK) return fail_sqlite(handle_.get(), answer);
  return {};
}

Result<Statement> Connection::prepare(std::string_view sql) {
  sqlite3_stmt* raw = nullptr;
  const int answer = sqlite3_prepare_v3(handle_.get(), sql.data(), narrow<int>(sql.size()),
                                        SQLITE_PREPARE_PERSISTENT, &raw, nullptr);
  if (answer != SQLITE_OK) return fail_sqlite(handle_.get(), answer);
  return Statement{raw};
}

Result<std::int64_t> Connection::integer(std::string_view sql) {
  FIDUCIA_TRY(statement, prepare(sql));
  FIDUCIA_TRY(row, statement.step());
  FIDUCIA_ASSERT(row);
  return statement.integer(0);
}

std::int64_t Connection::last_row_id() const { return sqlite3_last_insert_rowid(handle_.get()); }
std::int64_t Connection::changes() const { return sqlite3_changes64(handle_.get()); }
bool Connection::in_transaction() const { return sqlite3_get_autocommit(handle_.get()) == 0; }

}  // namespace fiducia::store
