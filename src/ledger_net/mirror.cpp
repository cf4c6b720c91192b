// SPDX-License-Identifier: Apache-2.0
#include "ledger_net/mirror.h"

#include <algorithm>
#include <atomic>
#include <set>

#include "core/temporary.h"
#include "crypto/crypto.h"
#include "ledger/head.h"
#include "ledger/tile_store.h"
#include "ledger_format/bundle.h"
#include "merkle/merkle.h"

namespace fiducia::ledger_net {
namespace {

namespace fs = std::filesystem;
using ledger_format::tile_height;
using ledger_format::tile_width;
using ledger_format::tile_width_at;

constexpr std::uint32_t lock_timeout_ms = 1'000;
constexpr const char* alarms_folder = "alarms";

/// The signed checkpoint of the log `key`. Errors: those of `read_head`, signature_bad (another
/// origin); they name the object as a person would find it.
Result<ledger::Head> read_own_head(const ledger::ObjectSource& source,
                                   const ledger_format::VerifierKey& key) {
  auto head = ledger::read_head(source, key);
  if (!head) return ledger::below(source, std::move(head).error());
  if (head->checkpoint.origin != key.name)
    return fail(ErrorCode::signature_bad,
                "The checkpoint is of the log \"" + head->checkpoint.origin + "\" and not of \"" +
                    key.name + "\".",
                "Give the address and the key of one and the same log.",
                Location{.file = source.name_of(ledger::checkpoint_file)});
  return head;
}

Bytes bytes_of(std::span<const Digest> hashes) {
  Bytes bytes;
  for (const Digest& hash : hashes) append(bytes, hash.view());
  return bytes;
}

/// A copy's errors, with the file named so that it is not taken for the log's.
Status in_copy(const ledger::DirectoryStore& copy, Status status) {
  if (status) return status;
  return ledger::below(copy, std::move(status).error());
}

std::unexpected<Error> fail_bound(std::string what, std::string remedy) {
  return std::unexpected(Error{.code = ErrorCode::over_limit,
                               .what = std::move(what),
                               .remedy = std::move(remedy),
                               .kind = "mirror_run"});
}

/// A log of which only so much is read in one run.
class BoundedSource final : public ledger::ObjectSource {
 public:
  BoundedSource(std::shared_ptr<const ledger::ObjectSource> source, const MirrorOptions& options)
      : source_(std::move(source)), options_(options), begin_(options.now()) {}

  [[nodiscard]] Result<std::optional<Bytes>> read(const std::string& path,
                                                  std::uint64_t bytes_max) const override {
    if (options_.now() - begin_ > options_.time_max)
      return fail_bound("The mirror has run for " + std::to_string(options_.time_max.count()) +
                            " seconds, as long as one run may.",
                        again);
    if (read_ > options_.bytes_max) return fail_bytes();
    auto object = source_->read(path, bytes_max);
    if (!object || !*object) return object;
    // Others may be under way: at most one object for each thread is read past the bound.
    const std::uint64_t before = read_.fetch_add((*object)->size());
    if (before + (*object)->size() > options_.bytes_max) return fail_bytes();
    return object;
  }
  [[nodiscard]] std::string name_of(const std::string& path) const override {
    return source_->name_of(path);
  }

 private:
  static constexpr const char* again = "Run it again; it goes on where it was.";
  [[nodiscard]] std::unexpected<Error> fail_bytes() const {
    return fail_bound("The mirror has read " + std::to_string(options_.bytes_max) +
                          " bytes of the log, as many as one run may.",
                      again);
  }

  const std::shared_ptr<const ledger::ObjectSource> source_;
  const MirrorOptions& options_;
  const std::chrono::steady_clock::time_point begin_;
  mutable std::atomic<std::uint64_t> read_ = 0;
};

/// Fetches what lies between two trees of a log, into the copy.
class Fetch {
 public:
  Fetch(std::shared_ptr<const ledger::ObjectSource> source, ledger::DirectoryStore& copy,
        ledger::TileStore& tree, std::uint64_t size_before, const MirrorOptions& options)
      : source_(std::move(source)),
        copy_(copy),
        tree_(tree),
        before_(size_before),
        options_(options) {}

  /// On return all objects are written, not yet durable. Errors: as `mirror_log`.
  Status run() {
    FIDUCIA_CHECK(each_tile(0, [this](std::uint64_t index) { return fetch_bundle(index); }));
    for (unsigned level = 1; ledger_format::shifted_right(tree_.size(), tile_height * level) > 0;
         ++level)
      FIDUCIA_CHECK(each_tile(
          level, [this, level](std::uint64_t index) { return write_tile(level, index); }));
    return {};
  }

