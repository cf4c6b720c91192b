// SPDX-License-Identifier: Apache-2.0
#include "seal/sealer.h"

#include <algorithm>
#include <cstring>

#include "canonical/header.h"
#include "canonical/pixel_source.h"
#include "canonical/pixels.h"
#include "canonical/reading.h"
#include "canonical/untyped_text.h"
#include "evidence/evidence_file.h"
#include "evidence/ledger_entry.h"
#include "evidence/statement.h"
#include "finding/finding.h"
#include "merkle/merkle.h"

namespace fiducia::seal {
namespace {

std::unexpected<Error> shrank(const dicom::File& file) {
  return fail(ErrorCode::io_unreadable, "the file shrank while it was read.",
              "Seal it again when nobody writes to it.", Location{.file = file.name()});
}

/// What sealing the pixels gives.
struct PixelPart {
  evidence::SealedPixels sealed;
  std::optional<evidence::SealedEncoding> encoding;
  canonical::PixelLeaves leaves;
  codec::Oddities oddities;
};

/// Seals the frames of one object: decoded samples where they can be had, encoded bytes where
/// there are some.
class PixelSealer {
 public:
  PixelSealer(const dicom::File& file, codec::FrameReader& reader, const canonical::Salts& salts,
              canonical::SketchBuilder* sketch, std::vector<finding::Finding>& findings)
      : file_(file), reader_(reader), salts_(salts), sketch_(sketch), findings_(findings) {}

  Result<PixelPart> run() {
    const codec::Geometry& geometry = reader_.geometry();
    PixelPart part;
    part.oddities = reader_.form_oddities();
    part.sealed.geometry = evidence::sealed_geometry(geometry);
    part.sealed.photometric_interpretation = geometry.photometric_interpretation;
    // A video is one codestream, whatever its number of frames: that is what can be sealed of it.
    frames_ = reader_.frames_present();
    part.sealed.geometry.frames = frames_;
    if (frames_ < geometry.frames &&
        file_.transfer_syntax().encoding != dicom::PixelEncoding::video)
      return fail_malformed("pixel_data",
                            "Pixel Data holds " + std::to_string(reader_.frames_present()) +
                                " of the " + std::to_string(geometry.frames) +
                                " frames that the header announces. Fetch the object again from "
                                "its source.");
    const std::uint64_t tiles = canonical::tile_grid(geometry.rows, geometry.columns).count();
    if (tiles * frames_ > limits::tiles_max) return too_many_tiles(limits::tiles_max);
    FIDUCIA_CHECK(hash_samples(part, tiles));
    if (reader_.is_encapsulated()) seal_encoding(part);
    part.sealed.oddities = part.oddities;
    tell_of_oddities(part.oddities);
    if (!part.sealed.root && !part.encoding) return std::unexpected(std::move(*samples_error_));
    return part;
  }

 private:
  static std::unexpected<Error> too_many_tiles(std::uint64_t max) {
    return fail(ErrorCode::over_limit, "the image has more than " + std::to_string(max) + " tiles.",
                "Split the object into several with fewer frames.");
  }

  /// For an image with more tiles than evidence has room for: it is sealed only where its samples
  /// are not, so all that counts is whether the decoder refuses a frame.
  Status read_without_hashing(PixelPart& part) {
    if (!reader_.is_encapsulated()) return too_many_tiles(limits::sealed_tiles_max);
    for (std::uint32_t f = 0; f < frames_; ++f)
      if (auto frame = reader_.read(f); !frame)
        return without_samples(part, std::move(frame).error());
    return too_many_tiles(limits::sealed_tiles_max);
  }

