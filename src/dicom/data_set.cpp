// SPDX-License-Identifier: Apache-2.0
#include "dicom/data_set.h"

#include <algorithm>

#include "dicom/data_set_parser.h"
#include "dicom/padding.h"
#include "dicom/vr_table.h"

namespace fiducia::dicom {

std::string printable_creator(std::string_view value) {
  std::string out;
  for (const char c : trimmed(value).substr(0, 64))
    out += c >= ' ' && c < 0x7F && c != '"' ? c : '?';
  return out;
}

const Element* DataSet::find(Tag tag) const {
  for (ElementIndex i = first(); i != no_index; i = elements_[i].next)
    if (elements_[i].tag == tag) return &elements_[i];
  return nullptr;
}

const Element* DataSet::find_in(const Item& item, Tag tag) const {
  for (ElementIndex i = item.first_element; i != no_index; i = elements_[i].next)
    if (elements_[i].tag == tag) return &elements_[i];
  return nullptr;
}

ItemIndex DataSet::find_item(ElementIndex sequence, std::uint32_t number) const {
  const Element& element = elements_[sequence];
  if (number == 0 || number > element.item_count) return no_index;
  ItemIndex item = element.first_item;
  while (--number > 0) item = items_[item].next;
  return item;
}

std::optional<std::uint16_t> DataSet::find_us(Tag tag) const {
  const Element* element = find(tag);
  if (element == nullptr || element->value.size() != 2) return std::nullopt;
  return element->big_endian ? load_be<std::uint16_t>(element->value.data())
                             : load_le<std::uint16_t>(element->value.data());
}

std::optional<std::string> DataSet::find_text(Tag tag) const {
  const Element* element = find(tag);
  if (element == nullptr) return std::nullopt;
  std::string_view text = as_text(element->value);
  // Bytes that are no text are shown as if they were: their first line up to a `\`.
  if (!is_text(element->vr) || is_multi_valued(element->vr)) text = text.substr(0, text.find('\\'));
  text = trimmed(text);
  if (text.empty()) return std::nullopt;
  return std::string(text);
}

std::string DataSet::step_of(ElementIndex first, Tag tag) const {
  const std::string plain = to_string(tag);
  if (!tag.is_private() || tag.element < 0x10) return plain;
  const bool is_creator = tag.is_private_creator();
  const auto block = static_cast<std::uint16_t>(is_creator ? tag.element : tag.element >> 8U);
  for (ElementIndex i = first; i != no_index; i = elements_[i].next) {
    const Element& element = elements_[i];
    if (element.tag != Tag{tag.group, block} || !element.tag.is_private_creator()) continue;
    const std::string creator = printable_creator(as_text(element.value));
    if (creator.empty()) return plain;
    std::string text = plain.substr(0, 6) + "\"" + creator + "\"";
    if (!is_creator) text += "," + plain.substr(8, 2);
    return text + ")";
  }
  return plain;
}

std::string DataSet::path_of_item(ItemIndex i) const {
  const ElementIndex sequence = items_[i].sequence;
  std::size_t number = 1;
  for (ItemIndex other = elements_[sequence].first_item; other != i && other != no_index;
       other = items_[other].next)
    ++number;
  return path_of(sequence) + "[" + std::to_string(number) + "]";
}

std::string DataSet::path_of(ElementIndex i) const {
  std::string text;
  for (;;) {
    const ItemIndex item = parent_item_[i];
    const std::string step =
        step_of(item == no_index ? first() : items_[item].first_element, elements_[i].tag);
    text = text.empty() ? step : step + text;
    if (item == no_index) return text;
    const ElementIndex sequence = items_[item].sequence;
    std::size_t number = 1;
    for (ItemIndex other = elements_[sequence].first_item; other != item && other != no_index;
         other = items_[other].next)
      ++number;
    text = "[" + std::to_string(number) + "]." + text;
    i = sequence;
  }
}

Result<DataSet> parse_data_set(ByteView bytes, Encoding encoding, std::uint64_t origin,
                               std::uint32_t depth) {
  return DataSetParser(bytes, origin, depth).read_data_set(encoding);
}

Result<DataSet> parse_implicit_items(Tag tag, ByteView bytes, std::uint64_t origin,
                                     std::uint32_t depth) {
  return DataSetParser(bytes, origin, depth).read_implicit_items(tag);
}

ByteView little_endian_value(const Element& element, Bytes& scratch) {
  const std::size_t unit = swap_unit_bytes(element.vr);
  if (!element.big_endian || unit == 1 || element.encapsulated) return element.value;
  scratch.assign(element.value.begin(), element.value.end());
  for (std::size_t at = 0; at + unit <= scratch.size(); at += unit)
    std::reverse(scratch.begin() + static_cast<std::ptrdiff_t>(at),
                 scratch.begin() + static_cast<std::ptrdiff_t>(at + unit));
  return scratch;
}

}  // namespace fiducia::dicom
