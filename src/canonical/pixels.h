// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <optional>
#include <span>
#include <vector>

#include "canonical/salts.h"
#include "canonical/sketch.h"
#include "codec/codec.h"
#include "crypto/crypto.h"
#include "finding/finding.h"

namespace fiducia::canonical {

/// How a frame is cut into tiles.
struct TileGrid {
  std::uint32_t rows = 0;     // of tiles
  std::uint32_t columns = 0;  // of tiles
  [[nodiscard]] std::uint64_t count() const { return std::uint64_t{rows} * columns; }
  [[nodiscard]] finding::TilePosition position(std::uint64_t index) const {
    return {static_cast<std::uint32_t>(index / columns),
            static_cast<std::uint32_t>(index % columns)};
  }
};
[[nodiscard]] TileGrid tile_grid(std::uint32_t rows, std::uint32_t columns);

/// The leaf over what a tile carries outside Bits Stored; only tiles that carry something there
/// have one.
struct OutsideBitsLeaf {
  std::uint32_t frame = 0;  // from 0
  std::uint32_t tile = 0;   // index in the frame
  Digest hash;
  bool operator==(const OutsideBitsLeaf&) const = default;
};

/// All leaves of the pixel tree of one object, as the evidence stores them.
struct PixelLeaves {
  std::vector<Digest> tiles;                  // frame after frame, row-major; empty when the
                                              // samples were not sealed (no decoder)
  std::vector<OutsideBitsLeaf> outside_bits;  // by frame, then tile
  std::optional<Digest> tail;                 // bytes after the last frame
  std::vector<Digest> encoded_frames;         // one a frame; empty for native pixel data
  /// Per rendition of the statement, in its order: one a frame.
  std::vector<std::vector<Digest>> renditions = {};
};

/// RFC 9162 root over, for each frame, its tiles and then its outside-bits leaves; then the tail.
[[nodiscard]] Digest pixel_root(const PixelLeaves& leaves, std::uint64_t tiles_per_frame);

/// Hashes the tiles of frames of one geometry. Keeps scratch memory of a few rows of tiles.
/// Not thread-safe; one a worker.
class TileHasher {
 public:
  explicit TileHasher(const codec::Geometry& geometry);

  /// Hashes every tile of one decoded frame: `tiles` gets grid().count() digests; leaves over
  /// bits outside Bits Stored are appended to `outside_bits`. `sketch`, if any, sees each tile.
  /// spec/seal.md 6.
  void hash(std::uint32_t frame_index, const codec::Frame& frame, const Salts& salts,
            std::span<Digest> tiles, std::vector<OutsideBitsLeaf>& outside_bits,
            SketchBuilder* sketch = nullptr);
  /// The outside-bits leaf that tile `tile` of `frame` would have if the signs of its samples were
  /// not extended; absent when no sample is negative. Some encoders drop the extension and some
  /// decoders fix it, so the verifier must know (spec/seal.md 10.2).
  [[nodiscard]] std::optional<Digest> zero_extended_leaf(std::uint32_t frame_index,
                                                         const codec::Frame& frame,
                                                         std::uint32_t tile,
                                                         const Salts& salts) const;
  /// Whether the frame hashed last has negative samples whose upper bits are all zero: readers
  /// that extend the sign and readers that take the container show other values.
  [[nodiscard]] bool has_unextended_signs() const { return has_unextended_signs_; }
  /// Which tiles of the frame hashed last are all one value: they identify nothing.
  [[nodiscard]] const std::vector<bool>& uniform() const { return uniform_; }
  /// Makes hash() fill uniform(); off by default, as it costs a pass.
  void watch_uniform(bool on) { watch_uniform_ = on; }
  [[nodiscard]] const TileGrid& grid() const { return grid_; }

 private:
  struct Band;  // some rows of tiles
  void hash_band(const Band& band, std::string_view tag, std::span<const Salt> salts,
                 std::span<Digest> out);
  void show(const Band& band, SketchBuilder& sketch) const;
  codec::Geometry geometry_;
  TileGrid grid_;
  std::uint32_t band_tile_rows_;  // rows of tiles of a band, but for the last one
  std::vector<Salt> salts_;
  std::vector<Salt> outside_salts_;
  std::vector<crypto::TileMessage> messages_;
  std::vector<Digest> outside_digests_;
  Bytes canonical_;  // samples of one band, rewritten
  Bytes outside_;    // bits of one band outside Bits Stored
  std::vector<bool> uniform_;
  bool watch_uniform_ = false;
  bool has_unextended_signs_ = false;
};

/// Leaf over the bytes of one encoded frame, in pieces (spec/seal.md 7).
[[nodiscard]] Digest encoded_frame_hash(std::uint32_t frame_index, const Salts& salts,
                                        std::span<const ByteView> pieces);
/// Leaf over a whole frame as a decoder of another kind gives it (spec/seal.md 6.7).
[[nodiscard]] Digest rendition_hash(std::uint32_t frame_index, codec::Rendition rendition,
                                    const Salts& salts, ByteView samples);
/// Leaf over the bytes after the last native frame.
[[nodiscard]] Digest tail_hash(const Salts& salts, ByteView tail);

}  // namespace fiducia::canonical
