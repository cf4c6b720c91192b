// SPDX-License-Identifier: Apache-2.0
#include "jpeg_planes.h"

#include <algorithm>

#include "jpeg_header.h"
#include "jpeg_session.h"
#include "samples.h"

namespace fiducia::decoder {
namespace {

// What gcc makes vector code of, for processors with and without AVX2: bytes of three components
// are put beside each other four times as fast.
#if defined(__GNUC__) && !defined(__clang__) && defined(__x86_64__) && !defined(FIDUCIA_SANITIZED)
#define FIDUCIA_VECTOR __attribute__((target_clones("avx2", "default")))
#else
#define FIDUCIA_VECTOR
#endif

constexpr int components = 3;

// The two functions that may jump hold no object that has a destructor.

/// Up to the first sample. False: damaged; the session is over.
bool start(JpegSession& session, ByteView codestream) {
  session.handle_errors();
  if (setjmp(session.leave) != 0) {
    jpeg_destroy_decompress(&session.info);
    return false;
  }
  session.open(codestream);
  session.info.raw_data_out = TRUE;
  session.info.jpeg_color_space = JCS_YCbCr;
  session.info.out_color_space = JCS_YCbCr;
  jpeg_start_decompress(&session.info);
  return true;
}

/// All samples; `rows` holds those of all components, one component after the other, `rows_of` rows
/// each. Ends the session.
bool read_rows(JpegSession& session, JSAMPROW* rows, const std::size_t* rows_of) {
  jpeg_decompress_struct& info = session.info;
  if (setjmp(session.leave) != 0) {
    jpeg_destroy_decompress(&info);
    return false;
  }
  const auto lines = static_cast<JDIMENSION>(info.max_v_samp_factor) * DCTSIZE;
  while (info.output_scanline < info.output_height) {
    JSAMPARRAY parts[components];
    JSAMPROW* of_component = rows;
    for (int c = 0; c < components; ++c) {
      const auto step = static_cast<std::size_t>(info.comp_info[c].v_samp_factor) * DCTSIZE;
      parts[c] = of_component + info.output_scanline / lines * step;
      of_component += rows_of[c];
    }
    jpeg_read_raw_data(&info, parts, lines);
  }
  jpeg_finish_decompress(&info);
  jpeg_destroy_decompress(&info);
  return true;
}

// How libjpeg interpolates: 3/4 of the nearer sample and 1/4 of the farther one, the halves rounded
// up and down in turn; at the borders the nearer one alone.

/// Twice as many samples of `count` in a row, more than two.
void interpolate_across(const std::uint8_t* __restrict from, std::size_t count,
                        std::uint8_t* __restrict to) {
  to[0] = from[0];
  to[1] = static_cast<std::uint8_t>((from[0] * 3 + from[1] + 2) >> 2);
  for (std::size_t i = 1; i + 1 < count; ++i) {
    to[2 * i] = static_cast<std::uint8_t>((from[i] * 3 + from[i - 1] + 1) >> 2);
    to[2 * i + 1] = static_cast<std::uint8_t>((from[i] * 3 + from[i + 1] + 2) >> 2);
  }
  to[2 * count - 2] = static_cast<std::uint8_t>((from[count - 1] * 3 + from[count - 2] + 1) >> 2);
  to[2 * count - 1] = from[count - 1];
}

/// A row between `near` and `far`; `bias` rounds.
void interpolate_down(const std::uint8_t* __restrict near, const std::uint8_t* __restrict far,
                      std::size_t count, int bias, std::uint8_t* __restrict to) {
  for (std::size_t i = 0; i < count; ++i)
    to[i] = static_cast<std::uint8_t>((near[i] * 3 + far[i] + bias) >> 2);
}

/// Both at once, rounded once; `sums` has room for a row of `count` samples.
void interpolate_both(const std::uint8_t* __restrict near, const std::uint8_t* __restrict far,
                      std::size_t count, std::uint16_t* __restrict sums,
                      std::uint8_t* __restrict to) {
  for (std::size_t i = 0; i < count; ++i)
    sums[i] = static_cast<std::uint16_t>(near[i] * 3 + far[i]);
  to[0] = static_cast<std::uint8_t>((sums[0] * 4 + 8) >> 4);
  to[1] = static_cast<std::uint8_t>((sums[0] * 3 + sums[1] + 7) >> 4);
  for (std::size_t i = 1; i + 1 < count; ++i) {
    to[2 * i] = static_cast<std::uint8_t>((sums[i] * 3 + sums[i - 1] + 8) >> 4);
    to[2 * i + 1] = static_cast<std::uint8_t>((sums[i] * 3 + sums[i + 1] + 7) >> 4);
  }
  to[2 * count - 2] = static_cast<std::uint8_t>((sums[count - 1] * 3 + sums[count - 2] + 8) >> 4);
  to[2 * count - 1] = static_cast<std::uint8_t>((sums[count - 1] * 4 + 7) >> 4);
}

std::uint8_t clamped(std::int16_t value) {
  return static_cast<std::uint8_t>(std::clamp<std::int16_t>(value, 0, 255));
}

/// A row of YCbCr (JFIF) as red, green and blue: what libjpeg computes with factors of 16 bits
/// behind the point, rounded. Factors past 16 bits are split into whole numbers and a rest, so that
/// red and blue stay within 16 bits: (2 x rest) >> 16 has one bit more than asked, to round by.
FIDUCIA_VECTOR void to_rgb(const std::uint8_t* __restrict y, const std::uint8_t* __restrict cb,
                           const std::uint8_t* __restrict cr, std::size_t count,
                           std::uint8_t* __restrict red, std::uint8_t* __restrict green,
                           std::uint8_t* __restrict blue) {
  constexpr int half = 1 << 15;
  for (std::size_t i = 0; i < count; ++i) {
    const auto b = static_cast<std::int16_t>(cb[i] - 128);
    const auto r = static_cast<std::int16_t>(cr[i] - 128);
    const auto b_twice = static_cast<std::int16_t>(2 * b);
    const auto r_twice = static_cast<std::int16_t>(2 * r);
    const auto b_rest = static_cast<std::int16_t>((b_twice * -14942) >> 16);  // 1.77200 - 2
    const auto r_rest = static_cast<std::int16_t>((r_twice * 26345) >> 16);   // 1.40200 - 1
    const int g = (b * -22554 + r * 18734 + half) >> 16;  // -0.34414; 1 - 0.71414
    red[i] = clamped(static_cast<std::int16_t>(y[i] + r + ((r_rest + 1) >> 1)));
    green[i] = clamped(static_cast<std::int16_t>(y[i] - r + g));
    blue[i] = clamped(static_cast<std::int16_t>(y[i] + b_twice + ((b_rest + 1) >> 1)));
  }
}

FIDUCIA_VECTOR void interleave(const std::uint8_t* __restrict a, const std::uint8_t* __restrict b,
                               const std::uint8_t* __restrict c, std::size_t count,
                               std::uint8_t* __restrict out) {
  for (std::size_t i = 0; i < count; ++i) {
    out[3 * i] = a[i];
    out[3 * i + 1] = b[i];
    out[3 * i + 2] = c[i];
  }
}

}  // namespace

bool can_render(ByteView codestream, const Geometry& geometry) {
  const auto header = read_jpeg_header(codestream);
  const auto shift = container_shift(geometry, 8);
  return header && header->sof >= 0xC0 && header->sof <= 0xC2 && header->precision == 8 &&
         is_ycbcr(*header, geometry) && geometry.sample_bytes() == 1 && shift && *shift == 0;
}

const std::uint8_t* JpegPlanes::Plane::row(std::size_t y) const {
  return reinterpret_cast<const std::uint8_t*>(samples.data()) + y * row_bytes;
}

Result<JpegPlanes> JpegPlanes::read(ByteView codestream, const Geometry& geometry) {
  const auto damaged = [] { return refused("the JPEG codestream is damaged."); };
  FIDUCIA_TRY(header, read_jpeg_header(codestream));
  FIDUCIA_CHECK(check_jpeg_header(header, geometry));
  JpegSession session = {};
  if (!start(session, codestream)) return damaged();
  // From here to read_rows(), which ends it, the session must not be left.
  const jpeg_decompress_struct& info = session.info;
  JpegPlanes out;
  out.rows_ = geometry.rows;
  out.columns_ = geometry.columns;
  bool fits = info.output_width == geometry.columns && info.output_height == geometry.rows &&
              info.num_components == components;
  std::vector<JSAMPROW> rows;
  std::size_t rows_of[components] = {};
  try {
    for (std::size_t c = 0; fits && c < components; ++c) {
      const jpeg_component_info& from = info.comp_info[c];
      Plane& plane = out.planes_[c];
      // The library has no way to spread by a fraction either.
      fits = info.max_h_samp_factor % from.h_samp_factor == 0 &&
             info.max_v_samp_factor % from.v_samp_factor == 0;
      plane.expand_x = static_cast<std::size_t>(info.max_h_samp_factor / from.h_samp_factor);
      plane.expand_y = static_cast<std::size_t>(info.max_v_samp_factor / from.v_samp_factor);
      plane.row_bytes = std::size_t{from.width_in_blocks} * DCTSIZE;
      plane.width = from.downsampled_width;
      plane.height = from.downsampled_height;
      rows_of[c] = std::size_t{info.total_iMCU_rows} *
                   static_cast<std::size_t>(from.v_samp_factor) * DCTSIZE;
      plane.samples.resize(rows_of[c] * plane.row_bytes);
      for (std::size_t y = 0; y < rows_of[c]; ++y)
        rows.push_back(reinterpret_cast<JSAMPROW>(plane.samples.data() + y * plane.row_bytes));
    }
  } catch (...) {
    jpeg_destroy_decompress(&session.info);
    throw;
  }
  if (!fits) {
    jpeg_destroy_decompress(&session.info);
    return damaged();
  }
  if (!read_rows(session, rows.data(), rows_of) || session.damaged) return damaged();
  return out;
}

/// Row `y` of the image in `row`, of one component.
void JpegPlanes::spread_row(const Plane& plane, std::size_t y, bool interpolate, Bytes& sums,
                            Bytes& row) {
  auto* const to = reinterpret_cast<std::uint8_t*>(row.data());
  const std::size_t at = y / plane.expand_y;
  const std::uint8_t* const near = plane.row(at);
  const bool below = y % 2 != 0;  // where rows are interpolated: the farther one is the next
  const std::uint8_t* const far =
      plane.row(below ? std::min(at + 1, plane.height - 1) : at - std::min<std::size_t>(at, 1));
  if (interpolate && plane.expand_x == 2 && plane.expand_y == 1 && plane.width > 2)
    return interpolate_across(near, plane.width, to);
  if (interpolate && plane.expand_x == 2 && plane.expand_y == 2 && plane.width > 2)
    return interpolate_both(near, far, plane.width, reinterpret_cast<std::uint16_t*>(sums.data()),
                            to);
  if (interpolate && plane.expand_x == 1 && plane.expand_y == 2)
    return interpolate_down(near, far, plane.width, below ? 2 : 1, to);
  switch (plane.expand_x) {
    case 1:
      std::memcpy(to, near, plane.width);
      return;
    case 2:
      for (std::size_t x = 0; x < plane.width; ++x) to[2 * x] = to[2 * x + 1] = near[x];
      return;
    default:
      for (std::size_t x = 0; x < plane.width; ++x)
        std::memset(to + plane.expand_x * x, near[x], plane.expand_x);
  }
}

void JpegPlanes::render(Rendition rendition, std::span<std::byte> out) const {
  FIDUCIA_ASSERT(out.size() == rows_ * columns_ * components);
  const bool interpolate =
      rendition == Rendition::rgb_interpolated || rendition == Rendition::ycbcr_interpolated;
  const bool rgb =
      rendition == Rendition::rgb_interpolated || rendition == Rendition::rgb_replicated;
  Bytes sums;
  std::array<Bytes, components> spread;
  std::vector<std::uint8_t> colours(columns_ * components);
  std::uint8_t* const red = colours.data();
  std::uint8_t* const green = red + columns_;
  std::uint8_t* const blue = green + columns_;
  for (std::size_t c = 0; c < components; ++c) {
    spread[c].resize(planes_[c].width * planes_[c].expand_x);
    sums.resize(std::max(sums.size(), planes_[c].width * sizeof(std::uint16_t)));
  }
  for (std::size_t y = 0; y < rows_; ++y) {
    std::array<const std::uint8_t*, components> row;
    for (std::size_t c = 0; c < components; ++c) {
      const Plane& plane = planes_[c];
      row[c] = plane.row(std::min(y, plane.height - 1));
      if (plane.expand_x == 1 && plane.expand_y == 1) continue;
      spread_row(plane, y, interpolate, sums, spread[c]);
      row[c] = reinterpret_cast<const std::uint8_t*>(spread[c].data());
    }
    auto* const to = reinterpret_cast<std::uint8_t*>(out.data()) + y * columns_ * components;
    if (rgb) {
      to_rgb(row[0], row[1], row[2], columns_, red, green, blue);
      row = {red, green, blue};
    }
    interleave(row[0], row[1], row[2], columns_, to);
  }
}

}  // namespace fiducia::decoder
