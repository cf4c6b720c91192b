// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "codec/geometry.h"
#include "render/lookup_table.h"

namespace fiducia::render {

/// Reads sample values out of decoded frames: only the Bits Stored, sign-extended (PS3.5 8.1.1),
/// or IEEE numbers.
class SampleReader {
 public:
  explicit SampleReader(const codec::Geometry& geometry);
  [[nodiscard]] bool is_floating() const { return floating_; }
  [[nodiscard]] unsigned bits_stored() const { return bits_stored_; }
  [[nodiscard]] bool is_signed() const { return signed_; }
  [[nodiscard]] std::uint32_t sample_bytes() const { return bytes_; }
  /// The bits of the sample at `p`, shifted down, not yet sign-extended: 0 .. 2^bits_stored - 1.
  [[nodiscard]] std::uint64_t stored_bits(const std::byte* p) const;
  /// The integer that stored bits stand for.
  [[nodiscard]] std::int64_t integer(std::uint64_t stored) const;
  /// The value at `p`; NaN is possible for floating samples only.
  [[nodiscard]] double value(const std::byte* p) const;

 private:
  std::uint32_t bytes_;
  unsigned bits_stored_;
  unsigned shift_;
  bool signed_;
  bool floating_;
};

/// A window of PS3.3 C.11.2.1.2 and C.11.2.1.3.
struct Window {
  enum class Function : std::uint8_t { linear, linear_exact, sigmoid };
  double center = 0;
  double width = 1;
  Function function = Function::linear;
  /// Finite, and wide enough for its function.
  [[nodiscard]] bool is_usable() const;
  /// 0 (black) .. 1 (white). Only for usable windows.
  [[nodiscard]] double map(double value) const;
};

/// How one frame's stored values become 8-bit grey: Modality LUT or rescale, then VOI LUT or
/// window, of the frame's functional groups where there are any, then inversion.
class GreyScale {
 public:
  /// `samples`: the frame, for spreading grey levels where the file names no window.
  [[nodiscard]] static GreyScale read(const dicom::DataSet& data_set,
                                      const codec::Geometry& geometry, std::uint32_t frame,
                                      ByteView samples);
  /// samples in `row` → 8 bits in `out` (same count).
  void render(ByteView row, std::span<std::uint8_t> out) const;
  /// How it was done, as a sentence without any attribute value.
  [[nodiscard]] const std::string& rendering() const { return rendering_; }

 private:
  explicit GreyScale(const codec::Geometry& geometry) : reader_(geometry) {}
  void choose_presentation(const dicom::DataSet& data_set, const codec::Geometry& geometry,
                           std::uint32_t frame, ByteView samples);
  void spread(const dicom::DataSet& data_set, ByteView samples);
  [[nodiscard]] double after_modality(double stored) const;
  [[nodiscard]] std::uint8_t grey(double stored) const;

  SampleReader reader_;
  std::optional<LookupTable> modality_;
  double slope_ = 1;
  double intercept_ = 0;
  std::optional<LookupTable> voi_;
  double voi_max_ = 1;  // what its white is
  std::optional<Window> window_;
  double low_ = 0;  // black and white where there is neither
  double high_ = 1;
  bool inverted_ = false;
  std::string rendering_;
  std::vector<std::uint8_t> table_;  // by stored bits, where there are at most 16 of them
};

}  // namespace fiducia::render
