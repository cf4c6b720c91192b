// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "canonical/value.h"
#include "dicom/dicom.h"
#include "finding/finding.h"

namespace fiducia::trust {

/// How a header can differ from what was sealed in one attribute.
enum class HeaderChange : std::uint8_t { added, removed, altered };
/// The word of the trust file.
[[nodiscard]] std::string_view to_word(HeaderChange change);

/// One difference that a site takes as harmless, for one attribute at the top level of a data set.
struct ToleranceRule {
  std::string name;  // unique in its file or profile
  dicom::Tag tag;    // one of tolerable_attributes()
  HeaderChange change = HeaderChange::added;
  /// Values as they were sealed (of removed and altered), and as they are now (of added and
  /// altered); empty lists take any. "" is an empty attribute. Compared by canonical value.
  std::vector<std::string> from;
  std::vector<std::string> to;
  finding::Severity severity = finding::Severity::note;  // never an alarm
  bool operator==(const ToleranceRule&) const = default;
};

/// What a trust file tolerates (spec/trust.md 8): the rules of a built-in profile, and its own.
struct Tolerance {
  std::string profile;               // "default-1"; empty: none
  std::vector<ToleranceRule> rules;  // of the file itself
  bool operator==(const Tolerance&) const = default;
};

/// The profile that `fiducia init` names in its trust file.
inline constexpr std::string_view default_tolerance_profile = "default-1";
/// The names of the built-in profiles.
[[nodiscard]] std::vector<std::string_view> tolerance_profiles();
/// The rules of a built-in profile; absent when there is none of that name.
[[nodiscard]] std::optional<std::span<const ToleranceRule>> find_tolerance_profile(
    std::string_view name);

/// The only attributes that a rule may name, ascending: by which archives keep their books, and
/// which nothing that a reader shows or concludes depends on. A closed list, so that pixels,
/// identity, geometry, windows, laterality and whatever a later edition of PS3.6 brings are never
/// covered.
[[nodiscard]] std::span<const dicom::Tag> tolerable_attributes();
[[nodiscard]] bool is_tolerable(dicom::Tag tag);

/// Why these are no rule that can be kept; absent when they are one.
[[nodiscard]] std::optional<std::string> what_is_wrong_with(const ToleranceRule& rule);

/// What a header comparison found in one attribute.
struct HeaderDifference {
  dicom::Tag tag;
  HeaderChange change = HeaderChange::added;
  /// Whether the attribute was sealed with this value, given as text ("" for empty).
  std::function<bool(std::string_view)> was;
  /// Whether it has it now.
  std::function<bool(std::string_view)> is;
};

/// The rule that covers a difference, and the profile that it is from, as a sentence names them.
struct ToleratedBy {
  const ToleranceRule* rule = nullptr;
  std::string profile;  // "the profile default-1", or "the trust file"
};
/// The first rule of the trust file, else of its profile, that covers `difference`.
[[nodiscard]] std::optional<ToleratedBy> find_tolerance(const Tolerance& tolerance,
                                                        const HeaderDifference& difference);

/// The canonical value of an attribute that reads as `text` (ASCII) under `vr`. `scratch` holds it.
[[nodiscard]] canonical::CanonicalValue canonical_text(dicom::Vr vr, std::string_view text,
                                                       std::string& scratch);

}  // namespace fiducia::trust
