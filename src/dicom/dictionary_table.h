// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <array>
#include <cstdint>

#include "dicom/tag.h"

/// The tables behind dictionary.h, written by scripts/generate-dictionary. All of it is constant
/// data that the loader maps in: no code runs at start, and texts are found by offset instead of
/// by pointer, so that a position-independent program relocates a handful of words only.
namespace fiducia::dicom::dictionary_table {

inline constexpr std::size_t row_count = 5181;
inline constexpr std::size_t repeater_count = 88;
inline constexpr std::size_t vr_set_count = 38;
inline constexpr std::size_t chunk_count = 5;
inline constexpr std::size_t recent_count = 261;
inline constexpr unsigned slot_bits = 14;
inline constexpr std::size_t slot_count = std::size_t{1} << slot_bits;

struct VrSet {
  std::array<Vr, 3> vrs;
  std::uint8_t count;
};

/// An attribute. Its keyword, then its name lie at `text_offset` of the chunk, without an end.
struct Row {
  std::uint32_t tag;
  std::uint16_t text_offset;
  std::uint8_t chunk;
  std::uint8_t keyword_length;
  std::uint8_t name_length;
  std::uint8_t vr_set;
};

/// An attribute of repeating groups or elements: it answers for (tag & mask) == row.tag.
struct Repeater {
  std::uint32_t mask;
  std::uint32_t first_tag;  // the lowest tag that no other attribute has
  Row row;
};

/// Where a tag's search starts in `slots` (multiplicative hashing, then linear probing).
[[nodiscard]] constexpr std::size_t slot_of(std::uint32_t tag) {
  return (tag * 0x9E3779B1U) >> (32 - slot_bits);
}

extern const std::array<VrSet, vr_set_count> vr_sets;
extern const std::array<Row, row_count> rows;                 // ascending by tag
extern const std::array<Repeater, repeater_count> repeaters;  // ascending by mask as printed
extern const std::array<std::uint16_t, slot_count> slots;     // 1 + index into rows; 0: free
/// All attributes ascending by keyword: below row_count into rows, then into repeaters.
extern const std::array<std::uint16_t, row_count + repeater_count> by_keyword;
extern const std::array<std::uint32_t, recent_count> recent;  // ascending
extern const std::array<const char*, chunk_count> chunks;

}  // namespace fiducia::dicom::dictionary_table
