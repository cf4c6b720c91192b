// SPDX-License-Identifier: Apache-2.0
#include "program.h"

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdio>
#include <exception>
#include <new>
#include <optional>
#include <string_view>
#include <vector>

#include <CLI/CLI.hpp>

#include "ledger_access.h"
#include "ledger_home.h"
#include "output.h"
#include "version.h"

namespace fiducia::ledger_app {
namespace {

using Add = void (*)(CLI::App& program, Run& run);
constexpr Add sub_commands[] = {add_serve, add_mirror, add_witness, add_move, add_append};

/// Whether an error says that something is damaged or forged, rather than out of reach.
bool is_damage(const Error& error) {
  return error.code == ErrorCode::signature_bad || error.code == ErrorCode::malformed ||
         error.code == ErrorCode::truncated;
}

int wrong_usage(std::string text, bool json) {
  app::print_error(Error{.code = ErrorCode::usage_invalid,
                         .what = text.ends_with('.') ? std::move(text) : text + ".",
                         .remedy = "See `fiducia ledger COMMAND --help`."},
                   json);
  return 1;
}

/// `status`, `check` and `prove` are those of `fiducia`, which comes here when they need more than
/// folders: S3, or a server.
std::optional<int> run_reading(int argc, const char* const* argv, bool json) {
  constexpr std::array<std::string_view, 3> commands{"status", "check", "prove"};
  if (argc < 2 || std::ranges::find(commands, argv[1]) == commands.end()) return std::nullopt;
  std::vector<std::string> arguments{"ledger"};
  arguments.insert(arguments.end(), argv + 1, argv + argc);
  const auto parsed = app::read_arguments(std::move(arguments));
  if (const auto* nothing = std::get_if<app::Answer>(&parsed)) {
    if (nothing->exit_code != 0) return wrong_usage(nothing->text, json);
    std::fputs(nothing->text.c_str(), stdout);
    return 0;
  }
  const app::LedgerAccess access{
      .open_url = [](const std::string& url) -> Result<app::LedgerSource> {
        FIDUCIA_TRY(source,
                    exchange::HttpSource::make(url, std::make_shared<const http::Client>()));
        return app::LedgerSource{std::move(source)};
      },
      .open_home = [](const app::Home& home) -> Result<app::LedgerSource> {
        FIDUCIA_TRY(ledger, open_ledger_home(home.folder().string()));
        FIDUCIA_TRY(store, open_store(ledger));
        return app::LedgerSource{std::move(store)};
      }};
  return app::run(std::get<app::LedgerOptions>(std::get<app::Command>(parsed)), access);
}

int run_parsed(int argc, const char* const* argv, bool json) {
  CLI::App program{"What a ledger gives to others and takes from them.", "fiducia ledger"};
  program.set_version_flag("--version", "fiducia-ledger " FIDUCIA_VERSION);
  program.require_subcommand(1);
  Run run;
  for (const Add add : sub_commands) add(program, run);
  try {
    program.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    std::fputs(program.help().c_str(), stdout);  // of the sub-command that was called
    return std::fflush(stdout) == 0 ? 0 : 1;
  } catch (const CLI::CallForVersion& version) {
    std::printf("%s\n", version.what());
    return std::fflush(stdout) == 0 ? 0 : 1;
  } catch (const CLI::ParseError& error) {
    return wrong_usage(error.what(), json);
  }
  const auto exit_code = run();
  if (!exit_code) {
    app::print_error(exit_code.error(), json);
    return is_damage(exit_code.error()) ? damaged_exit_code : 1;
  }
  return std::fflush(stdout) == 0 && std::ferror(stdout) == 0 ? *exit_code : 1;
}

}  // namespace

int run_program(int argc, const char* const* argv) {
  std::signal(SIGPIPE, SIG_IGN);  // a reader of our output that is gone is an error, not a death
  const bool json = std::any_of(argv + std::min(argc, 1), argv + argc,
                                [](std::string_view argument) { return argument == "--json"; });
  try {
    if (const auto exit_code = run_reading(argc, argv, json)) return *exit_code;
    return run_parsed(argc, argv, json);
  } catch (const std::bad_alloc&) {
    app::print_error(Error{.code = ErrorCode::over_limit,
                           .what = "This machine has not enough memory.",
                           .remedy = "Close other programs, or add memory."},
                     json);
  } catch (const std::exception& unexpected) {
    app::print_error(Error{.code = ErrorCode::internal,
                           .what = std::string("An internal error: ") + unexpected.what(),
                           .remedy = "Report it with the command."},
                     json);
  }
  return 1;
}

}  // namespace fiducia::ledger_app
