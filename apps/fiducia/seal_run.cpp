// SPDX-License-Identifier: Apache-2.0
#include "seal_run.h"

#include <algorithm>
#include <functional>
#include <iterator>
#include <set>
#include <utility>

#include "crypto/crypto.h"
#include "evidence/evidence.h"
#include "finding/finding.h"
#include "home/home.h"
#include "seal/seal.h"

namespace fiducia::app {
namespace {

/// Objects whose ledger entries share one checkpoint, and so one wait for the disk.
constexpr std::size_t batch_count_max = 256;

std::unexpected<Error> interrupted() {
  return fail(ErrorCode::busy, "Interrupted: nothing was begun that is not complete.",
              "Run the same command again to seal the rest.");
}

Error with_file(Error error, const sealing::Input& input) {
  if (error.where.file.empty()) error.where.file = input.path.string();
  return error;
}

std::string instance_uid(const dicom::File& file) {
  return file.data_set().find_text(dicom::tags::sop_instance_uid).value_or("");
}

}  // namespace

/// One input on its way. The file stays open from the draft to the copy, so that what is written
/// is what was sealed; inflated data sets alone are given back and read again, as a batch of them
/// could fill the memory.
struct SealRun::Work {
  sealing::Input input;
  Sealed sealed;
  std::optional<dicom::File> file;
  std::optional<Digest> content;  // of the file's bytes, when it is to be read again
  std::optional<seal::Draft> draft;
  Bytes evidence;
  Bytes former;  // evidence of a seal that no longer counts, which stays beside the new one

