// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>

#include <cstdio>

#include "home.h"
#include "http/http.h"
#include "ledger_net/ledger_net.h"
#include "listen.h"
#include "output.h"
#include "program.h"
#include "report/json_writer.h"
#include "signals.h"

namespace fiducia::ledger_app {
namespace {

struct ServeOptions {
  std::string home;
  std::string folder;
  std::string listen = "127.0.0.1:8080";
  unsigned workers = 4;
  std::uint32_t rate = 0;
  std::uint32_t connections = limits::http_connections_max;
  std::uint32_t connections_per_client = limits::http_connections_per_client_max;
  bool json = false;
  bool quiet = false;
};

/// One line a request to stderr: no query, no header.
void log_request(const http::Served& served) {
  report::JsonWriter json;
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

Result<std::filesystem::path> find_folder(const ServeOptions& options) {
  if (!options.folder.empty()) return options.folder;
  FIDUCIA_TRY(home, app::locate_home(options.home));
  FIDUCIA_TRY(opened, app::Home::open(home));
  return opened.ledger_folder();
}

Result<int> serve(const ServeOptions& options) {
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
  const StopOnSignal stop;
  const ledger_net::TileServer tiles{std::make_shared<ledger::DirectoryStore>(folder)};
  FIDUCIA_TRY(server, http::Server::start(
                          server_options,
                          [&tiles](const http::Request& request) { return tiles.answer(request); },
                          options.quiet ? http::ServedLog{} : log_request));
  if (options.json) {
    report::JsonWriter json;
    json.open_object();
    json.member("schema", "fiducia.ledger-serve/1");
    json.member("folder", folder.string());
    json.member("url", server.url());
    json.close_object();
    app::print_line(json.take());
  } else {
    app::print_line("serving  " + app::printable(folder.string()) + "  at " + server.url());
  }
  std::fflush(stdout);
  server.wait(stop.token());
  server.stop();
  return 0;
}

}  // namespace

void add_serve(CLI::App& program, Run& run) {
  CLI::App& app = *program.add_subcommand("serve", "Serve a ledger for reading, over HTTP");
  const auto options = std::make_shared<ServeOptions>();
  app.add_option("--home", options->home, "Home whose ledger is served (as for all commands)")
      ->type_name("DIR");
  app.add_option("--folder", options->folder, "Serve this ledger, or mirror of one, instead")
      ->type_name("DIR");
  app.add_option("--listen", options->listen,
                 "Address and port; port 0 takes a free one, which is printed")
      ->type_name("ADDR:PORT")
      ->capture_default_str();
  app.add_option("--workers", options->workers, "Requests answered at the same time")
      ->check(CLI::Range(1, 256))
      ->capture_default_str();
  app.add_option("--rate", options->rate,
                 "Requests a second of one client, ten seconds' worth at once (0: no limit)")
      ->capture_default_str();
  app.add_option("--connections", options->connections, "Connections open at the same time")
      ->check(CLI::Range(1, 65'536))
      ->capture_default_str();
  app.add_option("--connections-per-client", options->connections_per_client,
                 "The same of one client (0: no limit, for behind a proxy)")
      ->capture_default_str();
  app.add_flag("--json", options->json, "Print the address as JSON");
  app.add_flag("--quiet,-q", options->quiet, "Do not log requests");
  app.footer(
      "Serves checkpoint, tiles and entries as C2SP tlog-tiles says, and nothing else of the "
      "folder.\n"
      "It reads only, so that it may run beside `seal`, under another account. There is no TLS:\n"
      "put a proxy in front (docs/operations.md). Requests are logged on stderr, one JSON object "
      "a\n"
      "line. SIGINT or SIGTERM ends it after the answers under way.\n\n"
      "Example:\n"
      "  fiducia ledger serve --listen 0.0.0.0:8080\n");
  app.callback([&run, options] { run = [options] { return serve(*options); }; });
}

}  // namespace fiducia::ledger_app
