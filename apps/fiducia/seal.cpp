// SPDX-License-Identifier: Apache-2.0
// The sub-command seal: opens a home, seals objects with it, and tells what became of each.
#include "seal/seal.h"

#include <algorithm>
#include <cstdio>
#include <map>
#include <span>
#include <utility>

#include "cli/cli.h"
#include "commands.h"
#include "finding/finding.h"
#include "home/home.h"
#include "json/json.h"
#include "report/report.h"
#include "sealing/sealing.h"
#include "trust/trust.h"

namespace fiducia::app {
namespace {

using Answered = sealing::Answer::Status;

/// Files that are sealed together.
constexpr std::size_t batch_count_max = 256;

std::string_view to_word(Answered status) {
  switch (status) {
    case Answered::sealed:
      return "sealed";
    case Answered::already_sealed:
      return "already-sealed";
    case Answered::unwritten:
      return "unwritten";
    case Answered::conflict:
    case Answered::refused:
    case Answered::unavailable:
      return "failed";
  }
  std::unreachable();
}

/// A folder of scans holds more than scans; a file named itself is meant to be one.
bool is_left_out(const sealing::Input& input, const sealing::Answer& answer) {
  return !input.is_explicit && answer.status == Answered::refused && answer.error &&
         answer.error->code == ErrorCode::malformed && answer.error->kind == "not_dicom";
}

std::string to_json(const std::string& path, const sealing::Answer& answer) {
  json::Writer json;
  json.open_object();
  json.member("schema", "fiducia.seal/1");
  json.member("path", path);
  json.member("status", to_word(answer.status));
  if (sealing::has_seal(answer.status)) {
    json.member("object_root", to_hex(answer.object_root.view()));
    json.member("device", answer.device);
    json.key("ledger");
    json.open_object();
    json.member("origin", answer.origin);
    json.member("index", answer.ledger_index);
    json.member("tree_size", answer.tree_size);
    json.close_object();
    json.member("evidence", to_word(answer.evidence));
  }
  if (!answer.output.empty()) json.member("output", answer.output.string());
  if (!answer.findings.empty()) {
    json.key("findings");
    json.open_array();
    for (const finding::Finding& finding : answer.findings) {
      json.open_object();
      json.member("code", finding::word_of(finding));
      json.member("severity", to_word(finding.severity));
      json.member("text", finding.text);
      json.close_object();
    }
    json.close_array();
  }
  if (answer.error) {
    json.key("error");
    json::write_error(json, *answer.error, /*with_path=*/false);
  }
  json.close_object();
  return json.take();
}

std::string to_line(const std::string& path, const sealing::Answer& answer) {
  std::string line = std::string(to_word(answer.status)) + "  " + cli::printable(path) + "  ";
  if (answer.error) {
    Error error = *answer.error;
    error.where.file.clear();  // it stands in the line already
    if (answer.status == Answered::unwritten)
      line += "entry " + std::to_string(answer.ledger_index) + " of " +
              cli::printable(answer.origin) +
              "; ledger and store have the seal, but the file was not written: ";
    return line + cli::printable(to_sentence(error));
  }
  line += "entry " + std::to_string(answer.ledger_index) + " of " + cli::printable(answer.origin);
  if (!answer.output.empty()) line += ", in " + cli::printable(answer.output.string());
  for (const finding::Finding& finding : answer.findings)
    if (finding.severity != finding::Severity::note)
      line += (line.ends_with('.') ? " " : ". ") + cli::printable(finding.text);
  return line;
}

/// Where the evidence of an input is to go besides the store.
std::shared_ptr<sealing::Placement> placement_of(const cli::SealOptions& options,
                                                 const sealing::Input& input) {
  if (options.sidecar) return sealing::beside(input.path);
  if (options.in_place) return sealing::in_place(input.path);
  if (options.out.empty()) return nullptr;
  const std::filesystem::path out{options.out};
  if (input.is_stdin()) return sealing::copy_in(out, input.path.string());
  return sealing::copy_at(input.path, out / input.relative);
}

/// Whether these inputs and options fit together, before anything is sealed. `home`: nothing is
/// written below it. Errors: usage_invalid.
Status check_outputs(const cli::SealOptions& options, const std::vector<sealing::Input>& inputs,
                     const std::filesystem::path& home) {
  for (const sealing::Input& input : inputs)
    if (input.is_stdin() && (options.in_place || options.sidecar))
      return fail(ErrorCode::usage_invalid,
                  "Standard input can be neither replaced nor have a file beside it.",
                  "Use --out DIR, or none of these options.");
  if (options.out.empty()) return {};
  if (is_inside(options.out, home))
    return fail(ErrorCode::usage_invalid, "lies in the home, where only Fiducia itself writes.",
                "Name a folder outside of it with --out.", Location{.file = options.out});
  for (const std::string& path : options.paths) {
    std::error_code error;
    if (path == "-" || !std::filesystem::is_directory(path, error)) continue;
    if (is_inside(options.out, path))
      return fail(ErrorCode::usage_invalid,
                  "The folder for the copies lies inside the one that is sealed.",
                  "Name a folder outside of it with --out.", Location{.file = options.out});
  }
  std::map<std::filesystem::path, const sealing::Input*> targets;
  for (const sealing::Input& input : inputs) {
    if (input.is_stdin()) continue;
    const auto [other, is_new] = targets.try_emplace(input.relative.lexically_normal(), &input);
    if (!is_new)
      return fail(ErrorCode::usage_invalid,
                  "would have the same copy as " + other->second->path.string() + ".",
                  "Seal the folders one at a time, each with its own --out.",
                  Location{.file = input.path.string()});
  }
  return {};
}

/// Tells what became of each input.
class Teller {
 public:
  Teller(const cli::SealOptions& options, std::size_t count)
      : options_(options), progress_("Sealing", count, options.common.quiet) {}