  Status hash_samples(PixelPart& part, std::uint64_t tiles_per_frame) {
    if (tiles_per_frame * frames_ > limits::sealed_tiles_max) return read_without_hashing(part);
    const codec::Geometry& geometry = reader_.geometry();
    canonical::TileHasher hasher(geometry);
    part.leaves.tiles.resize(tiles_per_frame * frames_);
    const bool has_renditions = reader_.has_renditions();
    const bool room = !has_renditions || has_room_for_renditions();
    if (has_renditions && room) part.leaves.renditions.resize(codec::rendition_count - 1U);
    for (std::uint32_t f = 0; f < frames_; ++f) {
      auto frame = part.leaves.renditions.empty() ? reader_.read(f) : reader_.read_first(f);
      if (!frame) {
        FIDUCIA_CHECK(without_samples(part, std::move(frame).error()));
        return {};
      }
      if (f == 0) {
        part.sealed.decoder = frame->decoder.substr(0, 64);
        part.sealed.photometric_interpretation = canonical::canonical_photometric(
            file_.transfer_syntax().encoding, geometry.photometric_interpretation,
            frame->photometric_interpretation);
      }
      part.sealed.lossless = part.sealed.lossless && frame->lossless;
      hasher.hash(f, *frame, salts_,
                  std::span{part.leaves.tiles}.subspan(f * tiles_per_frame, tiles_per_frame),
                  part.leaves.outside_bits, sketch_);
      part.oddities.add(frame->oddities);
      if (hasher.has_unextended_signs()) part.oddities.add(codec::Oddity::signs_not_extended);
      // Now, while its bytes are in memory and perhaps in the cache.
      if (reader_.is_encapsulated()) hash_encoded(part, f + 1);
      if (frame->borrowed_from_file) file_.release(frame->samples);
      hash_renditions(part, f);
    }
    if (const ByteView tail = reader_.excess(); !tail.empty())
      part.leaves.tail = canonical::tail_hash(salts_, tail);
    part.sealed.leaf_count =
        part.leaves.tiles.size() + part.leaves.outside_bits.size() + (part.leaves.tail ? 1U : 0U);
    part.sealed.root = canonical::pixel_root(part.leaves, tiles_per_frame);
    for (const std::vector<Digest>& leaves : part.leaves.renditions)
      part.sealed.renditions.push_back(
          {.rendition = static_cast<codec::Rendition>(part.sealed.renditions.size() + 1),
           .root = merkle::root(leaves)});
    if (!room)
      findings_.push_back(
          {.code = finding::Code::limit_reached,
           .severity = finding::Severity::note,
           .text = "The image is too large for its file to be decoded in all the ways that other "
                   "decoders do it: decompressed by them it will be indeterminate."});
    return {};
  }

  void tell_of_oddities(codec::Oddities oddities) {
    for (std::uint8_t n = codec::oddity_first; n <= codec::oddity_last; ++n) {
      const auto oddity = static_cast<codec::Oddity>(n);
      if (!oddities.has(oddity)) continue;
      findings_.push_back(
          {.code = oddity == codec::Oddity::offset_table ? finding::Code::offset_table_wrong
                                                         : finding::Code::reading_ambiguous,
           .severity = finding::Severity::warning,
           .text = "The pixel data hold " + std::string(codec::to_sentence(oddity)) +
                   ": programs may show other pictures, so this image will never be called "
                   "authentic."});
    }
  }

  /// Each rendition is a pass more. Where the budget has no room for them, the image is sealed
  /// without.
  [[nodiscard]] bool has_room_for_renditions() const {
    const Budget& budget = file_.budget();
    const std::uint64_t room = budget.allowed() / (codec::rendition_count + 1U);
    return budget.spent() <= room && reader_.work() <= room - budget.spent();
  }

  /// Tools that decompress colour JPEG leave the colours as coded or not, and spread them in one
  /// way or another: the frame read last, as they give it. Where one frame has not all renditions
  /// (a codestream without YCbCr), the image is sealed without that one and those behind it.
  void hash_renditions(PixelPart& part, std::uint32_t f) {
    std::vector<std::vector<Digest>>& all = part.leaves.renditions;
    for (std::size_t n = 0; n < all.size(); ++n) {
      const auto rendition = static_cast<codec::Rendition>(n + 1);
      const auto frame = reader_.read_again(rendition);
      if (!frame) return all.resize(n);
      all[n].push_back(canonical::rendition_hash(f, rendition, salts_, frame->samples));
    }
  }

