// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <optional>
#include <span>

#include "core/core.h"

/// Inside http: the chunked transfer coding (RFC 9112 section 7.1), both ways.
namespace fiducia::http {

/// Takes a chunked body apart as its bytes come. Strict: no white space beside a size, no bare CR
/// or LF; extensions and trailer fields are read over, within limits.
class ChunkReader {
 public:
  struct Progress {
    std::size_t taken = 0;    // bytes of the input that belong to this body
    std::size_t payload = 0;  // bytes of content, moved to the beginning of the input
  };
  /// Reads on in `bytes`, and packs what is content to their beginning. Nothing when the grammar
  /// or a limit is broken. Takes all bytes, unless the body ends before.
  [[nodiscard]] std::optional<Progress> read(std::span<std::byte> bytes);
  [[nodiscard]] bool is_done() const { return state_ == State::done; }

 private:
  enum class State : std::uint8_t {
    size_start,
    size,
    extension,
    size_feed,
    data,
    data_return,
    data_feed,
    trailer_start,
    trailer_name,
    trailer_value,
    trailer_feed,
    last_feed,
    done
  };
  [[nodiscard]] bool step(unsigned char c);
  [[nodiscard]] bool add_digit(unsigned char c);

  State state_ = State::size_start;
  std::uint64_t left_ = 0;      // of the chunk; while its size is read, that
  bool quoted_ = false;         // inside of a quoted string of an extension
  bool escaped_ = false;        // behind a backslash in it
  std::size_t line_bytes_ = 0;  // of this size line, or of all trailer fields
};

/// The size line of a chunk of `size` bytes goes right in front of it: this much room suffices.
inline constexpr std::size_t chunk_prefix_bytes = 18;
/// Writes it so that it ends where `room` ends; returns how many bytes it has.
[[nodiscard]] std::size_t write_chunk_size(std::span<std::byte, chunk_prefix_bytes> room,
                                           std::size_t size);

}  // namespace fiducia::http
