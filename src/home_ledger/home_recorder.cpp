// SPDX-License-Identifier: Apache-2.0
#include "home_ledger/home_recorder.h"

#include <algorithm>
#include <chrono>
#include <random>

#include "ledger/head.h"

namespace fiducia::home_ledger {
namespace {

using std::chrono::milliseconds;

/// How often witnesses are asked about newer and newer checkpoints: some ten seconds in all.
constexpr int cosign_attempts_max = 16;

}  // namespace

HomeRecorder::HomeRecorder(LedgerHome home, ledger::Log log,
                           std::shared_ptr<const ledger::ObjectSource> store, http::Client client)
    : home_(std::move(home)),
      log_(std::move(log)),
      status_(log_.status()),
      store_(std::move(store)),
      client_(std::move(client)) {
  if (home_.witnesses) witnesses_.emplace(*home_.witnesses, client_);
}

Result<std::unique_ptr<HomeRecorder>> HomeRecorder::open(LedgerHome home) {
  FIDUCIA_TRY(parts, open_parts(home));
  const std::shared_ptr<const ledger::ObjectSource> store = parts.store;
  parts.clock_is_right = home.clock_is_right;
  FIDUCIA_TRY(log, ledger::Log::open(std::move(parts)));
  if (const auto newest = log.status().checkpoint_at)
    FIDUCIA_CHECK(ledger::check_clock_ahead(*newest, system_now(), home.clock_is_right));
  return std::unique_ptr<HomeRecorder>{
      new HomeRecorder{std::move(home), std::move(log), store, http::Client{}}};
}

Result<ledger::Recorded> HomeRecorder::record(std::span<const Bytes> entries) {
  if (stopped_) return std::unexpected(*stopped_);
  ledger::Recorded recorded;
  for (int attempt = 1;; ++attempt) {
    // What is entered already keeps its index, and comes with the newest checkpoint.
    FIDUCIA_TRY(appended, log_.append(entries));
    if (appended.empty()) return recorded;
    recorded.checkpoint = *appended.front().checkpoint;
    recorded.entries = std::move(appended);
    if (!witnesses_) break;
    FIDUCIA_TRY(is_cosigned, cosign(recorded));
    if (is_cosigned) break;
    if (attempt == cosign_attempts_max)
      return fail(ErrorCode::busy,
                  "Others append to this ledger so fast that its witnesses have always cosigned a "
                  "newer checkpoint.",
                  "Seal again when less is going on; the entries keep their index.");
    // Each at another moment, or those who append would overtake each other for ever.
    pause_between_tries(
        milliseconds{std::random_device{}() % (std::uint32_t{20} << std::min(attempt, 6))});
  }
  if (!home_.time_stamps.empty()) FIDUCIA_CHECK(stamp(recorded));
  return recorded;
}

/// Other gateways append as well: what they have published is not news from a fork.
std::uint64_t HomeRecorder::newest_size() const {
  const auto head = ledger::read_head(*store_, home_.vkey);
  const std::uint64_t own = log_.status().tree_size;
  return head ? std::max(own, head->checkpoint.tree_size) : own;
}

Result<bool> HomeRecorder::cosign(ledger::Recorded& recorded) {
  // Proofs come from the published tiles, each checked against the signed root above it.
  FIDUCIA_CHECK(log_.flush());
  FIDUCIA_TRY(reader, ledger::LogReader::open(store_, home_.vkey));
  ledger_net::CosignRequest request{
      .note = recorded.checkpoint,
      .log_key = home_.vkey,
      .signed_at = recorded.entries.front().checkpoint_at,
      .proofs = [&reader](std::uint64_t first,
                          std::uint64_t second) { return reader.consistency_proof(first, second); },
      .committed_size = [this] { return newest_size(); }};
  FIDUCIA_TRY(report, witnesses_->cosign(request));
  // One witness that only claims a larger tree cannot stop the ledger while the others agree.
  if (report.conflict && (report.conflict_proven || !report.quorum)) {
    if (report.conflict_proven) stopped_ = report.conflict;
    return std::unexpected(*report.conflict);
  }
  recorded.checkpoint = report.note;
  if (report.quorum) {
    FIDUCIA_CHECK(log_.publish_cosigned(report.note));
    return true;
  }
  if (std::ranges::find(report.witnesses, ledger_net::WitnessOutcome::superseded,
                        &ledger_net::WitnessReport::outcome) != report.witnesses.end())
    return false;
  std::string text = "The witness policy's quorum does not hold:";
  for (const ledger_net::WitnessReport& witness : report.witnesses)
    text += " " + witness.witness + ": " + std::string{word_of(witness.outcome)} + ".";
  return fail(ErrorCode::io_unreadable, text,
              "Seal again when enough witnesses can be reached; the entries keep their index.");
}

Status HomeRecorder::stamp(ledger::Recorded& recorded) {
  FIDUCIA_TRY(reports,
              ledger_net::request_time_stamps(client_, home_.time_stamps, recorded.checkpoint));
  std::string text = "Fewer time-stamps came than the trust file demands:";
  for (ledger_net::TimeStampReport& report : reports) {
    if (report.token)
      recorded.time_stamps.push_back(std::move(*report.token));
    else
      text += " " + report.name + ": " + report.token.error().what;
  }
  if (recorded.time_stamps.size() >= home_.time_stamps_min) return {};
  return fail(ErrorCode::io_unreadable, text,
              "Seal again when the authorities can be reached; the entries keep their index.");
}

}  // namespace fiducia::home_ledger
