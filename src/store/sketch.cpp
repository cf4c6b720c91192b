// SPDX-License-Identifier: Apache-2.0
#include "store/sketch.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <algorithm>
#include <cstring>
#include <vector>

#include "crypto/crypto.h"

namespace fiducia::store {
namespace {

constexpr std::uint32_t tile_rows_max = 64;  // finding::tile_edge

/// The smallest `capacity` distinct values of those it saw, ascending.
class Smallest {
 public:
  explicit Smallest(std::size_t capacity) : capacity_(capacity) { values_.reserve(capacity); }
  void add(std::uint64_t value) {
    // Past the first few tiles nearly every value ends here.
    if (values_.size() == capacity_ && value >= values_.back()) return;
    const auto place = std::lower_bound(values_.begin(), values_.end(), value);
    if (place != values_.end() && *place == value) return;
    if (values_.size() == capacity_) values_.pop_back();
    values_.insert(place, value);
  }
  void clear() { values_.clear(); }
  [[nodiscard]] const std::vector<std::uint64_t>& values() const { return values_; }

 private:
  std::size_t capacity_;
  std::vector<std::uint64_t> values_;
};

class Builder final : public canonical::SketchBuilder {
 public:
  explicit Builder(std::shared_ptr<const SketchSecret> secret) : secret_(std::move(secret)) {}

  void add(const canonical::TileSamples& tile) override {
    const auto value = tile_fingerprint(*secret_, tile);
    if (!value) return;
    if (tile.frame != frame_) end_frame(tile.frame);
    ++textured_tiles_;
    object_.add(*value);
    of_frame_.add(*value);
  }

  canonical::Sketch finish() override {
    end_frame(0);
    canonical::Sketch sketch;
    // At most one copy of each value: both lists are distinct in themselves, their union is not.
    std::set_union(object_.values().begin(), object_.values().end(), of_frames_.values().begin(),
                   of_frames_.values().end(), std::back_inserter(sketch.values));
    sketch.textured_tiles = textured_tiles_;
    object_.clear();
    of_frames_.clear();
    textured_tiles_ = 0;
    return sketch;
  }

 private:
  void end_frame(std::uint32_t next_frame) {
    for (const std::uint64_t value : of_frame_.values()) of_frames_.add(value);
    of_frame_.clear();
    frame_ = next_frame;
  }

  std::shared_ptr<const SketchSecret> secret_;
  Smallest object_{sketch_object_values};
  Smallest of_frame_{sketch_frame_values};        // of the frame at hand
  Smallest of_frames_{sketch_all_frames_values};  // of all frames before it
  std::uint32_t frame_ = 0;
  std::uint64_t textured_tiles_ = 0;
};

}  // namespace

SketchSecret sketch_secret(const Digest& sketch_key) {
  SketchSecret secret;
  static_assert(std::tuple_size_v<SketchSecret> >= XXH3_SECRET_SIZE_MIN);
  for (std::size_t block = 0; block < secret.size() / 32; ++block) {
    const std::array<std::byte, 1> counter{static_cast<std::byte>(block)};
    const Digest part = crypto::hmac_sha256(sketch_key.view(), counter);
    std::memcpy(secret.data() + block * 32, part.bytes.data(), part.bytes.size());
  }
  return secret;
}

std::optional<std::uint64_t> tile_fingerprint(const SketchSecret& secret,
                                              const canonical::TileSamples& tile) {
  if (tile.width < sketch_tile_edge_min || tile.height < sketch_tile_edge_min) return std::nullopt;
  FIDUCIA_ASSERT(tile.height <= tile_rows_max);
  const std::size_t pixel_bytes = std::size_t{tile.samples_per_pixel} * tile.sample_bytes;
  FIDUCIA_ASSERT(pixel_bytes != 0 && tile.row_bytes == tile.width * pixel_bytes);

  // One hash a row (64 to 192 bytes: the short paths of XXH3), then one over the row hashes:
  // faster than the streaming interface, which would copy every row into its buffer.
  std::array<std::uint64_t, tile_rows_max + 1> hashes;
  std::uint32_t changes = 0;
  std::uint32_t varied = 0;
  const std::byte* row = tile.first_row;
  for (std::uint32_t i = 0; i < tile.height; ++i, row += tile.stride_bytes) {
    hashes[i] = XXH3_64bits_withSecret(row, tile.row_bytes, secret.data(), secret.size());
    changes += i != 0 && hashes[i] != hashes[i - 1];
    // A row equals itself moved by one pixel exactly when it is all one pixel value. In a
    // textured row the comparison ends at once.
    varied += std::memcmp(row, row + pixel_bytes, tile.row_bytes - pixel_bytes) != 0;
  }
  if (2 * changes < tile.height - 1 || 2 * varied < tile.height) return std::nullopt;
  // The shape, so that the same bytes as 8-bit pairs and as 16-bit samples differ.
  hashes[tile.height] = std::uint64_t{tile.width} << 32 | std::uint64_t{tile.height} << 24 |
                        std::uint64_t{tile.sample_bytes} << 16 | tile.samples_per_pixel;
  if constexpr (std::endian::native == std::endian::big)
    for (std::uint64_t& hash : hashes) hash = std::byteswap(hash);
  return XXH3_64bits_withSecret(hashes.data(), (tile.height + std::size_t{1}) * 8, secret.data(),
                                secret.size());
}

std::unique_ptr<canonical::SketchBuilder> make_sketch_builder(
    std::shared_ptr<const SketchSecret> secret) {
  return std::make_unique<Builder>(std::move(secret));
}

}  // namespace fiducia::store
