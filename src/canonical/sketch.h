// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

namespace fiducia::canonical {

/// The canonical samples of one tile, where they lie in a frame: `rows` rows of `row_bytes`
/// bytes, each `stride_bytes` after the one before. Valid during the call only.
struct TileSamples {
  std::uint32_t frame = 0;  // from 0
  std::uint32_t row = 0;    // tile position, from 0
  std::uint32_t column = 0;
  std::uint32_t width = 0;  // pixels
  std::uint32_t height = 0;
  std::uint16_t samples_per_pixel = 1;
  std::uint8_t sample_bytes = 1;
  const std::byte* first_row = nullptr;
  std::size_t row_bytes = 0;
  std::size_t stride_bytes = 0;
};

/// The pixel sketch of one object: keyed fingerprints of a few of its textured tiles. It
/// proposes candidates; only verification decides.
struct Sketch {
  std::vector<std::uint64_t> values;  // ascending, distinct
  std::uint64_t textured_tiles = 0;   // how many tiles counted
};

/// Sees every tile of an object once, in order, while it is hashed.
class SketchBuilder {
 public:
  virtual ~SketchBuilder() = default;
  virtual void add(const TileSamples& tile) = 0;
  [[nodiscard]] virtual Sketch finish() = 0;
};

}  // namespace fiducia::canonical
