// SPDX-License-Identifier: Apache-2.0
// Every tree up to 600 leaves, two tiles and a bit, against the recursive text of RFC 9162.
#include "ledger_format/tree.h"
#include "ledger_support.h"
#include "merkle/merkle.h"
#include "rfc9162_reference.h"

namespace fiducia::ledger::test {
namespace {

constexpr std::size_t size_max = 600;

/// Small trees, and those around the edges of tiles: compared in every run.
constexpr bool is_special(std::size_t size) {
  return size <= 40 || (size >= 254 && size <= 258) || (size >= 511 && size <= 514) ||
         size == size_max;
}

Digest leaf_of(std::uint64_t index) {
  Bytes input{std::byte{0x00}};
  append(input, counter_entry(index));
  return crypto::sha256(input);
}

/// A log's folder that is given the tiles and the checkpoint of one tree after the other.
class GrowingFolder {
 public:
  void write(const ledger_format::GrownTree& tree) {
    for (const auto& file : tree.changed_files()) {
      const fs::path path = scratch_.path() / ledger_format::tile_path(file.address);
      fs::create_directories(path.parent_path());
      write_plain(path, file.content);
    }
    const std::string text = ledger_format::write_checkpoint(
        {.origin = origin, .tree_size = tree.after().size, .root = tree.root(), .extensions = {}});
    write_plain(scratch_.path() / "checkpoint",
                as_bytes(ledger_format::write_note(text, origin, key_).value()));
  }
  [[nodiscard]] Result<LogReader> read() const {
    return LogReader::open(scratch_.path(), vkey_of(key_));
  }

 private:
  ScratchFolder scratch_;
  crypto::PrivateKey key_ = new_key();
};

TEST(Rfc9162Conformance, every_path_of_every_tree_up_to_600_leaves_is_the_one_of_the_text) {
  std::vector<Digest> leaves;
  for (std::size_t i = 0; i < size_max; ++i) leaves.push_back(leaf_of(i));
  ReferenceTree reference{leaves};
  ASSERT_EQ(merkle::root({}), reference.mth(0, 0));
  GrowingFolder folder;
  ledger_format::Frontage frontage;
  const Sample taken = sample(3, 97);
  std::size_t sizes = 0;
  std::size_t inclusion_paths = 0;
  std::size_t consistency_paths = 0;
  for (std::size_t size = 1; size <= size_max; ++size) {
    const auto so_far = std::span{leaves}.first(size);
    const ledger_format::GrownTree step{frontage, so_far.last(1)};  // as an appender has it
    frontage = step.after();
    folder.write(step);
    const Digest root = reference.mth(0, size);
    ASSERT_EQ(step.root(), root) << size;
    if (!is_special(size) && !taken.takes(size)) continue;
    ++sizes;
    const auto reader = folder.read();
    ASSERT_TRUE(reader.has_value()) << sentence(reader.error());
    ASSERT_EQ(merkle::root(so_far), root) << size;
    const ledger_format::GrownTree whole{ledger_format::Frontage{}, so_far};
    ASSERT_EQ(whole.root(), root) << size;
    for (std::size_t index = 0; index < size; ++index, ++inclusion_paths) {
      const auto expected = reference.path(index, 0, size);
      ASSERT_EQ(merkle::inclusion_proof(so_far, index), expected) << index << " of " << size;
      ASSERT_EQ(ledger_format::inclusion_path(whole, whole.edge(), index, size).value(), expected)
          << index << " of " << size;
      ASSERT_EQ(reader->inclusion_proof(index).value(), expected) << index << " of " << size;
      ASSERT_TRUE(merkle::verify_inclusion(index, size, leaves[index], expected, root).has_value())
          << index << " of " << size;
    }
    for (std::size_t first = 1; first <= size; ++first, ++consistency_paths) {
      const auto expected = reference.proof(first, size);
      ASSERT_EQ(merkle::consistency_proof(so_far, first), expected) << first << " to " << size;
      ASSERT_EQ(ledger_format::consistency_path(whole, whole.edge(), first, size).value(), expected)
          << first << " to " << size;
      ASSERT_EQ(reader->consistency_proof(first).value(), expected) << first << " to " << size;
      ASSERT_TRUE(merkle::verify_consistency(first, size, reference.mth(0, first), root, expected)
                      .has_value())
          << first << " to " << size;
    }
  }
  EXPECT_GE(sizes, size_max / taken.step);
  if (taken.step == 1) {
    EXPECT_EQ(inclusion_paths, size_max * (size_max + 1) / 2);
    EXPECT_EQ(consistency_paths, size_max * (size_max + 1) / 2);
  }
}

/// The refuse twin, at the sizes where the two tiles and a bit make the shapes differ most.
TEST(Rfc9162Conformance, a_path_holds_for_its_own_index_and_sizes_alone) {
  std::vector<Digest> leaves;
  for (std::size_t i = 0; i < size_max; ++i) leaves.push_back(leaf_of(i));
  ReferenceTree reference{leaves};
  for (const std::size_t size : {255U, 256U, 257U, 511U, 513U, 600U}) {
    const Digest root = reference.mth(0, size);
    for (const std::size_t index : {std::size_t{0}, std::size_t{1}, size / 2, size - 1}) {
      const auto path = reference.path(index, 0, size);
      for (std::size_t other = 0; other < size; ++other)
        ASSERT_EQ(merkle::verify_inclusion(other, size, leaves[index], path, root).has_value(),
                  other == index)
            << index << " as " << other << " of " << size;
      for (std::size_t other = 0; other < size; ++other)
        ASSERT_EQ(merkle::verify_inclusion(index, size, leaves[other], path, root).has_value(),
                  other == index)
            << other << " at " << index << " of " << size;
    }
    for (const std::size_t first : {std::size_t{1}, std::size_t{128}, std::size_t{200}, size - 1}) {
      const auto path = reference.proof(first, size);
      for (std::size_t other = 1; other < size; ++other)
        ASSERT_EQ(merkle::verify_consistency(first, size, reference.mth(0, other), root, path)
                      .has_value(),
                  other == first)
            << other << " as " << first << " to " << size;
    }
  }
}

}  // namespace
}  // namespace fiducia::ledger::test
