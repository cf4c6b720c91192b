// SPDX-License-Identifier: Apache-2.0
#include "ledger_format/tree.h"

#include <algorithm>
#include <bit>

#include "merkle/merkle.h"

namespace fiducia::ledger_format {

unsigned tile_width_at(unsigned level, std::uint64_t index, std::uint64_t size) {
  const std::uint64_t hashes = shifted_right(size, tile_height * level);
  const std::uint64_t full = hashes >> tile_height;
  if (index < full) return tile_width;
  return index == full ? static_cast<unsigned>(hashes % tile_width) : 0;
}

TileNodes::TileNodes(std::span<const Digest> hashes) {
  make_room(hashes.size());
  std::ranges::copy(hashes, nodes_.begin());
  hash_from(nullptr);
}

TileNodes::TileNodes(const TileNodes& narrower, std::span<const Digest> added) {
  make_room(narrower.hashes().size() + added.size());
  for (unsigned height = 0; height <= tile_height; ++height)
    std::ranges::copy(narrower.row(height), nodes_.begin() + starts_[height]);
  std::ranges::copy(added, nodes_.begin() + static_cast<std::ptrdiff_t>(narrower.hashes().size()));
  hash_from(&narrower);
}

void TileNodes::make_room(std::size_t width) {
  FIDUCIA_ASSERT(width >= 1 && width <= tile_width);
  for (unsigned height = 0; height <= tile_height; ++height)
    starts_[height + 1] = narrow<std::uint16_t>(starts_[height] + (width >> height));
  nodes_.resize(starts_.back());
}

/// The nodes above the hashes, where `narrower` has not given them.
void TileNodes::hash_from(const TileNodes* narrower) {
  for (unsigned height = 0; height < tile_height; ++height) {
    const std::size_t known = narrower == nullptr ? 0 : narrower->row(height + 1).size();
    const std::span<Digest> above =
        std::span{nodes_}.first(starts_[height + 2]).subspan(starts_[height + 1] + known);
    if (above.empty()) return;  // nor is anything new above it
    crypto::sha256_node_pairs(row(height).subspan(known * 2, above.size() * 2), above);
  }
}

std::span<const Digest> TileNodes::row(unsigned height) const {
  return std::span{nodes_}.first(starts_[height + 1]).subspan(starts_[height]);
}

const Digest& TileNodes::node(unsigned height, std::uint64_t position) const {
  FIDUCIA_ASSERT(height <= tile_height && position < row(height).size());
  return row(height)[static_cast<std::size_t>(position)];
}

Bytes TileNodes::bytes() const {
  Bytes out;
  out.reserve(hashes().size() * sizeof(Digest));
  for (const Digest& hash : hashes()) append(out, hash.view());
  return out;
}

Result<std::vector<Digest>> read_edge(const NodeSource& source, std::uint64_t size) {
  std::vector<Digest> edge;
  if (size == 0) return edge;
  FIDUCIA_TRY(leaf, source.node(0, size - 1));
  edge.push_back(leaf);
  for (unsigned height = 0; shifted_right(size - 1, height) > 0; ++height) {
    const std::uint64_t last = shifted_right(size - 1, height);
    if (last % 2 == 0) {  // no left sibling: RFC 9162 passes the node up unchanged
      edge.push_back(edge.back());
      continue;
    }
    FIDUCIA_TRY(left, source.node(height, last - 1));
    edge.push_back(merkle::node_hash(left, edge.back()));
  }
  return edge;
}

Result<std::vector<Digest>> inclusion_path(const NodeSource& source, std::span<const Digest> edge,
                                           std::uint64_t index, std::uint64_t size) {
  FIDUCIA_ASSERT(index < size);
  std::vector<Digest> path;
  for (unsigned height = 0; shifted_right(size - 1, height) > 0; ++height) {
    const std::uint64_t last = shifted_right(size - 1, height);
    const std::uint64_t sibling = shifted_right(index, height) ^ 1U;
    if (sibling > last) continue;  // the node is passed up alone
    if (sibling == last) {
      path.push_back(edge[height]);
      continue;
    }
    FIDUCIA_TRY(node, source.node(height, sibling));
    path.push_back(node);
  }
  return path;
}

Result<std::vector<Digest>> consistency_path(const NodeSource& source, std::span<const Digest> edge,
                                             std::uint64_t first, std::uint64_t size) {
  FIDUCIA_ASSERT(first >= 1 && first <= size);
  // MTH(D[begin : end]), where the range is one subtree of SUBPROOF: perfect, or it ends at size.
  const auto subtree = [&](std::uint64_t begin, std::uint64_t end) -> Result<Digest> {
    const auto height = static_cast<unsigned>(std::bit_width(end - begin - 1));
    if (end == size) return edge[height];
    return source.node(height, shifted_right(begin, height));
  };
  std::vector<Digest> path;
  std::uint64_t begin = 0;
  std::uint64_t end = size;
  while (first != end) {  // SUBPROOF(first - begin, D[begin : end])
    const std::uint64_t split = begin + std::bit_floor(end - begin - 1);
    const bool left = first <= split;
    FIDUCIA_TRY(other, left ? subtree(split, end) : subtree(begin, split));
    path.push_back(other);
    (left ? end : begin) = split;
  }
  if (begin != 0) {  // the flag of SUBPROOF: the first tree is not a whole subtree from 0
    FIDUCIA_TRY(own, subtree(begin, end));
    path.push_back(own);
  }
  std::reverse(path.begin(), path.end());
  return path;
}

Digest root_of_levels(std::span<const std::vector<Digest>> levels) {
  std::optional<Digest> root;
  for (const std::vector<Digest>& hashes : levels) {
    // The imperfect node from below stands right of this level's hashes.
    std::vector<Digest> row = hashes;
    if (root) row.push_back(*root);
    if (!row.empty()) root = merkle::root(row);
  }
  return root.value_or(merkle::empty_root());
}

std::span<const Digest> Frontage::hashes(std::size_t level) const {
  const auto& tile = levels[level];
  return tile ? tile->hashes() : std::span<const Digest>{};
}

Digest Frontage::root() const {
  std::vector<std::vector<Digest>> rows;
  for (std::size_t level = 0; level < levels.size(); ++level)
    rows.emplace_back(hashes(level).begin(), hashes(level).end());
  return root_of_levels(rows);
}

GrownTree::GrownTree(const Frontage& before, std::span<const Digest> leaves) {
  // So the last leaf and all that stands left of it in its tiles are at hand, and so the edge.
  FIDUCIA_ASSERT(!leaves.empty());
  after_.size = before.size + leaves.size();
  std::vector<Digest> roots;              // of the tiles that became full in the level below
  std::span<const Digest> rest = leaves;  // what is to be added to this level
  for (unsigned level = 0; level < before.levels.size() || !rest.empty(); ++level) {
    Tile tile = level < before.levels.size() ? before.levels[level] : nullptr;
    std::vector<Digest> full;
    std::uint64_t index = shifted_right(before.size, tile_height * (level + 1));
    const auto put = [&] { tiles_.emplace(Place{level, index}, tile); };
    if (rest.empty() && tile) put();
    while (!rest.empty()) {
      const std::size_t room = tile_width - (tile ? tile->hashes().size() : 0);
      const auto added = rest.first(std::min(room, rest.size()));
      rest = rest.subspan(added.size());
      tile = tile ? std::make_shared<const TileNodes>(*tile, added)
                  : std::make_shared<const TileNodes>(added);
      changed_.emplace_back(level, index);
      put();
      if (added.size() < room) break;
      full.push_back(tile->root());
      tile = nullptr;
      ++index;
    }
    after_.levels.push_back(std::move(tile));
    roots = std::move(full);
    rest = roots;
  }
  auto edge = read_edge(*this, after_.size);
  FIDUCIA_ASSERT(edge.has_value());
  edge_ = std::move(*edge);
}

Result<Digest> GrownTree::node(unsigned height, std::uint64_t index) const {
  const unsigned level = height / tile_height;
  const unsigned inside = height % tile_height;
  const auto found = tiles_.find({level, index >> (tile_height - inside)});
  if (found == tiles_.end())
    return fail(ErrorCode::internal, "A node left of the frontage was asked for.");
  return found->second->node(inside, index & ((std::uint64_t{1} << (tile_height - inside)) - 1));
}

std::vector<GrownTree::File> GrownTree::changed_files() const {
  std::vector<File> files;
  files.reserve(changed_.size());
  for (const Place& place : changed_) {
    const TileNodes& tile = *tiles_.at(place);
    files.push_back({.address = {.level = place.first,
                                 .index = place.second,
                                 .width = static_cast<unsigned>(tile.hashes().size())},
                     .content = tile.bytes()});
  }
  return files;
}

}  // namespace fiducia::ledger_format
