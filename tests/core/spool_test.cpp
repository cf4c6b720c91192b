// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <unistd.h>

#include <array>
#include <thread>

#include "core/core.h"
#include "core/descriptor.h"
#include "support/support.h"

namespace fiducia {
namespace {

constexpr std::size_t block = 1 << 20;

/// What spool() makes of `content` that comes through a pipe, a piece at a time.
Result<MappedFile> spool_pipe(ByteView content, std::uint64_t bytes_max,
                              const std::filesystem::path& folder) {
  std::array<int, 2> ends{};
  EXPECT_EQ(::pipe(ends.data()), 0);
  const Descriptor in{ends[0]};
  std::thread writer([&content, out = Descriptor{ends[1]}] {
    while (!content.empty()) {  // the reader may stop before the end, when it has seen too much
      const std::size_t piece = std::min<std::size_t>(content.size(), 10'007);
      EXPECT_EQ(write_all(out.value(), content.first(piece)), 0);
      content = content.subspan(piece);
    }
  });
  auto spooled = MappedFile::spool(in.value(), bytes_max, "-", folder);
  std::array<char, 4096> rest{};
  while (::read(in.value(), rest.data(), rest.size()) > 0) {
  }
  writer.join();
  return spooled;
}

TEST(Spool, keeps_every_byte_of_a_stream_of_any_length_up_to_its_limit) {
  const test::ScratchFolder folder;
  std::mt19937_64 prng{test::seed()};
  for (const std::size_t length :
       {std::size_t{0}, std::size_t{1}, block - 1, block, block + 1, 2 * block, 3 * block + 17}) {
    SCOPED_TRACE(length);
    const Bytes content = test::random_bytes(prng, length);
    for (const std::size_t bytes_max : {length, length + 1}) {
      const auto spooled = spool_pipe(content, bytes_max, folder.path());
      ASSERT_TRUE(spooled.has_value()) << spooled.error().what;
      EXPECT_TRUE(std::ranges::equal(spooled->bytes(), content));
      spooled->release(spooled->bytes());  // it comes back from the file
      EXPECT_TRUE(std::ranges::equal(spooled->bytes(), content));
    }
    if (length == 0) continue;
    const auto refused = spool_pipe(content, length - 1, folder.path());
    ASSERT_FALSE(refused.has_value());
    EXPECT_EQ(refused.error().code, ErrorCode::over_limit);
    EXPECT_TRUE(std::filesystem::is_empty(folder.path())) << "it leaves no name behind";
  }
}

TEST(Spool, says_which_folder_has_no_room) {
  const test::ScratchFolder folder;
  const auto missing = folder.path() / "missing";
  std::mt19937_64 prng{test::seed()};
  const Bytes content = test::random_bytes(prng, 2 * block);
  const auto refused = spool_pipe(content, content.size(), missing);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, ErrorCode::io_unwritable);
  EXPECT_EQ(refused.error().where.file, missing.string());
  EXPECT_NE(refused.error().remedy.find("TMPDIR"), std::string::npos);
  // What fits into the first block needs no folder.
  EXPECT_TRUE(spool_pipe(ByteView{content}.first(1000), content.size(), missing).has_value());
}

TEST(Spool, goes_where_TMPDIR_says) {
  const char* named = std::getenv("TMPDIR");
  const std::string before = named == nullptr ? "" : named;
  ::setenv("TMPDIR", "/somewhere", 1);
  EXPECT_EQ(spool_folder(), "/somewhere");
  ::unsetenv("TMPDIR");
  EXPECT_EQ(spool_folder(), ::access("/var/tmp", W_OK) == 0 ? "/var/tmp" : "/tmp");
  if (named != nullptr) ::setenv("TMPDIR", before.c_str(), 1);
}

}  // namespace
}  // namespace fiducia
