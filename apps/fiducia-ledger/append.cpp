// SPDX-License-Identifier: Apache-2.0
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <csignal>

#include "home_recorder.h"
#include "program.h"

namespace fiducia::ledger_app {
namespace {

Result<std::unique_ptr<HomeRecorder>> open_recorder(const std::string& home_option,
                                                    bool clock_is_right) {
  FIDUCIA_TRY(home, open_ledger_home(home_option));
  home.clock_is_right = clock_is_right;
  return HomeRecorder::open(std::move(home));
}

Result<ledger::Recorded> answer(HomeRecorder& recorder, ByteView frame) {
  FIDUCIA_TRY(entries, ledger::read_record_request(frame));
  return recorder.record(entries);
}

/// Serves record requests on standard input until its end.
int serve_requests(const std::string& home, bool clock_is_right) {
  // Whoever asked may die: then the pipe ends, and what is committed is still published. A signal
  // meant for the group (Ctrl-C) is the parent's to answer.
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGINT, SIG_IGN);
  auto recorder = open_recorder(home, clock_is_right);
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

void add_append(CLI::App& program, Run& run) {
  CLI::App& app = *program.add_subcommand(
      "append", "What `fiducia seal` starts where a home has a ledger.toml; not for people");
  const auto home = std::make_shared<std::string>();
  app.add_option("--home", *home, "The home")->type_name("DIR");
  app.footer(
      "Reads requests on standard input and answers on standard output (record_protocol.h).\n");
  const auto clock_is_right = std::make_shared<bool>(false);
  app.add_flag("--clock-is-right", *clock_is_right, "As of `fiducia seal`");
  app.callback([&run, home, clock_is_right] {
    run = [home, clock_is_right]() -> Result<int> {
      return serve_requests(*home, *clock_is_right);
    };
  });
}

}  // namespace fiducia::ledger_app
