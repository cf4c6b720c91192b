// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "decoder.h"

namespace fiducia::decoder {

/// What the frame header (SOF) of a JPEG codestream declares (ITU-T T.81 B.2.2), and what is said
/// of its colours before it.
struct JpegHeader {
  std::uint8_t sof = 0;  // the second byte of the marker: C0 baseline, C3 lossless, ...
  unsigned precision = 0;
  std::uint32_t rows = 0;
  std::uint32_t columns = 0;
  unsigned components = 0;
  bool component_ids_are_rgb = false;
  bool has_jfif = false;
  std::optional<std::uint8_t> adobe_transform;
  [[nodiscard]] bool is_lossless() const { return sof == 0xC3; }
};

/// Walks the markers up to the first SOF. Errors: codec_failed.
[[nodiscard]] Result<JpegHeader> read_jpeg_header(ByteView codestream);

/// Whether rows, columns and components are those of `geometry`. Errors: codec_failed.
[[nodiscard]] Status check_jpeg_header(const JpegHeader& header, const Geometry& geometry);

/// Whether three components are luminance and chrominance. The codestream's own word (Adobe
/// marker, JFIF, component names) goes before Photometric Interpretation, as in common viewers;
/// where it says nothing, Photometric Interpretation decides.
[[nodiscard]] bool is_ycbcr(const JpegHeader& header, const Geometry& geometry);

}  // namespace fiducia::decoder
