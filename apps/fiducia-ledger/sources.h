// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <memory>
#include <string>
#include <string_view>

#include "core/core.h"
#include "home_ledger/home_ledger.h"
#include "ledger/ledger.h"
#include "ledger_format/ledger_format.h"

/// Where a log is read: a folder, a server, or wherever the home has it.
namespace fiducia::ledger_app {

using LedgerSource = std::shared_ptr<const ledger::ObjectSource>;

/// Whether a log is named by its address on a server.
[[nodiscard]] bool is_url(std::string_view text);
/// Errors: usage_invalid.
[[nodiscard]] Result<LedgerSource> open_url(const std::string& url);
/// Where the home's own ledger is read. Errors: those of home_ledger::open_store.
[[nodiscard]] Result<LedgerSource> open_source_of(const home::Home& home);

/// A home and its ledger, to be read.
struct OpenLedger {
  home::Home home;
  ledger_format::VerifierKey key;
  LedgerSource source;
};
/// `home_option`: as home::locate_home takes it.
[[nodiscard]] Result<OpenLedger> open_ledger(const std::string& home_option);

/// The verifier key that was given as an option. Errors: usage_invalid.
[[nodiscard]] Result<ledger_format::VerifierKey> read_key_option(const std::string& text);

}  // namespace fiducia::ledger_app
