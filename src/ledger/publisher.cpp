// SPDX-License-Identifier: Apache-2.0
#include "ledger/publisher.h"

#include <algorithm>
#include <chrono>
#include <iterator>

#include "ledger/head.h"
#include "ledger/tile_store.h"

namespace fiducia::ledger {
namespace {

/// How often tiles and checkpoint are written while appends follow each other closely: an append
/// costs one fdatasync, its half a dozen files several times that.
constexpr std::chrono::milliseconds publish_interval{50};
/// So many rounds are published each with its own partial tiles; more only with those of the last.
constexpr std::size_t rounds_published_alone_max = 4;

/// How many of the first rounds can be merged into one, at least one.
std::size_t mergeable_rounds(std::span<const Round> rounds) {
  std::size_t count = 1;
  std::uint64_t bytes = rounds[0].entries.size();
  while (count < rounds.size() &&
         rounds[count].entries.size() <= limits::ledger_round_bytes_max - bytes)
    bytes += rounds[count++].entries.size();
  return count;
}

}  // namespace

Publisher::Publisher(const LogIdentity& identity, Sequencer& sequencer, ObjectStore& store)
    : identity_(identity), sequencer_(sequencer), store_(store) {}

Publisher::~Publisher() {
  if (!thread_.joinable()) return;
  thread_.request_stop();
  changed_.notify_all();
  thread_.join();
}

/// The newest record that a checkpoint of `stored_size` leaves can belong to.
std::optional<ledger_format::RootRecord> Publisher::record_until(
    std::uint64_t stored_size, std::span<const Round> rounds) const {
  std::optional<ledger_format::RootRecord> found = tail_.record;
  for (const Round& round : rounds.first(rounds.size() - 1))
    if (round.record.tree_size <= stored_size) found = round.record;
  return found;
}

/// Brings `rounds`, which follow tail_, into the store, whose checkpoint is of `stored_size`
/// leaves: the previous record must fit it until it is replaced, in case nobody comes to do that.
Status Publisher::write_rounds(std::span<const Round> rounds, std::uint64_t stored_size,
                               Existing existing) {
  std::optional<ledger_format::RootRecord> previous = record_until(stored_size, rounds);
  Tail tail = tail_;
  std::vector<NewObject> objects;
  std::vector<std::string> superseded;
  const bool together = rounds.size() > rounds_published_alone_max;
  while (!rounds.empty()) {
    const std::size_t count = together ? mergeable_rounds(rounds) : 1;
    FIDUCIA_TRY(applied, apply_round(tail, merge_rounds(rounds.first(count))));
    tail = std::move(applied.tail);
    std::ranges::move(applied.objects, std::back_inserter(objects));
    std::ranges::move(applied.superseded, std::back_inserter(superseded));
    rounds = rounds.subspan(count);
  }
  if (previous) FIDUCIA_CHECK(sign_record(identity_, *previous));
  FIDUCIA_CHECK(sign_record(identity_, *tail.record));
  FIDUCIA_CHECK(check_signed(identity_, tail));
  FIDUCIA_CHECK(store_.create(objects, existing));
  FIDUCIA_CHECK(store_.replace(
      signed_root_file,
      ledger_format::write_root_records({.current = *tail.record, .previous = previous})));
  FIDUCIA_CHECK(store_.replace(checkpoint_file, as_bytes(tail.note)));
  tail_ = std::move(tail);
  for (const std::string& path : superseded) FIDUCIA_CHECK(store_.remove_partials(path));
  return {};
}

Status Publisher::publish_locked(Existing existing) {
  auto news = sequencer_.take_publishing(tail_.frontage.size);
  if (!news) return std::unexpected(std::move(news).error());
  // Other processes of this log may have published far beyond what this one knows.
  if (!news->base && !news->rounds.empty() && news->rounds.front().first != tail_.frontage.size) {
    sequencer_.abandon_publishing();
    news = sequencer_.take_publishing(0);
    if (!news) return std::unexpected(std::move(news).error());
  }
  const auto publish_news = [&]() FIDUCIA_REQUIRES(publishing_) -> Status {
    if (news->base) {
      if (news->base->record) FIDUCIA_CHECK(check_signed(identity_, *news->base));
      tail_ = std::move(*news->base);
    }
    if (news->rounds.empty()) return {};
    std::uint64_t stored_size = tail_.frontage.size;
    if (existing == Existing::replace) {
      FIDUCIA_TRY(found, check_not_ahead(*news));
      stored_size = std::max(stored_size, found);
    }
    return write_rounds(news->rounds, stored_size, existing);
  };
  if (Status done = publish_news(); !done) {
    sequencer_.abandon_publishing();
    return done;
  }
  if (news->rounds.empty()) {
    sequencer_.abandon_publishing();
    return {};
  }
  return sequencer_.published(tail_, [this] { return store_.sync(); });
}

Status Publisher::publish() {
  const MutexLock publishing{publishing_};
  const Status done = publish_locked(Existing::refuse);
  const MutexLock guard{mutex_};
  if (done) {
    published_ = tail_.frontage.size;
    failure_.reset();
    while (!unpublished_.empty() && unpublished_.front() <= published_) unpublished_.pop_front();
  } else {
    failure_ = done.error();
  }
  published_at_ = std::chrono::steady_clock::now();
  changed_.notify_all();
  return done;
}

Status Publisher::recover() {
  const MutexLock publishing{publishing_};
  for (;;) {
    FIDUCIA_CHECK(publish_locked(Existing::replace));
    // While this process has the turn to publish nobody replaces the checkpoint.
    FIDUCIA_TRY(news, sequencer_.take_publishing(tail_.frontage.size));
    Status same;
    // With a base another process has published more meanwhile: what that is comes next time.
    const bool newest = news.rounds.empty() && !news.base;
    if (newest) same = check_store();
    sequencer_.abandon_publishing();
    FIDUCIA_CHECK(same);
    if (newest) break;
  }
  const MutexLock guard{mutex_};
  published_ = committed_ = tail_.frontage.size;
  return {};
}

Result<ledger_format::Checkpoint> Publisher::read_stored_checkpoint() const {
  const auto read = [&]() -> Result<ledger_format::Checkpoint> {
    FIDUCIA_TRY(found, store_.read(checkpoint_file, limits::note_bytes_max));
    if (!found)
      return fail(ErrorCode::io_unreadable, "is missing.", "Restore it from a backup or a mirror.");
    return ledger_format::read_signed_checkpoint(as_text(*found), identity_.vkey);
  };
  auto checkpoint = read();
  if (!checkpoint) {
    Error error = std::move(checkpoint).error();
    error.where.file = checkpoint_file;
    return std::unexpected(std::move(error));
  }
  return checkpoint;
}

namespace {

std::unexpected<Error> store_is_ahead(std::uint64_t stored, std::uint64_t known) {
  return fail(ErrorCode::ledger_conflict,
              "The checkpoint is of " + std::to_string(stored) +
                  " entries, the journal knows only " + std::to_string(known) +
                  ": the journal is an old copy, or its end is damaged.",
              "Restore the newest journal; appending now would fork the ledger.",
              Location{.file = checkpoint_file});
}

}  // namespace

/// Before a checkpoint is replaced: one that this key has signed must not be of a later tree. One
/// that cannot be read may have been torn, and is replaced. Returns its size, 0 for none.
Result<std::uint64_t> Publisher::check_not_ahead(const News& news) const {
  const std::uint64_t known = news.rounds.back().record.tree_size;
  const auto stored = read_stored_checkpoint();
  if (!stored) return 0;
  if (stored->tree_size > known) return store_is_ahead(stored->tree_size, known);
  return stored->tree_size;
}

/// The store must hold the tree that the sequencer says was published.
Status Publisher::check_store() const {
  FIDUCIA_TRY(checkpoint, read_stored_checkpoint());
  if (checkpoint.tree_size > tail_.frontage.size)
    return store_is_ahead(checkpoint.tree_size, tail_.frontage.size);
  if (checkpoint.origin != identity_.origin || checkpoint.tree_size != tail_.frontage.size ||
      checkpoint.root != tail_.record->root)
    return fail(ErrorCode::ledger_conflict, "The checkpoint is of another tree than the journal's.",
                "Restore checkpoint and journal from one backup; appending now would fork the "
                "ledger.",
                Location{.file = checkpoint_file});
  return {};
}

void Publisher::start() {
  thread_ = std::jthread{[this](const std::stop_token& stop) { run(stop); }};
}

void Publisher::run(const std::stop_token& stop) {
  for (;;) {
    {
      MutexLock guard{mutex_};
      // After a failure the next append tries again, so that its caller hears of it.
      idle_ = true;
      changed_.wait(guard, stop, [&]() FIDUCIA_REQUIRES(mutex_) {
        return published_ < committed_ && !failure_;
      });
      idle_ = false;
      if (published_ >= committed_ || (failure_ && stop.stop_requested())) {
        if (stop.stop_requested()) return;
        continue;
      }
      // While appends follow each other closely, what they bring is written together.
      changed_.wait_until(guard, stop, published_at_ + publish_interval,
                          [&]() FIDUCIA_REQUIRES(mutex_) { return urgent_; });
      urgent_ = false;
    }
    if (!publish() && stop.stop_requested()) return;  // the next opening publishes
  }
}

void Publisher::committed(std::uint64_t tree_size) {
  const MutexLock guard{mutex_};
  committed_ = std::max(committed_, tree_size);
  // Its own thread may have published the round already, before this was called.
  if (tree_size > published_) unpublished_.push_back(tree_size);
  // Half full: nobody shall have to wait for room.
  const bool hurry = !urgent_ && unpublished_.size() >= limits::ledger_unpublished_rounds_max / 2;
  if (hurry) urgent_ = true;
  // The thread that waits for its interval to end need not hear of every round.
  if (idle_ || hurry) changed_.notify_all();
}

Status Publisher::wait_for_room() {
  {
    MutexLock guard{mutex_};
    changed_.wait(guard, [&]() FIDUCIA_REQUIRES(mutex_) {
      return failure_ || unpublished_.size() < limits::ledger_unpublished_rounds_max;
    });
    if (!failure_) return {};
  }
  return publish();
}

Status Publisher::wait_for(std::uint64_t tree_size) {
  MutexLock guard{mutex_};
  urgent_ = true;
  // Not only what this process committed: also rounds of others, and those of its own that it
  // learned of with the next turn. Nobody else may be there to publish them.
  committed_ = std::max(committed_, tree_size);
  changed_.notify_all();
  changed_.wait(guard,
                [&]() FIDUCIA_REQUIRES(mutex_) { return failure_ || published_ >= tree_size; });
  if (published_ >= tree_size) return {};
  guard.unlock();
  return publish();
}

Published Publisher::newest() {
  const MutexLock publishing{publishing_};
  FIDUCIA_ASSERT(tail_.record.has_value());
  return {.record = *tail_.record, .note = std::make_shared<const std::string>(tail_.note)};
}

Status Publisher::publish_cosigned(const std::string& note) {
  const MutexLock publishing{publishing_};
  FIDUCIA_TRY(cosigned, ledger_format::read_note(note));
  FIDUCIA_TRY(plain, ledger_format::read_note(tail_.note));
  if (cosigned.text != plain.text) return {};  // a newer one is there already
  FIDUCIA_CHECK(ledger_format::verify_note(cosigned, std::span{&identity_.vkey, 1}));
  // Only with the turn: another process may be about to replace the checkpoint by a newer one.
  FIDUCIA_TRY(news, sequencer_.take_publishing(tail_.frontage.size));
  Status done;
  if (!news.base) done = store_.replace(checkpoint_file, as_bytes(note));
  sequencer_.abandon_publishing();
  return done;
}

}  // namespace fiducia::ledger
