// SPDX-License-Identifier: Apache-2.0
#include "deflate/deflate.h"

#include <gtest/gtest.h>
#include <zlib.h>

#include "support/support.h"

namespace fiducia::deflate {
namespace {

constexpr Form forms[] = {Form::raw, Form::zlib, Form::gzip};

/// Bytes that deflate well, with noise in them.
Bytes compressible(std::mt19937_64& prng, std::size_t count) {
  Bytes out;
  while (out.size() < count) {
    if (prng() % 2 == 0)
      out.insert(out.end(), 1 + prng() % 300, static_cast<std::byte>(prng()));
    else
      append(out, test::random_bytes(prng, 1 + prng() % 50));
  }
  out.resize(count);
  return out;
}

TEST(Deflate, comes_back_in_each_form_however_it_is_cut) {
  const std::uint64_t seed = test::seed();
  SCOPED_TRACE("rerun with FIDUCIA_SEED=" + std::to_string(seed));
  std::mt19937_64 prng{seed};
  for (int round = 0; round < test::draws(20); ++round) {
    const Bytes plain = compressible(prng, prng() % 200'000);
    for (const Form form : forms) {
      const Bytes packed = deflate(plain, form);
      const std::size_t cut = plain.empty() ? 0 : prng() % plain.size();
      const ByteView halves[] = {ByteView{plain}.first(cut), {}, ByteView{plain}.subspan(cut)};
      EXPECT_EQ(deflate(halves, form), packed);
      for (const std::uint64_t expected : {std::uint64_t{0}, std::uint64_t{1},
                                           std::uint64_t{plain.size()}, std::uint64_t{1} << 40}) {
        const auto back =
            inflate(packed, {.form = form, .bytes_max = 200'000, .bytes_expected = expected});
        ASSERT_TRUE(back.has_value()) << to_sentence(back.error());
        EXPECT_EQ(back->bytes, plain);
        EXPECT_EQ(back->bytes_after, 0U);
      }
    }
  }
}

TEST(Deflate, lets_as_much_through_as_is_allowed_and_not_a_byte_more) {
  for (const std::size_t size : {0U, 1U, 65'535U, 65'536U, 65'537U, 20'000'000U}) {
    const Bytes plain(size);
    for (const Form form : forms) {
      const Bytes packed = deflate(plain, form);
      for (const std::uint64_t expected : {std::uint64_t{0}, std::uint64_t{size}}) {
        const auto all =
            inflate(packed, {.form = form, .bytes_max = size, .bytes_expected = expected});
        ASSERT_TRUE(all.has_value()) << size << to_sentence(all.error());
        EXPECT_EQ(all->bytes.size(), size);
        if (size == 0) continue;
        const auto over = inflate(
            packed, {.form = form, .bytes_max = size - 1, .bytes_expected = expected, .origin = 7});
        ASSERT_FALSE(over.has_value()) << size;
        EXPECT_EQ(over.error().code, ErrorCode::over_limit);
        EXPECT_EQ(over.error().where.offset, 7U);
      }
    }
  }
}

TEST(Deflate, takes_no_memory_for_what_a_bomb_claims) {
  const Bytes packed = deflate(Bytes(40U << 20), Form::raw);
  EXPECT_LT(packed.size(), 200'000U);
  const auto bomb = inflate(packed, {.form = Form::raw, .bytes_max = 1'000});
  ASSERT_FALSE(bomb.has_value());
  EXPECT_EQ(bomb.error().code, ErrorCode::over_limit);
}

TEST(Deflate, refuses_streams_that_are_cut_or_bent) {
  std::mt19937_64 prng{2};
  const Bytes plain = compressible(prng, 3'000);
  for (const Form form : forms) {
    const Bytes packed = deflate(plain, form);
    for (std::size_t length = 0; length < packed.size(); ++length) {
      const auto cut = inflate(ByteView{packed}.first(length),
                               {.form = form, .bytes_max = 10'000, .origin = 100});
      ASSERT_FALSE(cut.has_value()) << length;
      EXPECT_EQ(cut.error().code, ErrorCode::truncated) << length;
      EXPECT_EQ(cut.error().where.offset, 100 + length);
    }
    for (std::size_t at = 0; at < packed.size(); ++at) {
      Bytes bent = packed;
      bent[at] ^= std::byte{0x40};
      const auto read = inflate(bent, {.form = form, .bytes_max = 10'000});
      if (read) {
        EXPECT_LE(read->bytes.size(), 10'000U);
      } else if (read.error().code == ErrorCode::malformed) {
        EXPECT_EQ(code_word(read.error()),
                  form == Form::gzip ? "malformed.gzip" : "malformed.deflate");
      }
      // Adler-32 and the check of its header: no bent byte of this form passes unseen.
      if (read && form == Form::zlib) {
        EXPECT_EQ(read->bytes, plain) << at;
      }
    }
  }
}

TEST(Deflate, counts_what_follows_the_stream) {
  for (const Form form : forms) {
    Bytes packed = deflate(test::bytes("010203"), form);
    append(packed, test::bytes("00ff00"));
    const auto read = inflate(packed, {.form = form, .bytes_max = 3});
    ASSERT_TRUE(read.has_value());
    EXPECT_EQ(read->bytes_after, 3U);
  }
}

TEST(Deflate, writes_what_zlib_reads_and_counts_as_zlib_does) {
  std::mt19937_64 prng{3};
  const Bytes plain = compressible(prng, 50'000);
  const Bytes packed = deflate(plain, Form::zlib);
  Bytes back(plain.size());
  uLongf length = back.size();
  ASSERT_EQ(uncompress(reinterpret_cast<Bytef*>(back.data()), &length,
                       reinterpret_cast<const Bytef*>(packed.data()), packed.size()),
            Z_OK);
  EXPECT_EQ(length, plain.size());
  EXPECT_EQ(back, plain);
  EXPECT_EQ(crc_32(as_bytes("123456789")), 0xCBF43926U);  // the check value of this CRC
  EXPECT_EQ(crc_32({}), 0U);
}

}  // namespace
}  // namespace fiducia::deflate
