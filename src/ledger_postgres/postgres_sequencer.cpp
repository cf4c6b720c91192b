// SPDX-License-Identifier: Apache-2.0
#include "ledger_postgres/postgres_sequencer.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <limits>

#include "ledger_postgres/postgres_schema.h"
#include "postgres/postgres.h"

namespace fiducia::ledger_postgres {
namespace {

using ledger::News;
using ledger::Round;
using ledger::Tail;
using std::chrono::milliseconds;
using SteadyClock = std::chrono::steady_clock;

constexpr std::uint64_t size_max = std::numeric_limits<std::int64_t>::max();  // of a bigint
// The longest round that a log appends is not refused here, for its note and record have room.
static_assert(limits::postgres_round_bytes_max >
              limits::ledger_round_bytes_max + limits::note_bytes_max + (1 << 20));
constexpr milliseconds answer_timeout{limits::postgres_answer_timeout_ms};
constexpr milliseconds backoff_min{50};
constexpr milliseconds backoff_max{1'000};

constexpr const char* place = "PostgreSQL, schema fiducia_ledger";
Location where() { return {.file = place}; }

constexpr const char* begin_sql = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE";
constexpr const char* commit_sql = "COMMIT";
constexpr const char* rollback_sql = "ROLLBACK";
constexpr const char* version_sql =
    "SELECT version, (current_setting('fsync') = 'on')::int::bigint FROM fiducia_ledger.version";
constexpr const char* take_turn_sql = "SELECT fiducia_ledger.take_turn($1::text)";
constexpr const char* take_publishing_sql = "SELECT fiducia_ledger.take_publishing($1::text)";
constexpr const char* commit_round_sql =
    "SELECT fiducia_ledger.commit_round($1::text, $2::bigint, $3::bigint, $4::bytea)";
constexpr const char* publish_sql =
    "SELECT kept_rounds, kept_bytes FROM fiducia_ledger.publish($1::text, $2::bigint, $3::bytea)";
constexpr const char* forget_sql = "SELECT fiducia_ledger.forget($1::text)";

/// One statement, hence one snapshot: base and rounds fit each other although somebody else may
/// forget rounds meanwhile. First row: 0, size of the base, committed size, the base's tree if
/// it is past $2. Others: 1, first, size, content. $3: what is in the store will do as the base,
/// durable or not. $4: bytes of rounds, of which one more is taken;
/// what is published already comes whole, since a store must not be taken back behind it.
constexpr const char* news_sql = R"sql(
  WITH this AS (
    SELECT l.id, l.committed_size, p.published_size,
        CASE WHEN $3::boolean THEN p.published_size ELSE p.base_size END AS base_size,
        CASE WHEN $3::boolean THEN p.published_tail ELSE p.base_tail END AS base_tail
      FROM fiducia_ledger.log l JOIN fiducia_ledger.publication p ON p.log = l.id
      WHERE l.origin = $1::text)
  SELECT 0::bigint, this.base_size, this.committed_size,
      CASE WHEN $2::bigint < this.base_size THEN this.base_tail END
    FROM this
  UNION ALL
  SELECT 1::bigint, r.first, r.size, r.content
    FROM (SELECT first, size, content, this.published_size,
              sum(octet_length(content)) OVER (ORDER BY first) - octet_length(content) AS before
            FROM fiducia_ledger.round, this
            WHERE log = this.id AND first >= greatest($2::bigint, this.base_size)) r
    WHERE r.before <= $4::bigint OR r.first < r.published_size)sql";

std::unexpected<Error> damaged(std::string what) {
  return std::unexpected(
      Error{.code = ErrorCode::malformed,
            .what = std::move(what),
            .remedy = "Nothing was changed. Restore the database's newest state; if it stays so, "
                      "somebody has written to it.",
            .where = where(),
            .kind = "journal"});
}

Status check_origin(const std::string& origin) {
  if (!origin.empty() && origin.size() <= limits::postgres_origin_bytes_max && is_utf8(origin) &&
      !origin.contains('\0'))
    return {};
  return fail(ErrorCode::usage_invalid,
              "The name of a ledger has 1 to " + std::to_string(limits::postgres_origin_bytes_max) +
                  " bytes of UTF-8.",
              "Give another name.");
}

/// What answers mean here, besides what they mean to everybody.
constexpr const char* make_remedy =
    "Make the ledger in this database first, as the schema's owner.";
constexpr std::array own_meanings{
    postgres::Meaning{"55P03", ErrorCode::busy, "Another process has held its turn for too long.",
                      "Try again."},
    postgres::Meaning{"25P03", ErrorCode::busy,
                      "This process held the turn for so long that the database took it away.",
                      "Try again."},
    postgres::Meaning{sqlstate_not_the_next_round, ErrorCode::busy,
                      "Another process has appended meanwhile.", "Try again."},
    postgres::Meaning{sqlstate_no_such_log, ErrorCode::io_unreadable,
                      "The database has no ledger of this name.", make_remedy},
    postgres::Meaning{"3F000", ErrorCode::io_unreadable,
                      "The database has no schema fiducia_ledger.", make_remedy},
    postgres::Meaning{"42P01", ErrorCode::io_unreadable,
                      "The schema fiducia_ledger has no such table.", make_remedy},
    postgres::Meaning{"42501", ErrorCode::io_unwritable,
                      "The database's role has not the right to do this.",
                      "Grant the role what docs/operations.md lists for an appender."},
};

std::unexpected<Error> fail_of(const postgres::Failure& failure, ErrorCode otherwise) {
  return std::unexpected(postgres::error_of(failure, otherwise, place, own_meanings));
}

/// What an appender's connection must find.
postgres::Answer<postgres::Connection> connect(const std::string& connection,
                                               const postgres::Session& session,
                                               std::optional<Error>& refusal) {
  auto opened = postgres::Connection::open(connection);
  if (!opened) return opened;
  const std::array commands{session.command(), postgres::Command{version_sql}};
  auto answers = opened->run(commands, answer_timeout, /*prepare=*/false);
  if (!answers) return std::unexpected(std::move(answers).error());
  const postgres::Rows& found = answers->back();
  const auto version = found.count() == 1 ? found.integer(0, 0) : std::nullopt;
  const auto durable = found.count() == 1 ? found.integer(0, 1) : std::nullopt;
  if (version != postgres_schema_version)
    refusal = Error{.code = ErrorCode::unsupported,
                    .what = "The schema fiducia_ledger is of another version than " +
                            std::to_string(postgres_schema_version) + ".",
                    .remedy = "Use the release that made it, or a later one.",
                    .where = where(),
                    .kind = "schema"};
  else if (durable != 1)
    refusal = Error{.code = ErrorCode::config_invalid,
                    .what = "The database does not write durably (fsync is off).",
                    .remedy =
                        "Set fsync = on in postgresql.conf: what a ledger acknowledges must "
                        "survive a power cut.",
                    .where = where()};
  return opened;
}

struct NewsQuestion {
  std::uint64_t known_size = 0;
  bool complete = true;  // everything up to the end of the log is expected
};

/// The first row of `news_sql`: where the rounds begin, and the base if the caller needs it.
struct NewsHead {
  std::uint64_t start = 0;
  std::uint64_t committed = 0;
  std::optional<Tail> base;
};
Result<NewsHead> read_head(const postgres::Rows& rows, std::size_t row, std::uint64_t known_size) {
  const auto base_size = rows.integer(row, 1);
  const auto committed = rows.integer(row, 2);
  if (!base_size || !committed || *base_size < 0 || *committed < *base_size)
    return damaged("The sizes that the database keeps of the ledger contradict each other.");
  NewsHead head{.start = static_cast<std::uint64_t>(*base_size),
                .committed = static_cast<std::uint64_t>(*committed),
                .base = {}};
  if (known_size > head.committed)
    return fail(ErrorCode::ledger_conflict,
                "The database knows " + std::to_string(head.committed) + " entries, this process " +
                    std::to_string(known_size) + ": the database is an old copy.",
                "Restore its newest state; appending now would fork the ledger.", where());
  if (known_size >= head.start) {
    head.start = known_size;
    return head;
  }
  auto tail = ledger::read_tail(rows.bytes(row, 3));
  if (!tail) return damaged("The tree that the database keeps: " + tail.error().what);
  if (tail->frontage.size != head.start)
    return damaged("The tree that the database keeps has another size than is said of it.");
  head.base = std::move(*tail);
  return head;
}

Result<News> read_news(const postgres::Rows& rows, const NewsQuestion& question) {
  std::optional<NewsHead> head;
  News news;
  for (std::size_t row = 0; row < rows.count(); ++row) {
    const auto kind = rows.integer(row, 0);
    if (kind == 0 && !head) {
      FIDUCIA_TRY(read, read_head(rows, row, question.known_size));
      head = std::move(read);
      continue;
    }
    const auto first = rows.integer(row, 1);
    const auto size = rows.integer(row, 2);
    auto round = ledger::read_round(rows.bytes(row, 3));
    if (!round) return damaged("A round that the database keeps: " + round.error().what);
    if (kind != 1 || !first || !size || !std::cmp_equal(*first, round->first) ||
        !std::cmp_equal(*size, round->record.tree_size))
      return damaged("A round is not what the database says of it.");
    news.rounds.push_back(std::move(*round));
  }
  if (!head) return damaged("The database keeps no state of the ledger.");
  std::ranges::sort(news.rounds, {}, &Round::first);
  std::uint64_t size = head->start;
  for (const Round& round : news.rounds) {
    if (round.first != size || round.record.tree_size <= size)
      return damaged("The rounds that the database keeps do not follow each other.");
    size = round.record.tree_size;
  }
  if (size != head->committed && (question.complete || news.rounds.empty()))
    return damaged("The newest rounds are missing in the database.");
  news.base = std::move(head->base);
  return news;
}

}  // namespace

/// One of the two turns of this process and the connection that holds it.
class PostgresSequencer::Turn {
 public:
  struct Kind {
    const char* take_sql;
    bool publishing;
  };
  Turn(const Kind& kind, const std::string& connection, const PostgresOptions& options)
      : kind_(kind),
        string_(connection),
        turn_timeout_(options.turn_timeout_ms),
        answer_timeout_(turn_timeout_ + milliseconds{options.answer_timeout_ms}),
        news_bytes_(kind.publishing ? std::min(options.publishing_bytes_max, size_max) : size_max),
        session_(
            {.lock_timeout = turn_timeout_,
             // The database gives up before we do.
             .statement_timeout = turn_timeout_ + milliseconds{options.answer_timeout_ms} * 2 / 3,
             .idle_in_transaction_timeout =
                 milliseconds{kind.publishing ? 0 : options.turn_idle_ms_max},
             // Forgetting is no promise: rounds that come back are published once more.
             .durable_commit = !kind.publishing}) {}

