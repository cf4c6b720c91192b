// SPDX-License-Identifier: Apache-2.0
#include "ledger_format/tile.h"

#include "format_support.h"
#include "published_vectors.h"

namespace fiducia::ledger_format::test {
namespace {

TEST(TilePath, writes_and_reads_every_published_index) {
  const auto published = read_json("tile-paths.json");
  for (const auto& row : published["index_to_path"]) {
    const std::string path = "tile/entries/" + row["path"].get<std::string>();
    SCOPED_TRACE(path);
    const TileAddress address{.level = {}, .index = row["n"].get<std::uint64_t>()};
    EXPECT_EQ(tile_path(address), path);
    const auto read = read_tile_path(path);
    ASSERT_TRUE(read.has_value()) << sentence(read.error());
    EXPECT_EQ(*read, address);
  }
}

TEST(TilePath, writes_and_reads_every_published_full_path) {
  const auto published = read_json("tile-paths.json");
  for (const auto& row : published["full_paths"]) {
    const std::string path = row["path"];
    SCOPED_TRACE(path);
    TileAddress address{.level = {}, .index = row["n"], .width = row["width"]};
    if (row["kind"] == "tile") address.level = row["level"].get<unsigned>();
    EXPECT_EQ(tile_path(address), path);
    const auto read = read_tile_path(path);
    ASSERT_TRUE(read.has_value());
    EXPECT_EQ(*read, address);
  }
}

TEST(TilePath, refuses_what_the_grammar_forbids) {
  std::vector<std::string> paths = read_json("tile-paths.json")["must_be_refused"];
  for (const char* more :
       {"", "tile", "tile/", "tile/0", "tile/0/", "tile//000", "til/0/000", "tile/0/000/",
        "tile/0/000.p", "tile/0/000.p/1/", "tile/0/000.p/1.p/1", "tile/entries/", "tile/entry/000",
        "tile/0/x1/000", "tile/0/x001/", "tile/0/x001", "tile/ 0/000", "tile/0/00a",
        "tile/0/000.p/-1", "tile/0/000.p/+1", "tile/0/000.p/1000",
        // 2^56: one past the last level-0 tile of the largest tree.
        "tile/0/x072/x057/x594/x037/x927/936", "tile/0/x999/x999/x999/x999/x999/x999/x999/999"})
    paths.emplace_back(more);
  for (const std::string& path : paths) {
    SCOPED_TRACE(path);
    const auto read = read_tile_path(path);
    ASSERT_FALSE(read.has_value());
    EXPECT_EQ(code_word(read.error()), "malformed.tile_path");
  }
}

TEST(TilePath, comes_back_from_every_address) {
  const std::uint64_t seed = fiducia::test::seed();
  SCOPED_TRACE("rerun with FIDUCIA_SEED=" + std::to_string(seed));
  std::mt19937_64 prng{seed};
  for (int i = 0; i < 20'000; ++i) {
    TileAddress address;
    if (prng() % 3 != 0) address.level = static_cast<unsigned>(prng() % 64);
    address.index = prng() >> (8 + prng() % 56);
    if (prng() % 2 != 0) address.width = 1 + static_cast<unsigned>(prng() % 255);
    const auto read = read_tile_path(tile_path(address));
    ASSERT_TRUE(read.has_value()) << tile_path(address);
    ASSERT_EQ(*read, address);
  }
}

}  // namespace
}  // namespace fiducia::ledger_format::test
