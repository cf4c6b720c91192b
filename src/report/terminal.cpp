// SPDX-License-Identifier: Apache-2.0
#include "core/core.h"
#include "finding/finding.h"
#include "report/reason.h"
#include "report/report.h"
#include "seal/seal.h"
#include "trust/trust.h"

namespace fiducia::report {
namespace {

std::string_view colour_of(finding::Verdict verdict) {
  switch (verdict) {
    case finding::Verdict::authentic:
      return "\x1b[32m";  // green
    case finding::Verdict::altered:
    case finding::Verdict::malformed:
      return "\x1b[1;31m";  // bold red
    case finding::Verdict::untrusted:
      return "\x1b[1;35m";  // bold magenta
    case finding::Verdict::indeterminate:
    case finding::Verdict::unsealed:
      return "\x1b[33m";  // yellow
  }
  return {};
}

/// Who attests the date, if it is others than those who sealed: "; it existed by ..., as ...".
std::string proof_of_date(const seal::VerifyResult& result) {
  if (!result.ledger || !result.ledger->dated_at || result.ledger->dated_by == trust::DatedBy::log)
    return {};
  const bool by_tsa = result.ledger->dated_by == trust::DatedBy::tsa;
  const auto& names = by_tsa ? result.ledger->time_stamps : result.ledger->witnesses;
  return "; it existed by " + to_rfc3339(*result.ledger->dated_at) + ", attested by the " +
         (by_tsa              ? "time-stamp of "
          : names.size() == 1 ? "witness "
                              : "witnesses ") +
         listed(names);
}

/// What is said when no finding explains the verdict.
std::string reason_of(const seal::VerifyResult& result) {
  switch (result.verdict) {
    case finding::Verdict::authentic:
      if (!result.seal) return "Everything sealed matches.";
      return "Sealed by " + result.seal->device + " at " + to_rfc3339(result.seal->sealed_at) +
             proof_of_date(result) + ".";
    case finding::Verdict::altered:
      return "Something sealed does not match.";
    case finding::Verdict::unsealed:
      return "No seal was found in the file, beside it, in the store, or given.";
    case finding::Verdict::untrusted:
      return "The content matches, but the trust file does not accept the seal.";
    case finding::Verdict::indeterminate:
      return "This cannot be decided here.";
    case finding::Verdict::malformed:
      return "This cannot be read as DICOM.";
  }
  return {};
}

}  // namespace

std::string to_line(const seal::VerifyResult& result, bool colour) {
  std::string line;
  if (colour) line += colour_of(result.verdict);
  line += finding::to_word(result.verdict);
  if (colour) line += "\x1b[0m";
  line += "  " + visible(result.path) + "  ";

  const finding::Finding* const decides = deciding_finding(result);
  if (decides == nullptr) return line + visible(reason_of(result));
  line += visible(decides->text);
  if (result.findings.size() > 1) {
    line += " (+" + std::to_string(result.findings.size() - 1) + " more)";
  }
  return line;
}

}  // namespace fiducia::report
