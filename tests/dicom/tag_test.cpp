// SPDX-License-Identifier: Apache-2.0
#include "dicom/tag.h"

#include <gtest/gtest.h>

namespace fiducia::dicom {
namespace {

TEST(Tag, prints_as_the_standard_does) {
  EXPECT_EQ(to_string(tags::pixel_data), "(7FE0,0010)");
  EXPECT_EQ(to_string(Tag{0x0009, 0xABCD}), "(0009,ABCD)");
}

TEST(Tag, knows_private_creators) {
  EXPECT_TRUE((Tag{0x0029, 0x0010}).is_private_creator());
  EXPECT_TRUE((Tag{0x0029, 0x00FF}).is_private_creator());
  EXPECT_FALSE((Tag{0x0029, 0x000F}).is_private_creator());
  EXPECT_FALSE((Tag{0x0029, 0x0100}).is_private_creator());
  EXPECT_FALSE((Tag{0x0028, 0x0010}).is_private_creator());
}

// PS3.5 tables 6.2-1 and 7.1-1, all 34 VRs.
TEST(Vr, has_the_properties_of_table_6_2_1) {
  struct Row {
    const char* vr;
    bool long_header;
    unsigned swap;
    bool text;
  };
  constexpr Row rows[] = {{"AE", false, 1, false}, {"AS", false, 1, false}, {"AT", false, 2, false},
                          {"CS", false, 1, false}, {"DA", false, 1, false}, {"DS", false, 1, false},
                          {"DT", false, 1, false}, {"FD", false, 8, false}, {"FL", false, 4, false},
                          {"IS", false, 1, false}, {"LO", false, 1, true},  {"LT", false, 1, true},
                          {"OB", true, 1, false},  {"OD", true, 8, false},  {"OF", true, 4, false},
                          {"OL", true, 4, false},  {"OV", true, 8, false},  {"OW", true, 2, false},
                          {"PN", false, 1, true},  {"SH", false, 1, true},  {"SL", false, 4, false},
                          {"SQ", true, 1, false},  {"SS", false, 2, false}, {"ST", false, 1, true},
                          {"SV", true, 8, false},  {"TM", false, 1, false}, {"UC", true, 1, true},
                          {"UI", false, 1, false}, {"UL", false, 4, false}, {"UN", true, 1, false},
                          {"UR", true, 1, false},  {"US", false, 2, false}, {"UT", true, 1, true},
                          {"UV", true, 8, false}};
  std::size_t known = 0;
  for (int a = 0; a < 256; ++a)
    for (int b = 0; b < 256; ++b)
      if (is_known_vr(Vr{static_cast<char>(a), static_cast<char>(b)})) ++known;
  EXPECT_EQ(known, std::size(rows));
  for (const Row& row : rows) {
    SCOPED_TRACE(row.vr);
    const Vr vr{row.vr[0], row.vr[1]};
    EXPECT_TRUE(is_known_vr(vr));
    EXPECT_EQ(has_long_header(vr), row.long_header);
    EXPECT_EQ(swap_unit_bytes(vr), row.swap);
    EXPECT_EQ(has_character_set(vr), row.text);
  }
}

TEST(Vr, other_letters_are_none) {
  for (const Vr vr : {Vr{'o', 'b'}, Vr{'O', 'X'}, Vr{}, Vr{'?', '?'}, Vr{'\xFF', '\xFF'}}) {
    EXPECT_FALSE(is_known_vr(vr));
    EXPECT_FALSE(has_long_header(vr));
    EXPECT_EQ(swap_unit_bytes(vr), 1U);
  }
}

}  // namespace
}  // namespace fiducia::dicom
