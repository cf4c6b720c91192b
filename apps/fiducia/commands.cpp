// SPDX-License-Identifier: Apache-2.0
#include "commands.h"

#include <algorithm>
#include <cstdio>
#include <exception>
#include <new>
#include <string_view>

#include "ledger_access.h"
#include "output.h"
#include "sibling.h"

namespace fiducia::app {
namespace {

int answer(const Answer& answer, bool json) {
  if (answer.exit_code == 0) {
    std::fputs(answer.text.c_str(), stdout);
    return std::fflush(stdout) == 0 ? 0 : 1;
  }
  print_error(Error{.code = ErrorCode::usage_invalid,
                    .what = answer.text.ends_with('.') ? answer.text : answer.text + ".",
                    .remedy = "See `" + answer.command + " --help`."},
              json);
  return answer.exit_code;
}

/// Runs a sub-command. What could not be printed was not said: a full disk behind standard output
/// is an error, whatever the sub-command found.
int run_and_flush(const Command& command) {
  const int exit_code = std::visit([](const auto& options) { return run(options); }, command);
  if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) return exit_code;
  print_error(Error{.code = ErrorCode::io_unwritable,
                    .what = "The results could not be printed.",
                    .remedy = "Make room where standard output goes."},
              /*json=*/false);
  return 1;
}

}  // namespace

int run_program(int argc, const char* const* argv) {
  std::vector<std::string> arguments(argv + std::min(argc, 1), argv + argc);
  const bool json = std::ranges::find(arguments, "--json") != arguments.end();
  // Wrong input is answered by values; what arrives here as an exception is memory that ran out,
  // or a bug: no verdict was reached, so the exit code is 1.
  try {
    if (is_for_sibling(arguments)) {
      print_error(run_sibling(arguments), json);
      return 1;
    }
    const auto parsed = read_arguments(arguments);
    if (const auto* nothing_to_run = std::get_if<Answer>(&parsed))
      return answer(*nothing_to_run, json);
    const Command& command = std::get<Command>(parsed);
    if (const auto* ledger = std::get_if<LedgerOptions>(&command);
        ledger && needs_sibling(*ledger)) {
      print_error(run_sibling(arguments), json);
      return 1;
    }
    if (const auto* to_export = std::get_if<ExportOptions>(&command);
        to_export && needs_sibling(*to_export)) {
      std::vector<std::string> passed{"ledger"};  // as if it were a command of that program
      passed.insert(passed.end(), arguments.begin(), arguments.end());
      print_error(run_sibling(passed), json);
      return 1;
    }
    return run_and_flush(command);
  } catch (const std::bad_alloc&) {
    print_error(Error{.code = ErrorCode::over_limit,
                      .what = "This machine has not enough memory for this input.",
                      .remedy = "Close other programs, or verify fewer files at a time."},
                json);
  } catch (const std::exception& unexpected) {
    print_error(Error{.code = ErrorCode::internal,
                      .what = std::string("An internal error: ") + unexpected.what(),
                      .remedy = "Report it with the command; no verdict was given."},
                json);
  }
  return 1;
}

}  // namespace fiducia::app
