// SPDX-License-Identifier: Apache-2.0
#include "render/scale.h"

#include <algorithm>
#include <cmath>

namespace fiducia::render {

AreaScaler::AreaScaler(std::uint32_t width, std::uint32_t height, std::uint32_t channels,
                       std::uint32_t side_max)
    : width_(width), height_(height), channels_(channels) {
  FIDUCIA_ASSERT(width > 0 && height > 0 && side_max > 0);
  const std::uint32_t side = std::max(width, height);
  const auto shrunk = [&](std::uint32_t extent) {
    if (side <= side_max) return extent;
    const double exact = static_cast<double>(extent) * side_max / side;
    return std::max<std::uint32_t>(1, static_cast<std::uint32_t>(std::lround(exact)));
  };
  out_width_ = shrunk(width);
  out_height_ = shrunk(height);
  row_.resize(std::size_t{out_width_} * channels_);
  sums_.resize(row_.size());
  out_.reserve(row_.size() * out_height_);
}

void AreaScaler::add_row(std::span<const std::uint8_t> row) {
  FIDUCIA_ASSERT(row.size() == std::size_t{width_} * channels_ && next_row_ < height_);
  if (out_width_ == width_ && out_height_ == height_) {
    append(out_, std::as_bytes(row));
    ++next_row_;
    return;
  }
  shrink_row(row);
  // In units of 1/out_height_ of a row: this row covers [begin, end), an output row `height_`.
  const std::uint64_t begin = std::uint64_t{next_row_} * out_height_;
  const std::uint64_t end = begin + out_height_;
  const std::uint64_t border = (out_rows_ + 1) * std::uint64_t{height_};
  const auto add = [&](std::uint64_t weight) {
    const float share = static_cast<float>(weight) / static_cast<float>(height_);
    for (std::size_t i = 0; i < row_.size(); ++i) sums_[i] += row_[i] * share;
  };
  if (end < border) {
    add(out_height_);
  } else {
    add(border - begin);
    finish_row();
    if (end > border) add(end - border);
  }
  ++next_row_;
}

/// Means of the areas of one row, in row_. An output pixel is never narrower than an input one.
void AreaScaler::shrink_row(std::span<const std::uint8_t> row) {
  std::fill(row_.begin(), row_.end(), 0.0F);
  std::uint64_t x_out = 0;
  for (std::uint64_t x = 0; x < width_; ++x) {
    const std::uint64_t begin = x * out_width_;
    const std::uint64_t end = begin + out_width_;
    const std::uint64_t border = (x_out + 1) * width_;
    const std::uint64_t here = std::min(end, border) - begin;
    for (std::uint32_t c = 0; c < channels_; ++c) {
      const float value = row[x * channels_ + c];
      row_[x_out * channels_ + c] += value * static_cast<float>(here);
      if (end > border) {
        row_[(x_out + 1) * channels_ + c] += value * static_cast<float>(end - border);
      }
    }
    if (end >= border) ++x_out;
  }
  for (float& value : row_) value /= static_cast<float>(width_);
}

void AreaScaler::finish_row() {
  for (float& sum : sums_) {
    out_.push_back(static_cast<std::byte>(std::clamp(std::lround(sum), 0L, 255L)));
    sum = 0;
  }
  ++out_rows_;
}

Bytes AreaScaler::take() {
  FIDUCIA_ASSERT(next_row_ == height_ &&
                 out_.size() == std::size_t{out_width_} * out_height_ * channels_);
  return std::move(out_);
}

Picture scaled_down(const Picture& picture, std::uint32_t side_max) {
  const std::uint32_t channels = picture.colour ? 3 : 1;
  const std::uint64_t row_bytes = std::uint64_t{picture.width} * channels;
  if (side_max == 0 || picture.width == 0 || picture.height == 0 ||
      picture.samples.size() / row_bytes != picture.height) {
    return picture;
  }
  AreaScaler scaler(picture.width, picture.height, channels, side_max);
  for (std::uint64_t y = 0; y < picture.height; ++y) {
    scaler.add_row({reinterpret_cast<const std::uint8_t*>(picture.samples.data()) + y * row_bytes,
                    static_cast<std::size_t>(row_bytes)});
  }
  Picture out{.frame = picture.frame,
              .width = scaler.out_width(),
              .height = scaler.out_height(),
              .colour = picture.colour,
              .samples = scaler.take(),
              .frame_width = picture.frame_width != 0 ? picture.frame_width : picture.width,
              .frame_height = picture.frame_height != 0 ? picture.frame_height : picture.height,
              .part = picture.part,
              .rendering = picture.rendering};
  return out;
}

}  // namespace fiducia::render
