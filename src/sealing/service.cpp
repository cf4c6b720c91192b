// SPDX-License-Identifier: Apache-2.0
#include "sealing/service.h"

#include <algorithm>
#include <chrono>
#include <set>
#include <string>
#include <utility>

#include "codec/codec.h"
#include "crypto/crypto.h"
#include "sealing/drafter.h"
#include "sealing/rounds.h"
#include "sealing/work.h"

namespace fiducia::sealing {
namespace {

using Moment = std::chrono::steady_clock::time_point;

/// Decoders that stay warm when nobody uses them.
constexpr std::size_t idle_children_max = 64;

/// How long one look at identities that somebody else has claimed waits for them.
constexpr std::uint32_t look_again_ms = 200;

std::unexpected<Error> interrupted() {
  return fail(ErrorCode::busy, "Interrupted: nothing was begun that is not complete.",
              "Run the same command again to seal the rest.");
}

/// The decoders of a service. Thread-safe.
class Children {
 public:
  std::vector<codec::CodecChild> take(std::size_t count) {
    std::vector<codec::CodecChild> taken;
    taken.reserve(count);
    const MutexLock lock{mutex_};
    for (; taken.size() < count && !idle_.empty(); idle_.pop_back())
      taken.push_back(std::move(idle_.back()));
    while (taken.size() < count) taken.emplace_back(program_);
    return taken;
  }
  void give_back(std::vector<codec::CodecChild> children) {
    const MutexLock lock{mutex_};
    for (codec::CodecChild& child : children)
      if (idle_.size() < idle_children_max) idle_.push_back(std::move(child));
  }

 private:
  const std::string program_ = codec::codec_program().string();
  Mutex mutex_;
  std::vector<codec::CodecChild> idle_ FIDUCIA_GUARDED_BY(mutex_);
};

/// Writes one object's evidence where its placement says.
Status write_evidence(Work& work) {
  if (work.content) {
    FIDUCIA_TRY(again, work.object.open());
    if (crypto::sha256(again.bytes()) != *work.content)
      return fail(ErrorCode::io_unreadable, "changed while it was being sealed.",
                  "Seal it again when nothing else writes to it.");
    work.file = std::move(again);
  }
  return work.object.placement->write(std::exchange(work.file, std::nullopt), work.evidence_file());
}

}  // namespace

Result<Start> check_start(const home::Home& home, store::EvidenceStore& store,
                          const store::HomeMark& known, const ledger::LogStatus& log,
                          const trust::Trust& trust) {
  Start start{.appenders = home::has_ledger_file(home.folder()) ? home::Appenders::others
                                                                : home::Appenders::this_home,
              .mark = {}};
  const auto ledger =
      std::ranges::find(trust.ledgers, home.about().ledger_origin, &trust::TrustedLedger::origin);
  if (start.appenders == home::Appenders::this_home && ledger != trust.ledgers.end() &&
      (ledger->quorum > 0 || ledger->time_stamps > 0))
    return fail(
        ErrorCode::config_invalid,
        "The trust file asks for witnesses or time-stamps, and this home has no ledger.toml "
        "that says where they are: no seal of it would count.",
        "Write ledger.toml (docs/operations.md), or ask for none; nothing was entered.",
        Location{.file = home.trust_path().string()});
  FIDUCIA_CHECK(home::check_parts(home, store, known, log, trust, start.appenders));
  FIDUCIA_TRY(mark, store.mark());
  start.mark = mark;
  start.mark.trust_serial = std::max(mark.trust_serial, trust.serial);
  // Entries of a run that was killed: from here on they are known, though their evidence is not.
  start.mark.tree_size = log.tree_size;
  start.mark.root = log.root;
  start.mark.pending = 0;
  return start;
}

struct Service::State {
  explicit State(ServiceParts all)
      : parts(std::move(all)),
        rounds(parts),
        drafter(parts, [this] { return rounds.tree_size(); }) {}

  void judge(std::span<Work* const> works, std::vector<codec::CodecChild>& workers,
             const std::stop_token& stop) const;
  void look_at_taken(std::span<Work* const> open, std::optional<Moment>& end) const;
  void write(std::span<Work* const> works, unsigned workers) const;

