// SPDX-License-Identifier: Apache-2.0
#include "ledger_proof.h"

#include <algorithm>
#include <charconv>
#include <cstdio>

#include "evidence/evidence.h"
#include "finding/finding.h"
#include "inputs.h"
#include "merkle/merkle.h"
#include "output.h"
#include "report/json_writer.h"
#include "stored_evidence.h"
#include "trust/trust.h"

namespace fiducia::app {
namespace {

bool is_file(const std::string& name) {
  std::error_code ignored;
  return std::filesystem::exists(name, ignored);
}

/// The evidence of the sealed image at `path`, as `verify` finds it.
Result<evidence::Evidence> find_evidence(const std::string& path, VerifierSource source,
                                         std::span<const std::string> evidence_files = {}) {
  FIDUCIA_TRY(verifier, make_verifier(source, evidence_files, {}));
  FIDUCIA_TRY(inputs, find_inputs({path}));
  if (inputs.size() != 1)
    return fail(ErrorCode::usage_invalid, "A proof is of one image, and this is a folder.",
                "Name one file.", Location{.file = path});
  FIDUCIA_TRY(file, open_input(inputs.front()));
  FIDUCIA_TRY(found, verifier.find_evidence(file));
  if (!found)
    return fail(ErrorCode::io_unreadable, "There is no evidence for this file.",
                "Seal it first, or name the home that sealed it.", Location{.file = path});
  return evidence::read_evidence(*found);
}

/// Which entry is to be proven: digits name an index unless a file is called so.
Result<std::uint64_t> find_index(const LedgerOptions& options) {
  const std::string& target = options.target;
  std::uint64_t index = 0;
  const char* const end = target.data() + target.size();
  if (const auto [rest, failure] = std::from_chars(target.data(), end, index);
      failure == std::errc{} && rest == end && !is_file(target))
    return index;
  FIDUCIA_TRY(source, open_verifier_source(options.common.home, ""));
  FIDUCIA_TRY(evidence, find_evidence(target, std::move(source)));
  for (const ByteView encoded : evidence.receipts) {
    FIDUCIA_TRY(receipt, ledger_format::read_receipt(encoded));
    return receipt.leaf_index;
  }
  return fail(ErrorCode::io_unreadable, "The evidence of this file holds no ledger receipt.",
              "Name the index of its entry.", Location{.file = target});
}

/// The bytes of the entry that is said to be in a log.
Result<Bytes> find_entry(const LedgerOptions& options, VerifierSource source) {
  if (!is_file(options.target)) {
    if (auto entry = from_hex(options.target); entry && !entry->empty()) return std::move(*entry);
  }
  FIDUCIA_TRY(evidence, find_evidence(options.target, std::move(source), options.evidence));
  return evidence::seal_entry(evidence);
}

/// What a proof shows about one trusted ledger.
struct Proven {
  ledger_format::Checkpoint checkpoint;
  std::vector<std::string> witnesses;  // names, as in the trust file
};

Result<Proven> verify_against(const trust::TrustedLedger& trusted,
                              const ledger_format::TlogProof& proof, const Digest& leaf) {
  std::vector<ledger_format::VerifierKey> keys;
  for (const trust::TrustedWitness& witness : trusted.witnesses) keys.push_back(witness.key);
  FIDUCIA_TRY(proven, ledger_format::verify_tlog_proof(proof, leaf,
                                                       {.origin = trusted.origin,
                                                        .log_keys = std::span{&trusted.key, 1},
                                                        .witnesses = keys}));
  Proven found{.checkpoint = std::move(proven.checkpoint), .witnesses = {}};
  for (const trust::TrustedWitness& witness : trusted.witnesses)
    if (std::ranges::any_of(proven.cosignatures, [&](const ledger_format::VerifiedSignature& by) {
          return by.name == witness.key.name && by.key_id == witness.key.key_id;
        }))
      found.witnesses.push_back(witness.name);
  return found;
}

std::string list_of(const std::vector<std::string>& names) {
  std::string list;
  for (const std::string& name : names) list += (list.empty() ? "" : ", ") + printable(name);
  return list;
}

struct Judgement {
  bool proven = false;
  std::string origin = {};
  std::optional<ledger_format::Checkpoint> checkpoint = {};  // verified
  std::vector<std::string> witnesses = {};
  std::string text = {};
};

/// Errors: the proof is bad.
Result<Judgement> judge(const ledger_format::TlogProof& proof, const Digest& leaf,
                        std::span<const trust::TrustedLedger> ledgers) {
  FIDUCIA_TRY(note, ledger_format::read_note(proof.checkpoint));
  FIDUCIA_TRY(claimed, ledger_format::read_checkpoint(note.text));
  Judgement answer{.origin = claimed.origin,
                   .text = "The trust file names no ledger " + printable(claimed.origin) + "."};
  std::optional<Error> bad;
  for (const trust::TrustedLedger& trusted : ledgers) {
    if (trusted.origin != claimed.origin) continue;
    auto proven = verify_against(trusted, proof, leaf);
    if (!proven) {
      bad = std::move(proven).error();
      continue;
    }
    answer.proven = proven->witnesses.size() >= trusted.quorum;
    answer.text = "Entry " + std::to_string(proof.index) + " of " + printable(trusted.origin) +
                  ", in its tree of " + std::to_string(proven->checkpoint.tree_size) + " entries";
    if (!proven->witnesses.empty()) answer.text += "; cosigned by " + list_of(proven->witnesses);
    answer.text += ".";
    if (!answer.proven)
      answer.text += " The trust file asks for " + std::to_string(trusted.quorum) + " witnesses.";
    answer.checkpoint = std::move(proven->checkpoint);
    answer.witnesses = std::move(proven->witnesses);
    if (answer.proven) return answer;
  }
  if (bad && !answer.checkpoint) return std::unexpected(std::move(*bad));
  return answer;
}

void print_json(const Judgement& answer, std::uint64_t index) {
  report::JsonWriter json;
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
  print_line(json.take());
}

}  // namespace

Result<int> prove_entry(const LedgerOptions& options, const LedgerAccess& access) {
  const OutputRules rules = output_rules(
      "tlog-proof",
      [](ByteView content) { return ledger_format::read_tlog_proof(as_text(content)).has_value(); },
      options.common.home, {}, {options.target});
  if (!options.out.empty()) FIDUCIA_CHECK(check_output(options.out, rules));
  FIDUCIA_TRY(index, find_index(options));
  FIDUCIA_TRY(opened, open_ledger(options, access));
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
    report::JsonWriter json;
    json.open_object();
    json.member("schema", "fiducia.ledger-proof/1");
    json.member("origin", reader.status().origin);
    json.member("index", index);
    json.member("tree_size", reader.status().tree_size);
    json.member("entry", to_hex(entry));
    json.member("proof", proof);
    json.close_object();
    print_line(json.take());
  } else if (options.out.empty()) {
    std::fwrite(proof.data(), 1, proof.size(), stdout);
  } else if (!options.common.quiet) {
    print_line("proved  entry " + std::to_string(index) + "  " + printable(options.out));
  }
  return 0;
}

Result<int> verify_proof(const LedgerOptions& options) {
  FIDUCIA_TRY(source, open_verifier_source(options.common.home, options.trust));
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
  const auto answer = judge(*proof, merkle::leaf_hash(entry), ledgers);
  if (!answer) return of_proof(answer.error());
  if (options.common.json)
    print_json(*answer, proof->index);
  else if (!options.common.quiet)
    print_line(std::string{answer->proven ? "proven" : "untrusted"} + "  " +
               printable(options.proof) + "  " + answer->text);
  return answer->proven ? 0 : finding::exit_code(finding::Verdict::untrusted);
}

}  // namespace fiducia::app
