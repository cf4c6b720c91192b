// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "core/core.h"
#include "home.h"
#include "ledger/ledger.h"
#include "ledger_format/ledger_format.h"
#include "options.h"

namespace fiducia::app {

using LedgerSource = std::shared_ptr<const ledger::ObjectSource>;

/// How a program reaches logs that are no folder of this machine. `fiducia` has neither, and
/// becomes fiducia-ledger where one is needed.
struct LedgerAccess {
  std::function<Result<LedgerSource>(const std::string& url)> open_url = {};
  /// The ledger of a home that has a ledger.toml.
  std::function<Result<LedgerSource>(const Home& home)> open_home = {};
};

/// Whether a log is named by its address on a server.
[[nodiscard]] bool is_url(std::string_view text);
/// Where the home's own ledger is read. Errors: those of `access.open_home`.
[[nodiscard]] Result<LedgerSource> open_home_ledger(const Home& home, const LedgerAccess& access);

/// A home and its ledger, to be read.
struct OpenLedger {
  Home home;
  ledger_format::VerifierKey key;
  LedgerSource source;
};
[[nodiscard]] Result<OpenLedger> open_ledger(const LedgerOptions& options,
                                             const LedgerAccess& access);

/// The verifier key that was given as an option. Errors: usage_invalid.
[[nodiscard]] Result<ledger_format::VerifierKey> read_key_option(const std::string& text);

/// Whether the home's tiles may be elsewhere than in its folder.
[[nodiscard]] bool has_ledger_file(const std::filesystem::path& home);

/// Whether the answer needs more than folders of this machine, so that `fiducia` must become
/// fiducia-ledger (sibling.h).
[[nodiscard]] bool needs_sibling(const LedgerOptions& options);

/// The same of `export --pinned`.
[[nodiscard]] bool needs_sibling(const ExportOptions& options);

/// `export`. Prints, and returns the exit code.
[[nodiscard]] int run(const ExportOptions& options, const LedgerAccess& access);
/// `ledger status | check | prove | verify-proof`. Prints, and returns the exit code.
[[nodiscard]] int run(const LedgerOptions& options, const LedgerAccess& access);

}  // namespace fiducia::app
