// SPDX-License-Identifier: Apache-2.0
#include "ledger_format/views.h"

#include "made_log.h"

namespace fiducia::ledger_format::test {
namespace {

/// The nodes of a tree of `size` leaves, from the leaves.
class MadeNodes final : public NodeSource {
 public:
  MadeNodes(std::uint64_t size, std::uint64_t forked_from)
      : leaves_(MadeLog::leaves(size, forked_from)) {}
  [[nodiscard]] Result<Digest> node(unsigned height, std::uint64_t index) const override {
    const std::uint64_t width = std::uint64_t{1} << height;
    return merkle::root(std::span{leaves_}.subspan(index * width, width));
  }

 private:
  std::vector<Digest> leaves_;
};

ConsistencyProofs proofs_of(std::uint64_t forked_from) {
  return [forked_from](std::uint64_t first, std::uint64_t second) -> Result<std::vector<Digest>> {
    return merkle::consistency_proof(MadeLog::leaves(second, forked_from), first);
  };
}

TEST(Views, of_one_history_are_consistent_and_of_two_split_for_all_small_sizes) {
  const MadeLog log;
  for (std::uint64_t second = 0; second <= 20; ++second) {
    for (std::uint64_t first = 0; first <= second; ++first) {
      SCOPED_TRACE(std::to_string(first) + " to " + std::to_string(second));
      const MadeNodes nodes{second, MadeLog::no_fork};
      for (const bool swapped : {false, true}) {
        const std::string a = log.note(swapped ? second : first);
        const std::string b = log.note(swapped ? first : second);
        const auto by_nodes = compare_views(a, b, log.vkey(), &nodes);
        ASSERT_TRUE(by_nodes.has_value()) << sentence(by_nodes.error());
        EXPECT_EQ(by_nodes->views, Views::consistent) << by_nodes->text;
        EXPECT_EQ(by_nodes->smaller.tree_size, first);
        EXPECT_EQ(by_nodes->larger.tree_size, second);
        const auto by_proof = compare_views(a, b, log.vkey(), nullptr, proofs_of(MadeLog::no_fork));
        ASSERT_TRUE(by_proof.has_value());
        EXPECT_EQ(by_proof->views, Views::consistent) << by_proof->text;
      }
      if (first == 0) continue;
      const std::uint64_t fork = first - 1;  // the last leaf that both have is another one
      const MadeNodes forked{second, fork};
      const auto split =
          compare_views(log.note(first), log.note(second, fork), log.vkey(), &forked);
      ASSERT_TRUE(split.has_value());
      EXPECT_EQ(split->views, Views::split) << split->text;
      const auto by_proof = compare_views(log.note(first), log.note(second, fork), log.vkey(),
                                          nullptr, proofs_of(fork));
      ASSERT_TRUE(by_proof.has_value());
      // A proof from a power of two starts at the smaller root: it cannot tell.
      const bool decides = first == second || !std::has_single_bit(first);
      EXPECT_EQ(by_proof->views, decides ? Views::split : Views::unknown) << by_proof->text;
    }
  }
}

TEST(Views, are_unknown_where_the_proof_is_missing_or_worthless) {
  const MadeLog log;
  const auto compare = [&](const ConsistencyProofs& proofs) {
    return compare_views(log.note(6), log.note(11), log.vkey(), nullptr, proofs)->views;
  };
  EXPECT_EQ(compare({}), Views::unknown);
  EXPECT_EQ(compare([](auto, auto) { return fail(ErrorCode::io_unreadable, "gone"); }),
            Views::unknown);
  EXPECT_EQ(compare([](auto, auto) { return std::vector<Digest>{}; }), Views::unknown);
  EXPECT_EQ(compare([](auto, auto) { return std::vector<Digest>(3); }), Views::unknown);
  EXPECT_EQ(compare(proofs_of(2)), Views::unknown) << "a proof of another tree accused the log";
  const MadeNodes other{11, 2};
  EXPECT_EQ(compare_views(log.note(6), log.note(11), log.vkey(), &other)->views, Views::unknown)
      << "tiles of another tree accused the log";
}

TEST(Views, need_two_notes_of_one_key_and_origin) {
  const MadeLog log;
  const MadeLog stranger;
  EXPECT_EQ(compare_views(log.note(3), stranger.note(3), log.vkey(), nullptr).error().code,
            ErrorCode::signature_bad);
  EXPECT_EQ(compare_views(log.note(3), "text\n", log.vkey(), nullptr).error().code,
            ErrorCode::malformed);
  const std::string other = write_note(write_checkpoint({.origin = "example.net/other",
                                                         .tree_size = 0,
                                                         .root = merkle::empty_root(),
                                                         .extensions = {}}),
                                       log.name(), log.key())
                                .value();
  EXPECT_EQ(compare_views(log.note(3), other, log.vkey(), nullptr).error().code,
            ErrorCode::usage_invalid);
}

}  // namespace
}  // namespace fiducia::ledger_format::test
