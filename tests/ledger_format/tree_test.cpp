// SPDX-License-Identifier: Apache-2.0
#include "ledger_format/tree.h"

#include "format_support.h"
#include "merkle/merkle.h"
#include "published_vectors.h"

namespace fiducia::ledger_format::test {
namespace {

/// Perfect subtrees computed the plain way from all leaves.
class PlainSource : public NodeSource {
 public:
  explicit PlainSource(std::vector<Digest> leaves) : leaves_(std::move(leaves)) {}
  Result<Digest> node(unsigned height, std::uint64_t index) const override {
    const std::uint64_t begin = index << height;
    FIDUCIA_ASSERT(begin + (std::uint64_t{1} << height) <= leaves_.size());
    return merkle::root(std::span{leaves_}.subspan(begin, std::size_t{1} << height));
  }
  const std::vector<Digest>& leaves() const { return leaves_; }

 private:
  std::vector<Digest> leaves_;
};

std::vector<Digest> counter_leaves(std::uint64_t count) {
  std::vector<Digest> leaves;
  for (std::uint64_t i = 0; i < count; ++i) leaves.push_back(merkle::leaf_hash(counter_entry(i)));
  return leaves;
}

TEST(TreeProofs, equal_the_plain_definition_for_all_trees_up_to_130) {
  for (std::uint64_t size = 1; size <= 130; ++size) {
    const PlainSource source{counter_leaves(size)};
    const auto edge = read_edge(source, size).value();
    ASSERT_EQ(edge.back(), merkle::root(source.leaves()));
    for (std::uint64_t index = 0; index < size; ++index)
      ASSERT_EQ(inclusion_path(source, edge, index, size).value(),
                merkle::inclusion_proof(source.leaves(), index))
          << index << " in " << size;
    for (std::uint64_t first = 1; first <= size; ++first)
      ASSERT_EQ(consistency_path(source, edge, first, size).value(),
                merkle::consistency_proof(source.leaves(), first))
          << first << " to " << size;
  }
}

TEST(GrownTree, has_the_published_roots_and_proofs_whatever_the_steps) {
  const std::uint64_t seed = fiducia::test::seed();
  SCOPED_TRACE("rerun with FIDUCIA_SEED=" + std::to_string(seed));
  std::mt19937_64 prng{seed};
  std::map<std::uint64_t, std::string> roots;
  const auto published = read_json("counter-leaf-roots.json");
  for (const auto& row : published["roots"])
    roots[row["tree_size"].get<std::uint64_t>()] = row["root_hex"].get<std::string>();
  const std::vector<Digest> leaves = counter_leaves(70'000);
  Frontage frontage;
  Digest root = merkle::empty_root();
  for (const auto& [size, hex] : roots) {
    while (frontage.size < size) {
      const std::uint64_t step = std::min(size - frontage.size, 1 + prng() % 3000);
      const GrownTree tree{frontage, std::span{leaves}.subspan(frontage.size, step)};
      const std::uint64_t index = frontage.size + prng() % step;
      const auto path = inclusion_path(tree, tree.edge(), index, tree.after().size);
      ASSERT_TRUE(path.has_value());
      ASSERT_TRUE(
          merkle::verify_inclusion(index, tree.after().size, leaves[index], *path, tree.root())
              .has_value());
      frontage = tree.after();
      root = tree.root();
    }
    ASSERT_EQ(to_hex(root.view()), hex) << size;
  }
}

TEST(GrownTree, has_the_six_published_tiles_of_70000_leaves) {
  const auto published = read_json("counter-leaf-tiles-70000.json");
  const GrownTree tree{Frontage{}, counter_leaves(70'000)};
  EXPECT_EQ(to_hex(tree.root().view()), published["root_hex"].get<std::string>());
  std::map<std::string, Bytes> files;
  for (const auto& file : tree.changed_files()) files[tile_path(file.address)] = file.content;
  EXPECT_EQ(files.size(), 274U + 2U + 1U);
  for (const auto& tile : published["tiles"]) {
    const Bytes& content = files.at(tile["path"].get<std::string>());
    EXPECT_EQ(content.size(), tile["bytes"].get<std::size_t>());
    EXPECT_EQ(to_hex(crypto::sha256(content).view()), tile["sha256_of_tile"].get<std::string>());
  }
}

TEST(TileWidth, is_what_tlog_tiles_says_for_70000) {
  EXPECT_EQ(tile_width_at(0, 272, 70'000), 256U);
  EXPECT_EQ(tile_width_at(0, 273, 70'000), 112U);
  EXPECT_EQ(tile_width_at(0, 274, 70'000), 0U);
  EXPECT_EQ(tile_width_at(1, 0, 70'000), 256U);
  EXPECT_EQ(tile_width_at(1, 1, 70'000), 17U);
  EXPECT_EQ(tile_width_at(2, 0, 70'000), 1U);
  EXPECT_EQ(tile_width_at(3, 0, 70'000), 0U);
  EXPECT_EQ(tile_width_at(8, 0, ~std::uint64_t{0}), 0U);
}

}  // namespace
}  // namespace fiducia::ledger_format::test
