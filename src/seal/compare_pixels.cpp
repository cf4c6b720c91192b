// SPDX-License-Identifier: Apache-2.0
#include "seal/compare_pixels.h"

#include <algorithm>

#include "canonical/pixel_source.h"
#include "evidence/evidence.h"
#include "finding/finding.h"

namespace fiducia::seal {
namespace {

/// How far a frame differs. Tiles that are all air stay the same when a picture is exchanged, so
/// one that differs in most of them is not said to be altered in so many places.
std::string tiles_differ(std::uint32_t frame, std::uint64_t differing, std::uint64_t of) {
  const std::string name = "Frame " + std::to_string(frame + 1);
  const std::string counts = std::to_string(differing) + " of " + std::to_string(of) + " tiles";
  if (of == 1) return name + " differs from the seal; it is one tile, so nobody can say where.";
  if (differing == of) return name + " differs from the seal all over (" + counts + ").";
  if (differing * 2 > of)
    return name + " differs from the seal over most of the picture (" + counts + ").";
  return name + ": " + counts + (differing == 1 ? " differs" : " differ") + " from the seal.";
}

std::string count_of(std::uint64_t count, const char* one, const char* many) {
  return std::to_string(count) + " " + (count == 1 ? one : many);
}

const char* sample_kind_name(std::uint8_t kind) {
  switch (codec::SampleKind{kind}) {
    case codec::SampleKind::unsigned_integer:
      return "unsigned";
    case codec::SampleKind::signed_integer:
      return "signed";
    case codec::SampleKind::floating:
      return "floating point";
  }
  return "of no known kind";
}

}  // namespace

/// The state of one comparison of frames.
class PixelComparison::Frames {
 public:
  Frames(const dicom::File& file, const evidence::Evidence& evidence,
         canonical::SharedFrames& frames, const ContentOptions& options, ContentComparison& out)
      : file_(file),
        evidence_(evidence),
        sealed_(*evidence.statement.pixels),
        shared_(frames),
        reader_(frames.reader()),
        options_(options),
        out_(out),
        salts_(evidence.seed),
        grid_(canonical::tile_grid(sealed_.geometry.rows, sealed_.geometry.columns)),
        renditions_left_(sealed_.renditions.size(), true) {}

  /// Looks at what needs no frame.
  void begin() {
    const codec::Geometry& geometry = reader_.geometry();
    photometric_ = geometry.photometric_interpretation;
    out_.pixels = Match::same;
    same_shape_ = same_shape(geometry);
    if (!same_shape_) return;
    untouched_encoding_ = is_untouched_encoding(geometry);
    if (!evidence_.pixels.outside_bits.empty())
      moved_ = MovedOverlays::find(file_.data_set(), evidence_, geometry);
    if (untouched_encoding_) photometric_ = sealed_.photometric_interpretation;
    found_.add(reader_.form_oddities());
    count_ = std::min(reader_.frames_present(), sealed_.geometry.frames);
  }
  [[nodiscard]] std::uint32_t count() const { return count_; }

  void compare(std::uint32_t f) {
    if (!file_.budget().is_exceeded()) compare_frame(f);
  }

  std::string finish() {
    if (!same_shape_) return photometric_;
    if (file_.budget().is_exceeded()) tell_of_limit();
    weigh_losses();
    tell_of_oddities();
    if (!sealed_.root && out_.pixels == Match::same)
      add(Match::same, {.code = finding::Code::bytes_only,
                        .severity = finding::Severity::note,
                        .text = "The encoded frames are as they were sealed; their samples were "
                                "not sealed, as no decoder could read them."});
    tell_of_lost_bits();
    tell_of_moved_overlays();
    tell_of_new_label();
    compare_counts(sealed_.geometry.frames);
    compare_tail();
    return photometric_;
  }

 private:
  void add(Match match, finding::Finding finding) {
    out_.pixels = std::max(out_.pixels, match);
    // The rest is counted by the verifier's own limit; this one only bounds memory.
    if (out_.findings.size() <= 2 * limits::findings_max)
      out_.findings.push_back(std::move(finding));
  }

