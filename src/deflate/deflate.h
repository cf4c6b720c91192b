// SPDX-License-Identifier: Apache-2.0
#pragma once
// The front of module deflate: the only door of zlib.
#include <cstdint>
#include <span>

#include "core/core.h"

/// Deflate streams (RFC 1951) in their three wrappings, inflated within the memory that the caller
/// allows.
namespace fiducia::deflate {

enum class Form : std::uint8_t {
  raw,   // RFC 1951: deflated transfer syntaxes and frames
  zlib,  // RFC 1950: PNG
  gzip,  // RFC 1952: content coding of HTTP
};

struct InflateOptions {
  Form form = Form::raw;
  /// The most that may come out, in bytes. Exactly as many still pass.
  std::uint64_t bytes_max = 0;
  /// What will come out, where it is known: saves growing. Only a hint.
  std::uint64_t bytes_expected = 0;
  /// The offset of the first byte in its file, for errors.
  std::uint64_t origin = 0;
};

struct Inflated {
  Bytes bytes;
  std::size_t bytes_after = 0;  // input behind the end of the stream
};

/// Inflates the stream that `bytes` begin with. Takes memory for what comes out, and never for more
/// than `bytes_max`, whatever the input claims.
/// Errors: truncated (the bytes end before the stream does); malformed (kind "deflate" or "gzip");
/// over_limit (more than `bytes_max`).
[[nodiscard]] Result<Inflated> inflate(ByteView bytes, const InflateOptions& options);

/// Deflates the concatenation of `parts`; equal bytes give equal streams, however they are cut.
[[nodiscard]] Bytes deflate(std::span<const ByteView> parts, Form form);
[[nodiscard]] inline Bytes deflate(ByteView bytes, Form form) { return deflate({&bytes, 1}, form); }

/// CRC-32 of RFC 1952 section 8, which PNG has as well.
[[nodiscard]] std::uint32_t crc_32(ByteView bytes);

}  // namespace fiducia::deflate
