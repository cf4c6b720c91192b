// SPDX-License-Identifier: Apache-2.0
#include "seal/compare_header.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "canonical/header.h"
#include "canonical/pixel_source.h"
#include "canonical/reading.h"
#include "canonical/untyped_text.h"
#include "canonical/vr_change.h"
#include "evidence/evidence.h"
#include "finding/finding.h"
#include "seal/compressor_remark.h"
#include "seal/loss_record.h"
#include "trust/trust.h"

namespace fiducia::seal {
namespace {

bool starts_with(ByteView path, ByteView prefix) {
  return path.size() > prefix.size() && std::memcmp(path.data(), prefix.data(), prefix.size()) == 0;
}

/// Attributes that PS3.3 makes a lossy compressor write (C.7.6.1.1.5, General Image and SOP Common
/// modules), and those that describe the bits and grey levels it reduces the image to. Beside
/// `lossy.recompressed` they prove nothing.
bool follows_from_lossy_compression(ByteView path) {
  static constexpr std::array<dicom::Tag, 23> tags{
      {{0x0008, 0x0008}, {0x0008, 0x0018}, {0x0008, 0x2111}, {0x0008, 0x2112}, {0x0008, 0x9215},
       {0x0028, 0x0004}, {0x0028, 0x0100}, {0x0028, 0x0101}, {0x0028, 0x0102}, {0x0028, 0x0103},
       {0x0028, 0x0106}, {0x0028, 0x0107}, {0x0028, 0x0120}, {0x0028, 0x0121}, {0x0028, 0x1050},
       {0x0028, 0x1051}, {0x0028, 0x1052}, {0x0028, 0x1053}, {0x0028, 0x1054}, {0x0028, 0x1055},
       {0x0028, 0x2110}, {0x0028, 0x2112}, {0x0028, 0x2114}}};
  if (path.size() < 5) return false;
  const dicom::Tag tag{load_be<std::uint16_t>(path.data()), load_be<std::uint16_t>(&path[3])};
  return path[2] == std::byte{0} && std::ranges::find(tags, tag) != tags.end();
}

/// A value as a person would read it, cut to 256 bytes, control characters made visible. Only
/// for those who asked to see values.
std::string printable_value(const canonical::CanonicalValue& value) {
  constexpr std::size_t shown_bytes_max = 256;
  std::string out;
  switch (value.kind) {
    case canonical::ValueKind::empty:
      return "";
    case canonical::ValueKind::items:
      return std::to_string(load_be<std::uint32_t>(value.bytes.data())) + " items";
    case canonical::ValueKind::text:
    case canonical::ValueKind::decimal: {
      for (const char c : front_bytes(as_text(value.bytes), shown_bytes_max))
        if (c == '\0' || static_cast<unsigned char>(c) >= 0x20)
          out += c == '\x7F' || c == '\0' ? '?' : c;
        else
          out += ' ';
      return out;
    }
    default:
      return "0x" + to_hex(value.bytes.first(std::min<std::size_t>(value.bytes.size(), 32))) +
             (value.bytes.size() > 32 ? "..." : "");
  }
}

/// The header, or the rest of it, is not compared: work was refused, or it is no header.
finding::Finding header_limit(const Error& error) {
  return finding::of_error(
      error,
      error.code == ErrorCode::over_limit ? finding::Severity::warning : finding::Severity::alarm,
      "The header cannot be compared: " + error.what);
}

/// Merges the sealed table with the leaves of the file; both are in the order of their paths.
class HeaderComparison {
 public:
  HeaderComparison(const dicom::File& file, const canonical::CanonicalHeader& header,
                   const evidence::Evidence& evidence, const canonical::NestedPixels& nested,
                   const ContentOptions& options, ContentComparison& out)
      : file_(file),
        header_(header),
        evidence_(evidence),
        nested_(nested),
        options_(options),
        out_(out) {}

  void run() {
    out_.header = Match::same;
    hash_pairs();
    for (std::size_t i = 0; i < pairs_.size(); ++i) judge(i);
    report_vr_changes();
    if (out_.header != Match::different && evidence_.statement.untyped_text)
      compare_untyped_text(*evidence_.statement.untyped_text);
  }

 private:
  static constexpr std::size_t none = static_cast<std::size_t>(-1);
  struct Pair {
    std::size_t sealed = none;
    std::size_t now = none;
    canonical::VrChange vr = canonical::VrChange::none;
    [[nodiscard]] bool vr_refused() const { return vr == canonical::VrChange::other_value; }
  };