  bool same_shape(const codec::Geometry& geometry) {
    evidence::SealedGeometry now = evidence::sealed_geometry(geometry);
    now.frames = sealed_.geometry.frames;
    if (now == sealed_.geometry) return true;
    if (is_lossy_rendition(now)) {
      lossy_now_ = true;
      tell_of_loss();
      return false;
    }
    const bool other_kind = now.kind != sealed_.geometry.kind;
    const bool other_size = now.sample_bytes != sealed_.geometry.sample_bytes;
    const auto describe = [&](const evidence::SealedGeometry& g) {
      return std::to_string(g.columns) + " x " + std::to_string(g.rows) + " pixels of " +
             count_of(g.samples_per_pixel, "sample", "samples") + " with " +
             count_of(g.bits_stored, "bit", "bits") +
             (other_size ? " in " + count_of(g.sample_bytes, "byte", "bytes") : "") +
             (other_kind ? std::string(" (") + sample_kind_name(g.kind) + ")" : "");
    };
    add(Match::different, {.code = finding::Code::pixels_altered,
                           .severity = finding::Severity::alarm,
                           .text = "The image is now " + describe(now) + "; sealed were " +
                                   describe(sealed_.geometry) + "."});
    return false;
  }

  /// Whether the image has the size that was sealed but other bits, and is encoded with loss now:
  /// lossy compressors reduce 16 bits to 8 or 12.
  bool is_lossy_rendition(const evidence::SealedGeometry& now) {
    const evidence::SealedGeometry& then = sealed_.geometry;
    if (now.rows != then.rows || now.columns != then.columns ||
        now.samples_per_pixel != then.samples_per_pixel || !reader_.is_encapsulated())
      return false;
    // The very codestream that was sealed was not compressed again, whatever the header says now.
    if (evidence_.statement.encoding && reader_.frames_present() > 0 &&
        canonical::encoded_frame_hash(0, salts_, reader_.encoded(0)) ==
            evidence_.pixels.encoded_frames[0])
      return false;
    const auto frame = shared_.read(0);
    return frame && !frame->lossless;
  }

  /// Whether equal bytes of a frame mean equal samples: everything that decoding depends on,
  /// apart from the header that is compared anyway, is as it was at sealing (spec/seal.md 7).
  bool is_untouched_encoding(const codec::Geometry& geometry) const {
    const auto& encoding = evidence_.statement.encoding;
    return encoding && reader_.is_encapsulated() &&
           reader_.transfer_syntax().uid == evidence_.statement.transfer_syntax_uid &&
           geometry.photometric_interpretation == encoding->photometric_interpretation &&
           geometry.planar_configuration == encoding->planar_configuration;
  }

  void compare_frame(std::uint32_t f) {
    if (untouched_encoding_) {
      const std::vector<ByteView> pieces = reader_.encoded(f);
      if (const Status paid = pay_for(pieces); !paid) {
        undecodable(f, paid.error());
        return;
      }
      const bool same =
          canonical::encoded_frame_hash(f, salts_, pieces) == evidence_.pixels.encoded_frames[f];
      for (const ByteView piece : pieces) file_.release(piece);
      if (same && !options_.count_textured) return;
    }
    if (!untouched_encoding_ && (is_same_codestream(f) || names_other_colours()))
      relabelled_ = true;
    if (!sealed_.root) {
      found_.add(reader_.oddities(f));
      unsealed_samples(f);
      return;
    }
    auto frame = shared_.read(f);
    if (!frame) {
      found_.add(reader_.oddities(f));
      undecodable(f, frame.error());
      return;
    }
    if (!photometric_known_ && !untouched_encoding_) {
      photometric_ = canonical::canonical_photometric(reader_.transfer_syntax().encoding,
                                                      reader_.geometry().photometric_interpretation,
                                                      frame->photometric_interpretation);
      photometric_known_ = true;
    }
    compare_samples(f, *frame);
    found_.add(frame->oddities);
    if (hasher_->has_unextended_signs()) found_.add(codec::Oddity::signs_not_extended);
    if (frame->borrowed_from_file) file_.release(frame->samples);
  }

