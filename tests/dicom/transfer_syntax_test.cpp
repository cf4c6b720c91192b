// SPDX-License-Identifier: Apache-2.0
#include "dicom/transfer_syntax.h"

#include <gtest/gtest.h>

namespace fiducia::dicom {
namespace {

TEST(TransferSyntax, has_the_flags_of_ps3_5_annex_a) {
  struct Row {
    const char* uid;
    bool explicit_vr, big_endian, deflated, encapsulated;
    PixelEncoding encoding;
    Loss loss;
  };
  using enum PixelEncoding;
  for (const Row& row :
       {Row{"1.2.840.10008.1.2", false, false, false, false, native, Loss::none},
        Row{"1.2.840.10008.1.2.1", true, false, false, false, native, Loss::none},
        Row{"1.2.840.10008.1.2.1.98", true, false, false, true, encapsulated_native, Loss::none},
        Row{"1.2.840.10008.1.2.1.99", true, false, true, false, native, Loss::none},
        Row{"1.2.840.10008.1.2.2", true, true, false, false, native, Loss::none},
        Row{"1.2.840.10008.1.20", false, false, false, false, native, Loss::none},
        Row{"1.2.840.10008.1.2.4.50", true, false, false, true, jpeg_baseline, Loss::lossy},
        Row{"1.2.840.10008.1.2.4.51", true, false, false, true, jpeg_extended, Loss::lossy},
        Row{"1.2.840.10008.1.2.4.57", true, false, false, true, jpeg_lossless, Loss::none},
        Row{"1.2.840.10008.1.2.4.66", true, false, false, true, jpeg_other, Loss::none},
        Row{"1.2.840.10008.1.2.4.70", true, false, false, true, jpeg_lossless, Loss::none},
        Row{"1.2.840.10008.1.2.4.80", true, false, false, true, jpeg_ls, Loss::none},
        Row{"1.2.840.10008.1.2.4.81", true, false, false, true, jpeg_ls, Loss::either},
        Row{"1.2.840.10008.1.2.4.90", true, false, false, true, jpeg_2000, Loss::none},
        Row{"1.2.840.10008.1.2.4.91", true, false, false, true, jpeg_2000, Loss::either},
        Row{"1.2.840.10008.1.2.4.94", true, false, false, false, referenced, Loss::either},
        Row{"1.2.840.10008.1.2.4.95", true, false, true, false, referenced, Loss::either},
        Row{"1.2.840.10008.1.2.4.106.1", true, false, false, true, video, Loss::lossy},
        Row{"1.2.840.10008.1.2.4.111", true, false, false, true, jpeg_xl, Loss::lossy},
        Row{"1.2.840.10008.1.2.4.202", true, false, false, true, htj2k, Loss::none},
        Row{"1.2.840.10008.1.2.4.205", true, false, true, false, referenced, Loss::either},
        Row{"1.2.840.10008.1.2.5", true, false, false, true, rle, Loss::none},
        Row{"1.2.840.10008.1.2.8.1", true, false, false, true, deflated_frame, Loss::none}}) {
    SCOPED_TRACE(row.uid);
    const TransferSyntax* syntax = find_transfer_syntax(row.uid);
    ASSERT_NE(syntax, nullptr);
    EXPECT_EQ(syntax->uid, row.uid);
    EXPECT_FALSE(syntax->name.empty());
    EXPECT_EQ(syntax->explicit_vr, row.explicit_vr);
    EXPECT_EQ(syntax->big_endian, row.big_endian);
    EXPECT_EQ(syntax->deflated, row.deflated);
    EXPECT_EQ(syntax->encapsulated, row.encapsulated);
    EXPECT_EQ(syntax->encoding, row.encoding);
    EXPECT_EQ(syntax->loss, row.loss);
  }
}

TEST(TransferSyntax, an_unknown_uid_has_none) {
  for (const char* uid : {"", "1.2.840.10008.1.2.", "1.2.840.10008.1.2.4.999", "1.2.840.113619.5.2",
                          "1.2.840.10008.1.2.6.1", "1.2.840.10008.1.2.7.1"})
    EXPECT_EQ(find_transfer_syntax(uid), nullptr) << uid;
}

}  // namespace
}  // namespace fiducia::dicom
