// SPDX-License-Identifier: Apache-2.0
#include "ledger/log.h"

#include <sys/stat.h>
#include <sys/timex.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <optional>
#include <utility>

#include "core/descriptor.h"
#include "core/temporary.h"
#include "ledger/head.h"
#include "ledger/journal.h"
#include "ledger/publisher.h"
#include "ledger/recent.h"
#include "ledger/round.h"
#include "ledger/round_share.h"
#include "ledger/tile_store.h"
#include "ledger_format/entry.h"
#include "merkle/merkle.h"

namespace fiducia::ledger {
namespace {

namespace fs = std::filesystem;

Status check_key(const crypto::SigningKey& key) {
  if (key.public_key().kind() == crypto::KeyKind::ed25519) return {};
  return fail(ErrorCode::unsupported, "A log is signed with an Ed25519 key.",
              "Make an Ed25519 key for the log.");
}

/// The first entry of every log: it names no statement, and as its signer the log itself.
Bytes genesis_entry(const LogIdentity& identity, UnixTime now) {
  return ledger_format::write_entry(
      {.type = ledger_format::EntryType::genesis,
       .sign1_hash = {},
       .signer_hash = crypto::sha256(as_bytes(ledger_format::write_vkey(identity.vkey))),
       .claimed_at = now});
}

/// What everybody in a round shares.
struct RoundAnswer {
  ledger_format::RootRecord record;
  std::shared_ptr<const std::string> note;
  std::uint64_t first = 0;                               // leaf index of the round's first entry
  std::shared_ptr<const ledger_format::GrownTree> tree;  // null when nothing was appended
};

/// What a waiting append is woken for.
enum class Call : std::uint8_t { lead, take_answer };

/// Wakes one thread. That each append has one of its own keeps a round's end from waking all that
/// wait, most of whom would find nothing (64 clients on two CPUs: docs/performance.md).
class Bell {
 public:
  [[nodiscard]] Call wait() {
    MutexLock guard{mutex_};
    rung_.wait(guard, [&]() FIDUCIA_REQUIRES(mutex_) { return call_.has_value(); });
    return *call_;
  }
  /// The waiting thread may destroy this as soon as it is rung.
  void ring(Call call) {
    const MutexLock guard{mutex_};
    call_ = call;
    rung_.notify_one();
  }

