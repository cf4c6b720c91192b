// SPDX-License-Identifier: Apache-2.0
#include "crypto/sha256_wide.h"

#include <algorithm>
#include <array>

#include "crypto/sha256_avx2.h"
#include "crypto/sha256_avx512.h"

namespace fiducia::crypto::wide {
namespace {

struct Avx2 {
  static constexpr std::size_t lanes = avx2::lanes;
  // A pass costs as much as three messages of OpenSSL.
  static constexpr std::size_t group_count_min = 3;
  static constexpr auto compress = avx2::compress_8;
};
struct Avx512 {
  static constexpr std::size_t lanes = avx512::lanes;
  // A pass costs as much as nine messages, two at a time, on the SHA extensions.
  static constexpr std::size_t group_count_min = 9;
  static constexpr auto compress = avx512::compress_16;
};

/// Calls `run` with the kernel's type.
template <class Run>
auto with_kernel(Kernel kernel, Run run) {
  return kernel == Kernel::avx512 ? run(Avx512{}) : run(Avx2{});
}

constexpr std::size_t block_bytes = 64;
constexpr std::size_t padding_bytes_min = 9;  // 0x80 and the length (FIPS 180-4 section 5.1.1)

/// The last two blocks of each lane.
template <std::size_t lanes>
struct Ends {
  alignas(64) std::array<std::array<std::byte, 2 * block_bytes>, lanes> bytes;
};

/// Messages under way, one in each lane. The lanes from `used` on follow the last used one.
template <class K>
class Group {
 public:
  static constexpr std::size_t lanes = K::lanes;
  explicit Group(std::size_t used) : used_(used) { FIDUCIA_ASSERT(used >= 1 && used <= lanes); }

  /// Compresses rows of blocks that `place` gives for each used lane.
  template <class Place>
  void compress(std::size_t rows, std::size_t row_blocks, Place place) {
    LaneRows<lanes> input;
    for (std::size_t lane = 0; lane < lanes; ++lane) {
      const auto [first, stride_bytes] = place(std::min(lane, used_ - 1));
      input.first[lane] = first;
      input.stride_bytes[lane] = stride_bytes;
    }
    K::compress(states_, input, rows, row_blocks);
  }
  /// The same for blocks in a row.
  template <class Place>
  void compress(std::size_t blocks, Place place) {
    compress(1, blocks, [&](std::size_t lane) { return std::pair{place(lane), std::size_t{0}}; });
  }

  [[nodiscard]] Digest digest(std::size_t lane) const {
    Digest out;
    for (std::size_t i = 0; i < 8; ++i) store_be(out.bytes.data() + 4 * i, states_.words[i][lane]);
    return out;
  }

 private:
  std::size_t used_;
  LaneStates<lanes> states_;
};

/// Blocks of a message with its padding.
std::size_t block_count(std::uint64_t message_bytes) {
  return static_cast<std::size_t>((message_bytes + padding_bytes_min + block_bytes - 1) /
                                  block_bytes);
}

/// Writes the padding behind `used` message bytes of the last `blocks` blocks.
void pad(std::span<std::byte> blocks, std::size_t used, std::uint64_t message_bytes) {
  std::fill(blocks.begin() + static_cast<std::ptrdiff_t>(used), blocks.end(), std::byte{0});
  blocks[used] = std::byte{0x80};
  store_be(blocks.data() + blocks.size() - 8, message_bytes * 8);
}

/// Hashes up to a group of contiguous messages of `blocks` blocks each; `write(lane, digest)`.
template <class K, class Write>
void hash_contiguous(std::span<const ByteView> messages, std::size_t blocks, Write write) {
  Group<K> group(messages.size());
  // All but the last two blocks hold no padding and are read where they lie.
  const std::size_t in_place = blocks < 2 ? 0 : blocks - 2;
  const std::size_t end_bytes = (blocks - in_place) * block_bytes;
  Ends<K::lanes> ends;
  for (std::size_t lane = 0; lane < messages.size(); ++lane) {
    FIDUCIA_ASSERT(block_count(messages[lane].size()) == blocks);
    const ByteView end = messages[lane].subspan(in_place * block_bytes);
    const std::span<std::byte> to = std::span{ends.bytes[lane]}.first(end_bytes);
    if (!end.empty()) std::memcpy(to.data(), end.data(), end.size());
    pad(to, end.size(), messages[lane].size());
  }
  if (in_place != 0)
    group.compress(in_place, [&](std::size_t lane) { return messages[lane].data(); });
  group.compress(blocks - in_place, [&](std::size_t lane) {
    return static_cast<const std::byte*>(ends.bytes[lane].data());
  });
  for (std::size_t lane = 0; lane < messages.size(); ++lane) write(lane, group.digest(lane));
}

// --- tiles -----------------------------------------------------------------------------------

std::uint64_t message_bytes(const TileMessage& tile) {
  const auto body = checked_mul<std::uint64_t>(tile.rows, tile.row_bytes);
  FIDUCIA_ASSERT(body && *body < std::uint64_t{1} << 60);
  return block_bytes + *body;
}

/// Indices of messages that can share the lanes.
template <std::size_t lanes>
struct Waiting {
  std::array<std::size_t, lanes> indices{};
  std::size_t count = 0;

