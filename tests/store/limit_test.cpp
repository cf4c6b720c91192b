// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "store/any_store.h"
#include "support/support.h"

namespace fiducia::store {
namespace {

TEST(StoreLimit, of_what_is_held_while_a_store_is_read_holds) {
  const test::ScratchFolder folder;
  const auto path = folder.path() / "evidence.db";
  // With hashes and sketch each is a little more than an eighth of what is held.
  constexpr std::size_t evidence_bytes = limits::store_pass_bytes_max / 8;
  {
    auto store = open_sqlite(path, suite::key);
    ASSERT_TRUE(store.has_value());
    for (std::uint64_t i = 0; i < 9; ++i)
      ASSERT_TRUE((*store)->put(std::vector{suite::record_of(i, evidence_bytes)}).has_value());
  }
  std::vector<std::size_t> parts;
  std::uint64_t damaged = 0;
  const Status read = read_sqlite(
      path, suite::key, damaged,
      [&](std::span<const StoredRecord> records, std::uint64_t total) -> Status {
        EXPECT_EQ(total, 9U);
        parts.push_back(records.size());
        std::size_t bytes = 0;
        for (const StoredRecord& record : records.first(records.size() - 1))
          bytes += record.evidence.size();
        EXPECT_LT(bytes, limits::store_pass_bytes_max) << "one more only where there is room";
        return {};
      });
  ASSERT_TRUE(read.has_value()) << to_sentence(read.error());
  EXPECT_EQ(parts, (std::vector<std::size_t>{8, 1}));
  EXPECT_EQ(damaged, 0U);
}

}  // namespace
}  // namespace fiducia::store
