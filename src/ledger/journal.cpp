// SPDX-License-Identifier: Apache-2.0
#include "ledger/journal.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <chrono>

#include "core/descriptor.h"
#include "ledger/head.h"

namespace fiducia::ledger {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t block_bytes = 512;  // what a disk writes whole
constexpr std::size_t header_bytes = 64;
constexpr std::array<std::byte, 4> magic{std::byte{'F'}, std::byte{'J'}, std::byte{'R'},
                                         std::byte{'1'}};
constexpr std::size_t segment_id_bytes = 16;
constexpr std::uint64_t segment_read_bytes_max =
    limits::ledger_round_bytes_max + limits::ledger_tail_bytes_max + (1ULL << 20);
constexpr std::uint64_t journal_version = 1;
constexpr const char* new_segment_name = "new";
constexpr std::chrono::milliseconds turn_timeout{limits::ledger_lock_timeout_ms};

enum class RecordKind : std::uint32_t { base = 1, round = 2, closed = 3 };

using SegmentId = std::array<std::byte, segment_id_bytes>;

std::uint64_t blocks(std::uint64_t bytes) {
  return (bytes + block_bytes - 1) / block_bytes * block_bytes;
}

std::unexpected<Error> damaged(const fs::path& path, std::string what,
                               std::optional<std::uint64_t> offset = {}) {
  return std::unexpected(
      Error{.code = ErrorCode::malformed,
            .what = std::move(what),
            .remedy = "Restore the log's folder from a backup or a mirror; nothing was changed.",
            .where = {.file = path.string(), .offset = offset},
            .kind = "journal"});
}

Digest check_of(const SegmentId& id, ByteView numbers, ByteView payload) {
  const std::array<ByteView, 3> parts{ByteView{id}, numbers, payload};
  return crypto::sha256(parts);
}

/// One record with its padding. The check of a base record covers no id: it brings the id.
Bytes write_record(RecordKind kind, const SegmentId& id, std::uint64_t sequence, ByteView payload) {
  Bytes out;
  out.reserve(blocks(header_bytes + payload.size()));
  append(out, magic);
  append_be(out, static_cast<std::uint32_t>(kind));
  append_be(out, sequence);
  append_be(out, std::uint64_t{payload.size()});
  append(out, check_of(id, ByteView{out}, payload).view());
  out.resize(header_bytes);
  append(out, payload);
  out.resize(blocks(out.size()));
  return out;
}

struct RawRecord {
  RecordKind kind = RecordKind::base;
  ByteView payload;
  std::uint64_t end = 0;  // offset of the block behind it
};

bool has_magic(ByteView segment, std::uint64_t offset) {
  return segment.size() - offset >= header_bytes &&
         std::equal(magic.begin(), magic.end(),
                    segment.begin() + static_cast<std::ptrdiff_t>(offset));
}

/// The record at `offset` if one with this sequence number, or a later one, stands there whole.
std::optional<RawRecord> find_record_at(ByteView segment, std::uint64_t offset, const SegmentId& id,
                                        std::uint64_t sequence, bool or_later) {
  if (offset >= segment.size() || !has_magic(segment, offset)) return std::nullopt;
  ByteCursor cursor{segment.subspan(static_cast<std::size_t>(offset))};
  const auto numbers = cursor.take(magic.size() + 4 + 8 + 8);
  ByteCursor fields{numbers->subspan(magic.size())};
  const std::uint32_t kind = fields.be<std::uint32_t>().value();
  const std::uint64_t found_sequence = fields.be<std::uint64_t>().value();
  const std::uint64_t length = fields.be<std::uint64_t>().value();
  const auto check = cursor.take(sizeof(Digest));
  const auto padding = cursor.take(header_bytes - numbers->size() - sizeof(Digest));
  if (!check || !padding || kind < 1 || kind > 3) return std::nullopt;
  if (or_later ? found_sequence < sequence : found_sequence != sequence) return std::nullopt;
  const auto payload = cursor.take(length);
  if (!payload || !same_bytes(check_of(id, *numbers, *payload).view(), *check)) return std::nullopt;
  return RawRecord{.kind = static_cast<RecordKind>(kind),
                   .payload = *payload,
                   .end = offset + blocks(header_bytes + length)};
}

Bytes write_base(const SegmentId& id, const std::string& origin, const Tail& tail) {
  crypto::CborWriter writer;
  writer.array(4);
  writer.uint(journal_version);
  writer.bytes(id);
  writer.text(origin);
  writer.bytes(write_tail(tail));
  return writer.take();
}

struct Base {
  SegmentId id{};
  std::string origin;
  Tail tail;
};

Result<Base> read_base(ByteView payload) {
  crypto::CborReader reader{payload};
  Base base;
  FIDUCIA_TRY(fields, reader.array());
  FIDUCIA_TRY(version, reader.uint());
  FIDUCIA_TRY(id, reader.bytes());
  FIDUCIA_TRY(origin, reader.text());
  FIDUCIA_TRY(encoded, reader.bytes());
  FIDUCIA_CHECK(reader.finish());
  if (fields != 4 || version != journal_version || id.size() != base.id.size())
    return fail_malformed("journal", "The segment is of another version than 1.");
  std::copy(id.begin(), id.end(), base.id.begin());
  base.origin = std::string{origin};
  FIDUCIA_TRY(tail, read_tail(encoded));
  base.tail = std::move(tail);
  return base;
}

/// Names this run of the machine: what a process wrote before is still there if it is the same.
std::string boot_id() {
  const auto bytes = read_file("/proc/sys/kernel/random/boot_id", 64);
  return bytes ? std::string{as_text(*bytes)} : std::string{};
}

Bytes write_closed(const Tail& tail) {
  crypto::CborWriter writer;
  writer.array(2);
  writer.text(boot_id());
  writer.bytes(write_tail(tail));
  return writer.take();
}

/// The tree at the end of a segment that was closed in good order since the machine started.
std::optional<Tail> read_closed(ByteView payload) {
  crypto::CborReader reader{payload};
  const auto fields = reader.array();
  const auto boot = fields && *fields == 2 ? reader.text() : std::unexpected(Error{});
  if (!boot || boot->empty() || *boot != boot_id()) return std::nullopt;
  const auto encoded = reader.bytes();
  if (!encoded) return std::nullopt;
  auto tail = read_tail(*encoded);
  if (!tail) return std::nullopt;
  return std::move(*tail);
}

Status write_at(int fd, std::uint64_t offset, ByteView bytes, const fs::path& path) {
  while (!bytes.empty()) {
    const ssize_t n = ::pwrite(fd, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return fail_unwritable(path, n < 0 ? errno : ENOSPC);
    bytes = bytes.subspan(static_cast<std::size_t>(n));
    offset += static_cast<std::uint64_t>(n);
  }
  return {};
}

Status fill_with_zeroes(int fd, std::uint64_t from, std::uint64_t to, const fs::path& path) {
  const Bytes zeroes(1U << 20);
  for (std::uint64_t at = from; at < to;) {
    const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(zeroes.size(), to - at));
    FIDUCIA_CHECK(write_at(fd, at, ByteView{zeroes}.first(count), path));
    at += count;
  }
  return {};
}

std::string segment_name(std::uint64_t number) {
  std::string digits = std::to_string(number);
  return std::string(digits.size() < 8 ? 8 - digits.size() : 0, '0') + digits;
}

std::optional<std::uint64_t> segment_number(const std::string& name) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
  if (error != std::errc{} || end != name.data() + name.size() || name != segment_name(number))
    return std::nullopt;
  return number;
}

