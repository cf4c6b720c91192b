// SPDX-License-Identifier: Apache-2.0
#include "render/png.h"

#include <cstdlib>

#include "deflate/deflate.h"

namespace fiducia::render {
namespace {

constexpr std::uint32_t extent_max = 65'535;

/// ISO/IEC 15948 section 9.4: the neighbour nearest to left + up - upper left.
int paeth(int left, int up, int upper_left) {
  const int estimate = left + up - upper_left;
  const int to_left = std::abs(estimate - left);
  const int to_up = std::abs(estimate - up);
  const int to_upper_left = std::abs(estimate - upper_left);
  if (to_left <= to_up && to_left <= to_upper_left) return left;
  return to_up <= to_upper_left ? up : upper_left;
}

/// Writes row under filter type `filter` (section 9.2) and returns the sum of absolute
/// differences, the usual guess at how well deflate will do.
std::uint64_t filter_row(int filter, ByteView row, ByteView above, std::size_t step,
                         std::span<std::byte> out) {
  std::uint64_t sum = 0;
  out[0] = static_cast<std::byte>(filter);
  for (std::size_t i = 0; i < row.size(); ++i) {
    const int left = i < step ? 0 : std::to_integer<int>(row[i - step]);
    const int up = above.empty() ? 0 : std::to_integer<int>(above[i]);
    const int corner = i < step || above.empty() ? 0 : std::to_integer<int>(above[i - step]);
    const int predicted = filter == 0   ? 0
                          : filter == 1 ? left
                          : filter == 2 ? up
                          : filter == 3 ? (left + up) / 2
                                        : paeth(left, up, corner);
    const auto difference = static_cast<std::int8_t>(std::to_integer<int>(row[i]) - predicted);
    sum += static_cast<std::uint64_t>(std::abs(difference));
    out[i + 1] = static_cast<std::byte>(difference);
  }
  return sum;
}

void append_chunk(Bytes& png, std::string_view type, ByteView data) {
  append_be(png, narrow<std::uint32_t>(data.size()));
  const std::size_t start = png.size();
  append(png, fiducia::as_bytes(type));
  append(png, data);
  append_be(png, deflate::crc_32(ByteView{png}.subspan(start)));
}

}  // namespace

Bytes write_png(std::uint32_t width, std::uint32_t height, bool colour, ByteView samples) {
  const std::size_t step = colour ? 3 : 1;
  if (width == 0 || height == 0 || width > extent_max || height > extent_max) return {};
  const std::size_t row_bytes = std::size_t{width} * step;
  if (samples.size() / row_bytes != height || samples.size() % row_bytes != 0) return {};

  Bytes filtered;
  filtered.reserve((row_bytes + 1) * height);
  Bytes best(row_bytes + 1);
  Bytes candidate(row_bytes + 1);
  for (std::size_t y = 0; y < height; ++y) {
    const ByteView row = samples.subspan(y * row_bytes, row_bytes);
    const ByteView above = y == 0 ? ByteView{} : samples.subspan((y - 1) * row_bytes, row_bytes);
    std::uint64_t best_sum = filter_row(0, row, above, step, best);
    for (int filter = 1; filter <= 4; ++filter) {
      const std::uint64_t sum = filter_row(filter, row, above, step, candidate);
      if (sum >= best_sum) continue;
      best_sum = sum;
      best.swap(candidate);
    }
    append(filtered, best);
  }

  Bytes header;
  append_be(header, width);
  append_be(header, height);
  // Bit depth 8, colour type, deflate, adaptive filters, not interlaced (section 11.2.2).
  for (const int value : {8, colour ? 2 : 0, 0, 0, 0})
    header.push_back(static_cast<std::byte>(value));
  Bytes png;
  append(png, fiducia::as_bytes(std::string_view{"\x89PNG\r\n\x1a\n"}));
  append_chunk(png, "IHDR", header);
  append_chunk(png, "IDAT", deflate::deflate(filtered, deflate::Form::zlib));
  append_chunk(png, "IEND", {});
  return png;
}

}  // namespace fiducia::render
