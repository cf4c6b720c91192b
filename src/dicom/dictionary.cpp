// SPDX-License-Identifier: Apache-2.0
#include "dicom/dictionary.h"

#include <algorithm>

#include "dicom/dictionary_table.h"

namespace fiducia::dicom {
namespace {

using namespace dictionary_table;

std::string_view keyword_of(const Row& row) {
  return {chunks[row.chunk] + row.text_offset, row.keyword_length};
}

DictionaryEntry entry_of(const Row& row) {
  const VrSet& set = vr_sets[row.vr_set];
  return {.keyword = keyword_of(row),
          .name = {chunks[row.chunk] + row.text_offset + row.keyword_length, row.name_length},
          .vrs = std::span{set.vrs}.first(set.count)};
}

const Row* find_row(std::uint32_t tag) {
  // Two thirds of the slots are free, so this ends.
  for (std::size_t slot = slot_of(tag); slots[slot] != 0; slot = (slot + 1) % slot_count) {
    const Row& row = rows[slots[slot] - std::size_t{1}];
    if (row.tag == tag) return &row;
  }
  return nullptr;
}

const Row& row_by_keyword(std::uint16_t index) {
  return index < row_count ? rows[index] : repeaters[index - row_count].row;
}

constexpr Vr group_length_vr[] = {vr::ul};

}  // namespace

std::optional<DictionaryEntry> find_dictionary_entry(Tag tag) {
  if (tag.is_private()) return std::nullopt;
  if (const Row* row = find_row(tag.value())) return entry_of(*row);
  // Retired for all groups but 0000 and 0002 (PS3.5 section 7.2), and so without a keyword.
  if (tag.is_group_length())
    return DictionaryEntry{.keyword = {}, .name = "Group Length", .vrs = group_length_vr};
  // Repeaters come after plain rows: (0028,0400) is Transform Label, not Rows For Nth Order
  // Coefficients (0028,04x0).
  for (const Repeater& repeater : repeaters)
    if ((tag.value() & repeater.mask) == repeater.row.tag) return entry_of(repeater.row);
  return std::nullopt;
}

bool is_recent(Tag tag) { return std::ranges::binary_search(recent, tag.value()); }

std::optional<Tag> find_tag(std::string_view keyword) {
  const auto found = std::ranges::lower_bound(by_keyword, keyword, {}, [](std::uint16_t index) {
    return keyword_of(row_by_keyword(index));
  });
  if (found == by_keyword.end() || keyword_of(row_by_keyword(*found)) != keyword)
    return std::nullopt;
  const std::uint32_t tag =
      *found < row_count ? rows[*found].tag : repeaters[*found - row_count].first_tag;
  return Tag{static_cast<std::uint16_t>(tag >> 16), static_cast<std::uint16_t>(tag & 0xFFFF)};
}

}  // namespace fiducia::dicom
