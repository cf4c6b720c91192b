// SPDX-License-Identifier: Apache-2.0
// What a client of tlog-tiles may ask a log for.
#include <mutex>
#include <set>

#include "ledger_format/tree.h"
#include "ledger_support.h"

namespace fiducia::ledger::test {
namespace {

/// A folder that notes what it is asked for.
class NotingSource : public ObjectSource {
 public:
  explicit NotingSource(fs::path folder) : inner_(std::move(folder)) {}
  Result<std::optional<Bytes>> read(const std::string& path,
                                    std::uint64_t bytes_max) const override {
    const std::lock_guard guard{mutex_};
    asked_.push_back(path);
    return inner_.read(path, bytes_max);
  }
  std::string name_of(const std::string& path) const override { return inner_.name_of(path); }
  std::vector<std::string> take() const {
    const std::lock_guard guard{mutex_};
    return std::exchange(asked_, {});
  }

 private:
  DirectoryStore inner_;
  mutable std::mutex mutex_;  // guards asked_: a reader may be used by several threads
  mutable std::vector<std::string> asked_;
};

bool is_tile(const std::string& path) { return path.starts_with("tile/"); }

/// Whether a tree of `size` has this tile or bundle, at this width or, as a fallback, full.
bool called_for(const std::string& path, std::uint64_t size) {
  const auto address = ledger_format::read_tile_path(path);
  if (!address) return false;
  const unsigned width =
      ledger_format::tile_width_at(address->level.value_or(0), address->index, size);
  return width != 0 && (address->width == width || address->width == ledger_format::tile_width);
}

/// tlog-tiles, "Partial Tiles": no partial tile is fetched that no verified checkpoint calls for.
TEST(ReaderConformance,
     asks_for_no_tile_before_the_checkpoint_is_verified_and_for_none_that_it_does_not_call_for) {
  const ScratchLog scratch;
  auto log = scratch.open().value();
  for (const std::uint64_t size : {2U, 5U, 255U, 256U, 257U, 300U}) {
    SCOPED_TRACE(size);
    const std::uint64_t before = log.status().tree_size;
    ASSERT_TRUE(log.append(counter_entries(before, size - before)).has_value());
    ASSERT_TRUE(log.flush().has_value());  // what was appended is published a moment later
    const auto source = std::make_shared<const NotingSource>(scratch.folder);

    // Another key: nothing beyond the small files at the top.
    EXPECT_FALSE(LogReader::open(source, vkey_of(new_key())).has_value());
    for (const std::string& path : source->take()) EXPECT_FALSE(is_tile(path)) << path;

    const auto reader = LogReader::open(source, vkey_of(scratch.key));
    ASSERT_TRUE(reader.has_value()) << sentence(reader.error());
    for (std::uint64_t index = 0; index < size; ++index) {
      ASSERT_TRUE(reader->entry(index).has_value());
      ASSERT_TRUE(reader->inclusion_proof(index).has_value());
      ASSERT_TRUE(reader->consistency_proof(index + 1).has_value());
    }
    std::set<std::string> tiles;
    for (const std::string& path : source->take()) {
      if (!is_tile(path)) continue;
      tiles.insert(path);
      EXPECT_TRUE(called_for(path, size)) << path;
    }
    EXPECT_FALSE(tiles.empty());
    // An index past the end is refused without a question.
    EXPECT_FALSE(reader->entry(size).has_value());
    EXPECT_TRUE(source->take().empty());
  }
}

}  // namespace
}  // namespace fiducia::ledger::test
