// SPDX-License-Identifier: Apache-2.0
#pragma once
// Puts messages of equal shape side by side into the lanes of a kernel.
#include <span>
#include <vector>

#include "crypto/hash.h"

namespace fiducia::crypto::wide {

/// sha256_avx2.h, eight lanes, and sha256_avx512.h, sixteen. Whoever passes one has asked its
/// available().
enum class Kernel { avx2, avx512 };

/// Lanes cost the same however many of them are used: fewer messages than this are faster one or
/// two at a time, and left to the caller.
[[nodiscard]] std::size_t group_count_min(Kernel kernel);

/// Hashes those of the tiles at `indices` that find enough others of their shape. Returns the
/// indices of the rest, whose elements of `out` are untouched.
[[nodiscard]] std::vector<std::size_t> hash_tiles(Kernel kernel, std::span<const TileMessage> tiles,
                                                  std::span<const std::size_t> indices,
                                                  std::span<Digest> out);

/// Hashes those of the messages at `indices` that find enough others with the same number of
/// blocks. Returns the indices of the rest.
[[nodiscard]] std::vector<std::size_t> hash_many(Kernel kernel, std::span<const ByteView> messages,
                                                 std::span<const std::size_t> indices,
                                                 std::span<Digest> out);

/// sha256_node_pairs for the front of `out`; returns how many elements of it are done.
[[nodiscard]] std::size_t hash_node_pairs(Kernel kernel, std::span<const Digest> nodes,
                                          std::span<Digest> out);

}  // namespace fiducia::crypto::wide
