// SPDX-License-Identifier: Apache-2.0
#include "proof.h"

#include "sources.h"

#include <algorithm>
#include <charconv>
#include <cstdio>

#include "cli/cli.h"
#include "evidence/evidence.h"
#include "finding/finding.h"
#include "json/json.h"
#include "merkle/merkle.h"
#include "sealing/sealing.h"
#include "trust/trust.h"

namespace fiducia::ledger_app {
namespace {

bool is_file(const std::string& name) {
  std::error_code ignored;
  return std::filesystem::exists(name, ignored);
}

/// The evidence of the sealed image at `path`, as `verify` finds it.
Result<evidence::Evidence> find_evidence(const std::string& path, sealing::VerifierSource source,
                                         std::span<const std::string> evidence_files = {}) {
  FIDUCIA_TRY(verifier, sealing::make_verifier(source, evidence_files, {}));
  FIDUCIA_TRY(inputs, sealing::find_inputs({path}));
  if (inputs.size() != 1)
    return fail(ErrorCode::usage_invalid, "A proof is for one image, and this is a folder.",
                "Name one file.", Location{.file = path});
  FIDUCIA_TRY(file, sealing::open_input(inputs.front()));
  FIDUCIA_TRY(found, verifier.find_evidence(file));
  if (!found)
    return fail(ErrorCode::io_unreadable, "There is no evidence for this file.",
                "Seal it first, or name the home that sealed it.", Location{.file = path});
  return evidence::read_evidence(*found);
}

/// Which entry is to be proven: digits name an index unless a file is called so.
Result<std::uint64_t> find_index(const cli::LedgerOptions& options) {
  const std::string& target = options.target;
  std::uint64_t index = 0;
  const char* const end = target.data() + target.size();
  if (const auto [rest, failure] = std::from_chars(target.data(), end, index);
      failure == std::errc{} && rest == end && !is_file(target))
    return index;
  FIDUCIA_TRY(source, sealing::open_verifier_source(options.common.home, ""));
  FIDUCIA_TRY(evidence, find_evidence(target, std::move(source)));
  for (const ByteView encoded : evidence.receipts) {
    FIDUCIA_TRY(receipt, ledger_format::read_receipt(encoded));
    return receipt.leaf_index;
  }
  return fail(ErrorCode::io_unreadable, "The evidence of this file holds no ledger receipt.",
              "Name the index of its entry.", Location{.file = target});
}

/// The bytes of the entry that is said to be in a log.
Result<Bytes> find_entry(const cli::LedgerOptions& options, sealing::VerifierSource source) {
  if (!is_file(options.target)) {
    if (auto entry = from_hex(options.target); entry && !entry->empty()) return std::move(*entry);
  }
  FIDUCIA_TRY(evidence, find_evidence(options.target, std::move(source), options.evidence));
  return evidence::seal_entry(evidence);
}

void print_json(const trust::ProofJudgement& answer, std::uint64_t index) {
  json::Writer json;
  json.open_object();
  json.member("schema", "fiducia.ledger-proof-check/1");
  json.member("status", answer.proven ? "proven" : "untrusted");
  json.member("origin", answer.origin);
  json.member("index", index);
  if (answer.checkpoint) {
    json.member("tree_size", answer.checkpoint->tree_size);
    json.member("root", to_hex(answer.checkpoint->root.view()));
  }
  json.key("witnesses");
  json.open_array();
  for (const std::string& name : answer.witnesses) json.text(name);
  json.close_array();
  json.member("text", answer.text);
  json.close_object();
  cli::print_line(json.take());
}

}  // namespace

Result<int> prove_entry(const cli::LedgerOptions& options) {
  const OutputRules rules = sealing::output_rules(
      "tlog-proof",
      [](ByteView content) { return ledger_format::read_tlog_proof(as_text(content)).has_value(); },
      options.common.home, {}, {options.target});
  if (!options.out.empty()) FIDUCIA_CHECK(check_output(options.out, rules));
  FIDUCIA_TRY(index, find_index(options));
  FIDUCIA_TRY(opened, open_ledger(options.common.home));
  FIDUCIA_TRY(reader, ledger::LogReader::open(opened.source, opened.key));
  if (index >= reader.status().tree_size)
    return fail(
        ErrorCode::usage_invalid,
        "The ledger has " + std::to_string(reader.status().tree_size) + " entries, counted from 0.",
        "Name the index of one of them.");
  FIDUCIA_TRY(entry, reader.entry(index));
  FIDUCIA_TRY(path, reader.inclusion_proof(index));
  // Tiles can be damaged: nothing leaves this house that does not lead to the signed root.
  FIDUCIA_CHECK(merkle::verify_inclusion(index, reader.status().tree_size, merkle::leaf_hash(entry),
                                         path, reader.status().root));
  const std::string proof = ledger_format::write_tlog_proof(index, path, reader.checkpoint());
  if (!options.out.empty()) FIDUCIA_CHECK(write_output(options.out, as_bytes(proof), rules));
  if (options.common.json) {
    json::Writer json;
    json.open_object();
    json.member("schema", "fiducia.ledger-proof/1");
    json.member("origin", reader.status().origin);
    json.member("index", index);
    json.member("tree_size", reader.status().tree_size);
    json.member("entry", to_hex(entry));
    json.member("proof", proof);
    json.close_object();
    cli::print_line(json.take());
  } else if (options.out.empty()) {
    std::fwrite(proof.data(), 1, proof.size(), stdout);
  } else if (!options.common.quiet) {
    cli::print_line("proved  entry " + std::to_string(index) + "  " + cli::printable(options.out));
  }
  return 0;
}

Result<int> verify_proof(const cli::LedgerOptions& options) {
  FIDUCIA_TRY(source, sealing::open_verifier_source(options.common.home, options.trust));
  const std::vector<trust::TrustedLedger> ledgers = source.trust.ledgers;
  FIDUCIA_TRY(encoded, read_file(options.proof, limits::tlog_proof_bytes_max));
  // What is wrong with the proof is said of its file.
  const auto of_proof = [&](Error error) {
    if (error.where.file.empty()) error.where.file = options.proof;
    if (error.remedy.empty())
      error.remedy = "Give a file that `fiducia ledger prove` wrote, or fetch it again.";
    return std::unexpected(std::move(error));
  };
  const auto proof = ledger_format::read_tlog_proof(as_text(encoded));
  if (!proof) return of_proof(proof.error());
  FIDUCIA_TRY(entry, find_entry(options, std::move(source)));
  const auto answer = trust::judge_proof(*proof, merkle::leaf_hash(entry), ledgers);
  if (!answer) return of_proof(answer.error());
  if (options.common.json)
    print_json(*answer, proof->index);
  else if (!options.common.quiet)
    cli::print_line(std::string{answer->proven ? "proven" : "untrusted"} + "  " +
                    cli::printable(options.proof) + "  " + answer->text);
  return answer->proven ? 0 : finding::exit_code(finding::Verdict::untrusted);
}

}  // namespace fiducia::ledger_app