  void tell(const sealing::Input& input, const sealing::Answer& answer) {
    if (is_left_out(input, answer))
      ++left_out_;
    else
      print(input.path.string(), answer);
    progress_.advance();
  }

  /// After the last one.
  void conclude() {
    progress_.hide();
    if (options_.common.quiet) return;
    if (left_out_ > 0)
      cli::print_warning(
          "left out " + std::to_string(left_out_) +
          (left_out_ == 1 ? " file that is not DICOM" : " files that are not DICOM"));
    // Copies with their seal need no other way back to it.
    if (weak_ > 0 && !options_.in_place && options_.out.empty() && !options_.sidecar)
      cli::print_warning(
          std::to_string(weak_) +
          (weak_ == 1 ? " picture is too small or too plain to be found again by its pixels"
                      : " pictures are too small or too plain to be found again by their pixels") +
          " once altered; seal them with --out or --in-place (docs/sketch.md)");
  }

  [[nodiscard]] bool all_sealed() const { return all_sealed_; }

 private:
  void print(const std::string& path, const sealing::Answer& answer) {
    if (answer.error) all_sealed_ = false;
    if (std::ranges::find(answer.findings, finding::Code::sketch_weak, &finding::Finding::code) !=
        answer.findings.end())
      ++weak_;
    if (options_.common.json) {
      cli::print_line(to_json(path, answer));
    } else if (options_.common.quiet) {
      const bool warns = std::ranges::any_of(answer.findings, [](const finding::Finding& finding) {
        return finding.severity != finding::Severity::note;
      });
      if (!sealing::has_seal(answer.status))
        cli::print_error(*answer.error, false);
      else if (answer.status == Answered::unwritten || warns)
        cli::print_line(to_line(path, answer));
    } else {
      progress_.hide();
      cli::print_line(to_line(path, answer));
    }
  }

  const cli::SealOptions& options_;
  cli::Progress progress_;
  bool all_sealed_ = true;
  std::size_t left_out_ = 0;
  std::size_t weak_ = 0;
};

/// Seals all, a batch at a time. Errors: those of ledger and store, which end the run; busy, when
/// it was interrupted.
Status seal_all(sealing::Service& service, const cli::SealOptions& options,
                std::span<const sealing::Input> inputs, const std::stop_token& stop,
                Teller& teller) {
  while (!inputs.empty()) {
    const auto batch = inputs.first(std::min(inputs.size(), batch_count_max));
    inputs = inputs.subspan(batch.size());
    std::vector<sealing::Object> objects;
    for (const sealing::Input& input : batch) {
      objects.push_back(sealing::object_of(input));
      objects.back().placement = placement_of(options, input);
    }
    FIDUCIA_CHECK(service.seal_all(std::move(objects), stop,
                                   [&](std::vector<sealing::Settled> settled) -> Status {
                                     for (const sealing::Settled& one : settled)
                                       if (one.answer.status == Answered::unavailable)
                                         return std::unexpected(*one.answer.error);
                                     for (const sealing::Settled& one : settled)
                                       teller.tell(batch[one.index], one.answer);
                                     return {};
                                   }));
  }
  return {};
}

Result<int> seal_with_home(const cli::SealOptions& options) {
  FIDUCIA_TRY(folder, home::locate_home(options.common.home));
  FIDUCIA_TRY(home, home::Home::open(folder));
  home.set_passphrase_file(options.common.passphrase_file);
  FIDUCIA_TRY(trust, trust::open_trust(home.trust_path()));
  // Before the ledger: what is entered stays there, and must be able to verify.
  FIDUCIA_TRY(signer, options.device.empty() ? home.default_signer(trust, system_now())
                                             : home.signer(options.device));
  FIDUCIA_CHECK(seal::check_signer(trust, signer, home.about().ledger_origin, system_now()));
  FIDUCIA_TRY(store, home.open_store(/*read_only=*/false));
  FIDUCIA_TRY(known, store->mark());
  FIDUCIA_TRY(recorder, sealing::open_recorder(home, options.clock_is_right));
  FIDUCIA_TRY(start, sealing::check_start(home, *store, known, recorder->status(), trust));
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
  sealing::Service service{{.home = home,
                            .signer = signer,
                            .recorder = *recorder,
                            .store = *store,
                            .verifier = verifier,
                            .start = start}};
  Teller teller{options, inputs.size()};
  const int left_out_code = cli::tell_left_out(left_out, options.common.json);
  const Status done = seal_all(service, options, inputs, signals.token(), teller);
  teller.conclude();
  FIDUCIA_CHECK(done);
  return teller.all_sealed() ? left_out_code : 1;
}

}  // namespace

int run(const cli::SealOptions& options) {
  const auto exit_code = seal_with_home(options);
  if (!exit_code) {
    cli::print_error(exit_code.error(), options.common.json);
    return 1;
  }
  return *exit_code;
}

}  // namespace fiducia::app
