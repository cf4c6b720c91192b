// SPDX-License-Identifier: Apache-2.0
#include <exception>
#include <new>

#include "decoder.h"
#include "jpeg_header.h"
#include "jpeg_planes.h"
#include "jpeg_session.h"

namespace fiducia::decoder {
namespace {

using dicom::PixelEncoding;

#ifndef FIDUCIA_HAVE_JXL
std::unexpected<Error> without_jxl() {
  return fail(ErrorCode::codec_missing, "this fiducia-codec was built without JPEG XL (libjxl).");
}
#endif

/// The JPEG transfer syntaxes name a process; which one a stream really uses its SOF says, and
/// files with the wrong one of these transfer syntaxes are common.
Result<Outcome> decode_jpeg(ByteView codestream, const Geometry& geometry,
                            std::span<std::byte> out) {
  FIDUCIA_TRY(header, read_jpeg_header(codestream));
  switch (header.sof) {
    case 0xC0:  // baseline
    case 0xC1:  // extended sequential
    case 0xC2:  // progressive
      return header.precision == 8 ? decode_jpeg_8(codestream, geometry, out)
                                   : decode_jpeg_ijg(codestream, geometry, out);
    case 0xC3:
      return decode_jpeg_ijg(codestream, geometry, out);
    default:
      return fail(ErrorCode::codec_missing,
                  "no decoder for this JPEG process (hierarchical or arithmetic) is at hand.");
  }
}

Result<Outcome> dispatch(PixelEncoding encoding, ByteView codestream, const Geometry& geometry,
                         std::span<std::byte> out) {
  switch (encoding) {
    case PixelEncoding::jpeg_baseline:
    case PixelEncoding::jpeg_extended:
    case PixelEncoding::jpeg_lossless:
    case PixelEncoding::jpeg_other:
      return decode_jpeg(codestream, geometry, out);
    case PixelEncoding::jpeg_ls:
      return decode_jpeg_ls(codestream, geometry, out);
    case PixelEncoding::jpeg_2000:
      return decode_jpeg_2000(codestream, geometry, out);
    case PixelEncoding::htj2k:
      return decode_htj2k(codestream, geometry, out);
    case PixelEncoding::jpeg_xl:
#ifdef FIDUCIA_HAVE_JXL
      return decode_jpeg_xl(codestream, geometry, out);
#else
      return without_jxl();
#endif
    default:
      break;
  }
  return fail(ErrorCode::codec_missing, "no decoder for this transfer syntax is at hand.");
}

bool is_jpeg(PixelEncoding encoding) {
  return encoding == PixelEncoding::jpeg_baseline || encoding == PixelEncoding::jpeg_extended ||
         encoding == PixelEncoding::jpeg_lossless || encoding == PixelEncoding::jpeg_other;
}

/// Calls `decode` and turns what libraries throw into errors.
template <class F>
Result<Outcome> caught(const Geometry& geometry, F decode) {
  if (geometry.kind == codec::SampleKind::floating)
    return refused("floating point samples cannot be in this encoding.");
  try {
    return decode();
  } catch (const std::bad_alloc&) {
    return fail(ErrorCode::over_limit, "the frame needs more memory than a decoder may have.");
  } catch (const std::exception&) {
    return refused("the codestream is damaged.");
  }
}

}  // namespace

Decoder::Decoder() = default;
Decoder::~Decoder() = default;

Result<Outcome> Decoder::decode(PixelEncoding encoding, ByteView codestream,
                                const Geometry& geometry, std::span<std::byte> out) {
  FIDUCIA_ASSERT(out.size() == geometry.frame_bytes());
  planes_.reset();
  return caught(geometry, [&] { return dispatch(encoding, codestream, geometry, out); });
}

Result<Outcome> Decoder::decode_first(PixelEncoding encoding, ByteView codestream,
                                      const Geometry& geometry, std::span<std::byte> out) {
  if (!is_jpeg(encoding) || !can_render(codestream, geometry))
    return decode(encoding, codestream, geometry, out);
  planes_.reset();
  return decode_next(encoding, codestream, geometry, Rendition::rgb_interpolated, out);
}

Result<Outcome> Decoder::decode_next(PixelEncoding encoding, ByteView codestream,
                                     const Geometry& geometry, Rendition rendition,
                                     std::span<std::byte> out) {
  FIDUCIA_ASSERT(out.size() == geometry.frame_bytes());
  return caught(geometry, [&]() -> Result<Outcome> {
    if (!is_jpeg(encoding) || !can_render(codestream, geometry))
      return refused("this codestream has only one rendition.");
    if (!planes_) {
      FIDUCIA_TRY(planes, JpegPlanes::read(codestream, geometry));
      planes_ = std::make_unique<JpegPlanes>(std::move(planes));
    }
    planes_->render(rendition, out);
    return Outcome{
        .lossless = false, .photometric_interpretation = "RGB", .decoder = jpeg_8_decoder_name};
  });
}

}  // namespace fiducia::decoder