  /// The partial tiles of the earlier tree that full ones took the place of.
  Status remove_superseded() {
    for (unsigned level = 0; ledger_format::shifted_right(before_, tile_height * level) > 0;
         ++level) {
      const std::uint64_t index = ledger_format::shifted_right(before_, tile_height * (level + 1));
      if (tile_width_at(level, index, before_) == 0 ||
          tile_width_at(level, index, tree_.size()) < tile_width)
        continue;
      FIDUCIA_CHECK(in_copy(copy_, copy_.remove_partials(ledger_format::tile_path(
                                       {.level = level, .index = index}))));
      if (level == 0)
        FIDUCIA_CHECK(in_copy(
            copy_, copy_.remove_partials(ledger_format::tile_path({.level = {}, .index = index}))));
    }
    return {};
  }

 private:
  Status put(std::span<const ledger::NewObject> objects) {
    {
      // Under the lock, so that no other thread of this run writes to a folder before what a killed
      // run left there is gone.
      const MutexLock lock{swept_mutex_};
      for (const ledger::NewObject& object : objects) {
        fs::path folder = fs::path{copy_.name_of(object.path)}.parent_path();
        if (swept_.contains(folder)) continue;
        remove_temporaries(folder, [](std::string_view target) {
          return target.find_first_not_of("0123456789x") == std::string_view::npos;
        });
        swept_.insert(std::move(folder));
      }
    }
    return in_copy(copy_, copy_.create(objects, ledger::Existing::replace));
  }

  /// Runs `work` for each tile of `level` that the earlier tree did not have in this width.
  template <class Work>
  Status each_tile(unsigned level, const Work& work) {
    const std::uint64_t first = ledger_format::shifted_right(before_, tile_height * (level + 1));
    const std::uint64_t hashes = ledger_format::shifted_right(tree_.size(), tile_height * level);
    const std::uint64_t end = hashes / tile_width + (hashes % tile_width != 0 ? 1 : 0);
    if (end <= first) return {};
    std::atomic<bool> failed = false;
    Mutex mutex;
    std::optional<Error> error;  // guarded by mutex
    parallel_for(narrow<std::size_t>(end - first), options_.parallel, [&](std::size_t i, unsigned) {
      if (failed || options_.stop.stop_requested()) return;
      auto done = work(first + i);
      if (done) return;
      failed = true;
      const MutexLock lock{mutex};
      if (!error) error = std::move(done).error();
    });
    if (error) return std::unexpected(std::move(*error));
    if (options_.stop.stop_requested())
      return fail(ErrorCode::io_unreadable, "The mirror was stopped before it was complete.",
                  "Run it again; it goes on where it was.");
    return {};
  }

  [[nodiscard]] static ledger_format::TileAddress address(std::optional<unsigned> level,
                                                          std::uint64_t index, unsigned width) {
    return {.level = level, .index = index, .width = width};
  }

  /// One bundle and the leaf tile beside it.
  Status fetch_bundle(std::uint64_t index) {
    const unsigned width = tile_width_at(0, index, tree_.size());
    const std::string tile = ledger_format::tile_path(address(0, index, width));
    const std::string entries = ledger_format::tile_path(address({}, index, width));
    FIDUCIA_TRY(there, is_in_copy(index, width, tile, entries));
    if (!there) {
      auto bundle = tree_.bundle(index);  // every entry hashes to its leaf under the root
      if (!bundle) return ledger::below(*source_, std::move(bundle).error());
      std::vector<Digest> leaves;
      std::vector<ledger::NewObject> objects(2);
      for (const ByteView entry : bundle->entries) {
        leaves.push_back(merkle::leaf_hash(entry));
        ledger_format::append_to_bundle(objects[0].content,
                                        entry);  // not more than `width` of them
      }
      objects[0].path = entries;
      objects[1] = {.path = tile, .content = bytes_of(leaves)};
      // What is there under these names was judged above, and is not what the root calls for.
      FIDUCIA_CHECK(put(objects));
    }
    report(width);
    return {};
  }

  /// Whether an earlier run has left both whole. A partial bundle is small: it is fetched anew.
  Result<bool> is_in_copy(std::uint64_t index, unsigned width, const std::string& tile,
                          const std::string& entries) const {
    if (width < tile_width) return false;
    const auto hashes = copy_.read(tile, tile_width * sizeof(Digest));
    const auto bundle = copy_.read(entries, ledger_format::bundle_bytes_max);
    if (!hashes || !*hashes || !bundle || !*bundle) return false;
    const auto parts = ledger_format::read_bundle(**bundle, width, /*exact=*/true);
    if (!parts) return false;
    std::vector<Digest> leaves;
    leaves.reserve(width);
    for (const ByteView entry : *parts) leaves.push_back(merkle::leaf_hash(entry));
    const auto root = tree_.node(tile_height, index);
    if (!root) return ledger::below(*source_, root.error());
    return merkle::root(leaves) == *root && same_bytes(bytes_of(leaves), **hashes);
  }

