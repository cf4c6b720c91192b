// SPDX-License-Identifier: Apache-2.0
#include "ledger_format/proof.h"

#include <algorithm>
#include <charconv>

#include "merkle/merkle.h"

namespace fiducia::ledger_format {
namespace {

constexpr std::string_view header = "c2sp.org/tlog-proof@v1";
constexpr std::string_view extra_word = "extra ";
constexpr std::string_view index_word = "index ";

std::unexpected<Error> bad_proof(std::string what, std::uint64_t offset) {
  return fail_malformed("tlog_proof", std::move(what), offset);
}

/// The lines before the checkpoint, one after the other.
class Lines {
 public:
  explicit Lines(std::string_view text) : text_(text) {}
  [[nodiscard]] std::uint64_t offset() const { return at_; }
  [[nodiscard]] std::string_view rest() const { return text_.substr(at_); }
  [[nodiscard]] bool starts_with(std::string_view word) const { return rest().starts_with(word); }
  /// The next line without its line feed. Errors: malformed (kind "tlog_proof").
  Result<std::string_view> take() {
    const std::size_t end = text_.find('\n', at_);
    if (end == std::string_view::npos)
      return bad_proof("A tlog-proof ends before its checkpoint.", at_);
    const std::string_view line = text_.substr(at_, end - at_);
    at_ = end + 1;
    return line;
  }

 private:
  std::string_view text_;
  std::size_t at_ = 0;  // where the next line starts
};

Result<Bytes> read_extra(std::string_view line, std::uint64_t offset) {
  auto extra = from_base64(line.substr(extra_word.size()));
  if (!extra || extra->empty())
    return bad_proof("The extra data are empty or not canonical base64.", offset);
  if (extra->size() > limits::tlog_proof_extra_bytes_max)
    return fail(ErrorCode::over_limit, "The extra data of a tlog-proof are longer than " +
                                           std::to_string(limits::tlog_proof_extra_bytes_max) +
                                           " bytes.");
  return std::move(*extra);
}

Result<std::uint64_t> read_index(std::string_view line, std::uint64_t offset) {
  if (!line.starts_with(index_word))
    return bad_proof("There is no line with the index where it belongs.", offset);
  const std::string_view digits = line.substr(index_word.size());
  std::uint64_t index = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), index);
  if (error != std::errc{} || end != digits.data() + digits.size() ||
      (digits.size() > 1 && digits[0] == '0'))
    return bad_proof("The index is not a decimal number below 2^64.", offset);
  return index;
}

Result<std::vector<Digest>> read_path(Lines& lines) {
  std::vector<Digest> path;
  for (;;) {
    const std::uint64_t offset = lines.offset();
    FIDUCIA_TRY(line, lines.take());
    if (line.empty()) return path;
    const auto hash = digest_from_base64(line);
    if (!hash) return bad_proof("A hash of the path is not 32 bytes in base64.", offset);
    if (path.size() == limits::inclusion_path_max)
      return bad_proof("The path is longer than that of any tree.", offset);
    path.push_back(*hash);
  }
}

bool same_key(const VerifierKey& a, const VerifierKey& b) { return a.public_key == b.public_key; }

/// One key is one cosigner (tlog-cosignature): else one party could count for two.
Status check_demands(const TlogProofDemands& demands) {
  for (std::size_t i = 0; i < demands.witnesses.size(); ++i) {
    const VerifierKey& witness = demands.witnesses[i];
    if (witness.type != NoteKeyType::cosignature)
      return fail(ErrorCode::usage_invalid,
                  "The key of witness " + witness.name + " is not one for cosignatures (type 4).",
                  "Ask the witness for the key it cosigns with.");
    const auto is_same = [&](const VerifierKey& other) { return same_key(other, witness); };
    if (std::ranges::any_of(demands.witnesses.first(i), is_same) ||
        std::ranges::any_of(demands.log_keys, is_same))
      return fail(ErrorCode::usage_invalid,
                  "The key of witness " + witness.name + " is also another's.",
                  "Name every witness once, and never the log itself.");
  }
  return {};
}

}  // namespace

