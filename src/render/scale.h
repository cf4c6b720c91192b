// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "core/core.h"
#include "render/picture.h"

namespace fiducia::render {

/// Scales 8-bit rows down while they arrive, each output sample the mean of the area it stands
/// for, so that a whole-slide frame costs the memory of its small picture. Never scales up.
class AreaScaler {
 public:
  /// All above zero. The longer side becomes at most `side_max`.
  AreaScaler(std::uint32_t width, std::uint32_t height, std::uint32_t channels,
             std::uint32_t side_max);
  /// width × channels samples; exactly `height` times.
  void add_row(std::span<const std::uint8_t> row);
  [[nodiscard]] std::uint32_t out_width() const { return out_width_; }
  [[nodiscard]] std::uint32_t out_height() const { return out_height_; }
  /// After the last row: out_width × out_height × channels.
  [[nodiscard]] Bytes take();

 private:
  void shrink_row(std::span<const std::uint8_t> row);
  void finish_row();

  std::uint32_t width_;
  std::uint32_t height_;
  std::uint32_t channels_;
  std::uint32_t out_width_ = 0;
  std::uint32_t out_height_ = 0;
  std::uint32_t next_row_ = 0;
  std::uint64_t out_rows_ = 0;
  std::vector<float> row_;   // one input row, narrowed
  std::vector<float> sums_;  // the output row under way
  Bytes out_;
};

}  // namespace fiducia::render
