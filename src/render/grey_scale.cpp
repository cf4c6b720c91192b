// SPDX-License-Identifier: Apache-2.0
#include "render/grey_scale.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace fiducia::render {
namespace {

using dicom::Tag;
constexpr Tag pixel_padding_value{0x0028, 0x0120};
constexpr Tag pixel_padding_range_limit{0x0028, 0x0121};
constexpr Tag window_center{0x0028, 0x1050};
constexpr Tag window_width{0x0028, 0x1051};
constexpr Tag rescale_intercept{0x0028, 0x1052};
constexpr Tag rescale_slope{0x0028, 0x1053};
constexpr Tag voi_lut_function{0x0028, 0x1056};
constexpr Tag modality_lut_sequence{0x0028, 0x3000};
constexpr Tag lut_descriptor{0x0028, 0x3002};
constexpr Tag lut_data{0x0028, 0x3006};
constexpr Tag voi_lut_sequence{0x0028, 0x3010};
constexpr Tag frame_voi_lut_sequence{0x0028, 0x9132};
constexpr Tag pixel_value_transformation_sequence{0x0028, 0x9145};
constexpr Tag shared_functional_groups_sequence{0x5200, 0x9229};
constexpr Tag per_frame_functional_groups_sequence{0x5200, 0x9230};

/// Stored values of more bits are rendered one by one instead of through a table.
constexpr unsigned table_bits_max = 16;
/// Values looked at to spread grey levels of such frames.
constexpr std::size_t spread_values_max = 1'000'000;
/// Share of values that may be blacker than black, and as many whiter than white.
constexpr double spread_share = 0.005;
/// Larger magnitudes come from hostile slopes only; a LUT's input must fit an integer.
constexpr double value_max = 1e15;

/// The functional group `sequence` of a frame: its own, or else the shared one (PS3.3 C.7.6.16).
std::optional<Scope> find_group(const Scope& top, Tag sequence, std::uint32_t frame) {
  if (const auto own = top.find_item(per_frame_functional_groups_sequence, frame)) {
    if (const auto group = own->find_item(sequence, 0)) return group;
  }
  if (const auto shared = top.find_item(shared_functional_groups_sequence, 0)) {
    return shared->find_item(sequence, 0);
  }
  return std::nullopt;
}

std::optional<Window> read_window(const Scope& scope) {
  const auto center = scope.find_number(window_center);
  const auto width = scope.find_number(window_width);
  if (!center || !width) return std::nullopt;
  const std::string function = scope.find_text(voi_lut_function);
  return Window{.center = *center,
                .width = *width,
                .function = function == "SIGMOID"        ? Window::Function::sigmoid
                            : function == "LINEAR_EXACT" ? Window::Function::linear_exact
                                                         : Window::Function::linear};
}

/// Stored values that stand for "no pixel" (PS3.3 C.7.5.1.1.2): from first to last.
struct Padding {
  std::int64_t first;
  std::int64_t last;
};
std::optional<Padding> read_padding(const Scope& top, const SampleReader& reader) {
  const auto value = [&](Tag tag) -> std::optional<std::int64_t> {
    const std::vector<std::uint16_t> words = top.find_words(tag, 1);
    if (words.empty()) return std::nullopt;
    if (reader.is_signed()) return static_cast<std::int16_t>(words[0]);
    return words[0];
  };
  const auto padding = value(pixel_padding_value);
  if (!padding) return std::nullopt;
  const std::int64_t limit = value(pixel_padding_range_limit).value_or(*padding);
  return Padding{.first = std::min(*padding, limit), .last = std::max(*padding, limit)};
}

std::uint8_t to_grey(double share) {
  if (!(share > 0)) return 0;  // NaN as well
  return share >= 1 ? 255 : static_cast<std::uint8_t>(std::lround(share * 255));
}

}  // namespace

