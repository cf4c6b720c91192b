// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <filesystem>
#include <memory>
#include <vector>

#include "core/core.h"
#include "ledger/object_store.h"
#include "ledger_format/tree.h"

/// Inside the ledger: the tiles and bundles of one tree size, read from a source and believed
/// only after they were checked against the root.
namespace fiducia::ledger {

/// Reads what a tree of `size` calls for, partial files first, full ones as fallback (an
/// appender removes partial files once the full one is durable).
/// Errors: io_unreadable, malformed (wrong length); both name the file.
[[nodiscard]] Result<std::vector<Digest>> read_tile(const ObjectSource& source, unsigned level,
                                                    std::uint64_t index, std::uint64_t size);
/// The entries of one bundle as one buffer and its parts.
struct Bundle {
  Bytes bytes;                    // owns what `entries` show
  std::vector<ByteView> entries;  // as many as the tree size calls for
  std::string path;               // the object it came from
};
[[nodiscard]] Result<Bundle> read_bundle_at(const ObjectSource& source, std::uint64_t index,
                                            std::uint64_t size);

/// Invariant: every node handed out hashes up to the root. The partial tiles are checked
/// together when opened, a full tile against the hash the level above holds of it.
/// Thread safety: const methods may run concurrently.
class TileStore : public ledger_format::NodeSource {
 public:
  /// Errors: io_unreadable, malformed (naming the damaged tile).
  [[nodiscard]] static Result<TileStore> open(std::shared_ptr<const ObjectSource> source,
                                              std::uint64_t size, const Digest& root);
  TileStore(TileStore&&) noexcept;
  TileStore& operator=(TileStore&&) noexcept;
  ~TileStore() override;

  [[nodiscard]] std::uint64_t size() const;
  [[nodiscard]] std::span<const Digest> edge() const;
  [[nodiscard]] ledger_format::Frontage frontage() const;
  /// Errors: io_unreadable, malformed.
  [[nodiscard]] Result<Digest> node(unsigned height, std::uint64_t index) const override;
  /// A bundle whose entries are all checked against tile level 0. Errors: as `node`.
  [[nodiscard]] Result<Bundle> bundle(std::uint64_t index) const;
  /// One entry, itself checked. `index` < size(). Errors: as `node`.
  [[nodiscard]] Result<Bytes> entry(std::uint64_t index) const;

 private:
  using Tile = std::shared_ptr<const ledger_format::TileNodes>;
  struct State;
  explicit TileStore(std::unique_ptr<State> state);
  [[nodiscard]] Result<Tile> tile(unsigned level, std::uint64_t index) const;
  std::unique_ptr<State> state_;
};

}  // namespace fiducia::ledger
