// SPDX-License-Identifier: Apache-2.0
// The whole log recomputed from its entries, one bundle at a time.
#include "ledger/check.h"

#include <array>

#include "ledger/head.h"
#include "ledger/tile_store.h"
#include "merkle/merkle.h"

namespace fiducia::ledger {
namespace {

/// Bundles between two calls of `progress`: 65,536 entries take some 10 ms to hash.
constexpr std::uint64_t progress_bundles = 64;

LogCheck damage(std::string file, std::string text, std::uint64_t entries_checked = 0) {
  return {.ok = false,
          .entries_checked = entries_checked,
          .damaged = std::move(file),
          .text = std::move(text)};
}

LogCheck damage(const Error& error, std::uint64_t entries_checked = 0) {
  return damage(error.where.file, error.where.file + ": " + error.what, entries_checked);
}

std::string path_of(unsigned level, std::uint64_t index, std::uint64_t size) {
  return tile_path({.level = level, .index = index, .width = tile_width_at(level, index, size)});
}

/// The pass over all entries. Memory: one bundle, and up to 256 hashes for each tile level.
class Pass {
 public:
  Pass(const ObjectSource& source, const Checkpoint& checkpoint,
       std::optional<std::uint64_t> earlier_size)
      : source_(source),
        size_(checkpoint.tree_size),
        root_(checkpoint.root),
        earlier_size_(earlier_size) {}

  /// Absent when everything fits.
  std::optional<LogCheck> run(
      const std::function<void(std::uint64_t done, std::uint64_t total)>& progress) {
    const std::uint64_t bundles = size_ / tile_width + (size_ % tile_width != 0 ? 1 : 0);
    for (std::uint64_t index = 0; index < bundles; ++index) {
      if (auto found = check_bundle(index)) return found;
      if (progress && (index % progress_bundles == progress_bundles - 1 || index + 1 == bundles))
        progress(entries_, size_);
    }
    return check_edge();
  }
  [[nodiscard]] std::uint64_t entries_checked() const { return entries_; }
  /// The root the tree had at `earlier_size`, once the pass went by it.
  [[nodiscard]] std::optional<Digest> earlier_root() const { return earlier_root_; }

 private:
  std::optional<LogCheck> check_bundle(std::uint64_t index) {
    auto bundle = read_bundle_at(source_, index, size_);
    if (!bundle) return damage(bundle.error(), entries_);
    std::vector<Digest> leaves;
    leaves.reserve(bundle->entries.size());
    for (const ByteView entry : bundle->entries) {
      leaves.push_back(merkle::leaf_hash(entry));
      frontier_.append(leaves.back());
      if (frontier_.size() == earlier_size_) earlier_root_ = frontier_.root();
    }
    const auto stored = read_tile(source_, 0, index, size_);
    if (!stored) return damage(stored.error(), entries_);
    if (*stored != leaves) return blame(index, bundle->path, leaves, *stored);
    entries_ += leaves.size();
    if (leaves.size() == tile_width) return add(1, merkle::root(leaves));
    return std::nullopt;
  }

  /// Takes the root of a full tile of the level below; checks a tile of `level` when complete.
  std::optional<LogCheck> add(unsigned level, Digest hash) {
    for (;; ++level) {
      if (levels_.size() < level) levels_.emplace_back();
      std::vector<Digest>& row = levels_[level - 1];
      row.push_back(hash);
      if (row.size() < tile_width) return std::nullopt;
      const std::uint64_t index = finished_[level]++;
      const auto stored = read_tile(source_, level, index, size_);
      if (!stored) return damage(stored.error(), entries_);
      if (*stored != row)
        return damage(path_of(level, index, size_),
                      path_of(level, index, size_) + ": The tile is not what the entries give.",
                      entries_);
      hash = merkle::root(row);
      row.clear();
    }
  }

  /// Partial tiles above level 0, and the root.
  std::optional<LogCheck> check_edge() {
    for (unsigned level = 1; level <= levels_.size(); ++level) {
      const std::vector<Digest>& row = levels_[level - 1];
      if (row.empty()) continue;
      const std::uint64_t index = finished_[level];
      const auto stored = read_tile(source_, level, index, size_);
      if (!stored) return damage(stored.error(), entries_);
      if (*stored != row)
        return damage(path_of(level, index, size_),
                      path_of(level, index, size_) + ": The tile is not what the entries give.",
                      entries_);
    }
    if (frontier_.root() != root_)
      return damage(checkpoint_file,
                    "checkpoint: Entries and tiles fit each other, but not the signed root.",
                    entries_);
    return std::nullopt;
  }

  /// Entries and leaf tile differ; whichever leads to what is known above is the good one.
  LogCheck blame(std::uint64_t index, const std::string& bundle_path,
                 const std::vector<Digest>& leaves, const std::vector<Digest>& stored) {
    const std::string leaf_tile = path_of(0, index, size_);
    bool entries_good = false;
    if (leaves.size() == tile_width) {
      const auto above = read_tile(source_, 1, index / tile_width, size_);
      entries_good = above && (*above)[index % tile_width] == merkle::root(leaves);
    } else {
      entries_good = frontier_.root() == root_;  // the partial bundle is the last one
    }
    if (entries_good)
      return damage(leaf_tile, leaf_tile + ": The tile is not what the entries give.", entries_);
    std::size_t i = 0;
    while (i < leaves.size() && leaves[i] == stored[i]) ++i;
    return damage(bundle_path,
                  bundle_path + ": Entry " + std::to_string(index * tile_width + i) +
                      " does not hash to its leaf in the tree.",
                  entries_ + i);
  }

  const ObjectSource& source_;
  const std::uint64_t size_;
  const Digest root_;
  const std::optional<std::uint64_t> earlier_size_;
  std::optional<Digest> earlier_root_;
  std::uint64_t entries_ = 0;
  merkle::Frontier frontier_;
  std::vector<std::vector<Digest>> levels_;  // levels_[l - 1]: hashes of the tile in the making
  std::array<std::uint64_t, tile_levels_max + 1> finished_{};  // full tiles by level
};

}  // namespace

Result<LogCheck> check_log(
    const ObjectSource& source, const VerifierKey& key,
    const std::function<void(std::uint64_t done, std::uint64_t total)>& progress) {
  const auto found = read_head_and_records(source, key);
  if (!found) {
    const Error& error = found.error();
    if (error.code == ErrorCode::io_unreadable && error.where.file == checkpoint_file)
      return below(source, error);
    return damage(error);
  }
  const Checkpoint& checkpoint = found->head.checkpoint;
  // The earlier record is not what the checkpoint says, but the tree must have had that root.
  std::optional<RootRecord> earlier;
  if (found->records && found->records->current.tree_size == checkpoint.tree_size)
    earlier = found->records->previous;
  Pass pass{source, checkpoint, earlier ? std::optional{earlier->tree_size} : std::nullopt};
  if (auto damaged = pass.run(progress)) return *damaged;
  if (earlier && pass.earlier_root() != earlier->root)
    return damage(signed_root_file,
                  "signed-root.cbor: The earlier signed root is not one this log has had.",
                  pass.entries_checked());
  return LogCheck{.ok = true,
                  .entries_checked = pass.entries_checked(),
                  .damaged = {},
                  .text = "All " + std::to_string(pass.entries_checked()) +
                          " entries lead to the signed root."};
}

}  // namespace fiducia::ledger
