// SPDX-License-Identifier: Apache-2.0
#include "postgres_service.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>

#include "support/support.h"

namespace fiducia::postgres::test {

PostgresService::PostgresService() {
  std::array<int, 2> in{};
  std::array<int, 2> out{};
  FIDUCIA_ASSERT(pipe2(in.data(), O_CLOEXEC) == 0 && pipe2(out.data(), O_CLOEXEC) == 0);
  const std::string program = fiducia::test::source("tests/services/postgresql").string();
  pid_ = fork();
  FIDUCIA_ASSERT(pid_ >= 0);
  if (pid_ == 0) {
    dup2(in[0], STDIN_FILENO);
    dup2(out[1], STDOUT_FILENO);
    execl(program.c_str(), "postgresql", "serve", static_cast<char*>(nullptr));
    _exit(127);
  }
  close(in[0]);
  close(out[1]);
  to_ = fdopen(in[1], "w");
  from_ = fdopen(out[0], "r");
  connection_ = read_line();
  if (!connection_.starts_with("host=")) {
    std::fputs("PostgreSQL does not start: see above.\n", stderr);
    std::_Exit(1);
  }
}

PostgresService::~PostgresService() {
  std::fclose(to_);
  std::fclose(from_);
  waitpid(pid_, nullptr, 0);
}

std::string PostgresService::read_line() {
  std::string line;
  for (int c = std::fgetc(from_); c != EOF && c != '\n'; c = std::fgetc(from_))
    line += static_cast<char>(c);
  return line;
}

void PostgresService::command(const std::string& line) {
  std::fputs((line + "\n").c_str(), to_);
  std::fflush(to_);
  ASSERT_EQ(read_line(), "ok") << line;
}

PostgresService& PostgresService::shared() {
  static PostgresService service;
  return service;
}

Administrator::Administrator(const std::string& connection) : string_(connection) {}

Answer<Rows> Administrator::try_run(const char* sql, std::vector<Parameter> parameters) {
  if (!connection_) {
    auto opened = Connection::open(string_);
    if (!opened) return std::unexpected(std::move(opened).error());
    connection_.emplace(std::move(*opened));
  }
  const Command command{sql, std::move(parameters)};
  auto answers =
      connection_->run(std::span{&command, 1}, std::chrono::minutes{1}, /*prepare=*/false);
  if (!answers) {
    if (answers.error().lost) connection_.reset();
    return std::unexpected(std::move(answers).error());
  }
  return std::move(answers->back());
}

Rows Administrator::run(const char* sql, std::vector<Parameter> parameters) {
  auto rows = try_run(sql, std::move(parameters));
  EXPECT_TRUE(rows.has_value()) << sql << ": " << rows.error().text;
  return rows ? std::move(*rows) : Rows{};
}

std::string Administrator::sqlstate_of(const char* sql, std::vector<Parameter> parameters) {
  const auto rows = try_run(sql, std::move(parameters));
  return rows ? "none" : rows.error().sqlstate;
}

std::int64_t Administrator::integer(const char* sql, std::vector<Parameter> parameters) {
  const Rows rows = run(sql, std::move(parameters));
  EXPECT_GE(rows.count(), 1U) << sql;
  return rows.count() > 0 ? rows.integer(0, 0).value_or(-1) : -1;
}

}  // namespace fiducia::postgres::test
