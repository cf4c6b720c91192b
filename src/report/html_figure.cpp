// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <set>

#include "finding/finding.h"
#include "render/png.h"
#include "report/html_parts.h"
#include "seal/seal.h"

namespace fiducia::report {
namespace {

constexpr std::uint64_t tile_side = finding::tile_edge;
/// Smaller pictures are enlarged by a whole number, so that a person can see them.
constexpr std::uint32_t comfortable_side = 320;
/// Pictures past these are folded.
constexpr std::size_t figures_openly_max = 4;

/// The extent of the frame that a picture belongs to.
struct Extent {
  std::uint64_t width;
  std::uint64_t height;
};
Extent frame_extent(const render::Picture& picture) {
  return {picture.frame_width != 0 ? picture.frame_width : picture.width,
          picture.frame_height != 0 ? picture.frame_height : picture.height};
}

finding::Box shown_part(const render::Picture& picture) {
  if (picture.part) return *picture.part;
  const Extent extent = frame_extent(picture);
  return {0, 0, static_cast<std::uint32_t>(extent.width),
          static_cast<std::uint32_t>(extent.height)};
}

bool is_about(const finding::Finding& finding, const render::Picture& picture) {
  return finding.frame == picture.frame && (!finding.tiles.empty() || finding.box);
}

/// Whether a finding says that most of the frame of a picture differs.
bool covers_most(const finding::Finding& finding, const render::Picture& picture) {
  const Extent extent = frame_extent(picture);
  const std::uint64_t all =
      ((extent.width + tile_side - 1) / tile_side) * ((extent.height + tile_side - 1) / tile_side);
  const auto inside = std::ranges::count_if(finding.tiles, [&](const finding::TilePosition& tile) {
    return tile.column * tile_side < extent.width && tile.row * tile_side < extent.height;
  });
  return finding.box && static_cast<std::uint64_t>(inside) * 2 > all;
}

std::string box_path(const finding::Box& box) {
  const std::string width = std::to_string(box.width);
  return "M" + std::to_string(box.x) + " " + std::to_string(box.y) + "h" + width + "v" +
         std::to_string(box.height) + "h-" + width + "z";
}

std::string move_and_draw(std::uint64_t x, std::uint64_t y, char direction, std::uint64_t length) {
  return "M" + std::to_string(x) + " " + std::to_string(y) + direction + std::to_string(length);
}

/// The border of the union of tiles: each side of a tile that has no differing neighbour there.
std::string union_border(const std::set<finding::TilePosition>& tiles, const Extent& extent) {
  std::string path;
  for (const auto& [row, column] : tiles) {
    const std::uint64_t x = column * tile_side;
    const std::uint64_t y = row * tile_side;
    if (x >= extent.width || y >= extent.height) continue;  // no tile of this frame
    const std::uint64_t width = std::min(tile_side, extent.width - x);
    const std::uint64_t height = std::min(tile_side, extent.height - y);
    const auto differs = [&](std::uint32_t r, std::uint32_t c) { return tiles.contains({r, c}); };
    if (row == 0 || !differs(row - 1, column)) path += move_and_draw(x, y, 'h', width);
    if (!differs(row + 1, column)) path += move_and_draw(x, y + height, 'h', width);
    if (column == 0 || !differs(row, column - 1)) path += move_and_draw(x, y, 'v', height);
    if (!differs(row, column + 1)) path += move_and_draw(x + width, y, 'v', height);
  }
  return path;
}

void write_path(HtmlWriter& html, std::string_view style, std::string_view path) {
  // Dark below light: the outline is seen on air, bone and colour alike.
  html.element("path", {{"class", "casing"}, {"d", path}}, "");
  html.element("path", {{"class", style}, {"d", path}}, "");
}

std::size_t tiles_shown(const render::Picture& picture, const seal::VerifyResult& result) {
  std::size_t count = 0;
  for (const finding::Finding& finding : result.findings) {
    if (is_about(finding, picture)) count += finding.tiles.size();
  }
  return count;
}

/// "Frame 6 of 10", "Frame 1" where there is but one.
std::string frame_of(const render::Picture& picture, const seal::VerifyResult& result) {
  std::string text = "Frame " + std::to_string(picture.frame);
  if (result.image && result.image->frames > 1)
    text += " of " + std::to_string(result.image->frames);
  return text;
}

std::string alternative_text(const render::Picture& picture, const seal::VerifyResult& result) {
  std::string text =
      picture.part ? "Detail of frame " + std::to_string(picture.frame) : frame_of(picture, result);
  text += " of " + result.path + ".";
  if (const std::size_t count = tiles_shown(picture, result)) {
    text += " " + counted(count, "tile") + (count == 1 ? " that differs is" : " that differ are") +
            " outlined.";
  }
  return text;
}

void write_caption(HtmlWriter& html, const render::Picture& picture,
                   const seal::VerifyResult& result) {
  html.open("figcaption");
  if (picture.part) {
    const finding::Box& part = *picture.part;
    const auto range = [](std::uint32_t from, std::uint32_t count) {
      return std::to_string(from) + " to " + std::to_string(std::uint64_t{from} + count - 1);
    };
    html.element("p", {{"class", "what"}}, "Detail of frame " + std::to_string(picture.frame));
    html.element("p", {{"class", "how"}},
                 "Columns " + range(part.x, part.width) + ", rows " + range(part.y, part.height) +
                     ", every pixel shown.");
    html.close();
    return;
  }
  std::string what;
  for (const finding::Finding& finding : result.findings) {
    if (finding.frame == picture.frame) what += (what.empty() ? "" : " ") + finding.text;
  }
  if (what.empty()) what = frame_of(picture, result);
  html.element("p", {{"class", "what"}}, what);
  std::string how = picture.rendering;
  const Extent extent = frame_extent(picture);
  if (extent.width != picture.width) {
    how += (how.empty() ? "" : " ") + std::string{"Scaled down from "} +
           std::to_string(extent.width) + " × " + std::to_string(extent.height) + " pixels.";
  }
  if (!how.empty()) html.element("p", {{"class", "how"}}, how);
  html.close();
}

void write_figure(HtmlWriter& html, const render::Picture& picture,
                  const seal::VerifyResult& result) {
  const std::string uri = data_uri(picture);
  if (uri.empty()) return;
  const std::uint32_t side = std::max(picture.width, picture.height);
  const std::uint32_t enlarged =
      side >= comfortable_side ? 1 : (comfortable_side + side - 1) / side;
  html.open("figure", {{"class", picture.part ? "picture detail" : "picture"}});
  html.open("div", {{"class", "frame"}});
  html.single("img", {{"src", uri},
                      {"alt", alternative_text(picture, result)},
                      {"class", picture.part || enlarged > 1 ? "crisp" : "smooth"},
                      {"width", std::to_string(picture.width * enlarged)},
                      {"height", std::to_string(picture.height * enlarged)}});
  write_outlines(html, picture, result);
  html.close();
  write_caption(html, picture, result);
  html.close();
}

}  // namespace

bool has_outlines(const render::Picture& picture, const seal::VerifyResult& result) {
  return std::ranges::any_of(result.findings,
                             [&](const finding::Finding& f) { return is_about(f, picture); });
}

void write_outlines(HtmlWriter& html, const render::Picture& picture,
                    const seal::VerifyResult& result) {
  if (!has_outlines(picture, result)) return;
  std::set<finding::TilePosition> tiles;
  std::string solid;
  std::string dashed;
  for (const finding::Finding& finding : result.findings) {
    if (!is_about(finding, picture)) continue;
    // Where most of a picture differs, one line around it says more than islands of air that are
    // the same. A list that was cut no longer shows everything: its box says how far it reaches.
    const bool is_most = covers_most(finding, picture);
    const bool is_cut = finding.tiles.empty() || finding.tiles.size() >= limits::tiles_listed_max;
    if (!is_most) tiles.insert(finding.tiles.begin(), finding.tiles.end());
    if (finding.box && (is_most || is_cut)) (is_cut ? dashed : solid) += box_path(*finding.box);
  }
  const finding::Box part = shown_part(picture);
  html.open("svg", {{"class", "outline"},
                    {"viewBox", std::to_string(part.x) + " " + std::to_string(part.y) + " " +
                                    std::to_string(part.width) + " " + std::to_string(part.height)},
                    {"preserveAspectRatio", "none"},
                    {"aria-hidden", "true"}});
  solid += union_border(tiles, frame_extent(picture));
  if (!solid.empty()) write_path(html, "line", solid);
  if (!dashed.empty()) write_path(html, "line dashed", dashed);
  html.close();
}

std::string data_uri(const render::Picture& picture) {
  const Bytes png =
      render::write_png(picture.width, picture.height, picture.colour, picture.samples);
  return png.empty() ? std::string{} : "data:image/png;base64," + to_base64(png);
}

void write_figures(HtmlWriter& html, const ReportItem& item,
                   std::span<const render::Picture> pictures, std::size_t number) {
  const bool outlined = std::ranges::any_of(
      pictures, [&](const render::Picture& picture) { return has_outlines(picture, item.result); });
  html.open("div", {{"class", "figures-block"}});
  if (outlined) {
    // A checkbox and a sibling selector: the page runs no script.
    const std::string id = "outlines-" + std::to_string(number);
    html.single("input",
                {{"type", "checkbox"}, {"class", "toggle"}, {"id", id}, {"checked", "checked"}});
    html.element("label", {{"for", id}}, "Show outlines");
    html.element("p", {{"class", "legend"}},
                 "Outlined: where the picture differs from the sealed one, in tiles of 64 × 64 "
                 "pixels.");
  }
  const std::size_t open =
      pictures.size() > figures_openly_max + 1 ? figures_openly_max : pictures.size();
  const auto write_row = [&](std::span<const render::Picture> row) {
    html.open("div", {{"class", "figures"}});
    for (const render::Picture& picture : row) write_figure(html, picture, item.result);
    html.close();
  };
  write_row(pictures.first(open));
  if (open < pictures.size()) {
    html.open("details", {{"class", "more"}});
    html.element("summary", "Show the other " + counted(pictures.size() - open, "picture"));
    write_row(pictures.subspan(open));
    html.close();
  }
  html.close();
}

std::string counted(std::size_t count, std::string_view noun) {
  return std::to_string(count) + " " + std::string{noun} + (count == 1 ? "" : "s");
}

}  // namespace fiducia::report
