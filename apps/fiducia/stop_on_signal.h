// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <atomic>
#include <csignal>

namespace fiducia::app {

/// Set by SIGINT and SIGTERM while a StopOnSignal lives. A signal handler can reach nothing but a
/// global.
extern std::atomic<bool> stop_requested;

/// While it lives, the first SIGINT or SIGTERM only asks the run to stop where it may; a second one
/// ends the process as usual.
class StopOnSignal {
 public:
  StopOnSignal();
  ~StopOnSignal();
  StopOnSignal(const StopOnSignal&) = delete;
  StopOnSignal& operator=(const StopOnSignal&) = delete;

 private:
  struct sigaction old_interrupt_ = {};
  struct sigaction old_terminate_ = {};
};

}  // namespace fiducia::app
