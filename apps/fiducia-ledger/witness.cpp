// SPDX-License-Identifier: Apache-2.0
// `fiducia ledger witness`: runs a witness (C2SP tlog-witness), or cosigns once.
#include <CLI/CLI.hpp>

#include <cstdio>
#include <filesystem>
#include <memory>

#include "http/http.h"
#include "ledger_access.h"
#include "ledger_net/ledger_net.h"
#include "listen.h"
#include "output.h"
#include "program.h"
#include "report/json_writer.h"
#include "signals.h"
#include "witness/witness_visit.h"

namespace fiducia::ledger_app {
namespace {

namespace fs = std::filesystem;
using app::print_line;
using app::print_warning;
using app::printable;
using witness::WitnessStatus;

struct WitnessOptions {
  std::string folder;  // of the witness
  bool json = false;
  bool quiet = false;
  std::string name;                       // init
  std::string origin;                     // add-log
  std::string vkey;                       // add-log
  std::string listen = "127.0.0.1:7080";  // serve
  std::string prefix;                     // serve
  std::uint32_t rate = 0;                 // serve
  std::string target;                     // cosign
  std::string out;                        // cosign
};

Result<int> init(const WitnessOptions& options) {
  FIDUCIA_CHECK(witness::Witness::create(options.folder, options.name));
  FIDUCIA_TRY(witness, witness::Witness::open(options.folder));
  const std::string vkey = ledger_format::write_vkey(witness.key());
  if (options.json) {
    report::JsonWriter json;
    json.open_object();
    json.member("schema", "fiducia.witness/1");
    json.member("name", witness.key().name);
    json.member("vkey", vkey);
    json.close_object();
    print_line(json.take());
  } else {
    print_line(vkey);
    if (!options.quiet)
      print_warning("Hand this verifier key out. The folder " + printable(options.folder) +
                    " must never be put back from a backup: a witness that forgot signs forks.");
  }
  return 0;
}

Result<int> add_log(const WitnessOptions& options) {
  FIDUCIA_TRY(key, app::read_key_option(options.vkey));
  FIDUCIA_TRY(witness, witness::Witness::open(options.folder));
  FIDUCIA_CHECK(witness.add_log(options.origin, key));
  if (options.json) {
    report::JsonWriter json;
    json.open_object();
    json.member("schema", "fiducia.witness-log/1");
    json.member("origin", options.origin);
    json.member("vkey", ledger_format::write_vkey(key));
    json.close_object();
    print_line(json.take());
  } else if (!options.quiet) {
    print_line("follows  " + printable(options.origin));
  }
  return 0;
}

void print_log(const WitnessOptions& options, const witness::WitnessedLog& log) {
  if (options.json) {
    report::JsonWriter json;
    json.open_object();
    json.member("schema", "fiducia.witness-log/1");
    json.member("origin", log.origin);
    if (log.latest) {
      json.member("tree_size", log.latest->tree_size);
      json.member("root", to_hex(log.latest->root.view()));
      json.member("cosigned_at", to_rfc3339(log.cosigned_at));
    }
    json.key("evidence");
    json.open_array();
    for (const std::string& name : log.evidence) json.text(name);
    json.close_array();
    json.close_object();
    print_line(json.take());
    return;
  }
  std::string line = printable(log.origin) + "  ";
  if (log.latest) {
    line += std::to_string(log.latest->tree_size) + " entries  " + to_rfc3339(log.cosigned_at);
  } else {
    line += "nothing cosigned yet";
  }
  print_line(line);
  for (const std::string& name : log.evidence)
    print_line(
        "  evidence  " +
        printable(
            (fs::path("logs") / witness::origin_hash(log.origin) / "evidence" / name).string()));
}

/// Exit 2 as soon as a log is known to have shown two trees: two notes convict it.
Result<int> status(const WitnessOptions& options) {
  FIDUCIA_TRY(witness, witness::Witness::open(options.folder));
  FIDUCIA_TRY(logs, witness.logs());
  if (!options.json && !options.quiet)
    print_line("witness  " + ledger_format::write_vkey(witness.key()));
  bool split = false;
  for (const witness::WitnessedLog& log : logs) {
    if (!options.quiet || options.json) print_log(options, log);
    for (const std::string& name : log.evidence) split |= name.starts_with("split-view.");
  }
  return split ? damaged_exit_code : 0;
}

/// One line a submitted checkpoint to stderr: no body, no key.
void log_event(const ledger_net::WitnessEvent& event) {
  report::JsonWriter json;
  json.open_object();
  json.member("schema", "fiducia.witness-request/1");
  json.member("at", to_rfc3339(system_now()));
  json.member("peer", event.peer);
  if (event.error) {
    json.member("error", code_word(*event.error));
    json.member("text", to_sentence(*event.error));
  } else {
    json.member("status", std::uint64_t{std::to_underlying(event.answer.status)});
    json.member("text", event.answer.text);
    if (!event.answer.evidence.empty()) json.member("evidence", event.answer.evidence);
  }
  json.close_object();
  const std::string line = json.take() + "\n";
  std::fwrite(line.data(), 1, line.size(), stderr);
}

Result<int> serve_witness(const WitnessOptions& options) {
  // A request past the limit of the protocol gets its 400 from the witness and not a 413.
  http::ServerOptions server_options{.body_bytes_max = 2 * limits::witness_request_bytes_max,
                                     .requests_per_second_max = options.rate};
  FIDUCIA_CHECK(read_listen(options.listen, server_options));
  std::string prefix = options.prefix;
  while (prefix.ends_with('/')) prefix.pop_back();
  if (!prefix.empty() && !prefix.starts_with('/'))
    return fail(ErrorCode::usage_invalid, "A prefix begins with a slash.",
                "Give for instance --prefix /witness.");
  FIDUCIA_TRY(witness, witness::Witness::open(options.folder));
  // Damage is told now and not to the first log that asks.
  FIDUCIA_CHECK(witness.logs());
  const StopOnSignal stop;
  FIDUCIA_TRY(server,
              http::Server::start(
                  server_options,
                  ledger_net::serve_witness(
                      witness, prefix, options.quiet ? ledger_net::WitnessJournal{} : log_event)));
  const std::string url = server.url() + prefix;
  if (options.json) {
    report::JsonWriter json;
    json.open_object();
    json.member("schema", "fiducia.witness-serve/1");
    json.member("vkey", ledger_format::write_vkey(witness.key()));
    json.member("url", url);
    json.close_object();
    print_line(json.take());
  } else {
    print_line("serving  " + ledger_format::write_vkey(witness.key()) + "  at " + url);
  }
  std::fflush(stdout);
  server.wait(stop.token());
  server.stop();
  return 0;
}

bool is_url(std::string_view target) {
  return target.starts_with("http://") || target.starts_with("https://");
}

/// The log or the request that `target` names, judged.
Result<witness::Visit> visit(const witness::Witness& witness, const std::string& target) {
  if (is_url(target)) {
    FIDUCIA_TRY(source, ledger_net::HttpSource::make(target, std::make_shared<http::Client>()));
    return witness::visit_log(witness, std::move(source));
  }
  std::error_code error;
  if (fs::is_directory(target, error))
    return witness::visit_log(witness, std::make_shared<ledger::DirectoryStore>(target));
  FIDUCIA_TRY(body, read_file(target, limits::witness_request_bytes_max));
  FIDUCIA_TRY(answer, witness.add_checkpoint(as_text(body)));
  witness::Visit visit{.answer = std::move(answer), .note = {}};
  if (visit.answer.status == WitnessStatus::cosigned) {
    FIDUCIA_TRY(request, witness::read_add_checkpoint(as_text(body)));
    FIDUCIA_TRY(merged, ledger_format::merge_cosignatures(request.note, visit.answer.body,
                                                          std::span{&witness.key(), 1}));
    visit.note = std::move(merged.note);
  }
  return visit;
}

Result<int> cosign(const WitnessOptions& options) {
  const OutputRules rules{
      .kind = "checkpoint",
      .is_kind =
          [](ByteView content) { return ledger_format::read_note(as_text(content)).has_value(); },
      .inputs = {options.target},
      .folders = {options.folder}};
  if (!options.out.empty()) FIDUCIA_CHECK(check_output(options.out, rules));
  FIDUCIA_TRY(witness, witness::Witness::open(options.folder));
  FIDUCIA_TRY(visited, visit(witness, options.target));
  const witness::WitnessAnswer& answer = visited.answer;
  const bool good = answer.status == WitnessStatus::cosigned;
  const bool misbehaved = answer.status == WitnessStatus::inconsistent || visited.shrunk ||
                          answer.evidence.starts_with("split-view.");
  if (good && !options.out.empty())
    FIDUCIA_CHECK(write_output(options.out, as_bytes(visited.note), rules));
  if (options.json) {
    report::JsonWriter json;
    json.open_object();
    json.member("schema", "fiducia.witness-answer/1");
    json.member("status", good ? "cosigned" : misbehaved ? "inconsistent" : "refused");
    json.member("http_status", std::uint64_t{std::to_underlying(answer.status)});
    json.member("text", answer.text);
    if (good) json.member("note", visited.note);
    if (!answer.evidence.empty()) json.member("evidence", answer.evidence);
    json.close_object();
    print_line(json.take());
  } else if (!good) {
    print_line((misbehaved ? "inconsistent  " : "refused  ") + printable(answer.text) +
               (answer.evidence.empty() ? "" : "  " + printable(answer.evidence)));
  } else if (options.out.empty()) {
    std::fwrite(visited.note.data(), 1, visited.note.size(), stdout);
  } else if (!options.quiet) {
    print_line("cosigned  " + printable(answer.text) + "  " + printable(options.out));
  }
  if (good) return 0;
  return misbehaved ? damaged_exit_code : 1;
}

using Answer = Result<int> (*)(const WitnessOptions&);

void add_common(CLI::App& app, WitnessOptions& options) {
  app.add_option("--folder", options.folder, "Folder of the witness")->required()->type_name("DIR");
  app.add_flag("--json", options.json, "Print one JSON object a line and nothing else");
  app.add_flag("--quiet,-q", options.quiet, "Print nothing but results and errors");
}

void add_serve_options(CLI::App& app, WitnessOptions& options) {
  app.add_option("--listen", options.listen,
                 "Address and port; port 0 takes a free one, which is printed")
      ->type_name("ADDR:PORT")
      ->capture_default_str();
  app.add_option("--prefix", options.prefix, "What the paths begin with")->type_name("PATH");
  app.add_option("--rate", options.rate,
                 "Requests a second of one client, ten seconds' worth at once (0: no limit)")
      ->capture_default_str();
  app.footer(
      "There is no TLS: put a proxy in front where logs come over the open network. Each "
      "checkpoint\n"
      "submitted is a line of JSON on stderr. SIGINT or SIGTERM ends it.\n\n"
      "Example:\n  fiducia ledger witness serve --folder w --listen 127.0.0.1:7080\n");
}

void add_cosign_options(CLI::App& app, WitnessOptions& options) {
  app.add_option("TARGET", options.target,
                 "Folder or URL of a log, or a file with an add-checkpoint request")
      ->required()
      ->type_name("");
  app.add_option("--out", options.out, "Write the cosigned checkpoint there (default: stdout)")
      ->type_name("FILE");
  app.footer(
      "Reads the checkpoint, and the tiles that prove that it continues the one cosigned last.\n"
      "Exit code 2: it does not.\n\n"
      "Example:\n  fiducia ledger witness cosign --folder w /media/disk/ledger --out cosigned\n");
}

}  // namespace

void add_witness(CLI::App& program, Run& run) {
  CLI::App& app =
      *program.add_subcommand("witness", "Make sure that a log shows everybody the same tree");
  app.require_subcommand(1);
  const auto options = std::make_shared<WitnessOptions>();
  const auto add = [&](const char* name, const char* summary, Answer answer) -> CLI::App& {
    CLI::App& sub = *app.add_subcommand(name, summary);
    add_common(sub, *options);
    sub.callback([&run, options, answer] { run = [options, answer] { return answer(*options); }; });
    return sub;
  };
  CLI::App& make = add("init", "Make a witness: a folder and a key", init);
  make.add_option("--name", options->name, "Its name, a URL without https:// for instance")
      ->required()
      ->type_name("NAME");
  make.footer("Example:\n  fiducia ledger witness init --folder w --name witness.example.org\n");

  CLI::App& follow = add("add-log", "Follow a log, or one more key of it", add_log);
  follow.add_option("ORIGIN", options->origin, "Origin: the first line of the log's checkpoint")
      ->required()
      ->type_name("");
  follow.add_option("VKEY", options->vkey, "Verifier key of the log")->required()->type_name("");
  follow.footer(
      "Also while the witness is being served.\n\nExample:\n"
      "  fiducia ledger witness add-log --folder w example.org/log "
      "example.org/log+530d903a+Aek...\n");

  add_serve_options(add("serve", "Answer logs over HTTP (C2SP tlog-witness)", serve_witness),
                    *options);
  add_cosign_options(add("cosign", "Judge a checkpoint once, without a server", cosign), *options);
  add("status", "List the logs, what was cosigned last, and evidence", status)
      .footer(
          "Exit code 2: a log has shown two trees of one size.\n\nExample:\n"
          "  fiducia ledger witness status --folder w\n");
}

}  // namespace fiducia::ledger_app
