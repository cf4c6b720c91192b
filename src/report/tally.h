// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstddef>
#include <map>
#include <string>

#include "finding/finding.h"
#include "seal/result.h"

namespace fiducia::report {

/// Whether somebody has to look at it: not authentic, or a warning.
[[nodiscard]] bool is_problem(const seal::VerifyResult& result);

/// Counts what was said of many files, and keeps which was the worst.
class Tally {
 public:
  void add(const seal::VerifyResult& result);
  void add_error() { ++errors_; }
  void add_left_out() { ++left_out_; }
  [[nodiscard]] std::size_t judged() const { return judged_; }
  [[nodiscard]] std::size_t left_out() const { return left_out_; }
  /// "12 files: 10 authentic, 1 altered, 1 unsealed; the worst: altered, ct/7.dcm. Left out: 3
  /// files that are not images." The worst is the first of its kind.
  [[nodiscard]] std::string summary() const;

 private:
  std::map<finding::Verdict, std::size_t> counts_;
  std::size_t judged_ = 0;
  std::size_t errors_ = 0;
  std::size_t left_out_ = 0;
  finding::Verdict worst_ = finding::Verdict::authentic;
  std::string worst_path_;
};

}  // namespace fiducia::report
