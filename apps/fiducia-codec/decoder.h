// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <span>
#include <string>

#include "codec/codestream.h"
#include "codec/geometry.h"

/// The decoders of fiducia-codec: one function a codec. They run inside the sandbox, over bytes
/// that an attacker chose, with libraries that may have holes.
namespace fiducia::decoder {

using codec::Geometry;
using codec::Rendition;

/// What came of a frame; see codec::Decoded.
struct Outcome {
  bool lossless = false;
  std::string photometric_interpretation;
  std::string decoder;
  codec::Oddities oddities = {};  // that only the codec's own library sees
};

/// Decodes `codestream` into `out`, which has geometry.frame_bytes(): pixel-interleaved, little
/// endian, in containers of geometry.sample_bytes(). Each compares what the codestream's own
/// header declares with `geometry` before it sets memory aside.
/// Errors: codec_failed (damaged, or not what `geometry` says), over_limit (out of memory),
/// codec_missing (not compiled in).
using Decode = Result<Outcome>(ByteView codestream, const Geometry& geometry,
                               std::span<std::byte> out);

// libjpeg-turbo: sequential and progressive DCT, 8 bits.
Result<Outcome> decode_jpeg_8(ByteView codestream, const Geometry& geometry,
                              std::span<std::byte> out,
                              Rendition rendition = Rendition::rgb_interpolated);
Decode decode_jpeg_ijg;   // DCMTK's IJG libraries: 12 bits DCT, lossless up to 16 bits
Decode decode_jpeg_ls;    // CharLS
Decode decode_jpeg_2000;  // OpenJPEG
Decode decode_htj2k;      // OpenJPH
Decode decode_jpeg_xl;    // libjxl

/// Chooses the decoder and catches what libraries throw. Other renditions than the first: only
/// JPEG of 8 bits with YCbCr colours.
[[nodiscard]] Result<Outcome> decode(dicom::PixelEncoding encoding, ByteView codestream,
                                     const Geometry& geometry, std::span<std::byte> out,
                                     Rendition rendition = Rendition::rgb_interpolated);

/// "libjpeg-turbo 2.1.5", one a line, for --version.
[[nodiscard]] std::string decoder_list();

/// Starts what libraries would otherwise start at first use, when the sandbox is closed.
void prepare();

[[nodiscard]] inline std::unexpected<Error> refused(std::string what) {
  return fail(ErrorCode::codec_failed, std::move(what));
}
[[nodiscard]] inline std::unexpected<Error> mismatch(const char* what) {
  return refused(std::string("the codestream has other ") + what + " than the image.");
}

}  // namespace fiducia::decoder
