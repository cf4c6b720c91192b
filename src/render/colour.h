// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "render/grey_scale.h"

namespace fiducia::render {

/// The colours of a PALETTE COLOR image (PS3.3 C.7.6.3.1.5), as 8-bit RGB.
class Palette {
 public:
  /// Absent when a table is missing or none. Reads segmented tables as well.
  [[nodiscard]] static std::optional<Palette> read(const dicom::DataSet& data_set,
                                                   const codec::Geometry& geometry);
  /// samples in `row` → RGB in `out` (three times as many).
  void render(ByteView row, std::span<std::uint8_t> out) const;

 private:
  explicit Palette(const codec::Geometry& geometry) : reader_(geometry) {}
  SampleReader reader_;
  LookupTable tables_[3];
};

/// Colour images of three samples a pixel.
class ColourSpace {
 public:
  /// `photometric_interpretation`: of the decoded samples. Absent for what has no rule here
  /// (ARGB, CMYK, HSV, XYB, floating samples).
  [[nodiscard]] static std::optional<ColourSpace> find(std::string_view photometric_interpretation,
                                                       const codec::Geometry& geometry);
  void render(ByteView row, std::span<std::uint8_t> out) const;
  [[nodiscard]] std::string_view rendering() const { return rendering_; }

 private:
  enum class Kind : std::uint8_t { rgb, full_range, partial_range };
  ColourSpace(Kind kind, const codec::Geometry& geometry, std::string_view rendering)
      : kind_(kind), reader_(geometry), rendering_(rendering) {}
  Kind kind_;
  SampleReader reader_;
  std::string_view rendering_;
};

}  // namespace fiducia::render
