// SPDX-License-Identifier: Apache-2.0
#include "cli/stop_on_signal.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <system_error>

namespace fiducia::cli {
namespace {

constexpr char signal_came = 's';
constexpr char all_done = 'd';

/// Where the handler writes; a handler can reach nothing but a global.
std::atomic<int> telling_fd{-1};
static_assert(std::atomic<int>::is_always_lock_free);

void tell(int /*signal*/) {
  const int kept = errno;
  if (::write(telling_fd.load(), &signal_came, 1) < 0) errno = kept;
  errno = kept;
}

}  // namespace

StopOnSignal::StopOnSignal() {
  std::array<int, 2> pipe{};
  if (::pipe2(pipe.data(), O_CLOEXEC) != 0) return;  // then a signal ends the process as usual
  told_ = Descriptor{pipe[0]};
  telling_ = Descriptor{pipe[1]};
  try {
    waiter_ = std::jthread{[source = source_, fd = told_.value()]() mutable {
      char what = 0;
      for (;;) {
        const ssize_t n = ::read(fd, &what, 1);
        if (n < 0 && errno == EINTR) continue;
        if (n != 1 || what == all_done) return;
        source.request_stop();
      }
    }};
  } catch (const std::system_error&) {
    return;  // no thread is to be had: the same
  }
  FIDUCIA_ASSERT(telling_fd.exchange(telling_.value()) == -1);
  struct sigaction action = {};
  action.sa_handler = tell;
  action.sa_flags = static_cast<int>(SA_RESETHAND) | SA_RESTART;
  sigemptyset(&action.sa_mask);
  sigaction(SIGINT, &action, &old_interrupt_);
  sigaction(SIGTERM, &action, &old_terminate_);
}

StopOnSignal::~StopOnSignal() {
  if (!waiter_.joinable()) return;
  sigaction(SIGINT, &old_interrupt_, nullptr);
  sigaction(SIGTERM, &old_terminate_, nullptr);
  telling_fd.store(-1);
  while (::write(telling_.value(), &all_done, 1) < 0 && errno == EINTR) {
  }
}

}  // namespace fiducia::cli
