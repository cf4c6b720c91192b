// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "core/core.h"
#include "crypto/crypto.h"
#include "http/http.h"

/// How a checkpoint gets time-stamps (RFC 3161 section 3.4: over HTTP).
namespace fiducia::ledger_net {

/// A time-stamp authority, and what makes its stamps count.
struct TimeStampSource {
  std::string name;                          // for reports
  std::string url;                           // http or https
  std::vector<crypto::Certificate> anchors;  // its root, or itself
  std::vector<std::string> policies = {};    // dotted; the first is asked for; empty: any
};

/// What one authority answered.
struct TimeStampReport {
  std::string name;
  /// The token, verified. Errors: io_unreadable (unreachable, too late, or an HTTP status other
  /// than 200), malformed (not a time-stamp answer), over_limit, signature_bad (it refused, or its
  /// token does not hold or is not over this checkpoint); they name authority and URL.
  Result<Bytes> token = fail(ErrorCode::io_unreadable, "was not asked.");
  UnixTime latest;  // of a good token: the checkpoint existed by then
};

struct TimeStampOptions {
  std::uint32_t total_timeout_ms = 15'000;  // for each; all are asked at the same time
  /// How far its time may be from our clock, in seconds. A stamp further off is refused, for one
  /// of the two clocks is wrong and the stamp would date all seals of the checkpoint.
  std::int64_t clock_gap_s = 300;
  Clock clock = system_now;
  std::stop_token stop = {};
};

/// Asks all authorities at the same time to stamp the text of a signed checkpoint
/// (spec/evidence.md section 3), and verifies what they answer: nonce, imprint, signature, chain,
/// policy. One that fails does not hinder the others. The reports are in the order of `sources`.
/// Errors: malformed (`checkpoint` is no signed note), usage_invalid (more than
/// limits::time_stamps_max authorities).
[[nodiscard]] Result<std::vector<TimeStampReport>> request_time_stamps(
    const http::Client& client, std::span<const TimeStampSource> sources,
    std::string_view checkpoint, const TimeStampOptions& options = {});

/// The handler of a time-stamp authority at any path, to try things out and for tests.
/// `authority` outlives it.
[[nodiscard]] http::Handler make_time_stamp_handler(const crypto::TimeStampAuthority& authority);

}  // namespace fiducia::ledger_net
