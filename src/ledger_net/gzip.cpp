// SPDX-License-Identifier: Apache-2.0
#include "ledger_net/gzip.h"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <limits>
#include <memory>
#include <new>

namespace fiducia::ledger_net {
namespace {

constexpr int window_bits = 15;
constexpr int gzip_wrapper = 16;  // added to the window bits: gzip, not zlib
constexpr int compression_level = 6;
constexpr int memory_level = 8;

template <auto End>
struct Ended {
  void operator()(z_stream* stream) const noexcept { End(stream); }
};
using Deflating = std::unique_ptr<z_stream, Ended<deflateEnd>>;
using Inflating = std::unique_ptr<z_stream, Ended<inflateEnd>>;

Bytef* in(ByteView bytes) {
  return const_cast<Bytef*>(reinterpret_cast<const Bytef*>(bytes.data()));  // zlib only reads
}
Bytef* out(std::byte* bytes) { return reinterpret_cast<Bytef*>(bytes); }

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

bool same_ignoring_case(std::string_view a, std::string_view lower) {
  return std::ranges::equal(a, lower, [](char x, char y) {
    return (x >= 'A' && x <= 'Z' ? static_cast<char>(x - 'A' + 'a') : x) == y;
  });
}

/// Whether the parameters of one coding say "q=0", in any of its spellings.
bool is_weightless(std::string_view parameters) {
  while (!parameters.empty()) {
    const std::size_t end = std::min(parameters.find(';'), parameters.size());
    const std::string_view one = trimmed(parameters.substr(0, end));
    if (one.size() > 2 && same_ignoring_case(one.substr(0, 2), "q="))
      return one.find_first_not_of("0.", 2) == std::string_view::npos;
    parameters.remove_prefix(std::min(end + 1, parameters.size()));
  }
  return false;
}

}  // namespace

Bytes gzip(ByteView bytes) {
  FIDUCIA_ASSERT(bytes.size() <= std::numeric_limits<uInt>::max() / 2);
  z_stream stream{};
  if (deflateInit2(&stream, compression_level, Z_DEFLATED, window_bits + gzip_wrapper, memory_level,
                   Z_DEFAULT_STRATEGY) != Z_OK)
    throw std::bad_alloc{};
  const Deflating ended{&stream};
  Bytes packed(deflateBound(&stream, static_cast<uLong>(bytes.size())));
  stream.next_in = in(bytes);
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = out(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  const int end = deflate(&stream, Z_FINISH);
  FIDUCIA_ASSERT(end == Z_STREAM_END);  // the bound holds
  packed.resize(stream.total_out);
  return packed;
}

Result<Bytes> gunzip(ByteView bytes, std::uint64_t bytes_max) {
  if (bytes.size() > std::numeric_limits<uInt>::max())
    return fail(ErrorCode::over_limit, "The packed bytes are longer than 4 GiB.");
  z_stream stream{};
  if (inflateInit2(&stream, window_bits + gzip_wrapper) != Z_OK) throw std::bad_alloc{};
  const Inflating ended{&stream};
  stream.next_in = in(bytes);
  stream.avail_in = static_cast<uInt>(bytes.size());
  Bytes plain;
  std::array<std::byte, 32'768> part{};
  for (;;) {
    stream.next_out = out(part.data());
    stream.avail_out = static_cast<uInt>(part.size());
    const int state = inflate(&stream, Z_NO_FLUSH);
    const std::size_t count = part.size() - stream.avail_out;
    if (count > bytes_max - plain.size())
      return fail(ErrorCode::over_limit,
                  "The unpacked bytes are more than " + std::to_string(bytes_max) + ".");
    append(plain, ByteView{part}.first(count));
    if (state == Z_STREAM_END) break;
    if (state == Z_MEM_ERROR) throw std::bad_alloc{};
    // Z_BUF_ERROR: nothing more to read and no end.
    if (state != Z_OK) return fail_malformed("gzip", "The bytes are not one whole gzip member.");
  }
  if (stream.avail_in != 0) return fail_malformed("gzip", "Bytes follow the gzip member.");
  return plain;
}

bool accepts_gzip(std::string_view accept_encoding) {
  std::optional<bool> named;
  bool any = false;
  while (!accept_encoding.empty()) {
    const std::size_t end = std::min(accept_encoding.find(','), accept_encoding.size());
    const std::string_view item = accept_encoding.substr(0, end);
    accept_encoding.remove_prefix(std::min(end + 1, accept_encoding.size()));
    const std::size_t mark = std::min(item.find(';'), item.size());
    const std::string_view coding = trimmed(item.substr(0, mark));
    const bool wanted = !is_weightless(item.substr(mark));
    if (same_ignoring_case(coding, "gzip") || same_ignoring_case(coding, "x-gzip")) named = wanted;
    if (coding == "*") any = wanted;
  }
  return named.value_or(any);
}

}  // namespace fiducia::ledger_net