  /// No decoder, or one that refuses what others may show: the encoded frames alone are sealed,
  /// and the person is told.
  Status without_samples(PixelPart& part, Error error) {
    const bool no_codec =
        error.code == ErrorCode::codec_missing || error.code == ErrorCode::unsupported;
    const bool refused = error.code == ErrorCode::codec_failed;
    if (!reader_.is_encapsulated() || (!no_codec && !refused))
      return std::unexpected(std::move(error));
    part.leaves = {};
    part.sealed.lossless = false;  // nothing is known
    part.sealed.decoder.clear();
    for (std::uint32_t f = 0; f < frames_; ++f) part.oddities.add(reader_.oddities(f));
    if (no_codec)
      findings_.push_back(
          {.code = finding::Code::codec_missing,
           .severity = finding::Severity::warning,
           .text = "No decoder for this encoding is at hand: the encoded frames are sealed, the "
                   "samples are not, so a change of encoding will not verify."});
    else
      findings_.push_back(
          {.code = finding::Code::bytes_only,
           .severity = finding::Severity::note,
           .text = "The encoded frames are sealed by their bytes: the decoder refuses them, so "
                   "that their samples are not sealed (" +
                   error.what + ")."});
    samples_error_ = std::move(error);
    return {};
  }

  /// Hashes the encoded frames before `end` that are not hashed yet.
  void hash_encoded(PixelPart& part, std::uint32_t end) {
    std::vector<Digest>& leaves = part.leaves.encoded_frames;
    leaves.reserve(frames_);
    for (auto f = narrow<std::uint32_t>(leaves.size()); f < end; ++f) {
      const std::vector<ByteView> pieces = reader_.encoded(f);
      leaves.push_back(canonical::encoded_frame_hash(f, salts_, pieces));
      for (const ByteView piece : pieces) file_.release(piece);
    }
  }

  void seal_encoding(PixelPart& part) {
    const codec::Geometry& geometry = reader_.geometry();
    hash_encoded(part, frames_);
    part.encoding =
        evidence::SealedEncoding{.root = merkle::root(part.leaves.encoded_frames),
                                 .photometric_interpretation = geometry.photometric_interpretation,
                                 .planar_configuration = geometry.planar_configuration};
  }

