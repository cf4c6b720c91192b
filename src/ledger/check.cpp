// SPDX-License-Identifier: Apache-2.0
// The whole log recomputed from its entries: several threads read and hash, one judges in order.
#include "ledger/check.h"

#include <algorithm>
#include <atomic>
#include <thread>

#include "ledger/head.h"
#include "ledger/tile_store.h"
#include "merkle/merkle.h"

namespace fiducia::ledger {
namespace {

/// Bundles that a thread takes at a time: 8,192 entries take some 2 ms to read and hash, against
/// which handing them over costs nothing.
constexpr std::uint64_t batch_bundles = 32;
/// Batches that may be under way for each thread. One slow read (a bucket, another server) must
/// not hold up the others; a finished batch is some 5 KiB.
constexpr std::uint64_t batches_ahead = 4;

LogCheck damage(std::string file, std::string text) {
  return {.ok = false, .damaged = std::move(file), .text = std::move(text)};
}

LogCheck damage(const Error& error) {
  return damage(error.where.file, error.where.file + ": " + error.what);
}

std::string path_of(unsigned level, std::uint64_t index, std::uint64_t size) {
  return ledger_format::tile_path(
      {.level = level, .index = index, .width = ledger_format::tile_width_at(level, index, size)});
}

/// What one bundle gave. Hashes are kept only where they are needed again.
struct HashedBundle {
  std::size_t entries = 0;
  Digest root;                 // of a full bundle
  std::optional<Error> error;  // bundle or leaf tile could not be read as such
  bool differs = false;        // from its leaf tile
  std::string path;            // of the bundle, where it differs
  std::vector<Digest> leaves;  // of a partial bundle, and where it differs
  std::vector<Digest> stored;  // the leaf tile, where it differs
};

HashedBundle hash_bundle(const ObjectSource& source, std::uint64_t index, std::uint64_t size) {
  HashedBundle hashed;
  auto bundle = read_bundle_at(source, index, size);
  if (!bundle) {
    hashed.error = std::move(bundle).error();
    return hashed;
  }
  std::vector<Digest> leaves(bundle->entries.size());
  merkle::leaf_hashes(bundle->entries, leaves);
  hashed.entries = leaves.size();
  auto stored = read_tile(source, 0, index, size);
  if (!stored) {
    hashed.error = std::move(stored).error();
    return hashed;
  }
  hashed.differs = *stored != leaves;
  const bool full = leaves.size() == ledger_format::tile_width;
  if (full) hashed.root = merkle::root(leaves);
  if (hashed.differs) {
    hashed.path = std::move(bundle->path);
    hashed.stored = std::move(*stored);
  }
  if (hashed.differs || !full) hashed.leaves = std::move(leaves);
  return hashed;
}

using Batch = std::vector<HashedBundle>;

/// Hashes batches on threads of its own and hands them out in order.
class BundleHashers {
 public:
  /// `source` outlives this. Bundles [first, end) of the tree of `size` leaves.
  BundleHashers(const ObjectSource& source, std::uint64_t size, std::uint64_t first,
                std::uint64_t end, unsigned workers)
      : source_(source),
        size_(size),
        first_(first),
        end_(end),
        batches_((end - first + batch_bundles - 1) / batch_bundles),
        hashed_(std::max(1U, workers) * batches_ahead) {
    // For a batch or two a thread costs more than it brings.
    if (workers < 2 || batches_ < 3) return;
    for (unsigned i = 0; i < workers; ++i)
      threads_.emplace_back([this](const std::stop_token& stop) { run(stop); });
  }
  ~BundleHashers() {
    for (std::jthread& thread : threads_) thread.request_stop();  // it wakes those that wait
  }
  BundleHashers(const BundleHashers&) = delete;
  BundleHashers& operator=(const BundleHashers&) = delete;

  /// The next batch; absent after the last.
  [[nodiscard]] std::optional<Batch> next() {
    if (taken_ == batches_) return std::nullopt;
    const std::uint64_t number = taken_++;
    return threads_.empty() ? hash(number) : hashed_.take();
  }

