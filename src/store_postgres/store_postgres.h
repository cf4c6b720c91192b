// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <memory>
#include <string>

#include "core/core.h"
#include "store/store.h"

namespace fiducia::store_postgres {

/// Where such a store is, in errors: the connection string may hold secrets.
inline constexpr const char* place = "PostgreSQL, schema fiducia_evidence";

struct PostgresStoreOptions {
  /// A string that libpq takes ("host=db dbname=fiducia", "postgresql://..."); in no message.
  std::string connection;
  /// Whose mark `mark` and `put` mean: the origin of the home's ledger. Homes with one ledger share
  /// its mark, which then never goes back to a smaller tree.
  std::string home;
  bool read_only = false;
  /// How long the database may take for one answer. Past it: busy.
  std::uint32_t statement_timeout_ms = limits::store_statement_timeout_ms;
  /// How long a reservation may be held without a word to the database, which then ends it.
  std::uint32_t reservation_ms_max = limits::store_reservation_ms_max;
};

/// Whether a connection string says a password itself, instead of naming a file that holds it.
/// Errors: config_missing (libpq is not installed), config_invalid (not a connection string).
[[nodiscard]] Result<bool> holds_secret(const std::string& connection);

/// Makes the schema `fiducia_evidence` and an empty store with this key, for the schema's owner.
/// What is there already stays. Errors: io_unreadable (not reachable), io_unwritable (no right),
/// home_mismatch (a store with another key), config_invalid (another version; key).
[[nodiscard]] Status create(const std::string& connection, ByteView key);

/// The evidence store of several machines, in a PostgreSQL database (spec/store.md 6).
///
/// A reservation is a transaction that has locked a row for each identity; the records are inserted
/// in that very transaction. So whoever has lost it (killed, cut off, too slow) has stored nothing,
/// and the database gives the rows to the next as soon as it notices.
///
/// Connections are made when they are needed. One that was lost while it was idle is made anew; a
/// question is asked twice for that, a change never once its transaction has begun.
/// Not to be used after fork(). Errors: also config_invalid (no store in this database, another
/// version, a key of another length).
[[nodiscard]] Result<std::unique_ptr<store::EvidenceStore>> open(
    const PostgresStoreOptions& options, ByteView key);

}  // namespace fiducia::store_postgres