SampleReader::SampleReader(const codec::Geometry& geometry)
    : bytes_(geometry.sample_bytes()),
      bits_stored_(geometry.bits_stored),
      shift_(0),
      signed_(geometry.kind == codec::SampleKind::signed_integer),
      floating_(geometry.kind == codec::SampleKind::floating) {
  const unsigned bits = bytes_ * 8;
  if (bits_stored_ == 0 || bits_stored_ > bits) bits_stored_ = bits;
  if (geometry.high_bit + 1U > bits_stored_) shift_ = geometry.high_bit + 1U - bits_stored_;
  if (shift_ > bits - bits_stored_) shift_ = 0;
}

std::uint64_t SampleReader::stored_bits(const std::byte* p) const {
  const std::uint64_t raw = bytes_ == 1   ? std::to_integer<std::uint64_t>(*p)
                            : bytes_ == 2 ? load_le<std::uint16_t>(p)
                            : bytes_ == 4 ? load_le<std::uint32_t>(p)
                                          : load_le<std::uint64_t>(p);
  const std::uint64_t shifted = raw >> shift_;
  return bits_stored_ >= 64 ? shifted : shifted & ((std::uint64_t{1} << bits_stored_) - 1);
}

std::int64_t SampleReader::integer(std::uint64_t stored) const {
  if (!signed_ || bits_stored_ >= 64) return static_cast<std::int64_t>(stored);
  const std::uint64_t sign = std::uint64_t{1} << (bits_stored_ - 1);
  return static_cast<std::int64_t>((stored ^ sign) - sign);
}

double SampleReader::value(const std::byte* p) const {
  if (!floating_) return static_cast<double>(integer(stored_bits(p)));
  return bytes_ == 4 ? static_cast<double>(std::bit_cast<float>(load_le<std::uint32_t>(p)))
                     : std::bit_cast<double>(load_le<std::uint64_t>(p));
}

bool Window::is_usable() const {
  if (!std::isfinite(center) || !std::isfinite(width)) return false;
  return function == Function::linear ? width >= 1 : width > 0;
}

double Window::map(double value) const {
  switch (function) {
    case Function::linear:
      if (width <= 1) return value > center - 0.5 ? 1 : 0;
      return (value - (center - 0.5)) / (width - 1) + 0.5;
    case Function::linear_exact:
      return (value - center) / width + 0.5;
    case Function::sigmoid:
      return 1 / (1 + std::exp(-4 * (value - center) / width));
  }
  return 0;
}

GreyScale GreyScale::read(const dicom::DataSet& data_set, const codec::Geometry& geometry,
                          std::uint32_t frame, ByteView samples) {
  GreyScale scale{geometry};
  scale.inverted_ = geometry.photometric_interpretation == "MONOCHROME1";
  scale.choose_presentation(data_set, geometry, frame, samples);
  if (scale.inverted_) scale.rendering_ += " Low values are bright (MONOCHROME1).";
  if (scale.reader_.is_floating() || scale.reader_.bits_stored() > table_bits_max) return scale;
  scale.table_.resize(std::size_t{1} << scale.reader_.bits_stored());
  for (std::size_t stored = 0; stored < scale.table_.size(); ++stored) {
    scale.table_[stored] = scale.grey(static_cast<double>(scale.reader_.integer(stored)));
  }
  return scale;
}

