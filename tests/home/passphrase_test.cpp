// SPDX-License-Identifier: Apache-2.0
#include "home/passphrase.h"

#include <gtest/gtest.h>

#include "support/support.h"

namespace fiducia::home {
namespace {

TEST(PassPhrase, has_so_many_bytes_at_most) {
  const test::ScratchFolder folder;
  const auto file = folder.path() / "passphrase";
  const auto read_of = [&](std::size_t bytes, const char* end) {
    EXPECT_TRUE(durable_write(file, as_bytes(std::string(bytes, 'p') + end)).has_value());
    std::filesystem::permissions(
        file, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
    return read_passphrase(file.string());
  };
  const auto longest = read_of(limits::passphrase_bytes_max, "\n");
  ASSERT_TRUE(longest.has_value()) << to_sentence(longest.error());
  EXPECT_EQ(longest->size(), limits::passphrase_bytes_max);
  for (const std::size_t bytes : {limits::passphrase_bytes_max + 1, std::size_t{0}})
    for (const char* end : {"", "\n"}) {
      const auto refused = read_of(bytes, end);
      ASSERT_FALSE(refused.has_value());
      EXPECT_EQ(refused.error().code, ErrorCode::config_invalid);
    }
}

}  // namespace
}  // namespace fiducia::home
