// SPDX-License-Identifier: Apache-2.0
#include "ledger/log.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <condition_variable>
#include <cstdio>
#include <deque>
#include <mutex>

#include "ledger/commit.h"
#include "ledger/head.h"
#include "merkle/merkle.h"

namespace fiducia::ledger {
namespace {

namespace fs = std::filesystem;

Status check_key(const crypto::PrivateKey& key) {
  if (key.public_key().kind() == crypto::KeyKind::ed25519) return {};
  return fail(ErrorCode::unsupported, "A log is signed with an Ed25519 key.",
              "Make an Ed25519 key for the log.");
}

std::string vkey_of(const std::string& origin, const crypto::PrivateKey& key) {
  return write_vkey(make_vkey(origin, NoteKeyType::ed25519, key.public_key().write_ed25519()));
}

/// The first entry of every log: it names no statement, and as its signer the log itself.
Bytes genesis_entry(const std::string& origin, const crypto::PrivateKey& key, UnixTime now) {
  return write_entry({.type = EntryType::genesis,
                      .sign1_hash = {},
                      .signer_hash = crypto::sha256(as_bytes(vkey_of(origin, key))),
                      .claimed_at = now});
}

std::unexpected<Error> unwritable(const fs::path& path, const std::string& why) {
  return fail(ErrorCode::io_unwritable, "cannot be written: " + why + ".",
              "Check free space and the permissions of the folder.",
              Location{.file = path.string()});
}

/// Everything that one append waits for.
struct Request {
  std::span<const Bytes> entries;
  bool done = false;
  Result<std::vector<Appended>> answer{};
};

std::vector<Appended> answer_request(const Committed& committed, std::uint64_t first,
                                     std::size_t count) {
  const RootRecord& record = *committed.tail.record;
  std::vector<Appended> answers;
  answers.reserve(count);
  for (std::uint64_t index = first; index < first + count; ++index) {
    const auto path =
        inclusion_path(*committed.tree, committed.tree->edge(), index, record.tree_size);
    FIDUCIA_ASSERT(path.has_value());  // a grown tree holds every node its new leaves need
    answers.push_back({.index = index,
                       .tree_size = record.tree_size,
                       .receipt = write_receipt(record.signed_root, record.tree_size, index, *path),
                       .checkpoint_at = record.issued_at});
  }
  return answers;
}

}  // namespace

struct Log::State {
  State(fs::path log_folder, std::string log_origin, crypto::PrivateKey log_key, Clock log_clock,
        FileLock log_lock)
      : key(std::move(log_key)),
        writer{.folder = std::move(log_folder), .origin = std::move(log_origin), .key = &key},
        clock(std::move(log_clock)),
        lock(std::move(log_lock)) {}

  // Set at open and not changed.
  const crypto::PrivateKey key;
  const Writer writer;
  const Clock clock;
  const FileLock lock;

  // Owned by the thread that leads a round (`leading`); nobody else reads them.
  Tail tail;
  bool needs_recovery = false;  // a commit failed after its root may have reached the disk

  std::mutex mutex;  // guards what follows
  std::condition_variable changed;
  std::deque<Request*> waiting;
  bool leading = false;
  LogStatus status;
  std::string note;

  void publish() {
    const std::lock_guard guard{mutex};
    status = {.origin = writer.origin,
              .tree_size = tail.record->tree_size,
              .root = tail.record->root,
              .checkpoint_at = tail.record->issued_at,
              .vkey = vkey_of(writer.origin, key)};
    note = tail.note;
  }