  void add(std::size_t index) { indices[count++] = index; }
  [[nodiscard]] std::span<const std::size_t> view() const {
    return std::span{indices}.first(count);
  }
};

template <class K>
class TileGroups {
 public:
  TileGroups(std::span<const TileMessage> tiles, std::span<Digest> out)
      : tiles_(tiles), out_(out) {}

  void add(std::size_t index) {
    const TileMessage& tile = tiles_[index];
    if (tile.row_bytes % block_bytes != 0 && message_bytes(tile) > gather_bytes_max) {
      rest_.push_back(index);
      return;
    }
    Waiting<K::lanes>& shape = waiting_of(tile);
    shape.add(index);
    if (shape.count == K::lanes) flush(shape);
  }

  /// Hashes what still waits; returns what found too few of its shape.
  std::vector<std::size_t> finish() {
    for (std::size_t i = 0; i < shape_count_; ++i) flush(shapes_[i]);
    return std::move(rest_);
  }

 private:
  /// Tiles that would have to be copied together stay far below; a longer one is not worth it.
  static constexpr std::uint64_t gather_bytes_max = 64 << 10;

  /// The group of this tile's shape. A frame has at most four shapes (inside, right edge, bottom
  /// edge, corner), so that the groups do not run out for tiles of one frame.
  Waiting<K::lanes>& waiting_of(const TileMessage& tile) {
    for (std::size_t i = 0; i < shape_count_; ++i) {
      if (shapes_[i].count == 0) return shapes_[i];
      const TileMessage& other = tiles_[shapes_[i].indices[0]];
      if (other.rows == tile.rows && other.row_bytes == tile.row_bytes) return shapes_[i];
    }
    if (shape_count_ < shapes_.size()) return shapes_[shape_count_++];
    Waiting<K::lanes>& fewest = *std::ranges::min_element(shapes_, {}, &Waiting<K::lanes>::count);
    flush(fewest);
    return fewest;
  }

  void flush(Waiting<K::lanes>& shape) {
    if (shape.count < K::group_count_min) {
      rest_.insert(rest_.end(), shape.view().begin(), shape.view().end());
    } else if (tiles_[shape.indices[0]].row_bytes % block_bytes == 0) {
      hash_in_place(shape.view());
    } else {
      hash_gathered(shape.view());
    }
    shape.count = 0;
  }

  void hash_in_place(std::span<const std::size_t> indices) {
    const auto tile = [&](std::size_t lane) -> const TileMessage& { return tiles_[indices[lane]]; };
    Group<K> group(indices.size());
    group.compress(1, [&](std::size_t lane) { return tile(lane).head.data(); });
    group.compress(tile(0).rows, tile(0).row_bytes / block_bytes, [&](std::size_t lane) {
      return std::pair{tile(lane).first_row, tile(lane).stride_bytes};
    });
    alignas(64) std::array<std::byte, block_bytes> padding;
    pad(padding, 0, message_bytes(tile(0)));  // equal lengths: one serves all
    group.compress(1, [&](std::size_t) { return static_cast<const std::byte*>(padding.data()); });
    for (std::size_t lane = 0; lane < indices.size(); ++lane)
      out_[indices[lane]] = group.digest(lane);
  }

  void hash_gathered(std::span<const std::size_t> indices) {
    const TileMessage& shape = tiles_[indices[0]];
    const auto bytes = static_cast<std::size_t>(message_bytes(shape));
    scratch_.resize(bytes * indices.size());
    std::array<ByteView, K::lanes> messages;
    for (std::size_t lane = 0; lane < indices.size(); ++lane) {
      const TileMessage& tile = tiles_[indices[lane]];
      std::byte* to = scratch_.data() + lane * bytes;
      messages[lane] = {to, bytes};
      std::memcpy(to, tile.head.data(), block_bytes);
      to += block_bytes;
      for (std::size_t row = 0; row < tile.rows; ++row, to += tile.row_bytes)
        std::memcpy(to, tile.first_row + row * tile.stride_bytes, tile.row_bytes);
    }
    hash_contiguous<K>(
        std::span{messages}.first(indices.size()), block_count(bytes),
        [&](std::size_t lane, const Digest& digest) { out_[indices[lane]] = digest; });
  }

