// SPDX-License-Identifier: Apache-2.0
#include "postgres/meaning.h"

#include <algorithm>
#include <array>

namespace fiducia::postgres {
namespace {

constexpr const char* again = "Try again.";

constexpr std::array meanings{
    Meaning{"57014", ErrorCode::busy, "The database took too long.", again},
    Meaning{"40001", ErrorCode::busy, "The database gave another process precedence.", again},
    Meaning{"40P01", ErrorCode::busy, "The database gave another process precedence.", again},
    Meaning{"53300", ErrorCode::busy, "The database has no connection to spare.", again},
    Meaning{"53100", ErrorCode::io_unwritable, "The database's disk is full.",
            "Make room on its disk."},
    Meaning{"25006", ErrorCode::io_unwritable, "The database is read-only (a standby, perhaps).",
            "Connect to the primary server."},
};

}  // namespace

Error error_of(const Failure& failure, ErrorCode otherwise, const char* place,
               std::span<const Meaning> own) {
  const Location where{.file = place};
  for (const std::span<const Meaning> table : {own, std::span<const Meaning>{meanings}})
    if (const auto found = std::ranges::find(table, failure.sqlstate, &Meaning::sqlstate);
        found != table.end())
      return {.code = found->code, .what = found->what, .remedy = found->remedy, .where = where};
  return {.code = otherwise,
          .what = failure.text,
          .remedy = failure.remedy.empty() ? "Check that the database runs and can be reached."
                                           : failure.remedy,
          .where = where};
}

}  // namespace fiducia::postgres