/// A segment as it was read: what it begins with and the rounds behind it.
struct ReadSegment {
  std::uint64_t number = 0;
  std::uint64_t capacity = 0;
  Base base;
  std::vector<Round> rounds;
  std::optional<Tail> closed;  // set when nothing has to be done: closed in good order
  std::uint64_t used = 0;
  std::uint64_t sequence = 0;  // of the next record
};

/// `only`: no other segment stands beside it. Else its rounds are needed also where it was closed:
/// the next segment follows the last of them.
Result<ReadSegment> read_segment(const fs::path& path, std::uint64_t number, bool only) {
  FIDUCIA_TRY(bytes, read_file(path, segment_read_bytes_max));
  ReadSegment segment;
  segment.number = number;
  segment.capacity = bytes.size();
  const auto first = find_record_at(bytes, 0, SegmentId{}, 0, false);
  if (!first || first->kind != RecordKind::base)
    return damaged(path, "The journal's segment does not begin with a tree.", 0);
  auto base = read_base(first->payload);
  if (!base) return damaged(path, base.error().what, 0);
  segment.base = std::move(*base);
  std::vector<ByteView> rounds;
  segment.used = first->end;
  for (segment.sequence = 1;; ++segment.sequence) {
    const auto record =
        find_record_at(bytes, segment.used, segment.base.id, segment.sequence, false);
    if (!record) break;
    segment.closed.reset();
    if (record->kind == RecordKind::round) rounds.push_back(record->payload);
    if (record->kind == RecordKind::closed) segment.closed = read_closed(record->payload);
    segment.used = record->end;
  }
  // A torn record is the last one. One that stands whole behind a broken one means damage.
  bool clean_behind = true;
  for (std::uint64_t at = segment.used; at < bytes.size(); at += block_bytes) {
    if (at == segment.used && bytes[static_cast<std::size_t>(at)] != std::byte{0})
      clean_behind = false;
    if (find_record_at(bytes, at, segment.base.id, segment.sequence, true))
      return damaged(path, "A broken record is followed by a good one.", segment.used);
  }
  if (!clean_behind || !only) segment.closed.reset();
  if (segment.closed) return segment;
  for (const ByteView encoded : rounds) {
    auto round = read_round(encoded);
    if (!round) return damaged(path, round.error().what);
    segment.rounds.push_back(std::move(*round));
  }
  return segment;
}

}  // namespace

