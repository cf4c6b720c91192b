// SPDX-License-Identifier: Apache-2.0
#pragma once
// Puts messages of equal shape side by side into the sixteen lanes of sha256_avx512.h.
// Every function here needs avx512::available().
#include <span>
#include <vector>

#include "crypto/hash.h"

namespace fiducia::crypto::wide {

/// Sixteen lanes cost the same however many of them are used; fewer messages than this are
/// faster two at a time on the SHA extensions, and left to the caller.
inline constexpr std::size_t group_count_min = 9;

/// Hashes the tiles that find enough others of their shape. Returns the indices of the rest,
/// whose elements of `out` are untouched.
[[nodiscard]] std::vector<std::size_t> hash_tiles(std::span<const TileMessage> tiles,
                                                  std::span<Digest> out);

/// Hashes the messages that find enough others with the same number of blocks. Returns the
/// indices of the rest.
[[nodiscard]] std::vector<std::size_t> hash_many(std::span<const ByteView> messages,
                                                 std::span<Digest> out);

/// sha256_node_pairs for the front of `out`; returns how many elements of it are done.
[[nodiscard]] std::size_t hash_node_pairs(std::span<const Digest> nodes, std::span<Digest> out);

}  // namespace fiducia::crypto::wide
