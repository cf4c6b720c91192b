// SPDX-License-Identifier: Apache-2.0
#include <exception>
#include <new>

#include "decoder.h"
#include "jpeg_header.h"

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
Result<Outcome> decode_jpeg(ByteView codestream, const Geometry& geometry, std::span<std::byte> out,
                            Rendition rendition) {
  FIDUCIA_TRY(header, read_jpeg_header(codestream));
  const bool is_dct_8 = header.sof >= 0xC0 && header.sof <= 0xC2 && header.precision == 8;
  if (rendition != Rendition::rgb_interpolated && (!is_dct_8 || !is_ycbcr(header, geometry)))
    return refused("this JPEG codestream has but one rendition.");
  switch (header.sof) {
    case 0xC0:  // baseline
    case 0xC1:  // extended sequential
    case 0xC2:  // progressive
      return header.precision == 8 ? decode_jpeg_8(codestream, geometry, out, rendition)
                                   : decode_jpeg_ijg(codestream, geometry, out);
    case 0xC3:
      return decode_jpeg_ijg(codestream, geometry, out);
    default:
      return fail(ErrorCode::codec_missing,
                  "no decoder for this JPEG process (hierarchical or arithmetic) is at hand.");
  }
}

Result<Outcome> dispatch(PixelEncoding encoding, ByteView codestream, const Geometry& geometry,
                         std::span<std::byte> out, Rendition rendition) {
  switch (encoding) {
    case PixelEncoding::jpeg_baseline:
    case PixelEncoding::jpeg_extended:
    case PixelEncoding::jpeg_lossless:
    case PixelEncoding::jpeg_other:
      return decode_jpeg(codestream, geometry, out, rendition);
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

}  // namespace

Result<Outcome> decode(PixelEncoding encoding, ByteView codestream, const Geometry& geometry,
                       std::span<std::byte> out, Rendition rendition) {
  FIDUCIA_ASSERT(out.size() == geometry.frame_bytes());
  if (geometry.kind == codec::SampleKind::floating)
    return refused("floating point samples cannot be in this encoding.");
  try {
    return dispatch(encoding, codestream, geometry, out, rendition);
  } catch (const std::bad_alloc&) {
    return fail(ErrorCode::over_limit, "the frame needs more memory than a decoder may have.");
  } catch (const std::exception&) {
    return refused("the codestream is damaged.");
  }
}

}  // namespace fiducia::decoder
