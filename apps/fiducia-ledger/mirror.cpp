// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>

#include "home.h"
#include "http/http.h"
#include "ledger_access.h"
#include "ledger_net/ledger_net.h"
#include "output.h"
#include "program.h"
#include "report/json_writer.h"
#include "seal/seal.h"
#include "signals.h"
#include "trust/trust.h"

namespace fiducia::ledger_app {
namespace {

struct MirrorOptions {
  std::string source;
  std::string folder;
  std::string vkey;
  std::string trust;
  std::string home;
  unsigned parallel = 8;
  bool check = false;
  bool json = false;
  bool quiet = false;
};

Result<std::shared_ptr<const ledger::ObjectSource>> open_source(const MirrorOptions& options,
                                                                const std::stop_token& stop) {
  if (!options.source.contains("://"))
    return std::make_shared<const ledger::DirectoryStore>(options.source);
  FIDUCIA_TRY(source, ledger_net::HttpSource::make(options.source, std::make_shared<http::Client>(),
                                                   {.stop = stop}));
  return source;
}

/// The key that is trusted for the log, known before anything of it is believed.
/// Errors: config_invalid, usage_invalid, and those of reading the checkpoint.
Result<ledger_format::VerifierKey> find_key(const MirrorOptions& options,
                                            const ledger::ObjectSource& source) {
  if (!options.vkey.empty()) return app::read_key_option(options.vkey);
  std::filesystem::path trust_path = options.trust;
  if (trust_path.empty()) {
    FIDUCIA_TRY(home, app::locate_home(options.home));
    trust_path = home / "trust.toml";
  }
  FIDUCIA_TRY(trust, trust::open_trust(trust_path));
  auto encoded = ledger::read_object(source, "checkpoint", limits::note_bytes_max);
  if (!encoded) {
    Error error = std::move(encoded).error();
    error.where.file = source.name_of(error.where.file);
    return std::unexpected(std::move(error));
  }
  // The name under which it is looked up; the signature is verified with what is found.
  FIDUCIA_TRY(note, ledger_format::read_note(as_text(*encoded)));
  FIDUCIA_TRY(checkpoint, ledger_format::read_checkpoint(note.text));
  for (const trust::TrustedLedger& trusted : trust.ledgers)
    if (trusted.origin == checkpoint.origin) return trusted.key;
  return fail(
      ErrorCode::config_invalid,
      "does not name the ledger \"" + app::printable(checkpoint.origin) + "\".",
      "Get the ledger's key from whoever runs it, by another way than this server, and give "
      "it with --vkey, or put the ledger into the trust file.",
      Location{.file = trust_path.string()});
}

const char* word_of(ledger_net::MirrorState state) {
  switch (state) {
    case ledger_net::MirrorState::unchanged:
      return "unchanged";
    case ledger_net::MirrorState::updated:
      return "updated";
    case ledger_net::MirrorState::forked:
      return "forked";
    case ledger_net::MirrorState::shrunk:
      return "shrunk";
  }
  return "forked";
}

void print(const MirrorOptions& options, const ledger_net::Mirrored& mirrored,
           const std::optional<ledger::LogCheck>& check, bool bad) {
  if (options.json) {
    report::JsonWriter json;
    json.open_object();
    json.member("schema", "fiducia.ledger-mirror/1");
    json.member("status", word_of(mirrored.state));
    json.member("origin", mirrored.origin);
    json.member("tree_size_before", mirrored.size_before);
    json.member("tree_size", mirrored.size);
    if (!mirrored.alarm.empty()) json.member("alarm", mirrored.alarm.string());
    json.member("text", mirrored.text);
    if (check) {
      json.key("check");
      json.open_object();
      json.member("status", check->ok ? "intact" : "damaged");
      json.member("entries_checked", check->entries_checked);
      if (!check->damaged.empty()) json.member("damaged", check->damaged);
      json.member("text", check->text);
      json.close_object();
    }
    json.close_object();
    app::print_line(json.take());
    return;
  }
  if (options.quiet && !bad) return;
  app::print_line(std::string{word_of(mirrored.state)} + "  " + app::printable(mirrored.origin) +
                  "  " + mirrored.text);
  if (!mirrored.alarm.empty())
    app::print_line("Both signed checkpoints are in " + app::printable(mirrored.alarm.string()) +
                    "; the copy was left as it was.");
  if (check && check->ok)
    app::print_line("intact  " + std::to_string(check->entries_checked) + " entries  " +
                    app::printable(check->text));
  if (check && !check->ok)
    app::print_line("damaged  " + app::printable(check->damaged) + "  " +
                    app::printable(check->text));
}

Result<int> mirror(const MirrorOptions& options) {
  const StopOnSignal stop;
  FIDUCIA_TRY(source, open_source(options, stop.token()));
  FIDUCIA_TRY(key, find_key(options, *source));
  app::Progress fetching{"Mirroring", 1, options.quiet};
  FIDUCIA_TRY(mirrored,
              ledger_net::mirror_log(
                  source, options.folder, key,
                  {.parallel = options.parallel,
                   .progress = [&fetching](std::uint64_t done,
                                           std::uint64_t total) { fetching.set(done, total); },
                   .stop = stop.token()}));
  fetching.hide();
  std::optional<ledger::LogCheck> check;
  if (options.check) {
    app::Progress checking{"Checking", 1, options.quiet};
    FIDUCIA_TRY(checked, ledger::check_log(std::filesystem::path{options.folder}, key,
                                           [&checking](std::uint64_t done, std::uint64_t total) {
                                             checking.set(done, total);
                                           }));
    checking.hide();
    check = std::move(checked);
  }
  const bool bad = mirrored.state == ledger_net::MirrorState::forked ||
                   mirrored.state == ledger_net::MirrorState::shrunk || (check && !check->ok);
  print(options, mirrored, check, bad);
  return bad ? damaged_exit_code : 0;
}

}  // namespace

void add_mirror(CLI::App& program, Run& run) {
  CLI::App& app = *program.add_subcommand("mirror", "Keep and check a copy of another ledger");
  const auto options = std::make_shared<MirrorOptions>();
  app.add_option("URL", options->source, "Where \"checkpoint\" lies: a URL, or a folder")
      ->required()
      ->type_name("");
  app.add_option("DIR", options->folder, "Folder of the copy")->required()->type_name("");
  app.add_option("--vkey", options->vkey, "The ledger's key (name+hash+base64)")->type_name("VKEY");
  app.add_option("--trust", options->trust, "Trust file that names the ledger (else the home's)")
      ->type_name("FILE");
  app.add_option("--home", options->home, "Home whose trust file is used")->type_name("DIR");
  app.add_flag("--check", options->check, "Afterwards recompute the whole copy from its entries");
  app.add_option("--parallel", options->parallel, "Objects fetched at the same time")
      ->check(CLI::Range(1, 64))
      ->capture_default_str();
  app.add_flag("--json", options->json, "Print one JSON object and nothing else");
  app.add_flag("--quiet,-q", options->quiet, "Print nothing but errors and alarms");
  app.footer(
      "Each run fetches what is new and checks it against the ledger's signature before the copy\n"
      "counts on it. A ledger that contradicts what it signed before is an alarm: exit code 2, "
      "and\n"
      "both signed checkpoints are kept as evidence. An interrupted run is taken up by the "
      "next.\n\n"
      "Examples:\n"
      "  fiducia ledger mirror https://ledger.example.org mirrors/example --trust trust.toml\n"
      "  fiducia ledger serve --folder mirrors/example\n");
  app.callback([&run, options] { run = [options] { return mirror(*options); }; });
}

}  // namespace fiducia::ledger_app