  /// Takes from the object's budget what hashing an encoded frame costs.
  [[nodiscard]] Status pay_for(std::span<const ByteView> pieces) const {
    std::uint64_t bytes = 0;
    for (const ByteView piece : pieces) bytes += piece.size();
    return file_.budget().spend(limits::work_a_frame + pieces.size() * limits::work_a_tile +
                                bytes * limits::work_a_hashed_byte);
  }

  /// Whether the frame's bytes are those that were sealed, although the header around them says
  /// something else about how to read them; under whatever transfer syntax.
  bool is_same_codestream(std::uint32_t f) const {
    const auto& encoding = evidence_.statement.encoding;
    return encoding && reader_.is_encapsulated() &&
           reader_.geometry().photometric_interpretation != encoding->photometric_interpretation &&
           canonical::encoded_frame_hash(f, salts_, reader_.encoded(f)) ==
               evidence_.pixels.encoded_frames[f];
  }

  void unsealed_samples(std::uint32_t f) {
    const bool same_syntax =
        reader_.transfer_syntax().uid == evidence_.statement.transfer_syntax_uid;
    if (same_syntax) {
      add(Match::different,
          {.code = finding::Code::pixels_altered,
           .severity = finding::Severity::alarm,
           .text = "Frame " + std::to_string(f + 1) + ": the encoded bytes differ from the seal.",
           .frame = f + 1});
      return;
    }
    if (std::exchange(told_undecodable_, true)) return;
    add(Match::undecidable,
        {.code = finding::Code::bytes_only,
         .severity = finding::Severity::warning,
         .text = "No decoder could read this image when it was sealed, so only the encoding of "
                 "that time can be compared, and the file is encoded otherwise now."});
  }

  void undecodable(std::uint32_t f, const Error& error) {
    out_.pixels = std::max(out_.pixels, Match::undecidable);
    // The colour transform cannot be seen undone here; take it to give what was sealed.
    if (!photometric_known_ && !untouched_encoding_)
      photometric_ = canonical::canonical_photometric(reader_.transfer_syntax().encoding,
                                                      reader_.geometry().photometric_interpretation,
                                                      sealed_.photometric_interpretation);
    // GDCM writes JPEG of 16 bits that nobody else reads: no decoder is needed to know its loss.
    if (reader_.transfer_syntax().loss == dicom::Loss::lossy && sealed_.lossless)
      undecodable_loss_ = true;
    if (std::exchange(told_undecodable_, true)) return;
    const bool failed =
        error.code != ErrorCode::codec_missing && error.code != ErrorCode::unsupported;
    const finding::Code code = error.code == ErrorCode::over_limit ? finding::Code::limit_reached
                               : failed                            ? finding::Code::codec_failed
                                                                   : finding::Code::codec_missing;
    add(Match::undecidable,
        {.code = code,
         .severity = finding::Severity::warning,
         .text = "Frame " + std::to_string(f + 1) + " cannot be decoded here: " + error.what,
         .frame = f + 1});
  }

  void compare_samples(std::uint32_t f, const codec::Frame& frame) {
    if (!hasher_) {
      hasher_.emplace(reader_.geometry());
      hasher_->watch_uniform(options_.count_textured || !sealed_.lossless);
    }
    hashes_.resize(grid_.count());
    outside_.clear();
    hasher_->hash(f, frame, salts_, hashes_, outside_);
    const std::size_t first = static_cast<std::size_t>(f * grid_.count());
    std::vector<std::uint64_t> differing;
    for (std::size_t t = 0; t < hashes_.size(); ++t) {
      const bool same = hashes_[t] == evidence_.pixels.tiles[first + t];
      if (!same) differing.push_back(t);
      if (options_.count_textured && !hasher_->uniform()[t]) {
        ++out_.textured_tiles;
        out_.textured_tiles_same += same ? 1U : 0U;
      }
      // A tile of one value decodes the same everywhere, and says nothing about decoders.
      if (sealed_.lossless || !hasher_->uniform()[t] || !same) ++tiles_compared_;
    }
    compare_renditions(f, frame);
    tiles_differing_ += differing.size();
    if (!differing.empty()) {
      if (!frame.lossless) lossy_now_ = true;
      if (tile_findings_.size() <= 2 * limits::findings_max)
        tile_findings_.push_back(
            tile_finding(f, differing, tiles_differ(f, differing.size(), grid_.count())));
    }
    if (moved_.empty()) {
      compare_outside_bits(f, frame);
      return;
    }
    // What is outside the Bits Stored once the planes are back must be what was sealed.
    const auto samples = moved_.put_back(f, frame.samples, reader_.geometry());
    if (!samples) {
      overlays_differ_ = true;
      compare_outside_bits(f, frame);
      return;
    }
    codec::Frame restored = frame;
    restored.samples = *samples;
    restored.carries_all_bits = true;
    outside_.clear();
    hasher_->hash(f, restored, salts_, hashes_, outside_);
    overlays_differ_ |= !compare_outside_bits(f, restored);
    ++frames_restored_;
  }