 private:
  Mutex mutex_;
  Condition rung_;
  std::optional<Call> call_ FIDUCIA_GUARDED_BY(mutex_);
};

/// Everything that one append waits for.
struct Request {
  std::span<const Bytes> entries;
  std::uint64_t bytes = 0;  // of the entries as they stand in a bundle
  std::vector<Digest> leaves = {};
  std::optional<Error> error = {};
  std::shared_ptr<const RoundAnswer> answer = {};
  std::vector<std::uint64_t> indices = {};  // one an entry
  Bell bell = {};
};

/// The bytes of `entries` in a bundle. Errors: over_limit.
Result<std::uint64_t> check_entries(std::span<const Bytes> entries) {
  std::uint64_t bytes = 0;
  for (const Bytes& entry : entries) {
    bytes += entry.size() + 2;
    if (entry.size() > limits::ledger_entry_bytes_max)
      return fail(ErrorCode::over_limit,
                  "A ledger entry of " + std::to_string(entry.size()) + " bytes is longer than " +
                      std::to_string(limits::ledger_entry_bytes_max) + ".",
                  "Append a hash of the content instead.");
  }
  if (bytes > limits::ledger_round_bytes_max)
    return fail(ErrorCode::over_limit,
                "Ledger entries of " + std::to_string(bytes) + " bytes are more than the " +
                    std::to_string(limits::ledger_round_bytes_max) + " of one append.",
                "Append them in several parts.");
  return bytes;
}

/// The answer to one append from what its round left.
Result<std::vector<ledger_format::Appended>> answer_request(
    const Request& request, Publisher& publisher, const std::shared_ptr<ObjectStore>& store) {
  const RoundAnswer& round = *request.answer;
  // All answers of one append are of one checkpoint: where an entry was in the log already, of the
  // newest that is published, for the store has the tiles of that, and not of every one between.
  const bool all_new = round.tree && std::ranges::all_of(request.indices, [&](std::uint64_t index) {
                         return index >= round.first;
                       });
  Published newest{.record = round.record, .note = round.note};
  std::optional<TileStore> tiles;
  if (!all_new) {
    FIDUCIA_CHECK(publisher.wait_for(round.record.tree_size));
    newest = publisher.newest();
    FIDUCIA_TRY(opened, TileStore::open(store, newest.record.tree_size, newest.record.root));
    tiles = std::move(opened);
  }
  const ledger_format::RootRecord& record = newest.record;
  std::vector<ledger_format::Appended> answers;
  answers.reserve(request.indices.size());
  for (const std::uint64_t index : request.indices) {
    const auto path =
        all_new ? ledger_format::inclusion_path(*round.tree, round.tree->edge(), index,
                                                record.tree_size)
                : ledger_format::inclusion_path(*tiles, tiles->edge(), index, record.tree_size);
    // A grown tree holds every node its new leaves need.
    FIDUCIA_ASSERT(!all_new || path.has_value());
    if (!path) return std::unexpected(path.error());
    answers.push_back({.index = index,
                       .tree_size = record.tree_size,
                       .receipt = ledger_format::write_receipt(record.signed_root, record.tree_size,
                                                               index, *path),
                       .checkpoint_at = record.issued_at,
                       .checkpoint = newest.note});
  }
  return answers;
}

}  // namespace

struct Log::State {
  explicit State(LogParts parts)
      : identity(std::move(parts.origin), std::move(parts.key)),
        clock(std::move(parts.clock)),
        clock_is_right(parts.clock_is_right),
        store(std::move(parts.store)),
        sequencer(std::move(parts.sequencer)),
        publisher(identity, *sequencer, *store) {
    status.origin = identity.origin;
    status.vkey = ledger_format::write_vkey(identity.vkey);
  }

  // Set at open and not changed.
  const LogIdentity identity;
  const Clock clock;
  const bool clock_is_right;
  const std::shared_ptr<ObjectStore> store;
  const std::unique_ptr<Sequencer> sequencer;

  // Owned by the thread that leads a round (`leading`), or that opens the log; nobody else reads
  // them.
  Tail tail;
  RecentEntries recent;

  Mutex mutex;
  std::deque<Request*> waiting FIDUCIA_GUARDED_BY(mutex);
  bool leading FIDUCIA_GUARDED_BY(mutex) =
      false;  // somebody leads a round, or is called to; else nobody waits
  LogStatus status FIDUCIA_GUARDED_BY(mutex);
  std::shared_ptr<const std::string> note FIDUCIA_GUARDED_BY(mutex);

  Publisher publisher;  // last: its thread uses what stands above

