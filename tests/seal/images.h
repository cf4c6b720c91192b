// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <random>

#include "support/dicom_builder.h"
#include "support/support.h"

/// Small images with everything in them that sealing has to tell apart.
namespace fiducia::test {

struct ImageShape {
  std::uint16_t rows = 100;
  std::uint16_t columns = 150;
  std::uint32_t frames = 3;
  std::uint16_t samples = 1;
  std::uint16_t bits_allocated = 16;
  std::uint16_t bits_stored = 12;
  bool is_signed = false;
  bool planar = false;
  [[nodiscard]] std::size_t frame_bytes() const {
    return std::size_t{rows} * columns * samples * (bits_allocated / 8U);
  }
};

/// A shape drawn at random: 8 or 16 bits, 1 or 3 samples, edges that tiles do not divide.
[[nodiscard]] ImageShape random_shape(std::mt19937_64& prng);

/// Pixel samples, interleaved, little endian, only Bits Stored used, no two tiles alike.
[[nodiscard]] Bytes random_samples(std::mt19937_64& prng, const ImageShape& shape);

/// A CT-like data set in ascending order with text in an 8-bit character set, numbers, nested
/// sequences, private blocks at top level and in an item, empty values, and these samples.
[[nodiscard]] DicomDataSet image_data_set(const ImageShape& shape, const Bytes& samples);

/// The element with this tag at top level; aborts when it is not there.
[[nodiscard]] DicomElement& element_of(DicomDataSet& data_set, dicom::Tag tag);

inline constexpr std::string_view explicit_le = "1.2.840.10008.1.2.1";
inline constexpr std::string_view implicit_le = "1.2.840.10008.1.2";
inline constexpr std::string_view explicit_be = "1.2.840.10008.1.2.2";
inline constexpr std::string_view deflated_le = "1.2.840.10008.1.2.1.99";

}  // namespace fiducia::test
