// SPDX-License-Identifier: Apache-2.0
#pragma once
// Inside of module dicom: the raw deflate stream (RFC 1951) of deflated transfer syntaxes.
#include "core/core.h"

namespace fiducia::dicom {

struct Inflated {
  Bytes bytes;
  std::size_t bytes_after = 0;  // input past the end of the stream, to be ignored (PS3.5 A.5)
  /// Whether these are more than one zero behind nothing, or behind CRC-32 and length as gzip
  /// writes them (RFC 1952 2.3.1), which GDCM does.
  bool surplus = false;
};

/// Inflates a raw deflate stream. Memory stays within the limits whatever the input claims:
/// output past limits::inflate_free_bytes may be limits::inflate_ratio_max times the input, and
/// never more than limits::inflated_bytes_max.
/// `origin` is the offset of bytes[0] in the file.
/// Errors: truncated; malformed (kind "deflate"); over_limit.
[[nodiscard]] Result<Inflated> inflate_raw(ByteView bytes, std::uint64_t origin);

/// Deflates to a raw stream, padded with one 00 to even length.
[[nodiscard]] Result<Bytes> deflate_raw(std::span<const ByteView> parts);

}  // namespace fiducia::dicom
