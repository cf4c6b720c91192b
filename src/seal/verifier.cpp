// SPDX-License-Identifier: Apache-2.0
#include "seal/verifier.h"

#include <algorithm>
#include <numeric>
#include <tuple>

#include "canonical/canonical.h"
#include "evidence/embed.h"
#include "evidence/evidence_file.h"
#include "finding/finding.h"
#include "seal/verify_content.h"
#include "trust/judge.h"

namespace fiducia::seal {
namespace {

/// Evidence that may belong to a file, with where it came from.
struct Candidate {
  evidence::Evidence evidence;
  trust::FoundIn found_in = trust::FoundIn::given;
};

/// A candidate, judged.
struct Judgement {
  finding::Verdict verdict = finding::Verdict::indeterminate;
  bool signer_accepted = false;
  trust::FoundIn found_in = trust::FoundIn::given;
  std::vector<finding::Finding> findings;
  trust::SealInfo seal;
  std::optional<trust::LedgerInfo> ledger;
  Digest sign1_hash;  // tells seals apart: a stranger can sign the same statement again
};

/// Lower is believed first: a proven original, then an accusation by a trusted signer, then what
/// cannot be decided, then seals of strangers.
int rank(const Judgement& j) {
  if (j.verdict == finding::Verdict::authentic) return 0;
  if (j.signer_accepted) return j.verdict == finding::Verdict::altered ? 1 : 2;
  return j.verdict == finding::Verdict::untrusted ? 3 : 4;
}

finding::Verdict verdict_of(const ContentComparison& content, const trust::TrustJudgement& trust) {
  // A seal whose own bytes do not hold together proves tampering, not origin.
  if (!trust.tables_valid || !trust.signature_valid) return finding::Verdict::altered;
  const Match worst = std::max(content.pixels, content.header);
  if (worst == Match::different) return finding::Verdict::altered;
  if (!trust.accepted) return finding::Verdict::untrusted;
  if (worst == Match::undecidable || content.ambiguous) return finding::Verdict::indeterminate;
  return finding::Verdict::authentic;
}

ImageInfo image_info(const dicom::File& file, canonical::ObjectDecoder& decoder) {
  const dicom::DataSet& data_set = file.data_set();
  ImageInfo info;
  info.sop_class = data_set.find_text(dicom::tags::sop_class_uid).value_or("");
  info.transfer_syntax = std::string(file.transfer_syntax().uid);
  if (const auto& geometry = decoder.geometry(); geometry && *geometry) {
    info.frames = (*geometry)->frames;
    info.rows = (*geometry)->rows;
    info.columns = (*geometry)->columns;
  }
  return info;
}

/// Whether a finding is of the kind that a verdict rests on. `altered` is about the content, even
/// if nobody trusts the signer either; `untrusted` about who vouches for it.
bool decides(finding::Verdict verdict, const finding::Finding& finding) {
  const finding::About about = finding::about(finding.code);
  const bool about_trust = about == finding::About::signer || about == finding::About::ledger;
  if (verdict == finding::Verdict::untrusted) return about_trust;
  return !about_trust;
}

/// Alarms first, of these the ones that decided, of these what sums up the others. At most
/// limits::findings_max of them.
void order_findings(finding::Verdict verdict, std::vector<finding::Finding>& findings) {
  const auto order = [&](const finding::Finding& finding) {
    return std::tuple{-static_cast<int>(finding.severity), !decides(verdict, finding),
                      finding.code != finding::Code::pixels_of_other};
  };
  std::ranges::stable_sort(findings, {}, order);
  if (findings.size() <= limits::findings_max) return;
  const std::size_t left_out = findings.size() - (limits::findings_max - 1);
  findings.resize(limits::findings_max - 1);
  findings.push_back(
      {.code = finding::Code::findings_more,
       .severity = finding::Severity::note,
       .text = "At least " + std::to_string(left_out) + " more findings are not listed."});
}

/// Where evidence was found, as a sentence goes on.
std::string_view place_of(trust::FoundIn found_in) {
  switch (found_in) {
    case trust::FoundIn::file:
      return "in the file";
    case trust::FoundIn::sidecar:
      return "beside the file";
    case trust::FoundIn::store:
      return "in the evidence store";
    case trust::FoundIn::given:
      return "that was given";
  }
  std::unreachable();
}

finding::Finding unreadable(std::string_view where, const Error& error) {
  return {.code = finding::Code::seal_invalid,
          .severity = finding::Severity::alarm,
          .text = "The evidence " + std::string(where) + " cannot be read: " + error.what +
                  (error.what.ends_with('.') ? "" : ".")};
}

std::string device_value(const dicom::DataSet& data_set, dicom::Tag tag) {
  return data_set.find_text(tag).value_or("");
}

/// Whether the file says it comes from a device that seals everything since an earlier day: then
/// a missing seal is an alarm (DESIGN 2).
bool should_be_sealed(const dicom::DataSet& data_set, const trust::Trust& trust) {
  const std::string station = device_value(data_set, {0x0008, 0x1010});
  const std::string serial = device_value(data_set, {0x0018, 0x1000});
  std::string date;
  for (const dicom::Tag tag : {dicom::Tag{0x0008, 0x0022}, dicom::Tag{0x0008, 0x0023},
                               dicom::Tag{0x0008, 0x0012}, dicom::Tag{0x0008, 0x0020}})
    if (date.empty()) date = device_value(data_set, tag);
  return std::ranges::any_of(trust.devices, [&](const trust::SealingDevice& device) {
    const bool by_station =
        !device.station_name.empty() ? device.station_name == station : device.name == station;
    const bool by_serial =
        !device.device_serial_number.empty() && device.device_serial_number == serial;
    if (!by_station && !by_serial) return false;
    std::string since = to_rfc3339(device.seals_since).substr(0, 10);  // YYYY-MM-DD
    std::erase(since, '-');
    return date.size() == 8 && date >= since;
  });
}

}  // namespace

struct Verifier::State {
  trust::TrustJudge judge;
  VerifierOptions options;
  evidence::EvidenceLookup* lookup = nullptr;
  std::vector<evidence::Evidence> given;

