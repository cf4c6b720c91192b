// SPDX-License-Identifier: Apache-2.0
#include "seal/verify_content.h"

#include <algorithm>

#include "canonical/header.h"
#include "canonical/pixels.h"
#include "canonical/reading.h"
#include "finding/finding.h"
#include "seal/compare_header.h"
#include "seal/compare_pixels.h"

namespace fiducia::seal {
namespace {

std::string syntax_name(std::string_view uid) {
  const dicom::TransferSyntax* syntax = dicom::find_transfer_syntax(uid);
  return syntax != nullptr ? std::string(syntax->name) : "an unknown transfer syntax";
}

}  // namespace

ContentComparison compare_content(const dicom::File& file, const evidence::Evidence& evidence,
                                  canonical::ObjectDecoder& decoder,
                                  const ContentOptions& options) {
  ContentComparison out;
  std::optional<std::string> photometric;
  if (evidence.statement.pixels)
    photometric = compare_pixels(file, evidence, decoder.child(), options, out);
  else
    out.pixels = Match::same;  // none were sealed; pixel data now would be an added attribute
  compare_header(file, evidence, photometric, decoder.nested_pixels(), options, out);
  const std::string& sealed_as = evidence.statement.transfer_syntax_uid;
  if (file.transfer_syntax().uid != sealed_as)
    out.findings.push_back({.code = finding::Code::encoding_changed,
                            .severity = finding::Severity::note,
                            .text = "Sealed as " + syntax_name(sealed_as) + ", now " +
                                    std::string(file.transfer_syntax().name) + "."});
  canonical::add_preamble_findings(file, out.findings);
  if (file.was_truncated()) {
    out.pixels = out.header = Match::different;
    out.findings.push_back({.code = finding::Code::malformed_truncated,
                            .severity = finding::Severity::alarm,
                            .text = "The file shrank while it was read."});
  }
  return out;
}

bool is_same_instance(const dicom::DataSet& data_set, const evidence::Evidence& evidence) {
  const dicom::Element* element = data_set.find(dicom::tags::sop_instance_uid);
  if (element == nullptr) return false;
  const auto index =
      evidence::find_sealed(evidence, canonical::top_level_path(dicom::tags::sop_instance_uid));
  if (!index) return false;
  const evidence::SealedAttribute& sealed = evidence.attributes[*index];
  Bytes swap_scratch;
  std::string text_scratch;
  const canonical::CanonicalValue value = canonical::canonical_value(
      sealed.vr, dicom::little_endian_value(*element, swap_scratch), {}, text_scratch);
  return canonical::attribute_hash(canonical::Salts(evidence.seed).header_one(*index), sealed.path,
                                   sealed.vr, value) == sealed.hash;
}

Result<canonical::Sketch> sketch_of(const dicom::File& file, codec::CodecChild* child,
                                    canonical::SketchBuilder& builder) {
  FIDUCIA_TRY(reader, codec::FrameReader::open(file, child));
  const codec::Geometry& geometry = reader.geometry();
  if (canonical::tile_grid(geometry.rows, geometry.columns).count() * geometry.frames >
      limits::tiles_max)
    return fail(ErrorCode::over_limit, "the image has more than 16 million tiles.");
  canonical::TileHasher hasher(geometry);
  const canonical::Salts salts{
      canonical::Seed{}};  // the hashes are not used, only the walk over the tiles
  std::vector<Digest> hashes(hasher.grid().count());
  std::vector<canonical::OutsideBitsLeaf> outside;
  for (std::uint32_t f = 0; f < reader.frames_present(); ++f) {
    FIDUCIA_TRY(frame, reader.read(f));
    outside.clear();
    hasher.hash(f, frame, salts, hashes, outside, &builder);
    if (frame.borrowed_from_file) file.release(frame.samples);
  }
  return builder.finish();
}

}  // namespace fiducia::seal
