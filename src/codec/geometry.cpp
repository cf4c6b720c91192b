// SPDX-License-Identifier: Apache-2.0
#include "codec/geometry.h"

#include <algorithm>
#include <charconv>

#include "codec/native.h"

namespace fiducia::codec {
namespace {

using dicom::Tag;

std::unexpected<Error> impossible(Tag tag, const std::string& what) {
  auto failed = fail_malformed("image_pixel", what);
  failed.error().where.element = dicom::to_string(tag);
  failed.error().remedy = "Fetch the file again from its source.";
  return failed;
}

std::unexpected<Error> too_big(Tag tag, const std::string& what) {
  return fail(ErrorCode::over_limit, what, "Split the object into smaller ones.",
              Location{.file = {}, .element = dicom::to_string(tag), .offset = {}});
}

Result<std::uint16_t> required(const dicom::DataSet& data_set, Tag tag, const char* name) {
  const auto value = data_set.find_us(tag);
  if (!value) return impossible(tag, std::string(name) + " is missing or is not one number.");
  return *value;
}

/// Number of Frames is IS: an optional sign and digits, spaces around them (PS3.5 section 6.2).
Result<std::uint32_t> read_frame_count(const dicom::DataSet& data_set) {
  const dicom::Element* element = data_set.find(dicom::tags::number_of_frames);
  if (element == nullptr || element->value.empty()) return 1U;  // type 1C: one frame
  std::string_view text = dicom::trimmed(as_text(element->value));
  if (text.empty()) return 1U;
  if (text.front() == '+') text.remove_prefix(1);
  std::uint64_t count = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (error == std::errc::result_out_of_range && end == text.data() + text.size())
    count = limits::frames_max + 1ULL;
  else if (error != std::errc{} || end != text.data() + text.size() || count == 0)
    return impossible(dicom::tags::number_of_frames, "Number of Frames is not a positive number.");
  if (count > limits::frames_max)
    return too_big(dicom::tags::number_of_frames,
                   "Number of Frames is above " + std::to_string(limits::frames_max) + ".");
  return static_cast<std::uint32_t>(count);
}

Status read_bits(const dicom::DataSet& data_set, Geometry& geometry) {
  FIDUCIA_TRY(stored, required(data_set, dicom::tags::bits_stored, "Bits Stored"));
  FIDUCIA_TRY(high, required(data_set, dicom::tags::high_bit, "High Bit"));
  FIDUCIA_TRY(representation,
              required(data_set, dicom::tags::pixel_representation, "Pixel Representation"));
  if (stored == 0 || stored > geometry.bits_allocated)
    return impossible(dicom::tags::bits_stored, "Bits Stored is zero or above Bits Allocated.");
  if (high >= geometry.bits_allocated || high + 1U < stored)
    return impossible(dicom::tags::high_bit,
                      "High Bit lies outside Bits Allocated or below Bits Stored.");
  if (representation > 1)
    return impossible(dicom::tags::pixel_representation, "Pixel Representation is not 0 or 1.");
  geometry.bits_stored = stored;
  geometry.high_bit = high;
  geometry.kind = representation == 1 ? SampleKind::signed_integer : SampleKind::unsigned_integer;
  return {};
}

}  // namespace

std::uint32_t Geometry::sample_bytes() const {
  if (bits_allocated <= 8) return 1;
  if (bits_allocated <= 16) return 2;
  return bits_allocated <= 32 ? 4 : 8;
}

std::uint64_t Geometry::frame_bytes() const {
  return std::uint64_t{rows} * columns * samples_per_pixel * sample_bytes();
}

std::uint64_t Geometry::native_frame_bits() const {
  const std::uint64_t samples = is_subsampled_422(*this) ? 2U : samples_per_pixel;
  return std::uint64_t{rows} * columns * samples * bits_allocated;
}

Result<std::optional<Geometry>> read_geometry(const dicom::DataSet& data_set) {
  const dicom::Element* whole = data_set.find(dicom::tags::pixel_data);
  const dicom::Element* single = data_set.find(dicom::tags::float_pixel_data);
  const dicom::Element* twice = data_set.find(dicom::tags::double_float_pixel_data);
  const int present = (whole != nullptr) + (single != nullptr) + (twice != nullptr);
  if (present == 0) return std::optional<Geometry>{};
  // PS3.3 C.7.6.3.1: at most one of them. Which one a viewer shows would be its choice.
  if (present > 1)
    return impossible(dicom::tags::pixel_data, "more than one kind of Pixel Data is present.");

  Geometry geometry;
  FIDUCIA_TRY(rows, required(data_set, dicom::tags::rows, "Rows"));
  FIDUCIA_TRY(columns, required(data_set, dicom::tags::columns, "Columns"));
  FIDUCIA_TRY(samples, required(data_set, dicom::tags::samples_per_pixel, "Samples per Pixel"));
  FIDUCIA_TRY(allocated, required(data_set, dicom::tags::bits_allocated, "Bits Allocated"));
  if (rows == 0) return impossible(dicom::tags::rows, "Rows is zero.");
  if (columns == 0) return impossible(dicom::tags::columns, "Columns is zero.");
  if (samples == 0 || samples > samples_per_pixel_max)
    return impossible(dicom::tags::samples_per_pixel, "Samples per Pixel is not 1 to 4.");
  geometry.rows = rows;
  geometry.columns = columns;
  geometry.samples_per_pixel = samples;
  geometry.bits_allocated = allocated;
  FIDUCIA_TRY(frames, read_frame_count(data_set));
  geometry.frames = frames;
  // Absent in images that come from ACR-NEMA: one sample is a grey value there.
  geometry.photometric_interpretation =
      data_set.find_text(dicom::tags::photometric_interpretation).value_or("");
  if (geometry.photometric_interpretation.size() > photometric_interpretation_bytes_max)
    return impossible(dicom::tags::photometric_interpretation,
                      "Photometric Interpretation is longer than a Code String.");

  if (whole == nullptr) {
    const std::uint16_t bits = single != nullptr ? 32 : 64;
    if (allocated != bits)
      return impossible(dicom::tags::bits_allocated,
                        "Bits Allocated is not that of Float or Double Float Pixel Data.");
    geometry.bits_stored = bits;
    geometry.high_bit = static_cast<std::uint16_t>(bits - 1);
    geometry.kind = SampleKind::floating;
  } else {
    if (allocated == 0) return impossible(dicom::tags::bits_allocated, "Bits Allocated is zero.");
    constexpr std::uint16_t known[] = {1, 8, 16, 24, 32, 64};
    if (std::find(std::begin(known), std::end(known), allocated) == std::end(known)) {
      auto failed = fail(
          ErrorCode::unsupported,
          "Bits Allocated is " + std::to_string(allocated) +
              "; 1, 8, 16, 24, 32 and 64 can be read.",
          "Convert the image to one of these.",
          Location{
              .file = {}, .element = dicom::to_string(dicom::tags::bits_allocated), .offset = {}});
      failed.error().kind = "bits_allocated";
      return failed;
    }
    FIDUCIA_CHECK(read_bits(data_set, geometry));
  }
  if (samples > 1) {
    const auto planar = data_set.find_us(dicom::tags::planar_configuration);
    // Type 1C, but codecs do not need it and many writers of compressed colour leave it out.
    if (planar.value_or(0) > 1)
      return impossible(dicom::tags::planar_configuration, "Planar Configuration is not 0 or 1.");
    geometry.planar_configuration = planar.value_or(0);
  }

  // 65535 x 65535 x 4 x 8 fits 64 bits; said by checked_mul all the same, as limits move.
  auto bytes = checked_mul<std::uint64_t>(std::uint64_t{rows} * columns, samples);
  if (bytes) bytes = checked_mul<std::uint64_t>(*bytes, geometry.sample_bytes());
  if (!bytes || *bytes > limits::frame_bytes_max)
    return too_big(dicom::tags::rows, "one frame has more than " +
                                          std::to_string(limits::frame_bytes_max) + " bytes.");
  return std::optional<Geometry>{std::move(geometry)};
}

}  // namespace fiducia::codec
