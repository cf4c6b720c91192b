// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <set>
#include <vector>

#include "dicom/dictionary.h"
#include "finding/code.h"
#include "report/html_parts.h"
#include "seal/seal.h"

namespace fiducia::report {
namespace {

/// Findings of one code and severity, which share their remedy.
struct Group {
  finding::Severity severity;
  finding::Code code;
  std::string word;  // of code and kind
  std::vector<const finding::Finding*> findings;
};

/// Longer lists are folded: a page with a thousand attributes must stay readable.
constexpr std::size_t listed_openly_max = 8;
/// Rows of the table of the header that stand open.
constexpr std::size_t rows_openly_max = 12;

/// Whether a finding says that the header is not what was sealed: then it stands in the table. One
/// that only names an attribute (the same value in another form, readers that may disagree) does
/// not, for it would be read as a change.
bool is_header_change(const finding::Finding& finding) {
  return !finding.attribute.empty() && finding.severity != finding::Severity::note &&
         finding::about(finding.code) == finding::About::header &&
         finding.code != finding::Code::tolerated;
}

std::vector<Group> grouped(const seal::VerifyResult& result) {
  std::vector<Group> groups;
  for (const finding::Finding& finding : result.findings) {
    std::string word = finding::word_of(finding);
    const auto group = std::ranges::find_if(
        groups, [&](const Group& g) { return g.word == word && g.severity == finding.severity; });
    if (group != groups.end()) {
      group->findings.push_back(&finding);
    } else {
      groups.push_back({finding.severity, finding.code, std::move(word), {&finding}});
    }
  }
  std::ranges::stable_sort(groups, std::ranges::greater{}, &Group::severity);
  return groups;
}

std::string_view severity_sign(finding::Severity severity) {
  switch (severity) {
    case finding::Severity::alarm:
      return "✗";
    case finding::Severity::warning:
      return "!";
    case finding::Severity::note:
      return "i";
  }
  return "";
}

/// "Alarm" for "alarm".
std::string capitalised(std::string_view word) {
  std::string out{word};
  if (!out.empty() && out[0] >= 'a' && out[0] <= 'z') out[0] = static_cast<char>(out[0] - 32);
  return out;
}

/// "10 of the 10 frames differ from what was sealed."; "" when that is not what a group says.
std::string frames_that_differ(const Group& group, const seal::VerifyResult& result) {
  if (group.code != finding::Code::pixels_altered || !result.image) return {};
  std::set<std::uint32_t> frames;
  for (const finding::Finding* finding : group.findings) {
    if (!finding->frame) return {};
    frames.insert(*finding->frame);
  }
  return std::to_string(frames.size()) + " of " + counted(result.image->frames, "frame") +
         (frames.size() == 1 ? " differs" : " differ") + " from what was sealed.";
}

/// What several findings of one code say together. `in_table`: the header's table lists them.
std::string heading_of(const Group& group, const seal::VerifyResult& result, bool in_table) {
  if (std::string frames = frames_that_differ(group, result); !frames.empty()) return frames;
  const std::size_t count = group.findings.size();
  if (!in_table) {
    return std::string{finding::entry_of(group.code).meaning} + " (" + counted(count, "finding") +
           ")";
  }
  const std::string listed = " They are listed above, under Header.";
  const std::string attributes = counted(count, "attribute");
  if (group.code == finding::Code::attribute_altered)
    return attributes + " have other values than the sealed ones." + listed;
  if (group.code == finding::Code::attribute_added)
    return attributes + " were not there when the image was sealed." + listed;
  if (group.code == finding::Code::attribute_removed)
    return attributes + " that were sealed are missing." + listed;
  return std::string{finding::entry_of(group.code).meaning} + " (" + counted(count, "finding") +
         ")" + listed;
}

void write_group(HtmlWriter& html, const Group& group, const seal::VerifyResult& result) {
  const finding::CodeEntry& entry = finding::entry_of(group.code);
  const std::string word{finding::to_word(group.severity)};
  html.open("li", {{"class", "finding " + word}});
  html.open("p", {{"class", "severity"}});
  html.element("span", {{"class", "sign"}, {"aria-hidden", "true"}}, severity_sign(group.severity));
  html.text(" " + capitalised(word));
  html.close();
  html.open("div", {{"class", "finding-text"}});
  if (group.findings.size() == 1) {
    html.element("p", {{"class", "what"}}, group.findings.front()->text);
  } else {
    const bool in_table = std::ranges::all_of(
        group.findings, [](const finding::Finding* finding) { return is_header_change(*finding); });
    html.element("p", {{"class", "what"}}, heading_of(group, result, in_table));
    const bool folded = group.findings.size() > listed_openly_max;
    if (folded && !in_table) {
      html.open("details");
      html.element("summary", "Show all " + std::to_string(group.findings.size()));
    }
    if (!in_table) {
      html.open("ul");
      for (const finding::Finding* finding : group.findings) html.element("li", finding->text);
      html.close();
    }
    if (folded && !in_table) html.close();
  }
  html.open("p", {{"class", "remedy"}});
  html.element("strong", "What to do: ");
  html.prose(entry.remedy);
  html.close();
  html.element("p", {{"class", "code"}}, group.word);
  html.close();
  html.close();
}

/// What the code of an attribute's or item's finding says happened to it, in a word or two; what
/// the finding says itself where it says more.
std::string what_happened(const finding::Finding& finding) {
  const finding::Code code = finding.code;
  if (code == finding::Code::attribute_altered && finding.text.ends_with(" differs from the seal."))
    return "changed";
  if (code == finding::Code::item_added) return "item added";
  if (code == finding::Code::item_removed) return "item removed";
  if (code == finding::Code::attribute_added) return "added";
  if (code == finding::Code::attribute_removed) return "removed";
  return finding.text;
}

/// "Patient's Name" where PS3.6 knows the keyword, else the keyword itself.
std::string attribute_name(const std::string& keyword) {
  if (keyword.empty()) return "(private or unknown)";
  const auto tag = dicom::find_tag(keyword);
  const auto entry = tag ? dicom::find_dictionary_entry(*tag) : std::nullopt;
  return entry ? std::string{entry->name} : keyword;
}

using Changes = std::vector<const finding::Finding*>;

/// A table of some of the changes; `caption` "" for the second part of one.
void write_table(HtmlWriter& html, std::span<const finding::Finding* const> changes,
                 bool has_values, std::string_view caption) {
  html.open("table", {{"class", "changes"}});
  if (!caption.empty()) html.element("caption", caption);
  html.open("thead");
  html.open("tr");
  for (const std::string_view heading : {"Name", "Attribute", "What happened"}) {
    html.element("th", {{"scope", "col"}}, heading);
  }
  if (has_values) html.element("th", {{"scope", "col"}}, "Value now");
  html.close();
  html.close();
  html.open("tbody");
  for (const finding::Finding* finding : changes) {
    html.open("tr");
    html.element("th", {{"scope", "row"}}, attribute_name(finding->keyword));
    html.open("td", {{"class", "path"}, {"data-label", "Attribute"}});
    html.element("code", finding->attribute);
    html.close();
    html.element("td", {{"data-label", "What happened"}}, what_happened(*finding));
    if (has_values) {
      html.open("td", {{"data-label", "Value now"}});
      if (finding->current_value) html.element("bdi", *finding->current_value);
      html.close();
    }
    html.close();
  }
  html.close();
  html.close();
}

}  // namespace

void write_changes(HtmlWriter& html, const seal::VerifyResult& result) {
  Changes changes;
  for (const finding::Finding& finding : result.findings) {
    if (is_header_change(finding)) changes.push_back(&finding);
  }
  if (changes.empty()) return;
  // What has a name is what a physician looks for; private ones are for whoever made them.
  std::ranges::stable_partition(
      changes, [](const finding::Finding* finding) { return !finding->keyword.empty(); });
  const bool has_values = std::ranges::any_of(
      changes, [](const finding::Finding* finding) { return finding->current_value.has_value(); });

  html.element("h3", "Header");
  const std::string caption = counted(changes.size(), "attribute") +
                              (changes.size() == 1 ? " differs" : " differ") + " from the seal." +
                              (has_values ? " Values shown may be patient data."
                                          : " Values are not shown, for they may be patient data.");
  const std::size_t open = changes.size() > rows_openly_max + 1 ? rows_openly_max : changes.size();
  const std::span<const finding::Finding* const> all{changes};
  write_table(html, all.first(open), has_values, caption);
  if (open == all.size()) return;
  html.open("details", {{"class", "more"}});
  html.element("summary", "Show the other " + std::to_string(all.size() - open));
  write_table(html, all.subspan(open), has_values, "");
  html.close();
}

void write_findings(HtmlWriter& html, const seal::VerifyResult& result) {
  html.element("h3", "Findings and what to do");
  if (result.findings.empty()) {
    html.element("p", {{"class", "none"}}, "There are no findings.");
    return;
  }
  html.open("ul", {{"class", "findings"}});
  for (const Group& group : grouped(result)) write_group(html, group, result);
  html.close();
}

}  // namespace fiducia::report
