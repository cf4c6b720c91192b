// SPDX-License-Identifier: Apache-2.0
#include "seal/seal.h"

#include <algorithm>
#include <cstdio>

#include "cli/cli.h"
#include "commands.h"
#include "finding/finding.h"
#include "home/home.h"
#include "json/json.h"
#include "report/report.h"
#include "seal_run.h"
#include "sealing/sealing.h"
#include "trust/trust.h"

namespace fiducia::app {
namespace {

std::string_view to_word(Sealed::Status status) {
  switch (status) {
    case Sealed::Status::sealed:
      return "sealed";
    case Sealed::Status::already_sealed:
      return "already-sealed";
    case Sealed::Status::skipped:
      return "skipped";
    case Sealed::Status::unwritten:
      return "unwritten";
    case Sealed::Status::failed:
      return "failed";
  }
  std::unreachable();
}

std::string to_json(const Sealed& sealed) {
  const bool has_seal =
      sealed.status != Sealed::Status::failed && sealed.status != Sealed::Status::skipped;
  json::Writer json;
  json.open_object();
  json.member("schema", "fiducia.seal/1");
  json.member("path", sealed.path);
  json.member("status", to_word(sealed.status));
  if (has_seal) {
    json.member("object_root", to_hex(sealed.object_root.view()));
    json.member("device", sealed.device);
    json.key("ledger");
    json.open_object();
    json.member("origin", sealed.origin);
    json.member("index", sealed.ledger_index);
    json.member("tree_size", sealed.tree_size);
    json.close_object();
    json.member("evidence", to_word(sealed.evidence));
  }
  if (!sealed.output.empty()) json.member("output", sealed.output);
  if (!sealed.findings.empty()) {
    json.key("findings");
    json.open_array();
    for (const finding::Finding& finding : sealed.findings) {
      json.open_object();
      json.member("code", finding::word_of(finding));
      json.member("severity", to_word(finding.severity));
      json.member("text", finding.text);
      json.close_object();
    }
    json.close_array();
  }
  if (sealed.error) {
    json.key("error");
    json::write_error(json, *sealed.error, /*with_path=*/false);
  }
  json.close_object();
  return json.take();
}

std::string to_line(const Sealed& sealed) {
  std::string line =
      std::string(to_word(sealed.status)) + "  " + cli::printable(sealed.path) + "  ";
  if (sealed.error) {
    Error error = *sealed.error;
    error.where.file.clear();  // it stands in the line already
    if (sealed.status == Sealed::Status::unwritten)
      line += "entry " + std::to_string(sealed.ledger_index) + " of " +
              cli::printable(sealed.origin) +
              "; ledger and store have the seal, but the file was not written: ";
    return line + cli::printable(to_sentence(error));
  }
  line += "entry " + std::to_string(sealed.ledger_index) + " of " + cli::printable(sealed.origin);
  if (!sealed.output.empty()) line += ", in " + cli::printable(sealed.output);
  for (const finding::Finding& finding : sealed.findings)
    if (finding.severity != finding::Severity::note)
      line += (line.ends_with('.') ? " " : ". ") + cli::printable(finding.text);
  return line;
}

Result<int> seal_all(const cli::SealOptions& options) {
  FIDUCIA_TRY(folder, home::locate_home(options.common.home));
  FIDUCIA_TRY(home, home::Home::open(folder));
  home.set_passphrase_file(options.common.passphrase_file);
  FIDUCIA_TRY(trust, trust::open_trust(home.trust_path()));
  // Before the ledger: what is entered stays there, and must be able to verify.
  FIDUCIA_TRY(signer, options.device.empty() ? home.default_signer(trust, system_now())
                                             : home.signer(options.device));
  FIDUCIA_CHECK(seal::check_signer(trust, signer, home.about().ledger_origin, system_now()));
  // One process seals at a time (the recorder's lock), so what the store says of an identity stays
  // true until this process adds to it.
  FIDUCIA_TRY(store, home.open_store(/*read_only=*/false));
  FIDUCIA_TRY(recorder, sealing::open_recorder(home, options.clock_is_right));
  const home::Appenders appenders =
      home::has_ledger_file(home.folder()) ? home::Appenders::others : home::Appenders::this_home;
  const auto ledger =
      std::ranges::find(trust.ledgers, home.about().ledger_origin, &trust::TrustedLedger::origin);
  if (appenders == home::Appenders::this_home && ledger != trust.ledgers.end() &&
      (ledger->quorum > 0 || ledger->time_stamps > 0))
    return fail(
        ErrorCode::config_invalid,
        "The trust file asks for witnesses or time-stamps, and this home has no ledger.toml "
        "that says where they are: no seal of it would count.",
        "Write ledger.toml (docs/operations.md), or ask for none; nothing was entered.",
        Location{.file = home.trust_path().string()});
  FIDUCIA_CHECK(home::check_parts(home, *store, recorder->status(), trust, appenders));
  FIDUCIA_TRY(mark, store->mark());
  mark.trust_serial = std::max(mark.trust_serial, trust.serial);
  // Entries of a run that was killed: from here on they are known, though their evidence is not.
  mark.tree_size = recorder->status().tree_size;
  mark.root = recorder->status().root;
  if (const std::size_t removed = home::remove_leftovers(home.folder());
      removed > 0 && !options.common.quiet)
    cli::print_warning("removed " + std::to_string(removed) +
                       " temporary files of an earlier run that was killed");
  // After that, so that no temporary file is taken for an input.
  std::vector<LeftOut> left_out;
  FIDUCIA_TRY(inputs, sealing::find_inputs(options.paths, &left_out));
  if (inputs.empty() && !options.common.quiet && !options.common.json)
    cli::print_warning("there is no file to seal there");
  FIDUCIA_CHECK(check_outputs(options, inputs, home.folder()));
  FIDUCIA_TRY(verifier, seal::Verifier::make(std::move(trust), {}, store.get()));

  const cli::StopOnSignal signals;
  SealRun run{options, home, signer, *recorder, *store, mark, appenders, verifier, signals.token()};
  cli::Progress progress{"Sealing", inputs.size(), options.common.quiet};
  int exit_code = cli::tell_left_out(left_out, options.common.json);
  std::size_t skipped = 0;
  std::size_t weak = 0;
  const fiducia::Status done = run.seal(std::move(inputs), [&](Sealed&& sealed) {
    if (sealed.error && sealed.status != Sealed::Status::skipped) exit_code = 1;
    if (sealed.status == Sealed::Status::skipped) ++skipped;
    if (std::ranges::find(sealed.findings, finding::Code::sketch_weak, &finding::Finding::code) !=
        sealed.findings.end())
      ++weak;
    if (options.common.json) {
      if (sealed.status != Sealed::Status::skipped) cli::print_line(to_json(sealed));
    } else if (options.common.quiet) {
      const bool warns = std::ranges::any_of(sealed.findings, [](const finding::Finding& finding) {
        return finding.severity != finding::Severity::note;
      });
      if (sealed.status == Sealed::Status::failed)
        cli::print_error(*sealed.error, false);
      else if (sealed.status == Sealed::Status::unwritten || warns)
        cli::print_line(to_line(sealed));
    } else if (sealed.status != Sealed::Status::skipped) {
      progress.hide();
      cli::print_line(to_line(sealed));
    }
    progress.advance();
  });
  progress.hide();
  if (skipped > 0 && !options.common.quiet)
    cli::print_warning("left out " + std::to_string(skipped) +
                       (skipped == 1 ? " file that is not DICOM" : " files that are not DICOM"));
  // Copies with their seal need no other way back to it.
  if (weak > 0 && !options.common.quiet && evidence_place(options) == EvidencePlace::store)
    cli::print_warning(std::to_string(weak) +
                       (weak == 1
                            ? " picture is too small or too plain to be found again by its pixels"
                            : " pictures are too small or too plain to be found again by their "
                              "pixels") +
                       " once altered; seal them with --out or --in-place (docs/sketch.md)");
  FIDUCIA_CHECK(done);
  return exit_code;
}

}  // namespace

int run(const cli::SealOptions& options) {
  const auto exit_code = seal_all(options);
  if (!exit_code) {
    cli::print_error(exit_code.error(), options.common.json);
    return 1;
  }
  return *exit_code;
}

}  // namespace fiducia::app
