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
};

LogReader::LogReader(std::unique_ptr<State> state) : state_(std::move(state)) {}
LogReader::LogReader(LogReader&&) noexcept = default;
LogReader& LogReader::operator=(LogReader&&) noexcept = default;
LogReader::~LogReader() = default;

Result<LogReader> LogReader::open(std::shared_ptr<const ObjectSource> source,
                                  const VerifierKey& key) {
  auto found = read_head_and_records(*source, key);
  if (!found) return below(*source, std::move(found).error());
  const Checkpoint& checkpoint = found->head.checkpoint;
  std::optional<UnixTime> checkpoint_at;
  if (found->records) checkpoint_at = find_record(*found->records, checkpoint)->issued_at;
  auto tiles = TileStore::open(source, checkpoint.tree_size, checkpoint.root);
  if (!tiles) return below(*source, std::move(tiles).error());
  LogStatus status{.origin = checkpoint.origin,
                   .tree_size = checkpoint.tree_size,
                   .root = checkpoint.root,
                   .checkpoint_at = checkpoint_at,
                   .vkey = write_vkey(key)};
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

Result<std::vector<Digest>> LogReader::inclusion_proof(std::uint64_t index) const {
  FIDUCIA_CHECK(check_index(index, state_->status.tree_size));
  auto path = inclusion_path(state_->tiles, state_->tiles.edge(), index, state_->tiles.size());
  if (!path) return below(*state_->source, std::move(path).error());
  return path;
}

Result<std::vector<Digest>> LogReader::consistency_proof(std::uint64_t first) const {
  if (first == 0 || first > state_->status.tree_size)
    return fail(ErrorCode::over_limit,
                "A consistency proof starts at a size from 1 to " +
                    std::to_string(state_->status.tree_size) + ", not " + std::to_string(first) +
                    ".",
                "Ask for a size the log has had.");
  auto path = consistency_path(state_->tiles, state_->tiles.edge(), first, state_->tiles.size());
  if (!path) return below(*state_->source, std::move(path).error());
  return path;
}

}  // namespace fiducia::ledger