Result<TlogProof> read_tlog_proof(std::string_view encoded) {
  if (encoded.size() > limits::tlog_proof_bytes_max)
    return fail(
        ErrorCode::over_limit,
        "A tlog-proof is larger than " + std::to_string(limits::tlog_proof_bytes_max) + " bytes.");
  Lines lines{encoded};
  FIDUCIA_TRY(first, lines.take());
  if (first != header) return bad_proof("The first line is not " + std::string{header} + ".", 0);
  TlogProof proof;
  if (lines.starts_with(extra_word)) {
    const std::uint64_t offset = lines.offset();
    FIDUCIA_TRY(line, lines.take());
    FIDUCIA_TRY(extra, read_extra(line, offset));
    proof.extra = std::move(extra);
  }
  const std::uint64_t index_offset = lines.offset();
  FIDUCIA_TRY(index_line, lines.take());
  FIDUCIA_TRY(index, read_index(index_line, index_offset));
  proof.index = index;
  FIDUCIA_TRY(path, read_path(lines));
  proof.path = std::move(path);
  proof.checkpoint = lines.rest();
  FIDUCIA_TRY(note, read_note(proof.checkpoint));
  FIDUCIA_TRY(checkpoint, read_checkpoint(note.text));
  if (proof.index >= checkpoint.tree_size)
    return bad_proof("The index " + std::to_string(proof.index) + " is not below the tree size " +
                         std::to_string(checkpoint.tree_size) + " of the checkpoint.",
                     index_offset);
  return proof;
}

std::string write_tlog_proof(std::uint64_t index, std::span<const Digest> path,
                             std::string_view checkpoint, std::optional<ByteView> extra) {
  FIDUCIA_ASSERT(!extra || !extra->empty());
  std::string text{header};
  text += "\n";
  if (extra) text += std::string{extra_word} + to_base64(*extra) + "\n";
  text += std::string{index_word} + std::to_string(index) + "\n";
  for (const Digest& hash : path) text += to_base64(hash.view()) + "\n";
  text += "\n";
  text += checkpoint;
  return text;
}

Result<ProvenEntry> verify_tlog_proof(const TlogProof& proof, const Digest& leaf,
                                      const TlogProofDemands& demands) {
  FIDUCIA_CHECK(check_demands(demands));
  FIDUCIA_TRY(note, read_note(proof.checkpoint));
  FIDUCIA_TRY(checkpoint, read_checkpoint(note.text));
  if (checkpoint.origin != demands.origin)
    return fail(
        ErrorCode::signature_bad,
        "The checkpoint is of the log " + checkpoint.origin + ", not of " + demands.origin + ".",
        "Take the proof of the right log, or add this log to the trusted ones.");
  ProvenEntry proven;
  // The log first: without it nothing that a witness says is about this log.
  FIDUCIA_CHECK(verify_note(note, demands.log_keys));
  const bool anyone = std::ranges::any_of(note.signatures, [&](const NoteSignature& line) {
    return std::ranges::any_of(demands.witnesses, [&](const VerifierKey& key) {
      return key.name == line.name && key.key_id == line.key_id;
    });
  });
  if (anyone) {
    FIDUCIA_TRY(by_witnesses, verify_note(note, demands.witnesses));
    proven.cosignatures = std::move(by_witnesses);
  }
  if (proven.cosignatures.size() < demands.witnesses_min)
    return fail(ErrorCode::signature_bad,
                "The checkpoint is cosigned by " + std::to_string(proven.cosignatures.size()) +
                    " known witnesses; " + std::to_string(demands.witnesses_min) +
                    " are asked for.",
                "Fetch the proof with a checkpoint that the witnesses have cosigned.");
  if (!merkle::verify_inclusion(proof.index, checkpoint.tree_size, leaf, proof.path,
                                checkpoint.root))
    return fail(ErrorCode::signature_bad,
                "The path does not lead from this entry to the root of the checkpoint.",
                "The proof is of another entry, or was altered.");
  proven.checkpoint = std::move(checkpoint);
  return proven;
}

}  // namespace fiducia::ledger_format
