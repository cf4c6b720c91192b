// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "finding/finding.h"
#include "trust/judgement.h"

namespace fiducia::seal {

struct ImageInfo {
  std::string sop_class;
  std::string transfer_syntax;
  std::uint32_t frames = 0;  // 0: an object without pixels
  std::uint32_t rows = 0;
  std::uint32_t columns = 0;
};

/// What the trust file tolerates in headers (spec/trust.md 8).
struct ToleranceInfo {
  std::string profile;        // built in; empty: none
  std::size_t own_rules = 0;  // of the trust file itself
};

/// Everything `verify` says of one file (spec/verify.schema.json).
struct VerifyResult {
  std::string path;
  finding::Verdict verdict = finding::Verdict::indeterminate;
  std::vector<finding::Finding> findings;  // alarms first
  std::optional<trust::SealInfo> seal;
  std::optional<trust::LedgerInfo> ledger;
  std::optional<ImageInfo> image;
  std::optional<ToleranceInfo> tolerance = {};  // absent: nothing is tolerated
};

}  // namespace fiducia::seal