struct LocalJournal::Segment {
  Segment(std::uint64_t segment_number, int descriptor, fs::path segment_path)
      : number(segment_number), fd(descriptor), path(std::move(segment_path)) {}
  Segment(const Segment&) = delete;
  Segment& operator=(const Segment&) = delete;
  ~Segment() { ::close(fd); }

  const std::uint64_t number;
  const int fd;
  const fs::path path;
  SegmentId id{};
  std::uint64_t capacity = 0;
  std::uint64_t used = 0;
  std::uint64_t sequence = 0;   // of the next record
  std::uint64_t base_size = 0;  // leaves of the tree it begins with
  bool retire = false;          // begin another one with the next round: opening reads less then
};

LocalJournal::LocalJournal(fs::path folder, FileLock lock, const Options& options)
    : folder_(std::move(folder)), lock_(std::move(lock)), options_(options) {}

LocalJournal::~LocalJournal() { mark_closed(); }

Status LocalJournal::create(const fs::path& folder, const std::string& origin) {
  const fs::path journal = folder / journal_folder;
  if (::mkdir(journal.c_str(), 0700) != 0) {
    if (errno != EEXIST) return fail_unwritable(journal, errno);
    return fail(ErrorCode::exists, "There is a journal already.", "Name a new or empty folder.",
                Location{.file = journal.string()});
  }
  FIDUCIA_TRY(lock, FileLock::acquire(folder / lock_file, limits::ledger_lock_timeout_ms));
  LocalJournal made{journal, std::move(lock), Options{}};
  made.origin_ = origin;
  const MutexLock guard{made.mutex_};
  FIDUCIA_CHECK(made.begin_segment(Tail{}, {}));
  made.oldest_ = made.newest_ = made.segment_->number;
  return sync_folder(folder);
}

Result<std::unique_ptr<LocalJournal>> LocalJournal::open(const fs::path& folder,
                                                         const Options& options) {
  const fs::path journal = folder / journal_folder;
  std::error_code error;
  if (!fs::is_directory(journal, error))
    return fail(ErrorCode::io_unreadable,
                "is missing: without its journal a ledger cannot tell what it has acknowledged.",
                "Restore the ledger's folder as a whole; a copy without the journal can be read "
                "and checked, not appended to.",
                Location{.file = journal.string()});
  FIDUCIA_TRY(lock, FileLock::acquire(folder / lock_file, options.lock_timeout_ms));
  std::unique_ptr<LocalJournal> opened{new LocalJournal{journal, std::move(lock), options}};
  const MutexLock guard{opened->mutex_};
  FIDUCIA_CHECK(opened->load());
  return opened;
}

