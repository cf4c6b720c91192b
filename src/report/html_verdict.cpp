// SPDX-License-Identifier: Apache-2.0
#include "finding/finding.h"
#include "report/html_parts.h"

namespace fiducia::report {

const VerdictText& verdict_text(finding::Verdict verdict) {
  // Each verdict has its own shape, so that no reader depends on colour.
  static constexpr VerdictText authentic{
      "authentic", "Authentic",
      R"(<circle cx="12" cy="12" r="10"/><path d="M7 12.5l3.5 3.5L17 8.5"/>)",
      "Every sealed pixel and attribute is what it was when the image was sealed, and the trust "
      "file accepts the signer, the ledger and the time.",
      "It does not prove that the scene in front of the detector was real, that the right patient "
      "was examined, or that a reading of the image is right."};
  static constexpr VerdictText altered{
      "altered", "Altered",
      R"(<path d="M8 2h8l6 6v8l-6 6H8l-6-6V8z"/><path d="M8.5 8.5l7 7m0-7l-7 7"/>)",
      "Something that was sealed has changed or is missing, something was added since, or the seal "
      "itself was tampered with.",
      "It does not say who made the change, or why: an attacker, or a system on the way that "
      "means no harm."};
  static constexpr VerdictText unsealed{
      "unsealed", "Unsealed",
      R"(<circle cx="12" cy="12" r="10" stroke-dasharray="3.6 2.7"/><path d="M8 12h8"/>)",
      "No seal was found for this image, so there is nothing to compare it with.",
      "It does not mean that the image was changed."};
  static constexpr VerdictText untrusted{
      "untrusted", "Untrusted",
      R"(<path d="M12 2l8.5 3.5v6c0 5-3.6 8.7-8.5 10.5-4.9-1.8-8.5-5.5-8.5-10.5v-6z"/><path d="M12 7.5v5.5m0 3v.5"/>)",
      "The content matches its seal, but the trust file does not accept the signer, the ledger, "
      "its witnesses, or the time.",
      "It does not mean that the image was changed. It means that nobody whom this verifier "
      "trusts vouches for the seal."};
  static constexpr VerdictText indeterminate{
      "indeterminate", "Indeterminate",
      R"(<circle cx="12" cy="12" r="10"/><path d="M9 9.5a3 3 0 1 1 4.2 2.7c-.8.4-1.2.9-1.2 1.8m0 3v.5"/>)",
      "This could not be decided here, so the image is not called authentic.",
      "By itself it is not a sign of tampering. The findings say what a decision needs."};
  static constexpr VerdictText malformed{
      "malformed", "Malformed", R"(<path d="M12 2.5L22.5 21h-21z"/><path d="M12 9v6m0 2.5v.5"/>)",
      "The file cannot be read as DICOM within the limits that protect the reader.",
      "It does not say whether the file was damaged by accident or made to do harm."};
  switch (verdict) {
    case finding::Verdict::authentic:
      return authentic;
    case finding::Verdict::altered:
      return altered;
    case finding::Verdict::unsealed:
      return unsealed;
    case finding::Verdict::untrusted:
      return untrusted;
    case finding::Verdict::indeterminate:
      return indeterminate;
    case finding::Verdict::malformed:
      return malformed;
  }
  return indeterminate;  // a half-filled verdict never reads as authentic
}

void write_icon(HtmlWriter& html, const VerdictText& verdict) {
  html.open("svg", {{"class", "icon"}, {"viewBox", "0 0 24 24"}, {"aria-hidden", "true"}});
  html.raw(verdict.icon);
  html.close();
}

}  // namespace fiducia::report
