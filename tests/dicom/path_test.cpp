// SPDX-License-Identifier: Apache-2.0
#include "dicom/path.h"

#include <gtest/gtest.h>

#include "support/dicom_builder.h"
#include "support/support.h"

namespace fiducia::dicom {
namespace {

TEST(AttributePath, reads_what_it_writes) {
  for (const char* text :
       {"(0010,0010)", "(0040,0275)[1].(0040,0007)", "(0029,\"ACME HEADER\",10)", "(0029,\"ACME\")",
        "(0029,\"A.B[1](x)\",0F)[12].(0008,0100)", "(5200,9230)[4294967295]", "(0029,1010)"}) {
    const auto path = AttributePath::parse(text);
    ASSERT_TRUE(path.has_value()) << text << to_sentence(path.error());
    EXPECT_EQ(path->text(), text);
    EXPECT_EQ(path->is_item(), std::string_view{text}.ends_with(']'));
  }
  EXPECT_EQ(AttributePath::parse("PatientName")->text(), "(0010,0010)");
  EXPECT_EQ(AttributePath::parse("RequestAttributesSequence[2].ScheduledProcedureStepDescription")
                ->text(),
            "(0040,0275)[2].(0040,0007)");
  EXPECT_EQ(AttributePath::parse("(00e1,\"x\",aB)")->text(), "(00E1,\"x\",AB)");
  EXPECT_EQ(AttributePath(Tag{0x0008, 0x0018}).text(), "(0008,0018)");
  EXPECT_EQ(AttributePath(Tag{0x0040, 0x0275}).item(3).inside({.tag = {0x0040, 0x0007}}).text(),
            "(0040,0275)[3].(0040,0007)");
}

TEST(AttributePath, refuses_what_is_none) {
  for (const char* text : {"",
                           ".",
                           "(",
                           "()",
                           "(0010)",
                           "(0010,)",
                           "(0010,001)",
                           "(0010,00100)",
                           "(0010,0010",
                           "0010,0010",
                           "(0010,001G)",
                           "(+010,0010)",
                           "PatientNam",
                           "patientname",
                           "PatientName.",
                           ".PatientName",
                           "PatientName.PatientName",
                           "(0040,0275)[0].(0040,0007)",
                           "(0040,0275)[01]",
                           "(0040,0275)[-1]",
                           "(0040,0275)[+1]",
                           "(0040,0275)[1",
                           "(0040,0275)[]",
                           "(0040,0275)[4294967296]",
                           "(0040,0275)[1](0040,0007)",
                           "(0040,0275)[1]x",
                           "(0028,\"ACME\",10)",
                           "(0029,\"\",10)",
                           "(0029,\"ACME\",1)",
                           "(0029,\"ACME\",100)",
                           "(0029,\"ACME\",10",
                           "(0029,\"ACME,10)",
                           "(0029,\"ACME\"10)",
                           " (0010,0010)",
                           "(0010,0010) "}) {
    const auto path = AttributePath::parse(text);
    ASSERT_FALSE(path.has_value()) << text;
    EXPECT_EQ(code_word(path.error()), "usage.invalid") << text;
  }
}

TEST(AttributePath, goes_as_deep_as_sequences_may) {
  std::string deepest;
  for (unsigned i = 0; i < limits::nesting_depth_max; ++i) deepest += "(0040,A730)[1].";
  EXPECT_TRUE(AttributePath::parse(deepest + "(0040,A040)"));
  EXPECT_FALSE(AttributePath::parse(deepest + "(0040,A730)[1].(0040,A040)"));
}

TEST(AttributePathProperty, finds_each_element_by_the_path_that_is_printed_for_it) {
  const std::uint64_t seed = test::seed();
  SCOPED_TRACE("rerun with FIDUCIA_SEED=" + std::to_string(seed));
  std::mt19937_64 prng{seed};
  for (int round = 0; round < test::draws(60); ++round) {
    const Bytes bytes = test::random_data_set(prng).encode(test::Syntax::explicit_le);
    const auto data_set = parse_data_set(bytes, {.explicit_vr = true, .big_endian = false});
    ASSERT_TRUE(data_set.has_value());
    for (ElementIndex i = 0; i < data_set->element_count(); ++i) {
      const std::string text = data_set->path_of(i);
      const auto path = AttributePath::parse(text);
      ASSERT_TRUE(path.has_value()) << text;
      EXPECT_EQ(path->text(), text);
      EXPECT_EQ(find_element(*data_set, *path), i) << text;
    }
    EXPECT_EQ(find_element(*data_set, Tag{0x0099, 0x0001}), no_index);
  }
}

}  // namespace
}  // namespace fiducia::dicom
