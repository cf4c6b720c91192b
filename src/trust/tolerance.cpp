// SPDX-License-Identifier: Apache-2.0
#include "trust/tolerance.h"

#include <algorithm>
#include <array>
#include <utility>

namespace fiducia::trust {
namespace {

/// A closed list: whatever is not here is never tolerated, attributes of later editions of PS3.6
/// included. Each of them says where an object lies, how a query was answered, or what retired
/// standards wanted said; none says whose it is, what it shows, or how to show it.
struct Tolerable {
  dicom::Tag tag;
  bool retired = false;  // in PS3.6: tools drop it
};
constexpr std::array tolerable{
    Tolerable{{0x0008, 0x0010}, true},  // RecognitionCode
    Tolerable{{0x0008, 0x0040}, true},  // DataSetType
    Tolerable{{0x0008, 0x0041}, true},  // DataSetSubtype
    Tolerable{{0x0008, 0x0054}},        // RetrieveAETitle
    Tolerable{{0x0008, 0x0056}},        // InstanceAvailability
    Tolerable{{0x0008, 0x1190}},        // RetrieveURL
    Tolerable{{0x0020, 0x1000}, true},  // SeriesInStudy
    Tolerable{{0x0020, 0x1001}, true},  // AcquisitionsInSeries
    Tolerable{{0x0020, 0x1003}, true},  // ImagesInSeries
    Tolerable{{0x0020, 0x1004}, true},  // AcquisitionsInStudy
    Tolerable{{0x0020, 0x1005}, true},  // ImagesInStudy
    Tolerable{{0x0020, 0x1200}},        // NumberOfPatientRelatedStudies
    Tolerable{{0x0020, 0x1202}},        // NumberOfPatientRelatedSeries
    Tolerable{{0x0020, 0x1204}},        // NumberOfPatientRelatedInstances
    Tolerable{{0x0020, 0x1206}},        // NumberOfStudyRelatedSeries
    Tolerable{{0x0020, 0x1208}},        // NumberOfStudyRelatedInstances
    Tolerable{{0x0020, 0x1209}},        // NumberOfSeriesRelatedInstances
    Tolerable{{0x0028, 0x0005}, true},  // ImageDimensions
    Tolerable{{0x0028, 0x0040}, true},  // ImageFormat
    Tolerable{{0x0032, 0x000A}, true},  // StudyStatusID
    Tolerable{{0x0032, 0x000C}, true},  // StudyPriorityID
    Tolerable{{0x0040, 0xE010}},        // RetrieveURI
    Tolerable{{0x0040, 0xE011}},        // RetrieveLocationUID
    Tolerable{{0x0088, 0x0130}},        // StorageMediaFileSetID
    Tolerable{{0x0088, 0x0140}},        // StorageMediaFileSetUID
};
constexpr auto tolerable_tags = [] {
  std::array<dicom::Tag, tolerable.size()> tags;
  std::ranges::transform(tolerable, tags.begin(), &Tolerable::tag);
  return tags;
}();
static_assert(std::ranges::is_sorted(tolerable_tags));

/// What DCMTK, GDCM, pydicom and Orthanc do to headers and nobody needs to know more of than a note
/// says. tests/e2e/archives.py derives it: a rule that no tool needs fails there, as does a
/// difference in one of the attributes above that no rule covers.
const std::vector<ToleranceRule>& default_1() {
  static const std::vector<ToleranceRule> rules = [] {
    std::vector<ToleranceRule> out;
    for (const auto& [tag, retired] : tolerable)
      if (retired)
        out.push_back(
            {.name = "retired-" + std::string(dicom::find_dictionary_entry(tag).value().keyword),
             .tag = tag,
             .change = HeaderChange::removed,
             .from = {},
             .to = {},
             .severity = finding::Severity::note});
    return out;
  }();
  return rules;
}

bool is_one_of(const std::vector<std::string>& values,
               const std::function<bool(std::string_view)>& has) {
  return values.empty() || std::ranges::any_of(values, has);
}

}  // namespace

std::string_view to_word(HeaderChange change) {
  switch (change) {
    case HeaderChange::added:
      return "added";
    case HeaderChange::removed:
      return "removed";
    case HeaderChange::altered:
      return "altered";
  }
  std::unreachable();
}

std::vector<std::string_view> tolerance_profiles() { return {default_tolerance_profile}; }

std::optional<std::span<const ToleranceRule>> find_tolerance_profile(std::string_view name) {
  if (name == default_tolerance_profile) return default_1();
  return std::nullopt;
}

std::span<const dicom::Tag> tolerable_attributes() { return tolerable_tags; }

bool is_tolerable(dicom::Tag tag) { return std::ranges::binary_search(tolerable_tags, tag); }

std::optional<std::string> what_is_wrong_with(const ToleranceRule& rule) {
  const auto entry = dicom::find_dictionary_entry(rule.tag);
  if (!entry || !is_tolerable(rule.tag))
    return (entry ? std::string(entry->name) + " " : std::string{}) + dicom::to_string(rule.tag) +
           " is never tolerated: rules cover neither pixels, identity, geometry, windows, "
           "laterality nor private data, nor anything else that a picture or a diagnosis depends "
           "on. spec/trust.md lists what a rule may name.";
  if (rule.severity == finding::Severity::alarm)
    return "the severity of a rule is \"note\" or \"warning\".";
  if (rule.change == HeaderChange::added && !rule.from.empty())
    return "what was added had no value before: leave out \"from\".";
  if (rule.change == HeaderChange::removed && !rule.to.empty())
    return "what was removed has no value now: leave out \"to\".";
  if (rule.change == HeaderChange::altered && rule.to.empty())
    return "a rule for an altered attribute says in \"to\" which values it may have now.";
  for (const std::vector<std::string>* values : {&rule.from, &rule.to})
    for (const std::string& value : *values) {
      if (std::ranges::any_of(value, [](char c) { return c < ' ' || c > '~'; }))
        return "values of a rule are plain ASCII.";
      if (!value.empty() && !dicom::is_text(entry->vrs.front()))
        return std::string(entry->name) + " is no text: its only value in a rule is \"\", empty.";
    }
  return std::nullopt;
}

std::optional<ToleratedBy> find_tolerance(const Tolerance& tolerance,
                                          const HeaderDifference& difference) {
  const auto covers = [&](const ToleranceRule& rule) {
    // Asked again although the reader of the trust file did: nothing else may let these pass.
    if (rule.tag != difference.tag || rule.change != difference.change ||
        what_is_wrong_with(rule).has_value())
      return false;
    return (rule.change == HeaderChange::added || is_one_of(rule.from, difference.was)) &&
           (rule.change == HeaderChange::removed || is_one_of(rule.to, difference.is));
  };
  const auto own = std::ranges::find_if(tolerance.rules, covers);
  if (own != tolerance.rules.end()) return ToleratedBy{&*own, "the trust file"};
  const auto profile = find_tolerance_profile(tolerance.profile);
  if (!profile) return std::nullopt;
  const auto built_in = std::ranges::find_if(*profile, covers);
  if (built_in == profile->end()) return std::nullopt;
  return ToleratedBy{&*built_in, "the profile " + tolerance.profile};
}

canonical::CanonicalValue canonical_text(dicom::Vr vr, std::string_view text,
                                         std::string& scratch) {
  return canonical::canonical_value(vr, as_bytes(text), {}, scratch);
}

}  // namespace fiducia::trust
