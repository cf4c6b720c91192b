// SPDX-License-Identifier: Apache-2.0
// Each decoder of fiducia-codec in this process, without its sandbox. The first bytes choose
// codec and geometry. Decoding is a function: a second run gives the same bytes or refuses too,
// also where the other renditions of a colour JPEG follow.
#include "decoder.h"
#include "target.h"

FIDUCIA_FUZZ_TARGET(codec_decoders) {
  using namespace fiducia;
  if (size < 8) return 0;
  constexpr dicom::PixelEncoding encodings[] = {
      dicom::PixelEncoding::jpeg_baseline, dicom::PixelEncoding::jpeg_extended,
      dicom::PixelEncoding::jpeg_lossless, dicom::PixelEncoding::jpeg_ls,
      dicom::PixelEncoding::jpeg_2000,     dicom::PixelEncoding::htj2k,
      dicom::PixelEncoding::jpeg_xl};
  constexpr std::uint16_t allocated[] = {8, 16, 32};
  codec::Geometry geometry;
  const auto encoding = encodings[data[0] % std::size(encodings)];
  geometry.bits_allocated = allocated[data[1] % 3];
  geometry.bits_stored = static_cast<std::uint16_t>(1 + data[2] % geometry.bits_allocated);
  geometry.high_bit = static_cast<std::uint16_t>(
      geometry.bits_stored - 1 + data[3] % (geometry.bits_allocated - geometry.bits_stored + 1));
  geometry.samples_per_pixel = static_cast<std::uint16_t>(1 + data[4] % 4);
  geometry.rows = 1U + data[5] % 128;
  geometry.columns = 1U + data[6] % 128;
  geometry.kind =
      data[7] % 2 == 0 ? codec::SampleKind::unsigned_integer : codec::SampleKind::signed_integer;
  geometry.photometric_interpretation = data[7] % 3 == 0   ? "YBR_RCT"
                                        : data[7] % 3 == 1 ? "YBR_FULL_422"
                                                           : "RGB";
  const ByteView codestream{reinterpret_cast<const std::byte*>(data) + 8, size - 8};
  Bytes out(static_cast<std::size_t>(geometry.frame_bytes()));
  decoder::Decoder decoder;
  const auto first = decoder.decode(encoding, codestream, geometry, out);
  Bytes again(out.size());
  const auto second = decoder.decode_first(encoding, codestream, geometry, again);
  FIDUCIA_ASSERT(first.has_value() == second.has_value());
  if (!first) return 0;
  FIDUCIA_ASSERT(same_bytes(out, again));
  FIDUCIA_ASSERT(first->photometric_interpretation == second->photometric_interpretation);
  for (std::uint8_t n = 1; n < codec::rendition_count; ++n)
    static_cast<void>(
        decoder.decode_next(encoding, codestream, geometry, codec::Rendition{n}, again));
  return 0;
}
