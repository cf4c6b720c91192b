// SPDX-License-Identifier: Apache-2.0
#include "jpeg_2000_header.h"

#include <algorithm>

namespace fiducia::decoder {
namespace {

enum Marker : std::uint16_t {
  soc = 0xFF4F,
  cap = 0xFF50,
  siz = 0xFF51,
  cod = 0xFF52,
  coc = 0xFF53,
  qcd = 0xFF5C,
  qcc = 0xFF5D,
  sot = 0xFF90,
  sod = 0xFF93,
  eoc = 0xFFD9,
};

Status read_siz(ByteView body, Jpeg2000Header& header) {
  ByteCursor cursor{body};
  FIDUCIA_TRY(capabilities, cursor.be<std::uint16_t>());
  static_cast<void>(capabilities);
  FIDUCIA_TRY(x1, cursor.be<std::uint32_t>());
  FIDUCIA_TRY(y1, cursor.be<std::uint32_t>());
  FIDUCIA_TRY(x0, cursor.be<std::uint32_t>());
  FIDUCIA_TRY(y0, cursor.be<std::uint32_t>());
  FIDUCIA_TRY(tile_width, cursor.be<std::uint32_t>());
  FIDUCIA_TRY(tile_height, cursor.be<std::uint32_t>());
  FIDUCIA_TRY(tile_x, cursor.be<std::uint32_t>());
  FIDUCIA_TRY(tile_y, cursor.be<std::uint32_t>());
  FIDUCIA_TRY(count, cursor.be<std::uint16_t>());
  if (x0 >= x1 || y0 >= y1 || count == 0 || cursor.remaining() != std::size_t{count} * 3)
    return refused("the JPEG 2000 codestream has an impossible size.");
  header.width = x1 - x0;
  header.height = y1 - y0;
  header.components = count;
  if (tile_width == 0 || tile_height == 0 || tile_x > x0 || tile_y > y0)
    return refused("the JPEG 2000 codestream has impossible tiles.");
  const auto tiles_in = [](std::uint64_t length, std::uint64_t tile) {
    return (length + tile - 1) / tile;
  };
  header.tiles = tiles_in(x1 - tile_x, tile_width) * tiles_in(y1 - tile_y, tile_height);
  header.tile_width = std::min(tile_width, header.width);
  header.tile_height = std::min(tile_height, header.height);
  header.plain =
      x0 == 0 && y0 == 0 && tile_x == 0 && tile_y == 0 && tile_width >= x1 && tile_height >= y1;
  for (unsigned i = 0; i < count; ++i) {
    FIDUCIA_TRY(component, cursor.take(3));
    const auto depth = std::to_integer<unsigned>(component[0]);
    if (component[1] != std::byte{1} || component[2] != std::byte{1})
      return refused("subsampled JPEG 2000 components are not supported.");
    const unsigned precision = (depth & 0x7F) + 1;
    const bool is_signed = (depth & 0x80) != 0;
    if (i > 0 && (precision != header.precision || is_signed != header.is_signed))
      return refused("JPEG 2000 components of different precision are not supported.");
    header.precision = precision;
    header.is_signed = is_signed;
  }
  return {};
}

/// The part that COD and COC have in common, from the number of wavelet levels on.
Status read_coding(ByteView body, bool has_precincts, unsigned layers, Jpeg2000Header& header) {
  Jpeg2000Coding coding{.layers = layers, .levels = std::to_integer<unsigned>(body[0])};
  if (coding.levels >= coding.precincts.size() || (body[1] & std::byte{0xF0}) != std::byte{0} ||
      (body[2] & std::byte{0xF0}) != std::byte{0})
    return refused("a JPEG 2000 coding style is impossible.");
  coding.block_width = std::to_integer<unsigned>(body[1]) + 2;
  coding.block_height = std::to_integer<unsigned>(body[2]) + 2;
  coding.precincts.fill(0xFF);
  if (has_precincts) {
    if (body.size() < 5 + coding.levels + 1)
      return refused("a JPEG 2000 marker segment is too short.");
    for (unsigned r = 0; r <= coding.levels; ++r)
      coding.precincts[r] = std::to_integer<std::uint8_t>(body[5 + r]);
  }
  header.codings.push_back(coding);
  return {};
}

/// What one tile of one component makes the decoder keep: upper bounds, as where tiles begin is
/// not looked at.
struct TileParts {
  std::uint64_t blocks = 0;
  std::uint64_t precincts = 0;          // of all bands
  std::uint64_t precincts_a_level = 0;  // of the resolution that has most
};
TileParts count_parts(const Jpeg2000Coding& coding, std::uint64_t width, std::uint64_t height) {
  TileParts out;
  const auto pieces = [](std::uint64_t length, unsigned exponent) {
    return (length >> exponent) + 2;
  };
  for (unsigned r = 0; r <= coding.levels; ++r) {
    const unsigned shift = coding.levels - r;
    const std::uint64_t w = (width + (std::uint64_t{1} << shift) - 1) >> shift;
    const std::uint64_t h = (height + (std::uint64_t{1} << shift) - 1) >> shift;
    const unsigned precinct_width = coding.precincts[r] & 0xFU;
    const unsigned precinct_height = coding.precincts[r] >> 4U;
    const std::uint64_t precincts = pieces(w, precinct_width) * pieces(h, precinct_height);
    const unsigned half = r == 0 ? 0 : 1;  // bands of all but the lowest have half the size
    const std::uint64_t bands = r == 0 ? 1 : 3;
    const auto exponent = [&](unsigned block, unsigned precinct) {
      return std::min(block, precinct - std::min(precinct, half));
    };
    out.blocks += bands * pieces((w + half) >> half, exponent(coding.block_width, precinct_width)) *
                  pieces((h + half) >> half, exponent(coding.block_height, precinct_height));
    out.precincts += bands * precincts;
    out.precincts_a_level = std::max(out.precincts_a_level, precincts);
  }
  return out;
}

/// Whether tiles, blocks and packets are in proportion to the samples. Bytes as measured with
/// OpenJPEG 2.5, which keeps the headers of all tiles, the blocks of one, and a flag a packet.
Status check_parts(const Jpeg2000Header& header) {
  constexpr std::uint64_t tile_bytes = 6 << 10;
  constexpr std::uint64_t tile_component_bytes = 1200;
  constexpr std::uint64_t block_bytes = 800;
  constexpr std::uint64_t precinct_bytes = 150;
  const std::uint64_t samples = std::uint64_t{header.width} * header.height * header.components;
  std::uint64_t one_tile = 0;
  std::uint64_t visits = 0;
  for (const Jpeg2000Coding& coding : header.codings) {
    const TileParts parts = count_parts(coding, header.tile_width, header.tile_height);
    const std::uint64_t packets =
        std::uint64_t{coding.layers} * (coding.levels + 1) * parts.precincts_a_level;
    one_tile = std::max(
        one_tile, parts.blocks * block_bytes + parts.precincts * precinct_bytes + 2 * packets);
    visits = std::max(visits, parts.blocks * coding.layers);
  }
  const std::uint64_t bytes =
      header.tiles * (tile_bytes + header.components * tile_component_bytes) +
      header.components * one_tile;
  if (bytes > std::max(limits::jpeg_2000_bytes_free, samples * limits::jpeg_2000_bytes_a_sample))
    return fail(ErrorCode::over_limit,
                "the JPEG 2000 codestream has more tiles and blocks than its size explains.");
  if (visits * header.tiles * header.components > std::max(limits::jpeg_2000_visits_free, samples))
    return fail(ErrorCode::over_limit,
                "the JPEG 2000 codestream has more layers of blocks than its size explains.");
  return {};
}

/// One marker segment, of the main or a tile-part header; `body` follows its length.
Status read_segment(std::uint16_t marker, ByteView body, Jpeg2000Header& header) {
  const auto short_body = [] { return refused("a JPEG 2000 marker segment is too short."); };
  // COC and QCC start with a component index of one byte, or two above 256 components.
  const std::size_t index_bytes = header.components < 257 ? 1 : 2;
  switch (marker) {
    case cap:
      header.high_throughput = true;
      return {};
    case cod:
      if (body.size() < 10) return short_body();
      if (body[4] != std::byte{0}) header.colour_transform = true;
      header.levels = std::to_integer<unsigned>(body[5]);
      if (body[9] != std::byte{1}) header.reversible = false;
      return read_coding(body.subspan(5), (body[0] & std::byte{1}) != std::byte{0},
                         load_be<std::uint16_t>(body.data() + 2), header);
    case coc:
      if (body.size() < index_bytes + 6) return short_body();
      header.plain = false;
      if (body[index_bytes + 5] != std::byte{1}) header.reversible = false;
      return read_coding(body.subspan(index_bytes + 1),
                         (body[index_bytes] & std::byte{1}) != std::byte{0},
                         header.codings.empty() ? 1 : header.codings.front().layers, header);
    case qcd:
    case qcc: {
      const std::size_t at = marker == qcd ? 0 : index_bytes;
      if (body.size() < at + 1) return short_body();
      if ((body[at] & std::byte{0x1F}) != std::byte{0}) header.reversible = false;
      return {};
    }
    default:
      return {};
  }
}

Result<std::uint16_t> read_marker(ByteCursor& cursor) {
  auto marker = cursor.be<std::uint16_t>();
  if (!marker || *marker < 0xFF00) return refused("the JPEG 2000 codestream is damaged.");
  return marker;
}

}  // namespace

Result<ByteView> find_codestream(ByteView bytes) {
  constexpr std::string_view signature("\0\0\0\x0CjP  ", 8);
  if (!as_text(bytes).starts_with(signature)) return bytes;
  ByteCursor cursor{bytes};
  for (;;) {
    const auto length = cursor.be<std::uint32_t>();
    const auto type = cursor.take(4);
    if (!length || !type) return refused("the JP2 file has no codestream.");
    std::uint64_t body = cursor.remaining();  // length 0: to the end
    if (*length == 1) {
      const auto long_length = cursor.be<std::uint64_t>();
      if (!long_length || *long_length < 16) return refused("a JP2 box is damaged.");
      body = *long_length - 16;
    } else if (*length != 0) {
      if (*length < 8) return refused("a JP2 box is damaged.");
      body = *length - 8U;
    }
    const auto content = cursor.take(body);
    if (!content) return refused("a JP2 box is damaged.");
    if (as_text(*type) == "jp2c") return *content;
  }
}

Result<Jpeg2000Header> read_jpeg_2000_header(ByteView codestream) {
  ByteCursor cursor{codestream};
  Jpeg2000Header header;
  header.reversible = true;
  bool have_siz = false;
  bool have_cod = false;
  FIDUCIA_TRY(first, read_marker(cursor));
  if (first != soc) return refused("the frame is not a JPEG 2000 codestream.");
  std::size_t part_bytes = 0;  // left of the codestream where the tile-part began
  std::uint64_t part_length = 0;
  for (;;) {
    const std::size_t before = cursor.remaining();
    auto marker = cursor.be<std::uint16_t>();
    if (!marker) break;  // no EOC: the decoder will have its opinion
    if (*marker == eoc) break;
    if (*marker < 0xFF00) return refused("the JPEG 2000 codestream is damaged.");
    if (*marker == sod) {
      if (part_length == 0) break;  // up to the end
      const std::uint64_t used = part_bytes - cursor.remaining();
      if (part_length < used || !cursor.take(part_length - used)) break;
      continue;
    }
    const auto length = cursor.be<std::uint16_t>();
    if (!length || *length < 2) return refused("the JPEG 2000 codestream is damaged.");
    const auto body = cursor.take(*length - 2U);
    if (!body) return refused("the JPEG 2000 codestream is damaged.");
    if (!have_siz && *marker != siz) return refused("the JPEG 2000 codestream has no size.");
    if (*marker == siz) {
      if (have_siz) return refused("the JPEG 2000 codestream has two sizes.");
      FIDUCIA_CHECK(read_siz(*body, header));
      have_siz = true;
      continue;
    }
    if (*marker == sot) {
      if (body->size() != 8) return refused("a JPEG 2000 tile header is damaged.");
      part_bytes = before;
      part_length = load_be<std::uint32_t>(body->data() + 2);
      continue;
    }
    have_cod = have_cod || *marker == cod;
    FIDUCIA_CHECK(read_segment(*marker, *body, header));
  }
  if (!have_siz || !have_cod) return refused("the JPEG 2000 codestream has no main header.");
  return header;
}

Status check_jpeg_2000_header(const Jpeg2000Header& header, const Geometry& geometry) {
  if (header.width != geometry.columns || header.height != geometry.rows)
    return mismatch("rows or columns");
  if (header.components != geometry.samples_per_pixel) return mismatch("samples a pixel");
  return check_parts(header);
}

std::string decoded_photometric(const Jpeg2000Header& header, const Geometry& geometry) {
  const std::string& named = geometry.photometric_interpretation;
  const bool undone = header.colour_transform && (named == "YBR_RCT" || named == "YBR_ICT");
  return undone ? "RGB" : named;
}

}  // namespace fiducia::decoder
