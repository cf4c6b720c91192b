// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <optional>
#include <span>

#include "core/bytes.h"

namespace fiducia {

/// Bytes that are pulled piece by piece, and no faster than the other side takes them.
class ByteSource {
 public:
  virtual ~ByteSource() = default;
  /// Puts the next bytes into the beginning of `to` and says how many; 0 is the end. May block.
  /// An Error ends what is being sent in the middle, so that the other side sees that it was cut.
  [[nodiscard]] virtual Result<std::size_t> read(std::span<std::byte> to) = 0;
  /// What `read` will give in all, where that is known: it may be announced, and is held to.
  [[nodiscard]] virtual std::optional<std::uint64_t> length_bytes() const { return std::nullopt; }
};

/// Takes bytes piece by piece. Nothing more is received before `write` returns.
class ByteSink {
 public:
  virtual ~ByteSink() = default;
  /// An Error ends the transfer. May block.
  [[nodiscard]] virtual Status write(ByteView bytes) = 0;
};

}  // namespace fiducia
