// SPDX-License-Identifier: Apache-2.0
#include "postgres/connection.h"

#include <poll.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <map>
#include <set>

#include "postgres/libpq.h"

namespace fiducia::postgres {
namespace {

using SteadyClock = std::chrono::steady_clock;

/// Where there is a connection or a result, libpq was loaded.
const Libpq& libpq() {
  const Answer<Libpq>& found = find_libpq();
  FIDUCIA_ASSERT(found.has_value());
  return *found;
}

using ResultHandle = std::unique_ptr<pg_result, ClearResult>;

constexpr std::size_t failure_text_bytes_max = 300;
constexpr int binary_format = 1;

struct FreeOptions {
  void operator()(PQconninfoOption* options) const noexcept { libpq().PQconninfoFree(options); }
};

std::unexpected<Failure> lost(std::string text) {
  return std::unexpected(Failure{.sqlstate = {}, .text = std::move(text), .lost = true});
}

using Options = std::unique_ptr<PQconninfoOption, FreeOptions>;

/// What a connection string says; the first call loads libpq.
Answer<Options> read_options(const std::string& connection) {
  if (const Answer<Libpq>& found = find_libpq(); !found) return std::unexpected(found.error());
  Options options{libpq().PQconninfoParse(connection.c_str(), nullptr)};
  // libpq's complaint about a string that it cannot read quotes the string.
  if (options == nullptr)
    return std::unexpected(
        Failure{.text = "The connection string cannot be understood (it is not shown: it may hold "
                        "a password).",
                .remedy = "Write it as libpq takes it: \"service=fiducia\", or \"host=... "
                          "dbname=...\".",
                .lost = true});
  return Answer<Options>{std::move(options)};
}

/// Whether the string says it, and it is not to be shown.
bool is_secret(const PQconninfoOption& option) {
  return option.val != nullptr && *option.val != '\0' && option.dispchar[0] == '*';
}

/// A server's words, fit for one line: it is not one of ours and might say anything.
std::string one_line(std::string_view text) {
  std::string line;
  for (const char c : text.substr(0, failure_text_bytes_max))
    line += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? ' ' : c;
  while (!line.empty() && line.back() == ' ') line.pop_back();
  if (!is_utf8(line)) return "The database's message is not UTF-8.";
  return line;
}

/// What libpq says of a failed connection: no host or user, and nothing at all where a secret of
/// the connection string might stand in it.
std::string connect_text(pg_conn* connection, const PQconninfoOption* options) {
  std::string_view text = libpq().PQerrorMessage(connection);
  for (const PQconninfoOption* option = options; option->keyword != nullptr; ++option)
    if (is_secret(*option) && text.contains(option->val)) return "The database cannot be reached.";
  // "connection to server at "db" (10.0.0.1), port 5432 failed: Connection refused\n\tIs ..."
  if (const auto at = text.rfind(" failed: "); at != std::string_view::npos)
    text.remove_prefix(at + std::string_view{" failed: "}.size());
  if (const auto end = text.find('\n'); end != std::string_view::npos) text = text.substr(0, end);
  return "The database cannot be reached: " + one_line(text) + ".";
}

Failure failure_of(const pg_result* result) {
  Failure failure;
  if (const char* state = libpq().PQresultErrorField(result, PG_DIAG_SQLSTATE))
    failure.sqlstate = state;
  if (const char* text = libpq().PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY))
    failure.text = "The database answered: " + one_line(text) + ".";
  else
    failure.text = "The connection to the database is lost.";
  const char* severity = libpq().PQresultErrorField(result, PG_DIAG_SEVERITY_NONLOCALIZED);
  failure.lost = severity == nullptr || std::strcmp(severity, "ERROR") != 0;
  return failure;
}

/// Values in libpq's form: big-endian integers, one byte for a truth, bytes as they are.
struct BoundParameters {
  explicit BoundParameters(const std::vector<Parameter>& parameters) {
    const std::size_t count = parameters.size();
    integers.reserve(count);  // `values` points into it
    for (const Parameter& parameter : parameters) std::visit(*this, parameter);
    formats.assign(count, binary_format);
  }
  void operator()(std::int64_t value) {
    store_be(integers.emplace_back().data(), static_cast<std::uint64_t>(value));
    add(integers.back());
  }
  void operator()(bool value) {
    integers.emplace_back()[0] = std::byte{value};
    add(ByteView{integers.back()}.first(1));
  }
  void operator()(std::string_view text) { add(as_bytes(text)); }
  void operator()(ByteView bytes) { add(bytes); }
  void add(ByteView bytes) {
    // A null pointer would be NULL.
    values.push_back(bytes.empty() ? "" : reinterpret_cast<const char*>(bytes.data()));
    lengths.push_back(narrow<int>(bytes.size()));
  }
  std::vector<std::array<std::byte, 8>> integers;
  std::vector<const char*> values;
  std::vector<int> lengths;
  std::vector<int> formats;
};

}  // namespace

