// SPDX-License-Identifier: Apache-2.0
#include "render/picture.h"

#include <algorithm>
#include <variant>

#include "codec/codec.h"
#include "render/colour.h"
#include "render/scale.h"

namespace fiducia::render {
namespace {

/// A detail is at most so wide and high.
constexpr std::uint32_t detail_side_max = 512;

/// How rows of one frame become 8-bit grey or RGB.
class RowRenderer {
 public:
  /// Absent, with a reason, for what cannot be drawn.
  [[nodiscard]] static std::optional<RowRenderer> make(const dicom::DataSet& data_set,
                                                       const codec::Geometry& geometry,
                                                       std::uint32_t frame,
                                                       const codec::Frame& decoded,
                                                       std::string& missing) {
    const std::string& photometric = decoded.photometric_interpretation;
    if (geometry.samples_per_pixel == 1 && photometric == "PALETTE COLOR") {
      auto palette = Palette::read(data_set, geometry);
      if (palette) return RowRenderer{std::move(*palette), "Colours: the file's palette."};
      missing = "The picture cannot be drawn: its palette is missing or damaged.";
      return std::nullopt;
    }
    if (geometry.samples_per_pixel == 1) {
      GreyScale scale = GreyScale::read(data_set, geometry, frame, decoded.samples);
      std::string rendering = scale.rendering();
      return RowRenderer{std::move(scale), std::move(rendering)};
    }
    if (auto space = ColourSpace::find(photometric, geometry)) {
      std::string rendering{space->rendering()};
      return RowRenderer{*space, std::move(rendering)};
    }
    missing = "The picture cannot be drawn: there is no rule here for colours of this kind.";
    return std::nullopt;
  }

  [[nodiscard]] bool is_colour() const { return !std::holds_alternative<GreyScale>(how_); }
  [[nodiscard]] const std::string& rendering() const { return rendering_; }
  void render(ByteView row, std::span<std::uint8_t> out) const {
    std::visit([&](const auto& how) { how.render(row, out); }, how_);
  }

