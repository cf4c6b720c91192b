// SPDX-License-Identifier: Apache-2.0
#include "report/sample_results.h"

namespace fiducia::test {
namespace {

Digest digest(unsigned first) {
  Digest out;
  for (std::size_t i = 0; i < out.bytes.size(); ++i) {
    out.bytes[i] = static_cast<std::byte>(first + 37 * i);
  }
  return out;
}

finding::Finding finding(finding::Code code, finding::Severity severity, std::string text) {
  finding::Finding out;
  out.code = code;
  out.severity = severity;
  out.text = std::move(text);
  return out;
}

finding::Finding attribute(finding::Code code, std::string text, std::string path,
                           std::string keyword) {
  finding::Finding out = finding(code, finding::Severity::alarm, std::move(text));
  out.attribute = std::move(path);
  out.keyword = std::move(keyword);
  return out;
}

}  // namespace

render::Picture sample_picture(std::uint32_t width, std::uint32_t height) {
  render::Picture picture{.frame = 1,
                          .width = width,
                          .height = height,
                          .colour = false,
                          .samples = Bytes(std::size_t{width} * height),
                          .frame_width = width,
                          .frame_height = height,
                          .part = {},
                          .rendering = "Grey levels: the file's window."};
  const double radius = 0.4 * std::min(width, height);
  for (std::uint32_t y = 0; y < height; ++y) {
    for (std::uint32_t x = 0; x < width; ++x) {
      const double dx = x - width / 2.0;
      const double dy = y - height / 2.0;
      const bool is_inside = dx * dx + dy * dy < radius * radius;
      picture.samples[std::size_t{y} * width + x] = static_cast<std::byte>(is_inside ? 150 : 20);
    }
  }
  return picture;
}

seal::VerifyResult sample_result(finding::Verdict verdict, std::string path) {
  using finding::Severity;
  seal::VerifyResult result;
  result.path = std::move(path);
  result.verdict = verdict;
  if (verdict != finding::Verdict::malformed) {
    result.image = seal::ImageInfo{.sop_class = "1.2.840.10008.5.1.4.1.1.2",
                                   .transfer_syntax = "1.2.840.10008.1.2.4.80",
                                   .frames = 1,
                                   .rows = 512,
                                   .columns = 512};
  }
  if (verdict != finding::Verdict::malformed && verdict != finding::Verdict::unsealed) {
    result.seal = trust::SealInfo{.device = "CT-1",
                                  .signer = digest(7),
                                  .signer_key = digest(8),
                                  .signer_name = "CT-1, Example Hospital",
                                  .sealed_at = {1'795'514'400},
                                  .object_root = digest(101),
                                  .found_in = trust::FoundIn::file,
                                  .holds = true,
                                  .accepted = verdict != finding::Verdict::untrusted,
                                  .content_matches = verdict == finding::Verdict::authentic ||
                                                     verdict == finding::Verdict::untrusted};
    result.ledger = trust::LedgerInfo{.origin = "example.org/ledger",
                                      .index = 41,
                                      .tree_size = 300,
                                      .checkpoint_at = UnixTime{1'795'514'460},
                                      .witnesses = {"north-witness", "university"}};
  }
  switch (verdict) {
    case finding::Verdict::authentic:
      result.findings = {finding(finding::Code::encoding_changed, Severity::note,
                                 "Sealed as Explicit VR Little Endian, now JPEG-LS Lossless.")};
      break;
    case finding::Verdict::altered: {
      finding::Finding pixels = finding(finding::Code::pixels_altered, Severity::alarm,
                                        "Frame 1: 3 of 64 tiles differ from the seal.");
      pixels.frame = 1;
      pixels.tiles = {{3, 4}, {3, 5}, {4, 4}};
      pixels.box = finding::Box{256, 192, 128, 128};
      result.findings = {
          pixels,
          attribute(finding::Code::attribute_altered,
                    "Patient's Name (0010,0010) differs from the seal.", "(0010,0010)",
                    "PatientName"),
          attribute(finding::Code::attribute_removed, "Accession Number (0008,0050) is missing.",
                    "(0008,0050)", "AccessionNumber"),
          attribute(finding::Code::attribute_added,
                    "(0029,\"SIEMENS MEDCOM HEADER\",10) was not there when the image was sealed.",
                    "(0029,\"SIEMENS MEDCOM HEADER\",10)", ""),
          finding(finding::Code::encoding_changed, Severity::note,
                  "Sealed as Explicit VR Little Endian, now JPEG-LS Lossless.")};
      break;
    }
    case finding::Verdict::unsealed:
      result.findings = {
          finding(finding::Code::seal_expected, Severity::alarm,
                  "The file says it comes from a device that seals everything, but no seal was "
                  "found.")};
      break;
    case finding::Verdict::untrusted:
      result.ledger->witnesses = {};
      result.ledger->checkpoint_at = {};
      result.findings = {finding(finding::Code::signer_revoked, Severity::alarm,
                                 "The key of the sealing device was revoked at "
                                 "2026-11-01T00:00:00Z, before this seal."),
                         finding(finding::Code::ledger_unwitnessed, Severity::alarm,
                                 "0 of the 2 witnesses asked for have cosigned.")};
      break;
    case finding::Verdict::indeterminate:
      result.findings = {finding(finding::Code::codec_missing, Severity::warning,
                                 "No decoder for JPEG XL is installed, and the encoded frames are "
                                 "not those that were sealed.")};
      break;
    case finding::Verdict::malformed:
      result.findings = {finding(finding::Code::malformed_nesting, Severity::alarm,
                                 "(0040,A730) at byte 9120: 65 sequences enclose this item, 64 are "
                                 "allowed.")};
      break;
  }
  return result;
}

report::ReportItem altered_item() {
  report::ReportItem item{.result = sample_result(finding::Verdict::altered, "ct/0042.dcm"),
                          .pictures = {sample_picture(512, 512)},
                          .pictures_missing = {}};
  return item;
}

std::vector<report::ReportItem> one_of_each() {
  std::vector<report::ReportItem> items;
  for (const finding::Verdict verdict : all_verdicts) {
    report::ReportItem item{
        .result = sample_result(verdict, "ct/" + std::string{finding::to_word(verdict)} + ".dcm"),
        .pictures = {},
        .pictures_missing = {}};
    if (verdict == finding::Verdict::malformed) {
      item.pictures_missing = "The file cannot be read, so there is no picture.";
    } else {
      item.pictures = {sample_picture(512, 512)};
    }
    items.push_back(std::move(item));
  }
  return items;
}

}  // namespace fiducia::test
