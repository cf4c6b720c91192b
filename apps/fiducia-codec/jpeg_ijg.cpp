// SPDX-License-Identifier: Apache-2.0
#include <dcmtk/config/osconfig.h>
#include <dcmtk/dcmdata/dcerror.h>
#include <dcmtk/dcmdata/dcuid.h>
#include <dcmtk/dcmjpeg/djcparam.h>
#include <dcmtk/dcmjpeg/djdijg12.h>
#include <dcmtk/dcmjpeg/djdijg16.h>
#include <dcmtk/dcmjpeg/djdijg8.h>

#include <memory>

#include "jpeg_header.h"
#include "samples.h"

namespace fiducia::decoder {
namespace {

std::unique_ptr<DJDecoder> make_decoder(const JpegHeader& header, const DJCodecParameter& how,
                                        bool ycbcr) {
  // As DCMTK itself chooses: the smallest library that holds the samples.
  const OFBool is_ybr = ycbcr ? OFTrue : OFFalse;
  if (header.precision <= 8) return std::make_unique<DJDecompressIJG8Bit>(how, is_ybr);
  if (header.precision <= 12) return std::make_unique<DJDecompressIJG12Bit>(how, is_ybr);
  return std::make_unique<DJDecompressIJG16Bit>(how, is_ybr);
}

}  // namespace

Result<Outcome> decode_jpeg_ijg(ByteView codestream, const Geometry& geometry,
                                std::span<std::byte> out) {
  FIDUCIA_TRY(header, read_jpeg_header(codestream));
  FIDUCIA_CHECK(check_jpeg_header(header, geometry));
  FIDUCIA_TRY(shift, container_shift(geometry, header.precision));
  if (!header.is_lossless() && header.precision > 12) return mismatch("bits a sample");

  // Lossless processes code the samples as they are; DCT processes as luminance and chrominance.
  const bool ycbcr = !header.is_lossless() && is_ycbcr(header, geometry);
  const DJCodecParameter how(ECC_lossyYCbCr, ycbcr ? EDC_photometricInterpretation : EDC_never,
                             EUC_never, EPC_colorByPixel);
  const std::unique_ptr<DJDecoder> decoder = make_decoder(header, how, ycbcr);
  const std::size_t samples =
      std::size_t{geometry.rows} * geometry.columns * geometry.samples_per_pixel;
  const std::size_t given_bytes = header.precision <= 8 ? 1 : 2;
  const bool direct = given_bytes == geometry.sample_bytes() && shift == 0;
  Bytes given(direct ? 0 : samples * given_bytes);
  const std::span<std::byte> target = direct ? out : std::span<std::byte>{given};
  if (target.size() > 0xFFFFFFFFU || codestream.size() > 0xFFFFFFFFU)
    return fail(ErrorCode::over_limit, "the frame is too large for this decoder.");

  if (decoder->init().bad())
    return fail(ErrorCode::over_limit, "the JPEG decoder cannot be started.");
  // The library takes a mutable pointer, but only reads.
  const OFCondition condition =
      decoder->decode(reinterpret_cast<Uint8*>(const_cast<std::byte*>(codestream.data())),
                      static_cast<Uint32>(codestream.size()),
                      reinterpret_cast<Uint8*>(target.data()), static_cast<Uint32>(target.size()),
                      geometry.kind == codec::SampleKind::signed_integer ? OFTrue : OFFalse);
  // EJ_Suspend, "more data needed", is a failure: there is none.
  if (condition.bad()) return refused("the JPEG codestream is damaged.");
  if (!direct) {
    if (given_bytes == 1)
      put_frame(reinterpret_cast<const std::uint8_t*>(given.data()), shift, false, geometry, out);
    else
      put_frame(reinterpret_cast<const std::uint16_t*>(given.data()), shift, false, geometry, out);
  }
  return Outcome{.lossless = header.is_lossless(),
                 .photometric_interpretation = ycbcr ? "RGB" : geometry.photometric_interpretation,
                 .decoder = std::string("DCMTK ") + OFFIS_DCMTK_VERSION_STRING};
}

}  // namespace fiducia::decoder
