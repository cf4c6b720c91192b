// SPDX-License-Identifier: Apache-2.0
#include "report/reason.h"

#include <algorithm>

namespace fiducia::report {

const finding::Finding* deciding_finding(const seal::VerifyResult& result) {
  // Findings come alarms first, but nothing here depends on it. That a file is a TIFF image as
  // well says nothing about the verdict.
  const auto weight = [](const finding::Finding& finding) {
    return finding.code == finding::Code::preamble_tiff ? -1 : static_cast<int>(finding.severity);
  };
  const auto worst = std::ranges::max_element(result.findings, {}, weight);
  return worst == result.findings.end() || weight(*worst) < 0 ? nullptr : &*worst;
}

}  // namespace fiducia::report
