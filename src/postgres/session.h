// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <chrono>
#include <string>

#include "postgres/connection.h"

namespace fiducia::postgres {

/// What differs between the sessions of this program. Times of zero: no end.
struct SessionOptions {
  std::chrono::milliseconds lock_timeout{};
  std::chrono::milliseconds statement_timeout{};
  /// How long a transaction may stand still before the server ends the session.
  std::chrono::milliseconds idle_in_transaction_timeout{};
  bool durable_commit =
      true;  // COMMIT returns when it is on disk, and on the standby servers named
  bool read_only = false;
};

/// The first command of a session: its limits in time, a search path in which no name is found that
/// others could have made, and keep-alives by which the server notices within half a minute that
/// this machine is gone, and frees its locks.
class Session {
 public:
  explicit Session(const SessionOptions& options);
  /// Valid while this is.
  [[nodiscard]] Command command() const;

 private:
  std::string lock_timeout_;
  std::string statement_timeout_;
  std::string idle_timeout_;
  bool durable_commit_;
  bool read_only_;
};

}  // namespace fiducia::postgres
