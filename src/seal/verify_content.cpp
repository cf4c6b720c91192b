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

/// Compares everything but the pixels.
void compare_rest(const dicom::File& file, const evidence::Evidence& evidence,
                  const std::optional<std::string>& photometric, canonical::ObjectDecoder& decoder,
                  const ContentOptions& options, ContentComparison& out) {
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
}

/// Compares some evidences, frame by frame.
void compare_together(const dicom::File& file, std::span<const evidence::Evidence* const> evidences,
                      canonical::ObjectDecoder& decoder, const ContentOptions& options,
                      std::span<ContentComparison> out) {
  std::vector<std::optional<PixelComparison>> pixels(evidences.size());
  std::uint32_t frames = 0;
  for (std::size_t i = 0; i < evidences.size(); ++i) {
    if (!evidences[i]->statement.pixels) {
      out[i].pixels = Match::same;  // pixel data now would be an added attribute
      continue;
    }
    pixels[i].emplace(*evidences[i], decoder, options, out[i]);
    frames = std::max(frames, pixels[i]->frames());
  }
  for (std::uint32_t f = 0; f < frames; ++f)
    for (std::optional<PixelComparison>& comparison : pixels)
      if (comparison && f < comparison->frames()) comparison->compare(f);
  std::vector<std::optional<std::string>> photometric(evidences.size());
  for (std::size_t i = 0; i < evidences.size(); ++i)
    if (pixels[i]) photometric[i] = pixels[i]->finish();
  for (std::size_t i = 0; i < evidences.size(); ++i)
    compare_rest(file, *evidences[i], photometric[i], decoder, options, out[i]);
}

}  // namespace

std::vector<ContentComparison> compare_contents(
    const dicom::File& file, std::span<const evidence::Evidence* const> evidences,
    canonical::ObjectDecoder& decoder, const ContentOptions& options) {
  std::vector<ContentComparison> out(evidences.size());
  std::uint64_t work = 1;  // for one evidence: the frames, and as much again for all else
  if (evidences.size() > 1)
    if (const auto frames = decoder.frames()) work = 2 * (*frames)->reader().work() + 1;
  for (std::size_t first = 0; first < evidences.size();) {
    // An evidence that the budget does not reach for must not take from those before it.
    const Budget& budget = file.budget();
    const std::uint64_t room = budget.is_exceeded() ? 0 : budget.allowed() - budget.spent();
    const auto count = static_cast<std::size_t>(
        std::clamp<std::uint64_t>(room / work, 1, evidences.size() - first));
    compare_together(file, evidences.subspan(first, count), decoder, options,
                     std::span{out}.subspan(first, count));
    first += count;
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

Result<canonical::Sketch> sketch_of(canonical::ObjectDecoder& decoder,
                                    canonical::SketchBuilder& builder) {
  FIDUCIA_TRY(frames, decoder.frames());
  const codec::FrameReader& reader = frames->reader();
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
    FIDUCIA_TRY(frame, frames->read(f));
    outside.clear();
    hasher.hash(f, frame, salts, hashes, outside, &builder);
    if (frame.borrowed_from_file) decoder.file().release(frame.samples);
  }
  return builder.finish();
}

}  // namespace fiducia::seal