  [[nodiscard]] bool publishing() const { return kind_.publishing; }
  [[nodiscard]] bool held() const {
    const MutexLock guard{mutex_};
    return held_;
  }

  /// Keeps the other threads of this process away. Errors: busy.
  [[nodiscard]] Status enter() {
    MutexLock guard{mutex_};
    if (!changed_.wait_for(guard, turn_timeout_, [&]() FIDUCIA_REQUIRES(mutex_) { return !held_; }))
      return fail(ErrorCode::busy, "Another thread has held its turn for too long.", "Try again.");
    held_ = true;
    return {};
  }
  void leave() noexcept {
    const MutexLock guard{mutex_};
    held_ = false;
    changed_.notify_one();
  }

  // What follows is for whoever holds the turn.

  /// Connects if need be. Errors: as `PostgresSequencer::open`.
  [[nodiscard]] postgres::Answer<void> connect(std::optional<Error>& refusal) {
    if (connection_) return {};
    auto opened = ledger_postgres::connect(string_, session_, refusal);
    if (!opened) return std::unexpected(std::move(opened).error());
    if (!refusal) connection_.emplace(std::move(*opened));
    return {};
  }
  void disconnect() noexcept { connection_.reset(); }

  [[nodiscard]] postgres::Answer<std::vector<postgres::Rows>> run(
      std::span<const postgres::Command> commands,
      std::uint64_t row_bytes_max = limits::postgres_row_bytes_max) {
    FIDUCIA_ASSERT(connection_.has_value());
    auto answers = connection_->run(commands, answer_timeout_, /*prepare=*/true, row_bytes_max);
    if (!answers && answers.error().lost) disconnect();
    return answers;
  }
  [[nodiscard]] bool warned() const { return connection_ && connection_->warned(); }