  State(trust::Trust trust, VerifierOptions o, evidence::EvidenceLookup* l)
      : judge(std::move(trust), o.at), options(o), lookup(l) {}

  [[nodiscard]] ContentOptions content_options(bool show_values, bool count_textured) const {
    const std::optional<trust::Tolerance>& tolerance = judge.trust().tolerance;
    return {.show_values = show_values,
            .count_textured = count_textured,
            .tolerance = tolerance ? &*tolerance : nullptr};
  }

  /// Evidence that came with the file: in it, beside it, or named by the user.
  struct Attached {
    std::vector<Candidate> candidates;
    std::vector<finding::Finding> broken;  // evidence that could not even be read
    bool left_out = false;                 // more of it than is read
  };
  Result<Attached> attached(const dicom::File& file) const {
    Attached out;
    const auto take = [&](ByteView encoded, trust::FoundIn found_in) {
      const bool known = std::ranges::any_of(out.candidates, [&](const Candidate& candidate) {
        return same_bytes(candidate.evidence.encoded, encoded);
      });
      if (known) return;
      if (out.candidates.size() + out.broken.size() == limits::object_evidences_max ||
          !file.budget().take(limits::work_an_evidence +
                              encoded.size() * limits::work_a_value_byte)) {
        out.left_out = true;
        return;
      }
      auto evidence = evidence::read_evidence(encoded);
      if (evidence) {
        out.candidates.push_back({.evidence = std::move(*evidence), .found_in = found_in});
        return;
      }
      out.broken.push_back(unreadable(place_of(found_in), evidence.error()));
    };
    for (const evidence::Evidence& evidence : given)
      if (given.size() == 1 || is_same_instance(file.data_set(), evidence))
        take(evidence.encoded, trust::FoundIn::given);
    if (const auto embedded = evidence::find_embedded(file.data_set())) {
      const auto parts = evidence::read_embedded_evidence(*embedded);
      if (!parts) out.broken.push_back(unreadable(place_of(trust::FoundIn::file), parts.error()));
      if (parts)
        for (const ByteView part : *parts) take(part, trust::FoundIn::file);
    }
    if (options.look_beside && file.name() != "-") {
      std::error_code none;
      const auto path = evidence::sidecar_path(file.name());
      if (std::filesystem::is_regular_file(path, none)) {
        auto bytes = read_file(path, limits::evidence_bytes_max);
        if (!bytes && bytes.error().code != ErrorCode::over_limit)
          return std::unexpected(std::move(bytes).error());
        const auto parts = bytes ? evidence::read_evidence_file(*bytes)
                                 : Result<std::vector<ByteView>>(std::unexpected(bytes.error()));
        if (!parts)
          out.broken.push_back(unreadable(place_of(trust::FoundIn::sidecar), parts.error()));
        if (parts)
          for (const ByteView part : *parts) {
            take(part, trust::FoundIn::sidecar);
            if (out.left_out) break;
          }
      }
    }
    return out;
  }

