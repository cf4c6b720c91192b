// SPDX-License-Identifier: Apache-2.0
#include "signals.h"

#include <pthread.h>

namespace fiducia::ledger_app {

StopOnSignal::StopOnSignal() {
  sigemptyset(&signals_);
  sigaddset(&signals_, SIGINT);
  sigaddset(&signals_, SIGTERM);
  sigaddset(&signals_, SIGUSR1);  // sent by the destructor, to wake the thread
  pthread_sigmask(SIG_BLOCK, &signals_, &before_);
  thread_ = std::jthread{[this](const std::stop_token& done) {
    int signal = 0;
    while (sigwait(&signals_, &signal) == 0 && !done.stop_requested()) {
      if (signal == SIGUSR1) continue;
      source_.request_stop();
      std::signal(SIGINT, SIG_DFL);
      std::signal(SIGTERM, SIG_DFL);
      sigset_t ending{};
      sigemptyset(&ending);
      sigaddset(&ending, SIGINT);
      sigaddset(&ending, SIGTERM);
      pthread_sigmask(SIG_UNBLOCK, &ending, nullptr);
      sigdelset(&signals_, SIGINT);
      sigdelset(&signals_, SIGTERM);
    }
  }};
}

StopOnSignal::~StopOnSignal() {
  thread_.request_stop();
  pthread_kill(thread_.native_handle(), SIGUSR1);
  thread_.join();
  pthread_sigmask(SIG_SETMASK, &before_, nullptr);
}

}  // namespace fiducia::ledger_app
