// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <functional>
#include <memory>
#include <stop_token>
#include <vector>

#include "core/core.h"
#include "home/home.h"
#include "seal/seal.h"
#include "sealing/object.h"
#include "sealing/recorder.h"
#include "store/store.h"
#include "trust/trust.h"

namespace fiducia::sealing {

/// Where a service goes on from.
struct Start {
  home::Appenders appenders = home::Appenders::this_home;
  store::HomeMark mark;  // what the store knows of its home
};

/// Looks whether what is sealed with this home now would count, before anything is entered:
/// home::check_parts, and whether there is anybody who cosigns and stamps where the trust file asks
/// for it. `known`: what the store said before the recorder was opened; `log`: of the recorder.
/// Errors: home_mismatch, config_invalid.
[[nodiscard]] Result<Start> check_start(const home::Home& home, store::EvidenceStore& store,
                                        const store::HomeMark& known, const ledger::LogStatus& log,
                                        const trust::Trust& trust);

/// What a service seals with. All that it refers to must outlive it.
struct ServiceParts {
  const home::Home& home;
  const seal::Signer& signer;  // checked: seal::check_signer
  Recorder& recorder;          // used by one thread at a time
  store::EvidenceStore& store;
  const seal::Verifier& verifier;  // over this store
  Start start;
  Clock clock = system_now;
  /// How long an object waits for an identity that somebody else is sealing. Then: busy.
  std::uint32_t claim_timeout_ms = limits::ledger_lock_timeout_ms;
};

/// Which object of a call, and what became of it.
struct Settled {
  std::size_t index = 0;
  Answer answer;
};

/// Seals objects, and answers for each of them.
///
/// An object is opened, judged by what the store knows of its identity and by the seal that it
/// carries, drafted, entered into the ledger, verified, put into the store, and then written where
/// its placement says. So whatever carries a seal is in the ledger and in the store, and a kill at
/// any moment leaves files whole. The identity is claimed in the store from the draft to the put:
/// of all who seal it, on any machine with this store, one goes on.
///
/// An image is sealed once. Where evidence is known under which it is authentic, that evidence is
/// used again; where the identity is known with other content, sealing is refused, because it would
/// turn an altered image into a sealed one. A seal of this home that counts no more (its device was
/// revoked) can be renewed: all content must match it, and it stays in the evidence.
///
/// Thread-safe: any number of threads seal at the same time. Those that have drafts share a round
/// of claims, ledger and store, each led by one of them. A service says nothing to people and ends
/// no process; after ledger_conflict it enters nothing more.
class Service {
 public:
  explicit Service(ServiceParts parts);
  ~Service();
  Service(const Service&) = delete;
  Service& operator=(const Service&) = delete;

  /// Seals one object on the calling thread. After a stop it answers `unavailable` with busy, if
  /// the object is not in the ledger yet.
  [[nodiscard]] Answer seal(Object object, const std::stop_token& stop = {});

  /// Seals several, on up to worker_count() threads; a few hundred share one round, and their
  /// drafts are in memory together. `settled` is called from this thread with those that are
  /// settled, in their order, each once: all at first but those that had to wait for another with
  /// their identity, in this call or elsewhere.
  /// Errors: busy (stopped; nothing was begun that is not complete); those of `settled`, which end
  /// the call.
  [[nodiscard]] Status seal_all(std::vector<Object> objects, const std::stop_token& stop,
                                const std::function<Status(std::vector<Settled>)>& settled);

 private:
  struct State;
  const std::unique_ptr<State> state_;
};

}  // namespace fiducia::sealing
