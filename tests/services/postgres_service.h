// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <chrono>
#include <cstdio>
#include <memory>
#include <string>
#include <thread>

#include "postgres/postgres.h"

namespace fiducia::postgres::test {

/// A private PostgreSQL server (tests/services/postgresql), which ends with this object and, since
/// it listens to a pipe of this process, also when this process is killed.
class PostgresService {
 public:
  /// Ends the program where the server does not start: no test of this program can run.
  PostgresService();
  ~PostgresService();
  PostgresService(const PostgresService&) = delete;
  PostgresService& operator=(const PostgresService&) = delete;

  /// Of the superuser.
  [[nodiscard]] const std::string& connection() const { return connection_; }
  /// The same server; `further` overrides what stands in `connection()`.
  [[nodiscard]] std::string connection_with(const std::string& further) const {
    return connection_ + " " + further;
  }
  /// A command of the script, which must succeed: "stop immediate", "start", "pause".
  void command(const std::string& line);

  /// Started at the first call, ends with the program.
  static PostgresService& shared();

 private:
  std::string read_line();
  std::FILE* to_ = nullptr;
  std::FILE* from_ = nullptr;
  int pid_ = -1;
  std::string connection_;
};

/// Somebody at the database's prompt.
class Administrator {
 public:
  explicit Administrator(const std::string& connection);
  /// Runs one statement; the test fails if it does.
  Rows run(const char* sql, std::vector<Parameter> parameters = {});
  /// The SQLSTATE that the statement fails with; "none" if it does not.
  std::string sqlstate_of(const char* sql, std::vector<Parameter> parameters = {});
  /// The first value of the first row.
  std::int64_t integer(const char* sql, std::vector<Parameter> parameters = {});

 private:
  Answer<Rows> try_run(const char* sql, std::vector<Parameter> parameters);
  std::string string_;
  std::optional<Connection> connection_;
};

/// Asks again and again, at most for a minute, until `condition` holds: for what the server does
/// in its own time. Returns whether it came to hold.
template <class Condition>
[[nodiscard]] bool eventually(const Condition& condition) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::minutes{1};
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds{10});
  }
  return true;
}

}  // namespace fiducia::postgres::test
