// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/core.h"
#include "home/home.h"
#include "ledger/ledger.h"
#include "ledger_format/ledger_format.h"
#include "ledger_net/ledger_net.h"
#include "ledger_s3/ledger_s3.h"

/// The ledger of a home as its ledger.toml describes it (docs/operations.md).
namespace fiducia::home_ledger {

enum class StoreKind { directory, s3 };
enum class SequencerKind { local, postgresql };

struct LedgerHome {
  home::Home home;
  ledger_format::VerifierKey vkey;
  bool clock_is_right = false;  // somebody vouches for this machine's clock
  StoreKind store = StoreKind::directory;
  SequencerKind sequencer = SequencerKind::local;
  ledger_s3::S3Options s3 = {};
  std::filesystem::path s3_credentials = {};  // empty: from the environment
  std::string postgresql = {};                // as libpq takes it; may hold a password
  std::optional<ledger_format::Policy> witnesses = {};
  std::vector<ledger_net::TimeStampSource> time_stamps = {};
  std::uint32_t time_stamps_min = 0;  // what the trust file demands of this ledger

  [[nodiscard]] const std::string& origin() const { return home.about().ledger_origin; }
  [[nodiscard]] std::filesystem::path ledger_folder() const { return home.ledger_folder(); }
};

/// Reads fiducia.toml, trust.toml and ledger.toml of a home (`option`, or the usual places, see
/// home::locate_home); without a ledger.toml its ledger is a directory with a local journal.
/// Errors: config_missing, config_invalid, io_unreadable.
[[nodiscard]] Result<LedgerHome> open_ledger_home(const std::string& option);

/// Errors: config_missing, config_invalid, io_unreadable.
[[nodiscard]] Result<std::shared_ptr<ledger::ObjectStore>> open_store(const LedgerHome& home);
/// Errors: as those, and those of the sequencers.
[[nodiscard]] Result<ledger::LogParts> open_parts(const LedgerHome& home);

}  // namespace fiducia::home_ledger