  std::vector<Request*> take_round();
  Status recover_if_needed();
  Status run_round(std::span<Request* const> round);
  void lead(std::unique_lock<std::mutex>& guard);
};

/// As many waiting requests as one round takes, at least one. Called with `mutex` held.
std::vector<Request*> Log::State::take_round() {
  std::vector<Request*> round;
  std::size_t entries = 0;
  while (!waiting.empty() && (round.empty() || entries + waiting.front()->entries.size() <=
                                                   limits::ledger_round_entries_max)) {
    entries += waiting.front()->entries.size();
    round.push_back(waiting.front());
    waiting.pop_front();
  }
  return round;
}

Status Log::State::recover_if_needed() {
  if (!needs_recovery) return {};
  auto recovered = recover(writer);
  if (!recovered) return below(writer.folder, std::move(recovered).error());
  tail = std::move(*recovered);
  needs_recovery = false;
  publish();
  return {};
}

/// One set of files, one signature, one checkpoint for all requests of the round.
Status Log::State::run_round(std::span<Request* const> round) {
  FIDUCIA_CHECK(recover_if_needed());
  std::vector<ByteView> entries;
  for (const Request* request : round)
    entries.insert(entries.end(), request->entries.begin(), request->entries.end());
  Reached reached = Reached::nothing;
  auto committed = commit(writer, tail, entries, clock(), reached);
  if (!committed) {
    needs_recovery = reached == Reached::record;
    return std::unexpected(std::move(committed).error());
  }
  std::uint64_t first = tail.frontage.size;
  tail = committed->tail;
  publish();
  for (Request* request : round) {
    request->answer = answer_request(*committed, first, request->entries.size());
    first += request->entries.size();
  }
  return {};
}

/// Runs one round for whoever waits. Called and returns with `guard` locked.
void Log::State::lead(std::unique_lock<std::mutex>& guard) {
  leading = true;
  const std::vector<Request*> round = take_round();
  guard.unlock();
  const std::uint64_t before = tail.frontage.size;
  const Status ran = run_round(round);
  guard.lock();
  for (Request* request : round) {
    if (!ran) request->answer = std::unexpected(ran.error());
    request->done = true;
  }
  changed.notify_all();
  if (before / tile_width != tail.frontage.size / tile_width) {
    // After the answer: nobody waits for a few hundred names to be unlinked.
    const std::uint64_t size = tail.frontage.size;
    guard.unlock();
    remove_superseded(writer.folder, before, size);
    guard.lock();
  }
  leading = false;
  changed.notify_all();
}

Log::Log(std::unique_ptr<State> state) : state_(std::move(state)) {}
Log::Log(Log&&) noexcept = default;
Log& Log::operator=(Log&&) noexcept = default;
Log::~Log() = default;

Status Log::create(const fs::path& folder, const std::string& origin, const crypto::PrivateKey& key,
                   UnixTime now) {
  FIDUCIA_CHECK(check_key(key));
  std::error_code error;
  if (fs::exists(folder / checkpoint_file, error) ||
      (fs::exists(folder, error) && !fs::is_empty(folder, error)))
    return fail(ErrorCode::conflict, "There is a log or something else already.",
                "Name a new or empty folder.", Location{.file = folder.string()});
  const fs::path target = folder.has_filename() ? folder : folder.parent_path();
  const fs::path parent = target.has_parent_path() ? target.parent_path() : fs::path{"."};
  fs::create_directories(parent, error);
  if (error) return unwritable(parent, error.message());
  // The log is made beside its place and moved there whole: no half-written log can be seen.
  std::string building = (parent / ("." + target.filename().string() + ".XXXXXX")).string();
  if (::mkdtemp(building.data()) == nullptr)
    return unwritable(parent, std::generic_category().message(errno));
  const auto give_up = [&](Error failed) -> Status {
    std::error_code ignored;
    fs::remove_all(building, ignored);
    return std::unexpected(std::move(failed));
  };
  const Writer writer{.folder = building, .origin = origin, .key = &key};
  const Bytes genesis = genesis_entry(origin, key, now);
  const ByteView entry = genesis;
  Reached reached = Reached::nothing;
  if (auto committed = commit(writer, Tail{}, std::span{&entry, 1}, now, reached); !committed)
    return give_up(std::move(committed).error());
  if (::chmod(building.c_str(), 0755) != 0 || ::rename(building.c_str(), target.c_str()) != 0) {
    const int number = errno;
    if (number == ENOTEMPTY || number == EEXIST)  // somebody else was faster
      return give_up(fail(ErrorCode::conflict, "There is a log already.",
                          "Name a new or empty folder.", Location{.file = folder.string()})
                         .error());
    return give_up(unwritable(target, std::generic_category().message(number)).error());
  }
  return sync_folder(parent);
}

namespace {

/// The origin is the first line of the checkpoint; whether the key signed it, recovery checks.
Result<std::string> read_origin(const fs::path& folder) {
  FIDUCIA_TRY(bytes, read_file(folder / checkpoint_file, limits::note_bytes_max));
  const std::string_view text = as_text(bytes);
  return std::string{text.substr(0, text.find('\n'))};
}

}  // namespace

Result<Log> Log::open(const fs::path& folder, crypto::PrivateKey key, Clock clock) {
  FIDUCIA_CHECK(check_key(key));
  FIDUCIA_TRY(origin, read_origin(folder));
  FIDUCIA_TRY(lock, FileLock::acquire(folder / lock_file, limits::ledger_lock_timeout_ms));
  auto state = std::make_unique<State>(folder, std::move(origin), std::move(key), std::move(clock),
                                       std::move(lock));
  state->needs_recovery = true;
  FIDUCIA_CHECK(state->recover_if_needed());
  return Log{std::move(state)};
}

Result<std::vector<Appended>> Log::append(std::span<const Bytes> entries) {
  if (entries.empty()) return std::vector<Appended>{};
  for (const Bytes& entry : entries)
    if (entry.size() > limits::ledger_entry_bytes_max)
      return fail(ErrorCode::over_limit,
                  "A ledger entry of " + std::to_string(entry.size()) + " bytes is longer than " +
                      std::to_string(limits::ledger_entry_bytes_max) + ".",
                  "Append a hash of the content instead.");
  Request request{.entries = entries};
  std::unique_lock guard{state_->mutex};
  state_->waiting.push_back(&request);
  // Whoever finds nobody leading leads a round for all that wait; its own request may need
  // another round if the queue was long. A leader always ends, so waiting needs no timeout.
  while (!request.done) {
    if (state_->leading)
      state_->changed.wait(guard);
    else
      state_->lead(guard);
  }
  return std::move(request.answer);
}

std::string Log::checkpoint() const {
  const std::lock_guard guard{state_->mutex};
  return state_->note;
}

LogStatus Log::status() const {
  const std::lock_guard guard{state_->mutex};
  return state_->status;
}

}  // namespace fiducia::ledger
