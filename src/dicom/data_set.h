// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "dicom/tag.h"

namespace fiducia::dicom {

using ElementIndex = std::uint32_t;
using ItemIndex = std::uint32_t;
inline constexpr std::uint32_t no_index = std::numeric_limits<std::uint32_t>::max();

enum class VrSource : std::uint8_t {
  file,        // explicit VR
  dictionary,  // implicit VR, or UN of a tag that PS3.6 knows (CP-246)
  structure,   // unknown tag whose undefined length, or whose bytes, are those of a sequence
  unknown,     // UN
};

/// One data element as it lies in the file. Values are borrowed from the File.
struct Element {
  Tag tag;
  Vr vr;       // how to read the value: the file's, or looked up
  Vr file_vr;  // what the file says: letters, UN, or {0,0} in implicit VR
  VrSource vr_source = VrSource::file;
  bool big_endian = false;    // the value's bytes are in big endian order
  bool encapsulated = false;  // Pixel Data in fragments: see DataSet::fragments; `value` is the run
                              // of raw items, from the header to the Sequence Delimitation Item
  bool duplicate = false;     // an element before it in the same data set has the same tag
  std::uint64_t offset = 0;   // of the tag, from the start of the file (inflated: of the data set)
  ByteView value;             // raw bytes. SQ: empty, but for one read from UN of defined length,
                              // where it holds the UN value as well
  ElementIndex next = no_index;     // next element of the same data set
  ItemIndex first_item = no_index;  // SQ with items
  std::uint32_t item_count = 0;
};

/// One item of a sequence: a nested data set.
struct Item {
  ElementIndex first_element = no_index;
  ItemIndex next = no_index;
  ElementIndex sequence = no_index;  // the element it belongs to
  std::uint64_t offset = 0;
};

/// A parsed data set: elements in the order of the file, children linked by index. Elements
/// and Items of all depths share two flat arrays; nothing here recurses.
/// Spans borrow from the bytes that were parsed. Not copyable, movable.
class DataSet {
 public:
  DataSet() = default;
  DataSet(const DataSet&) = delete;
  DataSet& operator=(const DataSet&) = delete;
  DataSet(DataSet&&) = default;
  DataSet& operator=(DataSet&&) = default;

  [[nodiscard]] const Element& element(ElementIndex i) const { return elements_[i]; }
  [[nodiscard]] const Item& item(ItemIndex i) const { return items_[i]; }
  [[nodiscard]] std::size_t element_count() const { return elements_.size(); }
  /// First element of the top level, no_index when empty.
  [[nodiscard]] ElementIndex first() const { return elements_.empty() ? no_index : 0; }
  /// The first top-level element with this tag, or nullptr.
  [[nodiscard]] const Element* find(Tag tag) const;
  /// The first element with this tag in an item, or nullptr.
  [[nodiscard]] const Element* find_in(const Item& item, Tag tag) const;
  /// Item `number`, counted from 1, of a sequence; no_index if it has fewer.
  [[nodiscard]] ItemIndex find_item(ElementIndex sequence, std::uint32_t number) const;

  /// Fragments of the top-level encapsulated Pixel Data, without the Basic Offset Table item.
  [[nodiscard]] std::span<const ByteView> fragments() const { return fragments_; }
  /// Offsets of the fragments' item tags from the first byte after the Basic Offset Table.
  [[nodiscard]] std::span<const std::uint64_t> fragment_offsets() const {
    return fragment_offsets_;
  }
  [[nodiscard]] ByteView basic_offset_table() const { return basic_offset_table_; }
  /// The value of a top-level US element as number (any endianness), absent if missing,
  /// shorter, or of another size.
  [[nodiscard]] std::optional<std::uint16_t> find_us(Tag tag) const;
  /// The first value of a top-level text element without padding, absent if missing or empty.
  [[nodiscard]] std::optional<std::string> find_text(Tag tag) const;
  /// "(5200,9230)[3].(0020,9113)", items from 1; private elements by creator.
  [[nodiscard]] std::string path_of(ElementIndex i) const;
  /// The same for an item: "(5200,9230)[3]".
  [[nodiscard]] std::string path_of_item(ItemIndex i) const;
  /// Offset of the first byte after the last top-level element: anything there is padding.
  [[nodiscard]] std::uint64_t end_offset() const { return end_offset_; }

  friend class DataSetParser;

 private:
  std::vector<Element> elements_;
  std::vector<Item> items_;
  std::vector<ElementIndex> parent_item_;  // by element: its Item, no_index at top level
  std::vector<ByteView> fragments_;
  std::vector<std::uint64_t> fragment_offsets_;
  ByteView basic_offset_table_;
  bool has_fragments_ = false;    // fragments_ are those of the first top-level Pixel Data
  std::uint64_t end_offset_ = 0;  // see end_offset()

  /// One step of a path; `first` is the first element of the data set that holds `tag`.
  [[nodiscard]] std::string step_of(ElementIndex first, Tag tag) const;
};

/// A private creator as paths and messages show it: printable ASCII stays, the rest becomes '?'; 64
/// characters at most. Empty where there is nothing but padding.
[[nodiscard]] std::string printable_creator(std::string_view value);

/// How to read a bare byte range.
struct Encoding {
  bool explicit_vr = true;
  bool big_endian = false;
};

/// Parses a data set that fills `bytes`. `origin` is the offset of bytes[0] in the file.
/// `depth` is how many sequences enclose it. Errors: truncated, malformed, over_limit; the
/// error names the element's path and offset.
[[nodiscard]] Result<DataSet> parse_data_set(ByteView bytes, Encoding encoding,
                                             std::uint64_t origin = 0, std::uint32_t depth = 0);

/// Parses `bytes` as the items of one sequence in implicit VR little endian (the value of a UN
/// element, PS3.5 section 6.2.2). The result's top level is one SQ element with tag `tag`.
[[nodiscard]] Result<DataSet> parse_implicit_items(Tag tag, ByteView bytes,
                                                   std::uint64_t origin = 0,
                                                   std::uint32_t depth = 0);

/// The value of an element as little endian bytes: `raw` itself, or a swapped copy in `scratch`.
[[nodiscard]] ByteView little_endian_value(const Element& element, Bytes& scratch);

}  // namespace fiducia::dicom
