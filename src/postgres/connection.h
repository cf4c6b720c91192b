// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <chrono>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/core.h"

struct pg_conn;
struct pg_result;

namespace fiducia::postgres {

struct FinishConnection {
  void operator()(pg_conn* connection) const noexcept;
};
struct ClearResult {
  void operator()(pg_result* result) const noexcept;
};

/// Why the database did not do what it was asked to do.
struct Failure {
  std::string sqlstate = {};  // five characters of the server's answer; empty if none came
  std::string text = {};      // one sentence for people; nothing of the connection string in it
  /// One more for people, where it is not that the database should be looked at.
  std::string remedy = {};
  bool lost = false;  // the connection is gone, and with it what was not committed
};
template <class T>
using Answer = std::expected<T, Failure>;

/// What is sent with a statement for `$1`, `$2`, ...; bytes and text must outlive the call.
using Parameter = std::variant<std::int64_t, bool, std::string_view, ByteView>;

/// One statement to run. Values travel apart from the text, which is a constant of ours.
struct Command {
  const char* sql;
  std::vector<Parameter> parameters = {};
};

/// The rows of one statement, in binary: bigint and bytea are what is asked for here.
class Rows {
 public:
  [[nodiscard]] std::size_t count() const { return rows_.size(); }
  [[nodiscard]] bool is_null(std::size_t row, int column) const;
  /// The value of a bigint; absent where the column is another thing.
  [[nodiscard]] std::optional<std::int64_t> integer(std::size_t row, int column) const;
  /// The content of a bytea or text, owned by this; empty where it is null.
  [[nodiscard]] ByteView bytes(std::size_t row, int column) const;
  /// What was done, in the server's word: "COMMIT", "ROLLBACK", "INSERT 0 1".
  [[nodiscard]] const std::string& command_tag() const { return tag_; }

 private:
  friend class Connection;
  std::vector<std::unique_ptr<pg_result, ClearResult>> rows_;  // one each
  std::string tag_;
};

/// A connection in libpq's pipeline mode: several statements travel together.
/// Thread safety: none; one thread at a time. Not to be used after fork().
class Connection {
 public:
  /// Whether a connection string says a password or another secret itself, instead of naming a file
  /// that holds it (passfile, service). Failures: as `open`, without a server.
  [[nodiscard]] static Answer<bool> holds_secret(const std::string& connection);

  /// `connection` as libpq takes it: "host=... dbname=...", or "postgresql://...". What it says
  /// goes before the environment (PGHOST, ...), which goes before our defaults for time-outs.
  /// The first call loads libpq: a failure with a remedy where it is not installed.
  [[nodiscard]] static Answer<Connection> open(const std::string& connection);

  /// Runs the commands in order in one trip; the first that fails ends it and the rest is not
  /// run. Without an explicit BEGIN they are one transaction. Statements are prepared at their
  /// first use if `prepare`. At most `row_bytes_max` bytes of rows in all are taken.
  [[nodiscard]] Answer<std::vector<Rows>> run(
      std::span<const Command> commands, std::chrono::milliseconds timeout, bool prepare = true,
      std::uint64_t row_bytes_max = limits::postgres_row_bytes_max);

  /// Whether the server warned during the last `run`: a COMMIT with a warning is durable here,
  /// perhaps not on its standby.
  [[nodiscard]] bool warned() const;

 private:
  struct State;
  struct DeleteState {
    void operator()(State* state) const noexcept;
  };
  explicit Connection(std::unique_ptr<State, DeleteState> state);
  struct Step;
  enum class Taken { more, prepared, end, sync };
  [[nodiscard]] Answer<std::vector<Step>> send(std::span<const Command> commands, bool prepare);
  [[nodiscard]] Answer<void> wait_for_answer(std::chrono::steady_clock::time_point end);
  [[nodiscard]] Answer<Taken> take_result(std::chrono::steady_clock::time_point end, Rows* rows,
                                          std::uint64_t& row_bytes_left);
  std::unique_ptr<State, DeleteState> state_;
};

}  // namespace fiducia::postgres
