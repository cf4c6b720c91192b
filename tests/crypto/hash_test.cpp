// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "crypto/crypto.h"
#include "support/support.h"

namespace fiducia::crypto {
namespace {

using test::random_bytes;

/// The slow reference: OpenSSL, one message at a time.
Digest reference(ByteView message) {
  Digest out;
  unsigned length = 0;
  FIDUCIA_ASSERT(EVP_Digest(message.data(), message.size(),
                            reinterpret_cast<unsigned char*>(out.bytes.data()), &length,
                            EVP_sha256(), nullptr) == 1);
  return out;
}

/// Runs a test on each backend that this processor has.
class Hash : public testing::TestWithParam<HashBackend> {
 protected:
  void SetUp() override {
    before_ = hash_backend();
    if (!use_hash_backend(GetParam())) GTEST_SKIP() << "no such instructions here";
    ASSERT_EQ(hash_backend(), GetParam());
  }
  void TearDown() override { ASSERT_TRUE(use_hash_backend(before_)); }

 private:
  HashBackend before_ = HashBackend::openssl;
};
INSTANTIATE_TEST_SUITE_P(Backends, Hash,
                         testing::Values(HashBackend::openssl, HashBackend::avx2,
                                         HashBackend::sha_ni, HashBackend::avx512),
                         [](const auto& param_info) -> std::string {
                           switch (param_info.param) {
                             case HashBackend::openssl:
                               return "openssl";
                             case HashBackend::avx2:
                               return "avx2";
                             case HashBackend::sha_ni:
                               return "sha_ni";
                             case HashBackend::avx512:
                               return "avx512";
                           }
                           return "unknown";
                         });

TEST_P(Hash, OneMessageHashesAsFips180Says) {
  EXPECT_EQ(to_hex(sha256(as_bytes("abc")).view()),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(to_hex(sha256(ByteView()).view()),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(
      to_hex(sha256(as_bytes("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq")).view()),
      "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  const Bytes million(1'000'000, std::byte{'a'});
  EXPECT_EQ(to_hex(sha256(million).view()),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST_P(Hash, EveryLengthAndAlignmentHashesAsTheReference) {
  std::mt19937_64 prng(1);
  const Bytes pool = random_bytes(prng, 700);
  for (std::size_t length = 0; length <= 600; ++length) {
    for (std::size_t offset = 0; offset < 64; offset += length < 140 ? 1 : 13) {
      const ByteView message = ByteView(pool).subspan(offset, length);
      ASSERT_EQ(sha256(message), reference(message)) << length << " at " << offset;
    }
  }
}

TEST_P(Hash, PiecesHashAsTheWhole) {
  const std::uint64_t seed = test::seed();
  SCOPED_TRACE(seed);
  std::mt19937_64 prng(seed);
  Sha256 reused;
  for (int round = 0; round < 500; ++round) {
    const Bytes message = random_bytes(prng, prng() % 700);
    std::vector<ByteView> parts;
    for (ByteView rest = message; !rest.empty();) {
      const std::size_t taken = std::min<std::size_t>(rest.size(), prng() % 150);
      parts.push_back(rest.first(taken));
      reused.update(rest.first(taken));
      rest = rest.subspan(taken);
    }
    ASSERT_EQ(sha256(parts), reference(message));
    ASSERT_EQ(reused.finish(), reference(message)) << "finish must start anew";
  }
}

TEST_P(Hash, ManyMessagesHashAsEachAlone) {
  const std::uint64_t seed = test::seed();
  SCOPED_TRACE(seed);
  std::mt19937_64 prng(seed);
  // Every pair of lengths around the block borders, then random mixtures.
  const Bytes pool = random_bytes(prng, 2000);
  for (std::size_t a = 0; a <= 600; a += a < 200 ? 1 : 7) {
    for (const std::size_t b :
         std::initializer_list<std::size_t>{0, 1, 55, 56, 63, 64, 65, 119, 120, 128, 600}) {
      const std::array<ByteView, 2> messages{ByteView(pool).first(a), ByteView(pool).subspan(3, b)};
      std::array<Digest, 2> out;
      sha256_many(messages, out);
      ASSERT_EQ(out[0], reference(messages[0])) << a << ", " << b;
      ASSERT_EQ(out[1], reference(messages[1])) << a << ", " << b;
    }
  }
  for (int round = 0; round < 200; ++round) {
    std::vector<ByteView> messages(prng() % 70);
    const std::size_t longest = std::array{70U, 200U, 1500U}[prng() % 3];
    for (ByteView& m : messages) m = ByteView(pool).subspan(prng() % 64, prng() % longest);
    std::vector<Digest> out(messages.size());
    sha256_many(messages, out);
    for (std::size_t i = 0; i < out.size(); ++i) ASSERT_EQ(out[i], reference(messages[i])) << i;
  }
}

/// Enough of one length to fill lanes side by side, for every length and every filling.
TEST_P(Hash, AnyNumberOfMessagesOfOneLengthHashAsEachAlone) {
  std::mt19937_64 prng(11);
  const Bytes pool = random_bytes(prng, 1300);
  for (std::size_t length = 0; length <= 1100; ++length) {
    const std::size_t count = 1 + length % 35;
    std::vector<ByteView> messages(count);
    for (ByteView& m : messages) m = ByteView(pool).subspan(prng() % 200, length);
    std::vector<Digest> out(count);
    sha256_many(messages, out);
    for (std::size_t i = 0; i < count; ++i)
      ASSERT_EQ(out[i], reference(messages[i])) << length << ", " << i << " of " << count;
  }
}

Bytes flat(const TileMessage& tile) {
  Bytes out(tile.head.begin(), tile.head.end());
  for (std::size_t row = 0; row < tile.rows; ++row) {
    append(out, {tile.first_row + row * tile.stride_bytes, tile.row_bytes});
  }
  return out;
}

/// The tiles of 64 x 64 pixels of a frame, edge tiles smaller.
std::vector<TileMessage> cut(const Bytes& frame, std::size_t width, std::size_t height,
                             std::size_t pixel_bytes, std::mt19937_64& prng) {
  std::vector<TileMessage> tiles;
  for (std::size_t y = 0; y < height; y += 64) {
    for (std::size_t x = 0; x < width; x += 64) {
      TileMessage tile;
      for (std::byte& b : tile.head) b = static_cast<std::byte>(prng());
      tile.first_row = frame.data() + (y * width + x) * pixel_bytes;
      tile.row_bytes = std::min<std::size_t>(64, width - x) * pixel_bytes;
      tile.stride_bytes = width * pixel_bytes;
      tile.rows = std::min<std::size_t>(64, height - y);
      tiles.push_back(tile);
    }
  }
  return tiles;
}

TEST_P(Hash, TilesOfAnyFrameHashAsTheirBytesInARow) {
  const std::uint64_t seed = test::seed();
  SCOPED_TRACE(seed);
  std::mt19937_64 prng(seed);
  for (int round = 0; round < 60; ++round) {
    const std::size_t pixel_bytes = std::array<std::size_t, 6>{1, 2, 3, 4, 6, 8}[prng() % 6];
    const std::size_t width = round == 0 ? 512 : 1 + prng() % 300;
    const std::size_t height = round == 0 ? 512 : 1 + prng() % 300;
    SCOPED_TRACE(testing::Message() << width << " x " << height << " x " << pixel_bytes);
    const Bytes frame = random_bytes(prng, width * height * pixel_bytes);
    const auto tiles = cut(frame, width, height, pixel_bytes, prng);
    std::vector<Digest> out(tiles.size());
    sha256_tiles(tiles, out);
    for (std::size_t i = 0; i < out.size(); ++i) ASSERT_EQ(out[i], reference(flat(tiles[i]))) << i;
  }
}

TEST_P(Hash, TilesOfManyShapesInOneCallHashAsTheirBytesInARow) {
  const std::uint64_t seed = test::seed();
  SCOPED_TRACE(seed);
  std::mt19937_64 prng(seed);
  const Bytes pool = random_bytes(prng, 1 << 20);
  for (int round = 0; round < 40; ++round) {
    std::vector<TileMessage> tiles(prng() % 400);
    for (TileMessage& tile : tiles) {
      for (std::byte& b : tile.head) b = static_cast<std::byte>(prng());
      tile.row_bytes = std::array<std::size_t, 7>{0, 1, 63, 64, 100, 128, 2048}[prng() % 7];
      tile.rows = std::array<std::size_t, 5>{0, 1, 2, 40, 64}[prng() % 5];
      tile.stride_bytes = tile.row_bytes + prng() % 200;
      tile.first_row = pool.data() + prng() % 1000;
    }
    std::vector<Digest> out(tiles.size());
    sha256_tiles(tiles, out);
    for (std::size_t i = 0; i < out.size(); ++i) ASSERT_EQ(out[i], reference(flat(tiles[i]))) << i;
  }
}

TEST_P(Hash, AnyNumberOfTilesOfOneShapeHashAsTheirBytesInARow) {
  std::mt19937_64 prng(13);
  const Bytes pool = random_bytes(prng, 40'000);
  for (const std::size_t row_bytes : {0U, 5U, 64U, 72U, 128U, 192U, 260U}) {
    for (const std::size_t rows : {0U, 1U, 3U, 64U}) {
      for (std::size_t count = 1; count <= 34; ++count) {
        std::vector<TileMessage> tiles(count);
        for (TileMessage& tile : tiles) {
          for (std::byte& b : tile.head) b = static_cast<std::byte>(prng());
          tile.first_row = pool.data() + prng() % 1000;
          tile.row_bytes = row_bytes;
          tile.stride_bytes = row_bytes + prng() % 300;
          tile.rows = rows;
        }
        std::vector<Digest> out(count);
        sha256_tiles(tiles, out);
        for (std::size_t i = 0; i < count; ++i)
          ASSERT_EQ(out[i], reference(flat(tiles[i])))
              << rows << " x " << row_bytes << ", " << i << " of " << count;
      }
    }
  }
}

TEST_P(Hash, TilesTooLongToGatherHashAsTheirBytesInARow) {
  std::mt19937_64 prng(3);
  const Bytes pool = random_bytes(prng, 300'000);
  std::vector<TileMessage> tiles(3);
  for (TileMessage& tile : tiles) {
    tile.head.fill(std::byte{7});
    tile.first_row = pool.data();
    tile.row_bytes = 1001;
    tile.stride_bytes = 1003;
    tile.rows = 200;
  }
  tiles[1].row_bytes = 1024;  // whole blocks, but nobody of this shape
  tiles[1].stride_bytes = 1024;
  std::vector<Digest> out(tiles.size());
  sha256_tiles(tiles, out);
  for (std::size_t i = 0; i < out.size(); ++i) EXPECT_EQ(out[i], reference(flat(tiles[i]))) << i;
}

TEST_P(Hash, NodePairsHashAsRfc9162NodesEvenInPlace) {
  std::mt19937_64 prng(5);
  for (std::size_t pairs = 0; pairs < 80; ++pairs) {
    std::vector<Digest> nodes(2 * pairs);
    for (Digest& node : nodes) {
      for (std::byte& b : node.bytes) b = static_cast<std::byte>(prng());
    }
    std::vector<Digest> expected;
    for (std::size_t i = 0; i < pairs; ++i) {
      Bytes message{std::byte{1}};
      append(message, nodes[2 * i].view());
      append(message, nodes[2 * i + 1].view());
      expected.push_back(reference(message));
    }
    std::vector<Digest> out(pairs);
    sha256_node_pairs(nodes, out);
    EXPECT_EQ(out, expected);
    sha256_node_pairs(nodes, std::span(nodes).first(pairs));
    nodes.resize(pairs);
    EXPECT_EQ(nodes, expected) << "out may alias the front of nodes";
  }
}

TEST_P(Hash, HmacIsThatOfRfc4231AndOfOpenssl) {
  EXPECT_EQ(to_hex(hmac_sha256(Bytes(20, std::byte{0x0b}), as_bytes("Hi There")).view()),
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
  EXPECT_EQ(to_hex(hmac_sha256(Bytes(131, std::byte{0xaa}),
                               as_bytes("Test Using Larger Than Block-Size Key - Hash Key First"))
                       .view()),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
  std::mt19937_64 prng(7);
  for (std::size_t length = 0; length < 200; ++length) {
    const Bytes key = random_bytes(prng, 1 + length);
    const Bytes message = random_bytes(prng, 3 * length);
    Digest expected;
    unsigned n = 0;
    HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
         reinterpret_cast<const unsigned char*>(message.data()), message.size(),
         reinterpret_cast<unsigned char*>(expected.bytes.data()), &n);
    ASSERT_EQ(hmac_sha256(key, message), expected) << length;
  }
}

TEST(HashBackends, ASwitchInTheMiddleOfAMessageDoesNotSplitIt) {
  const HashBackend before = hash_backend();
  if (!use_hash_backend(HashBackend::sha_ni)) GTEST_SKIP();
  Sha256 hash;
  hash.update(as_bytes("ab"));
  ASSERT_TRUE(use_hash_backend(HashBackend::openssl));
  hash.update(as_bytes("c"));
  EXPECT_EQ(hash.finish(), reference(as_bytes("abc")));
  ASSERT_TRUE(use_hash_backend(before));
}

TEST(Random, TwoDrawsDiffer) {
  Digest a;
  Digest b;
  ASSERT_TRUE(fill_random(a.bytes));
  ASSERT_TRUE(fill_random(b.bytes));
  EXPECT_NE(a, b);
  ASSERT_TRUE(fill_random({}));
  Bytes large(100'000);
  ASSERT_TRUE(fill_random(large));
  EXPECT_NE(load_le<std::uint64_t>(large.data() + large.size() - 8), 0U) << "filled to the end";
}

TEST(ConstantTime, EqualMeansSameBytesAndSameLength) {
  const Bytes a = test::bytes("00112233");
  EXPECT_TRUE(equal_constant_time(a, test::bytes("00112233")));
  EXPECT_TRUE(equal_constant_time({}, {}));
  EXPECT_FALSE(equal_constant_time(a, test::bytes("00112234")));
  EXPECT_FALSE(equal_constant_time(a, test::bytes("80112233")));
  EXPECT_FALSE(equal_constant_time(a, test::bytes("001122")));
}

}  // namespace
}  // namespace fiducia::crypto