 private:
  [[nodiscard]] Batch hash(std::uint64_t number) const {
    Batch batch;
    const std::uint64_t first = first_ + number * batch_bundles;
    const std::uint64_t end = std::min(first + batch_bundles, end_);
    batch.reserve(static_cast<std::size_t>(end - first));
    for (std::uint64_t index = first; index < end; ++index)
      batch.push_back(hash_bundle(source_, index, size_));
    return batch;
  }

  void run(const std::stop_token& stop) {
    for (std::uint64_t number = started_++; number < batches_; number = started_++) {
      if (!hashed_.wait_for_room(number, stop)) return;
      hashed_.put(number, hash(number));
    }
  }

  const ObjectSource& source_;
  const std::uint64_t size_;
  const std::uint64_t first_;
  const std::uint64_t end_;
  const std::uint64_t batches_;

  OrderedQueue<Batch> hashed_;
  std::atomic<std::uint64_t> started_ = 0;  // by the threads
  std::uint64_t taken_ = 0;                 // by the one who calls next()
  std::vector<std::jthread> threads_;       // last: joined before anything else goes
};

/// The judging of all bundles in order. Memory: the rows of one tile for each level.
class Pass {
 public:
  Pass(const ObjectSource& source, const ledger_format::Checkpoint& checkpoint,
       const CheckState* from)
      : source_(source), size_(checkpoint.tree_size), root_(checkpoint.root) {
    if (from != nullptr) {
      bundles_ = from->bundles;
      levels_ = from->levels;
    }
    if (levels_.empty()) levels_.emplace_back();
  }
  [[nodiscard]] std::uint64_t bundles() const { return bundles_; }  // full ones, checked
  [[nodiscard]] std::uint64_t entries() const {
    return bundles_ * ledger_format::tile_width + levels_[0].size();
  }
  [[nodiscard]] const std::vector<std::vector<Digest>>& levels() const { return levels_; }

  /// Judges the next bundle. Absent when it fits.
  std::optional<LogCheck> add(HashedBundle&& bundle) {
    if (bundle.error) return damage(*bundle.error);
    if (bundle.differs) return blame(bundle);
    if (bundle.entries < ledger_format::tile_width) {
      levels_[0] = std::move(bundle.leaves);
      return std::nullopt;
    }
    const std::uint64_t index = bundles_++;
    return add_hash(1, index, bundle.root);
  }

  /// Partial tiles above level 0, and the root.
  std::optional<LogCheck> check_edge() {
    for (unsigned level = 1; level < levels_.size(); ++level) {
      const std::uint64_t index =
          ledger_format::shifted_right(size_, ledger_format::tile_height * (level + 1));
      if (levels_[level].empty()) continue;
      if (auto found = check_tile(level, index)) return found;
    }
    if (ledger_format::root_of_levels(levels_) == root_) return std::nullopt;
    return damage(checkpoint_file,
                  "checkpoint: Entries and tiles fit each other, but not the signed root.");
  }

 private:
  std::optional<LogCheck> check_tile(unsigned level, std::uint64_t index) {
    const auto stored = read_tile(source_, level, index, size_);
    if (!stored) return damage(stored.error());
    if (*stored == levels_[level]) return std::nullopt;
    const std::string path = path_of(level, index, size_);
    return damage(path, path + ": The tile is not what the entries give.");
  }

  /// Takes hash `index` of `level`, the root of a full tile below; checks each tile that is full.
  std::optional<LogCheck> add_hash(unsigned level, std::uint64_t index, Digest hash) {
    for (;; ++level, index >>= ledger_format::tile_height) {
      if (levels_.size() <= level) levels_.emplace_back();
      std::vector<Digest>& row = levels_[level];
      row.push_back(hash);
      if (row.size() < ledger_format::tile_width) return std::nullopt;
      if (auto found = check_tile(level, index >> ledger_format::tile_height)) return found;
      hash = merkle::root(row);
      row.clear();
    }
  }

