// SPDX-License-Identifier: Apache-2.0

#include <cstdio>

#include "cli/cli.h"
#include "home/home.h"
#include "http/http.h"
#include "json/json.h"
#include "ledger_commands.h"
#include "ledger_net/ledger_net.h"
#include "listen.h"

namespace fiducia::ledger_app {
namespace {

/// One line a request to stderr: no query, no header.
void log_request(const http::Served& served) {
  json::Writer json;
  json.open_object();
  json.member("schema", "fiducia.request/1");
  json.member("at", to_rfc3339(system_now()));
  json.member("peer", served.peer);
  json.member("method", served.method);
  json.member("path", served.path);
  json.member("status", served.status);
  json.member("bytes", served.body_bytes);
  json.member("duration_us", static_cast<std::uint64_t>(served.duration.count()));
  json.close_object();
  const std::string line = json.take() + "\n";
  std::fwrite(line.data(), 1, line.size(), stderr);
}

Result<std::filesystem::path> find_folder(const cli::ServeOptions& options) {
  if (!options.folder.empty()) return options.folder;
  FIDUCIA_TRY(home, home::locate_home(options.common.home));
  FIDUCIA_TRY(opened, home::Home::open(home));
  return opened.ledger_folder();
}

Result<int> serve(const cli::ServeOptions& options) {
  http::ServerOptions server_options{.workers = options.workers,
                                     .connections_max = options.connections,
                                     .connections_per_client_max = options.connections_per_client,
                                     .body_bytes_max = 0,
                                     .requests_per_second_max = options.rate};
  FIDUCIA_CHECK(read_listen(options.listen, server_options));
  FIDUCIA_TRY(folder, find_folder(options));
  std::error_code error;
  if (!std::filesystem::exists(folder / "checkpoint", error))
    return fail(ErrorCode::config_missing, "holds no ledger: there is no checkpoint in it.",
                "Name the folder of a ledger or of a mirror with --folder, or a home with --home.",
                Location{.file = folder.string()});
  const cli::StopOnSignal stop;
  const ledger_net::TileServer tiles{std::make_shared<ledger::DirectoryStore>(folder)};
  FIDUCIA_TRY(server, http::Server::start(
                          server_options,
                          [&tiles](const http::Request& request) { return tiles.answer(request); },
                          options.common.quiet ? http::ServedLog{} : log_request));
  if (options.common.json) {
    json::Writer json;
    json.open_object();
    json.member("schema", "fiducia.ledger-serve/1");
    json.member("folder", folder.string());
    json.member("url", server.url());
    json.close_object();
    cli::print_line(json.take());
  } else {
    cli::print_line("serving  " + cli::printable(folder.string()) + "  at " + server.url());
  }
  std::fflush(stdout);
  server.wait(stop.token());
  server.stop();
  return 0;
}

}  // namespace

int run(const cli::ServeOptions& options) {
  return cli::finish(serve(options), options.common.json);
}

}  // namespace fiducia::ledger_app
