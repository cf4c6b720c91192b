// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <memory>
#include <string>

#include "core/core.h"
#include "ledger/ledger.h"
#include "ledger/sequencer.h"

namespace fiducia::ledger_postgres {

struct PostgresOptions {
  /// How long to wait for a turn, and for a database that is starting again. Past it: busy.
  std::uint32_t turn_timeout_ms = limits::ledger_lock_timeout_ms;
  /// How long a process may hold the turn to append before the database gives it to the next.
  std::uint32_t turn_idle_ms_max = limits::postgres_turn_idle_ms_max;
  /// How long the database may take for its own work, past the wait for a turn; then it is taken
  /// for dead.
  std::uint32_t answer_timeout_ms = limits::postgres_answer_timeout_ms;
  /// Published rounds are forgotten once there are more of them than this, or more bytes.
  std::uint64_t kept_rounds_max = limits::postgres_kept_rounds_max;
  std::uint64_t kept_bytes_max = limits::postgres_kept_bytes_max;
  /// Bytes of rounds that are handed to a publisher at once, and one round more.
  std::uint64_t publishing_bytes_max = limits::postgres_publishing_bytes_max;
};

/// The sequencer of several processes, on one machine or on many: committed rounds are rows of a
/// PostgreSQL database (schema `fiducia_ledger`).
///
/// A turn is a row that its holder has locked, in a transaction of its own connection. When the
/// holder dies, its connection ends and with it the turn; the transaction had no effect then. A
/// round is inserted, and the end of the log moved to its end, in that transaction: triggers
/// refuse a round that begins elsewhere, so that no two rounds can follow one tree, whoever
/// writes to the table. `commit` returns when COMMIT has returned, with synchronous_commit = on.
///
/// A connection that is lost around COMMIT leaves open whether the round was committed. The next
/// turn waits for the lock of that transaction and so begins after it has ended either way.
///
/// The turn to append ends after `turn_idle_ms_max` without an answer from its holder, which then
/// cannot commit any more. The turn to publish has no such end: a store cannot refuse a late
/// writer, so a publisher that is stopped keeps its turn until it goes on or is killed.
///
/// The database is not trusted with more than order and keeping: rounds and trees are read with
/// `read_round` and `read_tail` and must follow each other; signatures are verified by the Log.
///
/// Thread safety: as Sequencer. Not to be used after fork().
class PostgresSequencer final : public ledger::Sequencer {
 public:
  /// Makes schema and log, for the schema's owner; both may be there already, as long as no round
  /// of this log is. `connection` as libpq takes it ("host=db dbname=fiducia", "postgresql://..."),
  /// which is in no message of ours.
  /// Errors: io_unreadable (not reachable), io_unwritable (no right), exists (the log has
  /// entries), unsupported (a schema of another version), usage_invalid (origin).
  [[nodiscard]] static Status create(const std::string& connection, const std::string& origin);
  /// Connects as an appender. Errors: io_unreadable (not reachable; no such log), unsupported,
  /// config_invalid (a database that does not write durably), usage_invalid (origin).
  [[nodiscard]] static Result<std::unique_ptr<PostgresSequencer>> open(
      std::string connection, std::string origin, const PostgresOptions& options);
  [[nodiscard]] static Result<std::unique_ptr<PostgresSequencer>> open(std::string connection,
                                                                       std::string origin) {
    return open(std::move(connection), std::move(origin), PostgresOptions{});
  }
  /// Gives back what is held.
  ~PostgresSequencer() override;
  PostgresSequencer(const PostgresSequencer&) = delete;
  PostgresSequencer& operator=(const PostgresSequencer&) = delete;

  /// Also ledger_conflict: the database knows fewer entries than the caller.
  [[nodiscard]] Result<ledger::News> take_turn(std::uint64_t known_size) override;
  [[nodiscard]] Status commit(const ledger::Round& round, const ledger::Tail& before,
                              const std::function<void()>& meanwhile) override;
  void abandon() noexcept override;
  /// With `known_size` 0 all rounds that are kept, also those that are published but perhaps not
  /// durable in the store. With another, where somebody else has published more than that: the
  /// tree that is published, and what follows it; a long backlog comes in parts.
  [[nodiscard]] Result<ledger::News> take_publishing(std::uint64_t known_size) override;
  [[nodiscard]] Status published(const ledger::Tail& tail,
                                 const std::function<Status()>& sync) override;
  void abandon_publishing() noexcept override;

 private:
  class Turn;
  PostgresSequencer(std::string connection, std::string origin, const PostgresOptions& options);
  [[nodiscard]] Result<ledger::News> take(Turn& turn, std::uint64_t known_size);

  // Set at open and not changed.
  const std::string connection_;
  const std::string origin_;
  const PostgresOptions options_;

  // Each is used by whoever holds that turn.
  std::unique_ptr<Turn> appending_;
  std::unique_ptr<Turn> publishing_;
};

}  // namespace fiducia::ledger_postgres