  /// A tile above the leaves, put together from hashes that lead to the root.
  Status write_tile(unsigned level, std::uint64_t index) {
    const unsigned width = tile_width_at(level, index, tree_.size());
    ledger::NewObject object{.path = ledger_format::tile_path(address(level, index, width)),
                             .content = {}};
    for (unsigned i = 0; i < width; ++i) {
      const auto hash = tree_.node(tile_height * level, index * tile_width + i);
      if (!hash) return ledger::below(*source_, hash.error());
      append(object.content, hash->view());
    }
    return put(std::span{&object, 1});
  }

  void report(unsigned entries) {
    if (!options_.progress) return;
    const MutexLock lock{progress_mutex_};
    done_ += entries;
    const std::uint64_t skipped = before_ / tile_width * tile_width;
    options_.progress(done_, tree_.size() - skipped);
  }

  std::shared_ptr<const ledger::ObjectSource> source_;
  ledger::DirectoryStore& copy_;
  ledger::TileStore& tree_;
  const std::uint64_t before_;
  const MirrorOptions& options_;
  Mutex swept_mutex_;
  std::set<fs::path> swept_ FIDUCIA_GUARDED_BY(swept_mutex_);
  Mutex progress_mutex_;
  std::uint64_t done_ FIDUCIA_GUARDED_BY(progress_mutex_) = 0;
};

struct Notes {
  const ledger::Head& kept;
  const ledger::Head& offered;
};

/// Keeps what shows the log's fault. The folder's name comes from the offered note, so that the
/// same alarm raised again fills no disk. `proof`: what the log's own tiles give for a consistency
/// proof; it leads to the offered root and not to the kept one.
Result<fs::path> keep_evidence(const fs::path& folder, const Notes& notes,
                               std::span<const Digest> proof) {
  const std::string id = to_hex(crypto::sha256(as_bytes(notes.offered.note)).view().first(8));
  const fs::path alarm = folder / alarms_folder / id;
  std::error_code error;
  fs::create_directories(alarm, error);
  if (error)
    return fail(ErrorCode::io_unwritable, "cannot be made: " + error.message() + ".",
                "Check free space and the permissions of the folder.",
                Location{.file = alarm.string()});
  FIDUCIA_CHECK(durable_write(alarm / "kept-checkpoint", as_bytes(notes.kept.note)));
  FIDUCIA_CHECK(durable_write(alarm / "offered-checkpoint", as_bytes(notes.offered.note)));
  if (!proof.empty()) {
    std::string lines;
    for (const Digest& hash : proof) lines += to_base64(hash.view()) + "\n";
    FIDUCIA_CHECK(durable_write(alarm / "consistency-proof", as_bytes(lines)));
  }
  FIDUCIA_CHECK(sync_folder(alarm.parent_path()));
  FIDUCIA_CHECK(sync_folder(folder));
  return alarm;
}

std::string sizes(const Notes& notes) {
  return std::to_string(notes.kept.checkpoint.tree_size) + " entries before and " +
         std::to_string(notes.offered.checkpoint.tree_size) + " now";
}

Result<Mirrored> raise_alarm(MirrorState state, const fs::path& folder, const Notes& notes,
                             std::span<const Digest> proof) {
  FIDUCIA_TRY(alarm, keep_evidence(folder, notes, proof));
  return Mirrored{
      .state = state,
      .origin = notes.offered.checkpoint.origin,
      .size_before = notes.kept.checkpoint.tree_size,
      .size = notes.offered.checkpoint.tree_size,
      .alarm = alarm,
      .text = state == MirrorState::forked
                  ? "The log has signed two trees that do not fit each other (" + sizes(notes) +
                        "); whoever runs it, or has its key, shows different logs."
                  : "The log shows an earlier tree than it did before (" + sizes(notes) +
                        "); it was rolled back, or the server gives out old files."};
}

/// Whether the larger tree, whose tiles `source` has, holds the smaller one. `proof` gets what was
/// computed from those tiles.
Result<bool> holds(std::shared_ptr<const ledger::ObjectSource> source,
                   const ledger_format::Checkpoint& larger,
                   const ledger_format::Checkpoint& smaller, std::vector<Digest>& proof) {
  if (smaller.tree_size == 0) return true;
  FIDUCIA_TRY(tree, ledger::TileStore::open(std::move(source), larger.tree_size, larger.root));
  FIDUCIA_TRY(path, ledger_format::consistency_path(tree, tree.edge(), smaller.tree_size,
                                                    larger.tree_size));
  proof = path;
  return merkle::verify_consistency(smaller.tree_size, larger.tree_size, smaller.root, larger.root,
                                    path)
      .has_value();
}

/// The alarm that the two checkpoints are, if they are one.
Result<std::optional<Mirrored>> compare(const std::shared_ptr<const ledger::ObjectSource>& source,
                                        const fs::path& folder, const Notes& notes) {
  const ledger_format::Checkpoint& kept = notes.kept.checkpoint;
  const ledger_format::Checkpoint& offered = notes.offered.checkpoint;
  std::vector<Digest> proof;
  if (offered.tree_size < kept.tree_size) {
    // A copy that is damaged cannot tell a fork from an old checkpoint; either is an alarm.
    const auto same = holds(std::make_shared<ledger::DirectoryStore>(folder), kept, offered, proof);
    const bool forked = same && !*same;
    FIDUCIA_TRY(alarm,
                raise_alarm(forked ? MirrorState::forked : MirrorState::shrunk, folder, notes, {}));
    return alarm;
  }
  bool same = offered.root == kept.root;
  if (offered.tree_size > kept.tree_size) {
    auto found = holds(source, offered, kept, proof);
    if (!found) return ledger::below(*source, std::move(found).error());
    same = *found;
  }
  if (same) return std::nullopt;
  FIDUCIA_TRY(alarm, raise_alarm(MirrorState::forked, folder, notes, proof));
  return alarm;
}

}  // namespace

namespace {

/// Temporary files of a run that was killed. The lock of the folder is held.
void remove_leftovers(const fs::path& folder) {
  remove_temporaries(folder,
                     [](std::string_view target) { return target == ledger::checkpoint_file; });
  std::error_code error;
  for (fs::directory_iterator at(folder / alarms_folder, error), end; !error && at != end;
       at.increment(error))
    remove_temporaries(at->path(), [](std::string_view) { return true; });
}

}  // namespace

Result<Mirrored> mirror_log(std::shared_ptr<const ledger::ObjectSource> log, const fs::path& folder,
                            const ledger_format::VerifierKey& key, const MirrorOptions& options) {
  const auto source = std::make_shared<const BoundedSource>(std::move(log), options);
  std::error_code error;
  fs::create_directories(folder, error);
  const auto lock = FileLock::acquire(folder / ledger::lock_file, lock_timeout_ms);
  if (!lock) return std::unexpected(lock.error());
  remove_leftovers(folder);
  ledger::DirectoryStore copy{folder};
  FIDUCIA_TRY(offered, read_own_head(*source, key));
  const auto present = copy.read(ledger::checkpoint_file, limits::note_bytes_max);
  if (!present) return ledger::below(copy, present.error());
  std::optional<ledger::Head> kept;
  if (*present) {
    FIDUCIA_TRY(head, read_own_head(copy, key));
    kept = std::move(head);
    FIDUCIA_TRY(alarm, compare(source, folder, Notes{.kept = *kept, .offered = offered}));
    if (alarm) return std::move(*alarm);
  }
  Mirrored result{.state = MirrorState::updated,
                  .origin = offered.checkpoint.origin,
                  .size_before = kept ? kept->checkpoint.tree_size : 0,
                  .size = offered.checkpoint.tree_size,
                  .alarm = {},
                  .text = {}};
  if (kept && kept->note == offered.note) {
    result.state = MirrorState::unchanged;
    result.text = "The log has nothing new.";
    return result;
  }
  // A smaller tree was an alarm above.
  if (result.size - result.size_before > options.entries_max)
    return fail_bound("The log shows " + std::to_string(result.size - result.size_before) +
                          " entries that the copy has not; one run takes at most " +
                          std::to_string(options.entries_max) + ".",
                      "Ask whoever runs the log whether it has so many.");
  auto tree =
      ledger::TileStore::open(source, offered.checkpoint.tree_size, offered.checkpoint.root);
  if (!tree) return ledger::below(*source, std::move(tree).error());
  Fetch fetch{source, copy, *tree, result.size_before, options};
  FIDUCIA_CHECK(fetch.run());
  FIDUCIA_CHECK(in_copy(copy, copy.sync()));
  FIDUCIA_CHECK(in_copy(copy, copy.replace(ledger::checkpoint_file, as_bytes(offered.note))));
  FIDUCIA_CHECK(in_copy(copy, copy.sync()));
  FIDUCIA_CHECK(fetch.remove_superseded());
  result.text = "The copy has all " + std::to_string(result.size) + " entries of the log, " +
                std::to_string(result.size - result.size_before) + " of them new.";
  return result;
}

}  // namespace fiducia::ledger_net
