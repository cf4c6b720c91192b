// SPDX-License-Identifier: Apache-2.0
#include "sealing/rounds.h"

#include <algorithm>
#include <set>
#include <string_view>
#include <utility>

namespace fiducia::sealing {
namespace {

/// What goes into the store of a work that has its evidence.
store::Record record_of(const Work& work) {
  return {.sop_instance_uid = work.draft->sop_instance_uid(),
          .study_instance_uid = work.study_uid,
          .series_instance_uid = work.series_uid,
          .object_root = work.draft->object_root(),
          .sketch = work.draft->sketch(),
          .evidence = work.evidence,
          .ledger_index = work.answer.ledger_index};
}

/// Takes those out whose identity is in the round already: they are judged again when the store
/// knows the first. So each round makes progress.
void take_out_twins(std::vector<Work*>& round) {
  std::set<std::string_view> seen;
  std::erase_if(round, [&](Work* work) {
    const std::string& uid = work->draft->sop_instance_uid();
    if (uid.empty() || seen.insert(uid).second) return false;
    work->judge_again();
    return true;
  });
}

}  // namespace

std::uint64_t Rounds::tree_size() const {
  const MutexLock lock{mutex_};
  return tree_size_;
}

void Rounds::run(std::span<Work* const> works) {
  MutexLock lock{mutex_};
  std::size_t left = works.size();
  for (Work* work : works) waiting_.push_back({.work = work, .left = &left});
  while (left > 0) {
    changed_.wait(lock, [&]() FIDUCIA_REQUIRES(mutex_) { return left == 0 || !leading_; });
    if (left == 0) return;
    leading_ = true;
    const std::size_t count = std::min(waiting_.size(), round_objects_max);
    const std::vector<Waiting> taken(waiting_.begin(),
                                     waiting_.begin() + static_cast<std::ptrdiff_t>(count));
    waiting_.erase(waiting_.begin(), waiting_.begin() + static_cast<std::ptrdiff_t>(count));
    lock.unlock();
    std::vector<Work*> round;
    round.reserve(taken.size());
    for (const Waiting& waiting : taken) round.push_back(waiting.work);
    lead(std::move(round));
    lock.lock();
    for (const Waiting& waiting : taken) --*waiting.left;
    leading_ = false;
    changed_.notify_all();
  }
}

void Rounds::lead(std::vector<Work*> round) {
  const auto fail_all = [&](const Error& error) {
    for (Work* work : round)
      if (work->state == Work::State::drafted) work->end(Answer::Status::unavailable, error);
  };
  if (stopped_) return fail_all(*stopped_);
  take_out_twins(round);
  const auto reservation = claim(round);
  if (!reservation) return fail_all(reservation.error());
  if (round.empty()) return;
  if (const Status done = record(round, **reservation); !done) {
    if (done.error().code == ErrorCode::ledger_conflict) stopped_ = done.error();
    fail_all(done.error());
  }
}

/// Keeps the identities of the drafts for this round, on every machine that shares the store, and
/// takes the others out.
Result<std::unique_ptr<store::Reservation>> Rounds::claim(std::vector<Work*>& round) {
  std::vector<store::Claim> claims;
  for (const Work* work : round)
    claims.push_back({.sop_instance_uid = work->draft->sop_instance_uid(), .known = work->known});
  FIDUCIA_TRY(reservation, parts_.store.reserve(claims, /*wait_ms=*/0));
  const std::vector<store::ClaimAnswer>& answers = reservation->answers();
  std::size_t next = 0;
  std::erase_if(round, [&](Work* work) {
    switch (answers[next++]) {
      case store::ClaimAnswer::granted:
        return false;
      case store::ClaimAnswer::taken:
        work->state = Work::State::taken;
        return true;
      case store::ClaimAnswer::changed:
        work->judge_again();
        return true;
    }
    std::unreachable();
  });
  return Result<std::unique_ptr<store::Reservation>>{std::move(reservation)};
}

/// What the store is to know once it has the evidence of this round.
Status Rounds::take_mark(const ledger::Recorded& recorded, std::size_t entries) {
  if (recorded.entries.size() != entries)
    return fail(ErrorCode::internal, "The ledger answered for other entries than it was given.",
                "Use programs of one version.");
  FIDUCIA_TRY(note, ledger_format::read_note(recorded.checkpoint));
  FIDUCIA_TRY(checkpoint, ledger_format::read_checkpoint(note.text));
  for (const ledger_format::Appended& appended : recorded.entries)
    if (appended.index < mark_.tree_size && parts_.start.appenders == home::Appenders::this_home)
      return fail(ErrorCode::ledger_conflict,
                  "The ledger gave a new entry the place of one that this home has seen.",
                  "Run `fiducia ledger check`; do not seal before that is explained.");
  mark_.tree_size = checkpoint.tree_size;
  mark_.root = checkpoint.root;
  mark_.pending = 0;
  const MutexLock lock{mutex_};
  tree_size_ = mark_.tree_size;
  return {};
}

Status Rounds::record(std::vector<Work*>& round, store::Reservation& reservation) {
  std::vector<Bytes> entries;
  entries.reserve(round.size());
  for (const Work* work : round) entries.push_back(work->draft->ledger_entry());
  // First what may be missing of the store if this process is killed before the end, or if an
  // earlier round failed after its entries were in the ledger.
  store::HomeMark before = mark_;
  before.pending += entries.size();
  FIDUCIA_CHECK(parts_.store.put({}, &before));
  mark_ = before;
  FIDUCIA_TRY(recorded, parts_.recorder.record(entries));
  FIDUCIA_CHECK(take_mark(recorded, entries.size()));

  std::vector<store::Record> records;
  records.reserve(round.size());
  for (std::size_t i = 0; i < round.size(); ++i) {
    Work& work = *round[i];
    const ledger_format::Appended& appended = recorded.entries[i];
    work.evidence = work.draft->finish(appended, recorded.checkpoint, recorded.time_stamps);
    work.answer.origin = parts_.home.about().ledger_origin;
    work.answer.ledger_index = appended.index;
    work.answer.tree_size = appended.tree_size;
    // Signature, receipt and trust file, before anybody calls it sealed; nothing is decoded.
    if (Status checked = parts_.verifier.check_seal(work.evidence); !checked)
      work.end_named(Answer::Status::refused, std::move(checked).error());
    else
      records.push_back(record_of(work));
  }
  FIDUCIA_CHECK(reservation.put(records, &mark_));
  for (Work* work : round) {
    if (work->state != Work::State::drafted) continue;
    work->draft.reset();
    work->answer.status = Answer::Status::sealed;
    work->state = Work::State::settled;
  }
  return {};
}

}  // namespace fiducia::sealing
