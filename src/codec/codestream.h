// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "codec/geometry.h"

namespace fiducia::codec {

/// What the encoded form of a frame says beside its samples, and common readers take differently.
/// The numbers are those of spec/seal.md ("One reading"): append, never renumber.
enum class Oddity : std::uint8_t {
  rle_no_operation = 50,      // control byte 80: nothing, or a run of 129
  rle_surplus = 51,           // bytes that no run of a segment needs
  bytes_around = 52,          // bytes before or after the codestream
  several_images = 53,        // a second image in one frame
  jpeg_process = 54,          // not the process that the transfer syntax names
  jpeg_colour = 55,           // the codestream's word on its colours against the header's
  jpeg_orientation = 56,      // Exif: turned or mirrored
  jp2_boxes = 57,             // JPEG 2000 in the boxes of a file format
  jpeg_2000_samples = 58,     // sign or precision against Pixel Representation and Bits Stored
  jpeg_2000_colour = 59,      // component transform against Photometric Interpretation
  jpeg_2000_extension = 60,   // markers of Part 2: other transforms, curves
  jpeg_ls_samples = 61,       // a colour transform, or loss where the transfer syntax says none
  jpeg_xl_presentation = 62,  // orientation, crops, extra channels, profile, preview, animation
  signs_not_extended = 63,    // negative samples whose upper bits are zero
  ybr_422_full = 64,          // YBR_FULL_422 with three samples a pixel
  ybr_422_planar = 65,        // YBR_FULL_422 with Planar Configuration 1
  offset_table = 66,          // offset tables that do not fit the fragments
  frames_differ = 67,         // frames or samples of different precision or interleaving
  rle_fragments = 68,         // an RLE frame in several fragments
  container = 69,             // fewer bits in the codestream than the header makes room for
};
inline constexpr std::uint8_t oddity_first = 50;
inline constexpr std::uint8_t oddity_last = 69;

/// A set of them.
class Oddities {
 public:
  constexpr Oddities() = default;
  constexpr Oddities(Oddity oddity) { add(oddity); }  // NOLINT(google-explicit-constructor)
  constexpr void add(Oddity oddity) { bits_ |= bit(oddity); }
  constexpr void add(Oddities others) { bits_ |= others.bits_; }
  [[nodiscard]] constexpr bool has(Oddity oddity) const { return (bits_ & bit(oddity)) != 0; }
  [[nodiscard]] constexpr bool empty() const { return bits_ == 0; }
  /// As a number, for the protocol with the child; from a number, unknown ones left out.
  [[nodiscard]] constexpr std::uint32_t bits() const { return bits_; }
  [[nodiscard]] static constexpr Oddities of_bits(std::uint32_t bits) {
    Oddities out;
    out.bits_ = bits & ((std::uint32_t{1} << (oddity_last - oddity_first + 1)) - 1);
    return out;
  }
  bool operator==(const Oddities&) const = default;

 private:
  static constexpr std::uint32_t bit(Oddity oddity) {
    return std::uint32_t{1} << (static_cast<std::uint8_t>(oddity) - oddity_first);
  }
  std::uint32_t bits_ = 0;
};
static_assert(oddity_last - oddity_first < 32);

/// What readers make of it, for people; begins with a small letter, ends without a full stop.
[[nodiscard]] std::string_view to_sentence(Oddity oddity);

/// Looks at one encoded frame, its fragments joined, as the file has it (padding included). Reads
/// headers and the borders of the entropy-coded data, never samples. A codestream that it cannot
/// follow has what was found up to there: whether it decodes is for the decoder to say.
///
/// Not seen here, but where samples are decoded: jpeg_xl_presentation, signs_not_extended; nor
/// what belongs to the whole of Pixel Data: ybr_422_*, offset_table, frames_differ, rle_fragments.
[[nodiscard]] Oddities inspect_codestream(ByteView frame, const dicom::TransferSyntax& syntax,
                                          const Geometry& geometry);

/// How a codestream of the JPEG and JPEG 2000 families lays its samples down, as bytes to compare:
/// precision, then in JPEG-LS the interleave mode, in JPEG 2000 whether samples differ in
/// precision. Absent where the headers do not say it in `frame`. Readers take the first frame's for
/// all.
[[nodiscard]] std::optional<std::array<std::uint8_t, 2>> sample_form(ByteView frame,
                                                                     dicom::PixelEncoding encoding);

}  // namespace fiducia::codec
