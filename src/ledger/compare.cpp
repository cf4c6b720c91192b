// SPDX-License-Identifier: Apache-2.0
#include "ledger/compare.h"

#include <array>
#include <cstdio>

#include "ledger/head.h"
#include "ledger/tile_store.h"
#include "merkle/merkle.h"

namespace fiducia::ledger {
namespace {

std::string key_name(const std::string& name, std::uint32_t key_id) {
  std::array<char, 9> hex{};
  std::snprintf(hex.data(), hex.size(), "%08x", key_id);
  return name + " (key " + hex.data() + ")";
}

/// The other checkpoint, verified with the key of this log. An error says who signed it instead.
Result<ledger_format::Checkpoint> read_other(const std::string& encoded,
                                             const ledger_format::VerifierKey& key) {
  FIDUCIA_TRY(note, ledger_format::read_note(encoded));
  bool named = false;
  std::string signers;
  for (const ledger_format::NoteSignature& signature : note.signatures) {
    named |= signature.name == key.name && signature.key_id == key.key_id;
    signers += (signers.empty() ? "" : ", ") + key_name(signature.name, signature.key_id);
  }
  if (!named)
    return fail(ErrorCode::usage_invalid,
                "The other checkpoint is not signed by " + key_name(key.name, key.key_id) +
                    " but by " + signers + ".",
                "Compare checkpoints of one log, or give its key with --key.");
  FIDUCIA_CHECK(ledger_format::verify_note(note, std::span{&key, 1}));
  return ledger_format::read_checkpoint(note.text);
}

/// The larger log, opened at the very checkpoint that is compared (it may have grown since).
Result<TileStore> open_at(std::shared_ptr<const ObjectSource> source,
                          const ledger_format::Checkpoint& checkpoint) {
  const ObjectSource& named = *source;
  auto tiles = TileStore::open(std::move(source), checkpoint.tree_size, checkpoint.root);
  if (!tiles) return below(named, std::move(tiles).error());
  return tiles;
}

}  // namespace

Result<LogComparison> compare_logs(std::shared_ptr<const ObjectSource> source,
                                   const ledger_format::VerifierKey& key,
                                   const std::string& other_note,
                                   std::shared_ptr<const ObjectSource> other) {
  auto head = read_head(*source, key);
  if (!head) return below(*source, std::move(head).error());
  FIDUCIA_TRY(checkpoint, read_other(other_note, key));
  if (checkpoint.origin != head->checkpoint.origin)
    return fail(ErrorCode::usage_invalid,
                "The other checkpoint is of " + checkpoint.origin + ", and this log is " +
                    head->checkpoint.origin + ".",
                "Compare two copies of one log.");
  LogComparison pair;
  pair.ours = std::move(head->checkpoint);
  pair.other = std::move(checkpoint);
  pair.our_note = std::move(head->note);
  pair.other_note = other_note;
  const auto judge = [&](const ledger_format::NodeSource* nodes) -> Result<LogComparison> {
    FIDUCIA_TRY(views, ledger_format::compare_views(pair.our_note, pair.other_note, key, nodes));
    pair.views = views.views;
    pair.text = std::move(views.text);
    return std::move(pair);
  };
  const bool ours_larger = pair.ours.tree_size > pair.other.tree_size;
  const ledger_format::Checkpoint& larger = ours_larger ? pair.ours : pair.other;
  const ledger_format::Checkpoint& smaller = ours_larger ? pair.other : pair.ours;
  if (larger.tree_size == smaller.tree_size || smaller.tree_size == 0) return judge(nullptr);
  if (!ours_larger && other == nullptr)
    return fail(ErrorCode::io_unreadable,
                "The other checkpoint has " + std::to_string(larger.tree_size) +
                    " entries and this log only " + std::to_string(smaller.tree_size) +
                    ": only the other's tiles can prove that one continues the other.",
                "Name the folder or the address of the other log, not its checkpoint alone.");
  const std::shared_ptr<const ObjectSource> of_larger = ours_larger ? source : other;
  FIDUCIA_TRY(tiles, open_at(of_larger, larger));
  auto root = ledger_format::root_at(tiles, smaller.tree_size);
  if (!root) return below(*of_larger, std::move(root).error());
  auto proof =
      ledger_format::consistency_path(tiles, tiles.edge(), smaller.tree_size, larger.tree_size);
  if (!proof) return below(*of_larger, std::move(proof).error());
  // Tiles are believed only as far as they lead to the signed root; so is what goes out.
  FIDUCIA_CHECK(
      merkle::verify_consistency(smaller.tree_size, larger.tree_size, *root, larger.root, *proof));
  pair.root_then = *root;
  pair.proof = std::move(*proof);
  return judge(&tiles);
}

Result<OtherCopy> read_other_copy(std::shared_ptr<const ObjectSource> source) {
  auto note = read_object(*source, checkpoint_file, limits::note_bytes_max);
  if (!note) {
    note.error().where.file = source->name_of(checkpoint_file);
    return std::unexpected(std::move(note).error());
  }
  return OtherCopy{.note = std::string{as_text(*note)}, .source = std::move(source)};
}

std::vector<EvidenceFile> evidence_of(const LogComparison& found) {
  std::vector<EvidenceFile> files{{.name = "checkpoint.ours", .content = found.our_note},
                                  {.name = "checkpoint.other", .content = found.other_note}};
  if (!found.root_then) return files;
  std::string proof;
  for (const Digest& hash : found.proof) proof += to_base64(hash.view()) + "\n";
  files.push_back({.name = "consistency-proof", .content = std::move(proof)});
  files.push_back({.name = "root-then", .content = to_hex(found.root_then->view()) + "\n"});
  return files;
}

}  // namespace fiducia::ledger