  void hash_pairs() {
    const std::span sealed{evidence_.attributes};
    const std::span now = header_.leaves();
    salts_ = canonical::Salts(evidence_.seed).header(sealed.size());
    pairs_.reserve(std::max(sealed.size(), now.size()));
    hashes_.resize(sealed.size());  // addresses must stay: HeaderHasher writes late
    canonical::HeaderHasher hasher;
    Bytes swap_scratch;
    std::string text_scratch;
    std::size_t s = 0;
    std::size_t n = 0;
    while (s < sealed.size() || n < now.size()) {
      const int order = s == sealed.size() ? 1
                        : n == now.size()
                            ? -1
                            : canonical::compare_paths(sealed[s].path, header_.path(now[n]));
      Pair pair;
      if (order <= 0) pair.sealed = s;
      if (order >= 0) pair.now = n;
      if (order == 0) {
        const canonical::HeaderLeaf& leaf = now[n];
        const dicom::Vr vr = sealed[s].vr;
        pair.vr = canonical::judge_vr_change(vr, header_, leaf);
        hasher.add(salts_[s], sealed[s].path, vr,
                   header_.value(leaf, vr, swap_scratch, text_scratch), &hashes_[s]);
      }
      s += order <= 0 ? 1U : 0U;
      n += order >= 0 ? 1U : 0U;
      pairs_.push_back(pair);
    }
    hasher.flush();
  }

  [[nodiscard]] ByteView path_of(const Pair& pair) const {
    return pair.sealed != none ? evidence_.attributes[pair.sealed].path
                               : header_.path(header_.leaves()[pair.now]);
  }

  void judge(std::size_t i) {
    const Pair& pair = pairs_[i];
    const ByteView path = path_of(pair);
    if (!skip_prefix_.empty() && starts_with(path, skip_prefix_)) return;
    skip_prefix_ = {};
    if (is_moved_overlay(pair)) return;
    if (pair.sealed != none && pair.now != none) {
      const dicom::Element& element = *header_.leaves()[pair.now].element;
      const bool same_value = hashes_[pair.sealed] == evidence_.attributes[pair.sealed].hash;
      if (same_value && !pair.vr_refused()) {
        // In implicit VR every VR is gone: nothing to tell about.
        if (pair.vr == canonical::VrChange::same_value && element.file_vr != dicom::Vr{})
          ++vr_changes_;
        return;
      }
      if (is_sealed_fragments(pair) || is_undecodable_icon(pair)) return;
      if (header_.leaves()[pair.now].is_sequence &&
          evidence_.attributes[pair.sealed].vr == dicom::vr::sq && !pair.vr_refused()) {
        item_count_differs(pair);
        return;
      }
      if (is_compressor_remark(pair) || is_true_record_of_loss(pair) || is_tolerated(pair)) return;
      add(finding::Code::attribute_altered, path, pair.now,
          same_value ? " has the bytes that were sealed, but the value representation " +
                           (element.file_vr == dicom::Vr{} ? element.vr : element.file_vr).text() +
                           " in place of " + evidence_.attributes[pair.sealed].vr.text() +
                           ", under which readers get another value."
                     : " differs from the seal.");
      return;
    }
    if (is_under_reported_item(path) || is_compressor_remark(pair) || is_one_frame(pair) ||
        is_true_record_of_loss(pair) || is_tolerated(pair))
      return;
    if (pair.sealed != none) {
      add(finding::Code::attribute_removed, path, none, " was sealed and is missing.");
      if (evidence_.attributes[pair.sealed].vr == dicom::vr::sq) skip_prefix_ = path;
    } else {
      const canonical::HeaderLeaf& leaf = header_.leaves()[pair.now];
      if (leaf.duplicate) {
        add(finding::Code::attribute_added, path, pair.now, " stands in the file more than once.");
      } else {
        add(finding::Code::attribute_added, path, pair.now,
            " was not there when the image was sealed.");
      }
      if (leaf.is_sequence) skip_prefix_ = path;
    }
  }

