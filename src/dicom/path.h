// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "dicom/data_set.h"

namespace fiducia::dicom {

/// One attribute on the way to a value.
struct PathStep {
  Tag tag;                        // of a private attribute that `creator` names: (gggg,00ee)
  std::string creator = {};       // as DataSet::path_of prints it; empty: `tag` says it all
  bool is_creator = false;        // the element of `creator` itself, (gggg,00bb)
  std::uint32_t item_number = 0;  // from 1, as people count; 0: the attribute itself
  bool operator==(const PathStep&) const = default;
};

/// Names an attribute, or an item, at any depth, in the words that DataSet::path_of prints:
/// "(0040,0275)[1].(0040,0007)", `(0029,"ACME",10)`, `(0029,"ACME")` for the creator's element;
/// also by keyword (PS3.6): "RequestAttributesSequence[1].ScheduledProcedureStepDescription".
/// Items count from 1. All steps but the last one name an item.
class AttributePath {
 public:
  AttributePath(Tag tag) : steps_{{.tag = tag}} {}  // NOLINT(google-explicit-constructor)
  /// Errors: usage_invalid (the text is no path, or no attribute has the keyword; deeper than
  /// limits::nesting_depth_max).
  [[nodiscard]] static Result<AttributePath> parse(std::string_view text);

  /// At least one.
  [[nodiscard]] std::span<const PathStep> steps() const { return steps_; }
  /// Whether the last step names an item.
  [[nodiscard]] bool is_item() const { return steps_.back().item_number != 0; }
  /// The same attribute's item `number`, from 1.
  [[nodiscard]] AttributePath item(std::uint32_t number) const;
  /// `step` inside the item that this path names.
  [[nodiscard]] AttributePath inside(PathStep step) const;
  /// With tags, not keywords; parse() gives the same path back.
  [[nodiscard]] std::string text() const;
  bool operator==(const AttributePath&) const = default;

 private:
  friend class EditableDataSet;
  AttributePath() = default;
  std::vector<PathStep> steps_;
};

/// The element that the step names in the data set whose first element is `first`, the first of
/// several; no_index if there is none. The item number does not matter.
[[nodiscard]] ElementIndex find_step(const DataSet& data_set, ElementIndex first,
                                     const PathStep& step);
/// The element at `path`; of an item its sequence. no_index if any step of it is not there.
[[nodiscard]] ElementIndex find_element(const DataSet& data_set, const AttributePath& path);

}  // namespace fiducia::dicom
