// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/core.h"
#include "render/render.h"
#include "report/pictures.h"
#include "report/tally.h"
#include "seal/result.h"

namespace fiducia::report {

/// `{"schema":"fiducia.verify/1",...}` on one line, no line feed (spec/verify.schema.json).
[[nodiscard]] std::string to_json(const seal::VerifyResult& result);
/// `verdict  path  reason`: the line `verify` prints for people. `colour`: ANSI colours.
[[nodiscard]] std::string to_line(const seal::VerifyResult& result, bool colour);

/// A result with what its page shows. Pictures: the frames worth looking at (altered ones first).
struct ReportItem {
  seal::VerifyResult result;
  std::vector<render::Picture> pictures;
  std::string pictures_missing;  // why there is none, as a sentence; "" if there are
};

/// One self-contained HTML page: for one item its full report, for several an overview with
/// thumbnails, worst first, and each report below it. Holds no attribute value but the findings'
/// current_value, runs no script and loads nothing.
[[nodiscard]] std::string to_html(std::span<const ReportItem> items, UnixTime made_at);
/// Whether a file is such a page.
[[nodiscard]] bool is_report(ByteView content);

}  // namespace fiducia::report
