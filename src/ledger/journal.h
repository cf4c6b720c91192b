// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <filesystem>

#include "core/core.h"
#include "ledger/sequencer.h"

namespace fiducia::ledger {

inline constexpr const char* journal_folder = ".journal";  // below the log's folder, mode 0700

/// The sequencer of one process: a write-ahead journal in a local folder (spec/ledger.md 5).
///
/// A segment is a file `NNNNNNNN` of 512-byte blocks, filled with zeroes beforehand so that a
/// commit changes no metadata: its first record holds the tree it begins with, each further one
/// a round; a commit is one write and one fdatasync. A full segment is followed by one that
/// begins with the tree of that moment; the older one goes when all its rounds are in the store
/// and the store is synced.
///
/// What a crash leaves: the last record may be torn. It was not acknowledged and is dropped. A
/// broken record that is followed by a good one is damage: nothing is opened. After a crash, and
/// after a failed write, the segment is written anew before anything builds upon it: what can be
/// read back need not be on the disk.
class LocalJournal final : public Sequencer {
 public:
  struct Options {
    std::uint64_t segment_bytes_min = limits::ledger_segment_bytes_min;
    std::uint64_t segment_bytes_max = limits::ledger_segment_bytes_max;
    std::uint32_t lock_timeout_ms = limits::ledger_lock_timeout_ms;  // of `open`
  };
  /// Makes the journal of an empty log; `folder` must exist and hold none. Errors: io_unwritable,
  /// exists.
  [[nodiscard]] static Status create(const std::filesystem::path& folder,
                                     const std::string& origin);
  /// Opens the journal in `folder` (the log's) and locks it until destruction. Errors: busy,
  /// io_unreadable (there is none), io_unwritable, malformed (kind "journal").
  [[nodiscard]] static Result<std::unique_ptr<LocalJournal>> open(
      const std::filesystem::path& folder, const Options& options);
  [[nodiscard]] static Result<std::unique_ptr<LocalJournal>> open(
      const std::filesystem::path& folder) {
    return open(folder, Options{});
  }
  /// Marks the journal as closed in good order, if it is: the next opening is then quick.
  ~LocalJournal() override;
  LocalJournal(const LocalJournal&) = delete;
  LocalJournal& operator=(const LocalJournal&) = delete;

  [[nodiscard]] const std::string& origin() const { return origin_; }

  [[nodiscard]] Result<News> take_turn(std::uint64_t known_size) override;
  [[nodiscard]] Status commit(const Round& round, const Tail& before,
                              const std::function<void()>& meanwhile) override;
  void abandon() noexcept override;
  [[nodiscard]] Result<News> take_publishing(std::uint64_t known_size) override;
  [[nodiscard]] Status published(const Tail& tail, const std::function<Status()>& sync) override;
  void abandon_publishing() noexcept override;

 private:
  struct Segment;
  LocalJournal(std::filesystem::path folder, FileLock lock, const Options& options);
  [[nodiscard]] Status load() FIDUCIA_REQUIRES(mutex_);
  [[nodiscard]] Status begin_segment(const Tail& base, std::span<const Round> rounds);
  [[nodiscard]] Status remove_older(std::uint64_t number);
  [[nodiscard]] News news_behind(std::uint64_t known_size) const FIDUCIA_REQUIRES(mutex_);
  void mark_closed() noexcept;

  // Set at open and not changed.
  const std::filesystem::path folder_;  // .journal
  const FileLock lock_;
  const Options options_;
  std::string origin_;

  mutable Mutex mutex_;
  Condition changed_;
  bool appending_ FIDUCIA_GUARDED_BY(mutex_) = false;   // the turn to append is taken
  bool publishing_ FIDUCIA_GUARDED_BY(mutex_) = false;  // the turn to publish is taken
  bool broken_ FIDUCIA_GUARDED_BY(mutex_) =
      false;  // a commit failed: what the segment holds must be read back
  bool marked_ FIDUCIA_GUARDED_BY(mutex_) =
      false;  // the last record says that the journal was closed in good order
  std::uint64_t newest_ FIDUCIA_GUARDED_BY(mutex_) = 0;  // number of segment_
  std::uint64_t newest_base_ FIDUCIA_GUARDED_BY(mutex_) =
      0;  // leaves of the tree that segment_ begins with
  Tail base_
      FIDUCIA_GUARDED_BY(mutex_);  // the tree that rounds_ build upon: all of it is published
  std::vector<Round> rounds_ FIDUCIA_GUARDED_BY(mutex_);  // committed and not published, in order

  // Owned by whoever has the turn to publish, and by load().
  std::uint64_t oldest_ = 0;       // number of the oldest segment that is kept
  bool removed_unsynced_ = false;  // the name of the one before it is gone, perhaps not for good

  // Owned by whoever has the turn to append, and by load().
  std::unique_ptr<Segment> segment_;
};

}  // namespace fiducia::ledger
