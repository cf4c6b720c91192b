// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "home/folder.h"
#include "ledger/ledger.h"
#include "seal/seal.h"
#include "store/store.h"
#include "trust/trust.h"

namespace fiducia::home {

/// Who else appends to the ledger of a home.
enum class Appenders : std::uint8_t { this_home, others };

/// Whether the parts of a home belong to each other and none is older than another, which would
/// let an altered image be sealed (a store that forgot it), or fork the ledger in silence. A whole
/// home that was restored from a copy fits itself: that shows when a witness, a mirror or a receipt
/// comes back with a larger tree (docs/operations.md).
/// `known`: what the store said before the ledger was looked at for `log`. Where others append as
/// well and share the store, it may know more by now.
/// Errors: home_mismatch, config_invalid; each says what the way out is. busy: the home was given
/// another store after it was opened.
[[nodiscard]] Status check_parts(const Home& home, store::EvidenceStore& store,
                                 const store::HomeMark& known, const ledger::LogStatus& log,
                                 const trust::Trust& trust, Appenders appenders);

/// Whether the ledger of a home is no older than what a store knows of it, and no other branch.
/// Errors: home_mismatch.
[[nodiscard]] Status check_branch(const store::HomeMark& mark, const ledger::LogStatus& log,
                                  const Home& home);

/// The explicit way out: takes the store as it is (a missing one, or one that another key made, is
/// made anew, the former kept aside; not one that other machines use) as the one of this home from
/// now on. Returns the words for
/// what was done. Errors: home_mismatch (the ledger is older than the store: nothing fixes that).
[[nodiscard]] Result<std::string> accept_store(const Home& home, const ledger::LogStatus& log,
                                               const trust::Trust& trust);

}  // namespace fiducia::home
