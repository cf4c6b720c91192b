// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <optional>
#include <span>
#include <vector>

#include "codec/geometry.h"

namespace fiducia::codec {

/// What the tables and the fragments of encapsulated Pixel Data say (PS3.5 section A.4).
struct FragmentView {
  std::span<const ByteView> fragments;
  std::span<const std::uint64_t> offsets;  // of item tags, from the end of the Basic Offset Table
  ByteView basic_offset_table;             // u32 each; empty: none
  ByteView extended_offset_table;          // u64 each; empty: none
  ByteView extended_offset_table_lengths;  // u64 each; empty: none
};

/// Index of the first fragment of each frame, then the number of fragments; so frame i is
/// fragments [starts[i], starts[i + 1]). Its size is one more than the frames present.
///
/// The tables, where there are any, must agree with the fragments and with each other; without
/// them one fragment a frame, all fragments for a single frame, or the start markers of the
/// codestreams decide. Anything else is refused, because another reader could divide otherwise.
/// Errors: malformed (kind "pixel_data").
[[nodiscard]] Result<std::vector<std::uint32_t>> divide_fragments(const FragmentView& view,
                                                                  std::uint32_t frames,
                                                                  dicom::PixelEncoding encoding);

/// `fragments` without what follows the end of the codestream, empty pieces left out.
///
/// JPEG family and JPEG 2000 family: bytes 00 and FF after the last marker FFD9 (EOI, EOC) are
/// cut; when, looking from the end over 00 and FF, that marker is not met, nothing is cut. Other
/// encodings: nothing is cut, as their streams do not mark their end. The concatenation of the
/// pieces depends on the concatenation of the fragments only.
[[nodiscard]] std::vector<ByteView> codestream_pieces(std::span<const ByteView> fragments,
                                                      dicom::PixelEncoding encoding);

}  // namespace fiducia::codec
