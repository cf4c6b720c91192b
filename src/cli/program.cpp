// SPDX-License-Identifier: Apache-2.0
#include "cli/program.h"

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <exception>
#include <new>

#include "cli/exit_code.h"
#include "cli/output.h"
#include "cli/sibling.h"

namespace fiducia::cli {
namespace {

int give(const Answer& answer, bool json) {
  if (answer.exit_code == 0) {
    std::fputs(answer.text.c_str(), stdout);
    return std::fflush(stdout) == 0 ? done_exit_code : failed_exit_code;
  }
  print_error(Error{.code = ErrorCode::usage_invalid,
                    .what = answer.text.ends_with('.') ? answer.text : answer.text + ".",
                    .remedy = "See `" + answer.command + " --help`."},
              json);
  return answer.exit_code;
}

int run_and_flush(const Command& command, const RunCommand& run) {
  const int exit_code = run(command);
  if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) return exit_code;
  print_error(Error{.code = ErrorCode::io_unwritable,
                    .what = "The results could not be printed.",
                    .remedy = "Make room where standard output goes."},
              /*json=*/false);
  return failed_exit_code;
}

}  // namespace

int run_program(RunBy self, int argc, const char* const* argv, const RunCommand& run) {
  std::vector<std::string> arguments(argv + std::min(argc, 1), argv + argc);
  const bool json = std::ranges::find(arguments, "--json") != arguments.end();
  // A reader of our output that is gone is an error, not a death.
  if (self == RunBy::ledger) std::signal(SIGPIPE, SIG_IGN);
  // Wrong input is answered by values; what arrives here as an exception is memory that ran out,
  // or a bug: no verdict was reached, so the exit code is 1.
  try {
    if (self == RunBy::fiducia && is_for_sibling(arguments)) {
      print_error(run_sibling(arguments), json);
      return failed_exit_code;
    }
    const auto parsed = read_arguments(arguments);
    if (const auto* nothing_to_run = std::get_if<Answer>(&parsed))
      return give(*nothing_to_run, json);
    return run_and_flush(std::get<Command>(parsed), run);
  } catch (const std::bad_alloc&) {
    print_error(Error{.code = ErrorCode::over_limit,
                      .what = "This machine does not have enough memory for this input.",
                      .remedy = "Close other programs, or verify fewer files at a time."},
                json);
  } catch (const std::exception& unexpected) {
    print_error(Error{.code = ErrorCode::internal,
                      .what = std::string("An internal error: ") + unexpected.what(),
                      .remedy = "Report it with the command; no verdict was given."},
                json);
  }
  return failed_exit_code;
}

}  // namespace fiducia::cli
