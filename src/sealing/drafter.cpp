// SPDX-License-Identifier: Apache-2.0
#include "sealing/drafter.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "crypto/crypto.h"
#include "finding/finding.h"

namespace fiducia::sealing {
namespace {

constexpr dicom::Tag study_instance_uid{0x0020, 0x000D};
constexpr dicom::Tag series_instance_uid{0x0020, 0x000E};

std::string uid_of(const dicom::File& file, dicom::Tag tag) {
  return file.data_set().find_text(tag).value_or("");
}

/// The words of the first finding, which the verdict rests on.
std::string why(const seal::VerifyResult& result, std::string otherwise) {
  return result.findings.empty() ? std::move(otherwise) : result.findings.front().text;
}

/// The store finds evidence by the SOP Instance UID or by the picture: an object with neither (a
/// DICOMDIR) has to carry its evidence.
Status check_can_be_found(const Work& work) {
  if (work.place() != EvidencePlace::store || !work.draft->sop_instance_uid().empty() ||
      !work.draft->sketch().values.empty())
    return {};
  return fail(
      ErrorCode::usage_invalid,
      "has no SOP Instance UID and no picture by which the store could find its seal again.",
      "Seal it with --out, --in-place or --sidecar, so that it carries its evidence.");
}

/// What it has already is what holds.
Status reuse(Work& work, Bytes evidence, const seal::VerifyResult& result) {
  FIDUCIA_TRY(known, evidence::read_evidence(evidence));
  work.answer.status = Answer::Status::already_sealed;
  work.answer.device = known.statement.device;
  if (result.ledger) work.answer.origin = result.ledger->origin;
  work.answer.object_root = known.object_root;
  if (!known.receipts.empty()) {
    FIDUCIA_TRY(receipt, ledger_format::read_receipt(known.receipts.front()));
    work.answer.ledger_index = receipt.leaf_index;
    work.answer.tree_size = receipt.tree_size;
  }
  work.evidence = std::move(evidence);
  return {};
}

/// Keeps of the file what its copy needs.
void keep_for_copy(Work& work) {
  if (work.place() != EvidencePlace::file) {
    work.file.reset();
  } else if (work.file->transfer_syntax().deflated) {
    work.content = crypto::sha256(work.file->bytes());
    work.file.reset();
  }
}

}  // namespace

void Drafter::judge(Work& work, codec::CodecChild& child) const {
  work.judge_again();
  auto file = work.object.open();
  if (!file) return work.end_named(Answer::Status::refused, std::move(file).error());
  work.file = std::move(*file);
  if (Status done = judge_open(work, child); !done) {
    const bool conflicts = done.error().code == ErrorCode::conflict;
    return work.end_named(conflicts ? Answer::Status::conflict : Answer::Status::refused,
                          std::move(done).error());
  }
  keep_for_copy(work);
  work.state = work.draft ? Work::State::drafted : Work::State::settled;
}

Status Drafter::judge_open(Work& work, codec::CodecChild& child) const {
  // What cannot be written is refused before the ledger has it.
  if (work.object.placement) FIDUCIA_CHECK(work.object.placement->check(*work.file));
  FIDUCIA_CHECK(check_identity(work, child));
  if (!work.evidence.empty()) return {};
  FIDUCIA_CHECK(draft(work, child));
  return check_can_be_found(work);
}

/// Leaves evidence in `work` when the object is sealed already, nothing when it is not known.
/// Errors: conflict, when its identity or its own seal says that it was another object.
Status Drafter::check_identity(Work& work, codec::CodecChild& child) const {
  const dicom::File& file = *work.file;
  FIDUCIA_TRY(known, parts_.store.count_by_instance(uid_of(file, dicom::tags::sop_instance_uid)));
  work.known = known;
  // The common case ends here: a full verification of every new image would double the work.
  if (known == 0 && !evidence::find_embedded(file.data_set())) return {};

  FIDUCIA_TRY(result, parts_.verifier.verify(file, &child));
  FIDUCIA_CHECK(check_branch(result));
  switch (result.verdict) {
    case finding::Verdict::authentic: {
      FIDUCIA_TRY(evidence, parts_.verifier.find_evidence(file));
      if (!evidence) return {};
      return reuse(work, std::move(*evidence), result);
    }
    case finding::Verdict::unsealed:
      return {};
    case finding::Verdict::altered:
      return fail(
          ErrorCode::conflict,
          "This image was sealed before with other content: " + why(result, "it is altered."),
          "Run `fiducia verify` on it; sealing it again would hide the change.");
    default:
      if (result.verdict == finding::Verdict::untrusted) {
        FIDUCIA_TRY(ours, is_worthless_seal_of_ours(work, result));
        if (ours) return {};
      }
      // As it was sealed, in a form that readers take differently: another seal adds nothing.
      if (result.verdict == finding::Verdict::indeterminate && result.seal && result.seal->holds &&
          result.seal->accepted && result.seal->content_matches) {
        FIDUCIA_TRY(evidence, parts_.verifier.find_evidence(file));
        if (evidence) return reuse(work, std::move(*evidence), result);
      }
      return fail(ErrorCode::conflict,
                  "This image carries or has a seal that does not count here: " +
                      why(result, std::string{to_word(result.verdict)} + "."),
                  "Run `fiducia verify` on it; it is sealed again only when that says authentic or "
                  "unsealed.");
  }
}

/// A receipt of this home's own ledger for a tree larger than the ledger: the whole home is an old
/// copy, and going on would fork the ledger.
Status Drafter::check_branch(const seal::VerifyResult& result) const {
  if (parts_.start.appenders != home::Appenders::this_home || !result.ledger ||
      result.ledger->origin != parts_.home.about().ledger_origin)
    return {};
  // Asked after the evidence was found: what this service has recorded meanwhile is in it.
  const std::uint64_t tree_size = tree_size_();
  if (result.ledger->tree_size <= tree_size) return {};
  return fail(ErrorCode::home_mismatch,
              "This image has a receipt for " + std::to_string(result.ledger->tree_size) +
                  " entries of this home's ledger, which has " + std::to_string(tree_size) +
                  ": the home was restored from an older copy.",
              "Restore its newest copy, or make a new home; do not seal with this one.");
}

/// Whether the seal that does not count is one that this home made (its store has it, its device is
/// of this home) and matches the image in everything: then a new one hides nothing. Leaves it in
/// `work`. A thief of a device's key cannot put seals into the store.
Result<bool> Drafter::is_worthless_seal_of_ours(Work& work,
                                                const seal::VerifyResult& result) const {
  if (!result.seal || !result.seal->holds || !result.seal->content_matches) return false;
  FIDUCIA_TRY(devices, parts_.home.devices());
  if (std::ranges::none_of(devices, [&](const home::Device& device) {
        return device.certificate.key_hash() == result.seal->signer_key;
      }))
    return false;
  FIDUCIA_TRY(known, parts_.store.find_by_root(result.seal->object_root));
  if (!known) return false;
  work.former = std::move(*known);
  work.answer.findings.push_back(
      {.code =
           result.findings.empty() ? finding::Code::signer_untrusted : result.findings.front().code,
       .severity = finding::Severity::note,
       .text = "Sealed again: a seal by \"" + result.seal->device +
               "\" that no longer counts matches in everything, and stays in the evidence."});
  return true;
}

Status Drafter::draft(Work& work, codec::CodecChild& child) const {
  const auto sketch = parts_.store.new_sketch();
  FIDUCIA_TRY(draft,
              seal::draft_seal(*work.file, parts_.signer, parts_.clock(), &child, sketch.get()));
  work.answer.object_root = draft.object_root();
  work.answer.device = parts_.signer.device;
  std::ranges::copy(draft.findings(), std::back_inserter(work.answer.findings));
  // Half of the tiles that tell images apart have to be as sealed for an altered one to be found.
  constexpr std::uint64_t tiles_min = 2;
  if (work.file->data_set().find(dicom::tags::pixel_data) != nullptr &&
      draft.sketch().textured_tiles < tiles_min)
    work.answer.findings.push_back(
        {.code = finding::Code::sketch_weak,
         .severity = finding::Severity::note,
         .text = "The picture is too small or too plain to be found again by its pixels: without "
                 "its seal and under another identity it will be unsealed once it is altered."});
  work.study_uid = uid_of(*work.file, study_instance_uid);
  work.series_uid = uid_of(*work.file, series_instance_uid);
  work.draft = std::move(draft);
  return {};
}

}  // namespace fiducia::sealing
