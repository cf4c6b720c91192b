// SPDX-License-Identifier: Apache-2.0

#include "cli/cli.h"
#include "home/home.h"
#include "http/http.h"
#include "json/json.h"
#include "ledger_commands.h"
#include "ledger_net/ledger_net.h"
#include "seal/seal.h"
#include "sources.h"
#include "trust/trust.h"

namespace fiducia::ledger_app {
namespace {

Result<std::shared_ptr<const ledger::ObjectSource>> open_source(const cli::MirrorOptions& options,
                                                                const std::stop_token& stop) {
  if (!options.source.contains("://"))
    return std::make_shared<const ledger::DirectoryStore>(options.source);
  FIDUCIA_TRY(source, ledger_net::HttpSource::make(options.source, std::make_shared<http::Client>(),
                                                   {.stop = stop}));
  return source;
}

/// The key that is trusted for the log, known before anything of it is believed.
/// Errors: config_invalid, usage_invalid, and those of reading the checkpoint.
Result<ledger_format::VerifierKey> find_key(const cli::MirrorOptions& options,
                                            const ledger::ObjectSource& source) {
  if (!options.vkey.empty()) return read_key_option(options.vkey);
  std::filesystem::path trust_path = options.trust;
  if (trust_path.empty()) {
    FIDUCIA_TRY(home, home::locate_home(options.common.home));
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
      "does not name the ledger \"" + cli::printable(checkpoint.origin) + "\".",
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

void print(const cli::MirrorOptions& options, const ledger_net::Mirrored& mirrored,
           const std::optional<ledger::LogCheck>& check, bool bad) {
  if (options.common.json) {
    json::Writer json;
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
    cli::print_line(json.take());
    return;
  }
  if (options.common.quiet && !bad) return;
  cli::print_line(std::string{word_of(mirrored.state)} + "  " + cli::printable(mirrored.origin) +
                  "  " + mirrored.text);
  if (!mirrored.alarm.empty())
    cli::print_line("Both signed checkpoints are in " + cli::printable(mirrored.alarm.string()) +
                    "; the copy was left as it was.");
  if (check && check->ok)
    cli::print_line("intact  " + std::to_string(check->entries_checked) + " entries  " +
                    cli::printable(check->text));
  if (check && !check->ok)
    cli::print_line("damaged  " + cli::printable(check->damaged) + "  " +
                    cli::printable(check->text));
}

Result<int> mirror(const cli::MirrorOptions& options) {
  const cli::StopOnSignal stop;
  FIDUCIA_TRY(source, open_source(options, stop.token()));
  FIDUCIA_TRY(key, find_key(options, *source));
  cli::Progress fetching{"Mirroring", 1, options.common.quiet};
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
    cli::Progress checking{"Checking", 1, options.common.quiet};
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
  return bad ? cli::damaged_exit_code : 0;
}

}  // namespace

int run(const cli::MirrorOptions& options) {
  return cli::finish(mirror(options), options.common.json);
}

}  // namespace fiducia::ledger_app
