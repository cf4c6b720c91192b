// SPDX-License-Identifier: Apache-2.0
// Each decoder of fiducia-codec in this process, without its sandbox. The first bytes choose
// codec and geometry. Decoding is a function: a second run gives the same bytes or refuses too.
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
  geometry.photometric_interpretation = data[7] % 3 == 0 ? "YBR_RCT" : "RGB";
  const ByteView codestream{reinterpret_cast<const std::byte*>(data) + 8, size - 8};
  Bytes out(static_cast<std::size_t>(geometry.frame_bytes()));
  const auto first = decoder::decode(encoding, codestream, geometry, out);
  Bytes again(out.size());
  const auto second = decoder::decode(encoding, codestream, geometry, again);
  FIDUCIA_ASSERT(first.has_value() == second.has_value());
  if (first) FIDUCIA_ASSERT(same_bytes(out, again));
  return 0;
}
