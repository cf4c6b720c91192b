// SPDX-License-Identifier: Apache-2.0
#include "crypto/cbor.h"

#include <gtest/gtest.h>

#include "support/support.h"

namespace fiducia::crypto {
namespace {

using test::bytes;

/// Reads any item and writes it again: bounded recursion of the test's own.
Status copy_item(CborReader& in, CborWriter& out) {
  FIDUCIA_TRY(type, in.peek());
  switch (type) {
    case CborType::uint: {
      FIDUCIA_TRY(value, in.uint());
      out.uint(value);
      return {};
    }
    case CborType::negative: {
      FIDUCIA_TRY(value, in.integer());
      out.integer(value);
      return {};
    }
    case CborType::bytes: {
      FIDUCIA_TRY(value, in.bytes());
      out.bytes_head(value.size());
      out.raw(value);
      return {};
    }
    case CborType::text: {
      FIDUCIA_TRY(value, in.text());
      out.text(value);
      return {};
    }
    case CborType::boolean: {
      FIDUCIA_TRY(value, in.boolean());
      out.boolean(value);
      return {};
    }
    case CborType::null:
      out.null();
      return in.null();
    case CborType::tag: {
      FIDUCIA_TRY(number, in.tag());
      out.tag(number);
      return copy_item(in, out);
    }
    case CborType::array: {
      FIDUCIA_TRY(count, in.array());
      out.array(count);
      for (std::size_t i = 0; i < count; ++i) FIDUCIA_CHECK(copy_item(in, out));
      return {};
    }
    case CborType::map: {
      FIDUCIA_TRY(map, CborMap::open(in));
      std::vector<CborMap::Key> keys;
      std::vector<Bytes> values;
      for (;;) {
        FIDUCIA_TRY(key, map.next());
        if (!key) break;
        FIDUCIA_TRY(value, in.skip());
        keys.push_back(*key);
        values.emplace_back(value.begin(), value.end());
      }
      out.map(keys.size());
      for (std::size_t i = 0; i < keys.size(); ++i) {
        if (keys[i].number) {
          out.integer(*keys[i].number);
        } else {
          out.text(keys[i].text);
        }
        out.raw(values[i]);
      }
      return {};
    }
  }
  std::unreachable();
}

void write_random(CborWriter& out, std::mt19937_64& prng, int depth) {
  switch (prng() % (depth > 0 ? 9 : 6)) {
    case 0:
      return out.uint(test::edge_biased(prng, 24));
    case 1:
      return out.integer(-1 - static_cast<std::int64_t>(test::edge_biased(prng, 256) >> 1));
    case 2:
      return out.bytes(test::random_bytes(prng, prng() % 300));
    case 3:
      return out.text(std::string(prng() % 40, 'x') + "é");
    case 4:
      return out.boolean(prng() % 2 == 0);
    case 5:
      return out.null();
    case 6:
      out.tag(test::edge_biased(prng, 65536));
      return write_random(out, prng, depth - 1);
    case 7: {
      const std::uint64_t count = prng() % 5;
      out.array(count);
      for (std::uint64_t i = 0; i < count; ++i) write_random(out, prng, depth - 1);
      return;
    }
    default: {
      const int numbers = static_cast<int>(prng() % 4);
      const int negatives = static_cast<int>(prng() % 3);
      const int texts = static_cast<int>(prng() % 3);
      out.map(static_cast<std::uint64_t>(numbers + negatives + texts));
      for (int i = 0; i < numbers; ++i) {
        out.integer(i * 200);
        write_random(out, prng, depth - 1);
      }
      for (int i = 0; i < negatives; ++i) {
        out.integer(-1 - i * 30);
        write_random(out, prng, depth - 1);
      }
      for (int i = 0; i < texts; ++i) {
        out.text(std::string(static_cast<std::size_t>(i), 'b') + "a");
        write_random(out, prng, depth - 1);
      }
    }
  }
}

bool skips(std::string_view hex, CborOrder order = CborOrder::deterministic) {
  const Bytes input = bytes(hex);
  CborReader reader(input, order);
  return reader.skip().has_value() && reader.finish().has_value();
}

TEST(CborWriter, WritesTheExamplesOfRfc8949AppendixA) {
  const auto encoded = [](auto write) {
    CborWriter out;
    write(out);
    return to_hex(out.take());
  };
  const auto uint = [&](std::uint64_t v) { return encoded([&](CborWriter& w) { w.uint(v); }); };
  EXPECT_EQ(uint(0), "00");
  EXPECT_EQ(uint(23), "17");
  EXPECT_EQ(uint(24), "1818");
  EXPECT_EQ(uint(255), "18ff");
  EXPECT_EQ(uint(256), "190100");
  EXPECT_EQ(uint(1'000'000), "1a000f4240");
  EXPECT_EQ(uint(1'000'000'000'000), "1b000000e8d4a51000");
  EXPECT_EQ(uint(~std::uint64_t{0}), "1bffffffffffffffff");
  const auto integer = [&](std::int64_t v) {
    return encoded([&](CborWriter& w) { w.integer(v); });
  };
  EXPECT_EQ(integer(-1), "20");
  EXPECT_EQ(integer(-100), "3863");
  EXPECT_EQ(integer(-1000), "3903e7");
  EXPECT_EQ(integer(std::numeric_limits<std::int64_t>::min()), "3b7fffffffffffffff");
  EXPECT_EQ(encoded([](CborWriter& w) { w.bytes(bytes("01020304")); }), "4401020304");
  EXPECT_EQ(encoded([](CborWriter& w) { w.text("\u00fc"); }), "62c3bc");
  EXPECT_EQ(encoded([](CborWriter& w) { w.boolean(true); }), "f5");
  EXPECT_EQ(encoded([](CborWriter& w) { w.null(); }), "f6");
  EXPECT_EQ(encoded([](CborWriter& w) {
              w.map(2);
              w.text("a");
              w.uint(1);
              w.text("b");
              w.array(2);
              w.uint(2);
              w.uint(3);
            }),
            "a26161016162820203");
  EXPECT_EQ(encoded([](CborWriter& w) {
              w.tag(1);
              w.uint(1363896240);
            }),
            "c11a514b67b0");
}

TEST(CborWriterDeathTest, AssertsCountsAndOrder) {
  const auto unordered = [] {
    CborWriter out;
    out.map(2);
    out.integer(-1);
    out.null();
    out.integer(5);
    out.null();
  };
  EXPECT_DEATH(unordered(), "");
  const auto twice = [] {
    CborWriter out;
    out.map(2);
    out.uint(5);
    out.array(0);
    out.uint(5);
    out.null();
  };
  EXPECT_DEATH(twice(), "");
  const auto incomplete = [] {
    CborWriter out;
    out.array(2);
    out.null();
    static_cast<void>(out.take());
  };
  EXPECT_DEATH(incomplete(), "");
  const auto short_content = [] {
    CborWriter out;
    out.bytes_head(3);
    out.raw(bytes("0102"));
    static_cast<void>(out.take());
  };
  EXPECT_DEATH(short_content(), "");
}

TEST(CborReader, ReadsBackWhatWasWrittenAndWritesTheSameBytes) {
  const std::uint64_t seed = test::seed();
  SCOPED_TRACE(seed);
  std::mt19937_64 prng(seed);
  for (int round = 0; round < 3000; ++round) {
    CborWriter first;
    write_random(first, prng, 5);
    const Bytes encoded = first.take();
    CborReader reader(encoded);
    CborWriter second;
    const Status copied = copy_item(reader, second);
    ASSERT_TRUE(copied) << to_hex(encoded) << " " << copied.error().what;
    ASSERT_TRUE(reader.finish());
    ASSERT_EQ(to_hex(second.take()), to_hex(encoded));
    CborReader skipping(encoded);
    const auto skipped = skipping.skip();
    ASSERT_TRUE(skipped);
    ASSERT_TRUE(same_bytes(*skipped, encoded));
  }
}

TEST(CborReader, EveryTruncationOfAnItemIsRefusedAndMovesNothing) {
  std::mt19937_64 prng(11);
  for (int round = 0; round < 200; ++round) {
    CborWriter out;
    write_random(out, prng, 4);
    const Bytes encoded = out.take();
    for (std::size_t length = 0; length < encoded.size(); ++length) {
      CborReader reader(ByteView(encoded).first(length));
      ASSERT_FALSE(reader.skip()) << to_hex(encoded) << " cut at " << length;
      ASSERT_EQ(reader.offset(), 0U);
    }
  }
}

TEST(CborReader, RandomBytesNeverCrashAndWhatIsAcceptedIsTheOnlySpelling) {
  const std::uint64_t seed = test::seed();
  SCOPED_TRACE(seed);
  std::mt19937_64 prng(seed);
  for (int round = 0, last = fiducia::test::draws(200'000); round < last; ++round) {
    const Bytes input = test::random_bytes(prng, prng() % 24);
    for (const CborOrder order : {CborOrder::deterministic, CborOrder::any}) {
      CborReader reader(input, order);
      static_cast<void>(reader.skip());
    }
    CborReader reader(input);
    CborWriter out;
    const auto skipped = CborReader(input).skip();
    if (skipped && copy_item(reader, out)) {
      ASSERT_TRUE(same_bytes(out.take(), *skipped)) << to_hex(input);
    }
  }
}

TEST(CborReader, DeterministicOrderRefusesLongHeadsAndAnyOrderReadsThem) {
  for (const char* hex : {"1817", "190018", "1900ff", "1a0000ffff", "1b00000000ffffffff", "3800",
                          "5800", "7800", "9800", "b800", "d80100"}) {
    EXPECT_FALSE(skips(hex)) << hex;
    EXPECT_TRUE(skips(hex, CborOrder::any)) << hex;
  }
  for (const char* hex : {"17", "1818", "190100", "1a00010000", "1b0000000100000000"}) {
    EXPECT_TRUE(skips(hex)) << hex;
  }
}

TEST(CborReader, NeitherOrderReadsWhatIsOutsideOurSubset) {
  for (const char* hex : {
           "9f00ff",
           "bf0000ff",
           "5f4100ff",
           "7f6161ff",  // indefinite
           "ff",        // a lone break
           "1c",
           "1d",
           "1e",
           "3c",
           "5d",
           "9e",
           "bc",
           "dc",
           "fc",  // reserved
           "f93c00",
           "fa3f800000",
           "fb3ff0000000000000",  // floats
           "f7",
           "e0",
           "f0",
           "f8ff",
           "f820",  // other simple values
           "62c328",
           "61ff",
           "63eda080",  // not UTF-8
           "9b7fffffffffffffff",
           "bb7fffffffffffffff",
           "9affffffff",
           "81",  // counts that lie
           "a10102030405",
           "0000",  // trailing bytes
       }) {
    EXPECT_FALSE(skips(hex)) << hex;
    EXPECT_FALSE(skips(hex, CborOrder::any)) << hex;
  }
}

TEST(CborReader, DepthIsLimitedAndNotByTheStack) {
  const auto nested = [](std::size_t depth, std::uint8_t head) {
    Bytes out(depth, std::byte{head});
    if (head == 0xa1) {
      out.clear();
      for (std::size_t i = 0; i < depth; ++i) append(out, bytes("a100"));
    }
    out.push_back(std::byte{0});
    return out;
  };
  for (const std::uint8_t head : std::initializer_list<std::uint8_t>{0x81, 0xa1, 0xc1}) {
    const Bytes fits = nested(limits::cbor_depth_max, head);
    EXPECT_TRUE(CborReader(fits).skip()) << int{head};
    for (const std::size_t depth :
         {std::size_t{limits::cbor_depth_max} + 1, std::size_t{1000000}}) {
      const Bytes deep = nested(depth, head);
      EXPECT_FALSE(CborReader(deep).skip()) << int{head} << " x " << depth;
      EXPECT_FALSE(CborReader(deep, CborOrder::any).skip()) << int{head} << " x " << depth;
    }
  }
}

TEST(CborReader, IntegersOutOfRangeAreRefused) {
  const Bytes least = bytes("3b7fffffffffffffff");
  EXPECT_EQ(CborReader(least).integer().value(), std::numeric_limits<std::int64_t>::min());
  EXPECT_FALSE(CborReader(bytes("3b8000000000000000")).integer());
  EXPECT_FALSE(CborReader(bytes("1b8000000000000000")).integer());
  EXPECT_FALSE(CborReader(bytes("20")).uint());
  EXPECT_EQ(CborReader(bytes("1bffffffffffffffff")).uint().value(), ~std::uint64_t{0});
}

TEST(CborReader, AskingForAnotherTypeFailsAndMovesNothing) {
  const Bytes input = bytes("f5");
  CborReader reader(input);
  EXPECT_FALSE(reader.uint());
  EXPECT_FALSE(reader.bytes());
  EXPECT_FALSE(reader.text());
  EXPECT_FALSE(reader.array());
  EXPECT_FALSE(reader.map());
  EXPECT_FALSE(reader.tag());
  EXPECT_FALSE(reader.null());
  EXPECT_EQ(reader.offset(), 0U);
  EXPECT_TRUE(reader.boolean().value());
  EXPECT_TRUE(reader.at_end());
}

/// Walks a map of small values; whether every key and value was read.
bool walks(std::string_view hex, CborOrder order) {
  const Bytes input = bytes(hex);
  CborReader reader(input, order);
  auto map = CborMap::open(reader);
  if (!map) return false;
  for (;;) {
    const auto key = map->next();
    if (!key) return false;
    if (!*key) return reader.finish().has_value();
    if (!reader.skip()) return false;
  }
}

TEST(CborMap, OrderCountsWhenDeterministicAndDuplicatesAlways) {
  EXPECT_TRUE(walks("a301f620f66161f6", CborOrder::deterministic));
  EXPECT_TRUE(walks("a301f620f66161f6", CborOrder::any));
  EXPECT_FALSE(walks("a220f601f6", CborOrder::deterministic));
  EXPECT_TRUE(walks("a220f601f6", CborOrder::any));
  EXPECT_FALSE(walks("a201f601f6", CborOrder::deterministic));
  EXPECT_FALSE(walks("a201f601f6", CborOrder::any));
  EXPECT_FALSE(walks("a201f61801f6", CborOrder::any)) << "two widths of one number are one key";
  EXPECT_FALSE(walks("a26161f66161f6", CborOrder::any));
  EXPECT_TRUE(walks("a200f660f6", CborOrder::any)) << "0 and the empty text are two keys";
  EXPECT_FALSE(walks("a140f6", CborOrder::any)) << "a byte string is no label";
  EXPECT_FALSE(skips("a201f601f6"));
  EXPECT_FALSE(skips("81a220f601f6")) << "also inside of what is skipped";
  EXPECT_FALSE(skips("a1a220f601f6f6")) << "also in a key";
}

TEST(CborMap, TooManyForeignKeysAreRefused) {
  CborWriter out;
  out.map(limits::cbor_foreign_keys_max + 1);
  for (std::uint64_t i = 0; i <= limits::cbor_foreign_keys_max; ++i) {
    out.uint(i);
    out.null();
  }
  const Bytes encoded = out.take();
  EXPECT_TRUE(walks(to_hex(encoded), CborOrder::deterministic));
  EXPECT_FALSE(walks(to_hex(encoded), CborOrder::any));
}

}  // namespace
}  // namespace fiducia::crypto