  std::span<const TileMessage> tiles_;
  std::span<Digest> out_;
  std::array<Waiting<K::lanes>, 8> shapes_{};  // all different; an empty one serves any shape
  std::size_t shape_count_ = 0;
  std::vector<std::size_t> rest_;
  Bytes scratch_;
};

template <class K>
std::vector<std::size_t> many_in_groups(std::span<const ByteView> messages,
                                        std::span<const std::size_t> indices,
                                        std::span<Digest> out) {
  // Longer messages are few, and seldom of one length.
  constexpr std::size_t blocks_max = 16;
  std::array<Waiting<K::lanes>, blocks_max + 1> waiting{};  // by number of blocks
  std::vector<std::size_t> rest;
  const auto flush = [&](std::size_t blocks) {
    Waiting<K::lanes>& group = waiting[blocks];
    std::array<ByteView, K::lanes> lane_messages;
    for (std::size_t lane = 0; lane < group.count; ++lane)
      lane_messages[lane] = messages[group.indices[lane]];
    hash_contiguous<K>(
        std::span{lane_messages}.first(group.count), blocks,
        [&](std::size_t lane, const Digest& digest) { out[group.indices[lane]] = digest; });
    group.count = 0;
  };
  for (const std::size_t i : indices) {
    const std::size_t blocks = block_count(messages[i].size());
    if (blocks > blocks_max) {
      rest.push_back(i);
      continue;
    }
    waiting[blocks].add(i);
    if (waiting[blocks].count == K::lanes) flush(blocks);
  }
  for (std::size_t blocks = 1; blocks <= blocks_max; ++blocks) {
    const Waiting<K::lanes>& group = waiting[blocks];
    if (group.count >= K::group_count_min)
      flush(blocks);
    else
      rest.insert(rest.end(), group.view().begin(), group.view().end());
  }
  return rest;
}

template <class K>
std::size_t node_pairs_in_groups(std::span<const Digest> nodes, std::span<Digest> out) {
  constexpr std::size_t node_bytes = 65;  // 0x01 || left || right
  Ends<K::lanes> blocks;
  for (auto& lane : blocks.bytes) {
    lane[0] = std::byte{0x01};
    pad(lane, node_bytes, node_bytes);
  }
  std::size_t done = 0;
  while (out.size() - done >= K::group_count_min) {
    const std::size_t count = std::min(out.size() - done, K::lanes);
    // All nodes of the group are read before the first parent is written: `out` may alias them.
    for (std::size_t lane = 0; lane < count; ++lane) {
      const Digest* pair = &nodes[2 * (done + lane)];
      std::memcpy(blocks.bytes[lane].data() + 1, pair[0].bytes.data(), 32);
      std::memcpy(blocks.bytes[lane].data() + 33, pair[1].bytes.data(), 32);
    }
    Group<K> group(count);
    group.compress(2, [&](std::size_t lane) {
      return static_cast<const std::byte*>(blocks.bytes[lane].data());
    });
    for (std::size_t lane = 0; lane < count; ++lane) out[done + lane] = group.digest(lane);
    done += count;
  }
  return done;
}

}  // namespace

std::size_t group_count_min(Kernel kernel) {
  return with_kernel(kernel, []<class K>(K) { return K::group_count_min; });
}

std::vector<std::size_t> hash_tiles(Kernel kernel, std::span<const TileMessage> tiles,
                                    std::span<const std::size_t> indices, std::span<Digest> out) {
  FIDUCIA_ASSERT(tiles.size() == out.size());
  return with_kernel(kernel, [&]<class K>(K) {
    TileGroups<K> groups(tiles, out);
    for (const std::size_t i : indices) groups.add(i);
    return groups.finish();
  });
}

std::vector<std::size_t> hash_many(Kernel kernel, std::span<const ByteView> messages,
                                   std::span<const std::size_t> indices, std::span<Digest> out) {
  FIDUCIA_ASSERT(messages.size() == out.size());
  return with_kernel(kernel, [&]<class K>(K) { return many_in_groups<K>(messages, indices, out); });
}

std::size_t hash_node_pairs(Kernel kernel, std::span<const Digest> nodes, std::span<Digest> out) {
  FIDUCIA_ASSERT(nodes.size() == 2 * out.size());
  return with_kernel(kernel, [&]<class K>(K) { return node_pairs_in_groups<K>(nodes, out); });
}

}  // namespace fiducia::crypto::wide
