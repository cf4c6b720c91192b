// SPDX-License-Identifier: Apache-2.0
#include "paper_log.h"

#include "ledger_format/bundle.h"
#include "merkle/merkle.h"

namespace fiducia::ledger_net::test {

using ledger_format::tile_path;
using ledger_format::tile_width;
using ledger_format::tile_width_at;

crypto::PrivateKey new_key() {
  return std::move(crypto::PrivateKey::generate(crypto::KeyKind::ed25519).value());
}

ledger_format::VerifierKey vkey_of(const crypto::PrivateKey& key, const std::string& name) {
  return ledger_format::make_vkey(name, ledger_format::NoteKeyType::ed25519,
                                  key.public_key().write_ed25519());
}

Bytes entry(std::uint64_t i, std::string_view branch) {
  Bytes bytes;
  append(bytes, as_bytes("entry " + std::to_string(i) + " " + std::string{branch}));
  return bytes;
}

void PaperLog::grow_to(std::uint64_t size, std::string_view branch) {
  const std::uint64_t before = entries_.size();
  std::vector<Digest> leaves;
  while (entries_.size() < size) {
    entries_.push_back(entry(entries_.size(), branch));
    leaves.push_back(merkle::leaf_hash(entries_.back()));
  }
  const ledger_format::GrownTree tree{frontage_, leaves};
  for (auto& file : tree.changed_files()) objects[tile_path(file.address)] = file.content;
  frontage_ = tree.after();
  for (std::uint64_t index = before / tile_width; index * tile_width < size; ++index) {
    const unsigned width = tile_width_at(0, index, size);
    Bytes bundle;
    for (unsigned i = 0; i < width; ++i)
      ledger_format::append_to_bundle(bundle, entries_[index * tile_width + i]);
    objects[tile_path({.level = {}, .index = index, .width = width})] = std::move(bundle);
  }
  const ledger_format::Checkpoint checkpoint{
      .origin = name_, .tree_size = size, .root = tree.root(), .extensions = {}};
  const auto note =
      ledger_format::write_note(ledger_format::write_checkpoint(checkpoint), name_, key_);
  Bytes& encoded = objects["checkpoint"];
  encoded.clear();
  append(encoded, as_bytes(*note));
}

std::vector<std::string> called_for(std::uint64_t size) {
  std::vector<std::string> paths{"checkpoint"};
  for (unsigned level = 0; ledger_format::shifted_right(size, 8 * level) > 0; ++level)
    for (std::uint64_t index = 0; tile_width_at(level, index, size) > 0; ++index) {
      const unsigned width = tile_width_at(level, index, size);
      paths.push_back(tile_path({.level = level, .index = index, .width = width}));
      if (level == 0) paths.push_back(tile_path({.level = {}, .index = index, .width = width}));
    }
  return paths;
}

Result<std::optional<Bytes>> PaperSource::read(const std::string& path,
                                               std::uint64_t bytes_max) const {
  const int number = ++reads;
  if (before_read && !before_read(number))
    return fail(ErrorCode::io_unreadable, "cannot be read.", "Try again.", Location{.file = path});
  const auto found = objects_.find(path);
  if (found == objects_.end()) return std::nullopt;
  if (found->second.size() > bytes_max)
    return fail(ErrorCode::over_limit, "is too long.", {}, Location{.file = path});
  return found->second;
}

}  // namespace fiducia::ledger_net::test
