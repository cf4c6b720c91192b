// SPDX-License-Identifier: Apache-2.0
// The encodings of tails and rounds: what a journal or a database keeps.
#include "ledger/sequencer.h"

#include <algorithm>

#include "ledger_format/bundle.h"
#include "merkle/merkle.h"

namespace fiducia::ledger {
namespace {

constexpr std::uint64_t tail_version = 1;
constexpr std::uint64_t round_version = 2;

std::unexpected<Error> bad(std::string what) { return fail_malformed("journal", std::move(what)); }

void write_root(crypto::CborWriter& writer, const ledger_format::RootRecord& record) {
  writer.uint(record.tree_size);
  writer.bytes(record.root.view());
  writer.integer(record.issued_at.seconds);
}

void write_signed_root(crypto::CborWriter& writer, const ledger_format::RootRecord& record) {
  writer.array(5);
  write_root(writer, record);
  writer.bytes(record.signed_root.protected_bytes);
  writer.bytes(record.signed_root.signature);
}

Result<ledger_format::RootRecord> read_root(crypto::CborReader& reader) {
  ledger_format::RootRecord record;
  FIDUCIA_TRY(tree_size, reader.uint());
  FIDUCIA_TRY(root_bytes, reader.bytes());
  FIDUCIA_TRY(seconds, reader.integer());
  const auto root = digest_from_bytes(root_bytes);
  if (!root) return bad("A root does not have 32 bytes.");
  record.tree_size = tree_size;
  record.root = *root;
  record.issued_at = UnixTime{seconds};
  return record;
}

Result<ledger_format::RootRecord> read_signed_root(crypto::CborReader& reader) {
  FIDUCIA_TRY(fields, reader.array());
  if (fields != 5) return bad("A signed root does not have five parts.");
  FIDUCIA_TRY(record, read_root(reader));
  FIDUCIA_TRY(protected_bytes, reader.bytes());
  FIDUCIA_TRY(signature, reader.bytes());
  record.signed_root.protected_bytes.assign(protected_bytes.begin(), protected_bytes.end());
  record.signed_root.signature.assign(signature.begin(), signature.end());
  return record;
}

Result<std::vector<Digest>> read_hashes(ByteView bytes) {
  auto hashes = digests_from_bytes(bytes);
  if (!hashes || hashes->size() >= ledger_format::tile_width)
    return bad("The hashes of a partial tile are not 0 to 255.");
  return std::move(*hashes);
}

Result<ledger_format::Frontage> read_frontage(crypto::CborReader& reader) {
  ledger_format::Frontage frontage;
  FIDUCIA_TRY(size, reader.uint());
  frontage.size = size;
  FIDUCIA_TRY(levels, reader.array());
  if (levels > ledger_format::tile_levels_max)
    return bad("A tree has more tile levels than there can be.");
  for (std::size_t level = 0; level < levels; ++level) {
    FIDUCIA_TRY(bytes, reader.bytes());
    FIDUCIA_TRY(hashes, read_hashes(bytes));
    const std::uint64_t below = ledger_format::shifted_right(
        size, ledger_format::tile_height * static_cast<unsigned>(level));
    if (below == 0 || hashes.size() != below % ledger_format::tile_width)
      return bad("A partial tile has another width than the tree's size gives.");
    frontage.levels.push_back(
        hashes.empty() ? nullptr : std::make_shared<const ledger_format::TileNodes>(hashes));
  }
  if (ledger_format::shifted_right(size,
                                   ledger_format::tile_height * static_cast<unsigned>(levels)) != 0)
    return bad("The upper tile levels of the tree are missing.");
  return frontage;
}

Result<Tail> read_tail_parts(ByteView encoded) {
  crypto::CborReader reader{encoded};
  FIDUCIA_TRY(fields, reader.array());
  if (fields != 6) return bad("A tree does not have six parts.");
  FIDUCIA_TRY(version, reader.uint());
  if (version != tail_version) return bad("The tree is of another version than 1.");
  Tail tail;
  FIDUCIA_TRY(frontage, read_frontage(reader));
  tail.frontage = std::move(frontage);
  FIDUCIA_TRY(bundle, reader.bytes());
  tail.bundle.assign(bundle.begin(), bundle.end());
  FIDUCIA_TRY(type, reader.peek());
  if (type == crypto::CborType::null) {
    FIDUCIA_CHECK(reader.null());
  } else {
    FIDUCIA_TRY(record, read_signed_root(reader));
    tail.record = std::move(record);
  }
  FIDUCIA_TRY(note, reader.text());
  tail.note = std::string{note};
  FIDUCIA_CHECK(reader.finish());
  return tail;
}

Status check_tail(const Tail& tail) {
  const std::uint64_t size = tail.frontage.size;
  if (!tail.record.has_value())
    return size == 0 && tail.bundle.empty() && tail.note.empty()
               ? Status{}
               : bad("A tree with entries has no signed root.");
  if (tail.record->tree_size != size || size == 0)
    return bad("The signed root is of a tree of another size.");
  if (tail.frontage.root() != tail.record->root)
    return bad("The partial tiles do not lead to the signed root.");
  FIDUCIA_TRY(entries,
              ledger_format::read_bundle(
                  tail.bundle, static_cast<std::size_t>(size % ledger_format::tile_width), true));
  for (std::size_t i = 0; i < entries.size(); ++i)
    if (merkle::leaf_hash(entries[i]) != tail.frontage.hashes(0)[i])
      return bad("An entry of the partial bundle does not hash to its leaf.");
  return {};
}

Result<Round> read_round_parts(ByteView encoded) {
  crypto::CborReader reader{encoded};
  FIDUCIA_TRY(fields, reader.array());
  if (fields != 7) return bad("A round does not have seven parts.");
  FIDUCIA_TRY(version, reader.uint());
  if (version != round_version) return bad("The round is of another version than 2.");
  Round round;
  FIDUCIA_TRY(first, reader.uint());
  round.first = first;
  FIDUCIA_TRY(entries, reader.bytes());
  round.entries.assign(entries.begin(), entries.end());
  FIDUCIA_TRY(record, read_root(reader));
  round.record = std::move(record);
  FIDUCIA_TRY(note, reader.text());
  round.note = std::string{note};
  FIDUCIA_CHECK(reader.finish());
  if (round.record.tree_size <= first || entries.empty()) return bad("A round has no entries.");
  return round;
}

}  // namespace

Bytes write_tail(const Tail& tail) {
  crypto::CborWriter writer;
  writer.array(6);
  writer.uint(tail_version);
  writer.uint(tail.frontage.size);
  writer.array(tail.frontage.levels.size());
  for (std::size_t level = 0; level < tail.frontage.levels.size(); ++level) {
    const auto hashes = tail.frontage.hashes(level);
    writer.bytes_head(hashes.size() * sizeof(Digest));
    for (const Digest& hash : hashes) writer.raw(hash.view());
  }
  writer.bytes(tail.bundle);
  if (tail.record)
    write_signed_root(writer, *tail.record);
  else
    writer.null();
  writer.text(tail.note);
  return writer.take();
}

Result<Tail> read_tail(ByteView encoded) {
  auto tail = read_tail_parts(encoded);
  if (!tail) return bad(tail.error().what);
  FIDUCIA_CHECK(check_tail(*tail));
  return tail;
}

Bytes write_round(const Round& round) {
  crypto::CborWriter writer;
  writer.array(7);
  writer.uint(round_version);
  writer.uint(round.first);
  writer.bytes(round.entries);
  write_root(writer, round.record);
  writer.text(round.note);
  return writer.take();
}

Result<Round> read_round(ByteView encoded) {
  auto round = read_round_parts(encoded);
  if (!round) return bad(round.error().what);
  return round;
}

}  // namespace fiducia::ledger