  /// Whether Derivation Description only gained the remark of a lossless compressor, whose work
  /// the pixel comparison has proven to be lossless. What stood there before must be as sealed.
  bool is_compressor_remark(const Pair& pair) {
    static const auto path = canonical::top_level_path({0x0008, 0x2111});
    if (pair.now == none || out_.pixels != Match::same || !evidence_.statement.pixels ||
        !same_bytes(path_of(pair), path) || header_.leaves()[pair.now].duplicate ||
        pair.vr_refused())
      return false;
    Bytes swap_scratch;
    std::string text_scratch;
    const canonical::CanonicalValue value =
        header_.value(header_.leaves()[pair.now], dicom::vr::st, swap_scratch, text_scratch);
    if (value.kind != canonical::ValueKind::text) return false;
    std::string_view rest = as_text(value.bytes);
    while (const auto before = without_compressor_remark(rest)) {
      rest = *before;
      const bool as_sealed =
          rest.empty() ? pair.sealed == none || has_sealed_value(pair, {})
                       : pair.sealed != none &&
                             has_sealed_value(pair, {canonical::ValueKind::text, as_bytes(rest)});
      if (!as_sealed) continue;
      out_.findings.push_back({.code = finding::Code::encoding_changed,
                               .severity = finding::Severity::note,
                               .text = "Derivation Description (0008,2111) gained the remark of a "
                                       "lossless compressor; what stood there is unchanged.",
                               .attribute = "(0008,2111)",
                               .keyword = "DerivationDescription"});
      return true;
    }
    return false;
  }

  /// Whether the top-level Number of Frames is 1, said on one side only: image converters drop it,
  /// others add it, and no reader shows anything else (PS3.3 C.7.6.6).
  [[nodiscard]] bool is_one_frame(const Pair& pair) const {
    static const auto path = canonical::top_level_path(dicom::tags::number_of_frames);
    const canonical::CanonicalValue one{canonical::ValueKind::decimal, as_bytes("1")};
    if (!same_bytes(path_of(pair), path)) return false;
    if (pair.sealed != none)
      return evidence_.attributes[pair.sealed].vr == dicom::vr::is && has_sealed_value(pair, one);
    const canonical::HeaderLeaf& leaf = header_.leaves()[pair.now];
    Bytes swap_scratch;
    std::string text_scratch;
    const canonical::CanonicalValue now = header_.value(leaf, leaf.vr, swap_scratch, text_scratch);
    return !leaf.duplicate && leaf.vr == dicom::vr::is && now.kind == one.kind &&
           same_bytes(now.bytes, one.bytes);
  }

  /// Whether a tool only wrote down that the image is one that lost something in compression, as it
  /// did before it was sealed, where nothing (or that it did not) stood before.
  bool is_true_record_of_loss(const Pair& pair) {
    const ByteView path = path_of(pair);
    if (pair.now == none || out_.pixels == Match::different || path.size() != 5) return false;
    const canonical::HeaderLeaf& leaf = header_.leaves()[pair.now];
    const dicom::Tag tag = leaf.element->tag;
    if (!is_loss_record(tag) || leaf.duplicate || leaf.is_sequence || pair.vr_refused() ||
        !is_true_loss_record(proven_loss(file_, evidence_.statement), tag,
                             dicom::trimmed(as_text(leaf.element->value))))
      return false;
    static constexpr std::string_view no_loss = "00";
    if (pair.sealed != none && !has_sealed_value(pair, {}) &&
        !(tag.element == 0x2110 &&
          has_sealed_value(pair, {canonical::ValueKind::text, as_bytes(no_loss)})))
      return false;
    const auto place = canonical::describe_path(path);
    if (!place) return false;
    out_.findings.push_back({.code = finding::Code::encoding_changed,
                             .severity = finding::Severity::note,
                             .text = name_of(place->text, place->keyword) +
                                     " was written by a tool that decompresses, and is true: the "
                                     "image was compressed with loss when it was sealed.",
                             .attribute = place->text,
                             .keyword = place->keyword});
    return true;
  }

