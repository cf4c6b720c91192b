// SPDX-License-Identifier: Apache-2.0
// What codestreams say beside their samples. The first bytes choose transfer syntax and geometry.
// What must hold: nothing outside the bytes is read, and looking twice finds the same.
#include "codec/codec.h"
#include "target.h"

FIDUCIA_FUZZ_TARGET(codestream) {
  using namespace fiducia;
  if (size < 4) return 0;
  constexpr std::string_view syntaxes[] = {"1.2.840.10008.1.2.5",    "1.2.840.10008.1.2.4.50",
                                           "1.2.840.10008.1.2.4.51", "1.2.840.10008.1.2.4.70",
                                           "1.2.840.10008.1.2.4.80", "1.2.840.10008.1.2.4.90",
                                           "1.2.840.10008.1.2.4.202"};
  constexpr const char* terms[] = {"MONOCHROME2", "RGB", "YBR_FULL_422", "YBR_RCT"};
  codec::Geometry geometry;
  geometry.rows = 1U + data[1] % 64;
  geometry.columns = 1U + data[1] / 4;
  geometry.samples_per_pixel = data[2] % 4 == 0 ? 1 : 3;
  geometry.photometric_interpretation = terms[data[2] % 4];
  geometry.bits_allocated = data[3] % 2 == 0 ? 8 : 16;
  geometry.bits_stored = static_cast<std::uint16_t>(geometry.bits_allocated - data[3] % 5);
  geometry.high_bit = static_cast<std::uint16_t>(geometry.bits_stored - 1);
  if (data[3] >= 128) geometry.kind = codec::SampleKind::signed_integer;
  const dicom::TransferSyntax& syntax =
      *dicom::find_transfer_syntax(syntaxes[data[0] % std::size(syntaxes)]);
  const ByteView frame{reinterpret_cast<const std::byte*>(data) + 4, size - 4};
  const codec::Oddities found = codec::inspect_codestream(frame, syntax, geometry);
  FIDUCIA_ASSERT(found == codec::inspect_codestream(frame, syntax, geometry));
  return 0;
}
