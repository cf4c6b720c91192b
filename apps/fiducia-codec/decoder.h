// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <memory>
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

Decode decode_jpeg_8;     // libjpeg-turbo: sequential and progressive DCT, 8 bits
Decode decode_jpeg_ijg;   // DCMTK's IJG libraries: 12 bits DCT, lossless up to 16 bits
Decode decode_jpeg_ls;    // CharLS
Decode decode_jpeg_2000;  // OpenJPEG
Decode decode_htj2k;      // OpenJPH
Decode decode_jpeg_xl;    // libjxl

class JpegPlanes;

/// Chooses the decoder, catches what libraries throw, and keeps of a frame what its other
/// renditions need. Errors: as Decode.
class Decoder {
 public:
  Decoder();
  ~Decoder();
  /// One frame.
  [[nodiscard]] Result<Outcome> decode(dicom::PixelEncoding encoding, ByteView codestream,
                                       const Geometry& geometry, std::span<std::byte> out);
  /// The same, when other renditions of the frame are asked for next: gives the same samples.
  [[nodiscard]] Result<Outcome> decode_first(dicom::PixelEncoding encoding, ByteView codestream,
                                             const Geometry& geometry, std::span<std::byte> out);
  /// Another rendition; all but the last two arguments are those of the call before. Only JPEG of
  /// 8 bits with YCbCr colours has any: else codec_failed.
  [[nodiscard]] Result<Outcome> decode_next(dicom::PixelEncoding encoding, ByteView codestream,
                                            const Geometry& geometry, Rendition rendition,
                                            std::span<std::byte> out);

 private:
  std::unique_ptr<JpegPlanes> planes_;  // of the frame decoded last
};

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
