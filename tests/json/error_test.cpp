// SPDX-License-Identifier: Apache-2.0
#include "json/json.h"

#include <gtest/gtest.h>

namespace fiducia::json {
namespace {

TEST(ErrorJson, has_the_members_of_the_contract) {
  Error error{.code = ErrorCode::malformed,
              .what = "the depth is 65.",
              .remedy = "Treat it as hostile.",
              .where = {.file = "a.dcm", .element = "(0040,A730)[1]", .offset = 1234},
              .kind = "nesting"};
  EXPECT_EQ(error_line(error),
            R"({"schema":"fiducia.error/1","error":{"code":"malformed.nesting","text":)"
            R"("the depth is 65.","path":"a.dcm","offset":1234,"attribute":"(0040,A730)[1]",)"
            R"("remedy":"Treat it as hostile."}})");
}

}  // namespace
}  // namespace fiducia::json