  /// Entries and leaf tile differ; whichever leads to what is known above is the good one.
  LogCheck blame(const HashedBundle& bundle) {
    const std::uint64_t index = bundles_;
    const std::string leaf_tile = path_of(0, index, size_);
    bool entries_good = false;
    if (bundle.entries == ledger_format::tile_width) {
      const auto above = read_tile(source_, 1, index / ledger_format::tile_width, size_);
      entries_good = above && (*above)[index % ledger_format::tile_width] == bundle.root;
    } else {
      std::vector<std::vector<Digest>> levels = levels_;  // the partial bundle is the last one
      levels[0] = bundle.leaves;
      entries_good = ledger_format::root_of_levels(levels) == root_;
    }
    if (entries_good)
      return damage(leaf_tile, leaf_tile + ": The tile is not what the entries give.");
    std::size_t i = 0;
    while (i < bundle.leaves.size() && bundle.leaves[i] == bundle.stored[i]) ++i;
    LogCheck found = damage(bundle.path, bundle.path + ": Entry " +
                                             std::to_string(index * ledger_format::tile_width + i) +
                                             " does not hash to its leaf in the tree.");
    found.entries_checked = i;  // of this bundle
    return found;
  }

  const ObjectSource& source_;
  const std::uint64_t size_;
  const Digest root_;
  std::uint64_t bundles_ = 0;
  std::vector<std::vector<Digest>> levels_;  // as in CheckState; level 0: of the partial bundle
};

std::unexpected<Error> unfit(std::string what) {
  return fail(ErrorCode::usage_invalid, std::move(what),
              "Name another file to keep the state in, or remove this one to check from the "
              "beginning.");
}

/// `source` for a TileStore that does not outlive it.
std::shared_ptr<const ObjectSource> borrow(const ObjectSource& source) {
  return {std::shared_ptr<void>{}, &source};
}

/// Whether the check may go on from `from`. False when the tiles that would tell are damaged: a
/// check from the beginning then names the first of them.
Result<bool> fits(const CheckState& from, const ObjectSource& source,
                  const ledger_format::Checkpoint& checkpoint,
                  const ledger_format::VerifierKey& key) {
  if (from.origin != checkpoint.origin)
    return unfit("The saved check is of the ledger " + from.origin + ", and this is " +
                 checkpoint.origin + ".");
  if (from.vkey != ledger_format::write_vkey(key))
    return unfit("The saved check is of a log with another key.");
  const std::uint64_t size = from.bundles * ledger_format::tile_width;
  if (size > checkpoint.tree_size)
    return unfit("The saved check saw " + std::to_string(size) + " entries, and the log has " +
                 std::to_string(checkpoint.tree_size) + ".");
  if (size == 0) return true;
  const auto tiles = TileStore::open(borrow(source), checkpoint.tree_size, checkpoint.root);
  if (!tiles) return false;
  const auto edge = ledger_format::read_edge(*tiles, size);
  if (!edge) return false;
  if (edge->back() != from.root)
    return unfit("The saved check saw other entries than the first " + std::to_string(size) +
                 " of this log.");
  return true;
}

/// The tree must have had the root that the record before the current one signed.
std::optional<LogCheck> check_earlier(const ObjectSource& source,
                                      const ledger_format::Checkpoint& checkpoint,
                                      const ledger_format::RootRecord& earlier) {
  const LogCheck unlike = damage(
      signed_root_file, "signed-root.cbor: The earlier signed root is not one this log has had.");
  if (earlier.tree_size == 0 || earlier.tree_size > checkpoint.tree_size) return unlike;
  const auto tiles = TileStore::open(borrow(source), checkpoint.tree_size, checkpoint.root);
  if (!tiles) return damage(tiles.error());
  const auto edge = ledger_format::read_edge(*tiles, earlier.tree_size);
  if (!edge) return damage(edge.error());
  if (edge->back() != earlier.root) return unlike;
  return std::nullopt;
}

/// One check: what it is of, and what it came to.
class Check {
 public:
  Check(const ObjectSource& source, const HeadAndRecords& head,
        const ledger_format::VerifierKey& key, const CheckOptions& options, const CheckState* from)
      : source_(source),
        head_(head),
        key_(key),
        options_(options),
        resumed_(from != nullptr ? from->bundles * ledger_format::tile_width : 0),
        pass_(source, head.head.checkpoint, from) {}

