// SPDX-License-Identifier: Apache-2.0
#include "canonical/pixels.h"

#include <algorithm>
#include <cstring>

#include "canonical/samples.h"
#include "crypto/crypto.h"
#include "merkle/merkle.h"

namespace fiducia::canonical {
namespace {

using Head = std::array<std::byte, 64>;

/// 0x00 || tag || salt: the first half of every head block (spec/seal.md 3).
Head begin_head(std::string_view tag, const Salt& salt) {
  Head head{};
  std::memcpy(head.data() + 1, tag.data(), tag.size());
  std::memcpy(head.data() + 16, salt.data(), salt.size());
  return head;
}

/// The head block of a tile (spec/seal.md 6.3): what the samples are and where they stand.
Head tile_head(std::string_view tag, const Salt& salt, std::uint64_t frame,
               finding::TilePosition at, std::uint32_t height, std::uint32_t width,
               const codec::Geometry& geometry) {
  Head head = begin_head(tag, salt);
  store_be(head.data() + 32, frame);
  store_be(head.data() + 40, at.row);
  store_be(head.data() + 44, at.column);
  store_be(head.data() + 48, height);
  store_be(head.data() + 52, width);
  store_be(head.data() + 56, geometry.samples_per_pixel);
  head[58] = static_cast<std::byte>(geometry.sample_bytes());
  head[59] = static_cast<std::byte>(geometry.kind);
  return head;
}

/// Head of a leaf over plain bytes: index and length (spec/seal.md 7).
Head bytes_head(std::string_view tag, const Salt& salt, std::uint64_t index,
                std::uint64_t length_bytes) {
  Head head = begin_head(tag, salt);
  store_be(head.data() + 32, index);
  store_be(head.data() + 40, length_bytes);
  return head;
}

bool is_uniform(const crypto::TileMessage& tile, std::size_t pixel_bytes) {
  if (tile.row_bytes > pixel_bytes &&
      std::memcmp(tile.first_row, tile.first_row + pixel_bytes, tile.row_bytes - pixel_bytes) != 0)
    return false;
  for (std::size_t row = 1; row < tile.rows; ++row)
    if (std::memcmp(tile.first_row, tile.first_row + row * tile.stride_bytes, tile.row_bytes) != 0)
      return false;
  return true;
}

bool is_zero(const crypto::TileMessage& tile) {
  return tile.first_row[0] == std::byte{0} && is_uniform(tile, 1);
}

/// Brings samples into the cache in the order in which they lie in memory. The walk over tiles
/// jumps from row to row, which the processor's own prefetching does not foresee.
void fetch(ByteView samples) {
  constexpr std::size_t line_bytes = 64;
  for (std::size_t i = 0; i < samples.size(); i += line_bytes)
    __builtin_prefetch(samples.data() + i, 0, 2);
}

}  // namespace

TileGrid tile_grid(std::uint32_t rows, std::uint32_t columns) {
  const auto tiles = [](std::uint32_t pixels) {
    return pixels / finding::tile_edge + (pixels % finding::tile_edge != 0);
  };
  return {tiles(rows), tiles(columns)};
}

Digest pixel_root(const PixelLeaves& leaves, std::uint64_t tiles_per_frame) {
  if (leaves.outside_bits.empty() && !leaves.tail) return merkle::root(leaves.tiles);
  std::vector<Digest> all;
  all.reserve(leaves.tiles.size() + leaves.outside_bits.size() + 1);
  std::size_t next = 0;
  const std::uint64_t frames = tiles_per_frame == 0 ? 0 : leaves.tiles.size() / tiles_per_frame;
  for (std::uint64_t frame = 0; frame < frames; ++frame) {
    const auto begin = leaves.tiles.begin() + static_cast<std::ptrdiff_t>(frame * tiles_per_frame);
    all.insert(all.end(), begin, begin + static_cast<std::ptrdiff_t>(tiles_per_frame));
    for (; next < leaves.outside_bits.size() && leaves.outside_bits[next].frame == frame; ++next)
      all.push_back(leaves.outside_bits[next].hash);
  }
  if (leaves.tail) all.push_back(*leaves.tail);
  return merkle::root(all);
}

/// Enough tiles to fill the lanes of the hash (crypto/hash.h), few enough to stay in the cache
/// from the look at the samples to the last digest.
constexpr std::uint32_t band_tiles = 64;

/// Some rows of tiles: `rows` rows of pixels that start at `first_row`.
struct TileHasher::Band {
  std::uint32_t frame = 0;
  std::uint32_t first_tile_row = 0;
  std::uint32_t rows = 0;
  const std::byte* first_row = nullptr;
  std::size_t stride_bytes = 0;
};

TileHasher::TileHasher(const codec::Geometry& geometry)
    : geometry_(geometry),
      grid_(tile_grid(geometry.rows, geometry.columns)),
      band_tile_rows_(
          std::clamp(band_tiles / std::max(1U, grid_.columns), 1U, std::max(1U, grid_.rows))) {
  salts_.resize(grid_.count());
}

void TileHasher::hash_band(const Band& band, std::string_view tag, std::span<const Salt> salts,
                           std::span<Digest> out) {
  const std::size_t pixel_bytes =
      std::size_t{geometry_.samples_per_pixel} * geometry_.sample_bytes();
  messages_.resize(out.size());
  for (std::uint32_t y = 0, i = 0; y < band.rows; y += finding::tile_edge) {
    const std::uint32_t height = std::min(finding::tile_edge, band.rows - y);
    const std::uint32_t tile_row = band.first_tile_row + y / finding::tile_edge;
    for (std::uint32_t column = 0; column < grid_.columns; ++column, ++i) {
      const std::uint32_t x = column * finding::tile_edge;
      const std::uint32_t width = std::min(finding::tile_edge, geometry_.columns - x);
      messages_[i] = {.head = tile_head(tag, salts[i], band.frame, {tile_row, column}, height,
                                        width, geometry_),
                      .first_row = band.first_row + y * band.stride_bytes + x * pixel_bytes,
                      .row_bytes = width * pixel_bytes,
                      .stride_bytes = band.stride_bytes,
                      .rows = height};
    }
  }
  crypto::sha256_tiles(messages_, out);
}

/// Shows the tiles hashed last to the sketch.
void TileHasher::show(const Band& band, SketchBuilder& sketch) const {
  const std::size_t pixel_bytes =
      std::size_t{geometry_.samples_per_pixel} * geometry_.sample_bytes();
  for (std::size_t i = 0; i < messages_.size(); ++i) {
    const crypto::TileMessage& tile = messages_[i];
    sketch.add({.frame = band.frame,
                .row = band.first_tile_row + static_cast<std::uint32_t>(i / grid_.columns),
                .column = static_cast<std::uint32_t>(i % grid_.columns),
                .width = static_cast<std::uint32_t>(tile.row_bytes / pixel_bytes),
                .height = static_cast<std::uint32_t>(tile.rows),
                .samples_per_pixel = geometry_.samples_per_pixel,
                .sample_bytes = static_cast<std::uint8_t>(geometry_.sample_bytes()),
                .first_row = tile.first_row,
                .row_bytes = tile.row_bytes,
                .stride_bytes = tile.stride_bytes});
  }
}

void TileHasher::hash(std::uint32_t frame_index, const codec::Frame& frame, const Salts& salts,
                      std::span<Digest> tiles, std::vector<OutsideBitsLeaf>& outside_bits,
                      SketchBuilder* sketch) {
  FIDUCIA_ASSERT(tiles.size() == grid_.count());
  FIDUCIA_ASSERT(frame.samples.size() == geometry_.frame_bytes());
  const SampleBits bits = sample_bits(geometry_);
  const std::size_t pixel_bytes =
      std::size_t{geometry_.samples_per_pixel} * geometry_.sample_bytes();
  const std::size_t row_bytes = pixel_bytes * geometry_.columns;
  salts.frame(frame_index, FrameSaltUse::tile, salts_);
  bool have_outside_salts = false;
  has_unextended_signs_ = false;
  if (watch_uniform_) uniform_.assign(grid_.count(), false);

  // A band at a time: it is looked at, rewritten if need be, and hashed while it is in cache.
  for (std::uint32_t tile_row = 0; tile_row < grid_.rows; tile_row += band_tile_rows_) {
    const std::uint32_t tile_rows = std::min(band_tile_rows_, grid_.rows - tile_row);
    const std::uint32_t y = tile_row * finding::tile_edge;
    const std::uint32_t rows = std::min(tile_rows * finding::tile_edge, geometry_.rows - y);
    const ByteView samples = frame.samples.subspan(y * row_bytes, rows * row_bytes);
    Band band{.frame = frame_index,
              .first_tile_row = tile_row,
              .rows = rows,
              .first_row = samples.data(),
              .stride_bytes = row_bytes};
    if (bits.is_whole()) fetch(samples);  // else the look at the samples does it
    const SampleState state = inspect_samples(samples, bits);
    if (state != SampleState::canonical) {
      canonical_.resize(samples.size());
      outside_.resize(samples.size());
      split_samples(samples, bits, canonical_, outside_);
      band.first_row = canonical_.data();
    }
    const std::size_t first = std::size_t{tile_row} * grid_.columns;
    const std::size_t count = std::size_t{tile_rows} * grid_.columns;
    hash_band(band, leaf_tags::tile, std::span{salts_}.subspan(first, count),
              tiles.subspan(first, count));
    if (watch_uniform_)
      for (std::size_t i = 0; i < count; ++i)
        uniform_[first + i] = is_uniform(messages_[i], pixel_bytes);
    if (sketch != nullptr) show(band, *sketch);
    if (state != SampleState::carries_extra) continue;
    has_unextended_signs_ = has_unextended_signs_ || any_sign_unextended(samples, bits);
    if (!std::exchange(have_outside_salts, true)) {
      outside_salts_.resize(grid_.count());
      salts.frame(frame_index, FrameSaltUse::outside_bits, outside_salts_);
    }
    band.first_row = outside_.data();
    outside_digests_.resize(count);
    hash_band(band, leaf_tags::outside_bits, std::span{outside_salts_}.subspan(first, count),
              outside_digests_);
    for (std::size_t i = 0; i < count; ++i)
      if (!is_zero(messages_[i]))
        outside_bits.push_back({.frame = frame_index,
                                .tile = static_cast<std::uint32_t>(first + i),
                                .hash = outside_digests_[i]});
  }
}

std::optional<Digest> TileHasher::zero_extended_leaf(std::uint32_t frame_index,
                                                     const codec::Frame& frame, std::uint32_t tile,
                                                     const Salts& salts) const {
  const std::size_t pixel_bytes =
      std::size_t{geometry_.samples_per_pixel} * geometry_.sample_bytes();
  const std::size_t row_bytes = pixel_bytes * geometry_.columns;
  const finding::TilePosition at = grid_.position(tile);
  const std::uint32_t x = at.column * finding::tile_edge;
  const std::uint32_t y = at.row * finding::tile_edge;
  const std::uint32_t width = std::min(finding::tile_edge, geometry_.columns - x);
  const std::uint32_t height = std::min(finding::tile_edge, geometry_.rows - y);
  Bytes outside(width * pixel_bytes * height);
  bool any = false;
  for (std::uint32_t row = 0; row < height; ++row)
    any |= zero_extension(
        frame.samples.subspan((y + row) * row_bytes + x * pixel_bytes, width * pixel_bytes),
        sample_bits(geometry_),
        std::span{outside}.subspan(row * width * pixel_bytes, width * pixel_bytes));
  if (!any) return std::nullopt;
  const Head head = tile_head(leaf_tags::outside_bits,
                              salts.frame_one(frame_index, FrameSaltUse::outside_bits, tile),
                              frame_index, at, height, width, geometry_);
  const ByteView parts[] = {ByteView{head}, outside};
  return crypto::sha256(parts);
}

Digest encoded_frame_hash(std::uint32_t frame_index, const Salts& salts,
                          std::span<const ByteView> pieces) {
  std::uint64_t length_bytes = 0;
  for (const ByteView piece : pieces) length_bytes += piece.size();
  const Head head = bytes_head(leaf_tags::encoded_frame,
                               salts.frame_one(frame_index, FrameSaltUse::encoded_frame, 0),
                               frame_index, length_bytes);
  std::vector<ByteView> parts{ByteView{head}};
  parts.insert(parts.end(), pieces.begin(), pieces.end());
  return crypto::sha256(parts);
}

Digest rendition_hash(std::uint32_t frame_index, codec::Rendition rendition, const Salts& salts,
                      ByteView samples) {
  const auto number = static_cast<std::uint8_t>(rendition);
  Head head = bytes_head(leaf_tags::rendition,
                         salts.frame_one(frame_index, FrameSaltUse::rendition, number), frame_index,
                         samples.size());
  head[48] = std::byte{number};
  const ByteView parts[] = {ByteView{head}, samples};
  return crypto::sha256(parts);
}

Digest tail_hash(const Salts& salts, ByteView tail) {
  const Head head = bytes_head(leaf_tags::tail, salts.tail(), 0, tail.size());
  const ByteView parts[] = {ByteView{head}, tail};
  return crypto::sha256(parts);
}

}  // namespace fiducia::canonical
