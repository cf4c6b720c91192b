// SPDX-License-Identifier: Apache-2.0
#include <unistd.h>

#include <cerrno>
#include <csignal>

#include "home_ledger/home_ledger.h"
#include "ledger_commands.h"

namespace fiducia::ledger_app {
namespace {

/// All that comes until the pipe ends.
Result<std::string> read_secret(int fd) {
  std::string text(limits::passphrase_bytes_max + 1, '\0');
  std::size_t used = 0;
  while (used < text.size()) {
    const ssize_t n = ::read(fd, text.data() + used, text.size() - used);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0)
      return fail(ErrorCode::io_unreadable, "The pass phrase cannot be read.", "Try again.");
    if (n == 0) break;
    used += static_cast<std::size_t>(n);
  }
  ::close(fd);
  text.resize(used);
  return text;
}

Result<std::unique_ptr<home_ledger::HomeRecorder>> open_home_recorder(
    const std::string& home_option, bool clock_is_right, int passphrase_fd) {
  FIDUCIA_TRY(home, home_ledger::open_ledger_home(home_option));
  if (passphrase_fd >= 0) {
    FIDUCIA_TRY(text, read_secret(passphrase_fd));
    home.home.set_passphrase(std::move(text));
  }
  home.clock_is_right = clock_is_right;
  return home_ledger::HomeRecorder::open(std::move(home));
}

Result<ledger::Recorded> answer(home_ledger::HomeRecorder& recorder, ByteView frame) {
  FIDUCIA_TRY(entries, ledger::read_record_request(frame));
  return recorder.record(entries);
}

/// Serves record requests on standard input until its end.
int serve_requests(const std::string& home, bool clock_is_right, int passphrase_fd) {
  // Whoever asked may die: then the pipe ends, and what is committed is still published. A signal
  // meant for the group (Ctrl-C) is the parent's to answer.
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGINT, SIG_IGN);
  auto recorder = open_home_recorder(home, clock_is_right, passphrase_fd);
  const Result<ledger::Recorded> ready =
      recorder ? Result<ledger::Recorded>{ledger::Recorded{
                     .entries = {}, .checkpoint = (*recorder)->checkpoint(), .time_stamps = {}}}
               : Result<ledger::Recorded>{std::unexpected(recorder.error())};
  if (!ledger::write_frame(STDOUT_FILENO, ledger::write_record_reply(ready)) || !recorder) return 1;
  for (;;) {
    const auto frame = ledger::read_frame(STDIN_FILENO);
    if (!frame) return 1;
    if (!*frame) return 0;
    const auto reply = answer(**recorder, **frame);
    if (!ledger::write_frame(STDOUT_FILENO, ledger::write_record_reply(reply))) return 1;
  }
}

}  // namespace

int run(const cli::AppendOptions& options) {
  return serve_requests(options.common.home, options.clock_is_right, options.passphrase_fd);
}

}  // namespace fiducia::ledger_app
