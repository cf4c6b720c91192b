// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/core.h"
#include "seal/result.h"

namespace fiducia::report {

/// `{"schema":"fiducia.verify/1",...}` on one line, no line feed (spec/verify.schema.json).
[[nodiscard]] std::string to_json(const seal::VerifyResult& result);
/// `{"schema":"fiducia.error/1","error":{...}}` on one line.
[[nodiscard]] std::string to_json(const Error& error);
/// `verdict  path  reason`: the line `verify` prints for people. `colour`: ANSI colours.
[[nodiscard]] std::string to_line(const seal::VerifyResult& result, bool colour);

/// One frame as a person would see it: 8-bit RGB or grey, window applied, MONOCHROME1 inverted,
/// palette looked up.
struct Picture {
  std::uint32_t frame = 1;  // from 1
  std::uint32_t width = 0;
  std::uint32_t height = 0;
  bool colour = false;
  Bytes samples;  // width × height × (colour ? 3 : 1)
};

/// A result with what its page shows. Pictures: the frames worth looking at (altered ones first).
struct ReportItem {
  seal::VerifyResult result;
  std::vector<Picture> pictures;
  std::string pictures_missing;  // why there is none, as a sentence; "" if there are
};

/// One self-contained HTML page: for one item its full report, for several an overview with
/// thumbnails, worst first, and each report below it.
[[nodiscard]] std::string to_html(std::span<const ReportItem> items, UnixTime made_at);

}  // namespace fiducia::report
