// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "codec/codec.h"
#include "dicom/dicom.h"

namespace fiducia::canonical {

/// The top-level element that holds samples of `kind` and `sample_bytes`: Pixel Data, Float or
/// Double Float Pixel Data (PS3.3 C.7.6.3, C.7.6.24, C.7.6.25); nullptr when it is not there.
[[nodiscard]] const dicom::Element* find_pixel_element(const dicom::DataSet& data_set,
                                                       codec::SampleKind kind,
                                                       std::uint32_t sample_bytes);

/// Photometric Interpretation of the canonical samples (spec/seal.md 5.6): what the decoder made
/// of a colour transform that belongs to the encoding, else what the file says. A file that
/// names a transform foreign to its encoding is taken at its word, so the header check sees it.
[[nodiscard]] std::string canonical_photometric(dicom::PixelEncoding encoding,
                                                std::string_view file_says,
                                                std::string_view decoder_says);

/// What stands for the value of Photometric Interpretation in the header: `canonical`, unless the
/// attribute is odd (no single value, or none that a statement can hold); then it is hashed as it
/// stands.
[[nodiscard]] std::optional<std::string> photometric_for_header(const dicom::DataSet& data_set,
                                                                std::string canonical);

/// `text` when a statement can hold it (1..64 bytes of UTF-8), else absent: odd values stay where
/// they are, in the header, and are hashed as they stand.
[[nodiscard]] std::optional<std::string> statable_text(std::string text);

}  // namespace fiducia::canonical
