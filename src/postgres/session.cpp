// SPDX-License-Identifier: Apache-2.0
#include "postgres/session.h"

namespace fiducia::postgres {
namespace {

constexpr const char* settings_sql =
    "SELECT pg_catalog.set_config('lock_timeout', $1::text, false),"
    " pg_catalog.set_config('statement_timeout', $2::text, false),"
    " pg_catalog.set_config('idle_in_transaction_session_timeout', $3::text, false),"
    " pg_catalog.set_config('idle_session_timeout', '0', false),"
    " pg_catalog.set_config('synchronous_commit', $4::text, false),"
    " pg_catalog.set_config('default_transaction_read_only', $5::text, false),"
    // Temporary tables last: PostgreSQL looks them up first where nothing is said of them.
    " pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', false),"
    " pg_catalog.set_config('client_min_messages', 'warning', false),"
    " pg_catalog.set_config('tcp_keepalives_idle', '10', false),"
    " pg_catalog.set_config('tcp_keepalives_interval', '5', false),"
    " pg_catalog.set_config('tcp_keepalives_count', '3', false),"
    " pg_catalog.set_config('tcp_user_timeout', '20000', false)";

std::string_view on_or_off(bool on) { return on ? "on" : "off"; }

}  // namespace

Session::Session(const SessionOptions& options)
    : lock_timeout_(std::to_string(options.lock_timeout.count())),
      statement_timeout_(std::to_string(options.statement_timeout.count())),
      idle_timeout_(std::to_string(options.idle_in_transaction_timeout.count())),
      durable_commit_(options.durable_commit),
      read_only_(options.read_only) {}

Command Session::command() const {
  return {settings_sql,
          {std::string_view{lock_timeout_}, std::string_view{statement_timeout_},
           std::string_view{idle_timeout_}, on_or_off(durable_commit_), on_or_off(read_only_)}};
}

}  // namespace fiducia::postgres