  /// What the store has for this instance, but for what is `attached` byte for byte: to decode
  /// that again is most of what the store costs.
  /// `damaged`: the store had some that is not as it was written.
  Result<std::vector<Candidate>> stored(const dicom::File& file,
                                        std::span<const Candidate> attached, bool& damaged) const {
    std::vector<Candidate> out;
    if (lookup == nullptr) return out;
    const auto uid = file.data_set().find_text(dicom::tags::sop_instance_uid);
    if (!uid) return out;
    const auto found_or = sound(lookup->find_by_instance(*uid), damaged);
    if (!found_or) return std::unexpected(found_or.error());
    for (const Bytes& encoded : *found_or) {
      const bool known = std::ranges::any_of(attached, [&](const Candidate& candidate) {
        return same_bytes(candidate.evidence.encoded, encoded);
      });
      if (known) continue;
      if (!file.budget().take(limits::work_an_evidence +
                              encoded.size() * limits::work_a_value_byte))
        break;  // found out by whoever compares
      if (auto evidence = evidence::read_evidence(encoded))
        out.push_back({.evidence = std::move(*evidence), .found_in = trust::FoundIn::store});
    }
    return out;
  }

  /// What of an answer of the store can be used; `damaged` says that something could not.
  static Result<std::vector<Bytes>> sound(Result<std::vector<Bytes>> found, bool& damaged) {
    if (!found && found.error().code == ErrorCode::store_damaged) {
      damaged = true;
      return std::vector<Bytes>{};
    }
    if (found && std::erase_if(*found, [](const Bytes& b) { return b.empty(); }) > 0)
      damaged = true;
    return found;
  }

