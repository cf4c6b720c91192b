// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <span>
#include <string_view>

#include "core/core.h"
#include "postgres/connection.h"

namespace fiducia::postgres {

/// What an answer of the server means to whoever asked (PostgreSQL documentation, appendix A).
struct Meaning {
  std::string_view sqlstate;
  ErrorCode code;
  const char* what;
  const char* remedy;
};

/// The error that a failure is: what `own` says of it, else what it means to everybody (busy; no
/// disk space, a server for reading only: io_unwritable), else `otherwise` with the server's own
/// words. `place` is where it happened, never a connection string.
[[nodiscard]] Error error_of(const Failure& failure, ErrorCode otherwise, const char* place,
                             std::span<const Meaning> own = {});

}  // namespace fiducia::postgres
