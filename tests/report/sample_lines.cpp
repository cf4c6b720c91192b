// SPDX-License-Identifier: Apache-2.0
//
// Prints a line of JSON of each kind that module report writes, for schema_test.py.
#include <cstdio>

#include "finding/finding.h"
#include "json/json.h"
#include "report/report.h"
#include "report/sample_results.h"

int main() {
  using namespace fiducia;
  for (report::ReportItem& item : test::one_of_each()) {
    std::puts(report::to_json(item.result).c_str());
    item.result.path = test::hostile_text;
    for (finding::Finding& finding : item.result.findings) {
      finding.current_value = test::hostile_text;
      finding.text = test::hostile_text;
    }
    std::puts(report::to_json(item.result).c_str());
  }
  for (int code = 0; code <= static_cast<int>(ErrorCode::internal); ++code) {
    const Error error{.code = static_cast<ErrorCode>(code),
                      .what = std::string{test::hostile_text},
                      .remedy = "Try again.",
                      .where = {.file = "a", .element = "(0010,0010)", .offset = 7},
                      .kind = "nesting"};
    std::puts(json::error_line(error).c_str());
  }
}