 private:
  using How = std::variant<GreyScale, Palette, ColourSpace>;
  RowRenderer(How how, std::string rendering)
      : how_(std::move(how)), rendering_(std::move(rendering)) {}
  How how_;
  std::string rendering_;
};

/// Frames to show, from 0: the altered ones in the order of the findings, else the middle one,
/// for the first and last ones of a series of slices are often empty.
std::vector<std::uint32_t> frames_to_show(std::span<const finding::Finding> findings,
                                          std::uint32_t frames_present, std::size_t frames_max) {
  std::vector<std::uint32_t> frames;
  for (const finding::Finding& finding : findings) {
    if (frames.size() >= frames_max) break;
    if (!finding.frame || *finding.frame == 0 || *finding.frame > frames_present) continue;
    if (std::ranges::find(frames, *finding.frame - 1) == frames.end()) {
      frames.push_back(*finding.frame - 1);
    }
  }
  if (frames.empty() && frames_max > 0) frames.push_back(frames_present / 2);
  return frames;
}

/// The altered part of a frame with a tile around it; absent when there is none, or when the
/// picture of the whole frame shows it as well.
std::optional<finding::Box> detail_of(std::span<const finding::Finding> findings,
                                      std::uint32_t frame, const codec::Geometry& geometry,
                                      bool is_scaled) {
  std::uint64_t left = geometry.columns;
  std::uint64_t top = geometry.rows;
  std::uint64_t right = 0;
  std::uint64_t bottom = 0;
  for (const finding::Finding& finding : findings) {
    if (finding.frame != frame + 1 || !finding.box) continue;
    const finding::Box& box = *finding.box;
    left = std::min<std::uint64_t>(left, box.x);
    top = std::min<std::uint64_t>(top, box.y);
    right = std::max(right, std::uint64_t{box.x} + box.width);
    bottom = std::max(bottom, std::uint64_t{box.y} + box.height);
  }
  right = std::min<std::uint64_t>(right, geometry.columns);
  bottom = std::min<std::uint64_t>(bottom, geometry.rows);
  if (left >= right || top >= bottom) return std::nullopt;
  const std::uint64_t margin = finding::tile_edge / 2;
  left -= std::min(left, margin);
  top -= std::min(top, margin);
  right = std::min<std::uint64_t>(right + margin, geometry.columns);
  bottom = std::min<std::uint64_t>(bottom + margin, geometry.rows);
  const std::uint64_t width = std::min<std::uint64_t>(right - left, detail_side_max);
  const std::uint64_t height = std::min<std::uint64_t>(bottom - top, detail_side_max);
  const bool is_small = width * height * 4 <= std::uint64_t{geometry.columns} * geometry.rows;
  if (!is_scaled && !is_small) return std::nullopt;
  return finding::Box{static_cast<std::uint32_t>(left), static_cast<std::uint32_t>(top),
                      static_cast<std::uint32_t>(width), static_cast<std::uint32_t>(height)};
}

/// Renders one decoded frame row by row, and the detail of it along the way.
void draw(const RowRenderer& renderer, const codec::Geometry& geometry, ByteView samples,
          std::uint32_t frame, const PictureOptions& options,
          std::span<const finding::Finding> findings, std::vector<Picture>& out) {
  const std::uint32_t channels = renderer.is_colour() ? 3 : 1;
  const bool is_scaled = std::max(geometry.rows, geometry.columns) > options.side_max;
  const auto part =
      options.details ? detail_of(findings, frame, geometry, is_scaled) : std::nullopt;
  Picture detail;
  AreaScaler scaler(geometry.columns, geometry.rows, channels, options.side_max);
  const std::size_t row_bytes =
      std::size_t{geometry.columns} * geometry.samples_per_pixel * geometry.sample_bytes();
  std::vector<std::uint8_t> row(std::size_t{geometry.columns} * channels);
  for (std::size_t y = 0; y < geometry.rows; ++y) {
    renderer.render(samples.subspan(y * row_bytes, row_bytes), row);
    scaler.add_row(row);
    if (part && y >= part->y && y - part->y < part->height) {
      append(detail.samples,
             std::as_bytes(std::span{row})
                 .subspan(std::size_t{part->x} * channels, std::size_t{part->width} * channels));
    }
  }
  out.push_back({.frame = frame + 1,
                 .width = scaler.out_width(),
                 .height = scaler.out_height(),
                 .colour = renderer.is_colour(),
                 .samples = scaler.take(),
                 .frame_width = geometry.columns,
                 .frame_height = geometry.rows,
                 .part = {},
                 .rendering = renderer.rendering()});
  if (!part) return;
  detail.frame = frame + 1;
  detail.width = part->width;
  detail.height = part->height;
  detail.colour = renderer.is_colour();
  detail.frame_width = geometry.columns;
  detail.frame_height = geometry.rows;
  detail.part = part;
  detail.rendering = renderer.rendering();
  out.push_back(std::move(detail));
}

std::string reason(const Error& error) {
  std::string text = "The picture cannot be drawn: " + error.what;
  if (!text.ends_with('.')) text += '.';
  return text;
}

}  // namespace

Pictures make_pictures(const dicom::File& file, codec::CodecChild* child,
                       std::span<const finding::Finding> findings, const PictureOptions& options) {
  Pictures out;
  auto reader = codec::FrameReader::open(file, child);
  if (!reader) {
    const auto geometry = codec::read_geometry(file.data_set());
    out.missing = geometry && !*geometry ? "The object has no pixels." : reason(reader.error());
    return out;
  }
  const codec::Geometry& geometry = reader->geometry();
  if (reader->frames_present() == 0) {
    out.missing = "The file holds no complete frame.";
    return out;
  }
  const std::uint32_t side_max = std::max<std::uint32_t>(options.side_max, 1);
  const PictureOptions usable{
      .side_max = side_max, .frames_max = options.frames_max, .details = options.details};
  std::string missing;
  for (const std::uint32_t frame :
       frames_to_show(findings, reader->frames_present(), options.frames_max)) {
    const auto decoded = reader->read(frame);
    if (!decoded) {
      missing = reason(decoded.error());
      continue;
    }
    if (decoded->samples.size() < geometry.frame_bytes()) {
      missing = "The picture cannot be drawn: the frame is incomplete.";
      continue;
    }
    const auto renderer = RowRenderer::make(file.data_set(), geometry, frame, *decoded, missing);
    if (renderer)
      draw(*renderer, geometry, decoded->samples, frame, usable, findings, out.pictures);
  }
  if (out.pictures.empty()) {
    out.missing = missing.empty() ? "No frame was asked for." : missing;
  }
  return out;
}

}  // namespace fiducia::render
