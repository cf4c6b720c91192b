// SPDX-License-Identifier: Apache-2.0
#include "memory_log.h"

namespace fiducia::ledger::test {
namespace {

using Source = std::shared_ptr<const ObjectSource>;

/// A log of `size` entries, signed with `key`, that differs from others from entry `from` on.
std::shared_ptr<MemoryLog> make_log(const crypto::PrivateKey& key, std::uint64_t size,
                                    std::uint64_t from = ~std::uint64_t{0}) {
  auto log = std::make_shared<MemoryLog>(
      size, [&](std::uint64_t i) { return numbered_entry(i >= from ? i + 1 : i); });
  log->key = copy_of(key);
  log->sign(log->frontage.root());
  return log;
}

TEST(CompareLogs, one_log_at_two_sizes_is_consistent_from_either_side) {
  const crypto::PrivateKey key = new_key();
  for (const auto& [small, large] : {std::pair{1, 2}, std::pair{256, 257}, std::pair{300, 70'000},
                                     std::pair{65'536, 70'000}, std::pair{300, 300}}) {
    SCOPED_TRACE(std::to_string(small) + " and " + std::to_string(large));
    const auto first = make_log(key, static_cast<std::uint64_t>(small));
    const auto second = make_log(key, static_cast<std::uint64_t>(large));
    const auto later = compare_logs(second, vkey_of(key), first->note(), nullptr);
    ASSERT_TRUE(later.has_value()) << sentence(later.error());
    EXPECT_EQ(later->views, ledger_format::Views::consistent) << later->text;
    const auto earlier = compare_logs(first, vkey_of(key), second->note(), second);
    ASSERT_TRUE(earlier.has_value()) << sentence(earlier.error());
    EXPECT_EQ(earlier->views, ledger_format::Views::consistent) << earlier->text;
    EXPECT_EQ(earlier->proof, later->proof);
    if (small == large) continue;
    EXPECT_TRUE(merkle::verify_consistency(later->other.tree_size, later->ours.tree_size,
                                           later->other.root, later->ours.root, later->proof)
                    .has_value());
  }
}

TEST(CompareLogs, two_histories_are_a_split_view_from_either_side) {
  const crypto::PrivateKey key = new_key();
  for (const auto& [small, large] :
       {std::pair{2, 3}, std::pair{300, 300}, std::pair{300, 70'000}, std::pair{65'536, 70'000}}) {
    for (const std::uint64_t from : {std::uint64_t{0}, static_cast<std::uint64_t>(small) - 1}) {
      SCOPED_TRACE(std::to_string(small) + " and " + std::to_string(large));
      const auto first = make_log(key, static_cast<std::uint64_t>(small), from);
      const auto second = make_log(key, static_cast<std::uint64_t>(large));
      for (const bool ours_larger : {false, true}) {
        const Source ours = ours_larger ? second : first;
        const auto other = ours_larger ? first : second;
        const auto found = compare_logs(ours, vkey_of(key), other->note(), other);
        ASSERT_TRUE(found.has_value()) << sentence(found.error());
        EXPECT_EQ(found->views, ledger_format::Views::split) << found->text;
        EXPECT_EQ(found->other_note, other->note());
        EXPECT_EQ(found->our_note, (ours_larger ? second : first)->note());
        // What goes out proves which root the larger log had then.
        if (small == large) continue;
        ASSERT_TRUE(found->root_then.has_value());
        EXPECT_NE(*found->root_then, (ours_larger ? found->other : found->ours).root);
        EXPECT_TRUE(merkle::verify_consistency(static_cast<std::uint64_t>(small),
                                               static_cast<std::uint64_t>(large), *found->root_then,
                                               (ours_larger ? found->ours : found->other).root,
                                               found->proof)
                        .has_value());
      }
    }
  }
}

TEST(CompareLogs, a_larger_checkpoint_without_tiles_proves_nothing) {
  const crypto::PrivateKey key = new_key();
  const auto found =
      compare_logs(make_log(key, 300), vkey_of(key), make_log(key, 301)->note(), nullptr);
  ASSERT_FALSE(found.has_value());
  EXPECT_EQ(found.error().code, ErrorCode::io_unreadable);
  EXPECT_NE(found.error().what.find("301"), std::string::npos);
}

TEST(CompareLogs, another_key_and_another_origin_are_named) {
  const crypto::PrivateKey key = new_key();
  const auto log = make_log(key, 300);
  const auto strange = compare_logs(log, vkey_of(key), make_log(new_key(), 300)->note(), nullptr);
  ASSERT_FALSE(strange.has_value());
  EXPECT_EQ(strange.error().code, ErrorCode::usage_invalid);
  EXPECT_NE(strange.error().what.find("not signed by " + origin), std::string::npos)
      << strange.error().what;
  // The same key under the same name, but for another log's checkpoint.
  const ledger_format::Checkpoint elsewhere{
      .origin = "example.org/other", .tree_size = 300, .root = {}, .extensions = {}};
  const std::string note =
      ledger_format::write_note(ledger_format::write_checkpoint(elsewhere), origin, key).value();
  const auto other = compare_logs(log, vkey_of(key), note, nullptr);
  ASSERT_FALSE(other.has_value());
  EXPECT_EQ(other.error().code, ErrorCode::usage_invalid);
  EXPECT_NE(other.error().what.find("example.org/other"), std::string::npos);
  EXPECT_NE(other.error().what.find(origin), std::string::npos);
  // A forged note.
  std::string forged = log->note();
  forged[forged.find("300")] = '2';
  EXPECT_EQ(compare_logs(log, vkey_of(key), forged, nullptr).error().code,
            ErrorCode::signature_bad);
}

TEST(CompareLogs, damaged_tiles_are_damage_and_no_split_view) {
  const crypto::PrivateKey key = new_key();
  const auto log = make_log(key, 70'000);
  const auto earlier = make_log(key, 66'000);
  for (const std::string path : {"tile/0/257", "tile/1/001.p/17", "tile/2/000.p/1"}) {
    Bytes content = log->objects.at(path);
    content[0] ^= std::byte{1};
    const auto damaged = std::make_shared<Patched>(*log, path, content);
    const auto found = compare_logs(damaged, vkey_of(key), earlier->note(), nullptr);
    ASSERT_FALSE(found.has_value()) << path;
    EXPECT_EQ(found.error().code, ErrorCode::malformed);
    EXPECT_EQ(found.error().where.file, "memory:" + path);
  }
}

TEST(CompareLogs, what_goes_out_proves_a_split_view_to_a_stranger) {
  const crypto::PrivateKey key = new_key();
  const auto small = make_log(key, 300, 299);
  const auto large = make_log(key, 700);
  const auto copy = read_other_copy(small);
  ASSERT_TRUE(copy.has_value()) << sentence(copy.error());
  EXPECT_EQ(copy->note, small->note());
  const auto found = compare_logs(large, vkey_of(key), copy->note, copy->source);
  ASSERT_TRUE(found.has_value()) << sentence(found.error());
  std::map<std::string, std::string> files;
  for (EvidenceFile& file : evidence_of(*found)) files[file.name] = std::move(file.content);
  ASSERT_EQ(files.size(), 4U);
  EXPECT_EQ(files["checkpoint.ours"], large->note());
  EXPECT_EQ(files["checkpoint.other"], small->note());
  // From the texts alone.
  std::vector<Digest> proof;
  for (std::string_view rest = files["consistency-proof"]; !rest.empty();
       rest.remove_prefix(rest.find('\n') + 1)) {
    const auto hash = from_base64(rest.substr(0, rest.find('\n')));
    ASSERT_TRUE(hash && hash->size() == sizeof(Digest));
    std::copy(hash->begin(), hash->end(), proof.emplace_back().bytes.begin());
  }
  const auto root_then =
      digest_from_hex(std::string_view{files["root-then"]}.substr(0, 2 * sizeof(Digest)));
  ASSERT_TRUE(root_then.has_value());
  EXPECT_TRUE(
      merkle::verify_consistency(300, 700, *root_then, found->ours.root, proof).has_value());
  EXPECT_NE(*root_then, found->other.root);

  const auto same_size = compare_logs(make_log(key, 300), vkey_of(key), small->note(), nullptr);
  ASSERT_TRUE(same_size.has_value());
  EXPECT_EQ(evidence_of(*same_size).size(), 2U) << "the notes say it all";
}

TEST(CompareLogs, a_copy_without_a_checkpoint_is_no_copy) {
  const ScratchFolder empty;
  const auto copy = read_other_copy(std::make_shared<DirectoryStore>(empty.path()));
  ASSERT_FALSE(copy.has_value());
  EXPECT_EQ(copy.error().where.file, (empty.path() / "checkpoint").string());
}

}  // namespace
}  // namespace fiducia::ledger::test
