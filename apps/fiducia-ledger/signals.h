// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <csignal>
#include <stop_token>
#include <thread>

namespace fiducia::ledger_app {

/// Turns SIGINT and SIGTERM into a stop request; the second one ends the process. Make it before
/// any other thread is started: they all inherit that these signals are kept from them.
class StopOnSignal {
 public:
  StopOnSignal();
  ~StopOnSignal();
  StopOnSignal(const StopOnSignal&) = delete;
  StopOnSignal& operator=(const StopOnSignal&) = delete;
  [[nodiscard]] std::stop_token token() const { return source_.get_token(); }

 private:
  std::stop_source source_;
  sigset_t signals_{};
  sigset_t before_{};
  std::jthread thread_;
};

}  // namespace fiducia::ledger_app
