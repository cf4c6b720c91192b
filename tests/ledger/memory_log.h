// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <functional>
#include <map>

#include "ledger_format/bundle.h"
#include "ledger_format/tree.h"
#include "ledger_support.h"
#include "merkle/merkle.h"

namespace fiducia::ledger::test {

inline Bytes numbered_entry(std::uint64_t i) {
  Bytes entry(sizeof i);
  store_be(entry.data(), i);
  return entry;
}

/// A log in memory, made straight from the tiles of its tree: thousands of checks of a log of
/// 70,000 entries take seconds. It keeps no signed-root.cbor, as logs of others do not.
struct MemoryLog : ObjectSource {
  std::map<std::string, Bytes> objects;
  crypto::PrivateKey key = new_key();
  ledger_format::Frontage frontage;
  Bytes bundle;  // the partial one

  MemoryLog() = default;
  explicit MemoryLog(std::uint64_t entries,
                     const std::function<Bytes(std::uint64_t)>& entry = numbered_entry) {
    grow(entries, entry);
  }
  /// Appends entries up to `size` and signs; partial tiles of before stay.
  void grow(std::uint64_t size, const std::function<Bytes(std::uint64_t)>& entry = numbered_entry) {
    std::vector<Digest> leaves;
    for (std::uint64_t i = frontage.size; i < size; ++i) {
      const Bytes one = entry(i);
      leaves.push_back(merkle::leaf_hash(one));
      ledger_format::append_to_bundle(bundle, one);
      if ((i + 1) % ledger_format::tile_width == 0)
        objects[ledger_format::tile_path({.level = {}, .index = i / ledger_format::tile_width})] =
            std::exchange(bundle, {});
    }
    if (const auto width = static_cast<unsigned>(size % ledger_format::tile_width); width != 0)
      objects[ledger_format::tile_path(
          {.level = {}, .index = size / ledger_format::tile_width, .width = width})] = bundle;
    const ledger_format::GrownTree tree{frontage, leaves};
    for (const ledger_format::GrownTree::File& file : tree.changed_files())
      objects[ledger_format::tile_path(file.address)] = file.content;
    frontage = tree.after();
    sign(tree.root());
  }
  void sign(const Digest& root, const std::string& name = origin) {
    const ledger_format::Checkpoint checkpoint{
        .origin = name, .tree_size = frontage.size, .root = root, .extensions = {}};
    objects["checkpoint"] = note_of(checkpoint);
  }
  [[nodiscard]] Bytes note_of(const ledger_format::Checkpoint& checkpoint) const {
    const std::string note = ledger_format::write_note(ledger_format::write_checkpoint(checkpoint),
                                                       checkpoint.origin, key)
                                 .value();
    const ByteView bytes = as_bytes(note);
    return {bytes.begin(), bytes.end()};
  }
  [[nodiscard]] std::string note() const { return std::string{as_text(objects.at("checkpoint"))}; }
  [[nodiscard]] ledger_format::VerifierKey vkey() const { return vkey_of(key); }

  [[nodiscard]] Result<std::optional<Bytes>> read(const std::string& path,
                                                  std::uint64_t bytes_max) const override {
    const auto found = objects.find(path);
    if (found == objects.end()) return std::nullopt;
    if (found->second.size() > bytes_max)
      return fail(ErrorCode::over_limit, "is too long.", "", Location{.file = path});
    return found->second;
  }
  [[nodiscard]] std::string name_of(const std::string& path) const override {
    return "memory:" + path;
  }
};

/// A log with one object in another state, the others as they are.
class Patched : public ObjectSource {
 public:
  Patched(const ObjectSource& log, std::string path, std::optional<Bytes> content)
      : log_(log), path_(std::move(path)), content_(std::move(content)) {}
  [[nodiscard]] Result<std::optional<Bytes>> read(const std::string& path,
                                                  std::uint64_t bytes_max) const override {
    if (path != path_) return log_.read(path, bytes_max);
    return content_;
  }
  [[nodiscard]] std::string name_of(const std::string& path) const override {
    return log_.name_of(path);
  }
  Bytes& content() { return *content_; }

 private:
  const ObjectSource& log_;
  const std::string path_;
  std::optional<Bytes> content_;
};

}  // namespace fiducia::ledger::test
