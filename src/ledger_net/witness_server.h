// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <functional>
#include <string>

#include "core/core.h"
#include "http/http.h"
#include "witness/witness.h"

namespace fiducia::ledger_net {

/// One submitted checkpoint and what became of it, for the witness's journal. `error` is trouble of
/// the witness itself (then `answer` says nothing). Called from several threads at once.
struct WitnessEvent {
  std::string peer;
  witness::WitnessAnswer answer;
  std::optional<Error> error = {};
};
using WitnessJournal = std::function<void(const WitnessEvent&)>;

/// Serves C2SP tlog-witness: `POST <prefix>/add-checkpoint` and
/// `GET <prefix>/<hex SHA-256 of the origin>/checkpoint`. `prefix` is empty or begins with a slash
/// and does not end with one. Both outlive the handler.
[[nodiscard]] http::Handler serve_witness(const witness::Witness& witness, std::string prefix,
                                          WitnessJournal journal = {});

}  // namespace fiducia::ledger_net
