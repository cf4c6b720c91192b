// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "codec/codestream.h"

namespace fiducia::codec {

/// Decodes one frame of RLE Lossless (PS3.5 Annex G) into `out`, which has frame_bytes():
/// pixel-interleaved, little endian, 24-bit samples zero-extended. `scratch` is overwritten.
///
/// Exact: each segment must yield rows x columns bytes, no fewer; a run past them is refused.
/// Bytes after the last run of a segment (its pad byte, PS3.5 G.3.1) are not decoded.
/// Gives what inspect_codestream() would, found in the same walk.
/// Errors: codec_failed, unsupported (Bits Allocated 1).
[[nodiscard]] Result<Oddities> decode_rle(ByteView encoded, const Geometry& geometry,
                                          std::span<std::byte> out, Bytes& scratch);

}  // namespace fiducia::codec
