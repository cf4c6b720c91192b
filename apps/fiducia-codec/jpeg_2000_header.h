// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <array>
#include <vector>

#include "decoder.h"

namespace fiducia::decoder {

/// How a component is cut into blocks, by a COD or COC (A.6.1, A.6.2). Sizes as powers of two.
struct Jpeg2000Coding {
  unsigned layers = 1;
  unsigned levels = 0;
  unsigned block_width = 0;
  unsigned block_height = 0;
  std::array<std::uint8_t, 33> precincts = {};  // of each resolution: width, height << 4
};

/// What the headers of a JPEG 2000 codestream declare (ISO/IEC 15444-1 Annex A).
struct Jpeg2000Header {
  std::uint32_t width = 0;
  std::uint32_t height = 0;
  unsigned components = 0;
  unsigned precision = 0;  // of all components, which must agree
  bool is_signed = false;
  bool high_throughput = false;   // a CAP marker names Part 15
  bool colour_transform = false;  // RCT or ICT over the first three components
  /// Whether wavelet and quantization are reversible everywhere, tile headers included. Whether
  /// coding passes were left out the headers do not say: a 5-3 stream that was truncated on
  /// purpose looks the same.
  bool reversible = false;
  /// One tile, at the origin, and wavelet levels that no component overrides.
  bool plain = false;
  unsigned levels = 0;  // of the wavelet
  std::uint64_t tiles = 0;
  std::uint32_t tile_width = 0;
  std::uint32_t tile_height = 0;
  std::vector<Jpeg2000Coding> codings;  // main and tile headers
};

/// The bare codestream inside JP2 boxes, or `bytes` itself. Errors: codec_failed.
[[nodiscard]] Result<ByteView> find_codestream(ByteView bytes);

/// Reads the main header and every tile-part header. Errors: codec_failed.
[[nodiscard]] Result<Jpeg2000Header> read_jpeg_2000_header(ByteView codestream);

/// Whether size and components are those of `geometry`, and what the decoder has to keep and to
/// visit for them is in proportion. Errors: codec_failed, over_limit.
[[nodiscard]] Status check_jpeg_2000_header(const Jpeg2000Header& header, const Geometry& geometry);

/// "RGB" when a colour transform that Photometric Interpretation names was undone.
[[nodiscard]] std::string decoded_photometric(const Jpeg2000Header& header,
                                              const Geometry& geometry);

}  // namespace fiducia::decoder