  /// Which renditions this frame, and all before it, can be.
  void compare_renditions(std::uint32_t f, const codec::Frame& frame) {
    for (std::size_t i = 0; i < renditions_left_.size(); ++i)
      if (renditions_left_[i])
        renditions_left_[i] =
            frame.lossless &&
            canonical::rendition_hash(f, sealed_.renditions[i].rendition, salts_, frame.samples) ==
                evidence_.pixels.renditions[i][f];
  }

  /// The first rendition that all frames are, under the Photometric Interpretation that belongs
  /// to it.
  [[nodiscard]] bool is_rendition() const {
    for (std::size_t i = 0; i < renditions_left_.size(); ++i) {
      if (!renditions_left_[i]) continue;
      const codec::Rendition rendition = sealed_.renditions[i].rendition;
      const bool is_ycbcr = rendition == codec::Rendition::ycbcr_interpolated ||
                            rendition == codec::Rendition::ycbcr_replicated;
      if (photometric_ == (is_ycbcr ? "YBR_FULL" : "RGB")) return true;
    }
    return false;
  }

  /// Bits above and below Bits Stored: which tiles carry other ones than were sealed. An encoding
  /// that may have no place for them can lose them, but never add or change one.
  /// False when some tile differs.
  bool compare_outside_bits(std::uint32_t f, const codec::Frame& frame) {
    const auto before = [](const canonical::OutsideBitsLeaf& leaf, std::uint32_t number) {
      return leaf.frame < number;
    };
    const auto& sealed = evidence_.pixels.outside_bits;
    auto it = std::lower_bound(sealed.begin(), sealed.end(), f, before);
    const auto end = std::lower_bound(it, sealed.end(), f + 1, before);
    std::vector<std::uint64_t> differing;
    auto now = outside_.begin();
    while (it != end || now != outside_.end()) {
      if (now == outside_.end() || (it != end && it->tile < now->tile)) {
        // Sealed, and gone. Signs that were not extended when sealed may be now.
        if (hasher_->zero_extended_leaf(f, frame, it->tile, salts_) != it->hash) {
          if (frame.carries_all_bits)
            differing.push_back(it->tile);
          else
            lost_outside_bits_ = true;
        }
        ++it;
      } else if (it == end || now->tile < it->tile) {
        // Not sealed. A codec may leave the extension of signs to whoever reads the samples.
        if (frame.carries_all_bits ||
            hasher_->zero_extended_leaf(f, frame, now->tile, salts_) != now->hash)
          differing.push_back(now->tile);
        ++now;
      } else {
        if (it->hash != now->hash) differing.push_back(it->tile);
        ++it;
        ++now;
      }
    }
    if (differing.empty()) return true;
    add(Match::different, tile_finding(f, differing,
                                       "Frame " + std::to_string(f + 1) + ": in " +
                                           count_of(differing.size(), "tile", "tiles") +
                                           ", bits outside Bits Stored differ from the seal."));
    return false;
  }

