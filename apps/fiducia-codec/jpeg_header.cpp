// SPDX-License-Identifier: Apache-2.0
#include "jpeg_header.h"

namespace fiducia::decoder {
namespace {

bool is_sof(std::uint8_t marker) {
  return marker >= 0xC0 && marker <= 0xCF && marker != 0xC4 && marker != 0xC8 && marker != 0xCC;
}

Status read_sof(ByteView body, JpegHeader& header) {
  ByteCursor cursor{body};
  FIDUCIA_TRY(precision, cursor.be<std::uint8_t>());
  FIDUCIA_TRY(rows, cursor.be<std::uint16_t>());
  FIDUCIA_TRY(columns, cursor.be<std::uint16_t>());
  FIDUCIA_TRY(components, cursor.be<std::uint8_t>());
  header.precision = precision;
  header.rows = rows;
  header.columns = columns;
  header.components = components;
  std::string ids;
  for (unsigned i = 0; i < components; ++i) {
    FIDUCIA_TRY(entry, cursor.take(3));
    ids.push_back(static_cast<char>(entry[0]));
  }
  header.component_ids_are_rgb = ids == "RGB";
  return {};
}

}  // namespace

Result<JpegHeader> read_jpeg_header(ByteView codestream) {
  ByteCursor cursor{codestream};
  JpegHeader header;
  auto damaged = [] { return refused("the JPEG codestream has no frame header."); };
  const auto soi = cursor.be<std::uint16_t>();
  if (!soi || *soi != 0xFFD8) return refused("the frame is not a JPEG codestream.");
  for (;;) {
    const auto prefix = cursor.be<std::uint8_t>();
    if (!prefix || *prefix != 0xFF) return damaged();
    auto marker = cursor.be<std::uint8_t>();
    while (marker && *marker == 0xFF) marker = cursor.be<std::uint8_t>();  // fill bytes
    if (!marker || *marker == 0x00 || *marker == 0xD9 || *marker == 0xDA) return damaged();
    if (*marker == 0x01 || (*marker >= 0xD0 && *marker <= 0xD7)) continue;  // no length
    const auto length = cursor.be<std::uint16_t>();
    if (!length || *length < 2) return damaged();
    const auto body = cursor.take(*length - 2U);
    if (!body) return damaged();
    const std::string_view text = as_text(*body);
    if (*marker == 0xE0 && text.starts_with(std::string_view("JFIF\0", 5))) header.has_jfif = true;
    if (*marker == 0xEE && text.starts_with("Adobe") && body->size() >= 12)
      header.adobe_transform = std::to_integer<std::uint8_t>((*body)[11]);
    // JPEG-LS has its own SOF (F7); the rest of the header is the same.
    if (!is_sof(*marker) && *marker != 0xF7) continue;
    header.sof = *marker;
    if (!read_sof(*body, header)) return damaged();
    return header;
  }
}

Status check_jpeg_header(const JpegHeader& header, const Geometry& geometry) {
  if (header.rows != geometry.rows || header.columns != geometry.columns)
    return mismatch("rows or columns");
  if (header.components != geometry.samples_per_pixel) return mismatch("samples a pixel");
  return {};
}

bool is_ycbcr(const JpegHeader& header, const Geometry& geometry) {
  if (header.components != 3) return false;
  if (header.adobe_transform) return *header.adobe_transform == 1;
  if (header.has_jfif) return true;
  if (header.component_ids_are_rgb) return false;
  return geometry.photometric_interpretation.starts_with("YBR_");
}

}  // namespace fiducia::decoder
