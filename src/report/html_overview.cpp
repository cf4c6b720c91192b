// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <cmath>

#include "finding/finding.h"
#include "render/render.h"
#include "report/html_parts.h"
#include "report/reason.h"
#include "seal/seal.h"

namespace fiducia::report {
namespace {

constexpr std::uint32_t thumbnail_side_max = 160;
constexpr std::uint32_t thumbnail_side_min = 48;
/// So many thumbnails of full size make about 3 MB of page; more get smaller ones.
constexpr std::size_t full_size_thumbnails = 150;
/// Past this even small ones make the page too heavy, and only what is not authentic gets one.
constexpr std::size_t thumbnails_max = 4'000;

std::uint32_t thumbnail_side(std::size_t item_count) {
  if (item_count <= full_size_thumbnails) return thumbnail_side_max;
  const double shrink =
      std::sqrt(static_cast<double>(full_size_thumbnails) / static_cast<double>(item_count));
  return std::max(thumbnail_side_min, static_cast<std::uint32_t>(thumbnail_side_max * shrink));
}

void write_counts(HtmlWriter& html, std::span<const ReportItem> items,
                  std::span<const std::size_t> order) {
  html.open("ul", {{"class", "counts"}});
  for (std::size_t rank = 0; rank < order.size();) {
    const finding::Verdict verdict = items[order[rank]].result.verdict;
    std::size_t end = rank;
    while (end < order.size() && items[order[end]].result.verdict == verdict) ++end;
    const VerdictText& text = verdict_text(verdict);
    html.open("li", {{"class", text.style}});
    html.open("a", {{"href", "#card-" + std::to_string(rank + 1)}});
    write_icon(html, text);
    html.element("strong", std::to_string(end - rank));
    html.text(" ");
    html.element("span", finding::to_word(verdict));
    html.close();
    html.close();
    rank = end;
  }
  html.close();
}

void write_thumbnail(HtmlWriter& html, const ReportItem& item, std::uint32_t side, bool wanted) {
  html.open("span", {{"class", "thumb"}});
  const auto whole = std::ranges::find_if(
      item.pictures, [](const render::Picture& picture) { return !picture.part; });
  std::string uri;
  render::Picture small;
  if (wanted && whole != item.pictures.end()) {
    small = render::scaled_down(*whole, side);
    uri = data_uri(small);
  }
  if (uri.empty()) {
    html.element("span", {{"class", "no-picture"}}, "no picture");
  } else {
    html.open("span", {{"class", "frame"}});
    const std::uint32_t enlarged =
        std::max(1U, thumbnail_side_max / std::max(small.width, small.height));
    html.single("img", {{"src", uri},
                        {"alt", ""},  // the card's text names the file
                        {"width", std::to_string(small.width * enlarged)},
                        {"height", std::to_string(small.height * enlarged)}});
    write_outlines(html, small, item.result);
    html.close();
  }
  html.close();
}

/// The folder that all items are in, with its slash; "" when they share none.
std::string_view common_folder(std::span<const ReportItem> items) {
  if (items.empty()) return {};
  std::string_view common = items.front().result.path;
  for (const ReportItem& item : items) {
    const auto differs = std::ranges::mismatch(common, item.result.path);
    common = common.substr(0, static_cast<std::size_t>(differs.in1 - common.begin()));
  }
  const std::size_t slash = common.rfind('/');
  return slash == std::string_view::npos ? std::string_view{} : common.substr(0, slash + 1);
}

void write_card(HtmlWriter& html, const ReportItem& item, std::size_t number, std::uint32_t side,
                bool with_picture, std::size_t folder_length) {
  const seal::VerifyResult& result = item.result;
  const VerdictText& text = verdict_text(result.verdict);
  const std::string_view path = std::string_view{result.path}.substr(folder_length);
  const std::size_t slash = path.rfind('/');
  const std::size_t name_start = slash == std::string_view::npos ? 0 : slash + 1;
  const std::string_view folder = path.substr(0, name_start);
  const std::string_view name = path.substr(name_start);

  html.open("li", {{"class", text.style}, {"id", "card-" + std::to_string(number)}});
  html.open("a", {{"href", "#item-" + std::to_string(number)}});
  write_thumbnail(html, item, side, with_picture);
  html.open("span", {{"class", "card-verdict"}});
  write_icon(html, text);
  html.text(text.word);
  html.close();
  html.open("span", {{"class", "card-path"}});
  if (!folder.empty()) html.element("bdi", {{"class", "folder"}}, folder);
  html.element("bdi", {{"class", "name"}}, name);
  html.close();
  const finding::Finding* const decides = deciding_finding(result);
  if (decides != nullptr && result.verdict != finding::Verdict::authentic)
    html.element("span", {{"class", "card-reason"}}, decides->text);
  html.close();
  html.close();
}

}  // namespace

void write_overview(HtmlWriter& html, std::span<const ReportItem> items,
                    std::span<const std::size_t> order) {
  html.open("section", {{"class", "overview"}, {"id", "overview"}, {"aria-label", "Overview"}});
  html.element("h2", counted(items.size(), "file"));
  const std::string_view folder = common_folder(items);
  if (!folder.empty()) {
    html.open("p", {{"class", "where"}});
    html.text("in ");
    html.element("bdi", folder);
    html.close();
  }
  write_counts(html, items, order);
  const std::uint32_t side = thumbnail_side(items.size());
  html.open("ul", {{"class", "cards"}});
  for (std::size_t rank = 0; rank < order.size(); ++rank) {
    const ReportItem& item = items[order[rank]];
    const bool with_picture =
        rank < thumbnails_max &&
        (items.size() <= thumbnails_max || item.result.verdict != finding::Verdict::authentic);
    write_card(html, item, rank + 1, side, with_picture, folder.size());
  }
  html.close();
  html.close();
}

}  // namespace fiducia::report