/// Reads all segments and makes sure that what was read is on the disk.
Status LocalJournal::load() {
  std::error_code error;
  std::vector<std::uint64_t> numbers;
  for (const auto& file : fs::directory_iterator(folder_, error))
    if (const auto number = segment_number(file.path().filename().string()))
      numbers.push_back(*number);
  if (error || numbers.empty())
    return fail(ErrorCode::io_unreadable, "The journal has no segment.",
                "Restore the ledger's folder from a backup.", Location{.file = folder_.string()});
  std::ranges::sort(numbers);
  std::optional<ReadSegment> last;
  Tail base;
  std::vector<Round> rounds;
  for (const std::uint64_t number : numbers) {
    const fs::path path = folder_ / segment_name(number);
    FIDUCIA_TRY(segment, read_segment(path, number, numbers.size() == 1));
    const std::uint64_t start = segment.base.tail.frontage.size;
    if (!last) {
      base = segment.base.tail;
      origin_ = segment.base.origin;
    }
    // A segment follows the one before, or says again what it said: then it counts.
    while (!rounds.empty() && rounds.back().record.tree_size > start) rounds.pop_back();
    if (start < base.frontage.size) base = segment.base.tail;  // it reaches further back
    const std::uint64_t end = rounds.empty() ? base.frontage.size : rounds.back().record.tree_size;
    if (segment.base.origin != origin_ || start != end)
      return damaged(path, "The journal's segments do not follow each other.");
    std::ranges::move(segment.rounds, std::back_inserter(rounds));
    last = std::move(segment);
  }
  std::uint64_t size = base.frontage.size;
  for (const Round& round : rounds) {
    if (round.first != size)
      return damaged(folder_ / segment_name(last->number), "Rounds do not follow each other.");
    size = round.record.tree_size;
  }
  oldest_ = numbers.front();
  if (last->closed) {
    const fs::path path = folder_ / segment_name(last->number);
    const int fd = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
    if (fd < 0) return fail_unwritable(path, errno);
    segment_ = std::make_unique<Segment>(last->number, fd, path);
    segment_->id = last->base.id;
    segment_->capacity = last->capacity;
    segment_->used = last->used;
    segment_->sequence = last->sequence;
    segment_->base_size = last->base.tail.frontage.size;
    segment_->retire = last->used > options_.segment_bytes_min;
    newest_ = segment_->number;
    newest_base_ = segment_->base_size;
    base_ = std::move(*last->closed);
    rounds_.clear();
    broken_ = false;
    marked_ = true;
    return {};
  }
  const int fd = ::open((folder_ / segment_name(last->number)).c_str(), O_WRONLY | O_CLOEXEC);
  if (fd < 0) return fail_unwritable(folder_, errno);
  segment_ = std::make_unique<Segment>(last->number, fd, folder_ / segment_name(last->number));
  FIDUCIA_CHECK(begin_segment(base, rounds));
  FIDUCIA_CHECK(remove_older(segment_->number));
  newest_ = segment_->number;
  newest_base_ = segment_->base_size;
  base_ = std::move(base);
  rounds_ = std::move(rounds);
  broken_ = false;
  marked_ = false;
  return {};
}

