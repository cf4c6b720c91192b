// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "cli/cli.h"
#include "core/core.h"

/// `ledger prove` and `ledger verify-proof`: proofs in C2SP's tlog-proof form.
namespace fiducia::ledger_app {

/// Writes the proof that an entry is in the home's ledger; returns the exit code.
[[nodiscard]] Result<int> prove_entry(const cli::LedgerOptions& options);

/// Verifies such a proof by what the trust file knows; returns the exit code: 0 proven, 4 not
/// acceptable to the trust file. Errors: signature_bad and malformed, when the proof is bad.
[[nodiscard]] Result<int> verify_proof(const cli::LedgerOptions& options);

}  // namespace fiducia::ledger_app