  /// Judges candidates in this order: all seals first, which is cheap; then the content, for those
  /// that hold and whose signers count, in their order; then for a few of the others, as hundreds
  /// of strangers' seals can be put beside a file. Without its content, a seal that does not hold
  /// is told as such, and one of a stranger as a stranger's.
  std::vector<Judgement> judge_candidates(const dicom::File& file,
                                          std::span<const Candidate> candidates,
                                          canonical::ObjectDecoder& decoder) const {
    constexpr std::size_t others_compared_max = 4;
    std::vector<trust::TrustJudgement> trust;
    for (const Candidate& candidate : candidates) trust.push_back(judge.judge(candidate.evidence));
    std::vector<std::size_t> order(candidates.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::ranges::stable_sort(order, [&](std::size_t a, std::size_t b) {
      return trust[a].accepted && !trust[b].accepted;
    });
    std::vector<std::size_t> compared;
    std::size_t others = 0;
    for (const std::size_t i : order)
      if (trust[i].accepted || others++ < others_compared_max) compared.push_back(i);
    std::vector<const evidence::Evidence*> evidences;
    for (const std::size_t i : compared) evidences.push_back(&candidates[i].evidence);
    std::vector<ContentComparison> contents =
        compare_contents(file, evidences, decoder, content_options(options.show_values, false));
    ContentComparison not_compared;
    not_compared.pixels = not_compared.header = Match::undecidable;
    std::vector<ContentComparison> content(candidates.size(), not_compared);
    for (std::size_t n = 0; n < compared.size(); ++n) content[compared[n]] = std::move(contents[n]);
    std::vector<Judgement> out;
    for (std::size_t i = 0; i < candidates.size(); ++i)
      out.push_back(judge_candidate(candidates[i], std::move(trust[i]), std::move(content[i])));
    return out;
  }

  static Judgement judge_candidate(const Candidate& candidate, trust::TrustJudgement trust,
                                   ContentComparison content) {
    Judgement out{.verdict = verdict_of(content, trust),
                  .signer_accepted = trust.accepted,
                  .found_in = candidate.found_in,
                  .findings = std::move(trust.findings),
                  .seal = std::move(trust.seal),
                  .ledger = std::move(trust.ledger),
                  .sign1_hash = crypto::sha256(candidate.evidence.sign1)};
    out.seal.found_in = candidate.found_in;
    out.seal.content_matches = std::max(content.pixels, content.header) == Match::same;
    std::ranges::move(content.findings, std::back_inserter(out.findings));
    return out;
  }

  /// Of what the store proposed by the pixels: evidence of samples that `fits` lets through.
  template <class Fits>
  static std::vector<evidence::Evidence> read_proposed(const std::vector<Bytes>& found, Fits fits) {
    std::vector<evidence::Evidence> out;
    for (const Bytes& encoded : found) {
      auto evidence = evidence::read_evidence(encoded);
      if (evidence && evidence->statement.pixels && evidence->statement.pixels->root &&
          fits(*evidence))
        out.push_back(std::move(*evidence));
    }
    return out;
  }

  std::vector<ContentComparison> compare_proposed(const dicom::File& file,
                                                  std::span<const evidence::Evidence> proposed,
                                                  canonical::ObjectDecoder& decoder,
                                                  bool show_values) const {
    std::vector<const evidence::Evidence*> evidences;
    for (const evidence::Evidence& evidence : proposed) evidences.push_back(&evidence);
    return compare_contents(file, evidences, decoder, content_options(show_values, true));
  }

  Result<VerifyResult> judge_file(canonical::ObjectDecoder& decoder) const {
    const dicom::File& file = decoder.file();
    VerifyResult result;
    result.path = file.name();
    result.image = image_info(file, decoder);
    if (const std::optional<trust::Tolerance>& tolerance = judge.trust().tolerance)
      result.tolerance = ToleranceInfo{tolerance->profile, tolerance->rules.size()};
    FIDUCIA_TRY(attached_evidence, attached(file));
    std::vector<Judgement> judged = judge_candidates(file, attached_evidence.candidates, decoder);
    const bool carries = !judged.empty() || !attached_evidence.broken.empty();
    const bool proven = !judged.empty() && std::ranges::all_of(judged, [](const Judgement& j) {
      return j.verdict == finding::Verdict::authentic;
    });
    bool conflict = false;
    bool damaged = false;
    if (!proven || lookup != nullptr) {
      FIDUCIA_TRY(candidates, stored(file, attached_evidence.candidates, damaged));
      std::erase_if(candidates, [&](const Candidate& candidate) {
        const Digest sign1_hash = crypto::sha256(candidate.evidence.sign1);
        return std::ranges::any_of(judged,
                                   [&](const Judgement& j) { return j.sign1_hash == sign1_hash; });
      });
      for (Judgement& j : judge_candidates(file, candidates, decoder)) {
        if (proven || std::ranges::any_of(judged, [](const Judgement& other) {
              return other.verdict == finding::Verdict::authentic;
            })) {
          // The same identity was sealed with other content, by a signer we believe.
          conflict = conflict || (j.signer_accepted && j.verdict == finding::Verdict::altered);
          if (proven) continue;
        }
        judged.push_back(std::move(j));
      }
    }
    if (judged.empty()) {
      FIDUCIA_TRY(unsealed,
                  without_seal(file, decoder, std::move(result), attached_evidence, damaged));
      return admit_limits(file, attached_evidence, std::move(unsealed));
    }
    // A stranger's seal must not hide what the store can tell by the pixels.
    const bool only_strangers =
        std::ranges::none_of(judged, [](const Judgement& j) { return j.signer_accepted; });
    if (only_strangers && lookup != nullptr) {
      bool similar = false;
      FIDUCIA_TRY(found, ask_by_pixels(file, decoder, true, result, similar, damaged));
      if (found) {
        result.findings.push_back(
            {.code = finding::Code::signer_untrusted,
             .severity = finding::Severity::alarm,
             .text = "The file carries a seal that the trust file does not accept."});
        std::ranges::move(attached_evidence.broken, std::back_inserter(result.findings));
        order_findings(result.verdict, result.findings);
        return result;
      }
    }
    conclude(result, judged, attached_evidence.broken, carries);
    FIDUCIA_CHECK(tell_whose_pixels(file, decoder, judged, result, damaged));
    if (damaged) tell_damage(result);
    if (conflict)
      result.findings.push_back(
          {.code = finding::Code::identity_conflict,
           .severity = finding::Severity::warning,
           .text = "The evidence store holds another object that was sealed under the same SOP "
                   "Instance UID: one of the two may be an exchanged or replayed image."});
    order_findings(result.verdict, result.findings);
    return admit_limits(file, attached_evidence, std::move(result));
  }

  /// What was not read, looked for or compared, because it costs too much, may have been the proof:
  /// then neither `unsealed` nor `untrusted` may be said.
  static VerifyResult admit_limits(const dicom::File& file, const Attached& attached_evidence,
                                   VerifyResult result) {
    if (!attached_evidence.left_out && !file.budget().is_exceeded()) return result;
    if (result.verdict == finding::Verdict::authentic ||
        result.verdict == finding::Verdict::altered)
      return result;
    result.verdict = finding::Verdict::indeterminate;
    const bool told = std::ranges::any_of(result.findings, [](const finding::Finding& finding) {
      return finding.code == finding::Code::limit_reached;
    });
    std::erase_if(result.findings,
                  [](const finding::Finding& f) { return f.code == finding::Code::unsealed; });
    if (!told)
      result.findings.push_back(
          {.code = finding::Code::limit_reached,
           .severity = finding::Severity::warning,
           .text =
               attached_evidence.left_out
                   ? "There is more evidence with this file than is read for a file of its size."
                   : "Not all was looked for and compared: that costs more work than a file of "
                     "this size may."});
    order_findings(result.verdict, result.findings);
    return result;
  }

  /// Whether pixels that are not the sealed ones are those of another sealed image, and whose.
  Status tell_whose_pixels(const dicom::File& file, canonical::ObjectDecoder& decoder,
                           const std::vector<Judgement>& judged, VerifyResult& result,
                           bool& damaged) const {
    const bool altered = std::ranges::any_of(result.findings, [](const finding::Finding& f) {
      return f.code == finding::Code::pixels_altered;
    });
    if (!altered || lookup == nullptr) return {};
    const std::unique_ptr<canonical::SketchBuilder> builder = lookup->new_sketch();
    const auto sketch = sketch_of(decoder, *builder);
    if (!sketch) return {};
    FIDUCIA_TRY(found, sound(lookup->find_by_sketch(*sketch), damaged));
    const std::vector<evidence::Evidence> proposed =
        read_proposed(found, [&](const evidence::Evidence& evidence) {
          const Digest sign1_hash = crypto::sha256(evidence.sign1);
          return std::ranges::none_of(
                     judged, [&](const Judgement& j) { return j.sign1_hash == sign1_hash; }) &&
                 judge.judge(evidence).accepted;
        });
    const std::vector<ContentComparison> contents =
        compare_proposed(file, proposed, decoder, false);
    for (std::size_t i = 0; i < proposed.size(); ++i) {
      const evidence::Evidence* evidence = &proposed[i];
      const ContentComparison& content = contents[i];
      if (content.textured_tiles == 0 || content.textured_tiles_same != content.textured_tiles)
        continue;
      result.findings.push_back(
          {.code = finding::Code::pixels_of_other,
           .severity = finding::Severity::alarm,
           .text = "The picture is that of another sealed image (all " +
                   std::to_string(content.textured_tiles) + " tiles that are not flat): device " +
                   evidence->statement.device + ", sealed at " +
                   to_rfc3339(evidence->statement.claimed_at) + ", object root " +
                   to_hex(evidence->object_root.view()) + "."});
      return {};
    }
    return {};
  }

  /// Evidence of this image may be among what is damaged: what the rest of the store says of it is
  /// no accusation, and that it has none is no answer.
  static void tell_damage(VerifyResult& result) {
    const bool from_store = result.seal && result.seal->found_in == trust::FoundIn::store;
    if (result.verdict == finding::Verdict::unsealed ||
        (from_store && result.verdict == finding::Verdict::altered)) {
      result.verdict = finding::Verdict::indeterminate;
      result.findings.clear();
      result.seal.reset();
      result.ledger.reset();
    }
    result.findings.push_back(
        {.code = finding::Code::store_damaged,
         .severity = finding::Severity::warning,
         .text = "The evidence store is damaged: evidence that it had, perhaps for this image, "
                 "cannot be used."});
    order_findings(result.verdict, result.findings);
  }

  /// Picks the judgement to report and says what the others mean for it.
  static void conclude(VerifyResult& result, std::vector<Judgement>& judged,
                       std::vector<finding::Finding>& broken, bool carries) {
    std::size_t best = 0;
    for (std::size_t i = 1; i < judged.size(); ++i)
      if (rank(judged[i]) < rank(judged[best])) best = i;
    Judgement& chosen = judged[best];
    result.verdict = chosen.verdict;
    result.findings = std::move(chosen.findings);
    result.seal = std::move(chosen.seal);
    result.ledger = std::move(chosen.ledger);
    // Evidence that came with the file and does not belong to it was put there by somebody.
    bool foreign = !broken.empty();
    std::ranges::move(broken, std::back_inserter(result.findings));
    for (std::size_t i = 0; i < judged.size(); ++i) {
      if (i == best || judged[i].found_in == trust::FoundIn::store) continue;
      if (judged[i].verdict == finding::Verdict::altered) {
        foreign = true;
        result.findings.push_back(
            {.code = finding::Code::seal_invalid,
             .severity = finding::Severity::alarm,
             .text = "The seal " + std::string(place_of(judged[i].found_in)) +
                     " does not belong to this image, or was itself changed; other evidence was "
                     "used."});
      } else if (judged[i].verdict == finding::Verdict::untrusted &&
                 judged[i].sign1_hash != judged[best].sign1_hash) {
        // The same seal can come twice: with the receipt of then, and with a fresher one.
        result.findings.push_back({.code = finding::Code::signer_untrusted,
                                   .severity = chosen.verdict == finding::Verdict::authentic
                                                   ? finding::Severity::note
                                                   : finding::Severity::alarm,
                                   .text = "A seal " + std::string(place_of(judged[i].found_in)) +
                                           " is by a signer that the trust file does not accept."});
      }
    }
    if (foreign && result.verdict == finding::Verdict::authentic)
      result.verdict = finding::Verdict::altered;
    if (chosen.found_in == trust::FoundIn::store && !carries)
      result.findings.push_back(
          {.code = finding::Code::seal_stripped,
           .severity = chosen.verdict == finding::Verdict::altered ? finding::Severity::alarm
                                                                   : finding::Severity::note,
           .text = "The file carries no seal; its evidence came from the evidence store."});
  }

  /// No evidence by identity: ask the store for images with the same pixels, then say `unsealed`.
  Result<VerifyResult> without_seal(const dicom::File& file, canonical::ObjectDecoder& decoder,
                                    VerifyResult result, Attached& attached_evidence,
                                    bool damaged) const {
    bool similar = false;
    FIDUCIA_TRY(found, ask_by_pixels(file, decoder, false, result, similar, damaged));
    if (found) {
      if (damaged) tell_damage(result);
      std::ranges::move(attached_evidence.broken, std::back_inserter(result.findings));
      order_findings(result.verdict, result.findings);
      return result;
    }
    if (!attached_evidence.broken.empty()) {
      result.verdict = finding::Verdict::altered;
      result.findings = std::move(attached_evidence.broken);
      return result;
    }
    result.verdict = finding::Verdict::unsealed;
    if (damaged) {
      tell_damage(result);
      return result;
    }
    if (should_be_sealed(file.data_set(), judge.trust()))
      result.findings.push_back(
          {.code = finding::Code::seal_expected,
           .severity = finding::Severity::alarm,
           .text = "The file says it comes from a device that seals everything, but no seal was "
                   "found."});
    if (similar)
      result.findings.push_back(
          {.code = finding::Code::similar_sealed,
           .severity = finding::Severity::note,
           .text = "The evidence store holds an image that shares some, but fewer than half, of "
                   "the tiles that are not flat."});
    if (result.findings.empty() || result.findings.back().severity == finding::Severity::note)
      result.findings.push_back(
          {.code = finding::Code::unsealed,
           .severity = finding::Severity::note,
           .text = !options.look_beside
                       ? "No seal in the file, and none for it in the evidence that was given."
                   : lookup != nullptr
                       ? "No seal in the file or beside it, and none in the evidence store."
                       : "No seal in the file or beside it; no evidence store was asked."});
    order_findings(result.verdict, result.findings);
    return result;
  }

  /// Asks the store for images with the same pixels; true when one of them is this image.
  Result<bool> ask_by_pixels(const dicom::File& file, canonical::ObjectDecoder& decoder,
                             bool accepted_only, VerifyResult& result, bool& similar,
                             bool& damaged) const {
    if (lookup == nullptr) return false;
    const std::unique_ptr<canonical::SketchBuilder> builder = lookup->new_sketch();
    const auto sketch = sketch_of(decoder, *builder);
    if (!sketch) {
      if (sketch.error().code == ErrorCode::over_limit) file.budget().exhaust();
      return false;
    }
    FIDUCIA_TRY(found, sound(lookup->find_by_sketch(*sketch), damaged));
    return judge_similar(file, decoder, found, accepted_only, result, similar);
  }

  /// Whether one of `found` is this image, altered: at least half of its textured tiles verify.
  bool judge_similar(const dicom::File& file, canonical::ObjectDecoder& decoder,
                     const std::vector<Bytes>& found, bool accepted_only, VerifyResult& result,
                     bool& similar) const {
    struct Best {
      std::uint64_t same = 0;
      std::optional<Candidate> candidate;
      ContentComparison content;
    } best;
    std::vector<evidence::Evidence> proposed =
        read_proposed(found, [&](const evidence::Evidence& evidence) {
          return !accepted_only || judge.judge(evidence).accepted;
        });
    std::vector<ContentComparison> contents =
        compare_proposed(file, proposed, decoder, options.show_values);
    for (std::size_t i = 0; i < proposed.size(); ++i) {
      ContentComparison& content = contents[i];
      if (content.textured_tiles_same == 0) continue;
      similar = true;
      if (content.textured_tiles_same * 2 < content.textured_tiles ||
          content.textured_tiles_same <= best.same)
        continue;
      best.same = content.textured_tiles_same;
      best.content = std::move(content);
      best.candidate =
          Candidate{.evidence = std::move(proposed[i]), .found_in = trust::FoundIn::store};
    }
    if (!best.candidate) return false;
    trust::TrustJudgement trust = judge.judge(best.candidate->evidence);
    // Found by its pixels although not by its identity: altered, unless the object never had a
    // SOP Instance UID and all of it verifies.
    result.verdict = verdict_of(best.content, trust);
    const bool altered = result.verdict == finding::Verdict::altered;
    result.findings.push_back(
        {.code = finding::Code::seal_stripped,
         .severity = altered ? finding::Severity::alarm : finding::Severity::note,
         .text = "The file carries no accepted seal, but its pixels are those of a sealed image of "
                 "the evidence store (" +
                 std::to_string(best.same) + " of " + std::to_string(best.content.textured_tiles) +
                 " tiles that are not flat): it is that image" + (altered ? ", altered." : ".")});
    std::ranges::move(trust.findings, std::back_inserter(result.findings));
    std::ranges::move(best.content.findings, std::back_inserter(result.findings));
    result.seal = std::move(trust.seal);
    result.seal->found_in = trust::FoundIn::store;
    result.seal->content_matches =
        std::max(best.content.pixels, best.content.header) == Match::same;
    result.ledger = std::move(trust.ledger);
    return true;
  }
};

Verifier::Verifier(std::unique_ptr<State> state) : state_(std::move(state)) {}
Verifier::Verifier(Verifier&&) noexcept = default;
Verifier& Verifier::operator=(Verifier&&) noexcept = default;
Verifier::~Verifier() = default;

Result<Verifier> Verifier::make(trust::Trust trust, VerifierOptions options,
                                evidence::EvidenceLookup* lookup, std::vector<Bytes> given) {
  auto state = std::make_unique<State>(std::move(trust), options, lookup);
  for (const Bytes& encoded : given) {
    FIDUCIA_TRY(parts, evidence::read_evidence_file(encoded));
    for (const ByteView part : parts) {
      FIDUCIA_TRY(evidence, evidence::read_evidence(part));
      state->given.push_back(std::move(evidence));
    }
  }
  return Verifier(std::move(state));
}

Result<VerifyResult> Verifier::verify(const std::filesystem::path& path,
                                      codec::CodecChild* child) const {
  auto file = dicom::File::open(path);
  if (!file) {
    if (auto verdict = verdict_of_error(path.string(), file.error())) return std::move(*verdict);
    return std::unexpected(std::move(file).error());
  }
  return verify(*file, child);
}

Result<VerifyResult> Verifier::verify(const dicom::File& file, codec::CodecChild* child) const {
  canonical::ObjectDecoder decoder(file, child);
  return verify(decoder);
}

Result<VerifyResult> Verifier::verify(canonical::ObjectDecoder& decoder) const {
  return state_->judge_file(decoder);
}

Status Verifier::check_seal(ByteView encoded) const {
  FIDUCIA_TRY(evidence, evidence::read_evidence(encoded));
  const trust::TrustJudgement judged = state_->judge.judge(evidence);
  if (judged.accepted) return {};
  const auto why =
      std::ranges::find(judged.findings, finding::Severity::alarm, &finding::Finding::severity);
  return fail(ErrorCode::signature_bad,
              "The seal as made would not be accepted: " +
                  (why == judged.findings.end() ? std::string{"it does not hold."} : why->text),
              "Fix what it names; the entry in the ledger does no harm.");
}

Result<std::optional<Bytes>> Verifier::find_evidence(const dicom::File& file) const {
  FIDUCIA_TRY(attached, state_->attached(file));
  bool damaged = false;
  FIDUCIA_TRY(stored, state_->stored(file, attached.candidates, damaged));
  std::vector<Candidate> candidates = std::move(attached.candidates);
  std::ranges::move(stored, std::back_inserter(candidates));
  // What verify would choose first: evidence of this very instance, from a signer it accepts.
  const auto better = [&](const Candidate& candidate) {
    return is_same_instance(file.data_set(), candidate.evidence) &&
           state_->judge.judge(candidate.evidence).accepted;
  };
  const auto chosen = std::ranges::find_if(candidates, better);
  if (chosen != candidates.end()) return std::move(chosen->evidence.encoded);
  if (candidates.empty()) return std::nullopt;
  return std::move(candidates.front().evidence.encoded);
}

std::optional<VerifyResult> verdict_of_error(const std::string& path, const Error& error) {
  VerifyResult result;
  result.path = path;
  switch (error.code) {
    case ErrorCode::truncated:
    case ErrorCode::malformed:
    case ErrorCode::unsupported:  // a transfer syntax that nobody knows is not readable as DICOM
      result.verdict = finding::Verdict::malformed;
      break;
    case ErrorCode::over_limit:
      result.verdict = finding::Verdict::indeterminate;
      break;
    default:
      return std::nullopt;
  }
  Error placed = error;
  placed.where.file.clear();
  placed.remedy.clear();  // the code's own says what to do
  // "is not a DICOM file" is said of the file that is named.
  if (placed.where.element.empty() && !placed.where.offset && placed.what.starts_with("is "))
    placed.what = "The file " + placed.what;
  finding::Finding finding =
      finding::of_error(error,
                        result.verdict == finding::Verdict::malformed ? finding::Severity::alarm
                                                                      : finding::Severity::warning,
                        to_sentence(placed));
  if (error.code == ErrorCode::unsupported) finding.code = finding::Code::malformed_transfer_syntax;
  result.findings.push_back(std::move(finding));
  return result;
}

}  // namespace fiducia::seal
