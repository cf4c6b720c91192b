// SPDX-License-Identifier: Apache-2.0
#include "seal/moved_overlay.h"

#include <algorithm>
#include <array>

#include "canonical/header.h"

namespace fiducia::seal {
namespace {

constexpr std::uint16_t element_rows = 0x0010;
constexpr std::uint16_t element_columns = 0x0011;
constexpr std::uint16_t element_frames = 0x0015;
constexpr std::uint16_t element_origin = 0x0050;
constexpr std::uint16_t element_bits_allocated = 0x0100;
constexpr std::uint16_t element_bit_position = 0x0102;
constexpr std::uint16_t element_data = 0x3000;

/// Whether the attribute was sealed with this number: leaves are hashes, but these are few.
bool was_sealed_as(const evidence::Evidence& evidence, dicom::Tag tag, std::uint16_t number) {
  const auto index = evidence::find_sealed(evidence, canonical::top_level_path(tag));
  if (!index) return false;
  const evidence::SealedAttribute& attribute = evidence.attributes[*index];
  Bytes value;
  append_le(value, number);
  return canonical::attribute_hash(canonical::Salts(evidence.seed).header_one(*index),
                                   attribute.path, attribute.vr,
                                   {canonical::ValueKind::bytes, value}) == attribute.hash;
}

}  // namespace

MovedOverlays MovedOverlays::find(const dicom::DataSet& data_set,
                                  const evidence::Evidence& evidence,
                                  const codec::Geometry& geometry) {
  MovedOverlays out;
  if (geometry.kind != codec::SampleKind::unsigned_integer || geometry.samples_per_pixel != 1 ||
      geometry.bits_allocated > 16 || geometry.bits_stored == geometry.bits_allocated)
    return out;
  const std::uint64_t bits = std::uint64_t{geometry.rows} * geometry.columns * geometry.frames;
  for (std::uint16_t group = 0x6000; group <= 0x60FE; group += 2) {
    const dicom::Element* data = data_set.find({group, element_data});
    // Nothing but the planes, and a pad byte.
    const std::uint64_t plane_bytes = (bits + 7) / 8;
    if (data == nullptr || data->big_endian || data->value.size() < plane_bytes ||
        data->value.size() > plane_bytes + plane_bytes % 2)
      continue;
    if (data_set.find_us({group, element_rows}) != geometry.rows ||
        data_set.find_us({group, element_columns}) != geometry.columns ||
        data_set.find_us({group, element_bits_allocated}) != 1 ||
        data_set.find_us({group, element_bit_position}) != 0)
      continue;
    const dicom::Element* origin = data_set.find({group, element_origin});
    constexpr std::array<std::byte, 4> one_one{std::byte{1}, std::byte{0}, std::byte{1},
                                               std::byte{0}};
    if (origin == nullptr || !same_bytes(origin->value, one_one)) continue;
    // One plane belongs to the one frame; planes of several frames say how many.
    if (geometry.frames != 1 &&
        data_set.find_text({group, element_frames}) != std::to_string(geometry.frames))
      continue;
    if (evidence::find_sealed(evidence, canonical::top_level_path({group, element_data})) ||
        !was_sealed_as(evidence, {group, element_bits_allocated}, geometry.bits_allocated))
      continue;
    for (unsigned bit = 0; bit < geometry.bits_allocated; ++bit)
      if ((bit > geometry.high_bit || bit + geometry.bits_stored <= geometry.high_bit) &&
          was_sealed_as(evidence, {group, element_bit_position}, static_cast<std::uint16_t>(bit)))
        out.planes_.push_back({.group = group, .bit = bit, .bits = data->value});
  }
  return out;
}

bool MovedOverlays::explains(dicom::Tag tag) const {
  return (tag.element == element_data || tag.element == element_bits_allocated ||
          tag.element == element_bit_position) &&
         std::ranges::find(planes_, tag.group, &Plane::group) != planes_.end();
}

std::optional<Bytes> MovedOverlays::put_back(std::uint32_t frame, ByteView samples,
                                             const codec::Geometry& geometry) const {
  Bytes out(samples.begin(), samples.end());
  const std::size_t pixels = std::size_t{geometry.rows} * geometry.columns;
  const std::size_t sample_bytes = geometry.sample_bytes();
  for (const Plane& plane : planes_)
    for (std::size_t i = 0; i < pixels; ++i) {
      const std::size_t at = frame * pixels + i;
      const bool is_set = (plane.bits[at / 8] >> (at % 8) & std::byte{1}) != std::byte{0};
      std::byte& sample = out[i * sample_bytes + plane.bit / 8];
      const std::byte mask = std::byte{1} << (plane.bit % 8);
      if (is_set)
        sample |= mask;
      else if ((sample & mask) != std::byte{0})
        return std::nullopt;
    }
  return out;
}

}  // namespace fiducia::seal
