// SPDX-License-Identifier: Apache-2.0
#pragma once
// Inside of module store: the pixel sketch (spec/store.md 4, docs/sketch.md).
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>

#include "canonical/canonical.h"
#include "core/core.h"

namespace fiducia::store {

/// The smallest fingerprints of an object that its sketch keeps.
inline constexpr std::size_t sketch_object_values = 32;
/// The smallest fingerprints of each frame that it keeps besides, so that a frame taken out of a
/// multi-frame object is found.
inline constexpr std::size_t sketch_frame_values = 4;
/// How many of those it keeps over all frames (the smallest).
inline constexpr std::size_t sketch_all_frames_values = 4'096;
/// Values of one sketch at most.
inline constexpr std::size_t sketch_values_max = sketch_object_values + sketch_all_frames_values;
/// Rows and columns of pixels a tile needs to be counted: below, unrelated images share tiles.
inline constexpr std::uint32_t sketch_tile_edge_min = 16;

/// The secret of the fingerprints, derived from the store's key. Copyable; shared by builders.
using SketchSecret = std::array<std::byte, 192>;
[[nodiscard]] SketchSecret sketch_secret(const Digest& sketch_key);

/// The fingerprint of a tile, absent when the tile is not textured. A tile is textured when it
/// has at least 16 rows and 16 columns of pixels, at least half of its rows below the first
/// differ from the row above, and at least half of its rows hold more than one pixel value.
[[nodiscard]] std::optional<std::uint64_t> tile_fingerprint(const SketchSecret& secret,
                                                            const canonical::TileSamples& tile);

/// A builder; `secret` is shared with it.
[[nodiscard]] std::unique_ptr<canonical::SketchBuilder> make_sketch_builder(
    std::shared_ptr<const SketchSecret> secret);

}  // namespace fiducia::store
