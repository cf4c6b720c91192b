// SPDX-License-Identifier: Apache-2.0
#include "canonical/pixel_source.h"

#include <algorithm>
#include <initializer_list>

namespace fiducia::canonical {

const dicom::Element* find_pixel_element(const dicom::DataSet& data_set, codec::SampleKind kind,
                                         std::uint32_t sample_bytes) {
  if (kind != codec::SampleKind::floating) return data_set.find(dicom::tags::pixel_data);
  return data_set.find(sample_bytes == 8 ? dicom::tags::double_float_pixel_data
                                         : dicom::tags::float_pixel_data);
}

std::string canonical_photometric(dicom::PixelEncoding encoding, std::string_view file_says,
                                  std::string_view decoder_says) {
  const auto is_one_of = [&](std::initializer_list<std::string_view> terms) {
    return std::ranges::find(terms, file_says) != terms.end();
  };
  bool belongs = false;
  switch (encoding) {
    case dicom::PixelEncoding::jpeg_2000:
    case dicom::PixelEncoding::htj2k:
      belongs = is_one_of({"YBR_RCT", "YBR_ICT"});
      break;
    case dicom::PixelEncoding::jpeg_baseline:
    case dicom::PixelEncoding::jpeg_extended:
    case dicom::PixelEncoding::jpeg_lossless:
      belongs = is_one_of({"YBR_FULL", "YBR_FULL_422", "YBR_PARTIAL_422", "YBR_PARTIAL_420"});
      break;
    case dicom::PixelEncoding::jpeg_xl:
      belongs = is_one_of({"XYB", "YBR_FULL", "YBR_FULL_422"});
      break;
    default:
      break;
  }
  return std::string(belongs ? decoder_says : file_says);
}

std::optional<std::string> photometric_for_header(const dicom::DataSet& data_set,
                                                  std::string canonical) {
  const dicom::Element* element = data_set.find(dicom::tags::photometric_interpretation);
  if (element == nullptr || as_text(element->value).contains('\\')) return std::nullopt;
  return statable_text(std::move(canonical));
}

std::optional<std::string> statable_text(std::string text) {
  constexpr std::size_t text_bytes_max = 64;
  if (text.empty() || text.size() > text_bytes_max || !is_utf8(text)) return std::nullopt;
  return text;
}

}  // namespace fiducia::canonical
