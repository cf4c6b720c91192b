// SPDX-License-Identifier: Apache-2.0
#include "finding/finding.h"

#include <algorithm>
#include <array>
#include <utility>

namespace fiducia::finding {

std::string_view to_word(Verdict verdict) {
  switch (verdict) {
    case Verdict::indeterminate:
      return "indeterminate";
    case Verdict::authentic:
      return "authentic";
    case Verdict::altered:
      return "altered";
    case Verdict::unsealed:
      return "unsealed";
    case Verdict::untrusted:
      return "untrusted";
    case Verdict::malformed:
      return "malformed";
  }
  std::unreachable();
}

int exit_code(Verdict verdict) {
  switch (verdict) {
    case Verdict::authentic:
      return 0;
    case Verdict::altered:
      return 2;
    case Verdict::unsealed:
      return 3;
    case Verdict::untrusted:
      return 4;
    case Verdict::indeterminate:
      return 5;
    case Verdict::malformed:
      return 6;
  }
  std::unreachable();
}

int worse_exit_code(int a, int b) {
  static constexpr std::array worst_first{1, 2, 6, 4, 5, 3, 0};
  const auto rank = [](int code) {
    return std::find(worst_first.begin(), worst_first.end(), code) - worst_first.begin();
  };
  return rank(a) <= rank(b) ? a : b;
}

std::string_view to_word(Severity severity) {
  switch (severity) {
    case Severity::note:
      return "note";
    case Severity::warning:
      return "warning";
    case Severity::alarm:
      return "alarm";
  }
  std::unreachable();
}

std::string word_of(const Finding& finding) {
  std::string word{entry_of(finding.code).word};
  if (is_family(finding.code)) word += "." + finding.kind;
  return word;
}

Finding of_error(const Error& error, Severity severity, std::string text) {
  Finding out{.code = code_of(error), .severity = severity, .text = std::move(text)};
  // The word without its family: an error without a kind has a word all the same.
  if (is_family(out.code)) out.kind = code_word(error).substr(entry_of(out.code).word.size() + 1);
  return out;
}

}  // namespace fiducia::finding