  void show_tail();
  Status follow(News news);
  Status open();
  Status found();
  Status check_clock(UnixTime now) const;
  std::vector<Request*> take_round() FIDUCIA_REQUIRES(mutex);
  Status append_round(std::span<Request* const> round);
  Status run_round(std::span<Request* const> round);
  void lead(const Request& own);
};

/// Makes what `tail` says visible to `status` and `checkpoint`.
void Log::State::show_tail() {
  const MutexLock guard{mutex};
  status.tree_size = tail.record->tree_size;
  status.root = tail.record->root;
  status.checkpoint_at = tail.record->issued_at;
  note = std::make_shared<const std::string>(tail.note);
}

/// Catches up with what the sequencer says was committed behind `tail`.
Status Log::State::follow(News news) {
  if (!news.base && news.rounds.empty()) return {};
  Tail now = news.base ? std::move(*news.base) : tail;
  for (const Round& round : news.rounds) {
    FIDUCIA_TRY(applied, apply_round(now, round));
    recent.remember(round.first, applied.leaves);
    now = std::move(applied.tail);
  }
  if (now.frontage.size < tail.frontage.size)
    return fail(ErrorCode::ledger_conflict, "The sequencer knows fewer entries than this process.",
                "Restore the newest journal or database; appending now would fork the ledger.");
  if (now.record) {
    FIDUCIA_CHECK(sign_record(identity, *now.record));
    FIDUCIA_CHECK(check_signed(identity, now));
  }
  tail = std::move(now);
  return {};
}

Status Log::State::open() {
  FIDUCIA_TRY(news, sequencer->take_turn(0));
  const Status followed = follow(std::move(news));
  sequencer->abandon();
  FIDUCIA_CHECK(followed);
  if (!tail.record)
    return fail(ErrorCode::io_unreadable, "The ledger is empty: it has no genesis entry.",
                "Make a new ledger.");
  FIDUCIA_CHECK(publisher.recover());
  // What the partial tiles and the last bundle say must be what is built upon. Where others append
  // as well, the tree that is published is another one than was found above.
  const Published newest = publisher.newest();
  FIDUCIA_TRY(tiles, TileStore::open(store, newest.record.tree_size, newest.record.root));
  if (newest.record.tree_size % ledger_format::tile_width != 0)
    FIDUCIA_CHECK(tiles.bundle(newest.record.tree_size / ledger_format::tile_width));
  show_tail();
  publisher.start();
  return {};
}

/// Makes the genesis round of an empty log.
Status Log::State::found() {
  FIDUCIA_TRY(news, sequencer->take_turn(0));
  const auto commit = [&]() -> Status {
    if (news.base || !news.rounds.empty()) {
      sequencer->abandon();
      return fail(ErrorCode::exists, "There is a ledger already.", "Name a new one.");
    }
    const UnixTime now = clock();
    const Bytes genesis = genesis_entry(identity, now);
    const ByteView entry = genesis;
    const Digest leaf = merkle::leaf_hash(entry);
    auto next = make_round(identity, Tail{}, std::span{&entry, 1}, std::span{&leaf, 1}, now);
    if (!next) {
      sequencer->abandon();
      return std::unexpected(std::move(next).error());
    }
    return sequencer->commit(next->round, Tail{}, [] {});
  };
  FIDUCIA_CHECK(commit());
  return publisher.publish();
}

/// A clock that is a little behind is put up with; a wrong one must not sign.
Status Log::State::check_clock(UnixTime now) const {
  const UnixTime newest = tail.record->issued_at;
  if (clock_is_right || now.seconds >= newest.seconds - limits::ledger_clock_back_seconds_max)
    return {};
  return fail(
      ErrorCode::clock_invalid,
      "The clock says " + to_rfc3339(now) + ", but the newest checkpoint is of " +
          to_rfc3339(newest) + ".",
      "Set the clock right. If it is right, and the checkpoint was dated by a wrong one, go "
      "on with `fiducia seal --clock-is-right`: what was sealed meanwhile keeps its wrong "
      "date.");
}

/// As many waiting requests as one round takes, at least one. Called with `mutex` held.
std::vector<Request*> Log::State::take_round() {
  const auto end = waiting.begin() +
                   static_cast<std::ptrdiff_t>(count_of_round(waiting, [](const Request* request) {
                     return RoundShare{.entries = request->entries.size(), .bytes = request->bytes};
                   }));
  std::vector<Request*> round(waiting.begin(), end);
  waiting.erase(waiting.begin(), end);
  return round;
}

/// With the turn taken and `tail` up to date: commits what is new, or gives the turn back.
Status Log::State::append_round(std::span<Request* const> round) {
  std::vector<ByteView> entries;
  std::vector<Digest> leaves;
  for (Request* request : round) {
    for (std::size_t i = 0; i < request->entries.size(); ++i) {
      const Digest& leaf = request->leaves[i];
      const std::uint64_t next = tail.frontage.size + entries.size();
      const std::uint64_t index = recent.find_or_add(leaf, next);
      request->indices.push_back(index);
      if (index != next) continue;
      entries.push_back(request->entries[i]);
      leaves.push_back(leaf);
    }
  }
  auto answer = std::make_shared<RoundAnswer>();
  answer->first = tail.frontage.size;
  if (entries.empty()) {
    sequencer->abandon();
  } else {
    const UnixTime now = clock();
    auto next = [&]() -> Result<NextRound> {
      FIDUCIA_CHECK(check_clock(now));
      return make_round(identity, tail, entries, leaves, now, clock_is_right);
    }();
    if (!next) {
      sequencer->abandon();
    } else {
      Status signed_root;
      Status committed = sequencer->commit(
          next->round, tail, [&] { signed_root = sign_record(identity, *next->tail.record); });
      if (committed) committed = std::move(signed_root);
      if (!committed) next = std::unexpected(std::move(committed).error());
    }
    if (!next) {
      recent.forget_from(tail.frontage.size);
      return std::unexpected(std::move(next).error());
    }
    tail = std::move(next->tail);
    answer->tree = std::move(next->tree);
    show_tail();
    publisher.committed(tail.record->tree_size);
  }
  answer->record = *tail.record;
  {
    const MutexLock guard{mutex};
    answer->note = note;
  }
  for (Request* request : round) request->answer = answer;
  return {};
}

/// One signature and one commit for all requests of the round.
Status Log::State::run_round(std::span<Request* const> round) {
  // While tiles cannot be written nothing is appended: what is acknowledged must become readable.
  FIDUCIA_CHECK(publisher.wait_for_room());
  FIDUCIA_TRY(news, sequencer->take_turn(tail.frontage.size));
  const std::uint64_t known = tail.frontage.size;
  if (Status followed = follow(std::move(news)); !followed) {
    sequencer->abandon();
    return followed;
  }
  if (tail.frontage.size != known) {  // another process's rounds, or one that failed half way
    show_tail();
    publisher.committed(tail.frontage.size);
  }
  return append_round(round);
}

/// Runs one round for those that wait, `own` first among them, and calls the next leader.
void Log::State::lead(const Request& own) {
  MutexLock guard{mutex};
  const std::vector<Request*> round = take_round();
  guard.unlock();
  const Status ran = run_round(round);
  guard.lock();
  leading = !waiting.empty();
  if (leading) waiting.front()->bell.ring(Call::lead);  // first: the disk is free
  guard.unlock();
  for (Request* request : round) {
    if (!ran) request->error = ran.error();
    if (request != &own) request->bell.ring(Call::take_answer);
  }
}

Log::Log(std::unique_ptr<State> state) : state_(std::move(state)) {}
Log::Log(Log&&) noexcept = default;
Log& Log::operator=(Log&&) noexcept = default;
Log::~Log() = default;

Status Log::create(LogParts parts) {
  FIDUCIA_CHECK(check_key(*parts.key));
  return std::make_unique<State>(std::move(parts))->found();
}

Status Log::create(const fs::path& folder, const std::string& origin, const crypto::SigningKey& key,
                   UnixTime now) {
  FIDUCIA_CHECK(check_key(key));
  std::error_code error;
  if (fs::exists(folder / checkpoint_file, error) ||
      (fs::exists(folder, error) && !fs::is_empty(folder, error)))
    return fail(ErrorCode::exists, "There is a log or something else already.",
                "Name a new or empty folder.", Location{.file = folder.string()});
  const fs::path target = folder.has_filename() ? folder : folder.parent_path();
  const fs::path parent = target.has_parent_path() ? target.parent_path() : fs::path{"."};
  fs::create_directories(parent, error);
  if (error) return fail_unwritable(parent, error.value());
  // The log is made beside its place and moved there whole: no half-written log can be seen.
  FIDUCIA_TRY(building, BuildFolder::make(target));
  const auto build = [&, &place = building.path()]() -> Status {
    FIDUCIA_CHECK(LocalJournal::create(place, origin));
    FIDUCIA_TRY(journal, LocalJournal::open(place));
    return create(LogParts{
        .store = std::make_shared<DirectoryStore>(place),
        .sequencer = std::move(journal),
        .origin = origin,
        // The log that is made ends before this function does.
        .key = std::shared_ptr<const crypto::SigningKey>{std::shared_ptr<const void>{}, &key},
        .clock = [now] { return now; }});
  };
  FIDUCIA_CHECK(build());
  if (::chmod(building.path().c_str(), 0755) != 0) return fail_unwritable(target, errno);
  const int number = building.move_to_place();
  if (number == ENOTEMPTY || number == EEXIST)  // somebody else was faster
    return fail(ErrorCode::exists, "There is a log already.", "Name a new or empty folder.",
                Location{.file = folder.string()});
  if (number != 0) return fail_unwritable(target, number);
  return sync_folder(parent);
}

Result<Log> Log::open(const fs::path& folder, std::shared_ptr<const crypto::SigningKey> key,
                      Clock clock, bool clock_is_right) {
  FIDUCIA_CHECK(check_key(*key));
  FIDUCIA_TRY(journal, LocalJournal::open(folder));
  // Of a process that was killed; the journal's lock keeps everybody else away.
  remove_temporaries(folder, [](std::string_view target) {
    return target == checkpoint_file || target == signed_root_file;
  });
  std::string origin = journal->origin();
  auto log = open(LogParts{.store = std::make_shared<DirectoryStore>(folder),
                           .sequencer = std::move(journal),
                           .origin = std::move(origin),
                           .key = std::move(key),
                           .clock = std::move(clock),
                           .clock_is_right = clock_is_right});
  if (!log) return below(DirectoryStore{folder}, std::move(log).error());
  return log;
}

Result<Log> Log::open(LogParts parts) {
  FIDUCIA_CHECK(check_key(*parts.key));
  auto state = std::make_unique<State>(std::move(parts));
  FIDUCIA_CHECK(state->open());
  return Log{std::move(state)};
}

namespace {

/// Whether the kernel's clock is kept by time servers, and is the one that said `now`.
bool is_synchronised(UnixTime now) {
  constexpr std::int64_t apart_seconds_max = 60;
  struct timex kernel = {};
  const int state = ::adjtimex(&kernel);
  return state >= 0 && state != TIME_ERROR && (kernel.status & STA_UNSYNC) == 0 &&
         std::abs(kernel.time.tv_sec - now.seconds) <= apart_seconds_max;
}

}  // namespace

Status check_clock_ahead(UnixTime newest, UnixTime now, bool clock_is_right) {
  if (clock_is_right || now.seconds - newest.seconds <= limits::ledger_clock_ahead_seconds_max ||
      is_synchronised(now))
    return {};
  return fail(ErrorCode::clock_invalid,
              "The clock says " + to_rfc3339(now) +
                  ", more than a day after the newest checkpoint (" + to_rfc3339(newest) +
                  "), and no time server vouches for it.",
              "If it is right, and nothing was sealed meanwhile, go on with `fiducia seal "
              "--clock-is-right`; a wrong one would date seals, and forbid right ones until then.");
}

Result<std::vector<ledger_format::Appended>> Log::append(std::span<const Bytes> entries) {
  if (entries.empty()) return std::vector<ledger_format::Appended>{};
  FIDUCIA_TRY(bytes, check_entries(entries));
  Request request{.entries = entries, .bytes = bytes};
  request.leaves.resize(entries.size());
  merkle::leaf_hashes(std::vector<ByteView>{entries.begin(), entries.end()}, request.leaves);
  bool leads = false;
  {
    const MutexLock guard{state_->mutex};
    state_->waiting.push_back(&request);
    leads = !std::exchange(state_->leading, true);
  }
  // A leader always ends and calls the next one, so waiting needs no timeout.
  if (leads || request.bell.wait() == Call::lead) state_->lead(request);
  if (request.error) return std::unexpected(std::move(*request.error));
  return answer_request(request, state_->publisher, state_->store);
}

Status Log::flush() {
  std::uint64_t size = 0;
  {
    const MutexLock guard{state_->mutex};
    size = state_->status.tree_size;
  }
  return state_->publisher.wait_for(size);
}

Status Log::publish_cosigned(const std::string& note) {
  FIDUCIA_CHECK(flush());
  return state_->publisher.publish_cosigned(note);
}

std::string Log::checkpoint() const {
  const MutexLock guard{state_->mutex};
  return *state_->note;
}

LogStatus Log::status() const {
  const MutexLock guard{state_->mutex};
  return state_->status;
}

}  // namespace fiducia::ledger
