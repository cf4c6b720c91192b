// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <optional>
#include <vector>

#include "dicom/dicom.h"

namespace fiducia::render {

/// Where attributes are looked for: the top level of a data set, or one of its items.
class Scope {
 public:
  explicit Scope(const dicom::DataSet& data_set) : data_set_(&data_set) {}
  Scope(const dicom::DataSet& data_set, const dicom::Item& item)
      : data_set_(&data_set), item_(&item) {}

  [[nodiscard]] const dicom::Element* find(dicom::Tag tag) const;
  /// The item with this index (from 0) of a sequence.
  [[nodiscard]] std::optional<Scope> find_item(dicom::Tag sequence, std::uint32_t index) const;
  /// The first value of a DS or IS element; absent when it is missing or no finite number.
  [[nodiscard]] std::optional<double> find_number(dicom::Tag tag) const;
  /// The first value of a text element without padding, "" when it is missing.
  [[nodiscard]] std::string find_text(dicom::Tag tag) const;
  /// The 16-bit words of an element in the machine's order, at most `count_max`.
  [[nodiscard]] std::vector<std::uint16_t> find_words(dicom::Tag tag, std::size_t count_max) const;

 private:
  const dicom::DataSet* data_set_;
  const dicom::Item* item_ = nullptr;  // null: the top level
};

/// A lookup table with its descriptor (PS3.3 C.11.1.1, C.11.2.1.1, C.7.6.3.1.5).
///
/// Invariant: `values` is not empty; a table shorter than it claims answers with what is there.
struct LookupTable {
  std::vector<std::uint16_t> values;
  std::int64_t first = 0;  // the input that values[0] answers
  unsigned bits = 16;      // of an output, 8..16

  [[nodiscard]] std::uint16_t map(std::int64_t input) const;
  /// What stands for white. Goes over all of `values`.
  [[nodiscard]] std::uint32_t output_max() const;
};

/// `is_signed`: how the first mapped value reads when its VR does not say. Absent when the
/// descriptor is no such thing, or there is no data.
[[nodiscard]] std::optional<LookupTable> read_lookup_table(const Scope& scope,
                                                           dicom::Tag descriptor, dicom::Tag data,
                                                           bool is_signed);

/// The same from segmented data (PS3.3 C.7.9.2).
[[nodiscard]] std::optional<LookupTable> read_segmented_table(const Scope& scope,
                                                              dicom::Tag descriptor,
                                                              dicom::Tag data, bool is_signed);

}  // namespace fiducia::render
