// SPDX-License-Identifier: Apache-2.0
#include "ledger/commit.h"

#include <algorithm>

#include "ledger/bundle.h"
#include "ledger/file_batch.h"
#include "ledger/head.h"
#include "ledger/tile_store.h"
#include "merkle/merkle.h"

namespace fiducia::ledger {
namespace {

namespace fs = std::filesystem;

/// The bundles that `entries` fill or widen; `rest` becomes the content of the partial one.
std::vector<NewFile> grow_bundles(const Tail& tail, std::span<const ByteView> entries,
                                  Bytes& rest) {
  std::vector<NewFile> files;
  std::uint64_t size = tail.frontage.size;
  rest = tail.bundle;
  for (const ByteView entry : entries) {
    append_to_bundle(rest, entry);
    if (++size % tile_width != 0) continue;
    files.push_back({.path = tile_path({.level = {}, .index = size / tile_width - 1}),
                     .content = std::exchange(rest, {})});
  }
  if (const auto width = static_cast<unsigned>(size % tile_width); width != 0)
    files.push_back({.path = tile_path({.level = {}, .index = size / tile_width, .width = width}),
                     .content = rest});
  return files;
}

Status write_records(const Writer& writer, const RootRecord& current,
                     const std::optional<RootRecord>& previous) {
  return durable_write(writer.folder / signed_root_file,
                       write_root_records({.current = current, .previous = previous}));
}

Result<std::string> write_checkpoint_file(const Writer& writer, const RootRecord& record) {
  const Checkpoint checkpoint{.origin = writer.origin,
                              .tree_size = record.tree_size,
                              .root = record.root,
                              .extensions = {}};
  // Ed25519 is deterministic: signing again after a crash gives the same bytes.
  FIDUCIA_TRY(note, write_note(write_checkpoint(checkpoint), writer.origin, *writer.key));
  FIDUCIA_CHECK(durable_write(writer.folder / checkpoint_file, as_bytes(note)));
  return std::move(note);
}

/// Removes what an append left that was never committed: names past the tree's edge, as far as
/// they follow each other. Harmless where it stays (the next append overwrites it).
void remove_uncommitted(const fs::path& folder, std::optional<unsigned> level, std::uint64_t size) {
  const std::uint64_t hashes = shifted_right(size, tile_height * level.value_or(0));
  const auto width = static_cast<unsigned>(hashes % tile_width);
  for (std::uint64_t index = hashes / tile_width;; ++index) {
    std::error_code ignored;
    const fs::path full = folder / tile_path({.level = level, .index = index});
    const fs::path partials = full.string() + ".p";
    bool found = fs::remove(full, ignored);
    const bool edge = index == hashes / tile_width;
    if (fs::exists(partials, ignored)) {
      found = true;
      std::vector<fs::path> late;
      for (const auto& file : fs::directory_iterator(partials, ignored)) {
        const auto address = read_tile_path(tile_path({.level = level, .index = index}) + ".p/" +
                                            file.path().filename().string());
        // Temporary files are no tile paths: they go as well.
        if (!address || !edge || address->width > width) late.push_back(file.path());
      }
      for (const fs::path& file : late) fs::remove(file, ignored);
    }
    if (!found && !edge) return;
    if (index - hashes / tile_width > (1U << 20)) return;  // no append is that long
  }
}

void remove_temporary_files(const fs::path& folder) {
  std::error_code ignored;
  std::vector<fs::path> late;
  for (const auto& file : fs::directory_iterator(folder, ignored)) {
    const std::string name = file.path().filename().string();
    for (const char* target : {checkpoint_file, signed_root_file})
      if (name.starts_with("." + std::string{target} + ".")) late.push_back(file.path());
  }
  for (const fs::path& file : late) fs::remove(file, ignored);
}

std::unexpected<Error> unfit_record(ErrorCode code, std::string what) {
  return fail(code, std::move(what), "Restore the log's folder from a backup.",
              Location{.file = signed_root_file});
}

/// The tree of the durable checkpoint, checked down to its last entry bundle.
Result<Tail> read_tail(const fs::path& folder, const Checkpoint& checkpoint,
                       const std::optional<RootRecord>& previous) {
  FIDUCIA_TRY(tiles, TileStore::open(folder, checkpoint.tree_size, checkpoint.root));
  if (previous && previous->tree_size < checkpoint.tree_size) {
    FIDUCIA_TRY(proof, consistency_path(tiles, tiles.edge(), previous->tree_size, tiles.size()));
    if (!merkle::verify_consistency(previous->tree_size, checkpoint.tree_size, previous->root,
                                    checkpoint.root, proof))
      return unfit_record(ErrorCode::signature_bad,
                          "The earlier signed root is not one this log has had.");
  }
  // The last bundle, full or not: an append goes on from it.
  FIDUCIA_TRY(last, tiles.bundle((checkpoint.tree_size - 1) / tile_width));
  Tail tail;
  tail.frontage = tiles.frontage();
  if (checkpoint.tree_size % tile_width != 0)
    for (const ByteView entry : last.entries) append_to_bundle(tail.bundle, entry);
  return tail;
}

/// Completes the append whose signed root is on disk and whose checkpoint is not. Its tiles were
/// durable before the signed root was written, so they must lead to it now.
Result<Tail> roll_forward(const Writer& writer, const Tail& durable, const RootRecords& records) {
  std::vector<Bytes> entries;
  const std::uint64_t size = records.current.tree_size;
  for (std::uint64_t index = durable.frontage.size / tile_width; index * tile_width < size;
       ++index) {
    FIDUCIA_TRY(bundle, read_bundle_at(writer.folder, index, size));
    const std::uint64_t first = index * tile_width;
    for (std::size_t i = 0; i < bundle.entries.size(); ++i)
      if (first + i >= durable.frontage.size)
        entries.emplace_back(bundle.entries[i].begin(), bundle.entries[i].end());
  }
  std::vector<Digest> leaves;
  leaves.reserve(entries.size());
  for (const Bytes& entry : entries) leaves.push_back(merkle::leaf_hash(entry));
  const GrownTree tree{durable.frontage, leaves};
  if (tree.root() != records.current.root)
    return unfit_record(ErrorCode::signature_bad,
                        "The entries past the checkpoint do not lead to the signed root.");
  Checkpoint checkpoint{
      .origin = writer.origin, .tree_size = size, .root = records.current.root, .extensions = {}};
  FIDUCIA_TRY(tail, read_tail(writer.folder, checkpoint, records.previous));
  // Seen is not durable: a killed process may have renamed the file and not synced its folder.
  FIDUCIA_CHECK(write_records(writer, records.current, records.previous));
  FIDUCIA_TRY(note, write_checkpoint_file(writer, records.current));
  tail.note = std::move(note);
  return std::move(tail);
}

}  // namespace

Result<Committed> commit(const Writer& writer, const Tail& tail, std::span<const ByteView> entries,
                         UnixTime now, Reached& reached) {
  reached = Reached::nothing;
  std::vector<Digest> leaves;
  leaves.reserve(entries.size());
  for (const ByteView entry : entries) leaves.push_back(merkle::leaf_hash(entry));
  Committed done;
  done.tree = std::make_unique<GrownTree>(tail.frontage, leaves);
  done.tail.frontage = done.tree->after();
  std::vector<NewFile> files = grow_bundles(tail, entries, done.tail.bundle);
  for (GrownTree::File& file : done.tree->changed_files())
    files.push_back({.path = tile_path(file.address), .content = std::move(file.content)});
  FIDUCIA_CHECK(write_files(writer.folder, files));

  RootRecord record;
  record.tree_size = done.tree->after().size;
  record.root = done.tree->root();
  // A clock that runs backwards must not make a later checkpoint look older.
  record.issued_at = tail.record ? std::max(now, tail.record->issued_at) : now;
  FIDUCIA_TRY(signed_root, sign_root(*writer.key, writer.origin, record.issued_at, record.root));
  record.signed_root = std::move(signed_root);

  reached = Reached::record;
  FIDUCIA_CHECK(write_records(writer, record, tail.record));
  FIDUCIA_TRY(note, write_checkpoint_file(writer, record));
  done.tail.record = std::move(record);
  done.tail.note = std::move(note);
  return done;
}

void remove_superseded(const fs::path& folder, std::uint64_t before, std::uint64_t size) {
  const auto remove = [&](std::optional<unsigned> level) {
    const unsigned bits = tile_height * (level.value_or(0) + 1);
    const std::uint64_t index = shifted_right(before, bits);  // of the partial tile then
    if (index >= shifted_right(size, bits)) return;
    std::error_code ignored;
    const std::string path = tile_path({.level = level, .index = index});
    if (fs::exists(folder / path, ignored)) fs::remove_all(folder / (path + ".p"), ignored);
  };
  remove(std::nullopt);
  for (unsigned level = 0; level < tile_levels_max; ++level) remove(level);
}

Result<Tail> recover(const Writer& writer) {
  const crypto::PublicKey public_key = writer.key->public_key();
  const VerifierKey vkey =
      make_vkey(writer.origin, NoteKeyType::ed25519, public_key.write_ed25519());
  FIDUCIA_TRY(head, read_head(writer.folder, vkey));
  if (head.checkpoint.origin != writer.origin || head.checkpoint.tree_size == 0)
    return fail(ErrorCode::malformed, "The checkpoint is not one that this log would sign.", {},
                Location{.file = checkpoint_file});
  FIDUCIA_TRY(records, read_records(writer.folder, writer.origin, public_key));
  const RootRecord* const record = find_record(records, head.checkpoint);
  if (record == nullptr)
    return unfit_record(ErrorCode::malformed, "The signed root belongs to another checkpoint.");
  FIDUCIA_TRY(tail, read_tail(writer.folder, head.checkpoint, records.previous));
  if (record == &records.current) {
    tail.record = records.current;
    tail.note = std::move(head.note);
    FIDUCIA_CHECK(sync_folder(writer.folder));  // seen is not durable, as above
  } else {
    FIDUCIA_TRY(completed, roll_forward(writer, tail, records));
    completed.record = records.current;
    tail = std::move(completed);
  }
  remove_temporary_files(writer.folder);
  remove_uncommitted(writer.folder, std::nullopt, tail.frontage.size);
  for (unsigned level = 0; level < tile_levels_max; ++level)
    remove_uncommitted(writer.folder, level, tail.frontage.size);
  if (tail.record->tree_size == records.current.tree_size && records.previous)
    remove_superseded(writer.folder, records.previous->tree_size, tail.frontage.size);
  return std::move(tail);
}

}  // namespace fiducia::ledger
