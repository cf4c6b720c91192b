// SPDX-License-Identifier: Apache-2.0
#include "http/chunks.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>

#include "http/grammar.h"

namespace fiducia::http {
namespace {

// Sixteen digits would do for 64 bits; the highest bit stays free.
constexpr std::uint64_t chunk_bytes_max = (std::uint64_t{1} << 62) - 1;
constexpr std::size_t size_line_bytes_max = 256;

bool is_text(unsigned char c) { return (c >= 0x20 && c != 0x7F) || c == '\t'; }

}  // namespace

bool ChunkReader::add_digit(unsigned char c) {
  unsigned digit = 0;
  if (c >= '0' && c <= '9')
    digit = c - unsigned{'0'};
  else if (c >= 'a' && c <= 'f')
    digit = c - unsigned{'a'} + 10;
  else if (c >= 'A' && c <= 'F')
    digit = c - unsigned{'A'} + 10;
  else
    return false;
  if (left_ > chunk_bytes_max >> 4) return false;
  left_ = left_ << 4 | digit;
  return true;
}

/// One byte outside of content; false where it may not stand.
bool ChunkReader::step(unsigned char c) {
  switch (state_) {
    case State::size_start:
      left_ = 0;
      line_bytes_ = 1;
      state_ = State::size;
      return add_digit(c);
    case State::size:
      if (++line_bytes_ > size_line_bytes_max) return false;
      if (c == '\r') {
        state_ = State::size_feed;
        return true;
      }
      if (c == ';') {
        state_ = State::extension;
        quoted_ = escaped_ = false;
        return true;
      }
      return add_digit(c);
    case State::extension:
      if (++line_bytes_ > size_line_bytes_max) return false;
      // A line that ends inside of quotes is one that others read on (RFC 9110 5.6.4).
      if (c == '\r') {
        state_ = State::size_feed;
        return !quoted_;
      }
      if (escaped_)
        escaped_ = false;
      else if (quoted_ && c == '\\')
        escaped_ = true;
      else if (c == '"')
        quoted_ = !quoted_;
      return is_text(c);
    case State::size_feed:
      line_bytes_ = 0;
      state_ = left_ > 0 ? State::data : State::trailer_start;
      return c == '\n';
    case State::data_return:
      state_ = State::data_feed;
      return c == '\r';
    case State::data_feed:
      state_ = State::size_start;
      return c == '\n';
    case State::trailer_start:
      if (c == '\r') {
        state_ = State::last_feed;
        return true;
      }
      state_ = State::trailer_name;
      [[fallthrough]];
    case State::trailer_name: {
      if (++line_bytes_ > limits::http_header_bytes_max) return false;
      const char character = static_cast<char>(c);
      if (is_token({&character, 1})) return true;
      state_ = State::trailer_value;
      return c == ':';
    }
    case State::trailer_value:
      if (++line_bytes_ > limits::http_header_bytes_max) return false;
      if (c != '\r') return is_text(c);
      state_ = State::trailer_feed;
      return true;
    case State::trailer_feed:
      state_ = State::trailer_start;
      return c == '\n';
    case State::last_feed:
      state_ = State::done;
      return c == '\n';
    case State::data:
    case State::done:
      break;
  }
  return false;
}

std::optional<ChunkReader::Progress> ChunkReader::read(std::span<std::byte> bytes) {
  Progress progress;
  while (progress.taken < bytes.size() && state_ != State::done) {
    if (state_ != State::data) {
      if (!step(std::to_integer<unsigned char>(bytes[progress.taken++]))) return std::nullopt;
      continue;
    }
    const auto count =
        static_cast<std::size_t>(std::min<std::uint64_t>(left_, bytes.size() - progress.taken));
    if (progress.payload != progress.taken)
      std::memmove(bytes.data() + progress.payload, bytes.data() + progress.taken, count);
    progress.payload += count;
    progress.taken += count;
    left_ -= count;
    if (left_ == 0) state_ = State::data_return;
  }
  return progress;
}

std::size_t write_chunk_size(std::span<std::byte, chunk_prefix_bytes> room, std::size_t size) {
  std::array<char, chunk_prefix_bytes> line{};
  char* const end = std::to_chars(line.data(), line.data() + line.size() - 2, size, 16).ptr;
  end[0] = '\r';
  end[1] = '\n';
  const auto length = static_cast<std::size_t>(end + 2 - line.data());
  std::memcpy(room.data() + room.size() - length, line.data(), length);
  return length;
}

}  // namespace fiducia::http
