// SPDX-License-Identifier: Apache-2.0
#include "ledger/tile_store.h"

#include <algorithm>
#include <map>

#include "ledger_format/bundle.h"
#include "merkle/merkle.h"

namespace fiducia::ledger {
namespace {

/// Full tiles kept in memory: 16 KiB each with their nodes.
constexpr std::size_t cached_tiles_max = 256;

struct FileContent {
  Bytes bytes;
  std::string path;
  bool exact = true;  // false: the full file in place of a partial one
};

std::unexpected<Error> damaged_tile(const std::string& path, std::string what) {
  return fail(ErrorCode::malformed, std::move(what),
              "Restore the file from a backup or a mirror of the log; never append over it.",
              Location{.file = path});
}

Result<FileContent> read_either(const ObjectSource& source, ledger_format::TileAddress address,
                                std::uint64_t bytes_max) {
  const bool partial = address.width < ledger_format::tile_width;
  FileContent content;
  content.path = ledger_format::tile_path(address);
  auto bytes = read_object(source, content.path, bytes_max);
  if (!bytes && partial) {
    address.width = ledger_format::tile_width;
    const std::string full_path = ledger_format::tile_path(address);
    if (auto full = read_object(source, full_path, bytes_max)) {
      content.path = full_path;
      content.exact = false;
      bytes = std::move(full);
    }
  }
  if (!bytes) return std::unexpected(std::move(bytes).error());
  content.bytes = std::move(*bytes);
  return content;
}

ledger_format::TileAddress address_of(std::optional<unsigned> level, std::uint64_t index,
                                      std::uint64_t size) {
  return {.level = level,
          .index = index,
          .width = ledger_format::tile_width_at(level.value_or(0), index, size)};
}

}  // namespace

Result<std::vector<Digest>> read_tile(const ObjectSource& source, unsigned level,
                                      std::uint64_t index, std::uint64_t size) {
  const ledger_format::TileAddress address = address_of(level, index, size);
  FIDUCIA_TRY(content, read_either(source, address, ledger_format::tile_width * sizeof(Digest)));
  const std::size_t expected =
      (content.exact ? address.width : ledger_format::tile_width) * sizeof(Digest);
  if (content.bytes.size() != expected)
    return damaged_tile(content.path, "A tile of " + std::to_string(expected) + " bytes has " +
                                          std::to_string(content.bytes.size()) + ".");
  std::vector<Digest> hashes(address.width);
  for (std::size_t i = 0; i < hashes.size(); ++i)
    std::copy_n(content.bytes.data() + i * sizeof(Digest), sizeof(Digest), hashes[i].bytes.data());
  return hashes;
}

Result<Bundle> read_bundle_at(const ObjectSource& source, std::uint64_t index, std::uint64_t size) {
  const ledger_format::TileAddress address = address_of(std::nullopt, index, size);
  FIDUCIA_TRY(content, read_either(source, address, ledger_format::bundle_bytes_max));
  auto entries = ledger_format::read_bundle(content.bytes, address.width, content.exact);
  if (!entries)
    return damaged_tile(content.path, "The entry bundle does not hold " +
                                          std::to_string(address.width) +
                                          " entries: " + entries.error().what);
  Bundle bundle;
  bundle.bytes = std::move(content.bytes);  // the buffer does not move, so the views stay valid
  bundle.entries = std::move(*entries);
  bundle.path = std::move(content.path);
  return bundle;
}

struct TileStore::State {
  std::shared_ptr<const ObjectSource> source;
  std::uint64_t size = 0;
  std::vector<Tile> partial;  // by level; null where a level has none
  std::vector<Digest> edge;

  Mutex mutex;  // objects are read outside of it
  std::map<std::pair<unsigned, std::uint64_t>, Tile> cache FIDUCIA_GUARDED_BY(mutex);