  /// Locks the row and asks for news; a lost connection is made anew until the time is up.
  [[nodiscard]] Result<postgres::Rows> begin(const std::string& origin, std::uint64_t known_size) {
    const SteadyClock::time_point end = SteadyClock::now() + turn_timeout_;
    const bool store_will_do = kind_.publishing && known_size > 0;
    const std::array commands{
        postgres::Command{begin_sql}, postgres::Command{kind_.take_sql, {std::string_view{origin}}},
        postgres::Command{news_sql,
                          {std::string_view{origin}, static_cast<std::int64_t>(known_size),
                           store_will_do, static_cast<std::int64_t>(news_bytes_)}}};
    for (milliseconds backoff = backoff_min;; backoff = std::min(2 * backoff, backoff_max)) {
      std::optional<Error> refusal;
      postgres::Answer<std::vector<postgres::Rows>> answers;
      if (auto connected = connect(refusal); !connected)
        answers = std::unexpected(std::move(connected).error());
      else if (refusal)
        return std::unexpected(std::move(*refusal));
      else
        answers = run(commands);
      if (answers) return std::move(answers->back());
      if (!answers.error().lost || SteadyClock::now() + backoff >= end) {
        rollback();
        return fail_of(answers.error(), ErrorCode::io_unreadable);
      }
      pause_between_tries(backoff);
    }
  }
  void rollback() noexcept {
    const postgres::Command command{rollback_sql};
    if (connection_ && !run(std::span{&command, 1})) disconnect();
  }

