// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <random>
#include <set>

#include "finding/finding.h"
#include "render/render.h"
#include "report/html_parts.h"
#include "report/sample_results.h"
#include "support/support.h"
#include "trust/trust.h"

namespace fiducia::report {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr UnixTime made_at{1'795'521'600};

std::size_t occurrences(std::string_view text, std::string_view what) {
  std::size_t count = 0;
  for (std::size_t at = text.find(what); at != text.npos; at = text.find(what, at + 1)) ++count;
  return count;
}

/// The part of a page after its style sheet.
std::string body_of(const std::string& page) { return page.substr(page.find("</style>")); }

TEST(HtmlPage, escapes_hostile_text_everywhere) {
  for (const std::string& path : {std::string{test::hostile_text},
                                  "data:x\" onload=\"alert(3)" + std::string{test::hostile_text}}) {
    ReportItem item = test::altered_item();
    item.result.path = path;
    for (finding::Finding& finding : item.result.findings) {
      finding.code = finding::Code::malformed;
      finding.kind = test::hostile_text;
      finding.text = test::hostile_text;
      finding.attribute = test::hostile_text;
      finding.keyword = test::hostile_text;
      finding.current_value = test::hostile_text;
    }
    item.result.seal->device = test::hostile_text;
    item.result.seal->signer_name = test::hostile_text;
    item.result.ledger->origin = test::hostile_text;
    item.result.ledger->witnesses = {std::string{test::hostile_text}};
    item.result.image->sop_class = test::hostile_text;
    item.result.image->transfer_syntax = test::hostile_text;
    item.pictures[0].rendering = test::hostile_text;
    ReportItem without = item;
    without.pictures.clear();
    without.pictures_missing = test::hostile_text;
    for (const std::vector<ReportItem>& items :
         {std::vector{item}, std::vector{without}, std::vector{item, without}}) {
      const std::string page = to_html(items, made_at);
      EXPECT_TRUE(is_utf8(page));
      EXPECT_THAT(page, Not(HasSubstr("<script")));
      EXPECT_THAT(page, Not(HasSubstr("<img src=x")));
      EXPECT_THAT(page, Not(HasSubstr("\" onload")));
      EXPECT_THAT(page, Not(HasSubstr("\xe2\x80\xae"))) << "an override reorders the page";
      EXPECT_THAT(page, HasSubstr("&lt;script&gt;alert(1)&lt;/script&gt;&quot;&#39;&amp;"));
      EXPECT_THAT(page, HasSubstr("\\u202egpj.exe"));
      EXPECT_EQ(occurrences(page, "</style>"), 1U);
      for (const char c : page) {
        EXPECT_FALSE(c == 0x7F || (c >= 0 && c < 0x20 && c != '\n')) << static_cast<int>(c);
      }
    }
  }
}

TEST(HtmlPage, loads_nothing_and_runs_nothing) {
  const std::string page = to_html(test::one_of_each(), made_at);
  EXPECT_THAT(page, HasSubstr("default-src &#39;none&#39;; img-src data:;"));
  EXPECT_THAT(page, Not(HasSubstr("<script")));
  EXPECT_THAT(page, Not(HasSubstr("http://")));
  EXPECT_THAT(page, Not(HasSubstr("https://")));
  EXPECT_THAT(page, Not(HasSubstr("url(")));
  EXPECT_THAT(page, Not(HasSubstr("@import")));
}

TEST(HtmlPage, says_each_verdict_in_words_and_not_by_colour_alone) {
  std::set<std::string_view> icons;
  for (const ReportItem& item : test::one_of_each()) {
    const std::string page = to_html({&item, 1}, made_at);
    const VerdictText& text = verdict_text(item.result.verdict);
    EXPECT_THAT(page, HasSubstr("<h2>" + std::string{text.word} + "</h2>"));
    EXPECT_THAT(page, HasSubstr(std::string{text.means}));
    EXPECT_THAT(page, HasSubstr(std::string{text.means_not}));
    EXPECT_TRUE(icons.insert(text.icon).second);
    const std::string other =
        item.result.verdict == finding::Verdict::authentic ? "Altered" : "Authentic";
    EXPECT_THAT(page, Not(HasSubstr("<h2>" + other + "</h2>")));
  }
}

TEST(HtmlPage, outlines_the_union_of_altered_tiles_in_pixels_of_the_frame) {
  ReportItem item = test::altered_item();
  item.pictures = {render::scaled_down(item.pictures[0], 100)};
  const std::string page = to_html({&item, 1}, made_at);
  EXPECT_THAT(page, HasSubstr("viewBox=\"0 0 512 512\""));
  const std::size_t start = page.find("class=\"line\" d=\"") + 16;
  const std::string path = page.substr(start, page.find('"', start) - start);
  EXPECT_EQ(path,
            "M256 192h64M256 192v64M320 192h64M320 256h64M384 192v64"
            "M256 320h64M256 256v64M320 256v64");
}

TEST(HtmlPage, cuts_edge_tiles_and_ignores_tiles_outside_the_frame) {
  ReportItem item = test::altered_item();
  item.pictures = {test::sample_picture(100, 70)};
  item.result.findings[0].tiles = {{1, 1}, {2, 0}, {0, 0xFFFFFFFF}, {0xFFFFFFFF, 0}};
  const std::string page = to_html({&item, 1}, made_at);
  EXPECT_THAT(page, HasSubstr("d=\"M64 64h36M64 70h36M64 64v6M100 64v6\""));
}

TEST(HtmlPage, draws_the_box_where_tiles_are_not_listed) {
  ReportItem item = test::altered_item();
  item.result.findings[0].tiles.clear();
  EXPECT_THAT(to_html({&item, 1}, made_at),
              HasSubstr("class=\"line dashed\" d=\"M256 192h128v128h-128z\""));
  item.result.findings[0].frame = 2;  // another frame than the picture's
  EXPECT_THAT(body_of(to_html({&item, 1}, made_at)), Not(HasSubstr("<svg class=\"outline\"")));
}

TEST(HtmlPage, shows_values_only_where_a_finding_carries_one) {
  ReportItem item = test::altered_item();
  EXPECT_THAT(to_html({&item, 1}, made_at), Not(HasSubstr("Value now")));
  item.result.findings[1].current_value = "DOE^JANE";
  const std::string page = to_html({&item, 1}, made_at);
  EXPECT_THAT(page, HasSubstr("Value now"));
  EXPECT_THAT(page, HasSubstr("<bdi>DOE^JANE</bdi>"));
}

TEST(HtmlPage, names_attributes_as_the_standard_does) {
  const ReportItem item = test::altered_item();
  const std::string page = to_html({&item, 1}, made_at);
  EXPECT_THAT(page, HasSubstr("<th scope=\"row\">Patient&#39;s Name</th>"));
  EXPECT_THAT(page, HasSubstr("<code>(0029,&quot;SIEMENS MEDCOM HEADER&quot;,10)</code>"));
}

TEST(HtmlPage, links_seal_device_and_ledger_and_says_what_is_missing) {
  const ReportItem item = test::altered_item();
  const std::string page = to_html({&item, 1}, made_at);
  for (const std::string_view fact :
       {"CT-1", "072c 5176 9bc0", "2026-11-24T10:00:00Z", "example.org/ledger",
        "No. 41, counted from 0, of 300", "2026-11-24T10:01:00Z", "north-witness and university"}) {
    EXPECT_THAT(page, HasSubstr(std::string{fact}));
  }
  ReportItem bare = test::altered_item();
  bare.result.seal.reset();
  bare.result.ledger.reset();
  const std::string without = to_html({&bare, 1}, made_at);
  EXPECT_THAT(without, HasSubstr("Nobody: no seal was found."));
  EXPECT_EQ(occurrences(body_of(without), "class=\"link holds\""), 0U);
}

// The sentence for a court: by when it existed, and whose word that is.
TEST(HtmlPage, says_whose_word_the_date_is) {
  ReportItem item = test::altered_item();
  const auto page = [&] { return to_html({&item, 1}, made_at); };
  EXPECT_THAT(page(), HasSubstr("claim dates the seal."));
  item.result.ledger->dated_at = UnixTime{1'795'514'461};
  EXPECT_THAT(page(), HasSubstr("own clock dates the seal."));
  item.result.ledger->dated_by = trust::DatedBy::witness;
  EXPECT_THAT(page(), HasSubstr("Independent witnesses (north-witness and university) attest"));
  item.result.ledger->dated_by = trust::DatedBy::tsa;
  item.result.ledger->time_stamps = {"Example TSA"};
  EXPECT_THAT(page(), HasSubstr("Independent time-stamp authorities (Example TSA) attest"));
  EXPECT_THAT(page(), HasSubstr("2026-11-24T10:01:01Z"));
  item.result.findings.push_back({.code = finding::Code::ledger_unstamped,
                                  .severity = finding::Severity::alarm,
                                  .text = "1 of 2 time-stamp authorities."});
  EXPECT_THAT(page(), HasSubstr("The date is not attested as the trust file asks."));
}

// A half-filled result is no praise: nothing in the page may say that a link holds.
TEST(HtmlPage, vouches_for_nothing_when_the_verdict_is_open) {
  ReportItem item = test::altered_item();
  item.result.verdict = finding::Verdict::indeterminate;
  item.result.seal->accepted = false;
  item.result.ledger.reset();
  EXPECT_EQ(occurrences(body_of(to_html({&item, 1}, made_at)), "class=\"link holds\""), 0U);
  // What the verifier did accept is not denied either.
  item.result.seal->accepted = true;
  EXPECT_THAT(to_html({&item, 1}, made_at), HasSubstr("The trust file accepts the signer."));
}

TEST(HtmlPage, says_what_decided_before_anything_else) {
  ReportItem item = test::altered_item();
  const std::string page = body_of(to_html({&item, 1}, made_at));
  const std::size_t reason = page.find(
      "<p class=\"reason\">Frame 1: 3 of 64 tiles differ from the seal."
      "<span class=\"count\"> The first of 5 findings.</span></p>");
  ASSERT_NE(reason, page.npos);
  EXPECT_LT(reason, page.find(std::string{verdict_text(finding::Verdict::altered).means}));
  // The worst counts, wherever it stands; and a note beside `authentic` decided nothing.
  std::ranges::reverse(item.result.findings);
  EXPECT_THAT(to_html({&item, 1}, made_at),
              HasSubstr("<p class=\"reason\">(0029,&quot;SIEMENS MEDCOM HEADER&quot;,10) was not"));
  const ReportItem good{.result = test::sample_result(finding::Verdict::authentic, "a.dcm"),
                        .pictures = {},
                        .pictures_missing = "None."};
  EXPECT_THAT(body_of(to_html({&good, 1}, made_at)), Not(HasSubstr("class=\"reason\"")));
}

// "changed" is said of what changed, and of nothing else.
TEST(HtmlPage, does_not_call_the_same_value_in_another_form_a_change) {
  ReportItem item{.result = test::sample_result(finding::Verdict::indeterminate, "a.dcm"),
                  .pictures = {},
                  .pictures_missing = "None."};
  item.result.findings = {{.code = finding::Code::reading_ambiguous,
                           .severity = finding::Severity::warning,
                           .text = "Common readers take this in different ways.",
                           .attribute = "(0008,0008)",
                           .keyword = "ImageType"},
                          {.code = finding::Code::encoding_changed,
                           .severity = finding::Severity::note,
                           .text = "32 attributes have the same value in another representation.",
                           .attribute = "(0008,0060)",
                           .keyword = "Modality"}};
  const std::string page = body_of(to_html({&item, 1}, made_at));
  EXPECT_THAT(page, Not(HasSubstr("from the seal.")));
  EXPECT_THAT(page, Not(HasSubstr("class=\"changes\"")));
  EXPECT_THAT(page, Not(HasSubstr(">changed<")));
  EXPECT_THAT(page, Not(HasSubstr("finding alarm")));
  EXPECT_EQ(occurrences(page, "class=\"finding note\""), 1U);
  // The twin: the same attribute with another value.
  item.result.findings[1].code = finding::Code::attribute_altered;
  item.result.findings[1].severity = finding::Severity::alarm;
  item.result.findings[1].text = "Modality (0008,0060) differs from the seal.";
  const std::string changed = body_of(to_html({&item, 1}, made_at));
  EXPECT_THAT(changed, HasSubstr("1 attribute differs from the seal."));
  EXPECT_THAT(changed, HasSubstr(">changed<"));
  EXPECT_EQ(occurrences(changed, "class=\"finding alarm\""), 1U);
  // Where a finding says more than that, so does the table.
  item.result.findings[1].text = "Modality (0008,0060) has the bytes that were sealed, but no CS.";
  EXPECT_THAT(body_of(to_html({&item, 1}, made_at)),
              HasSubstr("<td data-label=\"What happened\">Modality (0008,0060) has the bytes"));
}

TEST(HtmlPage, does_not_call_what_is_tolerated_the_same) {
  ReportItem item{.result = test::sample_result(finding::Verdict::authentic, "a.dcm"),
                  .pictures = {},
                  .pictures_missing = "None."};
  EXPECT_THAT(to_html({&item, 1}, made_at), HasSubstr("Every sealed pixel and attribute is what"));
  item.result.findings.push_back({.code = finding::Code::tolerated,
                                  .severity = finding::Severity::warning,
                                  .text = "Station Name (0008,1010) was removed, as tools do.",
                                  .attribute = "(0008,1010)",
                                  .keyword = "StationName"});
  const std::string page = body_of(to_html({&item, 1}, made_at));
  EXPECT_THAT(page, HasSubstr("every attribute but those named below"));
  EXPECT_THAT(page, HasSubstr("<p class=\"reason\">Station Name (0008,1010) was removed"));
  EXPECT_THAT(page, Not(HasSubstr("class=\"changes\"")));
}

TEST(HtmlPage, outlines_an_exchanged_picture_once) {
  ReportItem item = test::altered_item();
  finding::Finding& finding = item.result.findings[0];
  finding.tiles.clear();
  for (std::uint32_t row = 0; row < 8; ++row)
    for (std::uint32_t column = row % 2; column < 8; column += row == 0 ? 1 : 2)
      finding.tiles.push_back({row, column});  // more than half, as islands
  ASSERT_GT(finding.tiles.size() * 2, 64U);
  finding.box = finding::Box{0, 0, 512, 512};
  const std::string page = body_of(to_html({&item, 1}, made_at));
  EXPECT_THAT(page, HasSubstr("class=\"line\" d=\"M0 0h512v512h-512z\""));
  EXPECT_EQ(occurrences(page, "class=\"line"), 1U);
}

TEST(HtmlPage, sums_up_and_folds_what_is_long) {
  ReportItem item = test::altered_item();
  item.result.findings.clear();
  item.result.image->frames = 10;
  for (std::uint32_t frame = 1; frame <= 10; ++frame)
    item.result.findings.push_back({.code = finding::Code::pixels_altered,
                                    .severity = finding::Severity::alarm,
                                    .text = "Frame " + std::to_string(frame) + ": changed tiles.",
                                    .frame = frame});
  for (unsigned i = 0; i < 60; ++i)
    item.result.findings.push_back({.code = finding::Code::attribute_removed,
                                    .severity = finding::Severity::alarm,
                                    .text = "It was sealed and is missing.",
                                    .attribute = "(0029,\"MAKER\"," + std::to_string(i) + ")"});
  item.result.findings.push_back({.code = finding::Code::attribute_removed,
                                  .severity = finding::Severity::alarm,
                                  .text = "Modality (0008,0060) was sealed and is missing.",
                                  .attribute = "(0008,0060)",
                                  .keyword = "Modality"});
  for (std::uint32_t frame = 2; frame <= 8; ++frame) {
    item.pictures.push_back(item.pictures.front());
    item.pictures.back().frame = frame;
  }
  const std::string page = body_of(to_html({&item, 1}, made_at));
  EXPECT_THAT(page, HasSubstr("10 of 10 frames differ from what was sealed."));
  EXPECT_THAT(page, HasSubstr("61 attributes that were sealed are missing. They are listed above"));
  EXPECT_THAT(page, HasSubstr("<summary>Show the other 49</summary>"));
  EXPECT_THAT(page, HasSubstr("<summary>Show the other 4 pictures</summary>"));
  EXPECT_LT(page.find(">Modality<"), page.find("MAKER")) << "names before private ones";
  EXPECT_EQ(occurrences(page, "(0029,&quot;MAKER&quot;,7)"), 1U) << "in the table, not again";
}

TEST(HtmlPage, of_several_files_starts_with_the_worst) {
  const std::string page = to_html(test::one_of_each(), made_at);
  std::size_t last = 0;
  for (const std::string_view verdict :
       {"altered", "malformed", "untrusted", "indeterminate", "unsealed", "authentic"}) {
    const std::size_t at = page.find("<li class=\"" + std::string{verdict} + "\" id=\"card-");
    ASSERT_NE(at, page.npos) << verdict;
    EXPECT_GT(at, last);
    last = at;
  }
  for (int number = 1; number <= 6; ++number) {
    const std::string id = "item-" + std::to_string(number);
    EXPECT_EQ(occurrences(page, "id=\"" + id + "\""), 1U);
    EXPECT_EQ(occurrences(page, "href=\"#" + id + "\""), 1U);
  }
}

TEST(HtmlPage, of_300_slices_stays_below_10_megabytes) {
  std::mt19937 prng{1};
  std::vector<ReportItem> items;
  for (int i = 0; i < 300; ++i) {
    const bool is_altered = i % 3 == 0;  // far more than a day brings
    ReportItem item{.result = test::sample_result(
                        is_altered ? finding::Verdict::altered : finding::Verdict::authentic,
                        "ct/" + std::to_string(i) + ".dcm"),
                    .pictures = {test::sample_picture(512, 512)},
                    .pictures_missing = {}};
    // Noise of four bits compresses worse than any scan.
    for (std::byte& sample : item.pictures[0].samples)
      sample ^= static_cast<std::byte>(prng() & 15);
    items.push_back(std::move(item));
  }
  const std::string page = to_html(items, made_at);
  EXPECT_LT(page.size(), 10'000'000U);
  EXPECT_EQ(occurrences(page, "<li class=\"altered\" id=\"card-"), 100U);
  EXPECT_THAT(page, HasSubstr("Shown small to keep this page small"));
}

TEST(HtmlPage, of_no_file_is_a_page) { EXPECT_THAT(to_html({}, made_at), HasSubstr("0 files")); }

// --- the style sheet -------------------------------------------------------------------------

/// `--name:#rrggbb` of the part of the style sheet that starts at `from`.
std::map<std::string, unsigned> colours_from(std::size_t from) {
  const std::string_view sheet = style_sheet();
  std::map<std::string, unsigned> colours;
  const std::size_t end = sheet.find('}', from);
  for (std::size_t at = sheet.find("--", from); at < end; at = sheet.find("--", at + 2)) {
    const std::size_t colon = sheet.find(':', at);
    colours[std::string{sheet.substr(at + 2, colon - at - 2)}] =
        static_cast<unsigned>(std::stoul(std::string{sheet.substr(colon + 2, 6)}, nullptr, 16));
  }
  return colours;
}

/// WCAG 2.2, relative luminance.
double luminance(unsigned rgb) {
  const auto channel = [&](int shift) {
    const double c = ((rgb >> shift) & 0xFF) / 255.0;
    return c <= 0.04045 ? c / 12.92 : std::pow((c + 0.055) / 1.055, 2.4);
  };
  return 0.2126 * channel(16) + 0.7152 * channel(8) + 0.0722 * channel(0);
}

double contrast(unsigned a, unsigned b) {
  const double la = luminance(a);
  const double lb = luminance(b);
  return (std::max(la, lb) + 0.05) / (std::min(la, lb) + 0.05);
}

TEST(StyleSheet, has_readable_contrast_in_light_dark_and_print) {
  const std::string_view sheet = style_sheet();
  for (const std::string_view scheme : {":root{color-scheme", "dark){:root", "@media print{"}) {
    SCOPED_TRACE(scheme);
    const std::size_t start = sheet.find(scheme);
    ASSERT_NE(start, sheet.npos);
    auto colours = colours_from(sheet.find(":root{", start));
    ASSERT_GE(colours.size(), 18U);
    for (const std::string_view text : {"text", "quiet", "link"}) {
      EXPECT_GE(contrast(colours[std::string{text}], colours["page"]), 4.5) << text;
      EXPECT_GE(contrast(colours[std::string{text}], colours["card"]), 4.5) << text;
    }
    for (const finding::Verdict verdict : test::all_verdicts) {
      const std::string name{verdict_text(verdict).style};
      EXPECT_GE(contrast(colours[name], colours[name + "-tint"]), 4.5) << name;
      EXPECT_GE(contrast(colours[name], colours["card"]), 4.5) << name;
      EXPECT_GE(contrast(colours["text"], colours[name + "-tint"]), 4.5) << name;
    }
  }
}

TEST(HtmlChain, speaks_of_the_seal_that_was_used_not_of_another_that_came_with_the_file) {
  ReportItem item{.result = test::sample_result(finding::Verdict::altered, "ct/0042.dcm"),
                  .pictures = {},
                  .pictures_missing = "None."};
  item.result.seal->found_in = trust::FoundIn::store;
  item.result.seal->content_matches = true;
  item.result.findings = {{.code = finding::Code::seal_invalid,
                           .severity = finding::Severity::alarm,
                           .text = "The seal in the file does not belong to this image."},
                          {.code = finding::Code::signer_untrusted,
                           .severity = finding::Severity::alarm,
                           .text = "The file carries a seal by a signer that is not accepted."}};
  const std::string page = to_html({&item, 1}, made_at);
  EXPECT_THAT(page, HasSubstr("The image matches this seal, but another one came with it."));
  EXPECT_THAT(page, HasSubstr("The trust file accepts the signer."));
  EXPECT_THAT(page, Not(HasSubstr("The seal does not hold.</")));
  item.result.seal->holds = false;
  EXPECT_THAT(to_html({&item, 1}, made_at), Not(HasSubstr("The trust file accepts the signer.")));
}

// Property: boxes and frames from nowhere outline something or nothing, and never crash.
TEST(HtmlReport, survives_any_finding) {
  const std::uint64_t seed = test::seed();
  SCOPED_TRACE("rerun with FIDUCIA_SEED=" + std::to_string(seed));
  std::mt19937_64 prng{seed};
  for (int round = 0, last = test::draws(300); round < last; ++round) {
    const auto any = [&] { return static_cast<std::uint32_t>(test::edge_biased(prng, 100)); };
    finding::Finding finding;
    finding.frame = any();
    finding.box = finding::Box{any(), any(), any(), any()};
    finding.tiles = {finding::TilePosition{any(), any()}, finding::TilePosition{any(), any()}};
    ReportItem item;
    item.result.findings = {finding};
    item.pictures = {{.frame = *finding.frame, .width = 1, .height = 1, .samples = Bytes(1)}};
    EXPECT_FALSE(to_html({&item, 1}, {}).empty());
  }
}

}  // namespace
}  // namespace fiducia::report
