// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <array>
#include <map>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "core/core.h"
#include "ledger_format/tile.h"

/// How a Merkle tree of any size lies in tiles of 256 hashes (tlog-tiles),
/// and the proofs that follow from them.
namespace fiducia::ledger_format {

inline constexpr unsigned tile_height = 8;                    // tree levels in one tile
inline constexpr std::size_t tile_width = 1U << tile_height;  // hashes in a full tile
inline constexpr unsigned tile_levels_max = 8;                // of a tree below 2^64 leaves

/// `value` >> `bits` for any number of bits (a plain shift by 64 is undefined).
[[nodiscard]] constexpr std::uint64_t shifted_right(std::uint64_t value, unsigned bits) {
  return bits >= 64 ? 0 : value >> bits;
}

/// How many hashes tile `index` of `level` has in a tree of `size` leaves: 0..256.
[[nodiscard]] unsigned tile_width_at(unsigned level, std::uint64_t index, std::uint64_t size);

/// One tile with the nodes inside it, so that a proof takes each with one look-up.
class TileNodes {
 public:
  /// `hashes` has 1..256 elements, the tile's content.
  explicit TileNodes(std::span<const Digest> hashes);
  /// `narrower` with `added` behind its hashes, 256 at most: hashes only the nodes that are new.
  TileNodes(const TileNodes& narrower, std::span<const Digest> added);
  [[nodiscard]] std::span<const Digest> hashes() const { return row(0); }
  /// The node over hashes [position << height, (position + 1) << height), which must be there.
  [[nodiscard]] const Digest& node(unsigned height, std::uint64_t position) const;
  /// Of a full tile: the root, a hash of the level above.
  [[nodiscard]] const Digest& root() const { return node(tile_height, 0); }
  [[nodiscard]] Bytes bytes() const;

 private:
  void make_room(std::size_t width);
  void hash_from(const TileNodes* narrower);
  [[nodiscard]] std::span<const Digest> row(unsigned height) const;

  std::array<std::uint16_t, tile_height + 2> starts_{};  // row h: nodes_[starts_[h], starts_[h+1])
  std::vector<Digest> nodes_;                            // complete nodes, by height
};

/// Where the perfect subtrees of a tree come from.
class NodeSource {
 public:
  virtual ~NodeSource() = default;
  /// MTH(D[index << height : (index + 1) << height]); the whole range lies inside the tree.
  [[nodiscard]] virtual Result<Digest> node(unsigned height, std::uint64_t index) const = 0;
};

/// The last node of each height: edge[h] = MTH(D[(size - 1) >> h << h : size]); the last element
/// is the root. Empty for the empty tree. A proof needs no other imperfect node.
[[nodiscard]] Result<std::vector<Digest>> read_edge(const NodeSource& source, std::uint64_t size);

/// PATH(index, D[size]) (RFC 9162 section 2.1.3.1); `index` < `size`, `edge` from `read_edge`.
[[nodiscard]] Result<std::vector<Digest>> inclusion_path(const NodeSource& source,
                                                         std::span<const Digest> edge,
                                                         std::uint64_t index, std::uint64_t size);
/// PROOF(first, D[size]) (RFC 9162 section 2.1.4.1); 1 <= `first` <= `size`.
[[nodiscard]] Result<std::vector<Digest>> consistency_path(const NodeSource& source,
                                                           std::span<const Digest> edge,
                                                           std::uint64_t first, std::uint64_t size);

/// The root that the hashes in the partial tiles of all levels lead to (a level may have none):
/// every full tile is a hash in one of them.
[[nodiscard]] Digest root_of_levels(std::span<const std::vector<Digest>> levels);

/// What a tree needs to grow: at each tile level its partial tile, null where there is none.
struct Frontage {
  std::uint64_t size = 0;
  std::vector<std::shared_ptr<const TileNodes>> levels;
  [[nodiscard]] std::span<const Digest> hashes(std::size_t level) const;
  [[nodiscard]] Digest root() const;
};

/// A tree after `leaves`, at least one, were appended to a frontage: the new frontage, the tiles
/// that are new or wider than before, and every node that a proof for one of the new leaves needs.
class GrownTree : public NodeSource {
 public:
  GrownTree(const Frontage& before, std::span<const Digest> leaves);
  [[nodiscard]] const Frontage& after() const { return after_; }
  [[nodiscard]] const Digest& root() const { return edge_.back(); }
  [[nodiscard]] std::span<const Digest> edge() const { return edge_; }
  /// Only nodes inside tiles of the frontage or later. Errors: internal.
  [[nodiscard]] Result<Digest> node(unsigned height, std::uint64_t index) const override;
  /// Tiles that must be written: path below the log's folder, and content.
  struct File {
    TileAddress address;
    Bytes content;
  };
  [[nodiscard]] std::vector<File> changed_files() const;

 private:
  using Place = std::pair<unsigned, std::uint64_t>;  // level, index
  using Tile = std::shared_ptr<const TileNodes>;
  std::map<Place, Tile> tiles_;
  std::vector<Place> changed_;
  Frontage after_;
  std::vector<Digest> edge_;
};

}  // namespace fiducia::ledger_format