  /// Whether the trust file has a rule for this difference.
  bool is_tolerated(const Pair& pair) {
    const ByteView path = path_of(pair);
    if (options_.tolerance == nullptr || path.size() != 5 || path[2] != std::byte{0} ||
        pair.vr_refused())
      return false;
    const canonical::HeaderLeaf* leaf = pair.now == none ? nullptr : &header_.leaves()[pair.now];
    if (leaf != nullptr && (leaf->duplicate || leaf->is_sequence)) return false;
    const dicom::Tag tag{load_be<std::uint16_t>(path.data()), load_be<std::uint16_t>(&path[3])};
    const auto was = [&](std::string_view text) {
      std::string scratch;
      return has_sealed_value(
          pair, trust::canonical_text(evidence_.attributes[pair.sealed].vr, text, scratch));
    };
    const auto is = [&](std::string_view text) {
      Bytes swap_scratch;
      std::string now_scratch;
      std::string text_scratch;
      const canonical::CanonicalValue now =
          header_.value(*leaf, leaf->vr, swap_scratch, now_scratch);
      const canonical::CanonicalValue wanted = trust::canonical_text(leaf->vr, text, text_scratch);
      return now.kind == wanted.kind && same_bytes(now.bytes, wanted.bytes);
    };
    const trust::HeaderChange change = pair.sealed == none ? trust::HeaderChange::added
                                       : pair.now == none  ? trust::HeaderChange::removed
                                                           : trust::HeaderChange::altered;
    const auto tolerated = trust::find_tolerance(
        *options_.tolerance, {.tag = tag, .change = change, .was = was, .is = is});
    if (!tolerated) return false;
    const auto place = canonical::describe_path(path);
    if (!place) return false;
    out_.findings.push_back({.code = finding::Code::tolerated,
                             .severity = tolerated->rule->severity,
                             .text = name_of(place->text, place->keyword) + " was " +
                                     std::string(to_word(change)) + "; the rule \"" +
                                     tolerated->rule->name + "\" of " + tolerated->profile +
                                     " takes that as harmless.",
                             .attribute = place->text,
                             .keyword = place->keyword});
    return true;
  }

  /// Whether the attribute says where an overlay is that was proven to show what was sealed.
  [[nodiscard]] bool is_moved_overlay(const Pair& pair) const {
    if (out_.moved_overlays.empty() || pair.now == none) return false;
    const canonical::HeaderLeaf& leaf = header_.leaves()[pair.now];
    return leaf.path_bytes == 5 && !leaf.duplicate && !leaf.is_sequence &&
           out_.moved_overlays.explains(leaf.element->tag);
  }

  /// Whether nested Pixel Data was sealed by its fragments, because no decoder was at hand, and has
  /// these fragments still.
  [[nodiscard]] bool is_sealed_fragments(const Pair& pair) const {
    const dicom::Element& element = *header_.leaves()[pair.now].element;
    return element.encapsulated && !pair.vr_refused() &&
           has_sealed_value(pair, {canonical::ValueKind::fragments, element.value});
  }

  /// Whether nested Pixel Data differs, but only its fragments can be seen for want of a decoder.
  bool is_undecodable_icon(const Pair& pair) {
    if (!header_.leaves()[pair.now].element->encapsulated || !nested_.codec_is_missing)
      return false;
    out_.header = std::max(out_.header, Match::undecidable);
    out_.findings.push_back({.code = finding::Code::codec_missing,
                             .severity = finding::Severity::warning,
                             .text = "An icon image cannot be decoded here: no decoder for its "
                                     "encoding is at hand."});
    return true;
  }

  [[nodiscard]] bool has_sealed_value(const Pair& pair,
                                      const canonical::CanonicalValue& value) const {
    const evidence::SealedAttribute& attribute = evidence_.attributes[pair.sealed];
    return canonical::attribute_hash(salts_[pair.sealed], attribute.path, attribute.vr, value) ==
           attribute.hash;
  }

  /// The number of items of a sequence is not what was sealed. Items count from 1 and are
  /// compared by number, so the surplus is at the end.
  void item_count_differs(const Pair& pair) {
    const ByteView path = evidence_.attributes[pair.sealed].path;
    const std::uint32_t now = header_.leaves()[pair.now].element->item_count;
    const std::optional<std::uint32_t> sealed = sealed_item_count(pair, now);
    const bool added = sealed && *sealed < now;
    const std::uint32_t first = added ? *sealed + 1 : now + 1;
    Bytes item_path(path.begin(), path.end());
    append_be(item_path, first);
    const std::string how_many =
        sealed ? "has " + std::to_string(now) + (now == 1 ? " item" : " items") + "; " +
                     std::to_string(*sealed) + (*sealed == 1 ? " was" : " were") + " sealed."
               : "has fewer items than were sealed.";
    add(added ? finding::Code::item_added : finding::Code::item_removed, item_path, none,
        " " + how_many, path);
    reported_.push_back({Bytes(path.begin(), path.end()), first});
  }

