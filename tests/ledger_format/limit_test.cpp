// SPDX-License-Identifier: Apache-2.0
// What is read of a log is bounded: at each bound it is taken, one past it is refused.
#include "format_support.h"
#include "merkle/merkle.h"

namespace fiducia::ledger_format::test {
namespace {

std::vector<Digest> path_of(std::size_t hashes) {
  std::vector<Digest> path(hashes);
  for (std::size_t i = 0; i < hashes; ++i) path[i].bytes.fill(static_cast<std::byte>(i));
  return path;
}

TEST(LedgerLimit, of_an_inclusion_path_holds_for_receipts) {
  const crypto::PrivateKey key = new_key();
  const auto root = sign_root(key, origin, noon, {});
  ASSERT_TRUE(root.has_value());
  const std::uint64_t size = ~std::uint64_t{0};
  const auto read = [&](std::size_t hashes) {
    return read_receipt(write_receipt(*root, size, size - 1, path_of(hashes)));
  };
  const auto longest = read(limits::inclusion_path_max);
  ASSERT_TRUE(longest.has_value()) << sentence(longest.error());
  EXPECT_EQ(longest->path.size(), limits::inclusion_path_max);
  const auto longer = read(limits::inclusion_path_max + 1);
  ASSERT_FALSE(longer.has_value());
  EXPECT_EQ(code_word(longer.error()), "malformed.receipt");
}

TEST(LedgerLimit, of_an_inclusion_path_holds_for_proofs) {
  const crypto::PrivateKey key = new_key();
  const auto note = write_note(
      write_checkpoint(
          {.origin = origin, .tree_size = ~std::uint64_t{0}, .root = {}, .extensions = {}}),
      origin, key);
  ASSERT_TRUE(note.has_value());
  const auto read = [&](std::size_t hashes) {
    return read_tlog_proof(write_tlog_proof(7, path_of(hashes), *note));
  };
  const auto longest = read(limits::inclusion_path_max);
  ASSERT_TRUE(longest.has_value()) << sentence(longest.error());
  EXPECT_EQ(longest->path.size(), limits::inclusion_path_max);
  const auto longer = read(limits::inclusion_path_max + 1);
  ASSERT_FALSE(longer.has_value());
  EXPECT_EQ(code_word(longer.error()), "malformed.tlog_proof");
}

TEST(LedgerLimit, of_an_entry_is_what_its_length_in_a_bundle_can_say) {
  Bytes bundle;
  const Bytes longest(limits::ledger_entry_bytes_max, std::byte{7});
  append_to_bundle(bundle, longest);
  const auto read = read_bundle(bundle, 1, /*exact=*/true);
  ASSERT_TRUE(read.has_value()) << sentence(read.error());
  EXPECT_TRUE(same_bytes(read->front(), longest));
  EXPECT_EQ(bundle_bytes_max, 256 * bundle.size()) << "256 of them fill a bundle";
}

}  // namespace
}  // namespace fiducia::ledger_format::test
