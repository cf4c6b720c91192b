// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "dicom/transfer_syntax.h"
#include "finding/finding.h"
#include "render/render.h"
#include "report/html_parts.h"
#include "report/reason.h"
#include "report/sop_class_name.h"
#include "seal/seal.h"

namespace fiducia::report {
namespace {

void write_image_fact(HtmlWriter& html, std::string_view name, std::string_view value) {
  html.open("div");
  html.element("dt", name);
  html.element("dd", value);
  html.close();
}

/// What the object is, from UIDs and extents only.
void write_image_facts(HtmlWriter& html, const seal::ImageInfo& image) {
  html.open("dl", {{"class", "facts"}});
  const std::string_view sop_class = sop_class_name(image.sop_class);
  write_image_fact(html, "Kind",
                   !sop_class.empty()        ? sop_class
                   : image.sop_class.empty() ? "not said by the file"
                                             : std::string_view{image.sop_class});
  write_image_fact(html, "Pixels",
                   image.frames == 0
                       ? "none"
                       : counted(image.frames, "frame") + " of " + std::to_string(image.columns) +
                             " × " + std::to_string(image.rows) + " pixels");
  const dicom::TransferSyntax* syntax = dicom::find_transfer_syntax(image.transfer_syntax);
  write_image_fact(html, "Encoding", syntax != nullptr ? syntax->name : image.transfer_syntax);
  html.close();
}

/// What the verdict says of this image: a trust file may tolerate a difference.
std::string_view meaning_of(const seal::VerifyResult& result, const VerdictText& verdict) {
  const bool is_tolerant =
      result.verdict == finding::Verdict::authentic &&
      std::ranges::any_of(result.findings, [](const finding::Finding& finding) {
        return finding.code == finding::Code::tolerated;
      });
  return is_tolerant
             ? "Every sealed pixel is what it was when the image was sealed, and so is every "
               "attribute but those named below, whose difference the trust file takes as "
               "harmless. It accepts the signer, the ledger and the time."
             : verdict.means;
}

/// What decided it, before anything else is said.
void write_reason(HtmlWriter& html, const seal::VerifyResult& result) {
  const finding::Finding* const decides = deciding_finding(result);
  const bool is_aside = decides != nullptr && decides->severity == finding::Severity::note &&
                        result.verdict == finding::Verdict::authentic;
  if (decides == nullptr || is_aside) return;
  html.open("p", {{"class", "reason"}});
  html.text(decides->text);
  if (result.findings.size() > 1)
    html.element("span", {{"class", "count"}},
                 " The first of " + counted(result.findings.size(), "finding") + ".");
  html.close();
}

void write_verdict(HtmlWriter& html, const seal::VerifyResult& result) {
  const VerdictText& verdict = verdict_text(result.verdict);
  html.open("header", {{"class", "verdict"}});
  write_icon(html, verdict);
  html.open("div");
  html.element("h2", verdict.word);
  html.open("p", {{"class", "path"}});
  html.element("bdi", result.path);
  html.close();
  write_reason(html, result);
  html.element("p", {{"class", "means"}}, meaning_of(result, verdict));
  html.element("p", {{"class", "means-not"}}, verdict.means_not);
  html.close();
  html.close();
}

void write_pixels(HtmlWriter& html, const ReportItem& item,
                  std::span<const render::Picture> pictures, std::string_view note,
                  std::size_t number) {
  if (pictures.empty() && item.pictures_missing.empty() && note.empty()) return;
  html.element("h3", "Picture");
  if (!pictures.empty()) write_figures(html, item, pictures, number);
  const std::string_view why = !note.empty()      ? note
                               : pictures.empty() ? std::string_view{item.pictures_missing}
                                                  : std::string_view{};
  if (!why.empty()) html.element("p", {{"class", "none"}}, why);
}

}  // namespace

void write_item(HtmlWriter& html, const ReportItem& item, std::span<const render::Picture> pictures,
                std::string_view note, std::size_t number) {
  const seal::VerifyResult& result = item.result;
  write_verdict(html, result);
  html.open("div", {{"class", "body"}});
  write_pixels(html, item, pictures, note, number);
  write_changes(html, result);
  write_findings(html, result);
  write_chain(html, result);
  if (result.image) {
    html.element("h3", "The object");
    write_image_facts(html, *result.image);
  }
  html.close();
}

}  // namespace fiducia::report
