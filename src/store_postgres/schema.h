// SPDX-License-Identifier: Apache-2.0
#pragma once
// Inside of module store_postgres: its tables.
#include <cstdint>
#include <span>

namespace fiducia::store_postgres {

inline constexpr std::int64_t schema_version = 1;

/// The statements that make the schema, in their order.
[[nodiscard]] std::span<const char* const> schema_statements();

}  // namespace fiducia::store_postgres
