// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <map>
#include <optional>

#include "codec/codec.h"

/// DICOM files made in memory, byte by byte, for the tests of module codec.
namespace fiducia::test {

struct ImageFile {
  std::string_view transfer_syntax = dicom::uids::explicit_vr_little_endian;
  std::uint16_t rows = 1;
  std::uint16_t columns = 1;
  std::uint16_t samples = 1;
  std::uint16_t bits_allocated = 16;
  std::uint16_t bits_stored = 16;
  std::uint16_t high_bit = 15;
  std::uint16_t pixel_representation = 0;
  std::optional<std::uint16_t> planar_configuration = {};
  std::string photometric = "MONOCHROME2";
  std::string frames = {};       // Number of Frames, left out when empty
  dicom::Vr vr = dicom::vr::ow;  // of Pixel Data
  dicom::Tag pixel_tag = dicom::tags::pixel_data;
  Bytes value = {};                                  // native
  std::optional<std::vector<Bytes>> fragments = {};  // encapsulated, when present
  Bytes basic_offset_table = {};
  Bytes extended_offset_table = {};
  Bytes extended_offset_table_lengths = {};
  std::vector<dicom::Tag> left_out = {};  // attributes to leave out

  [[nodiscard]] Bytes bytes() const;
  /// Parsed; aborts when the reader refuses it.
  [[nodiscard]] dicom::File file() const;
};

/// Fragments of `stream`, cut at `cuts` (even offsets), the last one padded to even length.
[[nodiscard]] std::vector<Bytes> fragments_of(ByteView stream, std::vector<std::size_t> cuts = {});
/// All pieces one after the other.
[[nodiscard]] Bytes joined(std::span<const ByteView> pieces);
/// Offset table entries.
template <std::unsigned_integral T>
[[nodiscard]] Bytes table(std::initializer_list<T> entries) {
  Bytes out;
  for (const T entry : entries) append_le<T>(out, entry);
  return out;
}

/// The simplest correct RLE encoder, from PS3.5 Annex G: planes of `frame` (interleaved, little
/// endian, `bytes_per_sample` each) as literal and repeated runs, row by row.
[[nodiscard]] Bytes encode_rle(ByteView frame, std::uint32_t rows, std::uint32_t columns,
                               std::uint32_t samples, std::uint32_t bytes_per_sample);

}  // namespace fiducia::test
