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
constexpr std::array tolerable{
    dicom::Tag{0x0008, 0x0010},  // RecognitionCode (retired)
    dicom::Tag{0x0008, 0x0040},  // DataSetType (retired)
    dicom::Tag{0x0008, 0x0041},  // DataSetSubtype (retired)
    dicom::Tag{0x0008, 0x0054},  // RetrieveAETitle
    dicom::Tag{0x0008, 0x0056},  // InstanceAvailability
    dicom::Tag{0x0008, 0x1190},  // RetrieveURL
    dicom::Tag{0x0020, 0x1000},  // SeriesInStudy (retired)
    dicom::Tag{0x0020, 0x1001},  // AcquisitionsInSeries (retired)
    dicom::Tag{0x0020, 0x1003},  // ImagesInSeries (retired)
    dicom::Tag{0x0020, 0x1004},  // AcquisitionsInStudy (retired)
    dicom::Tag{0x0020, 0x1005},  // ImagesInStudy (retired)
    dicom::Tag{0x0020, 0x1200},  // NumberOfPatientRelatedStudies
    dicom::Tag{0x0020, 0x1202},  // NumberOfPatientRelatedSeries
    dicom::Tag{0x0020, 0x1204},  // NumberOfPatientRelatedInstances
    dicom::Tag{0x0020, 0x1206},  // NumberOfStudyRelatedSeries
    dicom::Tag{0x0020, 0x1208},  // NumberOfStudyRelatedInstances
    dicom::Tag{0x0020, 0x1209},  // NumberOfSeriesRelatedInstances
    dicom::Tag{0x0028, 0x0005},  // ImageDimensions (retired)
    dicom::Tag{0x0028, 0x0040},  // ImageFormat (retired)
    dicom::Tag{0x0032, 0x000A},  // StudyStatusID (retired)
    dicom::Tag{0x0032, 0x000C},  // StudyPriorityID (retired)
    dicom::Tag{0x0040, 0xE010},  // RetrieveURI
    dicom::Tag{0x0040, 0xE011},  // RetrieveLocationUID
    dicom::Tag{0x0088, 0x0130},  // StorageMediaFileSetID
    dicom::Tag{0x0088, 0x0140},  // StorageMediaFileSetUID
};
static_assert(std::ranges::is_sorted(tolerable));

/// What DCMTK, GDCM, pydicom and Orthanc do to headers and nobody needs to know more of than a note
/// says. tests/e2e/archives.py derives it: a rule that no tool needs fails there, as does a
/// difference in one of the attributes above that no rule covers.
const std::vector<ToleranceRule>& default_1() {
  static const std::vector<ToleranceRule> rules = [] {
    constexpr std::array retired{
        dicom::Tag{0x0008, 0x0010}, dicom::Tag{0x0008, 0x0040}, dicom::Tag{0x0008, 0x0041},
        dicom::Tag{0x0020, 0x1000}, dicom::Tag{0x0020, 0x1001}, dicom::Tag{0x0020, 0x1003},
        dicom::Tag{0x0020, 0x1004}, dicom::Tag{0x0020, 0x1005}, dicom::Tag{0x0028, 0x0005},
        dicom::Tag{0x0028, 0x0040}, dicom::Tag{0x0032, 0x000A}, dicom::Tag{0x0032, 0x000C}};
    std::vector<ToleranceRule> out;
    for (const dicom::Tag tag : retired)
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

std::span<const dicom::Tag> tolerable_attributes() { return tolerable; }

bool is_tolerable(dicom::Tag tag) { return std::ranges::binary_search(tolerable, tag); }

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
