// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/core.h"
#include "http/http.h"
#include "ledger_format/ledger_format.h"

/// How a log gets its checkpoints cosigned (C2SP tlog-witness, the client's side).
namespace fiducia::ledger_net {

enum class WitnessOutcome {
  cosigned,     // its cosignature is in the note
  held,         // the note had its cosignature already; it was not asked
  not_asked,    // the policy has no URL for it
  unreachable,  // no answer: dead, refused, cut off
  too_late,     // no answer in time, or none any more when the quorum held
  busy,         // it asks to come back later (429, 5xx)
  refused,      // it answers that it does not cosign this (400, 403, 404, 422, ...)
  invalid,      // its answer is garbage, too large, or does not verify
  superseded,   // it has cosigned a newer checkpoint of this log, which this log knows as well
  ahead,        // it has cosigned a tree that this log does not have
};
/// "cosigned", "too-late", ...
[[nodiscard]] std::string_view word_of(WitnessOutcome outcome);

struct WitnessReport {
  std::string witness;  // name in the policy
  WitnessOutcome outcome = WitnessOutcome::not_asked;
  std::string text;                       // one sentence: what it did, and what was wrong
  std::optional<UnixTime> cosigned_at;    // outcome cosigned and held
  std::optional<std::uint64_t> has_size;  // the size that it says it has cosigned
  std::string shown;  // a checkpoint with the log's signature that it showed to prove it; or empty
};

struct CosignRequest {
  std::string note;                         // the log's signed checkpoint
  ledger_format::VerifierKey log_key;       // of the log; its origin is that of the checkpoint
  UnixTime signed_at;                       // when the log signed it; a cosignature is not older
  ledger_format::ConsistencyProofs proofs;  // of this log; called from several threads at once
  /// The largest tree that this log has committed by now, which may be larger than the note's
  /// when others append at the same time. Absent: the size of the note.
  std::function<std::uint64_t()> committed_size = {};
};

struct CosignReport {
  std::string note;                      // with every cosignature that verified
  bool quorum = false;                   // of the policy, on `note`
  std::vector<WitnessReport> witnesses;  // all of the policy, in its order
  /// A witness has cosigned a tree that this log does not have: this is an old copy of the log, or
  /// its key is used elsewhere. Nothing may be appended any more. Code: ledger_conflict.
  std::optional<Error> conflict;
  /// Whether a checkpoint with the log's own signature proves the conflict; otherwise it rests on
  /// the word of a witness.
  bool conflict_proven = false;
};

/// How requests go out; tests put something else in the place of a network.
using Transport = std::function<Result<http::ClientResponse>(const http::ClientRequest&)>;

struct WitnessClientOptions {
  std::uint32_t total_timeout_ms = 10'000;  // for all witnesses together
  std::uint32_t grace_ms = 300;             // for the others once the quorum holds
  Clock clock = system_now;
};

/// Asks the witnesses of a policy. Remembers what size each of them has, so that the next
/// checkpoint costs one request. Thread safety: `cosign` may run concurrently.
class WitnessClient {
 public:
  /// `client` outlives this.
  WitnessClient(ledger_format::Policy policy, const http::Client& client,
                WitnessClientOptions options = {});
  WitnessClient(ledger_format::Policy policy, Transport transport,
                WitnessClientOptions options = {});

  [[nodiscard]] const ledger_format::Policy& policy() const { return policy_; }

  /// Asks all witnesses that have a URL at the same time and returns when each has answered, the
  /// time is up, or the quorum has held for the grace. Witnesses that fail are in the report.
  /// Errors: malformed, signature_bad (the note is no checkpoint of `log_key`'s).
  [[nodiscard]] Result<CosignReport> cosign(const CosignRequest& request);

 private:
  struct Round;
  void ask(Round& round, std::size_t index);
  ledger_format::Policy policy_;
  Transport transport_;
  WitnessClientOptions options_;
  Mutex mutex_;
  // By witness and origin: the size it cosigned last, as far as is known here.
  std::map<std::pair<std::string, std::string>, std::uint64_t> sizes_ FIDUCIA_GUARDED_BY(mutex_);
};

}  // namespace fiducia::ledger_net
