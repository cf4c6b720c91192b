// SPDX-License-Identifier: Apache-2.0
#pragma once
// Inside of module store: SQLite connections and statements that close themselves. The only
// header that names SQLite's types; only sqlite.cpp includes sqlite3.h.
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "core/core.h"

struct sqlite3;
struct sqlite3_stmt;

namespace fiducia::store {

struct CloseConnection {
  void operator()(sqlite3* connection) const noexcept;
};
struct FinalizeStatement {
  void operator()(sqlite3_stmt* statement) const noexcept;
};

/// A prepared statement. Parameters and columns count as in SQL: parameters from 1, columns
/// from 0. Must not outlive its connection. Thread safety: that of its connection.
class Statement {
 public:
  void bind(int parameter, std::int64_t value);
  /// `bytes` must stay valid until the statement is reset.
  void bind(int parameter, ByteView bytes);
  /// Whether there is a row. Errors: busy, io_unreadable, io_unwritable.
  [[nodiscard]] Result<bool> step();
  /// Runs a statement that returns no rows, and resets it.
  [[nodiscard]] Status run();
  [[nodiscard]] std::int64_t integer(int column) const;
  [[nodiscard]] bool is_null(int column) const;
  /// Owned by the statement, valid until the next step or reset.
  [[nodiscard]] ByteView blob(int column) const;
  [[nodiscard]] std::string text(int column) const;
  /// Ends the read transaction of a query and forgets what was bound.
  void reset();

 private:
  friend class Connection;
  explicit Statement(sqlite3_stmt* handle) : handle_(handle) {}
  std::unique_ptr<sqlite3_stmt, FinalizeStatement> handle_;
};

/// Resets a statement at the end of a scope, however it is left.
class ResetAtEnd {
 public:
  explicit ResetAtEnd(Statement& statement) : statement_(statement) {}
  ~ResetAtEnd() { statement_.reset(); }
  ResetAtEnd(const ResetAtEnd&) = delete;
  ResetAtEnd& operator=(const ResetAtEnd&) = delete;

 private:
  Statement& statement_;
};

enum class OpenMode {
  read_write,      // the file must exist
  read_only,       // with the write-ahead log that lies beside the file
  read_immutable,  // the file alone, no locks: nobody writes to it
};

/// A connection to one database file. Movable. Thread safety: one thread at a time.
class Connection {
 public:
  /// Errors: io_unreadable, io_unwritable, config_invalid (not an SQLite file: told at the first
  /// statement).
  [[nodiscard]] static Result<Connection> open(const std::filesystem::path& path, OpenMode mode);
  /// Runs SQL text without parameters, rows dropped.
  [[nodiscard]] Status execute(const std::string& sql);
  [[nodiscard]] Result<Statement> prepare(std::string_view sql);
  /// The one integer that a query gives.
  [[nodiscard]] Result<std::int64_t> integer(std::string_view sql);
  [[nodiscard]] std::int64_t last_row_id() const;
  /// Rows changed by the last INSERT.
  [[nodiscard]] std::int64_t changes() const;
  [[nodiscard]] bool in_transaction() const;

 private:
  explicit Connection(sqlite3* handle) : handle_(handle) {}
  std::unique_ptr<sqlite3, CloseConnection> handle_;
};

}  // namespace fiducia::store
