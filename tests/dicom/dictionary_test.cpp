// SPDX-License-Identifier: Apache-2.0
#include "dicom/dictionary.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>

#include "dicom/dictionary_table.h"
#include "support/support.h"

namespace fiducia::dicom {
namespace {

std::string vrs_of(const DictionaryEntry& entry) {
  std::string text;
  for (const Vr vr : entry.vrs) text += (text.empty() ? "" : " or ") + vr.text();
  return text;
}

Tag tag_of(std::uint32_t value) {
  return {static_cast<std::uint16_t>(value >> 16), static_cast<std::uint16_t>(value & 0xFFFF)};
}

// By the definition in dictionary_table.h, without hashing: what the fast path must equal.
const dictionary_table::Row* find_slowly(Tag tag) {
  if (tag.is_private()) return nullptr;
  for (const auto& row : dictionary_table::rows)
    if (row.tag == tag.value()) return &row;
  for (const auto& repeater : dictionary_table::repeaters)
    if (tag.element != 0 && (tag.value() & repeater.mask) == repeater.row.tag) return &repeater.row;
  return nullptr;
}

TEST(Dictionary, says_what_ps36_says) {
  struct Row {
    Tag tag;
    const char* keyword;
    const char* name;
    const char* vrs;
  };
  for (const Row& row : {
           Row{{0x0010, 0x0010}, "PatientName", "Patient's Name", "PN"},
           Row{{0x0000, 0x0000}, "CommandGroupLength", "Command Group Length", "UL"},
           Row{{0x0002, 0x0010}, "TransferSyntaxUID", "Transfer Syntax UID", "UI"},
           Row{{0x0008, 0x001C}, "SyntheticData", "Synthetic Data", "CS"},
           Row{{0x0008, 0x001D},
               "SensitiveContentCodeSequence",
               "Sensitive Content Code Sequence",
               "SQ"},
           Row{{0x0028, 0x0106},
               "SmallestImagePixelValue",
               "Smallest Image Pixel Value",
               "US or SS"},
           Row{{0x0028, 0x3006}, "LUTData", "LUT Data", "US or OW"},
           Row{{0x0028, 0x1200}, "GrayLookupTableData", "Gray Lookup Table Data", "US or SS or OW"},
           Row{{0x0028, 0x0400}, "TransformLabel", "Transform Label", "LO"},
           Row{{0x0028, 0x0410},
               "RowsForNthOrderCoefficients",
               "Rows For Nth Order Coefficients",
               "US"},
           Row{{0x0020, 0x3107}, "SourceImageIDs", "Source Image IDs", "CS"},
           Row{{0x5012, 0x3000}, "CurveData", "Curve Data", "OB or OW"},
           Row{{0x6000, 0x3000}, "OverlayData", "Overlay Data", "OB or OW"},
           Row{{0x601E, 0x0050}, "OverlayOrigin", "Overlay Origin", "SS"},
           Row{{0x7FE0, 0x0003},
               "EncapsulatedPixelDataValueTotalLength",
               "Encapsulated Pixel Data Value Total Length",
               "UV"},
           Row{{0x7FE0, 0x0010}, "PixelData", "Pixel Data", "OB or OW"},
           Row{{0x5200, 0x9230},
               "PerFrameFunctionalGroupsSequence",
               "Per-Frame Functional Groups Sequence",
               "SQ"},
           Row{{0x0018, 0x0000}, "", "Group Length", "UL"},
           Row{{0xFFFC, 0xFFFC}, "DataSetTrailingPadding", "Data Set Trailing Padding", "OB"},
       }) {
    SCOPED_TRACE(row.name);
    const auto entry = find_dictionary_entry(row.tag);
    ASSERT_TRUE(entry.has_value());
    EXPECT_EQ(entry->keyword, row.keyword);
    EXPECT_EQ(entry->name, row.name);
    EXPECT_EQ(vrs_of(*entry), row.vrs);
  }
}

TEST(Dictionary, knows_no_private_unknown_or_item_tag) {
  for (const Tag tag :
       {Tag{0x0009, 0x0010}, Tag{0x0009, 0x0000}, Tag{0x6001, 0x3000}, Tag{0x0011, 0x1010},
        Tag{0x0010, 0x0011}, Tag{0x7777, 0x7777}, Tag{0x8000, 0x0010}, Tag{0x6000, 0x3001},
        Tag{0xFFFF, 0xFFFF}, tags::item, tags::item_delimitation, tags::sequence_delimitation})
    EXPECT_FALSE(find_dictionary_entry(tag).has_value()) << std::hex << tag.value();
}

TEST(Dictionary, finds_every_row_by_tag_and_by_keyword) {
  std::uint64_t before = 0;
  for (const auto& row : dictionary_table::rows) {
    const Tag tag = tag_of(row.tag);
    EXPECT_TRUE(before == 0 || before < row.tag) << "out of order";
    before = row.tag;
    const auto entry = find_dictionary_entry(tag);
    ASSERT_TRUE(entry.has_value()) << std::hex << row.tag;
    EXPECT_FALSE(entry->keyword.empty());
    EXPECT_FALSE(entry->name.empty());
    ASSERT_GE(entry->vrs.size(), 1U);
    EXPECT_EQ(find_tag(entry->keyword), tag) << entry->keyword;
    // A slip in the text pool would cut into words: keywords and names start like words do.
    EXPECT_TRUE(std::ranges::all_of(entry->keyword, [](unsigned char c) {
      return std::isalnum(c) != 0;
    })) << entry->keyword;
    if (std::isalpha(static_cast<unsigned char>(entry->name.front()))) {
      EXPECT_EQ(entry->name.front() | 0x20, entry->keyword.front() | 0x20) << entry->keyword;
    }
  }
}

TEST(Dictionary, finds_every_repeating_attribute_by_tag_and_by_keyword) {
  for (const auto& repeater : dictionary_table::repeaters) {
    const Tag first = tag_of(repeater.first_tag);
    const auto entry = find_dictionary_entry(first);
    ASSERT_TRUE(entry.has_value()) << std::hex << repeater.first_tag;
    EXPECT_EQ(find_tag(entry->keyword), first) << entry->keyword;
  }
}

TEST(Dictionary, refuses_keywords_that_ps36_lacks) {
  for (const char* keyword : {"", "Patient", "patientname", "PatientName ", "PatientNam",
                              "PatientNames", "zzz", "AAA", "Item"})
    EXPECT_FALSE(find_tag(keyword).has_value()) << keyword;
}

TEST(Dictionary, hashing_agrees_with_a_plain_search) {
  const std::uint64_t seed = test::seed();
  SCOPED_TRACE("rerun with FIDUCIA_SEED=" + std::to_string(seed));
  std::mt19937_64 prng{seed};
  for (int step = 0; step < 20'000; ++step) {
    // Neighbours of known tags, where most false hits would live, and anything at all.
    std::uint32_t value = static_cast<std::uint32_t>(prng());
    if (step % 2 == 0) {
      value = dictionary_table::rows[prng() % dictionary_table::row_count].tag +
              static_cast<std::uint32_t>(prng() % 5) - 2;
    }
    const Tag tag = tag_of(value);
    if (tag.is_group_length()) continue;
    const auto* expected = find_slowly(tag);
    const auto entry = find_dictionary_entry(tag);
    ASSERT_EQ(entry.has_value(), expected != nullptr) << std::hex << value;
    if (expected != nullptr) {
      ASSERT_EQ(entry->name.size(), expected->name_length);
      ASSERT_EQ(entry->keyword.data(),
                dictionary_table::chunks[expected->chunk] + expected->text_offset);
    }
  }
}

}  // namespace
}  // namespace fiducia::dicom
