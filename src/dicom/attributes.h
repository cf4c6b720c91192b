// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "dicom/character_set.h"
#include "dicom/data_set.h"
#include "dicom/path.h"
#include "dicom/typed.h"

namespace fiducia::dicom {

/// The value of one element, read by its VR. Cheap; borrows from the DataSet and from what that was
/// parsed from. Thread-safe as the DataSet is.
///
/// Errors of all readers hold path and offset, never the value: unsupported (kind "vr": this VR has
/// no such values), malformed (kind "value": not in the form of PS3.5 section 6.2; "multiplicity":
/// not exactly one value where one is asked for; "character_set": bytes that the Specific Character
/// Set does not decode), over_limit (more than limits::attribute_values_max values).
/// An empty element has no values. A single empty value among others (PS3.5 section 6.4) is an
/// empty text, and no number, date or UID.
class Value {
 public:
  Value(const DataSet& data_set, ElementIndex index, const CharacterSet& character_set)
      : data_set_(&data_set), index_(index), character_set_(character_set) {}

  [[nodiscard]] const Element& element() const { return data_set_->element(index_); }
  [[nodiscard]] ElementIndex index() const { return index_; }
  /// The one in force where the element stands.
  [[nodiscard]] const CharacterSet& character_set() const { return character_set_; }
  /// Nothing, or nothing but padding.
  [[nodiscard]] bool is_empty() const;
  /// How many values there are (PS3.5 section 6.4); items of a sequence.
  [[nodiscard]] Result<std::size_t> count() const;

  /// Text of any textual VR as UTF-8, DS and IS included, in the form of the file.
  [[nodiscard]] Result<std::vector<std::string>> texts() const;
  /// PN.
  [[nodiscard]] Result<std::vector<PersonName>> person_names() const;
  /// IS US SS UL SL UV SV, and OB OW OL OV as unsigned words. UV and OV past the largest int64 are
  /// refused.
  [[nodiscard]] Result<std::vector<std::int64_t>> integers() const;
  /// DS FL FD OF OD, and all that integers() reads, as the nearest double.
  [[nodiscard]] Result<std::vector<double>> numbers() const;
  [[nodiscard]] Result<std::vector<std::chrono::year_month_day>> dates() const;  // DA
  [[nodiscard]] Result<std::vector<TimeOfDay>> times() const;                    // TM
  [[nodiscard]] Result<std::vector<DateTime>> date_times() const;                // DT
  [[nodiscard]] Result<std::vector<Age>> ages() const;                           // AS
  [[nodiscard]] Result<std::vector<std::string>> uids() const;                   // UI
  [[nodiscard]] Result<std::vector<Tag>> tags() const;                           // AT

  /// The only value: for attributes whose value multiplicity is 1.
  [[nodiscard]] Result<std::string> text() const;
  [[nodiscard]] Result<PersonName> person_name() const;
  [[nodiscard]] Result<std::int64_t> integer() const;
  [[nodiscard]] Result<double> number() const;
  [[nodiscard]] Result<std::chrono::year_month_day> date() const;
  [[nodiscard]] Result<TimeOfDay> time() const;
  [[nodiscard]] Result<DateTime> date_time() const;
  [[nodiscard]] Result<Age> age() const;
  [[nodiscard]] Result<std::string> uid() const;
  [[nodiscard]] Result<Tag> tag() const;

 private:
  template <class T>
  [[nodiscard]] Result<std::vector<T>> each(Vr vr, Result<T> (*read)(std::string_view)) const;
  template <class T>
  [[nodiscard]] Result<T> only(Result<std::vector<T>> values) const;
  [[nodiscard]] std::unexpected<Error> located(Error error) const;
  [[nodiscard]] std::unexpected<Error> wrong_vr(const char* what) const;
  [[nodiscard]] Status check_count(std::size_t count) const;

  const DataSet* data_set_;
  ElementIndex index_;
  CharacterSet character_set_;
};

/// The attributes of one data set: the top level, or an item. Finds by tag or path; character sets
/// are inherited by items that have none of their own (PS3.3 C.12.1.1.2). Where a tag stands
/// several times the first one counts, as for every reader of this project. Borrows from the
/// DataSet.
class Attributes {
 public:
  /// The top level.
  explicit Attributes(const DataSet& data_set);

  /// An attribute of this data set, if it is there.
  [[nodiscard]] std::optional<Value> find(Tag tag) const { return find(AttributePath(tag)); }
  /// At any depth below it. Of a path to an item nothing is found.
  [[nodiscard]] std::optional<Value> find(const AttributePath& path) const;
  /// The same; malformed (kind "missing") when it is not there or is empty.
  [[nodiscard]] Result<Value> require(const AttributePath& path) const;
  /// The items of a sequence; none where it is missing, empty, or no sequence.
  [[nodiscard]] std::vector<Attributes> items(const AttributePath& sequence) const;
  /// The item that the path names, if it is there.
  [[nodiscard]] std::optional<Attributes> find_item(const AttributePath& item) const;

  /// The one in force here.
  [[nodiscard]] const CharacterSet& character_set() const { return character_set_; }
  [[nodiscard]] const DataSet& data_set() const { return *data_set_; }
  /// The first element of this data set, no_index when empty.
  [[nodiscard]] ElementIndex first() const { return first_; }
  /// Date and time of a DA and a TM attribute as one, with Timezone Offset From UTC (0008,0201) of
  /// this data set where it has one. Absent when the date is missing or empty; a missing time
  /// leaves the precision at the day. Errors: those of Value.
  [[nodiscard]] Result<std::optional<DateTime>> find_date_time(Tag date, Tag time) const;

 private:
  Attributes(const DataSet& data_set, ElementIndex first, const CharacterSet& inherited);
  /// The item that the last of the steps names; all of them name one.
  [[nodiscard]] std::optional<Attributes> enter(std::span<const PathStep> steps) const;
  const DataSet* data_set_;
  ElementIndex first_;
  CharacterSet character_set_;
};

}  // namespace fiducia::dicom
