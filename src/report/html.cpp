// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <numeric>
#include <vector>

#include "finding/finding.h"
#include "render/render.h"
#include "report/html_parts.h"

namespace fiducia::report {
namespace {

/// Past this, pictures become small ones; a page must open on a telephone.
constexpr std::size_t page_bytes_comfortable = 8'000'000;
/// Past this there are no further pictures at all.
constexpr std::size_t page_bytes_heavy = 9'000'000;
constexpr std::uint32_t reduced_side = 192;

/// Nothing may be loaded and nothing may run, whatever a file's content did to the page.
constexpr std::string_view content_security_policy =
    "default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; "
    "form-action 'none'";

/// By this a later run knows the page as one that it may replace.
constexpr std::string_view generator = "Fiducia";

/// Indices of items, worst verdict first, otherwise in the order given.
std::vector<std::size_t> worst_first(std::span<const ReportItem> items) {
  std::vector<std::size_t> order(items.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, [&](std::size_t a, std::size_t b) {
    const int code_a = finding::exit_code(items[a].result.verdict);
    const int code_b = finding::exit_code(items[b].result.verdict);
    return code_a != code_b && finding::worse_exit_code(code_a, code_b) == code_a;
  });
  return order;
}

void write_head(HtmlWriter& html, const std::string& title) {
  html.open("head");
  html.single("meta", {{"charset", "utf-8"}});
  html.single("meta",
              {{"http-equiv", "Content-Security-Policy"}, {"content", content_security_policy}});
  html.single("meta", {{"name", "viewport"}, {"content", "width=device-width, initial-scale=1"}});
  html.single("meta", {{"name", "color-scheme"}, {"content", "light dark"}});
  html.single("meta", {{"name", "referrer"}, {"content", "no-referrer"}});
  html.single("meta", {{"name", "robots"}, {"content", "noindex"}});
  html.single("meta", {{"name", "generator"}, {"content", generator}});
  html.single("link", {{"rel", "icon"}, {"href", "data:,"}});
  html.element("title", title);
  html.open("style");
  html.raw(style_sheet());
  html.close();
  html.close();
}

void write_page_header(HtmlWriter& html, UnixTime made_at) {
  const std::string time = to_rfc3339(made_at);
  html.open("header", {{"class", "page"}});
  html.element("h1", "Authenticity report");
  html.open("p");
  html.text("Fiducia · made at ");
  html.element("time", {{"datetime", time}}, time);
  html.close();
  html.close();
}

void write_page_footer(HtmlWriter& html) {
  html.open("footer", {{"class", "page"}});
  html.element("h2", "About this page");
  html.open("p");
  html.prose(
      "This page repeats what the verifier found when the page was made. The page itself "
      "is not signed: whoever needs proof verifies the files again with `fiducia verify`, "
      "which needs the files, their evidence and a trust file, and no network.");
  html.close();
  html.element("p",
               "A seal covers every pixel, in tiles of 64 × 64, and every attribute of the header. "
               "Rows and columns count from 0, frames from 1. Times end in Z: they are in UTC. "
               "Re-encoding without loss does not break a seal. The pictures are for orientation, "
               "not for diagnosis.");
  html.close();
}

/// What to show of an item now that the page has `page_bytes`.
struct Choice {
  std::vector<render::Picture> reduced;       // used when `full` is empty
  std::span<const render::Picture> pictures;  // borrowed from the item or from `reduced`
  std::string_view note;
};

Choice choose_pictures(const ReportItem& item, bool is_alone, std::size_t page_bytes) {
  Choice choice;
  if (item.pictures.empty()) return choice;
  if (is_alone) {
    choice.pictures = item.pictures;
    return choice;
  }
  if (item.result.verdict == finding::Verdict::authentic) {
    choice.note = "The overview shows this image; a report of this file alone shows it in full.";
    return choice;
  }
  std::size_t expected = 0;
  for (const render::Picture& picture : item.pictures) expected += picture.samples.size();
  if (page_bytes + expected <= page_bytes_comfortable) {
    choice.pictures = item.pictures;
    return choice;
  }
  if (page_bytes > page_bytes_heavy) {
    choice.note = "Left out to keep this page small; a report of this file alone shows it.";
    return choice;
  }
  choice.reduced.push_back(render::scaled_down(item.pictures.front(), reduced_side));
  choice.pictures = choice.reduced;
  choice.note =
      "Shown small to keep this page small; a report of this file alone shows it in full.";
  return choice;
}

void write_section(HtmlWriter& html, const ReportItem& item, std::size_t number, bool is_alone) {
  const Choice choice = choose_pictures(item, is_alone, html.size());
  const VerdictText& verdict = verdict_text(item.result.verdict);
  const std::string id = "item-" + std::to_string(number);
  const std::string style = "item " + std::string{verdict.style};
  // What is in order is folded. The target of a link inside is unfolded by the browser.
  const bool is_folded = !is_alone && item.result.verdict == finding::Verdict::authentic;
  if (is_folded) {
    html.open("details", {{"class", "fold " + std::string{verdict.style}}});
    html.open("summary");
    write_icon(html, verdict);
    html.element("span", {{"class", "fold-verdict"}}, verdict.word);
    html.text(" ");
    html.element("bdi", item.result.path);
    html.close();
  }
  html.open("article", {{"class", style}, {"id", id}, {"aria-label", item.result.path}});
  write_item(html, item, choice.pictures, choice.note, number);
  if (!is_alone) {
    html.open("p", {{"class", "back"}});
    html.element("a", {{"href", "#overview"}}, "Back to the overview");
    html.close();
  }
  html.close();
  if (is_folded) html.close();
}

std::string page_title(std::span<const ReportItem> items) {
  if (items.size() != 1) return "Authenticity report: " + counted(items.size(), "file");
  return std::string{verdict_text(items.front().result.verdict).word} + ": " +
         items.front().result.path;
}

}  // namespace

std::string to_html(std::span<const ReportItem> items, UnixTime made_at) {
  const std::vector<std::size_t> order = worst_first(items);
  const bool is_alone = items.size() == 1;
  HtmlWriter html;
  html.raw("<!DOCTYPE html>\n");
  html.open("html", {{"lang", "en"}});
  write_head(html, page_title(items));
  html.open("body");
  write_page_header(html, made_at);
  html.open("main");
  if (!is_alone) write_overview(html, items, order);
  for (std::size_t rank = 0; rank < order.size(); ++rank) {
    write_section(html, items[order[rank]], rank + 1, is_alone);
  }
  html.close();
  write_page_footer(html);
  html.close();
  html.close();
  return html.take();
}

bool is_report(ByteView content) {
  constexpr std::size_t head_bytes = 2048;  // the mark stands before the style sheet
  const std::string_view head = as_text(content.first(std::min(content.size(), head_bytes)));
  return head.starts_with("<!DOCTYPE html>") &&
         head.find("name=\"generator\" content=\"" + std::string(generator) + "\"") !=
             std::string_view::npos;
}

}  // namespace fiducia::report
