// SPDX-License-Identifier: Apache-2.0
#pragma once
// Inside of module ledger_postgres: the tables and functions that several appenders share.
#include <cstdint>
#include <span>

namespace fiducia::ledger_postgres {

/// Version of the schema `fiducia_ledger` that this release makes and knows.
inline constexpr std::int64_t postgres_schema_version = 1;

/// SQLSTATEs that the schema's own functions raise.
inline constexpr const char* sqlstate_not_the_next_round = "FL001";
inline constexpr const char* sqlstate_never_changes = "FL002";
inline constexpr const char* sqlstate_no_such_log = "FL003";

/// The statements that make the schema, in order.
[[nodiscard]] std::span<const char* const> postgres_schema();

}  // namespace fiducia::ledger_postgres