  [[nodiscard]] finding::Finding tile_finding(std::uint32_t f,
                                              std::span<const std::uint64_t> differing,
                                              std::string text) const {
    finding::Finding finding{.code = finding::Code::pixels_altered,
                             .severity = finding::Severity::alarm,
                             .text = std::move(text),
                             .frame = f + 1};
    finding::TilePosition low{grid_.rows, grid_.columns};
    finding::TilePosition high{0, 0};
    for (const std::uint64_t t : differing) {
      const finding::TilePosition at = grid_.position(t);
      low = {std::min(low.row, at.row), std::min(low.column, at.column)};
      high = {std::max(high.row, at.row), std::max(high.column, at.column)};
      if (finding.tiles.size() < limits::tiles_listed_max) finding.tiles.push_back(at);
    }
    const std::uint32_t x = low.column * finding::tile_edge;
    const std::uint32_t y = low.row * finding::tile_edge;
    finding.box = finding::Box{
        .x = x,
        .y = y,
        .width = std::min((high.column + 1) * finding::tile_edge, sealed_.geometry.columns) - x,
        .height = std::min((high.row + 1) * finding::tile_edge, sealed_.geometry.rows) - y};
    return finding;
  }

  /// Whatever was compared, some frame was not.
  void tell_of_limit() {
    out_.pixels = std::max(out_.pixels, Match::undecidable);
    if (std::exchange(told_undecodable_, true)) return;
    add(Match::undecidable,
        {.code = finding::Code::limit_reached,
         .severity = finding::Severity::warning,
         .text = "The frames were not all compared: that costs more work than a file of this size "
                 "may."});
  }

  /// A lossy encoding changes nearly every tile and proves nothing either way.
  void weigh_losses() {
    if (undecodable_loss_) {
      lossy_now_ = true;
      return tell_of_loss();
    }
    if (tiles_differing_ == 0) return;
    if (is_rendition()) {
      photometric_ = sealed_.photometric_interpretation;
      return;
    }
    const bool most = tiles_differing_ * 2 > tiles_compared_;
    // JPEG 2000 that left coding passes out does not say so; its transfer syntax allows it.
    const bool may_be_lossy = reader_.transfer_syntax().loss == dicom::Loss::either && most;
    if (!options_.count_textured) {
      if (lossy_now_ || may_be_lossy) {
        lossy_now_ = true;
        return tell_of_loss();
      }
      if (!sealed_.lossless && most) return tell_of_other_decoder();
    }
    for (finding::Finding& finding : tile_findings_) add(Match::different, std::move(finding));
  }

  void tell_of_other_decoder() {
    tell_of_loss();
    finding::Finding& finding = out_.findings.back();
    finding.code = finding::Code::decoder_differs;
    finding.text =
        "The image was sealed as a lossy codestream, which is gone, and most of its samples "
        "differ: another decoder gave them, or somebody altered them. That cannot be told apart.";
  }

  void tell_of_loss() {
    told_loss_ = true;
    std::erase_if(out_.findings, [](const finding::Finding& f) {
      return f.code == finding::Code::pixels_altered;
    });
    out_.pixels = Match::undecidable;
    add(Match::undecidable,
        {.code = finding::Code::lossy_recompressed,
         .severity = finding::Severity::warning,
         .text = "The image was compressed with loss after it was sealed: its samples can no "
                 "longer be compared with the seal."});
  }

  void tell_of_moved_overlays() {
    if (moved_.empty() || overlays_differ_ || frames_restored_ != sealed_.geometry.frames) return;
    out_.moved_overlays = moved_;
    add(Match::same, {.code = finding::Code::overlay_moved,
                      .severity = finding::Severity::note,
                      .text = "An overlay that lay in unused bits of the samples was moved into "
                              "(60xx,3000); it shows the same."});
  }

  void tell_of_lost_bits() {
    if (!lost_outside_bits_) return;
    add(Match::undecidable,
        {.code = finding::Code::pixels_missing,
         .severity = finding::Severity::warning,
         .text = "Bits outside Bits Stored (an old overlay, for example) that were sealed are not "
                 "in this encoding; the image itself can be compared."});
  }

