// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "finding/finding.h"
#include "seal/result.h"

namespace fiducia::report {

/// The finding that a person should read first: the first of the worst. Null when there is none,
/// or none that says anything of the verdict.
[[nodiscard]] const finding::Finding* deciding_finding(const seal::VerifyResult& result);

}  // namespace fiducia::report
