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

/// Which fragments are which frame.
struct Division {
  /// Index of the first fragment of each frame, then the number of fragments; so frame i is
  /// fragments [starts[i], starts[i + 1]). Its size is one more than the frames present.
  std::vector<std::uint32_t> starts;
  /// The tables do not fit the fragments or each other, so they were not used. A reader that
  /// believes them shows other frames, or none.
  bool tables_are_wrong = false;
};

/// The tables decide, where there are any and they agree with the fragments and with each other;
/// else one fragment a frame (empty ones not counted), all fragments for a single frame, or the
/// start markers of the codestreams. Anything else is refused, because another reader could divide
/// otherwise. Errors: malformed (kind "pixel_data"), over_limit.
[[nodiscard]] Result<Division> divide_fragments(const FragmentView& view, std::uint32_t frames,
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
