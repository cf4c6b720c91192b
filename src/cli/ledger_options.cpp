// SPDX-License-Identifier: Apache-2.0
#include "cli/ledger_options.h"

#include <memory>

#include <CLI/CLI.hpp>

namespace fiducia::cli {
namespace {

void add_reading(CLI::App& app, Command& command) {
  const auto shared = std::make_shared<LedgerOptions>();
  LedgerOptions& o = *shared;
  const auto runs = [&command, shared](LedgerOptions::Action action) {
    return [&command, shared, action] {
      shared->action = action;
      command = *shared;
    };
  };
  CLI::App& status = *app.add_subcommand("status", "Show the newest checkpoint");
  add_common(status, o.common);
  status.footer("Example:\n  fiducia ledger status --json\n");
  status.final_callback(runs(LedgerOptions::Action::status));

  CLI::App& check =
      *app.add_subcommand("check", "Recompute the whole ledger and compare (exit 2 on damage)");
  auto* const folder =
      check.add_option("--folder", o.folder, "Check the log in this folder, not the home's")
          ->type_name("DIR");
  auto* const url =
      check.add_option("--url", o.url, "Check the log of this server")->type_name("URL");
  auto* const key =
      check.add_option("--key", o.key, "Key of that log, as its operator publishes it")
          ->type_name("VKEY");
  folder->excludes(url)->needs(key);
  url->needs(key);
  auto* const resume =
      check
          .add_option("--resume", o.resume,
                      "Keep the state of the check in this file, and go on from it next time")
          ->type_name("FILE");
  check
      .add_flag("--incremental", o.incremental,
                "After a complete check: check only what was appended since")
      ->needs(resume);
  auto* const against =
      check
          .add_option("--against", o.against,
                      "Only compare with another copy of the log: a folder, a checkpoint file or "
                      "a URL (exit 2 on a split view)")
          ->type_name("OTHER")
          ->excludes(resume);
  check.add_option("--out", o.out, "Write both checkpoints and the proof into this folder")
      ->type_name("DIR")
      ->needs(against);
  add_common(check, o.common);
  check.footer(
      "Example:\n  fiducia ledger check\n  fiducia ledger check --resume check.state\n"
      "  fiducia ledger check --against partner/checkpoint\n");
  check.final_callback(runs(LedgerOptions::Action::check));

  CLI::App& prove = *app.add_subcommand("prove", "Write the proof that an entry is in the ledger");
  prove.add_option("TARGET", o.target, "Index of an entry, or path of a sealed image")
      ->required()
      ->type_name("");
  prove.add_option("--out", o.out, "File to write (default: standard output)")
      ->type_name("FILE.tlog-proof");
  add_common(prove, o.common);
  prove.footer(
      "The proof is a C2SP tlog-proof, which other tools can check with the ledger's key.\n\n"
      "Example:\n  fiducia ledger prove sealed/ct.dcm --out ct.tlog-proof\n"
      "  fiducia ledger verify-proof ct.tlog-proof sealed/ct.dcm\n");
  prove.final_callback(runs(LedgerOptions::Action::prove));

  CLI::App& verify_proof = *app.add_subcommand(
      "verify-proof", "Verify such a proof, also of another log (exit 2 if it is bad)");
  verify_proof.add_option("PROOF", o.proof, "File that `ledger prove` wrote, or another tool")
      ->required()
      ->type_name("");
  verify_proof
      .add_option("TARGET", o.target,
                  "What is proven to be in the log: path of a sealed image with its\nevidence, or "
                  "the bytes of the entry in hexadecimal")
      ->required()
      ->type_name("");
  verify_proof.add_option("--trust", o.trust, "Trust file (default: the home's)")
      ->type_name("FILE");
  add_evidence(verify_proof, o.evidence);
  add_common(verify_proof, o.common);
  verify_proof.footer(
      "Keys of logs, witnesses and how many of them are asked for stand in the trust file; "
      "nothing\n"
      "is asked over the network. That the seal of an image is in the log does not say that the\n"
      "image still is what was sealed: `fiducia verify` does.\n"
      "Exit code: 0 proven, 2 the proof is bad, 4 the trust file does not accept it, 1 other "
      "errors.\n\n"
      "Example:\n  fiducia ledger verify-proof ct.tlog-proof ct.dcm --trust clinic.toml\n");
  verify_proof.final_callback(runs(LedgerOptions::Action::verify_proof));
}

void add_serve(CLI::App& ledger, Command& command) {
  CLI::App& app = *ledger.add_subcommand("serve", "Serve a ledger for reading, over HTTP");
  const auto options = std::make_shared<ServeOptions>();
  app.add_option("--home", options->common.home,
                 "Home whose ledger is served (as for all commands)")
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
  app.add_flag("--json", options->common.json, "Print the address as JSON");
  app.add_flag("--quiet,-q", options->common.quiet, "Do not log requests");
  app.footer(
      "Serves checkpoint, tiles and entries as C2SP tlog-tiles says, and nothing else of the "
      "folder.\n"
      "It reads only, so that it may run beside `seal`, under another account. There is no TLS:\n"
      "put a proxy in front (docs/operations.md). Requests are logged on stderr, one JSON object "
      "a\n"
      "line. SIGINT or SIGTERM ends it after the answers under way.\n\n"
      "Example:\n"
      "  fiducia ledger serve --listen 0.0.0.0:8080\n");
  app.final_callback([&command, options] { command = *options; });
}

void add_mirror(CLI::App& ledger, Command& command) {
  CLI::App& app = *ledger.add_subcommand("mirror", "Keep and check a copy of another ledger");
  const auto options = std::make_shared<MirrorOptions>();
  app.add_option("URL", options->source, "Where \"checkpoint\" lies: a URL, or a folder")
      ->required()
      ->type_name("");
  app.add_option("DIR", options->folder, "Folder of the copy")->required()->type_name("");
  app.add_option("--vkey", options->vkey, "The ledger's key (name+hash+base64)")->type_name("VKEY");
  app.add_option("--trust", options->trust, "Trust file that names the ledger (else the home's)")
      ->type_name("FILE");
  app.add_option("--home", options->common.home, "Home whose trust file is used")->type_name("DIR");
  app.add_flag("--check", options->check, "Afterwards recompute the whole copy from its entries");
  app.add_option("--parallel", options->parallel, "Objects fetched at the same time")
      ->check(CLI::Range(1, 64))
      ->capture_default_str();
  app.add_flag("--json", options->common.json, "Print one JSON object and nothing else");
  app.add_flag("--quiet,-q", options->common.quiet, "Print nothing but errors and alarms");
  app.footer(
      "Each run fetches what is new and checks it against the ledger's signature before the copy\n"
      "counts on it. A ledger that contradicts what it signed before is an alarm: exit code 2, "
      "and\n"
      "both signed checkpoints are kept as evidence. An interrupted run is taken up by the "
      "next.\n\n"
      "Examples:\n"
      "  fiducia ledger mirror https://ledger.example.org mirrors/example --trust trust.toml\n"
      "  fiducia ledger serve --folder mirrors/example\n");
  app.final_callback([&command, options] { command = *options; });
}

void add_witness_common(CLI::App& app, WitnessOptions& options) {
  app.add_option("--folder", options.folder, "Folder of the witness")->required()->type_name("DIR");
  app.add_flag("--json", options.common.json, "Print one JSON object a line and nothing else");
  app.add_flag("--quiet,-q", options.common.quiet, "Print nothing but results and errors");
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

void add_witness(CLI::App& ledger, Command& command) {
  CLI::App& app =
      *ledger.add_subcommand("witness", "Make sure that a log shows everybody the same tree");
  app.require_subcommand(1);
  const auto options = std::make_shared<WitnessOptions>();
  const auto add = [&](const char* name, const char* summary,
                       WitnessOptions::Action action) -> CLI::App& {
    CLI::App& sub = *app.add_subcommand(name, summary);
    add_witness_common(sub, *options);
    sub.final_callback([&command, options, action] {
      options->action = action;
      command = *options;
    });
    return sub;
  };
  CLI::App& make = add("init", "Make a witness: a folder and a key", WitnessOptions::Action::init);
  make.add_option("--name", options->name, "Its name, a URL without https:// for instance")
      ->required()
      ->type_name("NAME");
  make.footer("Example:\n  fiducia ledger witness init --folder w --name witness.example.org\n");

  CLI::App& follow =
      add("add-log", "Follow a log, or one more key of it", WitnessOptions::Action::add_log);
  follow.add_option("ORIGIN", options->origin, "Origin: the first line of the log's checkpoint")
      ->required()
      ->type_name("");
  follow.add_option("VKEY", options->vkey, "Verifier key of the log")->required()->type_name("");
  follow.footer(
      "Works while the witness is being served, too.\n\nExample:\n"
      "  fiducia ledger witness add-log --folder w example.org/log "
      "example.org/log+530d903a+Aek...\n");

  add_serve_options(
      add("serve", "Answer logs over HTTP (C2SP tlog-witness)", WitnessOptions::Action::serve),
      *options);
  add_cosign_options(
      add("cosign", "Judge a checkpoint once, without a server", WitnessOptions::Action::cosign),
      *options);
  add("status", "List the logs, what was cosigned last, and evidence",
      WitnessOptions::Action::status)
      .footer(
          "Exit code 2: a log has shown two trees of one size.\n\nExample:\n"
          "  fiducia ledger witness status --folder w\n");
}

void add_move(CLI::App& ledger, Command& command) {
  CLI::App& app = *ledger.add_subcommand(
      "move", "Move a home's ledger to where its ledger.toml says: S3, PostgreSQL");
  const auto options = std::make_shared<MoveOptions>();
  app.add_option("--home", options->common.home, "The home (default: $FIDUCIA_HOME)")
      ->type_name("DIR");
  app.add_flag("--json", options->common.json, "Print one JSON object");
  app.add_flag("--quiet,-q", options->common.quiet, "Print nothing but errors");
  app.footer(
      "Copies every entry and tile; the tree, its checkpoints and all receipts stay good. Where "
      "the\n"
      "order moves to PostgreSQL, the journal in the ledger's folder is put aside, so that nobody\n"
      "appends to the old place. Needs the right to make the schema there.\n\n"
      "Example:\n"
      "  fiducia ledger move\n");
  app.final_callback([&command, options] { command = *options; });
}

void add_append(CLI::App& ledger, Command& command) {
  CLI::App& app = *ledger.add_subcommand(
      "append", "What `fiducia seal` starts where a home has a ledger.toml; not for people");
  app.group("");  // not listed
  const auto options = std::make_shared<AppendOptions>();
  app.add_option("--home", options->common.home, "The home")->type_name("DIR");
  app.add_flag("--clock-is-right", options->clock_is_right, "As of `fiducia seal`");
  app.add_option("--passphrase-fd", options->passphrase_fd,
                 "Where the pass phrase of the keys is read");
  app.footer(
      "Reads requests on standard input and answers on standard output (record_protocol.h).\n");
  app.final_callback([&command, options] { command = *options; });
}

}  // namespace

void add_ledger(CLI::App& app, Command& command) {
  app.require_subcommand(1);
  add_reading(app, command);
  add_serve(app, command);
  add_mirror(app, command);
  add_witness(app, command);
  add_move(app, command);
  add_append(app, command);
  app.footer("Example:\n  fiducia ledger status\n  fiducia ledger check\n");
}

}  // namespace fiducia::cli
