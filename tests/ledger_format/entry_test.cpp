// SPDX-License-Identifier: Apache-2.0
#include "format_support.h"

namespace fiducia::ledger_format::test {
namespace {

Digest filled(unsigned char byte) {
  Digest digest;
  digest.bytes.fill(std::byte{byte});
  return digest;
}

TEST(Entry, has_the_bytes_of_the_specification) {
  const Entry entry{.type = EntryType::seal,
                    .sign1_hash = filled(0x11),
                    .signer_hash = filled(0x22),
                    .claimed_at = UnixTime{1'764'000'000}};
  std::string hex = "8501015820";
  for (int i = 0; i < 32; ++i) hex += "11";
  hex += "5820";
  for (int i = 0; i < 32; ++i) hex += "22";
  hex += "1a69248100";
  EXPECT_EQ(to_hex(write_entry(entry)), hex);
}

TEST(Entry, comes_back_from_its_bytes) {
  const std::uint64_t seed = fiducia::test::seed();
  SCOPED_TRACE("rerun with FIDUCIA_SEED=" + std::to_string(seed));
  std::mt19937_64 prng{seed};
  for (int i = 0; i < 1000; ++i) {
    Entry entry{.type = static_cast<EntryType>(edge_biased(prng, 256) % 65'536),
                .sign1_hash = {},
                .signer_hash = filled(static_cast<unsigned char>(prng())),
                .claimed_at = UnixTime{static_cast<std::int64_t>(edge_biased(prng, 256))}};
    if (entry.type != EntryType::genesis)
      entry.sign1_hash = filled(static_cast<unsigned char>(prng()));
    const auto read = read_entry(write_entry(entry));
    ASSERT_TRUE(read.has_value()) << sentence(read.error());
    EXPECT_EQ(read->type, entry.type);
    EXPECT_EQ(read->sign1_hash, entry.sign1_hash);
    EXPECT_EQ(read->signer_hash, entry.signer_hash);
    EXPECT_EQ(read->claimed_at, entry.claimed_at);
  }
}

TEST(Entry, refuses_what_is_not_the_one_encoding) {
  std::string hash11;
  std::string hash00;
  for (int i = 0; i < 32; ++i) hash11 += "11", hash00 += "00";
  const std::string good =
      "85"
      "01"
      "01"
      "5820" +
      hash11 + "5820" + hash11 + "00";
  ASSERT_TRUE(read_entry(bytes(good)).has_value());
  struct Row {
    const char* name;
    std::string hex;
  };
  for (const Row& row :
       {Row{"empty", ""},
        Row{"four parts",
            "84"
            "01"
            "01"
            "5820" +
                hash11 + "5820" + hash11},
        Row{"six parts",
            "86"
            "01"
            "01"
            "5820" +
                hash11 + "5820" + hash11 +
                "00"
                "00"},
        Row{"version 2",
            "85"
            "02"
            "01"
            "5820" +
                hash11 + "5820" + hash11 + "00"},
        Row{"type 65536",
            "85"
            "01"
            "1a00010000"
            "5820" +
                hash11 + "5820" + hash11 + "00"},
        Row{"negative type",
            "85"
            "01"
            "20"
            "5820" +
                hash11 + "5820" + hash11 + "00"},
        Row{"short hash",
            "85"
            "01"
            "01"
            "581f" +
                hash11.substr(2) + "5820" + hash11 + "00"},
        Row{"text for hash",
            "85"
            "01"
            "01"
            "7820" +
                hash11 + "5820" + hash11 + "00"},
        Row{"time as text",
            "85"
            "01"
            "01"
            "5820" +
                hash11 + "5820" + hash11 + "60"},
        Row{"long head",
            "85"
            "01"
            "01"
            "590020" +
                hash11 + "5820" + hash11 + "00"},
        Row{"long time",
            "85"
            "01"
            "01"
            "5820" +
                hash11 + "5820" + hash11 + "1800"},
        Row{"trailing byte", good + "00"}, Row{"cut", good.substr(0, good.size() - 2)},
        Row{"genesis with a statement",
            "85"
            "01"
            "00"
            "5820" +
                hash11 + "5820" + hash11 + "00"},
        Row{"indefinite array",
            "9f"
            "01"
            "01"
            "5820" +
                hash11 + "5820" + hash11 +
                "00"
                "ff"}}) {
    SCOPED_TRACE(row.name);
    const auto read = read_entry(bytes(row.hex));
    ASSERT_FALSE(read.has_value());
    EXPECT_EQ(code_word(read.error()), "malformed.entry");
  }
  EXPECT_TRUE(read_entry(bytes("85"
                               "01"
                               "00"
                               "5820" +
                               hash00 + "5820" + hash11 + "00"))
                  .has_value());
}

TEST(Entry, of_any_number_is_taken_and_called_by_it) {
  for (const unsigned number : {2U, 5U, 6U, 77U, 255U, 256U, 65'535U}) {
    const Entry entry{.type = static_cast<EntryType>(number),
                      .sign1_hash = filled(0x11),
                      .signer_hash = filled(0x22),
                      .claimed_at = UnixTime{1}};
    const auto read = read_entry(write_entry(entry));
    ASSERT_TRUE(read.has_value()) << number;
    EXPECT_EQ(read->type, entry.type);
    EXPECT_EQ(to_word(read->type) == "type " + std::to_string(number), number > 5) << number;
  }
}

TEST(Entry, types_are_those_of_the_specification) {
  const auto text = read_file(source("spec/ledger.md"), 1 << 20);
  ASSERT_TRUE(text.has_value());
  std::string line = "type  = ";
  for (const EntryType type : known_entry_types)
    line += std::to_string(std::to_underlying(type)) + " " + to_word(type) + " / ";
  EXPECT_NE(as_text(*text).find("\n" + line + "6..65535\n"), std::string_view::npos) << line;
}

}  // namespace
}  // namespace fiducia::ledger_format::test
