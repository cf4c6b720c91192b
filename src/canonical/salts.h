// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <array>
#include <span>
#include <string_view>
#include <vector>

#include "core/core.h"

namespace fiducia::canonical {

using Seed = std::array<std::byte, 32>;
using Salt = std::array<std::byte, 16>;

/// Tags that begin every leaf preimage after the 0x00 of RFC 9162: 15 bytes, so that prefix, tag
/// and salt fill half a SHA-256 block. All domain tags of the seal are listed here and in
/// spec/seal.md section 3; no two uses share one.
namespace leaf_tags {
inline constexpr std::string_view attribute{"fiducia/attr/1\0", 15};
inline constexpr std::string_view tile{"fiducia/tile/1\0", 15};
inline constexpr std::string_view outside_bits{"fiducia/bits/1\0", 15};
inline constexpr std::string_view tail{"fiducia/tail/1\0", 15};
inline constexpr std::string_view encoded_frame{"fiducia/code/1\0", 15};
inline constexpr std::string_view rendition{"fiducia/view/1\0", 15};
inline constexpr std::string_view untyped_text{"fiducia/text/1\0", 15};
}  // namespace leaf_tags

/// What a salt of a frame is for: an index space of its own each.
enum class FrameSaltUse { tile, outside_bits, encoded_frame, rendition };

/// The tree of salts below one random seed (DESIGN 4.1, spec/seal.md section 4):
/// seed -> header key -> one salt a header leaf; seed -> frame key -> one salt a tile.
/// Disclosing a frame key discloses that frame's salts and nothing else.
class Salts {
 public:
  explicit Salts(const Seed& seed);
  /// salts[i] belongs to header leaf i.
  [[nodiscard]] std::vector<Salt> header(std::size_t count) const;
  /// The salt of one header leaf.
  [[nodiscard]] Salt header_one(std::uint64_t index) const;
  /// Salts [0, count) of one use in one frame (from 0).
  void frame(std::uint64_t frame, FrameSaltUse use, std::span<Salt> out) const;
  /// One salt, by index.
  [[nodiscard]] Salt frame_one(std::uint64_t frame, FrameSaltUse use, std::uint64_t index) const;
  [[nodiscard]] Salt tail() const;

 private:
  Seed seed_;
  Digest header_key_;
};

}  // namespace fiducia::canonical
