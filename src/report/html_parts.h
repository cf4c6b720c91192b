// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstddef>
#include <string>
#include <string_view>

#include "finding/finding.h"
#include "render/render.h"
#include "report/html_writer.h"
#include "report/report.h"
#include "seal/seal.h"

/// The parts of the page, each in its own source file.
namespace fiducia::report {

/// How a verdict is shown and said. `style` names its colours in the style sheet.
struct VerdictText {
  std::string_view style;
  std::string_view word;
  std::string_view icon;  // SVG shapes in a box of 24 × 24, drawn with the text's colour
  std::string_view means;
  std::string_view means_not;
};
[[nodiscard]] const VerdictText& verdict_text(finding::Verdict verdict);
void write_icon(HtmlWriter& html, const VerdictText& verdict);

/// The whole style sheet (html_style.cpp).
[[nodiscard]] std::string_view style_sheet();

/// The tiles of `result` that a picture shows, as SVG shapes over it (html_figure.cpp).
void write_outlines(HtmlWriter& html, const render::Picture& picture,
                    const seal::VerifyResult& result);
[[nodiscard]] bool has_outlines(const render::Picture& picture, const seal::VerifyResult& result);
/// `data:image/png;base64,...`, empty when the picture's samples do not fit its extent.
[[nodiscard]] std::string data_uri(const render::Picture& picture);
/// The pictures of an item with captions. `number` makes ids unique in the page.
void write_figures(HtmlWriter& html, const ReportItem& item,
                   std::span<const render::Picture> pictures, std::size_t number);

/// Header changes as a table (html_findings.cpp); nothing when there are none.
void write_changes(HtmlWriter& html, const seal::VerifyResult& result);
/// Every finding with its severity and remedy.
void write_findings(HtmlWriter& html, const seal::VerifyResult& result);

/// Seal, device, ledger: what links the image to somebody who vouches for it (html_chain.cpp).
void write_chain(HtmlWriter& html, const seal::VerifyResult& result);

/// One item's report (html_item.cpp). `pictures` are those to show in full; `note` says why
/// they are fewer or smaller than usual, "" when they are not.
void write_item(HtmlWriter& html, const ReportItem& item, std::span<const render::Picture> pictures,
                std::string_view note, std::size_t number);

/// Counts per verdict and the grid of thumbnails (html_overview.cpp). `order` holds indices of
/// items, worst first; an item's number is its place in it, from 1.
void write_overview(HtmlWriter& html, std::span<const ReportItem> items,
                    std::span<const std::size_t> order);

/// "3 tiles", "1 tile".
[[nodiscard]] std::string counted(std::size_t count, std::string_view noun);

}  // namespace fiducia::report
