// SPDX-License-Identifier: Apache-2.0
#include "dicom/deflate.h"

#include <zlib.h>

#include <algorithm>

namespace fiducia::dicom {
namespace {

constexpr int raw_window_bits = -15;
constexpr std::size_t step_bytes_max = 1U << 30;  // zlib counts with 32 bits
constexpr std::size_t copied_bytes_max = 16U << 20;
constexpr std::uint64_t step_out_bytes = 16U << 20;

/// zlib's interface is not const-correct; it only reads from next_in.
Bytef* input(ByteView bytes) {
  return reinterpret_cast<Bytef*>(const_cast<std::byte*>(bytes.data()));
}

struct Inflater {
  z_stream stream{};
  bool ready = ::inflateInit2(&stream, raw_window_bits) == Z_OK;
  Inflater() = default;
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;
  ~Inflater() { ::inflateEnd(&stream); }
};

struct Deflater {
  z_stream stream{};
  bool ready = ::deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, raw_window_bits, 8,
                              Z_DEFAULT_STRATEGY) == Z_OK;
  Deflater() = default;
  Deflater(const Deflater&) = delete;
  Deflater& operator=(const Deflater&) = delete;
  ~Deflater() { ::deflateEnd(&stream); }
};

std::unexpected<Error> out_of_memory() {
  return fail(ErrorCode::internal, "zlib has no memory to work with.", "Free memory, try again.");
}

bool is_surplus(ByteView after, ByteView inflated) {
  constexpr std::size_t trailer_bytes = 8;
  if (after.size() >= trailer_bytes && after.size() <= trailer_bytes + 1) {
    const uLong crc = crc32_z(0, reinterpret_cast<const Bytef*>(inflated.data()), inflated.size());
    if (load_le<std::uint32_t>(after.data()) == static_cast<std::uint32_t>(crc) &&
        load_le<std::uint32_t>(&after[4]) == static_cast<std::uint32_t>(inflated.size()))
      after = after.subspan(trailer_bytes);
  }
  return after.size() > 1 || (after.size() == 1 && after.front() != std::byte{0});
}

}  // namespace

Result<Inflated> inflate_raw(ByteView bytes, std::uint64_t origin) {
  Inflater inflater;
  if (!inflater.ready) return out_of_memory();
  z_stream& stream = inflater.stream;
  Inflated out;
  std::size_t consumed = 0;
  std::size_t produced = 0;
  // Honest data sets deflate two to four times.
  out.bytes.resize(std::clamp<std::size_t>(bytes.size() * 4, 64 << 10, 4 << 20));
  const std::uint64_t allowed = std::min<std::uint64_t>(
      std::max<std::uint64_t>(limits::inflate_free_bytes, limits::inflate_ratio_max * bytes.size()),
      limits::inflated_bytes_max);
  for (;;) {
    if (produced == out.bytes.size()) {
      if (produced >= allowed)
        return fail(ErrorCode::over_limit,
                    "the data set inflates to more than the " + std::to_string(allowed) +
                        " bytes that a file of this size may.",
                    "Convert it to an uncompressed transfer syntax first, if its source is "
                    "trusted.",
                    Location{.offset = origin});
      // Past some size all the room at once, untouched: a buffer that doubles by copying would
      // need three times the memory.
      if (produced >= copied_bytes_max) out.bytes.reserve(static_cast<std::size_t>(allowed));
      const std::uint64_t next =
          std::min({std::uint64_t{produced} * 2, produced + step_out_bytes, allowed});
      out.bytes.resize(static_cast<std::size_t>(next));
    }
    const std::size_t in = std::min(bytes.size() - consumed, step_bytes_max);
    const std::size_t room = std::min(out.bytes.size() - produced, step_bytes_max);
    stream.next_in = input(bytes.subspan(consumed));
    stream.avail_in = static_cast<uInt>(in);
    stream.next_out = reinterpret_cast<Bytef*>(out.bytes.data() + produced);
    stream.avail_out = static_cast<uInt>(room);
    const int status = ::inflate(&stream, Z_NO_FLUSH);
    consumed += in - stream.avail_in;
    produced += room - stream.avail_out;
    if (status == Z_STREAM_END) break;
    if (status == Z_MEM_ERROR) return out_of_memory();
    if (status == Z_DATA_ERROR || status == Z_NEED_DICT || status == Z_STREAM_ERROR) {
      auto error =
          fail_malformed("deflate", "the deflated data set is damaged here.", origin + consumed);
      error.error().remedy = "Fetch the file again from its source.";
      return error;
    }
    if (consumed == bytes.size() && stream.avail_out != 0)
      return fail(ErrorCode::truncated, "the deflated data set ends before it is complete.",
                  "Fetch the file again from its source.", Location{.offset = origin + consumed});
  }
  out.bytes.resize(produced);
  out.bytes_after = bytes.size() - consumed;
  out.surplus = is_surplus(bytes.last(out.bytes_after), out.bytes);
  return out;
}

Result<Bytes> deflate_raw(std::span<const ByteView> parts) {
  Deflater deflater;
  if (!deflater.ready) return out_of_memory();
  z_stream& stream = deflater.stream;
  Bytes out(64 << 10);
  std::size_t produced = 0;
  // One round for each part, and a last one that flushes.
  for (std::size_t part = 0; part <= parts.size(); ++part) {
    ByteView rest = part < parts.size() ? parts[part] : ByteView{};
    const bool last = part == parts.size();
    for (;;) {
      if (produced == out.size()) out.resize(out.size() * 2);
      const std::size_t in = std::min(rest.size(), step_bytes_max);
      const std::size_t room = std::min(out.size() - produced, step_bytes_max);
      stream.next_in = input(rest);
      stream.avail_in = static_cast<uInt>(in);
      stream.next_out = reinterpret_cast<Bytef*>(out.data() + produced);
      stream.avail_out = static_cast<uInt>(room);
      const int status = ::deflate(&stream, last ? Z_FINISH : Z_NO_FLUSH);
      FIDUCIA_ASSERT(status != Z_STREAM_ERROR);
      rest = rest.subspan(in - stream.avail_in);
      produced += room - stream.avail_out;
      if (last ? status == Z_STREAM_END : rest.empty()) break;
    }
  }
  out.resize(produced);
  if (out.size() % 2 != 0) out.push_back(std::byte{0});
  return out;
}

}  // namespace fiducia::dicom
