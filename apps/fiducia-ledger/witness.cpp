// SPDX-License-Identifier: Apache-2.0
// `fiducia ledger witness`: runs a witness (C2SP tlog-witness), or cosigns once.

#include <cstdio>
#include <filesystem>
#include <memory>

#include "cli/cli.h"
#include "http/http.h"
#include "json/json.h"
#include "ledger_commands.h"
#include "ledger_net/ledger_net.h"
#include "listen.h"
#include "sources.h"
#include "witness/witness_visit.h"

namespace fiducia::ledger_app {
namespace {

namespace fs = std::filesystem;
using cli::print_line;
using cli::print_warning;
using cli::printable;
using witness::WitnessStatus;

Result<int> init(const cli::WitnessOptions& options) {
  FIDUCIA_CHECK(witness::Witness::create(options.folder, options.name));
  FIDUCIA_TRY(witness, witness::Witness::open(options.folder));
  const std::string vkey = ledger_format::write_vkey(witness.key());
  if (options.common.json) {
    json::Writer json;
    json.open_object();
    json.member("schema", "fiducia.witness/1");
    json.member("name", witness.key().name);
    json.member("vkey", vkey);
    json.close_object();
    cli::print_line(json.take());
  } else {
    cli::print_line(vkey);
    if (!options.common.quiet)
      cli::print_warning(
          "Hand this verifier key out. The folder " + cli::printable(options.folder) +
          " must never be put back from a backup: a witness that forgot signs forks.");
  }
  return 0;
}

Result<int> add_log(const cli::WitnessOptions& options) {
  FIDUCIA_TRY(key, read_key_option(options.vkey));
  FIDUCIA_TRY(witness, witness::Witness::open(options.folder));
  FIDUCIA_CHECK(witness.add_log(options.origin, key));
  if (options.common.json) {
    json::Writer json;
    json.open_object();
    json.member("schema", "fiducia.witness-log/1");
    json.member("origin", options.origin);
    json.member("vkey", ledger_format::write_vkey(key));
    json.close_object();
    cli::print_line(json.take());
  } else if (!options.common.quiet) {
    cli::print_line("follows  " + cli::printable(options.origin));
  }
  return 0;
}

void print_log(const cli::WitnessOptions& options, const witness::WitnessedLog& log) {
  if (options.common.json) {
    json::Writer json;
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
    cli::print_line(json.take());
    return;
  }
  std::string line = cli::printable(log.origin) + "  ";
  if (log.latest) {
    line += std::to_string(log.latest->tree_size) + " entries  " + to_rfc3339(log.cosigned_at);
  } else {
    line += "nothing cosigned yet";
  }
  cli::print_line(line);
  for (const std::string& name : log.evidence)
    cli::print_line(
        "  evidence  " +
        cli::printable(
            (fs::path("logs") / witness::origin_hash(log.origin) / "evidence" / name).string()));
}

/// Exit 2 as soon as a log is known to have shown two trees: two notes convict it.
Result<int> status(const cli::WitnessOptions& options) {
  FIDUCIA_TRY(witness, witness::Witness::open(options.folder));
  FIDUCIA_TRY(logs, witness.logs());
  if (!options.common.json && !options.common.quiet)
    cli::print_line("witness  " + ledger_format::write_vkey(witness.key()));
  bool split = false;
  for (const witness::WitnessedLog& log : logs) {
    if (!options.common.quiet || options.common.json) print_log(options, log);
    for (const std::string& name : log.evidence) split |= name.starts_with("split-view.");
  }
  return split ? cli::damaged_exit_code : 0;
}

/// One line a submitted checkpoint to stderr: no body, no key.
void log_event(const ledger_net::WitnessEvent& event) {
  json::Writer json;
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

Result<int> serve_witness(const cli::WitnessOptions& options) {
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
  const cli::StopOnSignal stop;
  FIDUCIA_TRY(server, http::Server::start(
                          server_options,
                          ledger_net::serve_witness(
                              witness, prefix,
                              options.common.quiet ? ledger_net::WitnessJournal{} : log_event)));
  const std::string url = server.url() + prefix;
  if (options.common.json) {
    json::Writer json;
    json.open_object();
    json.member("schema", "fiducia.witness-serve/1");
    json.member("vkey", ledger_format::write_vkey(witness.key()));
    json.member("url", url);
    json.close_object();
    cli::print_line(json.take());
  } else {
    cli::print_line("serving  " + ledger_format::write_vkey(witness.key()) + "  at " + url);
  }
  std::fflush(stdout);
  server.wait(stop.token());
  server.stop();
  return 0;
}

/// The log or the request that `target` names, judged.
Result<witness::Visit> visit(const witness::Witness& witness, const std::string& target) {
  if (is_url(target)) {
    FIDUCIA_TRY(source, open_url(target));
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

Result<int> cosign(const cli::WitnessOptions& options) {
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
  if (options.common.json) {
    json::Writer json;
    json.open_object();
    json.member("schema", "fiducia.witness-answer/1");
    json.member("status", good ? "cosigned" : misbehaved ? "inconsistent" : "refused");
    json.member("http_status", std::uint64_t{std::to_underlying(answer.status)});
    json.member("text", answer.text);
    if (good) json.member("note", visited.note);
    if (!answer.evidence.empty()) json.member("evidence", answer.evidence);
    json.close_object();
    cli::print_line(json.take());
  } else if (!good) {
    cli::print_line((misbehaved ? "inconsistent  " : "refused  ") + cli::printable(answer.text) +
                    (answer.evidence.empty() ? "" : "  " + cli::printable(answer.evidence)));
  } else if (options.out.empty()) {
    std::fwrite(visited.note.data(), 1, visited.note.size(), stdout);
  } else if (!options.common.quiet) {
    cli::print_line("cosigned  " + cli::printable(answer.text) + "  " +
                    cli::printable(options.out));
  }
  if (good) return 0;
  return misbehaved ? cli::damaged_exit_code : 1;
}

Result<int> answer(const cli::WitnessOptions& options) {
  switch (options.action) {
    case cli::WitnessOptions::Action::init:
      return init(options);
    case cli::WitnessOptions::Action::add_log:
      return add_log(options);
    case cli::WitnessOptions::Action::serve:
      return serve_witness(options);
    case cli::WitnessOptions::Action::cosign:
      return cosign(options);
    case cli::WitnessOptions::Action::status:
      return status(options);
  }
  std::unreachable();
}

}  // namespace

int run(const cli::WitnessOptions& options) {
  return cli::finish(answer(options), options.common.json);
}

}  // namespace fiducia::ledger_app