  /// What goes into or beside a file.
  [[nodiscard]] Bytes evidence_file() const {
    if (former.empty()) return evidence;
    const std::vector<Bytes> both{evidence, former};
    return evidence::write_evidence_file(both);
  }
};

SealRun::SealRun(const cli::SealOptions& options, const home::Home& home,
                 const seal::Signer& signer, sealing::Recorder& recorder,
                 store::EvidenceStore& store, store::HomeMark mark, home::Appenders appenders,
                 const seal::Verifier& verifier, std::stop_token stop, Clock clock)
    : options_(options),
      home_(home),
      signer_(signer),
      recorder_(recorder),
      store_(store),
      mark_(mark),
      appenders_(appenders),
      verifier_(verifier),
      stop_(std::move(stop)),
      clock_(std::move(clock)) {
  const std::string codec = codec::codec_program().string();
  for (unsigned i = 0; i < worker_count(); ++i) children_.emplace_back(codec);
}

fiducia::Status SealRun::seal(std::vector<sealing::Input> inputs,
                              const std::function<void(Sealed&&)>& emit) {
  std::deque<sealing::Input> waiting{std::make_move_iterator(inputs.begin()),
                                     std::make_move_iterator(inputs.end())};
  while (!waiting.empty()) {
    std::vector<Work> batch;
    while (!waiting.empty() && batch.size() < batch_count_max) {
      Work& work = batch.emplace_back();
      work.input = std::move(waiting.front());
      work.sealed.path = work.input.path.string();
      work.sealed.evidence = evidence_place(options_);
      waiting.pop_front();
    }
    parallel_for(batch.size(), static_cast<unsigned>(children_.size()),
                 [&](std::size_t index, unsigned worker) {
                   if (!stop_.stop_requested()) prepare(batch[index], children_[worker]);
                 });
    if (stop_.stop_requested()) return interrupted();
    put_back_twins(batch, waiting);
    FIDUCIA_CHECK(record(batch));
    FIDUCIA_CHECK(write_outputs(batch));
    for (Work& work : batch) emit(std::move(work.sealed));
  }
  return {};
}

void SealRun::prepare(Work& work, codec::CodecChild& child) const {
  auto file = sealing::open_input(work.input);
  if (!file) {
    // A folder of scans holds more than scans; a file named itself is meant to be one.
    const bool is_other =
        file.error().code == ErrorCode::malformed && file.error().kind == "not_dicom";
    work.sealed.status =
        is_other && !work.input.is_explicit ? Sealed::Status::skipped : Sealed::Status::failed;
    work.sealed.error = with_file(std::move(file).error(), work.input);
    return;
  }
  work.file = std::move(*file);
  fiducia::Status done = check_target_of(work);
  if (done) done = check_identity(work, child);
  if (done && work.evidence.empty()) done = draft(work, child);
  if (done && work.draft) done = check_can_be_found(work);
  if (!done) {
    work.sealed.status = Sealed::Status::failed;
    work.sealed.error = with_file(std::move(done).error(), work.input);
    work.file.reset();
    work.draft.reset();
    work.evidence = {};
    return;
  }
  if (evidence_place(options_) != EvidencePlace::file) {
    work.file.reset();
  } else if (work.file->transfer_syntax().deflated && !work.input.is_stdin()) {
    work.content = crypto::sha256(work.file->bytes());
    work.file.reset();
  }
}

/// What cannot be written is refused before the ledger has it.
fiducia::Status SealRun::check_target_of(const Work& work) const {
  const std::string uid = instance_uid(*work.file);
  FIDUCIA_TRY(target, output_path(options_, work.input, uid));
  if (evidence_place(options_) == EvidencePlace::file)
    FIDUCIA_CHECK(evidence::check_can_embed(*work.file));
  return target ? check_target(options_, work.input, *target, uid) : fiducia::Status{};
}

/// The store finds evidence by the SOP Instance UID or by the picture: an object with neither (a
/// DICOMDIR) has to carry its evidence.
fiducia::Status SealRun::check_can_be_found(const Work& work) const {
  if (evidence_place(options_) != EvidencePlace::store || !work.draft->sop_instance_uid().empty() ||
      !work.draft->sketch().values.empty())
    return {};
  return fail(
      ErrorCode::usage_invalid,
      "has no SOP Instance UID and no picture by which the store could find its seal again.",
      "Seal it with --out, --in-place or --sidecar, so that it carries its evidence.");
}

/// Leaves evidence in `work` when the object is sealed already, nothing when it is not known.
/// Errors: conflict, when its identity or its own seal says that it was another object.
fiducia::Status SealRun::check_identity(Work& work, codec::CodecChild& child) const {
  const dicom::File& file = *work.file;
  const std::string uid = instance_uid(file);
  bool is_known = evidence::find_embedded(file.data_set()).has_value();
  if (!is_known && !uid.empty()) {
    FIDUCIA_TRY(candidates, store_.find_by_instance(uid));
    is_known = !candidates.empty();
  }
  // The common case ends here: a full verification of every new image would double the work.
  if (!is_known) return {};

  FIDUCIA_TRY(result, verifier_.verify(file, &child));
  FIDUCIA_CHECK(check_branch(result));
  switch (result.verdict) {
    case finding::Verdict::authentic: {
      FIDUCIA_TRY(evidence, verifier_.find_evidence(file));
      if (!evidence) return {};
      return reuse(work, std::move(*evidence), result);
    }
    case finding::Verdict::unsealed:
      return {};
    case finding::Verdict::altered:
      return fail(ErrorCode::conflict,
                  "This image was sealed before with other content: " +
                      (result.findings.empty() ? std::string{"it is altered."}
                                               : result.findings.front().text),
                  "Run `fiducia verify` on it; sealing it again would hide the change.");
    default:
      if (result.verdict == finding::Verdict::untrusted) {
        FIDUCIA_TRY(ours, is_worthless_seal_of_ours(work, result));
        if (ours) return {};
      }
      // As it was sealed, in a form that readers take differently: another seal adds nothing.
      if (result.verdict == finding::Verdict::indeterminate && result.seal && result.seal->holds &&
          result.seal->accepted && result.seal->content_matches) {
        FIDUCIA_TRY(evidence, verifier_.find_evidence(file));
        if (evidence) return reuse(work, std::move(*evidence), result);
      }
      return fail(ErrorCode::conflict,
                  "This image carries or has a seal that does not count here: " +
                      (result.findings.empty() ? std::string{to_word(result.verdict)} + "."
                                               : result.findings.front().text),
                  "Run `fiducia verify` on it; it is sealed again only when that says authentic or "
                  "unsealed.");
  }
}

/// Whether the seal that does not count is one that this home made (its store has it, its device is
/// of this home) and matches the image in everything: then a new one hides nothing. Leaves it in
/// `work`. A thief of a device's key cannot put seals into the store.
Result<bool> SealRun::is_worthless_seal_of_ours(Work& work,
                                                const seal::VerifyResult& result) const {
  if (!result.seal || !result.seal->holds || !result.seal->content_matches) return false;
  FIDUCIA_TRY(devices, home_.devices());
  if (std::ranges::none_of(devices, [&](const home::Device& device) {
        return device.certificate.key_hash() == result.seal->signer_key;
      }))
    return false;
  FIDUCIA_TRY(known, store_.find_by_root(result.seal->object_root));
  if (!known) return false;
  work.former = std::move(*known);
  work.sealed.findings.push_back(
      {.code =
           result.findings.empty() ? finding::Code::signer_untrusted : result.findings.front().code,
       .severity = finding::Severity::note,
       .text = "Sealed again: a seal by \"" + result.seal->device +
               "\" that no longer counts matches in everything, and stays in the evidence."});
  return true;
}

fiducia::Status SealRun::reuse(Work& work, Bytes evidence, const seal::VerifyResult& result) const {
  FIDUCIA_TRY(known, evidence::read_evidence(evidence));
  work.sealed.status = Sealed::Status::already_sealed;
  work.sealed.device = known.statement.device;
  if (result.ledger) work.sealed.origin = result.ledger->origin;
  work.sealed.object_root = known.object_root;
  if (!known.receipts.empty()) {
    FIDUCIA_TRY(receipt, ledger_format::read_receipt(known.receipts.front()));
    work.sealed.ledger_index = receipt.leaf_index;
    work.sealed.tree_size = receipt.tree_size;
  }
  work.evidence = std::move(evidence);
  return {};
}

fiducia::Status SealRun::draft(Work& work, codec::CodecChild& child) const {
  const auto sketch = store_.new_sketch();
  FIDUCIA_TRY(draft, seal::draft_seal(*work.file, signer_, clock_(), &child, sketch.get()));
  work.sealed.object_root = draft.object_root();
  work.sealed.device = signer_.device;
  std::ranges::copy(draft.findings(), std::back_inserter(work.sealed.findings));
  // Half of the tiles that tell images apart have to be as sealed for an altered one to be found.
  constexpr std::uint64_t tiles_min = 2;
  if (work.file->data_set().find(dicom::tags::pixel_data) != nullptr &&
      draft.sketch().textured_tiles < tiles_min)
    work.sealed.findings.push_back(
        {.code = finding::Code::sketch_weak,
         .severity = finding::Severity::note,
         .text = "The picture is too small or too plain to be found again by its pixels: without "
                 "its seal and under another identity it will be unsealed once it is altered."});
  work.draft = std::move(draft);
  return {};
}

/// Two files of one batch can be one object: the second waits for the next batch, where the store
/// knows the first. So each batch with drafts makes progress.
void SealRun::put_back_twins(std::vector<Work>& batch, std::deque<sealing::Input>& waiting) const {
  std::set<std::string> seen;
  std::deque<sealing::Input> twins;
  std::erase_if(batch, [&](Work& work) {
    if (!work.draft || work.draft->sop_instance_uid().empty()) return false;
    if (seen.insert(work.draft->sop_instance_uid()).second) return false;
    if (work.input.is_stdin()) {  // cannot be read again
      work.draft.reset();
      work.sealed.error = fail(ErrorCode::conflict, "Another input has the same identity.",
                               "Seal them one after the other.", Location{.file = "-"})
                              .error();
      return false;
    }
    twins.push_back(std::move(work.input));
    return true;
  });
  waiting.insert(waiting.begin(), std::make_move_iterator(twins.begin()),
                 std::make_move_iterator(twins.end()));
}

/// A receipt of this home's own ledger for a tree larger than the ledger: the whole home is an old
/// copy, and going on would fork the ledger.
fiducia::Status SealRun::check_branch(const seal::VerifyResult& result) const {
  if (appenders_ != home::Appenders::this_home || !result.ledger ||
      result.ledger->origin != home_.about().ledger_origin ||
      result.ledger->tree_size <= mark_.tree_size)
    return {};
  return fail(ErrorCode::home_mismatch,
              "This image has a receipt for " + std::to_string(result.ledger->tree_size) +
                  " entries of this home's ledger, which has " + std::to_string(mark_.tree_size) +
                  ": the home was restored from an older copy.",
              "Restore its newest copy, or make a new home; do not seal with this one.");
}

/// What the store is to know once it has the evidence of this batch.
fiducia::Status SealRun::take_mark(const ledger::Recorded& recorded) {
  FIDUCIA_TRY(note, ledger_format::read_note(recorded.checkpoint));
  FIDUCIA_TRY(checkpoint, ledger_format::read_checkpoint(note.text));
  for (const ledger_format::Appended& appended : recorded.entries)
    if (appended.index < mark_.tree_size && appenders_ == home::Appenders::this_home)
      return fail(ErrorCode::ledger_conflict,
                  "The ledger gave a new entry the place of one that this home has seen.",
                  "Run `fiducia ledger check`; do not seal before that is explained.");
  mark_.tree_size = checkpoint.tree_size;
  mark_.root = checkpoint.root;
  mark_.pending = 0;
  return {};
}

/// Ledger first, then store: an entry without evidence is harmless, evidence without an entry
/// would be a seal without a date.
fiducia::Status SealRun::record(std::vector<Work>& batch) {
  std::vector<Bytes> entries;
  std::vector<Work*> drafted;
  for (Work& work : batch) {
    if (!work.draft) continue;
    entries.push_back(work.draft->ledger_entry());
    drafted.push_back(&work);
  }
  std::vector<store::Record> records;
  if (!drafted.empty()) {
    // First what may be missing of the store if this process is killed before the end.
    mark_.pending = entries.size();
    FIDUCIA_CHECK(store_.put({}, &mark_));
    FIDUCIA_TRY(recorded, recorder_.record(entries));
    FIDUCIA_CHECK(take_mark(recorded));
    for (std::size_t i = 0; i < drafted.size(); ++i) {
      Work& work = *drafted[i];
      const ledger_format::Appended& appended = recorded.entries[i];
      work.evidence = work.draft->finish(appended, recorded.checkpoint, recorded.time_stamps);
      work.sealed.status = Sealed::Status::sealed;
      work.sealed.origin = home_.about().ledger_origin;
      work.sealed.ledger_index = appended.index;
      work.sealed.tree_size = appended.tree_size;
      // Signature, receipt and trust file, before anybody calls it sealed; nothing is decoded.
      if (auto checked = verifier_.check_seal(work.evidence); !checked) {
        work.sealed.status = Sealed::Status::failed;
        work.sealed.error = with_file(std::move(checked).error(), work.input);
        work.evidence = {};
        work.draft.reset();
        continue;
      }
      records.push_back({.sop_instance_uid = work.draft->sop_instance_uid(),
                         .object_root = work.draft->object_root(),
                         .sketch = work.draft->sketch(),
                         .evidence = work.evidence,
                         .ledger_index = appended.index});
      work.draft.reset();
    }
  }
  return drafted.empty() ? fiducia::Status{} : store_.put(records, &mark_);
}

fiducia::Status SealRun::write_outputs(std::vector<Work>& batch) {
  std::vector<Work*> writing;
  std::vector<std::filesystem::path> targets;
  for (Work& work : batch) {
    if (work.evidence.empty() || evidence_place(options_) == EvidencePlace::store) continue;
    const auto target =
        output_path(options_, work.input, work.file ? instance_uid(*work.file) : "");
    if (!target) {
      work.sealed.status = Sealed::Status::unwritten;
      work.sealed.error = target.error();
      continue;
    }
    work.sealed.output = (**target).string();
    writing.push_back(&work);
    targets.push_back(**target);
  }
  if (writing.empty()) return {};
  const auto note = home::WritingNote::make(home_.folder(), targets);
  if (!note) return std::unexpected(note.error());
  parallel_for(writing.size(), static_cast<unsigned>(children_.size()),
               [&](std::size_t index, unsigned) { write_one(*writing[index]); });
  return {};
}

void SealRun::write_one(Work& work) const {
  const auto write = [&]() -> fiducia::Status {
    if (work.content) {
      FIDUCIA_TRY(again, sealing::open_input(work.input));
      if (crypto::sha256(again.bytes()) != *work.content)
        return fail(ErrorCode::io_unreadable, "changed while it was being sealed.",
                    "Seal it again when nothing else writes to it.");
      work.file = std::move(again);
    }
    const std::filesystem::path target{work.sealed.output};
    if (options_.sidecar) return write_sidecar(work.input, work.evidence_file(), target);
    FIDUCIA_ASSERT(work.file.has_value());
    return write_copy(options_, work.input, std::exchange(work.file, std::nullopt),
                      work.evidence_file(), target);
  };
  if (fiducia::Status written = write(); !written) {
    work.sealed.status = Sealed::Status::unwritten;
    work.sealed.error = with_file(std::move(written).error(), work.input);
    work.sealed.evidence = EvidencePlace::store;
    work.sealed.output.clear();
  }
  work.file.reset();
  work.evidence = {};
  work.former = {};
}

}  // namespace fiducia::app
