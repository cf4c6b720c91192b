// SPDX-License-Identifier: Apache-2.0
#include "cli/options.h"

#include <algorithm>
#include <span>

// It takes four seconds to compile, so few files include it.
#include <CLI/CLI.hpp>

#include "cli/ledger_options.h"
#include "cli/wrong_command.h"
#include "crypto/crypto.h"
#include "version.h"

namespace fiducia::cli {
namespace {

constexpr const char* exit_codes =
    "Exit codes: 0 authentic or done, 1 usage, I/O or configuration, 2 altered or damaged,\n"
    "3 unsealed, 4 untrusted, 5 indeterminate, 6 malformed; of several files the worst, in the\n"
    "order 1, 2, 6, 4, 5, 3, 0.\n";

/// Which second of it a bare day names.
enum class OfDay : std::uint8_t { first, last };

void add_time(CLI::App& app, const char* name, std::optional<UnixTime>& time, OfDay of_day,
              const char* help) {
  app.add_option_function<std::string>(
         name,
         [&time, name, of_day](const std::string& text) {
           auto read = read_rfc3339(text);
           if (!read)
             throw CLI::ValidationError(name, "give a time such as 2026-11-24T10:00:00Z or a day");
           time = *read;
           constexpr std::size_t day_characters = 10;  // 2026-11-24
           if (of_day == OfDay::last && text.size() == day_characters)
             time->seconds += 24 * 60 * 60 - 1;
         },
         std::string(help) + ". TIME: 2026-11-24T10:00:00Z, or a day, for its " +
             (of_day == OfDay::first ? "first" : "last") + " second in UTC")
      ->type_name("TIME");
}

CLI::Option* add_passphrase(CLI::App& app, CommonOptions& common, const char* help) {
  return app.add_option("--passphrase-file", common.passphrase_file, help)->type_name("FILE");
}
constexpr const char* passphrase_help =
    "File with the pass phrase of the keys (else the systemd credential fiducia.passphrase, else "
    "it "
    "is asked for)";

void add_paths(CLI::App& app, std::vector<std::string>& paths, const char* help) {
  app.add_option("PATH", paths, help)->required()->type_name("");
}

void add_init(CLI::App& app, InitOptions& o) {
  add_common(app, o.common);
  app.add_option("--name", o.hospital, "Name of the hospital, for certificates and reports")
      ->type_name("HOSPITAL");
  app.add_option("--device", o.device, "Name of the first sealing device")->type_name("NAME");
  CLI::Option* const file = add_passphrase(
      app, o.common, "Encrypt the keys by the pass phrase in this file (or credential)");
  app.add_flag("--passphrase", o.passphrase, "Ask for a pass phrase, and encrypt the keys by it")
      ->excludes(file);
  app.footer(
      "Makes a certificate authority, a first device, an empty ledger and a trust file in a new\n"
      "home, to try Fiducia out. An existing home is never overwritten.\n\n"
      "Example:\n"
      "  fiducia init --name \"Probe-Klinikum\"\n"
      "  fiducia seal ct/ --out sealed/\n"
      "  fiducia verify sealed/\n");
}

void add_device(CLI::App& app, DeviceOptions& o) {
  app.require_subcommand(1);
  CLI::App& add = *app.add_subcommand("add", "Make a key and a certificate for a device");
  add.add_option("NAME", o.name, "Name of the device, as seals will show it")
      ->required()
      ->type_name("");
  std::vector<std::string> words;
  for (const crypto::Role role : crypto::all_roles) words.emplace_back(crypto::to_word(role));
  add.add_option("--role", o.roles,
                 "What its certificate is for: seal (default), amend, deidentify, derive, gateway, "
                 "audit, curate, calibrate; may be repeated")
      ->type_name("ROLE")
      ->allow_extra_args(false)
      ->check(CLI::IsMember(words));
  add_passphrase(add, o.common, passphrase_help);
  add_common(add, o.common);
  add.footer("Example:\n  fiducia device add CT-1\n  fiducia seal scans/ --device CT-1\n");
  add.final_callback([&o] { o.action = DeviceOptions::Action::add; });

  CLI::App& list = *app.add_subcommand("list", "List the devices of this home");
  add_common(list, o.common);
  list.footer("Example:\n  fiducia device list\n");
  list.final_callback([&o] { o.action = DeviceOptions::Action::list; });

  CLI::App& revoke = *app.add_subcommand("revoke", "Stop believing a device from a time on");
  revoke.add_option("NAME", o.name, "Name of the device")->required()->type_name("");
  add_time(revoke, "--at", o.at, OfDay::first,
           "Seals dated at or after TIME no longer count (default: now)");
  revoke.add_option("--reason", o.reason, "Why, for the readers of the trust file")
      ->type_name("TEXT");
  add_common(revoke, o.common);
  revoke.footer(
      "Writes a revocation into the home's trust file and raises its serial number. Hand the new\n"
      "file to everybody who verifies. Comments of your own in that file are not kept.\n\n"
      "Example:\n"
      "  fiducia device revoke CT-1 --at 2026-11-20 --reason \"stolen laptop\"\n");
  revoke.final_callback([&o] { o.action = DeviceOptions::Action::revoke; });
  app.footer("Example:\n  fiducia device add CT-1\n  fiducia device list\n");
}

void add_seal(CLI::App& app, SealOptions& o) {
  add_paths(app, o.paths, "Files or folders, or - for standard input");
  app.add_option("--device", o.device,
                 "Device that seals (default: the home's first device that counts)")
      ->type_name("NAME");
  CLI::Option* out =
      app.add_option("--out", o.out, "Write sealed copies below this folder")->type_name("DIR");
  CLI::Option* in_place =
      app.add_flag("--in-place", o.in_place, "Replace each file by its sealed copy");
  CLI::Option* sidecar = app.add_flag("--sidecar", o.sidecar, "Write FILE.evidence beside FILE");
  out->excludes(in_place)->excludes(sidecar);
  in_place->excludes(sidecar);
  add_passphrase(app, o.common, passphrase_help);
  app.add_flag(
      "--clock-is-right", o.clock_is_right,
      "Seal although this machine's clock is more than a day after the newest entry of the "
      "ledger, or before it");
  add_common(app, o.common);
  app.footer(
      "The evidence always goes to the home's store. Without --out, --in-place or --sidecar the\n"
      "files stay as they are.\n\n"
      "Example:\n"
      "  fiducia seal scans/ --out sealed/\n"
      "  fiducia seal ct.dcm --device CT-1 --in-place\n");
}

void add_verify(CLI::App& app, VerifyOptions& o) {
  add_paths(app, o.paths, "Files or folders, or - for standard input");
  app.add_option("--report", o.report, "Write a report with pictures")->type_name("FILE.html");
  app.add_option("--trust", o.trust, "Trust file (default: the home's)")->type_name("FILE");
  add_evidence(app, o.evidence);
  add_time(app, "--at", o.at, OfDay::last,
           "Judge as of TIME: later seals and revocations do not count");
  app.add_flag("--show-values", o.show_values,
               "Show attribute values in the findings (patient data)");
  app.add_flag("--only-problems", o.only_problems,
               "Print only files that are not authentic, or that have a warning");
  app.add_flag(
      "--strict", o.strict,
      "Judge every file of a folder, even those that are neither images nor\nnamed like one; "
      "otherwise these are left out and counted");
  add_common(app, o.common);
  app.footer(
      std::string("With --trust no home is needed.\n\nExample:\n"
                  "  fiducia verify sealed/ --report report.html\n"
                  "  fiducia verify copy.dcm --trust clinic.toml --evidence ct.evidence\n\n") +
      exit_codes);
}

void add_export(CLI::App& app, ExportOptions& o) {
  add_paths(app, o.paths, "Files or folders, or - for standard input");
  app.add_option("--out", o.out, "File to write")->required()->type_name("FILE.evidence");
  app.add_option("--trust", o.trust, "Trust file (default: the home's)")->type_name("FILE");
  CLI::Option* const pinned = app.add_flag(
      "--pinned", o.pinned,
      "After a theft of the ledger's or an authority's key: add receipts under the\ncheckpoints "
      "that the trust file pins; younger seals are left out");
  add_passphrase(app, o.common, passphrase_help)->needs(pinned);
  add_common(app, o.common);
  app.footer(
      "Gathers the evidence of images, so that a stranger can verify them offline with this file\n"
      "and the trust file.\n\n"
      "Example:\n"
      "  fiducia export ct/ --out ct.evidence\n"
      "  fiducia verify ct/ --trust trust.toml --evidence ct.evidence\n");
}

void add_inspect(CLI::App& app, InspectOptions& o) {
  app.add_option("PATH", o.path, "A file, or - for standard input")->required()->type_name("");
  app.add_flag("--show-values", o.show_values, "Show attribute values (patient data)");
  add_common(app, o.common);
  app.footer(
      "Shows what the reader sees: structure, seal and evidence. It judges nothing.\n\n"
      "Example:\n  fiducia inspect ct.dcm\n");
}

void add_store(CLI::App& app, StoreOptions& o) {
  app.require_subcommand(1);
  CLI::App& check =
      *app.add_subcommand("check", "Read every record of the evidence store (exit 2 on damage)");
  add_common(check, o.common);
  check.footer("Example:\n  fiducia store check\n");
  check.final_callback([&o] { o.action = StoreOptions::Action::check; });
  CLI::App& accept = *app.add_subcommand(
      "accept", "Go on with the evidence store that is there, or with a new one");
  add_passphrase(accept, o.common, passphrase_help);
  add_common(accept, o.common);
  accept.footer(
      "For a home whose store is lost, or older than its ledger, and cannot be restored. What the\n"
      "store does not know it cannot protect: an altered copy of an image that was sealed before\n"
      "can be sealed then.\n\n"
      "Example:\n  fiducia store accept\n");
  accept.final_callback([&o] { o.action = StoreOptions::Action::accept; });
  CLI::App& list = *app.add_subcommand("list", "List the objects of a study, of a series, or all");
  list.add_option("--study", o.study, "Study Instance UID")->type_name("UID");
  list.add_option("--series", o.series, "Series Instance UID")->type_name("UID");
  list.add_option("--limit", o.objects_max, "List COUNT objects at most")
      ->check(CLI::PositiveNumber)
      ->type_name("COUNT");
  list.add_option("--after", o.after, "Go on where an earlier listing ended (its `next`)")
      ->type_name("PLACE");
  add_common(list, o.common);
  list.footer(
      "Shows object roots, ledger entries, and UIDs as hashes under the key of the store; no\n"
      "identity. Objects sealed by a version without listing are in no study and no series.\n\n"
      "Example:\n  fiducia store list --study 1.2.840.113619.2.1 --json\n");
  list.final_callback([&o] { o.action = StoreOptions::Action::list; });
  constexpr const char* postgres_help =
      "The database, as libpq takes it; no password, but passfile= or service=";
  CLI::App& move = *app.add_subcommand("move", "Move the evidence store into PostgreSQL");
  move.add_option("--postgres", o.postgres, postgres_help)->required()->type_name("CONNECTION");
  add_passphrase(move, o.common, passphrase_help);
  add_common(move, o.common);
  move.footer(
      "Makes a store in the database if there is none, copies all evidence, and only then lets\n"
      "this home use it. If it was interrupted, run it again. evidence.db stays as a copy.\n\n"
      "Example:\n  fiducia store move --postgres service=fiducia\n");
  move.final_callback([&o] { o.action = StoreOptions::Action::move; });
  CLI::App& join =
      *app.add_subcommand("join", "Use the evidence store that another home has moved");
  join.add_option("--postgres", o.postgres, postgres_help)->required()->type_name("CONNECTION");
  join.add_option("--key", o.key, "keys/store.key of a home that uses that store")
      ->required()
      ->type_name("FILE");
  add_passphrase(join, o.common, passphrase_help);
  add_common(join, o.common);
  join.footer(
      "Takes the key (the former one stays in keys/), copies the evidence of this home, and uses\n"
      "that store from then on. A home that has sealed under another key cannot join.\n"
      "With key and store one can test whether an image was sealed: carry the key over a secure\n"
      "channel, and remove the copy.\n\n"
      "Example:\n  fiducia store join --postgres service=fiducia --key store.key\n");
  join.final_callback([&o] { o.action = StoreOptions::Action::join; });
  app.footer("Example:\n  fiducia store check\n");
}

constexpr SubCommand command_table[] = {
    {"init", "Make a home to try out: authority, device, ledger, trust file", RunBy::fiducia},
    {"device", "Add, list or revoke sealing devices", RunBy::fiducia},
    {"seal", "Seal images: sign them and enter them in the ledger", RunBy::fiducia},
    {"verify", "Judge images: authentic, altered (and where), unsealed, untrusted", RunBy::fiducia},
    {"export", "Write everything a stranger needs to verify offline", RunBy::ledger},
    {"inspect", "Show what the reader sees in a file, without a verdict", RunBy::fiducia},
    {"store", "Check, list or share the evidence store, or accept another one", RunBy::fiducia},
    {"ledger", "Show, check or prove entries of the transparency ledger", RunBy::ledger},
};

/// Options of one sub-command only: building the parsers of all would cost start-up time.
void add_options(CLI::App& app, std::string_view name, Command& command) {
  if (name == "init") add_init(app, command.emplace<InitOptions>());
  if (name == "device") add_device(app, command.emplace<DeviceOptions>());
  if (name == "seal") add_seal(app, command.emplace<SealOptions>());
  if (name == "verify") add_verify(app, command.emplace<VerifyOptions>());
  if (name == "export") add_export(app, command.emplace<ExportOptions>());
  if (name == "inspect") add_inspect(app, command.emplace<InspectOptions>());
  if (name == "store") add_store(app, command.emplace<StoreOptions>());
  if (name == "ledger") add_ledger(app, command);
}

}  // namespace

void add_common(CLI::App& app, CommonOptions& common) {
  app.add_option("--home", common.home,
                 "Folder with keys, trust file, ledger and evidence store (else FIDUCIA_HOME, else "
                 "XDG_DATA_HOME/fiducia, else ~/.local/share/fiducia)")
      ->type_name("DIR");
  app.add_flag("--json", common.json, "Print one JSON object a line and nothing else");
  app.add_flag("--quiet,-q", common.quiet, "Print the problems and nothing else");
}

void add_evidence(CLI::App& app, std::vector<std::string>& evidence) {
  app.add_option(
         "--evidence", evidence,
         "Evidence to judge by, in place of the store and of\nFILE.evidence; may be repeated")
      ->type_name("FILE")
      ->allow_extra_args(false);
}

std::span<const SubCommand> sub_commands() { return command_table; }

std::variant<Command, Answer> read_arguments(std::vector<std::string> arguments) {
  CLI::App app{"Proves that a medical image is the one that was sealed at the device.", "fiducia"};
  app.set_version_flag("--version", "fiducia " FIDUCIA_VERSION);
  app.require_subcommand(1);
  app.footer(std::string("Try it:\n"
                         "  fiducia init\n"
                         "  fiducia seal scans/ --out sealed/\n"
                         "  fiducia verify sealed/ --report report.html\n\n"
                         "`fiducia COMMAND --help` shows the options of a command.\n\n") +
             exit_codes);
  Command command;
  for (const SubCommand& sub : command_table) {
    CLI::App* parser = app.add_subcommand(sub.name, sub.summary);
    if (!arguments.empty() && arguments.front() == sub.name)
      add_options(*parser, sub.name, command);
  }
  if (arguments.empty()) return Answer{0, app.help()};
  const std::string spoken = spoken_command(app, arguments);
  if (auto text = find_wrong_command(app, arguments)) return Answer{1, std::move(*text), spoken};
  std::vector<std::string> reversed(arguments.rbegin(), arguments.rend());  // as CLI11 takes them
  try {
    app.parse(reversed);
  } catch (const CLI::CallForHelp&) {
    return Answer{0, app.help()};  // of the sub-command that was called
  } catch (const CLI::CallForVersion& version) {
    return Answer{0, std::string(version.what()) + "\n"};
  } catch (const CLI::ExtrasError& error) {
    return Answer{1, find_wrong_option(app, arguments).value_or(error.what()), spoken};
  } catch (const CLI::ParseError& error) {
    return Answer{1, error.what(), spoken};
  }
  return command;
}

}  // namespace fiducia::cli
