// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <csignal>
#include <stop_token>
#include <thread>

#include "core/core.h"
#include "core/descriptor.h"

namespace fiducia::cli {

/// While it lives, the first SIGINT or SIGTERM only asks the run to stop where it may; a second one
/// ends the process as usual. It blocks no signal, so it may be made at any time, and programs that
/// are started meanwhile answer signals as ever. One at a time.
class StopOnSignal {
 public:
  StopOnSignal();
  ~StopOnSignal();
  StopOnSignal(const StopOnSignal&) = delete;
  StopOnSignal& operator=(const StopOnSignal&) = delete;
  [[nodiscard]] std::stop_token token() const { return source_.get_token(); }

 private:
  std::stop_source source_;
  Descriptor told_;  // what the handler writes arrives here
  Descriptor telling_;
  struct sigaction old_interrupt_ = {};
  struct sigaction old_terminate_ = {};
  std::jthread waiter_;
};

}  // namespace fiducia::cli