  Result<LogCheck> run() {
    const std::uint64_t size = checkpoint().tree_size;
    const std::uint64_t end =
        size / ledger_format::tile_width + (size % ledger_format::tile_width != 0 ? 1 : 0);
    BundleHashers hashers{source_, size, pass_.bundles(), end,
                          options_.workers != 0 ? options_.workers : worker_count()};
    while (auto batch = hashers.next()) {
      for (HashedBundle& bundle : *batch) {
        if (options_.stop && options_.stop()) return stopped();
        // Of damage no state is kept: the one before it leads to it again.
        if (auto found = pass_.add(std::move(bundle))) return complete(std::move(*found));
        FIDUCIA_CHECK(save_if_due());
      }
      if (options_.progress) options_.progress(pass_.entries(), size);
    }
    if (auto found = pass_.check_edge()) return complete(std::move(*found));
    if (const std::optional<ledger_format::RootRecord> earlier = earlier_record()) {
      if (auto found = check_earlier(source_, checkpoint(), *earlier))
        return complete(std::move(*found));
    }
    FIDUCIA_CHECK(save(/*finished=*/true));
    LogCheck intact{.ok = true};
    intact.text = "All " + std::to_string(size) + " entries lead to the signed root.";
    if (!head_.records)
      intact.text +=
          " The log keeps no signed-root.cbor, so it states no time of its checkpoint and makes "
          "no receipts anew.";
    return complete(std::move(intact));
  }

 private:
  [[nodiscard]] const ledger_format::Checkpoint& checkpoint() const {
    return head_.head.checkpoint;
  }

  /// The earlier record is not what the checkpoint says, but the tree must have had that root.
  [[nodiscard]] std::optional<ledger_format::RootRecord> earlier_record() const {
    if (!head_.records || head_.records->current.tree_size != checkpoint().tree_size)
      return std::nullopt;
    return head_.records->previous;
  }

  LogCheck complete(LogCheck result) const {
    result.entries_checked += pass_.entries();
    result.entries_resumed = resumed_;
    result.tree_size = checkpoint().tree_size;
    result.has_signed_root = head_.records.has_value();
    return result;
  }
  Result<LogCheck> stopped() {
    FIDUCIA_CHECK(save(/*finished=*/false));
    LogCheck result{.interrupted = true};
    result.text = "The check was stopped after " + std::to_string(pass_.entries()) + " of " +
                  std::to_string(checkpoint().tree_size) +
                  " entries; nothing bad was found so far.";
    return complete(std::move(result));
  }

  Status save(bool finished) {
    if (!options_.save) return {};
    CheckState state{.origin = checkpoint().origin,
                     .vkey = ledger_format::write_vkey(key_),
                     .bundles = pass_.bundles(),
                     .levels = pass_.levels(),
                     .root = {},
                     .finished = finished};
    state.levels[0].clear();
    if (state.bundles == 0) state.levels.clear();
    state.root = ledger_format::root_of_levels(state.levels);
    saved_at_ = std::chrono::steady_clock::now();
    return options_.save(state);
  }
  Status save_if_due() {
    if (!options_.save || std::chrono::steady_clock::now() - saved_at_ < options_.save_every)
      return {};
    return save(/*finished=*/false);
  }

  const ObjectSource& source_;
  const HeadAndRecords& head_;
  const ledger_format::VerifierKey& key_;
  const CheckOptions& options_;
  const std::uint64_t resumed_;
  Pass pass_;
  std::chrono::steady_clock::time_point saved_at_ = std::chrono::steady_clock::now();
};

}  // namespace

Result<LogCheck> check_log(const ObjectSource& source, const ledger_format::VerifierKey& key,
                           const CheckOptions& options) {
  const auto found = read_head_and_records(source, key);
  if (!found) {
    const Error& error = found.error();
    // Missing is damage; what cannot be asked (permissions, network) says nothing of the log.
    if (error.code == ErrorCode::io_unreadable && error.where.file == checkpoint_file &&
        !source.read(checkpoint_file, limits::note_bytes_max))
      return below(source, error);
    return damage(error);
  }
  bool resume = options.from.has_value();
  if (resume) {
    FIDUCIA_TRY(fit, fits(*options.from, source, found->head.checkpoint, key));
    resume = fit;
  }
  return Check{source, *found, key, options, resume ? &*options.from : nullptr}.run();
}

}  // namespace fiducia::ledger
