// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "codec/child.h"
#include "codec/codestream.h"
#include "codec/geometry.h"

namespace fiducia::codec {

/// One decoded frame: rows × columns × samples, pixel-interleaved, row-major, little-endian,
/// Geometry::sample_bytes() each. High bits are as the encoding carried them.
struct Frame {
  ByteView samples;  // borrowed from the file (native, nothing to convert) or from the reader
  bool borrowed_from_file = false;
  /// Whether this encoding carries bits outside Bits Stored (native, deflated, RLE: yes).
  bool carries_all_bits = true;
  /// Whether decoding lost nothing: known from the syntax, or from the codestream itself (J2K
  /// 5-3 with all passes, JPEG-LS NEAR 0).
  bool lossless = true;
  /// What the decoder made of the colours: "RGB" after a reversible or JPEG colour transform
  /// was undone, else the file's Photometric Interpretation.
  std::string photometric_interpretation;
  std::string decoder;  // "native", "rle", "libjpeg-turbo 2.1.5", ...
  /// What the frame says beside its samples that readers take differently.
  Oddities oddities = {};
};

/// Reads the frames of one file's pixel data, one at a time. Not thread-safe; one a worker.
///
/// Native YBR_*_422 (two luminance samples, one Cb, one Cr for two pixels) comes out with three
/// samples a pixel, the chrominance repeated for both: exact both ways. Video is one frame, the
/// whole stream. How fragments divide and where codestreams end: codec/fragments.h, README.md.
class FrameReader {
 public:
  /// `file` and `child` must outlive the reader. `child` may be null: then encodings that need
  /// it answer codec_missing. Where the file names no transfer syntax (a bare data set with
  /// fragments), `unnamed` is taken for it, if any; it must outlive the reader. Errors: those of
  /// read_geometry; malformed (kind "pixel_data"), when there is no pixel data, or fragments do not
  /// divide into frames. `geometry`: what read_geometry says of the file, for who has asked before.
  [[nodiscard]] static Result<FrameReader> open(const dicom::File& file, CodecChild* child,
                                                const dicom::TransferSyntax* unnamed = nullptr,
                                                const Geometry* geometry = nullptr);

  /// What the frames are read by: the file's, or `unnamed`.
  [[nodiscard]] const dicom::TransferSyntax& transfer_syntax() const;

  [[nodiscard]] const Geometry& geometry() const;
  /// Frames that are really there: may be fewer than geometry().frames when the value is short,
  /// never more.
  [[nodiscard]] std::uint32_t frames_present() const;
  /// Bytes of a native value past the last frame and its pad byte; empty otherwise.
  [[nodiscard]] ByteView excess() const;
  [[nodiscard]] bool is_encapsulated() const;
  /// Pieces of the encoded frame in order, trailing padding after the end of the codestream cut
  /// off (spec/seal.md). Only when is_encapsulated(). Borrowed from the file.
  [[nodiscard]] std::vector<ByteView> encoded(std::uint32_t frame) const;
  /// What can be seen without decoding of the oddities that a decoded Frame has: for frames that
  /// do not decode.
  [[nodiscard]] Oddities oddities(std::uint32_t frame) const;
  /// The same for Pixel Data as a whole: its form, its offset tables.
  [[nodiscard]] Oddities form_oddities() const;
  /// Decodes a frame (index from 0); valid until the next call. Takes what it costs from the
  /// file's budget. Errors: codec_missing, codec_failed, unsupported, truncated, over_limit.
  [[nodiscard]] Result<Frame> read(std::uint32_t frame);
  /// Takes from the file's budget what reading the frame costs: for who looks at one that was read
  /// for somebody else. Errors: over_limit.
  [[nodiscard]] Status pay_again(std::uint32_t frame) const;
  /// What reading all frames once takes from the budget.
  [[nodiscard]] std::uint64_t work() const;
  /// Whether the frames are JPEG of 8 bits with three samples that the header calls YBR_*, so
  /// that decoders may give other renditions.
  [[nodiscard]] bool has_renditions() const;
  /// As read(); read_again() will be called for the frame. Only when has_renditions().
  [[nodiscard]] Result<Frame> read_first(std::uint32_t frame);
  /// The frame read last, by read_first(), as another decoder gives it. Its samples only. Errors:
  /// as read(); codec_failed when the codestream has no YCbCr colours.
  [[nodiscard]] Result<Frame> read_again(Rendition rendition);

  FrameReader(FrameReader&&) noexcept;
  FrameReader& operator=(FrameReader&&) noexcept;
  ~FrameReader();

 private:
  struct State;
  Result<Frame> read(std::uint32_t frame, bool renditions_follow);
  explicit FrameReader(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace fiducia::codec
