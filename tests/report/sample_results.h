// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <array>
#include <string>
#include <vector>

#include "finding/finding.h"
#include "render/render.h"
#include "report/report.h"
#include "seal/seal.h"

/// Results and pictures for the tests of module report, of every verdict.
namespace fiducia::test {

/// Grey picture with a bright disc, so that scaled copies can be told apart from noise.
[[nodiscard]] render::Picture sample_picture(std::uint32_t width, std::uint32_t height);
/// A result as `verify` gives for this verdict, with seal and ledger where there would be some.
[[nodiscard]] seal::VerifyResult sample_result(finding::Verdict verdict, std::string path);
/// The altered result of DESIGN 3.2: tiles (3,4), (3,5), (4,4) of a frame of 512 × 512.
[[nodiscard]] report::ReportItem altered_item();
/// One item of each verdict, in the order of the enumerators.
[[nodiscard]] std::vector<report::ReportItem> one_of_each();
/// Text that breaks pages and terminals that do not escape.
inline constexpr std::string_view hostile_text =
    "<script>alert(1)</script>\"'&<img src=x onerror=alert(2)>\x1b[31m\x07\xff\xc0\xaf"
    "\xe2\x80\xae"
    "gpj.exe\x7f\xc2\x9b&#60;</style></svg>";

inline constexpr std::array all_verdicts{
    finding::Verdict::indeterminate, finding::Verdict::authentic, finding::Verdict::altered,
    finding::Verdict::unsealed,      finding::Verdict::untrusted, finding::Verdict::malformed};

}  // namespace fiducia::test
