// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <optional>
#include <span>
#include <vector>

#include "canonical/object_decoder.h"
#include "codec/codec.h"
#include "dicom/dicom.h"
#include "evidence/evidence_file.h"
#include "evidence/lookup.h"
#include "finding/finding.h"
#include "seal/moved_overlay.h"
#include "seal/result.h"
#include "trust/tolerance.h"

namespace fiducia::seal {

/// How a part of a file relates to what was sealed. Ordered: the worst of two is the greater.
enum class Match : std::uint8_t {
  same,         // everything that was sealed is there, and nothing else
  undecidable,  // cannot be told here (no decoder, lossy recompression)
  different,
};

struct ContentComparison {
  Match pixels = Match::different;
  Match header = Match::different;
  /// The content is what `pixels` and `header` say, but common readers show it differently: never
  /// authentic.
  bool ambiguous = false;
  std::vector<finding::Finding> findings;
  /// Overlays that are proven to be where they were moved; compare_pixels fills it.
  MovedOverlays moved_overlays = {};
  std::uint64_t textured_tiles = 0;       // tiles that are not all one value (only if counted)
  std::uint64_t textured_tiles_same = 0;  // those of them that verify
};

struct ContentOptions {
  bool show_values = false;
  bool count_textured = false;  // for candidates proposed by the sketch: costs a pass more
  const trust::Tolerance* tolerance = nullptr;  // of the trust file; null: nothing is tolerated
};

/// Compares what `file` says now with what `evidence` sealed, attribute by attribute and tile by
/// tile (spec/seal.md 10). Says nothing about who signed. Never fails: what cannot be compared
/// is `undecidable` or `different`, with a finding that says why. One result for each evidence, in
/// their order; each frame is decoded once for all of them, as far as the object's budget reaches
/// for certain. `decoder` is that of `file`.
[[nodiscard]] std::vector<ContentComparison> compare_contents(
    const dicom::File& file, std::span<const evidence::Evidence* const> evidences,
    canonical::ObjectDecoder& decoder, const ContentOptions& options);

/// Whether the file's SOP Instance UID is the one that `evidence` sealed.
[[nodiscard]] bool is_same_instance(const dicom::DataSet& data_set,
                                    const evidence::Evidence& evidence);

/// The sketch of the file's samples as they are now. Errors: those of decoding them; over_limit.
[[nodiscard]] Result<canonical::Sketch> sketch_of(canonical::ObjectDecoder& decoder,
                                                  canonical::SketchBuilder& builder);

}  // namespace fiducia::seal