 private:
  const Kind kind_;
  const std::string& string_;  // the sequencer's
  const milliseconds turn_timeout_;
  const milliseconds answer_timeout_;
  const std::uint64_t news_bytes_;
  const postgres::Session session_;

  mutable Mutex mutex_;
  Condition changed_;
  bool held_ FIDUCIA_GUARDED_BY(mutex_) = false;

  std::optional<postgres::Connection> connection_;  // owned by whoever holds the turn
};

PostgresSequencer::PostgresSequencer(std::string connection, std::string origin,
                                     const PostgresOptions& options)
    : connection_(std::move(connection)),
      origin_(std::move(origin)),
      options_(options),
      appending_(std::make_unique<Turn>(Turn::Kind{.take_sql = take_turn_sql, .publishing = false},
                                        connection_, options_)),
      publishing_(std::make_unique<Turn>(
          Turn::Kind{.take_sql = take_publishing_sql, .publishing = true}, connection_, options_)) {
}
PostgresSequencer::~PostgresSequencer() = default;

Status PostgresSequencer::create(const std::string& connection, const std::string& origin) {
  FIDUCIA_CHECK(check_origin(origin));
  auto opened = postgres::Connection::open(connection);
  if (!opened) return fail_of(opened.error(), ErrorCode::io_unreadable);
  const auto run = [&](std::span<const postgres::Command> commands) {
    return opened->run(commands, answer_timeout, /*prepare=*/false);
  };
  // Two that make the schema at once: the second waits for the first and finds it made.
  constexpr std::array look{
      begin_sql, "SELECT pg_advisory_xact_lock(7311054182236475251)",
      "SELECT (to_regclass('fiducia_ledger.version') IS NOT NULL)::int::bigint"};
  const postgres::Session session{{.lock_timeout = answer_timeout,
                                   .statement_timeout = answer_timeout,
                                   .idle_in_transaction_timeout = answer_timeout}};
  std::vector<postgres::Command> commands{session.command()};
  for (const char* sql : look) commands.push_back({sql});
  auto found = run(commands);
  if (!found) return fail_of(found.error(), ErrorCode::io_unwritable);
  commands.clear();
  if (found->back().count() != 1 || found->back().integer(0, 0) != 1)
    for (const char* sql : postgres_schema()) commands.push_back({sql});
  commands.push_back(
      {"INSERT INTO fiducia_ledger.log (origin) VALUES ($1::text)"
       " ON CONFLICT DO NOTHING",
       {std::string_view{origin}}});
  commands.push_back(
      {"INSERT INTO fiducia_ledger.publication (log) SELECT id"
       " FROM fiducia_ledger.log WHERE origin = $1::text ON CONFLICT DO NOTHING",
       {std::string_view{origin}}});
  commands.push_back(
      {"SELECT version, committed_size FROM fiducia_ledger.version,"
       " fiducia_ledger.log WHERE origin = $1::text",
       {std::string_view{origin}}});
  auto made = run(commands);
  if (!made) return fail_of(made.error(), ErrorCode::io_unwritable);
  const postgres::Rows& state = made->back();
  if (state.count() != 1 || state.integer(0, 0) != postgres_schema_version)
    return std::unexpected(Error{.code = ErrorCode::unsupported,
                                 .what = "The schema fiducia_ledger is of another version.",
                                 .remedy = "Use the release that made it, or a later one.",
                                 .where = where(),
                                 .kind = "schema"});
  if (state.integer(0, 1) != 0)
    return fail(ErrorCode::exists, "The database has a ledger of this name already.",
                "Give another name, or open the ledger that is there.", where());
  const postgres::Command commit_command{commit_sql};
  auto committed = run(std::span{&commit_command, 1});
  if (!committed) return fail_of(committed.error(), ErrorCode::io_unwritable);
  return {};
}

Result<std::unique_ptr<PostgresSequencer>> PostgresSequencer::open(std::string connection,
                                                                   std::string origin,
                                                                   const PostgresOptions& options) {
  FIDUCIA_CHECK(check_origin(origin));
  std::unique_ptr<PostgresSequencer> opened{
      new PostgresSequencer{std::move(connection), std::move(origin), options}};
  // One attempt: a wrong password is not tried again and again.
  FIDUCIA_CHECK(opened->appending_->enter());
  std::optional<Error> refusal;
  const auto connected = opened->appending_->connect(refusal);
  opened->appending_->leave();
  if (refusal) return std::unexpected(std::move(*refusal));
  if (!connected) return fail_of(connected.error(), ErrorCode::io_unreadable);
  return opened;
}

Result<News> PostgresSequencer::take(Turn& turn, std::uint64_t known_size) {
  if (known_size > size_max)
    return fail(ErrorCode::over_limit, "A ledger in PostgreSQL has at most 2^63 - 1 entries.",
                "Begin a new one.");
  FIDUCIA_CHECK(turn.enter());
  auto news = [&]() -> Result<News> {
    FIDUCIA_TRY(rows, turn.begin(origin_, known_size));
    auto read = read_news(rows, {.known_size = known_size, .complete = !turn.publishing()});
    if (!read) turn.rollback();
    return read;
  }();
  if (!news) turn.leave();
  return news;
}

Result<News> PostgresSequencer::take_turn(std::uint64_t known_size) {
  return take(*appending_, known_size);
}

Status PostgresSequencer::commit(const Round& round, const Tail& before,
                                 const std::function<void()>& meanwhile) {
  FIDUCIA_ASSERT(appending_->held() && round.first == before.frontage.size);
  const Bytes content = ledger::write_round(round);
  if (content.size() > limits::postgres_round_bytes_max || round.record.tree_size > size_max) {
    abandon();
    return fail(ErrorCode::over_limit, "The round is too long for the database.",
                "Append fewer entries at once.");
  }
  const std::array commands{
      postgres::Command{commit_round_sql,
                        {std::string_view{origin_}, static_cast<std::int64_t>(round.first),
                         static_cast<std::int64_t>(round.record.tree_size), ByteView{content}}},
      postgres::Command{commit_sql}};
  meanwhile();  // little beside the way to the database
  auto answers = appending_->run(commands);
  Status done;
  if (!answers)
    done = fail_of(answers.error(), ErrorCode::io_unwritable);
  else if (answers->back().command_tag() != commit_sql)
    done = fail(ErrorCode::io_unwritable, "The database rolled the round back.", "Try again.",
                where());
  else if (appending_->warned())
    done = fail(ErrorCode::io_unwritable,
                "The database has not confirmed that its standby holds the round.",
                "Check the standby servers; the next append tells what was committed.", where());
  // Whatever went wrong ends with the connection: an open transaction is rolled back, and one
  // that is being committed is waited for by the next turn.
  if (!done) appending_->disconnect();
  appending_->leave();
  return done;
}

void PostgresSequencer::abandon() noexcept {
  appending_->rollback();
  appending_->leave();
}

Result<News> PostgresSequencer::take_publishing(std::uint64_t known_size) {
  return take(*publishing_, known_size);
}

Status PostgresSequencer::published(const Tail& tail, const std::function<Status()>& sync) {
  FIDUCIA_ASSERT(publishing_->held() && tail.frontage.size <= size_max);
  const auto publish = [&]() -> Status {
    const Bytes encoded = ledger::write_tail(tail);
    const postgres::Command tell{
        publish_sql,
        {std::string_view{origin_}, static_cast<std::int64_t>(tail.frontage.size),
         ByteView{encoded}}};
    auto kept = publishing_->run(std::span{&tell, 1});
    if (!kept) return fail_of(kept.error(), ErrorCode::io_unwritable);
    const auto rounds = kept->back().count() == 1 ? kept->back().integer(0, 0) : std::nullopt;
    const auto bytes = kept->back().count() == 1 ? kept->back().integer(0, 1) : std::nullopt;
    if (!rounds || !bytes) return damaged("The database does not tell what it keeps.");
    Status synced;
    std::vector<postgres::Command> rest;
    if (std::cmp_greater(*rounds, options_.kept_rounds_max) ||
        std::cmp_greater(*bytes, options_.kept_bytes_max)) {
      synced = sync();
      if (synced) rest.push_back({forget_sql, {std::string_view{origin_}}});
    }
    rest.push_back({commit_sql});
    auto ended = publishing_->run(rest);
    if (!ended) return fail_of(ended.error(), ErrorCode::io_unwritable);
    return synced;
  };
  Status done = publish();
  if (!done) publishing_->disconnect();
  publishing_->leave();
  return done;
}

void PostgresSequencer::abandon_publishing() noexcept {
  publishing_->rollback();
  publishing_->leave();
}

}  // namespace fiducia::ledger_postgres
