// SPDX-License-Identifier: Apache-2.0
#include "deflate/deflate.h"

#include <zlib.h>

#include <algorithm>
#include <memory>
#include <new>

namespace fiducia::deflate {
namespace {

constexpr std::size_t step_bytes_max = 1U << 30;  // zlib counts with 32 bits
constexpr std::size_t copied_bytes_max = 16U << 20;
constexpr std::uint64_t step_out_bytes = 16U << 20;
constexpr int compression_level = 6;
constexpr int memory_level = 8;

template <auto End>
struct Ended {
  void operator()(z_stream* stream) const noexcept { End(stream); }
};
using Inflating = std::unique_ptr<z_stream, Ended<inflateEnd>>;
using Deflating = std::unique_ptr<z_stream, Ended<deflateEnd>>;

/// The wrapping as zlib's window bits say it.
int window_bits_of(Form form) {
  constexpr int window_bits = 15;
  constexpr int gzip_wrapper = 16;
  return form == Form::raw    ? -window_bits
         : form == Form::gzip ? window_bits + gzip_wrapper
                              : window_bits;
}

/// zlib's interface is not const-correct; it only reads from next_in.
Bytef* input_of(ByteView bytes) {
  return const_cast<Bytef*>(reinterpret_cast<const Bytef*>(bytes.data()));
}

Error over_limit(const InflateOptions& options) {
  return {.code = ErrorCode::over_limit,
          .what = "the compressed bytes inflate to more than the " +
                  std::to_string(options.bytes_max) + " bytes that are allowed here.",
          .remedy = "If the source is trusted, have it sent uncompressed.",
          .where = {.offset = options.origin}};
}

/// Makes room in `out`, of which all is used.
void grow(Bytes& out, std::uint64_t room_max) {
  // Past some size all the room at once, untouched: a buffer that doubles by copying would need
  // three times the memory.
  if (out.size() >= copied_bytes_max) out.reserve(static_cast<std::size_t>(room_max));
  out.resize(static_cast<std::size_t>(
      std::min({std::uint64_t{out.size()} * 2, out.size() + step_out_bytes, room_max})));
}

}  // namespace

Result<Inflated> inflate(ByteView bytes, const InflateOptions& options) {
  z_stream stream{};
  if (::inflateInit2(&stream, window_bits_of(options.form)) != Z_OK) throw std::bad_alloc{};
  const Inflating ended{&stream};
  Inflated out;
  std::size_t consumed = 0;
  std::size_t produced = 0;
  // One byte more than may come out, so that too much is seen.
  const std::uint64_t room_max = std::min(options.bytes_max, ~std::uint64_t{0} - 1) + 1;
  // Honest data sets deflate two to four times.
  const std::uint64_t first =
      options.bytes_expected != 0
          ? options.bytes_expected + 1
          : std::clamp<std::uint64_t>(std::uint64_t{bytes.size()} * 4, 64 << 10, 4 << 20);
  out.bytes.resize(static_cast<std::size_t>(std::min(first, room_max)));
  for (;;) {
    if (produced > options.bytes_max) return std::unexpected(over_limit(options));
    if (produced == out.bytes.size()) grow(out.bytes, room_max);
    const std::size_t in = std::min(bytes.size() - consumed, step_bytes_max);
    const std::size_t room = std::min(out.bytes.size() - produced, step_bytes_max);
    stream.next_in = input_of(bytes.subspan(consumed));
    stream.avail_in = static_cast<uInt>(in);
    stream.next_out = reinterpret_cast<Bytef*>(out.bytes.data() + produced);
    stream.avail_out = static_cast<uInt>(room);
    const int status = ::inflate(&stream, Z_NO_FLUSH);
    consumed += in - stream.avail_in;
    produced += room - stream.avail_out;
    if (status == Z_STREAM_END) break;
    if (status == Z_MEM_ERROR) throw std::bad_alloc{};
    if (status != Z_OK && status != Z_BUF_ERROR) {
      auto error =
          fail_malformed(options.form == Form::gzip ? "gzip" : "deflate",
                         "the compressed bytes are damaged here.", options.origin + consumed);
      error.error().remedy = "Fetch them again from their source.";
      return error;
    }
    if (consumed == bytes.size() && stream.avail_out != 0)
      return fail(ErrorCode::truncated, "the compressed bytes end before they are complete.",
                  "Fetch them again from their source.",
                  Location{.offset = options.origin + consumed});
  }
  if (produced > options.bytes_max) return std::unexpected(over_limit(options));
  out.bytes.resize(produced);
  out.bytes_after = bytes.size() - consumed;
  return out;
}

Bytes deflate(std::span<const ByteView> parts, Form form) {
  z_stream stream{};
  if (::deflateInit2(&stream, compression_level, Z_DEFLATED, window_bits_of(form), memory_level,
                     Z_DEFAULT_STRATEGY) != Z_OK)
    throw std::bad_alloc{};
  const Deflating ended{&stream};
  std::size_t total = 0;
  for (const ByteView part : parts) total += part.size();
  Bytes out(std::clamp<std::size_t>(total / 2, 256, 64 << 10));
  std::size_t produced = 0;
  // One round for each part, and a last one that flushes.
  for (std::size_t part = 0; part <= parts.size(); ++part) {
    const bool is_last = part == parts.size();
    ByteView rest = is_last ? ByteView{} : parts[part];
    for (;;) {
      if (produced == out.size()) out.resize(out.size() * 2);
      const std::size_t in = std::min(rest.size(), step_bytes_max);
      const std::size_t room = std::min(out.size() - produced, step_bytes_max);
      stream.next_in = input_of(rest);
      stream.avail_in = static_cast<uInt>(in);
      stream.next_out = reinterpret_cast<Bytef*>(out.data() + produced);
      stream.avail_out = static_cast<uInt>(room);
      const int status = ::deflate(&stream, is_last ? Z_FINISH : Z_NO_FLUSH);
      FIDUCIA_ASSERT(status != Z_STREAM_ERROR);
      rest = rest.subspan(in - stream.avail_in);
      produced += room - stream.avail_out;
      if (is_last ? status == Z_STREAM_END : rest.empty()) break;
    }
  }
  out.resize(produced);
  return out;
}

std::uint32_t crc_32(ByteView bytes) {
  return static_cast<std::uint32_t>(
      ::crc32_z(0, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()));
}

}  // namespace fiducia::deflate