  /// What readers take differently: new, it may show them another picture; as it was sealed, they
  /// never agreed on one.
  void tell_of_oddities() {
    const codec::Oddities sealed = sealed_.oddities;
    for (std::uint8_t n = codec::oddity_first; n <= codec::oddity_last; ++n) {
      const auto oddity = static_cast<codec::Oddity>(n);
      if (!found_.has(oddity) && !sealed.has(oddity)) continue;
      const bool is_table = oddity == codec::Oddity::offset_table;
      // What was compressed with loss cannot be compared anyway, and is no forgery for that.
      const bool is_new = !sealed.has(oddity) && !is_table && !told_loss_;
      if (!is_new) out_.ambiguous = true;
      add(is_new ? Match::different : Match::same,
          {.code = is_table ? finding::Code::offset_table_wrong : finding::Code::reading_ambiguous,
           .severity = is_new ? finding::Severity::alarm : finding::Severity::warning,
           .text = "The pixel data hold " + std::string(codec::to_sentence(oddity)) +
                   (is_new               ? ", and did not when they were sealed."
                    : sealed.has(oddity) ? ", as they did when they were sealed."
                                         : ".")});
    }
  }

  /// Whether the term of a JPEG is a YCbCr that no change of encoding makes of the sealed one: they
  /// decode alike, but name another sampling or another range of values.
  [[nodiscard]] bool names_other_colours() const {
    const auto is_jpeg = [](const dicom::TransferSyntax& syntax) {
      return syntax.encoding == dicom::PixelEncoding::jpeg_baseline ||
             syntax.encoding == dicom::PixelEncoding::jpeg_extended ||
             syntax.encoding == dicom::PixelEncoding::jpeg_lossless ||
             syntax.encoding == dicom::PixelEncoding::jpeg_other;
    };
    const std::string& term = reader_.geometry().photometric_interpretation;
    if (!is_jpeg(reader_.transfer_syntax()) || !term.starts_with("YBR_")) return false;
    const evidence::Statement& statement = evidence_.statement;
    const auto* syntax = dicom::find_transfer_syntax(statement.transfer_syntax_uid);
    const std::string sealed_term =
        statement.encoding ? statement.encoding->photometric_interpretation : "";
    if (term == sealed_term) return false;
    // What GDCM makes of the commonest ultrasound: decoded, each pixel with its chrominance, and
    // then encoded without loss.
    if (reader_.transfer_syntax().encoding == dicom::PixelEncoding::jpeg_lossless &&
        term == "YBR_FULL" && sealed_term == "YBR_FULL_422")
      return false;
    const bool was_jpeg = syntax != nullptr && is_jpeg(*syntax) && sealed_term.starts_with("YBR_");
    return was_jpeg || term.starts_with("YBR_PARTIAL");
  }

  /// A codestream that says itself what its colours are decodes the same under another label, but
  /// viewers that believe the label show other colours.
  void tell_of_new_label() {
    if (!relabelled_ || photometric_ != sealed_.photometric_interpretation) return;
    add(Match::different,
        {.code = finding::Code::attribute_altered,
         .severity = finding::Severity::alarm,
         .text = "Photometric Interpretation (0028,0004) differs from the seal; the encoding does "
                 "not explain it, and viewers that believe it show other colours.",
         .attribute = "(0028,0004)",
         .keyword = "PhotometricInterpretation"});
  }

  void compare_counts(std::uint32_t sealed_frames) {
    const std::uint32_t present = reader_.frames_present();
    if (present < sealed_frames)
      add(Match::different,
          {.code = finding::Code::pixels_missing,
           .severity = finding::Severity::alarm,
           .text = count_of(sealed_frames - present, "frame", "frames") + " of the " +
                   std::to_string(sealed_frames) + " that were sealed " +
                   (sealed_frames - present == 1 ? "is" : "are") + " missing.",
           .frame = present + 1});
    if (present > sealed_frames)
      add(Match::different, {.code = finding::Code::pixels_added,
                             .severity = finding::Severity::alarm,
                             .text = "The file has more frames than the " +
                                     std::to_string(sealed_frames) + " that were sealed.",
                             .frame = sealed_frames + 1});
  }

