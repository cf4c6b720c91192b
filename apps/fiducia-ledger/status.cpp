// SPDX-License-Identifier: Apache-2.0
#include "ledger/ledger.h"
#include "ledger_format/ledger_format.h"

#include "check.h"
#include "cli/cli.h"
#include "home/home.h"
#include "json/json.h"
#include "ledger_commands.h"
#include "proof.h"
#include "sources.h"
#include "trust/trust.h"

namespace fiducia::ledger_app {
namespace {

/// The witnesses that the trust file knows among those that cosigned the checkpoint.
Result<std::vector<ledger_format::VerifiedSignature>> find_witnesses(
    const home::Home& home, const std::string& checkpoint) {
  FIDUCIA_TRY(trust, trust::open_trust(home.trust_path()));
  FIDUCIA_TRY(note, ledger_format::read_note(checkpoint));
  std::vector<ledger_format::VerifiedSignature> found;
  for (const trust::TrustedLedger& trusted : trust.ledgers) {
    if (trusted.origin != home.about().ledger_origin) continue;
    for (const trust::TrustedWitness& witness : trusted.witnesses) {
      // One at a time: a witness that did not sign, or not well, is not listed.
      const auto verified = ledger_format::verify_note(note, std::span{&witness.key, 1});
      if (!verified) continue;
      found.push_back(verified->front());
      found.back().name = witness.name;
    }
  }
  return found;
}

Result<int> print_status(const cli::LedgerOptions& options) {
  FIDUCIA_TRY(opened, open_ledger(options.common.home));
  FIDUCIA_TRY(reader, ledger::LogReader::open(opened.source, opened.key));
  const ledger::LogStatus& status = reader.status();
  FIDUCIA_TRY(witnesses, find_witnesses(opened.home, reader.checkpoint()));
  // What a revocation in a trust file names.
  const std::string key_hash = "sha256:" + to_hex(trust::key_hash_of(opened.key).view());
  if (options.common.json) {
    json::Writer json;
    json.open_object();
    json.member("schema", "fiducia.ledger/1");
    json.member("origin", status.origin);
    json.member("tree_size", status.tree_size);
    json.member("root", to_hex(status.root.view()));
    if (status.checkpoint_at) json.member("checkpoint_at", to_rfc3339(*status.checkpoint_at));
    json.key("witnesses");
    json.open_array();
    for (const auto& witness : witnesses) json.text(witness.name);
    json.close_array();
    json.key("cosignatures");
    json.open_array();
    for (const auto& witness : witnesses) {
      json.open_object();
      json.member("witness", witness.name);
      if (witness.time) json.member("time", to_rfc3339(*witness.time));
      json.close_object();
    }
    json.close_array();
    json.member("vkey", ledger_format::write_vkey(opened.key));
    json.member("key", key_hash);
    json.close_object();
    cli::print_line(json.take());
  } else if (!options.common.quiet) {
    cli::print_line("Ledger       " + cli::printable(status.origin));
    cli::print_line("Entries      " + std::to_string(status.tree_size));
    cli::print_line("Root         " + to_hex(status.root.view()));
    cli::print_line("Checkpoint   " + (status.checkpoint_at
                                           ? to_rfc3339(*status.checkpoint_at)
                                           : "of unknown time: signed-root.cbor is missing"));
    for (const auto& witness : witnesses)
      cli::print_line("Witness      " + cli::printable(witness.name) +
                      (witness.time ? "  " + to_rfc3339(*witness.time) : std::string{}));
    cli::print_line("Key          " + ledger_format::write_vkey(opened.key));
    cli::print_line("Key hash     " + key_hash);
  }
  return 0;
}

Result<int> answer(const cli::LedgerOptions& options) {
  switch (options.action) {
    case cli::LedgerOptions::Action::status:
      return print_status(options);
    case cli::LedgerOptions::Action::check:
      return check_ledger(options);
    case cli::LedgerOptions::Action::prove:
      return prove_entry(options);
    case cli::LedgerOptions::Action::verify_proof:
      return verify_proof(options);
  }
  std::unreachable();
}

}  // namespace

int run(const cli::LedgerOptions& options) {
  return cli::finish(answer(options), options.common.json);
}

}  // namespace fiducia::ledger_app
