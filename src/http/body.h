// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <optional>
#include <span>

#include "core/core.h"

namespace fiducia::http {

/// A body that is pulled piece by piece, and no faster than the other side takes it.
class BodySource {
 public:
  virtual ~BodySource() = default;
  /// Puts the next bytes into the beginning of `to` and says how many; 0 is the end. May block.
  /// Errors end the message in the middle, so that the other side sees that it was cut.
  [[nodiscard]] virtual Result<std::size_t> read(std::span<std::byte> to) = 0;
  /// What `read` will give in all, where that is known: it is announced, and held to. Otherwise
  /// the body goes out in chunks.
  [[nodiscard]] virtual std::optional<std::uint64_t> length_bytes() const { return std::nullopt; }
};

/// Takes a body piece by piece. Nothing more is received before `write` returns.
class BodySink {
 public:
  virtual ~BodySink() = default;
  /// An Error ends the transfer. May block.
  [[nodiscard]] virtual Status write(ByteView bytes) = 0;
};

}  // namespace fiducia::http