void FinishConnection::operator()(pg_conn* connection) const noexcept {
  libpq().PQfinish(connection);
}
void ClearResult::operator()(pg_result* result) const noexcept { libpq().PQclear(result); }

bool Rows::is_null(std::size_t row, int column) const {
  return libpq().PQgetisnull(rows_.at(row).get(), 0, column) != 0;
}

ByteView Rows::bytes(std::size_t row, int column) const {
  const pg_result* result = rows_.at(row).get();
  const int length_bytes = libpq().PQgetlength(result, 0, column);
  if (length_bytes <= 0) return {};
  return {reinterpret_cast<const std::byte*>(libpq().PQgetvalue(result, 0, column)),
          static_cast<std::size_t>(length_bytes)};
}

std::optional<std::int64_t> Rows::integer(std::size_t row, int column) const {
  const ByteView value = bytes(row, column);
  if (value.size() != sizeof(std::int64_t)) return std::nullopt;
  return static_cast<std::int64_t>(load_be<std::uint64_t>(value.data()));
}

/// What an answer belongs to.
struct Connection::Step {
  const char* prepares = nullptr;  // the statement that it prepares; null: a command
};

struct Connection::State {
  std::unique_ptr<pg_conn, FinishConnection> connection;
  std::map<const char*, std::string> names;  // of prepared statements; each text is one constant
  std::set<const char*> prepared;
  bool warned = false;  // set by the notice receiver
};

void Connection::DeleteState::operator()(State* state) const noexcept { delete state; }

Connection::Connection(std::unique_ptr<State, DeleteState> state) : state_(std::move(state)) {}

Answer<bool> Connection::holds_secret(const std::string& connection) {
  FIDUCIA_TRY(options, read_options(connection));
  for (const PQconninfoOption* option = options.get(); option->keyword != nullptr; ++option)
    if (is_secret(*option)) return true;
  return false;
}

Answer<Connection> Connection::open(const std::string& connection) {
  FIDUCIA_TRY(options, read_options(connection));
  // A peer that is gone is noticed within half a minute, whatever the kernel's defaults.
  constexpr std::array keywords{"connect_timeout",
                                "keepalives_idle",
                                "keepalives_interval",
                                "keepalives_count",
                                "tcp_user_timeout",
                                "gssencmode",
                                "application_name",
                                "target_session_attrs",
                                "dbname",
                                "client_encoding",
                                static_cast<const char*>(nullptr)};
  const std::array values{"10",
                          "10",
                          "5",
                          "3",
                          "20000",
                          "disable",
                          "fiducia",
                          "read-write",
                          connection.c_str(),
                          "UTF8",
                          static_cast<const char*>(nullptr)};
  static_assert(keywords.size() == std::tuple_size_v<decltype(values)>);
  std::unique_ptr<State, DeleteState> state{new State};
  state->connection.reset(
      libpq().PQconnectdbParams(keywords.data(), values.data(), /*expand_dbname=*/1));
  pg_conn* const raw = state->connection.get();
  if (raw == nullptr || libpq().PQstatus(raw) != CONNECTION_OK)
    return lost(raw == nullptr ? "There is not enough memory." : connect_text(raw, options.get()));
  libpq().PQsetNoticeReceiver(
      raw,
      [](void* warned, const pg_result* notice) {
        const char* severity = libpq().PQresultErrorField(notice, PG_DIAG_SEVERITY_NONLOCALIZED);
        const char* code = libpq().PQresultErrorField(notice, PG_DIAG_SQLSTATE);
        if (severity != nullptr && std::strcmp(severity, "WARNING") == 0 && code != nullptr &&
            std::string_view{code}.starts_with("01"))
          *static_cast<bool*>(warned) = true;
      },
      &state->warned);
  if (libpq().PQsetnonblocking(raw, 1) != 0 || libpq().PQenterPipelineMode(raw) != 1)
    return lost("The connection to the database is lost.");
  return Connection{std::move(state)};
}

bool Connection::warned() const { return state_->warned; }

Answer<std::vector<Connection::Step>> Connection::send(std::span<const Command> commands,
                                                       bool prepare) {
  pg_conn* const raw = state_->connection.get();
  std::vector<Step> steps;
  std::set<const char*> known = state_->prepared;
  bool sent = true;
  for (const Command& command : commands) {
    const BoundParameters bound{command.parameters};
    const int count = narrow<int>(bound.values.size());
    if (prepare) {
      std::string& name = state_->names[command.sql];
      if (name.empty()) name = "fiducia_" + std::to_string(state_->names.size());
      if (known.insert(command.sql).second) {
        sent = sent && libpq().PQsendPrepare(raw, name.c_str(), command.sql, 0, nullptr) == 1;
        steps.push_back({.prepares = command.sql});
      }
      sent = sent && libpq().PQsendQueryPrepared(raw, name.c_str(), count, bound.values.data(),
                                                 bound.lengths.data(), bound.formats.data(),
                                                 binary_format) == 1;
    } else {
      sent = sent && libpq().PQsendQueryParams(raw, command.sql, count, nullptr,
                                               bound.values.data(), bound.lengths.data(),
                                               bound.formats.data(), binary_format) == 1;
    }
    steps.push_back({});
  }
  if (sent && libpq().PQpipelineSync(raw) == 1) return steps;
  return lost("The connection to the database is lost.");
}

