// SPDX-License-Identifier: Apache-2.0
#include "ledger/ledger.h"
#include "ledger_format/ledger_format.h"

#include "commands.h"
#include "home.h"
#include "ledger_access.h"
#include "ledger_check.h"
#include "ledger_proof.h"
#include "output.h"
#include "report/json_writer.h"
#include "trust/trust.h"

namespace fiducia::app {
namespace {

/// Whether an error of opening a ledger says that it was tampered with or damaged, rather than
/// that it could not be read.
bool is_damage(const Error& error) {
  return error.code == ErrorCode::signature_bad || error.code == ErrorCode::malformed ||
         error.code == ErrorCode::truncated;
}

/// The witnesses that the trust file knows among those that cosigned the checkpoint.
Result<std::vector<ledger_format::VerifiedSignature>> find_witnesses(
    const Home& home, const std::string& checkpoint) {
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

Result<int> print_status(const LedgerOptions& options, const LedgerAccess& access) {
  FIDUCIA_TRY(opened, open_ledger(options, access));
  FIDUCIA_TRY(reader, ledger::LogReader::open(opened.source, opened.key));
  const ledger::LogStatus& status = reader.status();
  FIDUCIA_TRY(witnesses, find_witnesses(opened.home, reader.checkpoint()));
  // What a revocation in a trust file names.
  const std::string key_hash = "sha256:" + to_hex(trust::key_hash_of(opened.key).view());
  if (options.common.json) {
    report::JsonWriter json;
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
    print_line(json.take());
  } else if (!options.common.quiet) {
    print_line("Ledger       " + printable(status.origin));
    print_line("Entries      " + std::to_string(status.tree_size));
    print_line("Root         " + to_hex(status.root.view()));
    print_line("Checkpoint   " + (status.checkpoint_at
                                      ? to_rfc3339(*status.checkpoint_at)
                                      : "of unknown time: signed-root.cbor is missing"));
    for (const auto& witness : witnesses)
      print_line("Witness      " + printable(witness.name) +
                 (witness.time ? "  " + to_rfc3339(*witness.time) : std::string{}));
    print_line("Key          " + ledger_format::write_vkey(opened.key));
    print_line("Key hash     " + key_hash);
  }
  return 0;
}

Result<int> answer(const LedgerOptions& options, const LedgerAccess& access) {
  FIDUCIA_ASSERT((access.open_url && access.open_home) || !needs_sibling(options));
  switch (options.action) {
    case LedgerOptions::Action::status:
      return print_status(options, access);
    case LedgerOptions::Action::check:
      return check_ledger(options, access);
    case LedgerOptions::Action::prove:
      return prove_entry(options, access);
    case LedgerOptions::Action::verify_proof:
      return verify_proof(options);
  }
  std::unreachable();
}

}  // namespace

bool is_url(std::string_view text) {
  return text.starts_with("http://") || text.starts_with("https://");
}

bool has_ledger_file(const std::filesystem::path& home) {
  std::error_code error;
  return std::filesystem::exists(home / "ledger.toml", error);
}

bool needs_sibling(const LedgerOptions& options) {
  if (!options.url.empty() || is_url(options.against)) return true;
  if (!options.folder.empty() || options.action == LedgerOptions::Action::verify_proof)
    return false;
  const auto home = locate_home(options.common.home);
  return home && has_ledger_file(*home);
}

Result<ledger_format::VerifierKey> read_key_option(const std::string& text) {
  auto key = ledger_format::read_vkey(text);
  if (!key)
    return fail(ErrorCode::usage_invalid, "--key is no verifier key: " + key.error().what,
                "Copy it from whoever runs the log (`fiducia ledger status` shows it); the shell "
                "may need quotes.");
  return key;
}

Result<OpenLedger> open_ledger(const LedgerOptions& options, const LedgerAccess& access) {
  FIDUCIA_TRY(folder, locate_home(options.common.home));
  FIDUCIA_TRY(home, Home::open(folder));
  FIDUCIA_TRY(key, home.ledger_vkey());
  FIDUCIA_TRY(source, open_home_ledger(home, access));
  return OpenLedger{.home = std::move(home), .key = std::move(key), .source = std::move(source)};
}

Result<LedgerSource> open_home_ledger(const Home& home, const LedgerAccess& access) {
  if (access.open_home && has_ledger_file(home.folder())) return access.open_home(home);
  return std::make_shared<ledger::DirectoryStore>(home.ledger_folder());
}

int run(const LedgerOptions& options, const LedgerAccess& access) {
  const auto exit_code = answer(options, access);
  if (!exit_code) {
    print_error(exit_code.error(), options.common.json);
    return is_damage(exit_code.error()) ? damaged_exit_code : 1;
  }
  return *exit_code;
}

int run(const LedgerOptions& options) { return run(options, LedgerAccess{}); }

}  // namespace fiducia::app
