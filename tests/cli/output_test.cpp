// SPDX-License-Identifier: Apache-2.0
#include "cli/cli.h"

#include <gtest/gtest.h>

namespace fiducia::cli {
namespace {

TEST(Printable, spells_out_what_would_drive_a_terminal) {
  EXPECT_EQ(printable("plain ä"), "plain ä");
  EXPECT_EQ(printable("a\x1b[31m").find('\x1b'), std::string::npos);
  EXPECT_EQ(printable("a\nb").find('\n'), std::string::npos);
}

}  // namespace
}  // namespace fiducia::cli
