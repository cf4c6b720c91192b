// SPDX-License-Identifier: Apache-2.0
#include "ledger/reader.h"

#include "ledger/head.h"
#include "ledger/tile_store.h"
#include "merkle/merkle.h"

namespace fiducia::ledger {
struct LogReader::State {
  std::shared_ptr<const ObjectSource> source;
  std::string note;
  LogStatus status;
  TileStore tiles;

  /// The perfect subtrees of an earlier tree are those of the present one; its edge is not.
  [[nodiscard]] Result<std::vector<Digest>> edge_of(std::uint64_t size) const {
    if (size != tiles.size()) return ledger_format::read_edge(tiles, size);
    return std::vector<Digest>(tiles.edge().begin(), tiles.edge().end());
  }
};

LogReader::LogReader(std::unique_ptr<State> state) : state_(std::move(state)) {}
LogReader::LogReader(LogReader&&) noexcept = default;
LogReader& LogReader::operator=(LogReader&&) noexcept = default;
LogReader::~LogReader() = default;

Result<LogReader> LogReader::open(std::shared_ptr<const ObjectSource> source,
                                  const ledger_format::VerifierKey& key) {
  auto found = read_head_and_records(*source, key);
  if (!found) return below(*source, std::move(found).error());
  const ledger_format::Checkpoint& checkpoint = found->head.checkpoint;
  std::optional<UnixTime> checkpoint_at;
  if (found->records) checkpoint_at = find_record(*found->records, checkpoint)->issued_at;
  auto tiles = TileStore::open(source, checkpoint.tree_size, checkpoint.root);
  if (!tiles) return below(*source, std::move(tiles).error());
  LogStatus status{.origin = checkpoint.origin,
                   .tree_size = checkpoint.tree_size,
                   .root = checkpoint.root,
                   .checkpoint_at = checkpoint_at,
                   .vkey = ledger_format::write_vkey(key)};
  return LogReader{std::unique_ptr<State>(new State{.source = std::move(source),
                                                    .note = std::move(found->head.note),
                                                    .status = std::move(status),
                                                    .tiles = std::move(*tiles)})};
}

const LogStatus& LogReader::status() const { return state_->status; }
const std::string& LogReader::checkpoint() const { return state_->note; }

namespace {

Status check_index(std::uint64_t index, std::uint64_t tree_size) {
  if (index < tree_size) return {};
  return fail(ErrorCode::over_limit,
              "The log has " + std::to_string(tree_size) + " entries; there is no entry " +
                  std::to_string(index) + ".",
              "Ask for an index below the tree size.");
}

}  // namespace

Result<Bytes> LogReader::entry(std::uint64_t index) const {
  FIDUCIA_CHECK(check_index(index, state_->status.tree_size));
  auto entry = state_->tiles.entry(index);
  if (!entry) return below(*state_->source, std::move(entry).error());
  return entry;
}

Result<std::vector<Digest>> LogReader::inclusion_proof(
    std::uint64_t index, std::optional<std::uint64_t> tree_size) const {
  const std::uint64_t size = tree_size.value_or(state_->status.tree_size);
  FIDUCIA_CHECK(check_index(index, size));
  if (size > state_->status.tree_size)
    return fail(ErrorCode::over_limit,
                "The log has " + std::to_string(state_->status.tree_size) +
                    " entries; it never had a tree of " + std::to_string(size) + ".",
                "Ask for a size the log has had.");
  const auto path = [&]() -> Result<std::vector<Digest>> {
    FIDUCIA_TRY(edge, state_->edge_of(size));
    return ledger_format::inclusion_path(state_->tiles, edge, index, size);
  }();
  if (!path) return below(*state_->source, path.error());
  return path;
}

Result<std::vector<Digest>> LogReader::consistency_proof(
    std::uint64_t first, std::optional<std::uint64_t> second_size) const {
  const std::uint64_t second = second_size.value_or(state_->status.tree_size);
  if (second > state_->status.tree_size || first == 0 || first > second)
    return fail(ErrorCode::over_limit,
                "A consistency proof is between sizes from 1 to " +
                    std::to_string(state_->status.tree_size) + ", not from " +
                    std::to_string(first) + " to " + std::to_string(second) + ".",
                "Ask for sizes the log has had.");
  const auto path = [&]() -> Result<std::vector<Digest>> {
    FIDUCIA_TRY(edge, state_->edge_of(second));
    return ledger_format::consistency_path(state_->tiles, edge, first, second);
  }();
  if (!path) return below(*state_->source, path.error());
  return path;
}

}  // namespace fiducia::ledger
