// SPDX-License-Identifier: Apache-2.0
#include "program.h"

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <exception>
#include <new>
#include <string_view>
#include <vector>

#include <CLI/CLI.hpp>

#include "ledger_access.h"
#include "ledger_home.h"
#include "output.h"
#include "version.h"
#include "wrong_command.h"

namespace fiducia::ledger_app {
namespace {

using Add = void (*)(CLI::App& program, Run& run);
constexpr Add sub_commands[] = {add_serve, add_mirror, add_witness, add_move, add_append};

/// Whether an error says that something is damaged or forged, rather than out of reach.
bool is_damage(const Error& error) {
  return error.code == ErrorCode::signature_bad || error.code == ErrorCode::malformed ||
         error.code == ErrorCode::truncated;
}

int wrong_usage(std::string text, const std::string& command, bool json) {
  app::print_error(Error{.code = ErrorCode::usage_invalid,
                         .what = text.ends_with('.') ? std::move(text) : text + ".",
                         .remedy = "See `" + command + " --help`."},
                   json);
  return 1;
}

/// `status`, `check`, `prove` and their like, and `export --pinned`, are those of `fiducia`, which
/// comes here when they need more than folders: S3, or a server. It also says what is wrong with a
/// word that names no command.
int run_reading(int argc, const char* const* argv, bool json) {
  std::vector<std::string> arguments;
  if (argc < 2 || std::string_view{argv[1]} != "export") arguments.emplace_back("ledger");
  arguments.insert(arguments.end(), argv + std::min(argc, 1), argv + argc);
  const auto parsed = app::read_arguments(std::move(arguments));
  if (const auto* nothing = std::get_if<app::Answer>(&parsed)) {
    if (nothing->exit_code != 0) return wrong_usage(nothing->text, nothing->command, json);
    std::fputs(nothing->text.c_str(), stdout);
    return 0;
  }
  const app::LedgerAccess access{
      .open_url = [](const std::string& url) -> Result<app::LedgerSource> {
        FIDUCIA_TRY(source,
                    ledger_net::HttpSource::make(url, std::make_shared<const http::Client>()));
        return app::LedgerSource{std::move(source)};
      },
      .open_home = [](const app::Home& home) -> Result<app::LedgerSource> {
        FIDUCIA_TRY(ledger, open_ledger_home(home.folder().string()));
        FIDUCIA_TRY(store, open_store(ledger));
        return app::LedgerSource{std::move(store)};
      }};
  const auto& command = std::get<app::Command>(parsed);
  if (const auto* to_export = std::get_if<app::ExportOptions>(&command))
    return app::run(*to_export, access);
  return app::run(std::get<app::LedgerOptions>(command), access);
}

int run_parsed(int argc, const char* const* argv, bool json) {
  CLI::App program{"What a ledger gives to others and takes from them.", "fiducia ledger"};
  program.set_version_flag("--version", "fiducia-ledger " FIDUCIA_VERSION);
  program.require_subcommand(1);
  Run run;
  for (const Add add : sub_commands) add(program, run);
  const std::vector<std::string> arguments(argv + std::min(argc, 1), argv + argc);
  const auto own = std::as_const(program).get_subcommands({});
  const bool is_own = !arguments.empty() &&
                      (arguments.front() == "--version" ||
                       std::ranges::find(own, arguments.front(), &CLI::App::get_name) != own.end());
  if (!is_own) return run_reading(argc, argv, json);
  const std::string command = app::spoken_command(program, arguments);
  if (auto text = app::find_wrong_command(program, arguments))
    return wrong_usage(std::move(*text), command, json);
  try {
    program.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    std::fputs(program.help().c_str(), stdout);  // of the sub-command that was called
    return std::fflush(stdout) == 0 ? 0 : 1;
  } catch (const CLI::CallForVersion& version) {
    std::printf("%s\n", version.what());
    return std::fflush(stdout) == 0 ? 0 : 1;
  } catch (const CLI::ExtrasError& error) {
    return wrong_usage(app::find_wrong_option(program, arguments).value_or(error.what()), command,
                       json);
  } catch (const CLI::ParseError& error) {
    return wrong_usage(error.what(), command, json);
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