  const ServiceParts parts;
  Rounds rounds;
  const Drafter drafter;
  Children children;
};

Service::Service(ServiceParts parts) : state_(std::make_unique<State>(std::move(parts))) {}
Service::~Service() = default;

void Service::State::judge(std::span<Work* const> works, std::vector<codec::CodecChild>& workers,
                           const std::stop_token& stop) const {
  parallel_for(works.size(), static_cast<unsigned>(workers.size()),
               [&](std::size_t index, unsigned worker) {
                 Work& work = *works[index];
                 if (work.state == Work::State::unjudged && !stop.stop_requested())
                   drafter.judge(work, workers[worker]);
               });
}

/// Looks again at identities that somebody else had claimed, and waits a moment for them where
/// there is nothing else to do. `end`: when that has lasted long enough; set where something is
/// taken.
void Service::State::look_at_taken(std::span<Work* const> open, std::optional<Moment>& end) const {
  std::vector<store::Claim> claims;
  std::vector<Work*> claimed;
  std::set<std::string> seen;  // twins wait until the first has gone
  bool others = false;
  for (Work* work : open) {
    if (work->state != Work::State::taken) {
      others = true;
    } else if (claims.size() < limits::store_claims_max &&
               seen.insert(work->draft->sop_instance_uid()).second) {
      claims.push_back({.sop_instance_uid = work->draft->sop_instance_uid(), .known = work->known});
      claimed.push_back(work);
    }
  }
  if (claims.empty()) return;
  const Moment now = std::chrono::steady_clock::now();
  if (!end) end = now + std::chrono::milliseconds{parts.claim_timeout_ms};
  // Asked for and given back at once: the round that follows claims it.
  const auto reservation =
      parts.store.reserve(claims, others ? 0 : std::min(look_again_ms, parts.claim_timeout_ms));
  for (std::size_t i = 0; i < claimed.size(); ++i) {
    Work& work = *claimed[i];
    if (!reservation) {
      work.end(Answer::Status::unavailable, reservation.error());
      continue;
    }
    switch ((*reservation)->answers()[i]) {
      case store::ClaimAnswer::granted:
        work.state = Work::State::drafted;
        break;
      case store::ClaimAnswer::changed:
        work.judge_again();
        break;
      case store::ClaimAnswer::taken:
        if (now < *end) break;
        work.end_named(Answer::Status::unavailable,
                       fail(ErrorCode::busy, "Somebody else is sealing this identity now.",
                            "Seal it again when that is done.")
                           .error());
    }
  }
}

void Service::State::write(std::span<Work* const> works, unsigned workers) const {
  std::vector<Work*> writing;
  std::vector<std::filesystem::path> targets;
  for (Work* work : works) {
    if (work->evidence.empty() || !work->object.placement) continue;
    writing.push_back(work);
    std::filesystem::path target = work->object.placement->target();
    if (!target.empty()) targets.push_back(std::move(target));
  }
  const auto note = home::WritingNote::make(parts.home.folder(), targets);
  parallel_for(writing.size(), workers, [&](std::size_t index, unsigned) {
    Work& work = *writing[index];
    std::filesystem::path target = work.object.placement->target();
    Status written = note ? write_evidence(work) : std::unexpected(note.error());
    if (written) {
      work.answer.output = std::move(target);
    } else {
      work.end_named(Answer::Status::unwritten, std::move(written).error());
      work.answer.evidence = EvidencePlace::store;
    }
    work.file.reset();
    work.evidence = {};
    work.former = {};
  });
}

Answer Service::seal(Object object, const std::stop_token& stop) {
  std::vector<Object> one;
  one.push_back(std::move(object));
  Answer answer;
  const Status done = seal_all(std::move(one), stop, [&](std::vector<Settled> settled) -> Status {
    answer = std::move(settled.front().answer);
    return {};
  });
  if (!done) {
    answer.status = Answer::Status::unavailable;
    answer.error = done.error();
  }
  return answer;
}

Status Service::seal_all(std::vector<Object> objects, const std::stop_token& stop,
                         const std::function<Status(std::vector<Settled>)>& settled) {
  std::vector<Work> works;
  works.reserve(objects.size());
  for (Object& object : objects) works.push_back({.object = std::move(object)});
  std::vector<Work*> open;
  for (Work& work : works) open.push_back(&work);
  const auto workers = static_cast<unsigned>(
      std::min<std::size_t>(worker_count(), std::max<std::size_t>(works.size(), 1)));
  std::vector<codec::CodecChild> children = state_->children.take(workers);
  std::optional<Moment> end;
  Status done;
  while (!open.empty() && done) {
    state_->judge(open, children, stop);
    if (stop.stop_requested()) {
      done = interrupted();
      break;
    }
    state_->look_at_taken(open, end);
    std::vector<Work*> drafted;
    std::ranges::copy_if(open, std::back_inserter(drafted),
                         [](const Work* work) { return work->state == Work::State::drafted; });
    state_->rounds.run(drafted);
    std::vector<Work*> ready;
    std::erase_if(open, [&](Work* work) {
      if (work->state != Work::State::settled) return false;
      ready.push_back(work);
      return true;
    });
    if (ready.empty()) continue;
    state_->write(ready, workers);
    std::vector<Settled> answers;
    for (Work* work : ready)
      answers.push_back({.index = static_cast<std::size_t>(work - works.data()),
                         .answer = std::move(work->answer)});
    done = settled(std::move(answers));
  }
  state_->children.give_back(std::move(children));
  return done;
}

}  // namespace fiducia::sealing
