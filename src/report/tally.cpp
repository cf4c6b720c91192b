// SPDX-License-Identifier: Apache-2.0
#include "report/tally.h"

#include <algorithm>

#include "core/core.h"
#include "finding/finding.h"

namespace fiducia::report {
namespace {

std::string files(std::size_t count) {
  return std::to_string(count) + (count == 1 ? " file" : " files");
}

bool is_worse(finding::Verdict a, finding::Verdict b) {
  const int code_a = finding::exit_code(a);
  const int code_b = finding::exit_code(b);
  return code_a != code_b && finding::worse_exit_code(code_a, code_b) == code_a;
}

}  // namespace

bool is_problem(const seal::VerifyResult& result) {
  return result.verdict != finding::Verdict::authentic ||
         std::ranges::any_of(result.findings, [](const finding::Finding& finding) {
           return finding.severity != finding::Severity::note;
         });
}

void Tally::add(const seal::VerifyResult& result) {
  ++judged_;
  ++counts_[result.verdict];
  if (!is_worse(result.verdict, worst_)) return;
  worst_ = result.verdict;
  worst_path_ = result.path;
}

std::string Tally::summary() const {
  using finding::Verdict;
  std::string text;
  for (const Verdict verdict : {Verdict::authentic, Verdict::altered, Verdict::malformed,
                                Verdict::untrusted, Verdict::indeterminate, Verdict::unsealed}) {
    const auto found = counts_.find(verdict);
    if (found == counts_.end()) continue;
    text += (text.empty() ? "" : ", ") + std::to_string(found->second) + " " +
            std::string(finding::to_word(verdict));
  }
  if (errors_ > 0)
    text += (text.empty() ? "" : ", ") + std::to_string(errors_) + " that could not be read";
  text = files(judged_ + errors_) + (text.empty() ? "" : ": " + text);
  if (!worst_path_.empty())
    text += "; the worst: " + std::string(finding::to_word(worst_)) + ", " + visible(worst_path_);
  text += ".";
  if (left_out_ > 0)
    text += " Left out: " + files(left_out_) +
            (left_out_ == 1 ? " that is not an image." : " that are not images.");
  return text;
}

}  // namespace fiducia::report
