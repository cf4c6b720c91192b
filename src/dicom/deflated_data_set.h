// SPDX-License-Identifier: Apache-2.0
#pragma once
// Inside of module dicom: the raw deflate stream (RFC 1951) of deflated transfer syntaxes (PS3.5
// section A.5).
#include <algorithm>

#include "core/core.h"

namespace fiducia::dicom {

struct InflatedDataSet {
  Bytes bytes;
  std::size_t bytes_after = 0;  // input past the end of the stream, to be ignored (PS3.5 A.5)
  /// Whether these are more than one zero behind nothing, or behind CRC-32 and length as gzip
  /// writes them (RFC 1952 2.3.1), which GDCM does.
  bool surplus = false;
};

/// How many bytes a data set of `deflated_bytes` may inflate to: limits::inflate_free_bytes always,
/// past them limits::inflate_ratio_max for each byte, limits::inflated_bytes_max never exceeded.
[[nodiscard]] constexpr std::uint64_t inflated_bytes_allowed(std::uint64_t deflated_bytes) {
  const std::uint64_t by_ratio =
      deflated_bytes > limits::inflated_bytes_max / limits::inflate_ratio_max
          ? limits::inflated_bytes_max
          : deflated_bytes * limits::inflate_ratio_max;
  return std::min(std::max(limits::inflate_free_bytes, by_ratio), limits::inflated_bytes_max);
}

/// Inflates a data set. `origin` is the offset of bytes[0] in the file.
/// Errors: truncated; malformed (kind "deflate"); over_limit.
[[nodiscard]] Result<InflatedDataSet> inflate_data_set(ByteView bytes, std::uint64_t origin);

/// Deflates a data set, padded with one 00 to even length.
[[nodiscard]] Bytes deflate_data_set(std::span<const ByteView> parts);

}  // namespace fiducia::dicom