/// Makes the next segment and moves over to it. On an error the present one stays.
Status LocalJournal::begin_segment(const Tail& base, std::span<const Round> rounds) {
  SegmentId id;
  FIDUCIA_CHECK(crypto::fill_random(id));
  Bytes content = write_record(RecordKind::base, SegmentId{}, 0, write_base(id, origin_, base));
  std::uint64_t sequence = 1;
  for (const Round& round : rounds)
    append(content, write_record(RecordKind::round, id, sequence++, write_round(round)));
  const std::uint64_t number = segment_ ? segment_->number + 1 : 1;
  const bool grows = segment_ && segment_->capacity != 0 && !segment_->retire;
  std::uint64_t capacity = grows ? std::min(options_.segment_bytes_max, 2 * segment_->capacity)
                                 : options_.segment_bytes_min;
  capacity = blocks(std::max<std::uint64_t>(capacity, content.size() + block_bytes));

  const fs::path building = folder_ / new_segment_name;
  const fs::path path = folder_ / segment_name(number);
  const int fd = ::open(building.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (fd < 0) return fail_unwritable(building, errno);
  auto next = std::make_unique<Segment>(number, fd, path);
  const auto make = [&]() -> Status {
    FIDUCIA_CHECK(write_at(fd, 0, content, path));
    FIDUCIA_CHECK(fill_with_zeroes(fd, content.size(), capacity, path));
    if (fsync(fd) != 0) return fail_unwritable(path, errno);
    if (::rename(building.c_str(), path.c_str()) != 0) return fail_unwritable(path, errno);
    return sync_folder(folder_);
  };
  if (Status made = make(); !made) {
    ::unlink(building.c_str());
    ::unlink(path.c_str());  // present only if its name could not be made durable
    return made;
  }
  next->id = id;
  next->capacity = capacity;
  next->used = content.size();
  next->sequence = sequence;
  next->base_size = base.frontage.size;
  segment_ = std::move(next);
  return {};
}

/// Removes the segments before `number`.
Status LocalJournal::remove_older(std::uint64_t number) {
  for (; oldest_ < number; ++oldest_) {
    // A segment may come back after a loss of power, but never without its successors: a gap
    // would look like damage.
    if (removed_unsynced_) FIDUCIA_CHECK(sync_folder(folder_));
    const fs::path path = folder_ / segment_name(oldest_);
    if (::unlink(path.c_str()) != 0 && errno != ENOENT) return fail_unwritable(path, errno);
    removed_unsynced_ = true;
  }
  return {};
}

News LocalJournal::news_behind(std::uint64_t known_size) const {
  News news;
  if (known_size < base_.frontage.size) news.base = base_;
  for (const Round& round : rounds_)
    if (round.first >= known_size) news.rounds.push_back(round);
  return news;
}

Result<News> LocalJournal::take_turn(std::uint64_t known_size) {
  MutexLock guard{mutex_};
  if (!changed_.wait_for(guard, turn_timeout,
                         [&]() FIDUCIA_REQUIRES(mutex_) { return !appending_; }))
    return fail(ErrorCode::busy, "Somebody else has been appending for too long.", "Try again.");
  if (broken_) {
    if (!changed_.wait_for(guard, turn_timeout,
                           [&]() FIDUCIA_REQUIRES(mutex_) { return !publishing_; }))
      return fail(ErrorCode::busy, "Somebody else has been publishing for too long.", "Try again.");
    FIDUCIA_CHECK(load());
  }
  appending_ = true;
  return news_behind(known_size);
}

Status LocalJournal::commit(const Round& round, const Tail& before,
                            const std::function<void()>& meanwhile) {
  // The turn owns the segment: the mutex is not held while the disk works.
  {
    const MutexLock guard{mutex_};
    FIDUCIA_ASSERT(appending_ && round.first == before.frontage.size);
  }
  Status done;
  const Bytes record =
      write_record(RecordKind::round, segment_->id, segment_->sequence, write_round(round));
  if (segment_->retire || record.size() > segment_->capacity - segment_->used) {
    done = begin_segment(before, std::span{&round, 1});
    if (done) meanwhile();
  } else {
    done = write_at(segment_->fd, segment_->used, record, segment_->path);
    if (done) {
      // A hint: the disk begins now. Whether it came to its end only fdatasync tells.
      (void)::sync_file_range(segment_->fd, static_cast<off_t>(segment_->used),
                              static_cast<off_t>(record.size()), SYNC_FILE_RANGE_WRITE);
      meanwhile();
    }
    if (done && fdatasync(segment_->fd) != 0) done = fail_unwritable(segment_->path, errno);
    if (done) {
      segment_->used += record.size();
      ++segment_->sequence;
    }
  }
  const MutexLock guard{mutex_};
  newest_ = segment_->number;
  newest_base_ = segment_->base_size;
  marked_ = false;
  if (done)
    rounds_.push_back(round);
  else
    broken_ = true;
  appending_ = false;
  changed_.notify_all();
  return done;
}

void LocalJournal::abandon() noexcept {
  const MutexLock guard{mutex_};
  appending_ = false;
  changed_.notify_all();
}

Result<News> LocalJournal::take_publishing(std::uint64_t known_size) {
  MutexLock guard{mutex_};
  if (!changed_.wait_for(guard, turn_timeout,
                         [&]() FIDUCIA_REQUIRES(mutex_) { return !publishing_; }))
    return fail(ErrorCode::busy, "Somebody else has been publishing for too long.", "Try again.");
  publishing_ = true;
  return news_behind(known_size);
}

Status LocalJournal::published(const Tail& tail, const std::function<Status()>& sync) {
  MutexLock guard{mutex_};
  std::erase_if(rounds_,
                [&](const Round& round) { return round.record.tree_size <= tail.frontage.size; });
  base_ = tail;
  // The newest segment begins with a tree that is in the store: the older ones can go.
  std::optional<std::uint64_t> keep;
  if (oldest_ < newest_ && newest_base_ <= tail.frontage.size) keep = newest_;
  Status done;
  if (keep) {
    guard.unlock();
    done = sync();
    if (done) done = remove_older(*keep);
    guard.lock();
  }
  publishing_ = false;
  changed_.notify_all();
  return done;
}

void LocalJournal::abandon_publishing() noexcept {
  const MutexLock guard{mutex_};
  publishing_ = false;
  changed_.notify_all();
}

void LocalJournal::mark_closed() noexcept {
  const MutexLock guard{mutex_};
  if (broken_ || marked_ || !segment_ || !rounds_.empty() || oldest_ != newest_) return;
  const Bytes record =
      write_record(RecordKind::closed, segment_->id, segment_->sequence, write_closed(base_));
  if (record.size() > segment_->capacity - segment_->used) return;  // read back next time
  // Not synced: if it does not reach the disk, the next opening has a little more to do.
  (void)write_at(segment_->fd, segment_->used, record, segment_->path);
}

}  // namespace fiducia::ledger