  void compare_tail() {
    const ByteView tail = reader_.excess();
    const std::optional<Digest>& sealed = evidence_.pixels.tail;
    if (tail.empty()) {
      // Encodings of frames have no place for it: nothing to compare, nothing to see.
      if (sealed && !reader_.is_encapsulated() && sealed_.root)
        add(Match::different, {.code = finding::Code::pixels_missing,
                               .severity = finding::Severity::alarm,
                               .text = "Bytes that followed the last frame when the image was "
                                       "sealed are gone."});
      return;
    }
    if (sealed && canonical::tail_hash(salts_, tail) == *sealed) return;
    add(Match::different,
        {.code = sealed ? finding::Code::pixels_altered : finding::Code::pixels_added,
         .severity = finding::Severity::alarm,
         .text = std::string("The bytes after the last frame ") +
                 (sealed ? "differ from the seal." : "were not there when the image was sealed.")});
  }

  const dicom::File& file_;
  const evidence::Evidence& evidence_;
  const evidence::SealedPixels& sealed_;
  canonical::SharedFrames& shared_;
  const codec::FrameReader& reader_;
  const ContentOptions& options_;
  ContentComparison& out_;
  const canonical::Salts salts_;
  const canonical::TileGrid grid_;
  std::optional<canonical::TileHasher> hasher_;
  std::vector<Digest> hashes_;
  std::vector<canonical::OutsideBitsLeaf> outside_;
  std::vector<finding::Finding> tile_findings_;  // held back until losses are weighed
  std::vector<bool> renditions_left_;            // of those sealed: that all frames so far can be
  std::string photometric_;
  bool photometric_known_ = false;
  bool same_shape_ = false;
  std::uint32_t count_ = 0;  // of frames to compare
  bool untouched_encoding_ = false;
  bool told_undecodable_ = false;
  bool lossy_now_ = false;
  bool told_loss_ = false;
  bool undecodable_loss_ = false;  // a frame in a lossy encoding that does not decode
  bool lost_outside_bits_ = false;
  MovedOverlays moved_;           // that the attributes allow
  bool overlays_differ_ = false;  // from what was sealed, once back in the samples
  std::uint32_t frames_restored_ = 0;
  codec::Oddities found_;    // beside the samples of what is not as it was sealed
  bool relabelled_ = false;  // same codestream, another Photometric Interpretation
  std::uint64_t tiles_compared_ = 0;
  std::uint64_t tiles_differing_ = 0;
};

PixelComparison::PixelComparison(const evidence::Evidence& evidence,
                                 canonical::ObjectDecoder& decoder, const ContentOptions& options,
                                 ContentComparison& out) {
  const dicom::File& file = decoder.file();
  const auto fail_with = [&](Match match, finding::Code code, std::string text) {
    out.pixels = match;
    out.findings.push_back({.code = code,
                            .severity = match == Match::different ? finding::Severity::alarm
                                                                  : finding::Severity::warning,
                            .text = std::move(text)});
    photometric_ = file.data_set().find_text(dicom::tags::photometric_interpretation).value_or("");
  };
  const evidence::SealedGeometry& g = evidence.statement.pixels->geometry;
  if (canonical::find_pixel_element(file.data_set(), static_cast<codec::SampleKind>(g.kind),
                                    g.sample_bytes) == nullptr) {
    fail_with(Match::different, finding::Code::pixels_missing,
              "The pixel data that was sealed is not in the file.");
    return;
  }
  // A bare data set says its encoding nowhere: that of the seal is tried.
  const auto frames =
      decoder.frames(dicom::find_transfer_syntax(evidence.statement.transfer_syntax_uid));
  if (!frames) {
    const Error& error = frames.error();
    if (error.code == ErrorCode::over_limit) {
      fail_with(Match::undecidable, finding::Code::limit_reached, error.what);
      return;
    }
    {
      fail_with(Match::different, finding::Code::pixels_altered,
                "The pixel data can no longer be read as an image: " + error.what);
      return;
    }
  }
  frames_ = std::make_unique<Frames>(file, evidence, **frames, options, out);
  frames_->begin();
}

PixelComparison::PixelComparison(PixelComparison&&) noexcept = default;
PixelComparison::~PixelComparison() = default;

std::uint32_t PixelComparison::frames() const { return frames_ ? frames_->count() : 0; }

void PixelComparison::compare(std::uint32_t frame) { frames_->compare(frame); }

std::string PixelComparison::finish() {
  return frames_ ? frames_->finish() : std::move(photometric_);
}

}  // namespace fiducia::seal