  [[nodiscard]] Tile find(unsigned level, std::uint64_t index) {
    const MutexLock lock{mutex};
    const auto found = cache.find({level, index});
    return found == cache.end() ? nullptr : found->second;
  }
  void keep(unsigned level, std::uint64_t index, const Tile& tile) {
    const MutexLock lock{mutex};
    // Levels above 0 are few and every proof needs them: make room among the leaves' tiles.
    if (cache.size() >= cached_tiles_max) cache.erase(cache.begin());
    cache.emplace(std::pair{level, index}, tile);
  }
};

TileStore::TileStore(std::unique_ptr<State> state) : state_(std::move(state)) {}
TileStore::TileStore(TileStore&&) noexcept = default;
TileStore& TileStore::operator=(TileStore&&) noexcept = default;
TileStore::~TileStore() = default;

std::uint64_t TileStore::size() const { return state_->size; }
std::span<const Digest> TileStore::edge() const { return state_->edge; }

ledger_format::Frontage TileStore::frontage() const {
  return {.size = state_->size, .levels = state_->partial};
}

namespace {

using Partials = std::vector<std::vector<Digest>>;  // by level, empty where there is none

/// Which of the partial tiles is the damaged one: the one that, recomputed from what lies
/// below it, leads to the root. Only called when they do not.
std::string find_damaged_partial(const ObjectSource& source, std::uint64_t size, const Digest& root,
                                 const Partials& partials) {
  std::string first;
  for (unsigned level = 0; level < partials.size(); ++level) {
    if (partials[level].empty()) continue;
    const std::uint64_t index =
        ledger_format::shifted_right(size, ledger_format::tile_height * (level + 1));
    const std::string path = ledger_format::tile_path(address_of(level, index, size));
    if (first.empty()) first = path;
    std::vector<Digest> hashes;
    if (level == 0) {
      const auto bundle = read_bundle_at(source, index, size);
      if (!bundle) continue;
      for (const ByteView entry : bundle->entries) hashes.push_back(merkle::leaf_hash(entry));
    } else {
      for (std::size_t i = 0; i < partials[level].size(); ++i) {
        auto below = read_tile(source, level - 1, index * ledger_format::tile_width + i, size);
        if (!below) break;
        hashes.push_back(ledger_format::TileNodes{*below}.root());
      }
    }
    Partials repaired = partials;
    repaired[level] = std::move(hashes);
    if (ledger_format::root_of_levels(repaired) == root) return path;
  }
  return first;
}

}  // namespace

Result<TileStore> TileStore::open(std::shared_ptr<const ObjectSource> source, std::uint64_t size,
                                  const Digest& root) {
  auto state = std::make_unique<State>();
  state->source = std::move(source);
  state->size = size;
  Partials partials;
  for (unsigned level = 0;
       ledger_format::shifted_right(size, ledger_format::tile_height * level) > 0; ++level) {
    const std::uint64_t index =
        ledger_format::shifted_right(size, ledger_format::tile_height * (level + 1));
    partials.emplace_back();
    if (ledger_format::tile_width_at(level, index, size) == 0) continue;
    FIDUCIA_TRY(hashes, read_tile(*state->source, level, index, size));
    partials.back() = std::move(hashes);
  }
  if (ledger_format::root_of_levels(partials) != root) {
    if (size == 0)
      return damaged_tile("checkpoint", "The empty tree has another root than it says.");
    return damaged_tile(find_damaged_partial(*state->source, size, root, partials),
                        "The tiles do not lead to the root of the checkpoint.");
  }
  for (const std::vector<Digest>& hashes : partials)
    state->partial.push_back(
        hashes.empty() ? nullptr : std::make_shared<const ledger_format::TileNodes>(hashes));
  TileStore store{std::move(state)};
  FIDUCIA_TRY(edge, ledger_format::read_edge(store, size));
  store.state_->edge = std::move(edge);
  return store;
}

Result<TileStore::Tile> TileStore::tile(unsigned level, std::uint64_t index) const {
  // Up to the first tile that is already believed: a partial one, or one in the cache.
  Tile above;
  unsigned top = level;
  std::uint64_t at = index;
  for (;; ++top, at >>= ledger_format::tile_height) {
    FIDUCIA_ASSERT(top < state_->partial.size());
    above = ledger_format::tile_width_at(top, at, state_->size) < ledger_format::tile_width
                ? state_->partial[top]
                : state_->find(top, at);
    if (above) break;
  }
  // And down again: each full tile must hash to what the tile above holds of it.
  while (top > level) {
    --top;
    const std::uint64_t place = index >> (ledger_format::tile_height * (top - level));
    FIDUCIA_TRY(hashes, read_tile(*state_->source, top, place, state_->size));
    auto loaded = std::make_shared<const ledger_format::TileNodes>(hashes);
    if (loaded->root() != above->hashes()[place % ledger_format::tile_width])
      return damaged_tile(ledger_format::tile_path(address_of(top, place, state_->size)),
                          "The tile does not hash to what the level above holds of it.");
    state_->keep(top, place, loaded);
    above = std::move(loaded);
  }
  return above;
}

Result<Digest> TileStore::node(unsigned height, std::uint64_t index) const {
  const unsigned inside = height % ledger_format::tile_height;
  FIDUCIA_TRY(found, tile(height / ledger_format::tile_height,
                          index >> (ledger_format::tile_height - inside)));
  return found->node(inside,
                     index & ((std::uint64_t{1} << (ledger_format::tile_height - inside)) - 1));
}

Result<Bundle> TileStore::bundle(std::uint64_t index) const {
  FIDUCIA_TRY(bundle, read_bundle_at(*state_->source, index, state_->size));
  FIDUCIA_TRY(leaves, tile(0, index));
  for (std::size_t i = 0; i < bundle.entries.size(); ++i)
    if (merkle::leaf_hash(bundle.entries[i]) != leaves->hashes()[i])
      return damaged_tile(bundle.path, "Entry " +
                                           std::to_string(index * ledger_format::tile_width + i) +
                                           " does not hash to its leaf in the tree.");
  return std::move(bundle);
}

Result<Bytes> TileStore::entry(std::uint64_t index) const {
  FIDUCIA_ASSERT(index < state_->size);
  const std::uint64_t place = index / ledger_format::tile_width;
  FIDUCIA_TRY(bundle, read_bundle_at(*state_->source, place, state_->size));
  FIDUCIA_TRY(leaves, tile(0, place));
  const ByteView entry = bundle.entries[index % ledger_format::tile_width];
  if (merkle::leaf_hash(entry) != leaves->hashes()[index % ledger_format::tile_width])
    return damaged_tile(
        bundle.path, "Entry " + std::to_string(index) + " does not hash to its leaf in the tree.");
  return Bytes{entry.begin(), entry.end()};
}

}  // namespace fiducia::ledger
