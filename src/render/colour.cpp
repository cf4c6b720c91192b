// SPDX-License-Identifier: Apache-2.0
#include "render/colour.h"

#include <algorithm>
#include <cmath>

namespace fiducia::render {
namespace {

using dicom::Tag;
struct PaletteTags {
  Tag descriptor;
  Tag data;
  Tag segmented;
};
constexpr PaletteTags palette_tags[3] = {
    {{0x0028, 0x1101}, {0x0028, 0x1201}, {0x0028, 0x1221}},
    {{0x0028, 0x1102}, {0x0028, 0x1202}, {0x0028, 0x1222}},
    {{0x0028, 0x1103}, {0x0028, 0x1203}, {0x0028, 0x1223}},
};

std::uint8_t to_byte(double value) {
  return static_cast<std::uint8_t>(std::clamp(std::lround(value), 0L, 255L));
}

}  // namespace

std::optional<Palette> Palette::read(const dicom::DataSet& data_set,
                                     const codec::Geometry& geometry) {
  Palette palette{geometry};
  if (palette.reader_.is_floating()) return std::nullopt;
  const Scope top{data_set};
  for (int i = 0; i < 3; ++i) {
    const PaletteTags& tags = palette_tags[i];
    const bool is_signed = palette.reader_.is_signed();
    auto table = read_lookup_table(top, tags.descriptor, tags.data, is_signed);
    if (!table) table = read_segmented_table(top, tags.descriptor, tags.segmented, is_signed);
    if (!table) return std::nullopt;
    // Some writers say 16 bits and fill in values of 8: black pictures help nobody.
    const unsigned shift = table->output_max() > 255 && std::ranges::max(table->values) > 255
                               ? std::max(table->bits, 9U) - 8
                               : 0;
    for (std::uint16_t& value : table->values) {
      value = static_cast<std::uint16_t>(std::min(255, value >> shift));
    }
    palette.tables_[i] = std::move(*table);
  }
  return palette;
}

void Palette::render(ByteView row, std::span<std::uint8_t> out) const {
  const std::size_t bytes = reader_.sample_bytes();
  FIDUCIA_ASSERT(row.size() / bytes * 3 == out.size());
  for (std::size_t i = 0; i * bytes < row.size(); ++i) {
    const std::int64_t index = reader_.integer(reader_.stored_bits(row.data() + i * bytes));
    for (std::size_t c = 0; c < 3; ++c) {
      out[i * 3 + c] = static_cast<std::uint8_t>(tables_[c].map(index));
    }
  }
}

std::optional<ColourSpace> ColourSpace::find(std::string_view photometric_interpretation,
                                             const codec::Geometry& geometry) {
  if (geometry.samples_per_pixel != 3 || geometry.kind == codec::SampleKind::floating) {
    return std::nullopt;
  }
  const std::string_view name = photometric_interpretation;
  // Decoders of JPEG 2000 undo its colour transforms themselves, so these hold RGB.
  if (name == "RGB" || name == "YBR_RCT" || name == "YBR_ICT") {
    return ColourSpace{Kind::rgb, geometry, "Colours: as stored."};
  }
  if (name == "YBR_FULL" || name == "YBR_FULL_422") {
    return ColourSpace{Kind::full_range, geometry, "Colours: converted from YBR_FULL."};
  }
  if (name.starts_with("YBR_PARTIAL_")) {
    return ColourSpace{Kind::partial_range, geometry, "Colours: converted from YBR_PARTIAL."};
  }
  return std::nullopt;
}

/// PS3.3 C.7.6.3.1.2, the inverse of the equations given there (ITU-R BT.601).
void ColourSpace::render(ByteView row, std::span<std::uint8_t> out) const {
  const std::size_t bytes = reader_.sample_bytes();
  FIDUCIA_ASSERT(row.size() == out.size() * bytes);
  const unsigned bits = std::min(reader_.bits_stored(), 32U);
  const double white = static_cast<double>((std::uint64_t{1} << bits) - 1);
  for (std::size_t i = 0; i < out.size(); ++i) {
    const auto stored = static_cast<double>(reader_.stored_bits(row.data() + i * bytes));
    out[i] = to_byte(bits == 8 ? stored : stored * 255 / white);
  }
  if (kind_ == Kind::rgb) return;
  const bool is_full = kind_ == Kind::full_range;
  const double luma_scale = is_full ? 1 : 255.0 / 219;
  const double chroma_scale = is_full ? 1 : 255.0 / 224;
  for (std::size_t i = 0; i + 2 < out.size(); i += 3) {
    const double y = (out[i] - (is_full ? 0 : 16)) * luma_scale;
    const double cb = (out[i + 1] - 128) * chroma_scale;
    const double cr = (out[i + 2] - 128) * chroma_scale;
    out[i] = to_byte(y + 1.402 * cr);
    out[i + 1] = to_byte(y - 0.344136 * cb - 0.714136 * cr);
    out[i + 2] = to_byte(y + 1.772 * cb);
  }
}

}  // namespace fiducia::render
