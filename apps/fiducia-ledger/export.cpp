// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <memory>
#include <optional>
#include <set>

#include "cli/cli.h"
#include "crypto/crypto.h"
#include "evidence/evidence.h"
#include "finding/finding.h"
#include "json/json.h"
#include "ledger_commands.h"
#include "seal/seal.h"
#include "sealing/sealing.h"
#include "sources.h"
#include "trust/trust.h"

namespace fiducia::ledger_app {
namespace {

/// Bytes of one evidence file: what `verify --evidence` reads.
constexpr std::uint64_t export_bytes_max = 1ULL << 30;

struct Gathered {
  std::vector<std::size_t> exported;  // indices of inputs
  std::vector<Bytes> evidences;
  std::set<Digest> seen;  // several files may rest on one evidence
  std::uint64_t bytes = 0;
  int exit_code = 0;
};

void print_result(const sealing::Input& input, std::string_view status,
                  const cli::CommonOptions& common) {
  const std::string path = input.path.string();
  if (common.json) {
    json::Writer json;
    json.open_object();
    json.member("schema", "fiducia.export/1");
    json.member("path", path);
    json.member("status", status);
    json.close_object();
    cli::print_line(json.take());
  } else if (!common.quiet) {
    cli::print_line(std::string(status) + "  " + cli::printable(path));
  }
}

/// What `--pinned` works with; on the heap, for the receipts borrow the reader.
struct Pinning {
  ledger::LogReader reader;
  std::optional<trust::PinnedReceipts> receipts = {};
};

Result<std::unique_ptr<Pinning>> open_pinning(const cli::ExportOptions& options,
                                              const trust::Trust& trust) {
  FIDUCIA_TRY(folder, home::locate_home(options.common.home));
  FIDUCIA_TRY(home, home::Home::open(folder));
  home.set_passphrase_file(options.common.passphrase_file);
  const std::string& origin = home.about().ledger_origin;
  const auto trusted = std::ranges::find(trust.ledgers, origin, &trust::TrustedLedger::origin);
  if (trusted == trust.ledgers.end())
    return fail(ErrorCode::config_invalid,
                "The trust file does not name this home's ledger, " + origin + ".",
                "Name another trust file with --trust, or another home with --home.");
  FIDUCIA_TRY(source, open_source_of(home));
  FIDUCIA_TRY(reader, ledger::LogReader::open(std::move(source), trusted->key));
  auto out = std::make_unique<Pinning>(Pinning{.reader = std::move(reader)});
  FIDUCIA_TRY(key, home.ledger_key());
  FIDUCIA_TRY(receipts, trust::PinnedReceipts::make(
                            *trusted, out->reader.status().tree_size,
                            [&reader = out->reader](std::uint64_t index, std::uint64_t size) {
                              return reader.inclusion_proof(index, size);
                            },
                            key, system_now()));
  out->receipts = std::move(receipts);
  return out;
}

/// A file whose evidence is not written, and why: an exit code, not an error.
void leave_out(const sealing::Input& input, std::string_view status, finding::Verdict as,
               const cli::CommonOptions& common, Gathered& gathered) {
  gathered.exit_code = finding::worse_exit_code(gathered.exit_code, finding::exit_code(as));
  print_result(input, status, common);
}

Status gather(const std::vector<sealing::Input>& inputs, std::size_t index,
              const seal::Verifier& verifier, const Pinning* pinning,
              const cli::CommonOptions& common, Gathered& gathered) {
  const sealing::Input& input = inputs[index];
  FIDUCIA_TRY(file, sealing::open_input(input));
  FIDUCIA_TRY(evidence, verifier.find_evidence(file));
  if (!evidence) {
    leave_out(input, "unsealed", finding::Verdict::unsealed, common, gathered);
    return {};
  }
  if (pinning != nullptr) {
    FIDUCIA_TRY(with_receipts, pinning->receipts->add_to(*evidence));
    if (!with_receipts) {
      leave_out(input, "unpinned", finding::Verdict::untrusted, common, gathered);
      return {};
    }
    evidence = std::move(with_receipts);
  }
  if (gathered.seen.insert(crypto::sha256(*evidence)).second) {
    gathered.bytes += evidence->size();
    gathered.evidences.push_back(std::move(*evidence));
  }
  gathered.exported.push_back(index);
  return {};
}

Result<int> export_evidence(const cli::ExportOptions& options) {
  FIDUCIA_TRY(source, sealing::open_verifier_source(options.common.home, options.trust));
  std::unique_ptr<Pinning> pinning;
  if (options.pinned) {
    FIDUCIA_TRY(opened, open_pinning(options, source.trust));
    pinning = std::move(opened);
  }
  FIDUCIA_TRY(verifier, seal::Verifier::make(std::move(source.trust), {}, source.lookup.get()));
  std::vector<LeftOut> left_out;
  FIDUCIA_TRY(inputs, sealing::find_inputs(options.paths, &left_out));
  const OutputRules rules = sealing::output_rules("evidence file", evidence::is_evidence_file,
                                                  options.common.home, inputs, {options.trust});
  FIDUCIA_CHECK(check_output(options.out, rules));
  Gathered gathered;
  gathered.exit_code = cli::tell_left_out(left_out, options.common.json);
  std::size_t no_images = 0;
  cli::Progress progress{"Exporting", inputs.size(), options.common.quiet || !options.common.json};
  for (std::size_t index = 0; index < inputs.size(); ++index) {
    if (auto done = gather(inputs, index, verifier, pinning.get(), options.common, gathered);
        !done) {
      progress.advance();
      if (sealing::is_no_image(inputs[index], done.error())) {
        ++no_images;
        continue;
      }
      cli::print_error(done.error(), options.common.json);
      gathered.exit_code = 1;
      continue;
    }
    if (gathered.bytes > export_bytes_max)
      return fail(ErrorCode::over_limit, "The evidence is larger than 1 GiB.",
                  "Export fewer images at a time.");
    progress.advance();
  }
  if (!options.common.quiet) cli::tell_no_images(no_images);
  if (gathered.evidences.empty() && gathered.exit_code == exit_code(finding::Verdict::untrusted))
    return fail(ErrorCode::io_unreadable,
                "No seal of these files is older than a checkpoint that the trust file pins.",
                "Pin the newest checkpoint that is known to be older than the theft.");
  if (gathered.evidences.empty())
    return fail(ErrorCode::io_unreadable, "There is no evidence for any of these files.",
                "Seal them first, or name the home that sealed them with --home.");
  FIDUCIA_CHECK(
      write_output(options.out, evidence::write_evidence_file(gathered.evidences), rules));
  for (const std::size_t index : gathered.exported)
    print_result(inputs[index], "exported", options.common);
  return gathered.exit_code;
}

}  // namespace

int run(const cli::ExportOptions& options) {
  const auto exit_code = export_evidence(options);
  if (!exit_code) {
    cli::print_error(exit_code.error(), options.common.json);
    return 1;
  }
  return *exit_code;
}

}  // namespace fiducia::ledger_app
