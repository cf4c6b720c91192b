// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>
#include <vector>

#include "dicom/data_set.h"

namespace fiducia::test {

/// What holds for every parsed data set, whatever the input was: the sentence of the first rule
/// that is broken, or "". Shared by tests and fuzzers, hence a header.
/// `origin` is what element offsets count from, `bytes` what was parsed.
[[nodiscard]] inline std::string broken_invariant(const dicom::DataSet& data_set, ByteView bytes,
                                                  std::uint64_t origin) {
  using dicom::no_index;
  const auto inside = [&](ByteView span) {
    return span.empty() || (span.data() >= bytes.data() &&
                            span.data() + span.size() <= bytes.data() + bytes.size());
  };
  std::vector<char> seen(data_set.element_count(), 0);
  std::vector<char> seen_item;
  struct Level {
    dicom::ElementIndex element;
    dicom::ItemIndex item;
    dicom::ElementIndex owner;
    std::size_t depth;
  };
  std::vector<Level> stack;
  stack.push_back({data_set.first(), no_index, no_index, 0});
  std::size_t visited = 0;
  while (!stack.empty()) {
    Level& level = stack.back();
    if (level.item != no_index) {
      if (level.item >= seen_item.size()) seen_item.resize(level.item + 1, 0);
      if (seen_item[level.item]++ != 0) return "an item is reached once";
      const dicom::Item& item = data_set.item(level.item);
      if (item.sequence != level.owner) return "an item names its sequence";
      if (item.offset < origin || item.offset > origin + bytes.size())
        return "an item's offset lies in the bytes";
      level.item = item.next;
      stack.push_back({item.first_element, no_index, no_index, level.depth});
      continue;
    }
    if (level.element == no_index) {
      stack.pop_back();
      continue;
    }
    const dicom::ElementIndex index = level.element;
    if (index >= data_set.element_count()) return "an element's index is in range";
    if (seen[index]++ != 0) return "an element is reached once";
    ++visited;
    const dicom::Element& element = data_set.element(index);
    level.element = element.next;
    if (element.next != no_index && element.next <= index) return "elements are in file order";
    if (!inside(element.value)) return "a value lies inside the bytes";
    if (element.offset < origin || element.offset > origin + bytes.size())
      return "an element's offset lies in the bytes";
    if (element.vr == dicom::Vr{}) return "an element has a VR";
    std::uint32_t items = 0;
    for (auto i = element.first_item; i != no_index && items <= element.item_count;
         i = data_set.item(i).next)
      ++items;
    if (items != element.item_count) return "a sequence has as many items as it counts";
    if (element.first_item != no_index) {
      if (element.vr != dicom::vr::sq) return "only sequences have items";
      if (level.depth + 1 > limits::nesting_depth_max) return "nesting stays in its limit";
      stack.push_back({no_index, element.first_item, index, level.depth + 1});
    }
  }
  if (visited != data_set.element_count()) return "every element is reached";
  if (data_set.fragments().size() != data_set.fragment_offsets().size())
    return "every fragment has an offset";
  for (std::size_t i = 0; i < data_set.fragments().size(); ++i) {
    const ByteView fragment = data_set.fragments()[i];
    if (!inside(fragment)) return "a fragment lies inside the bytes";
    if (i > 0 && data_set.fragment_offsets()[i] !=
                     data_set.fragment_offsets()[i - 1] + 8 + data_set.fragments()[i - 1].size())
      return "fragments follow each other";
  }
  if (!inside(data_set.basic_offset_table())) return "the offset table lies inside the bytes";
  return "";
}

/// Whether two parses of the same bytes gave the same result.
[[nodiscard]] inline bool same_structure(const dicom::DataSet& a, const dicom::DataSet& b) {
  if (a.element_count() != b.element_count() || a.fragments().size() != b.fragments().size())
    return false;
  for (dicom::ElementIndex i = 0; i < a.element_count(); ++i) {
    const dicom::Element& x = a.element(i);
    const dicom::Element& y = b.element(i);
    if (x.tag != y.tag || x.vr != y.vr || x.file_vr != y.file_vr || x.vr_source != y.vr_source ||
        x.big_endian != y.big_endian || x.encapsulated != y.encapsulated ||
        x.duplicate != y.duplicate || x.offset != y.offset || x.next != y.next ||
        x.first_item != y.first_item || x.item_count != y.item_count ||
        !same_bytes(x.value, y.value))
      return false;
  }
  return true;
}

}  // namespace fiducia::test