  /// Tries the numbers a sequence can have had: only its hash was sealed.
  [[nodiscard]] std::optional<std::uint32_t> sealed_item_count(const Pair& pair,
                                                               std::uint32_t now) {
    // Nearest first; all sequences of a file share the tries, so hostile evidence costs little.
    const std::size_t bytes = evidence_.attributes[pair.sealed].path.size() + 256;
    for (std::uint32_t step = 1; try_bytes_left_ >= bytes; ++step) {
      const std::uint32_t half = step / 2;
      if (half > now && half > 1'000) break;
      if (step % 2 != 0 && half >= now) continue;
      try_bytes_left_ -= bytes;
      const std::uint32_t count = step % 2 == 0 ? now + half : now - half - 1;
      std::array<std::byte, 4> value;
      store_be(value.data(), count);
      if (has_sealed_value(pair, {canonical::ValueKind::items, value})) return count;
    }
    return std::nullopt;
  }

  /// Whether `path` lies in an item that an item.added or item.removed already speaks of. Paths
  /// are asked for in their order, so a sequence that does not enclose this one encloses no later
  /// one: what stays are sequences inside each other.
  [[nodiscard]] bool is_under_reported_item(ByteView path) {
    while (!reported_.empty() && !starts_with(path, reported_.back().sequence))
      reported_.pop_back();
    return std::ranges::any_of(reported_, [&](const ReportedItems& items) {
      return starts_with(path, items.sequence) && path.size() >= items.sequence.size() + 4 &&
             load_be<std::uint32_t>(path.data() + items.sequence.size()) >= items.first;
    });
  }

  void add(finding::Code code, ByteView path, std::size_t now, const std::string& what,
           ByteView name_path = {}) {
    const bool lossy = out_.pixels == Match::undecidable && follows_from_lossy_compression(path) &&
                       std::ranges::any_of(out_.findings, [](const finding::Finding& f) {
                         return f.code == finding::Code::lossy_recompressed;
                       });
    out_.header = std::max(out_.header, lossy ? Match::undecidable : Match::different);
    if (out_.findings.size() > 2 * limits::findings_max) return;
    const auto place = canonical::describe_path(path);
    const auto named = name_path.empty() ? place : canonical::describe_path(name_path);
    finding::Finding finding{
        .code = code,
        .severity = lossy ? finding::Severity::warning : finding::Severity::alarm,
        .text = {}};
    if (place) finding.attribute = place->text;
    if (named) finding.keyword = named->keyword;
    finding.text =
        name_of(name_path.empty() ? finding.attribute : named->text, finding.keyword) + what;
    if (options_.show_values && now != none) {
      Bytes swap_scratch;
      std::string text_scratch;
      const canonical::HeaderLeaf& leaf = header_.leaves()[now];
      finding.current_value =
          printable_value(header_.value(leaf, leaf.vr, swap_scratch, text_scratch));
    }
    out_.findings.push_back(std::move(finding));
  }

  /// "Patient's Name (0010,0010)", or the path alone where PS3.6 has no name.
  static std::string name_of(const std::string& text, const std::string& keyword) {
    if (keyword.empty()) return "Attribute " + text;
    const auto tag = dicom::find_tag(keyword);
    const auto entry = tag ? dicom::find_dictionary_entry(*tag) : std::nullopt;
    return std::string(entry ? entry->name : keyword) + " " + text;
  }

  void report_vr_changes() {
    if (vr_changes_ == 0) return;
    out_.findings.push_back({.code = finding::Code::encoding_changed,
                             .severity = finding::Severity::note,
                             .text = std::to_string(vr_changes_) +
                                     (vr_changes_ == 1 ? " attribute has" : " attributes have") +
                                     " the same value in another representation (VR) than at "
                                     "sealing."});
  }

  /// Whether what is sealed under UN still is the same text for those who take it for one: all its
  /// bytes are as sealed, or this would not be asked.
  void compare_untyped_text(const Digest& sealed) {
    canonical::UntypedText now(canonical::Salts(evidence_.seed), evidence_.attributes.size());
    for (const Pair& pair : pairs_) {
      if (pair.sealed == none || pair.now == none) continue;
      const evidence::SealedAttribute& attribute = evidence_.attributes[pair.sealed];
      if (attribute.vr != dicom::vr::un) continue;
      if (const Status added = now.add(attribute.path, header_.leaves()[pair.now], &file_.budget());
          !added) {
        out_.header = Match::undecidable;
        out_.findings.push_back(header_limit(added.error()));
        return;
      }
    }
    if (now.finish() == sealed) return;
    out_.ambiguous = true;
    finding::Finding finding{
        .code = finding::Code::reading_ambiguous,
        .severity = finding::Severity::warning,
        .text =
            "Specific Character Set is another than at sealing. Values whose form nobody has "
            "said (VR UN) have the sealed bytes, which are other text now for programs that "
            "know them"};
    if (const auto place = canonical::describe_path(now.first()); place && !now.first().empty()) {
      finding.attribute = place->text;
      finding.keyword = place->keyword;
      finding.text += "; the first is " + place->text;
    }
    finding.text += ".";
    out_.findings.push_back(std::move(finding));
  }

  struct ReportedItems {
    Bytes sequence;
    std::uint32_t first;
  };
  const dicom::File& file_;
  const canonical::CanonicalHeader& header_;
  const evidence::Evidence& evidence_;
  const canonical::NestedPixels& nested_;
  const ContentOptions& options_;
  ContentComparison& out_;
  std::vector<canonical::Salt> salts_;
  std::vector<Pair> pairs_;
  std::vector<Digest> hashes_;
  ByteView skip_prefix_;
  std::vector<ReportedItems> reported_;
  std::uint64_t vr_changes_ = 0;
  std::size_t try_bytes_left_ = 60'000'000;  // hashed: 200,000 tries of ordinary paths
};

/// Ways of reading the file that were not there when it was sealed are alterations; as sealed, they
/// leave open what a reader shows (spec/seal.md 14).
void compare_readings(const dicom::File& file, const canonical::CanonicalHeader& header,
                      const evidence::Evidence& evidence, ContentComparison& out) {
  const std::vector<canonical::Ambiguity> now = canonical::find_ambiguities(file, header);
  const std::vector<canonical::AmbiguityKind>& sealed = evidence.statement.ambiguities;
  // What a tool did to the whole data set, and to nothing of its content, is no attack on a part.
  const bool whole = out.header != Match::different && canonical::is_all_under_un(file.data_set());
  for (const std::span<const canonical::Ambiguity> places : canonical::by_kind(now)) {
    const canonical::AmbiguityKind kind = places.front().kind;
    const bool as_sealed = std::ranges::find(sealed, kind) != sealed.end() ||
                           (whole && kind == canonical::AmbiguityKind::standard_under_un);
    if (as_sealed)
      out.ambiguous = true;
    else
      out.header = Match::different;
    out.findings.push_back(canonical::ambiguity_finding(
        places, as_sealed ? finding::Severity::warning : finding::Severity::alarm));
  }
  if (sealed.empty() || !now.empty()) return;
  out.ambiguous = true;
  out.findings.push_back(
      {.code = finding::Code::reading_ambiguous,
       .severity = finding::Severity::warning,
       .text = "When it was sealed, the file could be read in different ways; this one cannot, so "
               "nobody can say whether it shows what was seen then."});
}

}  // namespace

void compare_header(const dicom::File& file, const evidence::Evidence& evidence,
                    const std::optional<std::string>& photometric_interpretation,
                    const canonical::NestedPixels& nested_pixels, const ContentOptions& options,
                    ContentComparison& out) {
  const dicom::DataSet& data_set = file.data_set();
  canonical::HeaderContext context;
  context.nested_pixels = &nested_pixels;
  context.budget = &file.budget();
  if (photometric_interpretation)
    context.photometric_interpretation =
        canonical::photometric_for_header(data_set, *photometric_interpretation);
  if (evidence.statement.pixels) {
    const evidence::SealedGeometry& g = evidence.statement.pixels->geometry;
    context.pixel_element = canonical::find_pixel_element(
        data_set, static_cast<codec::SampleKind>(g.kind), g.sample_bytes);
  }
  context.sealed_vr = [&](ByteView path) -> std::optional<dicom::Vr> {
    const auto index = evidence::find_sealed(evidence, path);
    if (!index) return std::nullopt;
    return evidence.attributes[*index].vr;
  };
  const auto header = canonical::CanonicalHeader::read(data_set, std::move(context));
  if (!header) {
    const bool big = header.error().code == ErrorCode::over_limit;
    out.header = big ? Match::undecidable : Match::different;
    out.findings.push_back(header_limit(header.error()));
    return;
  }
  HeaderComparison(file, *header, evidence, nested_pixels, options, out).run();
  compare_readings(file, *header, evidence, out);
}

}  // namespace fiducia::seal