void GreyScale::choose_presentation(const dicom::DataSet& data_set, const codec::Geometry& geometry,
                                    std::uint32_t frame, ByteView samples) {
  if (geometry.bits_allocated == 1) {
    rendering_ = "One bit a pixel: 0 is black, 1 is white.";
    return;  // low_ 0, high_ 1
  }
  const Scope top{data_set};
  if (!reader_.is_floating()) {
    const auto group = find_group(top, pixel_value_transformation_sequence, frame);
    const Scope& rescaled = group ? *group : top;
    if (const auto item = top.find_item(modality_lut_sequence, 0)) {
      modality_ = read_lookup_table(*item, lut_descriptor, lut_data, reader_.is_signed());
    }
    slope_ = rescaled.find_number(rescale_slope).value_or(1);
    intercept_ = rescaled.find_number(rescale_intercept).value_or(0);
    if (slope_ == 0) slope_ = 1;  // would make every pixel the same
  }

  const auto group = find_group(top, frame_voi_lut_sequence, frame);
  if (!group) {
    if (const auto item = top.find_item(voi_lut_sequence, 0)) {
      voi_ = read_lookup_table(*item, lut_descriptor, lut_data, reader_.is_signed());
    }
    if (voi_) {
      voi_max_ = voi_->output_max();
      rendering_ = "Grey levels: the file's VOI lookup table.";
      return;
    }
  }
  const auto window = read_window(group ? *group : top);
  if (window && window->is_usable()) {
    window_ = window;
    rendering_ = "Grey levels: the file's window.";
    return;
  }
  const bool is_plain = !window && !modality_ && slope_ == 1 && intercept_ == 0;
  if (is_plain && !reader_.is_floating() && !reader_.is_signed() && reader_.bits_stored() <= 8) {
    high_ = static_cast<double>((1U << reader_.bits_stored()) - 1);
    rendering_ = "Grey levels: as stored.";
    return;
  }
  spread(data_set, samples);
  rendering_ = window ? "The file's window cannot be used; grey levels are spread over the values "
                        "of this frame."
                      : "The file names no window; grey levels are spread over the values of this "
                        "frame.";
}

/// Black and white from the values there are, a small share on both sides left out, so that a
/// few extreme pixels do not make all others alike.
void GreyScale::spread(const dicom::DataSet& data_set, ByteView samples) {
  const std::size_t bytes = reader_.sample_bytes();
  const std::size_t count = samples.size() / bytes;
  const std::size_t stride = std::max<std::size_t>(1, count / spread_values_max);
  const auto padding =
      reader_.is_floating() ? std::nullopt : read_padding(Scope{data_set}, reader_);
  std::vector<double> values;
  values.reserve(count / stride + 1);
  for (std::size_t i = 0; i < count; i += stride) {
    const double value = reader_.value(samples.data() + i * bytes);
    if (!std::isfinite(value)) continue;
    if (padding && value >= static_cast<double>(padding->first) &&
        value <= static_cast<double>(padding->last)) {
      continue;
    }
    values.push_back(after_modality(value));
  }
  if (values.empty()) return;
  const auto at = [&](std::size_t rank) {
    std::ranges::nth_element(values, values.begin() + static_cast<std::ptrdiff_t>(rank));
    return values[rank];
  };
  const auto left_out = static_cast<std::size_t>(spread_share * static_cast<double>(values.size()));
  low_ = at(left_out);
  high_ = at(values.size() - 1 - left_out);
  if (low_ < high_) return;
  const auto [smallest, largest] = std::ranges::minmax(values);
  low_ = smallest;
  high_ = largest;
  if (low_ >= high_) high_ = low_ + 1;  // one value only: black
}

double GreyScale::after_modality(double stored) const {
  if (modality_) return modality_->map(static_cast<std::int64_t>(stored));
  return stored * slope_ + intercept_;
}

std::uint8_t GreyScale::grey(double stored) const {
  const double limited = std::isnan(stored) ? 0 : std::clamp(stored, -value_max, value_max);
  const double value =
      reader_.is_floating() ? stored : std::clamp(after_modality(limited), -value_max, value_max);
  std::uint8_t level = 0;
  if (voi_) {
    level = to_grey(static_cast<double>(voi_->map(std::llround(limited == stored ? value : 0))) /
                    voi_max_);
  } else if (window_) {
    level = to_grey(window_->map(value));
  } else {
    level = to_grey((value - low_) / (high_ - low_));
  }
  return inverted_ ? static_cast<std::uint8_t>(255 - level) : level;
}

void GreyScale::render(ByteView row, std::span<std::uint8_t> out) const {
  const std::size_t bytes = reader_.sample_bytes();
  FIDUCIA_ASSERT(row.size() == out.size() * bytes);
  if (table_.empty()) {
    for (std::size_t i = 0; i < out.size(); ++i) {
      out[i] = grey(reader_.value(row.data() + i * bytes));
    }
    return;
  }
  for (std::size_t i = 0; i < out.size(); ++i) {
    out[i] = table_[reader_.stored_bits(row.data() + i * bytes)];
  }
}

}  // namespace fiducia::render
