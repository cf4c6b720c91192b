// SPDX-License-Identifier: Apache-2.0
#include "ledger_net/gzip.h"

#include <gtest/gtest.h>

#include <random>

#include "support/support.h"

namespace fiducia::ledger_net {
namespace {

TEST(Gzip, gives_back_what_it_packed) {
  const std::uint64_t seed = fiducia::test::seed();
  SCOPED_TRACE("FIDUCIA_SEED=" + std::to_string(seed));
  std::mt19937_64 prng{seed};
  for (int i = 0; i < 50; ++i) {
    const Bytes plain = fiducia::test::random_bytes(prng, prng() % 100'000);
    const auto again = gunzip(gzip(plain), plain.size());
    ASSERT_TRUE(again);
    EXPECT_EQ(*again, plain);
  }
}

TEST(Gunzip, yields_no_more_than_allowed) {
  const Bytes packed = gzip(Bytes(10 << 20));
  ASSERT_LT(packed.size(), 20'000U) << "a bomb";
  EXPECT_TRUE(gunzip(packed, 10 << 20));
  const auto over = gunzip(packed, (10 << 20) - 1);
  ASSERT_FALSE(over);
  EXPECT_EQ(over.error().code, ErrorCode::over_limit);
  EXPECT_TRUE(gunzip(gzip({}), 0));
  EXPECT_FALSE(gunzip(gzip(Bytes(1)), 0));
}

TEST(Gunzip, refuses_every_cut_and_every_flipped_bit_that_matters) {
  Bytes plain;
  for (int i = 0; i < 40; ++i) append(plain, as_bytes("entry " + std::to_string(i)));
  const Bytes packed = gzip(plain);
  for (std::size_t length = 0; length < packed.size(); ++length)
    EXPECT_FALSE(gunzip(ByteView{packed}.first(length), 10'000)) << length;
  for (std::size_t i = 0; i < packed.size() * 8; ++i) {
    Bytes bent = packed;
    bent[i / 8] ^= std::byte{1} << (i % 8);
    const auto read = gunzip(bent, 10'000);
    if (!read) continue;
    EXPECT_EQ(*read, plain) << "bit " << i << " (time, system and such)";
  }
  Bytes longer = packed;
  longer.push_back({});
  EXPECT_FALSE(gunzip(longer, 10'000));
  EXPECT_FALSE(gunzip(as_bytes("plain text"), 10'000));
}

TEST(AcceptEncoding, is_read_as_rfc_9110_says) {
  for (const char* yes : {"gzip", "gzip, identity", "identity, GZIP", "*", "br;q=1, gzip;q=0.1",
                          "x-gzip", " gzip ;q=1", "gzip;q=0.001"})
    EXPECT_TRUE(accepts_gzip(yes)) << yes;
  for (const char* no : {"", "identity", "br", "gzip;q=0", "gzip; q=0.000", "*;q=0", "gzip;Q=0, *",
                         "gzipped", ",,;", "identity;gzip"})
    EXPECT_FALSE(accepts_gzip(no)) << no;
}

}  // namespace
}  // namespace fiducia::ledger_net
