// SPDX-License-Identifier: Apache-2.0
#include "ledger/round.h"

#include <algorithm>

#include "ledger_format/bundle.h"
#include "merkle/merkle.h"

namespace fiducia::ledger {
namespace {

std::unexpected<Error> bad_round(std::string what) {
  return fail_malformed("journal", std::move(what));
}

/// The bundles that `entries` fill or widen; the last, partial one becomes `rest`.
std::vector<NewObject> grow_bundles(const Tail& tail, std::span<const ByteView> entries,
                                    Bytes& rest) {
  std::vector<NewObject> objects;
  std::uint64_t size = tail.frontage.size;
  rest = tail.bundle;
  for (const ByteView entry : entries) {
    ledger_format::append_to_bundle(rest, entry);
    if (++size % ledger_format::tile_width != 0) continue;
    objects.push_back({.path = ledger_format::tile_path(
                           {.level = {}, .index = size / ledger_format::tile_width - 1}),
                       .content = std::exchange(rest, {})});
  }
  if (const auto width = static_cast<unsigned>(size % ledger_format::tile_width); width != 0)
    objects.push_back(
        {.path = ledger_format::tile_path(
             {.level = {}, .index = size / ledger_format::tile_width, .width = width}),
         .content = rest});
  return objects;
}

/// The content of the partial bundle alone, without copying those that became full.
Bytes last_bundle(const Tail& tail, std::span<const ByteView> entries) {
  const std::uint64_t before = tail.frontage.size % ledger_format::tile_width;
  const std::uint64_t after = (tail.frontage.size + entries.size()) % ledger_format::tile_width;
  const bool same = before + entries.size() < ledger_format::tile_width;
  Bytes rest = same ? tail.bundle : Bytes{};
  const std::size_t count = same ? entries.size() : static_cast<std::size_t>(after);
  for (const ByteView entry : entries.last(count)) ledger_format::append_to_bundle(rest, entry);
  return rest;
}

/// Full tiles and bundles of `tail` now that stood as partial ones in the tree of `before` leaves.
std::vector<std::string> superseded_between(std::uint64_t before, std::uint64_t size) {
  std::vector<std::string> paths;
  const auto look = [&](std::optional<unsigned> level) {
    const unsigned bits = ledger_format::tile_height * (level.value_or(0) + 1);
    const bool was_partial =
        ledger_format::shifted_right(before, bits - ledger_format::tile_height) %
            ledger_format::tile_width !=
        0;
    const std::uint64_t index = ledger_format::shifted_right(before, bits);
    if (was_partial && index < ledger_format::shifted_right(size, bits))
      paths.push_back(ledger_format::tile_path({.level = level, .index = index}));
  };
  look(std::nullopt);
  for (unsigned level = 0; level < ledger_format::tile_levels_max; ++level) look(level);
  return paths;
}

}  // namespace

LogIdentity::LogIdentity(std::string log_origin, std::shared_ptr<const crypto::SigningKey> log_key)
    : origin(std::move(log_origin)),
      key(std::move(log_key)),
      public_key(key->public_key()),
      vkey(ledger_format::make_vkey(origin, ledger_format::NoteKeyType::ed25519,
                                    public_key.write_ed25519())) {}

Result<NextRound> make_round(const LogIdentity& identity, const Tail& tail,
                             std::span<const ByteView> entries, std::span<const Digest> leaves,
                             UnixTime now, bool clock_is_right) {
  NextRound next;
  auto tree = std::make_shared<ledger_format::GrownTree>(tail.frontage, leaves);
  ledger_format::RootRecord record;
  record.tree_size = tree->after().size;
  record.root = tree->root();
  record.issued_at = tail.record && !clock_is_right ? std::max(now, tail.record->issued_at) : now;
  const ledger_format::Checkpoint checkpoint{.origin = identity.origin,
                                             .tree_size = record.tree_size,
                                             .root = record.root,
                                             .extensions = {}};
  FIDUCIA_TRY(note, ledger_format::write_note(ledger_format::write_checkpoint(checkpoint),
                                              identity.vkey, *identity.key));

  next.round.first = tail.frontage.size;
  for (const ByteView entry : entries) ledger_format::append_to_bundle(next.round.entries, entry);
  next.round.record = record;
  next.round.note = note;
  next.tail.frontage = tree->after();
  next.tail.bundle = last_bundle(tail, entries);
  next.tail.record = std::move(record);
  next.tail.note = std::move(note);
  next.tree = std::move(tree);
  return next;
}

Status sign_record(const LogIdentity& identity, ledger_format::RootRecord& record) {
  if (!record.signed_root.signature.empty()) return {};
  FIDUCIA_TRY(signed_root, ledger_format::sign_root(*identity.key, identity.origin,
                                                    record.issued_at, record.root));
  record.signed_root = std::move(signed_root);
  return {};
}

Result<AppliedRound> apply_round(const Tail& tail, const Round& round) {
  if (round.first != tail.frontage.size)
    return bad_round("A round does not follow the tree that it is to extend.");
  const std::uint64_t count = round.record.tree_size - round.first;
  if (count > round.entries.size())
    return bad_round("A round says it has more entries than it holds.");
  FIDUCIA_TRY(entries,
              ledger_format::read_bundle(round.entries, static_cast<std::size_t>(count), true));
  std::vector<Digest> leaves(entries.size());
  merkle::leaf_hashes(entries, leaves);
  const ledger_format::GrownTree tree{tail.frontage, leaves};
  if (tree.root() != round.record.root)
    return bad_round("The entries of a round do not lead to its signed root.");
  AppliedRound applied;
  applied.tail.frontage = tree.after();
  applied.objects = grow_bundles(tail, entries, applied.tail.bundle);
  for (ledger_format::GrownTree::File& file : tree.changed_files())
    applied.objects.push_back(
        {.path = ledger_format::tile_path(file.address), .content = std::move(file.content)});
  applied.superseded = superseded_between(round.first, round.record.tree_size);
  applied.tail.record = round.record;
  applied.tail.note = round.note;
  applied.leaves = std::move(leaves);
  return applied;
}

Round merge_rounds(std::span<const Round> rounds) {
  FIDUCIA_ASSERT(!rounds.empty());
  Round merged{.first = rounds.front().first,
               .entries = {},
               .record = rounds.back().record,
               .note = rounds.back().note};
  for (const Round& round : rounds) append(merged.entries, round.entries);
  return merged;
}

Status check_signed(const LogIdentity& identity, const Tail& tail) {
  FIDUCIA_ASSERT(tail.record.has_value());
  const ledger_format::RootRecords records{.current = *tail.record, .previous = {}};
  FIDUCIA_CHECK(ledger_format::read_root_records(ledger_format::write_root_records(records),
                                                 identity.origin, identity.public_key));
  FIDUCIA_TRY(checkpoint, ledger_format::read_signed_checkpoint(tail.note, identity.vkey));
  if (checkpoint.origin != identity.origin || checkpoint.tree_size != tail.record->tree_size ||
      checkpoint.root != tail.record->root)
    return bad_round("The checkpoint and the signed root are not of one tree.");
  return {};
}

}  // namespace fiducia::ledger