/// Waits until a result can be taken without waiting.
Answer<void> Connection::wait_for_answer(SteadyClock::time_point end) {
  pg_conn* const raw = state_->connection.get();
  for (;;) {
    const int flushed = libpq().PQflush(raw);
    if (libpq().PQisBusy(raw) == 0) return {};
    // What the server said before it closed the connection is still to be read.
    if (libpq().PQstatus(raw) == CONNECTION_BAD) return {};
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(end - SteadyClock::now());
    pollfd waiting{.fd = libpq().PQsocket(raw),
                   .events = static_cast<short>(POLLIN | (flushed == 1 ? POLLOUT : 0)),
                   .revents = 0};
    const int ready = left.count() <= 0
                          ? 0
                          : ::poll(&waiting, 1, narrow<int>(std::min<long>(left.count(), 60'000)));
    if (ready < 0 && errno != EINTR) return lost("The connection to the database is lost.");
    if (SteadyClock::now() >= end) return lost("The database did not answer in time.");
    if (ready > 0 && libpq().PQconsumeInput(raw) != 1 && libpq().PQisBusy(raw) != 0)
      return lost("The connection to the database is lost.");
  }
}

/// Takes one result of a command. Null at the end of them.
Answer<Connection::Taken> Connection::take_result(SteadyClock::time_point end, Rows* rows,
                                                  std::uint64_t& row_bytes_left) {
  pg_conn* const raw = state_->connection.get();
  if (auto ready = wait_for_answer(end); !ready) return std::unexpected(std::move(ready).error());
  ResultHandle result{libpq().PQgetResult(raw)};
  if (result == nullptr) return Taken::end;
  switch (libpq().PQresultStatus(result.get())) {
    case PGRES_SINGLE_TUPLE:
      if (rows == nullptr) break;
      for (int column = 0; column < libpq().PQnfields(result.get()); ++column) {
        const auto length_bytes =
            static_cast<std::uint64_t>(libpq().PQgetlength(result.get(), 0, column));
        if (length_bytes > row_bytes_left)
          return lost("The database sent more bytes than are taken at once.");
        row_bytes_left -= length_bytes;
      }
      rows->rows_.push_back(std::move(result));
      return Taken::more;
    case PGRES_COMMAND_OK:
    case PGRES_TUPLES_OK:
      if (rows == nullptr) return Taken::prepared;
      if (libpq().PQntuples(result.get()) != 0) break;  // rows come one by one
      rows->tag_ = libpq().PQcmdStatus(result.get());
      return Taken::more;
    case PGRES_FATAL_ERROR:
      return std::unexpected(failure_of(result.get()));
    case PGRES_PIPELINE_ABORTED:
      return Taken::more;  // after a failure
    case PGRES_PIPELINE_SYNC:
      return Taken::sync;
    default:
      break;
  }
  return lost("The database gave an answer that nothing was asked for.");
}

Answer<std::vector<Rows>> Connection::run(std::span<const Command> commands,
                                          std::chrono::milliseconds timeout, bool prepare,
                                          std::uint64_t row_bytes_max) {
  const SteadyClock::time_point end = SteadyClock::now() + timeout;
  state_->warned = false;
  auto sent = send(commands, prepare);
  if (!sent) return std::unexpected(std::move(sent).error());
  std::vector<Rows> answers;
  std::optional<Failure> failure;
  const auto take = [&](Rows* rows) {
    auto taken = take_result(end, rows, row_bytes_max);
    if (!taken && !failure) failure = taken.error();
    return taken ? *taken : Taken::more;
  };
  for (const Step& step : *sent) {
    Rows* rows = nullptr;
    if (step.prepares == nullptr) {
      rows = &answers.emplace_back();
      libpq().PQsetSingleRowMode(state_->connection.get());
    }
    for (Taken taken = Taken::more; taken != Taken::end;) {
      taken = take(rows);
      if (taken == Taken::prepared) state_->prepared.insert(step.prepares);
      if (taken == Taken::sync) return lost("The database left out an answer.");
      if (failure && failure->lost) return std::unexpected(std::move(*failure));
    }
  }
  const Taken last = take(nullptr);
  if (failure) return std::unexpected(std::move(*failure));
  if (last != Taken::sync) return lost("The database left out an answer.");
  return answers;
}

}  // namespace fiducia::postgres
