// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <vector>

#include "dicom/dictionary.h"
#include "report/codes.h"
#include "report/html_parts.h"

namespace fiducia::report {
namespace {

/// Findings of one code and severity, which share their remedy.
struct Group {
  seal::Severity severity;
  std::string_view code;
  std::vector<const seal::Finding*> findings;
};

/// Longer lists are folded: a page with a thousand attributes must stay readable.
constexpr std::size_t listed_openly_max = 8;

std::vector<Group> grouped(const seal::VerifyResult& result) {
  std::vector<Group> groups;
  for (const seal::Finding& finding : result.findings) {
    const auto group = std::ranges::find_if(groups, [&](const Group& g) {
      return g.code == finding.code && g.severity == finding.severity;
    });
    if (group != groups.end()) {
      group->findings.push_back(&finding);
    } else {
      groups.push_back({finding.severity, finding.code, {&finding}});
    }
  }
  std::ranges::stable_sort(groups, std::ranges::greater{}, &Group::severity);
  return groups;
}

std::string_view severity_sign(seal::Severity severity) {
  switch (severity) {
    case seal::Severity::alarm:
      return "✗";
    case seal::Severity::warning:
      return "!";
    case seal::Severity::note:
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

void write_group(HtmlWriter& html, const Group& group) {
  const CodeEntry& entry = explain_code(group.code);
  const std::string word{seal::to_word(group.severity)};
  html.open("li", {{"class", "finding " + word}});
  html.open("p", {{"class", "severity"}});
  html.element("span", {{"class", "sign"}, {"aria-hidden", "true"}}, severity_sign(group.severity));
  html.text(" " + capitalised(word));
  html.close();
  html.open("div", {{"class", "finding-text"}});
  if (group.findings.size() == 1) {
    html.element("p", {{"class", "what"}}, group.findings.front()->text);
  } else {
    html.element(
        "p", {{"class", "what"}},
        std::string{entry.meaning} + " (" + counted(group.findings.size(), "finding") + ")");
    const bool folded = group.findings.size() > listed_openly_max;
    if (folded) {
      html.open("details");
      html.element("summary", "Show all " + std::to_string(group.findings.size()));
    }
    html.open("ul");
    for (const seal::Finding* finding : group.findings) html.element("li", finding->text);
    html.close();
    if (folded) html.close();
  }
  html.open("p", {{"class", "remedy"}});
  html.element("strong", "What to do: ");
  html.prose(entry.remedy);
  html.close();
  html.element("p", {{"class", "code"}}, group.code);
  html.close();
  html.close();
}

/// What the code of an attribute's or item's finding says happened to it, in a word or two.
std::string what_happened(const seal::Finding& finding) {
  const std::string_view code = finding.code;
  if (code.ends_with(".altered")) return "changed";
  if (code == "item.added") return "item added";
  if (code == "item.removed") return "item removed";
  if (code.ends_with(".added")) return "added";
  if (code.ends_with(".removed")) return "removed";
  return finding.text;
}

/// "Patient's Name" where PS3.6 knows the keyword, else the keyword itself.
std::string attribute_name(const std::string& keyword) {
  if (keyword.empty()) return "(private or unknown)";
  const auto tag = dicom::find_tag(keyword);
  const auto entry = tag ? dicom::find_dictionary_entry(*tag) : std::nullopt;
  return entry ? std::string{entry->name} : keyword;
}

}  // namespace

void write_changes(HtmlWriter& html, const seal::VerifyResult& result) {
  std::vector<const seal::Finding*> changes;
  for (const seal::Finding& finding : result.findings) {
    if (!finding.attribute.empty()) changes.push_back(&finding);
  }
  if (changes.empty()) return;
  const bool has_values = std::ranges::any_of(
      changes, [](const seal::Finding* finding) { return finding->current_value.has_value(); });

  html.element("h3", "Header");
  html.open("table", {{"class", "changes"}});
  html.element("caption",
               counted(changes.size(), "attribute") +
                   (changes.size() == 1 ? " differs" : " differ") + " from the seal." +
                   (has_values ? " Values shown may be patient data."
                               : " Values are not shown, for they may be patient data."));
  html.open("thead");
  html.open("tr");
  for (const std::string_view heading : {"Name", "Attribute", "What happened"}) {
    html.element("th", {{"scope", "col"}}, heading);
  }
  if (has_values) html.element("th", {{"scope", "col"}}, "Value now");
  html.close();
  html.close();
  html.open("tbody");
  for (const seal::Finding* finding : changes) {
    html.open("tr");
    html.element("th", {{"scope", "row"}}, attribute_name(finding->keyword));
    html.open("td", {{"data-label", "Attribute"}});
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

void write_findings(HtmlWriter& html, const seal::VerifyResult& result) {
  html.element("h3", "Findings and what to do");
  if (result.findings.empty()) {
    html.element("p", {{"class", "none"}}, "There are no findings.");
    return;
  }
  html.open("ul", {{"class", "findings"}});
  for (const Group& group : grouped(result)) write_group(html, group);
  html.close();
}

}  // namespace fiducia::report