  const dicom::File& file_;
  codec::FrameReader& reader_;
  const canonical::Salts& salts_;
  canonical::SketchBuilder* sketch_;
  std::vector<finding::Finding>& findings_;
  std::uint32_t frames_ = 0;
  std::optional<Error> samples_error_;
};

bool is_yes(const std::optional<std::string>& text) { return text && *text == "YES"; }

bool is_derived(const dicom::DataSet& data_set) {
  const auto type = data_set.find_text({0x0008, 0x0008});  // Image Type, value 1
  return type && type->starts_with("DERIVED");
}

/// Puts the file's ambiguities into the statement and tells the person who seals. A file that holds
/// two data sets is none that can be sealed: nobody could say which of them.
Status state_ambiguities(const dicom::File& file, const canonical::CanonicalHeader& header,
                         evidence::Statement& statement, std::vector<finding::Finding>& findings) {
  const std::vector<canonical::Ambiguity> ambiguities = canonical::find_ambiguities(file, header);
  for (const std::span<const canonical::Ambiguity> places : canonical::by_kind(ambiguities)) {
    const canonical::AmbiguityKind kind = places.front().kind;
    if (kind == canonical::AmbiguityKind::two_readings)
      return fail_malformed("two_readings",
                            "The data set can be read in two encodings, as two different objects. "
                            "Write it anew with the program that made it, in one transfer syntax.");
    statement.ambiguities.push_back(kind);
    findings.push_back(canonical::ambiguity_finding(places, finding::Severity::warning));
  }
  return {};
}

}  // namespace

struct Draft::State {
  Bytes sign1;
  Bytes entry;
  canonical::Seed seed{};
  Digest object_root;
  std::string sop_instance_uid;
  canonical::CanonicalHeader header;  // owns the paths of `attributes`
  std::vector<evidence::SealedAttribute> attributes;
  std::optional<canonical::PixelLeaves> pixels;
  canonical::Sketch sketch;
  std::vector<finding::Finding> findings;
};

/// Evidence that no store takes must fail here, alone: after the ledger it would be an entry
/// without a seal, and would take the other objects of its batch with it.
Status check_evidence_size(const Draft::State& state) {
  // Statement, certificates, receipt, checkpoint and time-stamps have limits of their own.
  constexpr std::uint64_t rest_bytes = 2ULL << 20;
  constexpr std::uint64_t row_bytes = 64;  // hash, VR, numbers and heads of CBOR
  std::uint64_t bytes = rest_bytes;
  for (const evidence::SealedAttribute& attribute : state.attributes)
    bytes += attribute.path.size() + row_bytes;
  if (state.pixels)
    bytes += (state.pixels->tiles.size() + state.pixels->encoded_frames.size()) * sizeof(Digest) +
             state.pixels->outside_bits.size() * row_bytes;
  if (bytes <= limits::evidence_bytes_max) return {};
  return fail(ErrorCode::over_limit,
              "its evidence would be larger than " +
                  std::to_string(limits::evidence_bytes_max >> 20U) + " MiB.",
              "Split the object into several with fewer frames or attributes.");
}

Draft::Draft(std::unique_ptr<State> state) : state_(std::move(state)) {}
Draft::Draft(Draft&&) noexcept = default;
Draft& Draft::operator=(Draft&&) noexcept = default;
Draft::~Draft() = default;

const Bytes& Draft::ledger_entry() const { return state_->entry; }
const Digest& Draft::object_root() const { return state_->object_root; }
const std::string& Draft::sop_instance_uid() const { return state_->sop_instance_uid; }
const canonical::Sketch& Draft::sketch() const { return state_->sketch; }
const std::vector<finding::Finding>& Draft::findings() const { return state_->findings; }

Bytes Draft::finish(const ledger_format::Appended& appended, std::string_view checkpoint,
                    std::span<const Bytes> time_stamps) const {
  return evidence::write_evidence({.sign1 = state_->sign1,
                                   .seed = &state_->seed,
                                   .attributes = state_->attributes,
                                   .pixels = state_->pixels ? &*state_->pixels : nullptr,
                                   .receipts = {&appended.receipt, 1},
                                   .checkpoint = checkpoint,
                                   .time_stamps = time_stamps});
}

Result<Draft> draft_seal(const dicom::File& file, const Signer& signer, UnixTime claimed_at,
                         codec::CodecChild* child, canonical::SketchBuilder* sketch) {
  FIDUCIA_ASSERT(!signer.chain.empty());
  auto state = std::make_unique<Draft::State>();
  FIDUCIA_CHECK(crypto::fill_random(state->seed));
  const canonical::Salts salts(state->seed);
  const dicom::DataSet& data_set = file.data_set();

  evidence::Statement statement{
      .sop_class_uid =
          canonical::statable_text(data_set.find_text(dicom::tags::sop_class_uid).value_or(""))
              .value_or(""),
      .header_root = {},
      .header_leaf_count = 0,
      .pixels = {},
      .transfer_syntax_uid = std::string(file.transfer_syntax().uid),
      .encoding = {},
      .claimed_at = claimed_at,
      .device = signer.device,
      .synthetic = is_yes(data_set.find_text(dicom::tags::synthetic_data)),
      .derived = is_derived(data_set)};

  canonical::HeaderContext context;
  auto geometry = codec::read_geometry(data_set);
  if (!geometry && geometry.error().code == ErrorCode::over_limit)
    return std::unexpected(std::move(geometry).error());
  // Pixel data that is not an image we understand is sealed as an attribute, byte for byte.
  if (geometry && *geometry) {
    FIDUCIA_TRY(reader, codec::FrameReader::open(file, child, nullptr, &**geometry));
    PixelSealer sealer(file, reader, salts, sketch, state->findings);
    FIDUCIA_TRY(part, sealer.run());
    statement.pixels = std::move(part.sealed);
    statement.encoding = std::move(part.encoding);
    state->pixels = std::move(part.leaves);
    context.pixel_element = canonical::find_pixel_element(data_set, reader.geometry().kind,
                                                          reader.geometry().sample_bytes());
    context.photometric_interpretation =
        canonical::photometric_for_header(data_set, statement.pixels->photometric_interpretation);
    // From here on only what a statement can hold.
    statement.pixels->photometric_interpretation = context.photometric_interpretation.value_or("?");
    if (statement.encoding)
      statement.encoding->photometric_interpretation =
          canonical::statable_text(statement.encoding->photometric_interpretation).value_or("?");
  }

  const canonical::NestedPixels nested = canonical::decode_nested_pixels(file, child);
  context.nested_pixels = &nested;
  context.budget = &file.budget();
  FIDUCIA_TRY(header, canonical::CanonicalHeader::read(data_set, std::move(context)));
  state->header = std::move(header);
  FIDUCIA_CHECK(state_ambiguities(file, state->header, statement, state->findings));
  const std::span leaves = state->header.leaves();
  const std::vector<canonical::Salt> header_salts = salts.header(leaves.size());
  state->attributes.resize(leaves.size());
  canonical::HeaderHasher hasher;
  canonical::UntypedText untyped(salts, leaves.size());
  Bytes swap_scratch;
  std::string text_scratch;
  for (std::size_t i = 0; i < leaves.size(); ++i) {
    evidence::SealedAttribute& attribute = state->attributes[i];
    attribute.path = state->header.path(leaves[i]);
    attribute.vr = leaves[i].vr;
    hasher.add(header_salts[i], attribute.path, attribute.vr,
               state->header.value(leaves[i], attribute.vr, swap_scratch, text_scratch),
               &attribute.hash);
    if (attribute.vr == dicom::vr::un)
      FIDUCIA_CHECK(untyped.add(attribute.path, leaves[i], &file.budget()));
  }
  hasher.flush();
  std::vector<Digest> hashes;
  hashes.reserve(leaves.size());
  for (const evidence::SealedAttribute& attribute : state->attributes)
    hashes.push_back(attribute.hash);
  statement.header_root = merkle::root(hashes);
  statement.header_leaf_count = hashes.size();
  statement.untyped_text = untyped.finish();
  if (file.was_truncated()) return shrank(file);
  FIDUCIA_CHECK(check_evidence_size(*state));

  const Bytes payload = evidence::write_statement(statement);
  const crypto::Sign1Spec spec{.algorithm = signer.key->default_algorithm(),
                               .x5chain = signer.chain,
                               .content_type = std::string(evidence::statement_content_type),
                               .kid = {},
                               .issuer = {},
                               .issued_at = {},
                               .vds = {}};
  FIDUCIA_TRY(sign1, crypto::write_sign1(spec, *signer.key, payload));
  state->entry = evidence::seal_entry(sign1, signer.chain.front().fingerprint(), claimed_at);
  state->sign1 = std::move(sign1);
  state->object_root = evidence::object_root(statement);
  state->sop_instance_uid = data_set.find_text(dicom::tags::sop_instance_uid).value_or("");
  if (sketch != nullptr) state->sketch = sketch->finish();
  return Draft(std::move(state));
}

}  // namespace fiducia::seal
