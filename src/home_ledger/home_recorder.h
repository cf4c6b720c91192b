// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>

#include "core/core.h"
#include "home_ledger/ledger_home.h"
#include "http/http.h"
#include "sealing/sealing.h"

namespace fiducia::home_ledger {

/// Appends to a home's log and gathers what proves it: cosignatures of the witnesses of its
/// policy, time-stamps of its authorities.
class HomeRecorder final : public sealing::Recorder {
 public:
  /// Errors: those of `open_parts` and ledger::Log::open.
  [[nodiscard]] static Result<std::unique_ptr<HomeRecorder>> open(LedgerHome home);
  /// Errors: those of ledger::Log::append; ledger_conflict (a witness knows a larger tree: this
  /// ledger is an old copy, or its key is used elsewhere); busy (others append too fast for the
  /// witnesses); io_unreadable (fewer witnesses or time-stamps than demanded). In the last two
  /// cases the entries are in the log: recording them again gives the same index.
  [[nodiscard]] Result<ledger::Recorded> record(std::span<const Bytes> entries) override;
  [[nodiscard]] const ledger::LogStatus& status() const override { return status_; }
  /// The newest one, without cosignatures.
  [[nodiscard]] std::string checkpoint() const { return log_.checkpoint(); }

 private:
  HomeRecorder(LedgerHome home, ledger::Log log, std::shared_ptr<const ledger::ObjectSource> store,
               http::Client client);
  [[nodiscard]] std::uint64_t newest_size() const;
  /// Whether the policy's quorum holds. False: others have appended meanwhile, and witnesses have
  /// cosigned what they published; a newer checkpoint is to be asked with.
  [[nodiscard]] Result<bool> cosign(ledger::Recorded& recorded);
  [[nodiscard]] Status stamp(ledger::Recorded& recorded);

  const LedgerHome home_;
  ledger::Log log_;
  const ledger::LogStatus status_;  // when it was opened
  const std::shared_ptr<const ledger::ObjectSource> store_;
  const http::Client client_;
  std::optional<ledger_net::WitnessClient> witnesses_;
  std::optional<Error> stopped_;  // a witness proved that nothing more may be appended
};

}  // namespace fiducia::home_ledger
