// SPDX-License-Identifier: Apache-2.0
#include "ledger_format/proof.h"

#include "format_support.h"
#include "merkle/merkle.h"
#include "published_vectors.h"

namespace fiducia::ledger_format::test {
namespace {

/// A cosignature line put together here by the letter of tlog-cosignature.
std::string cosignature_line(std::string_view text, const std::string& name,
                             const crypto::PrivateKey& key, UnixTime time) {
  const VerifierKey vkey =
      make_vkey(name, NoteKeyType::cosignature, key.public_key().write_ed25519());
  const std::string message =
      "cosignature/v1\ntime " + std::to_string(time.seconds) + "\n" + std::string{text};
  Bytes bytes;
  append_be(bytes, vkey.key_id);
  append_be(bytes, static_cast<std::uint64_t>(time.seconds));
  append(bytes, key.sign(crypto::SignatureAlgorithm::eddsa, as_bytes(message)).value());
  return std::string{em_dash} + name + " " + to_base64(bytes) + "\n";
}

/// Seven counter leaves, a signed checkpoint, two witnesses.
struct MadeProof {
  crypto::PrivateKey log = new_key();
  crypto::PrivateKey first = new_key();
  crypto::PrivateKey second = new_key();
  std::vector<Digest> leaves;
  std::string text;
  std::string note;
  VerifierKey log_key = vkey_of(log);
  std::vector<VerifierKey> witnesses{
      make_vkey("w1.example", NoteKeyType::cosignature, first.public_key().write_ed25519()),
      make_vkey("w2.example", NoteKeyType::cosignature, second.public_key().write_ed25519())};

  explicit MadeProof(std::uint64_t size = 7) {
    for (std::uint64_t i = 0; i < size; ++i) leaves.push_back(merkle::leaf_hash(counter_entry(i)));
    text = write_checkpoint(
        {.origin = origin, .tree_size = size, .root = merkle::root(leaves), .extensions = {}});
    note = write_note(text, origin, log).value();
  }
  [[nodiscard]] TlogProofDemands demands(std::size_t witnesses_min = 0) const {
    return {.origin = origin,
            .log_keys = std::span{&log_key, 1},
            .witnesses = witnesses,
            .witnesses_min = witnesses_min};
  }
  [[nodiscard]] std::string cosigned_once() const {
    return note + cosignature_line(text, "w1.example", first, noon);
  }
  [[nodiscard]] std::string cosigned_twice() const {
    return cosigned_once() + cosignature_line(text, "w2.example", second, noon);
  }
  [[nodiscard]] std::string proof(std::uint64_t index, std::string_view checkpoint,
                                  std::optional<ByteView> extra = {}) const {
    return write_tlog_proof(index, merkle::inclusion_proof(leaves, index), checkpoint, extra);
  }
  [[nodiscard]] Result<ProvenEntry> verify(const std::string& proof_text, std::uint64_t index,
                                           const TlogProofDemands& wanted) const {
    FIDUCIA_TRY(read, read_tlog_proof(proof_text));
    return verify_tlog_proof(read, leaves.at(index), wanted);
  }
};

TEST(TlogProofReader, judges_the_published_proofs_as_published) {
  int accepted = 0;
  int refused = 0;
  for (const auto& row : read_json("tlog-proofs.json")) {
    SCOPED_TRACE(row["id"].get<std::string>());
    const std::string text = row["proof"];
    const std::string entry = row["entry_ascii"];
    const auto key = read_vkey(row["log_vkey"].get<std::string>()).value();
    const TlogProofDemands demands{.origin = "example.com/log/testdata",
                                   .log_keys = std::span{&key, 1}};
    const auto proof = read_tlog_proof(text);
    const auto proven = proof
                            ? verify_tlog_proof(*proof, merkle::leaf_hash(as_bytes(entry)), demands)
                            : Result<ProvenEntry>{std::unexpected(proof.error())};
    ASSERT_EQ(proven.has_value(), row["accept"].get<bool>())
        << (proven ? "" : sentence(proven.error()));
    ++(proven ? accepted : refused);
    if (!proof) continue;
    EXPECT_EQ(
        write_tlog_proof(proof->index, proof->path, proof->checkpoint,
                         proof->extra ? std::optional<ByteView>{*proof->extra} : std::nullopt),
        text);
  }
  EXPECT_EQ(accepted, 34);
  EXPECT_EQ(refused, 10);
}

TEST(TlogProofReader, hands_out_extra_data_as_they_stand) {
  const MadeProof made;
  const auto without = read_tlog_proof(made.proof(3, made.note)).value();
  EXPECT_FALSE(without.extra.has_value());
  const Bytes extra = bytes("00ff10");
  const std::string with = made.proof(3, made.note, extra);
  EXPECT_TRUE(with.starts_with("c2sp.org/tlog-proof@v1\nextra AP8Q\nindex 3\n"));
  EXPECT_EQ(read_tlog_proof(with).value().extra, extra);
  EXPECT_TRUE(made.verify(with, 3, made.demands()).has_value());
}

TEST(TlogProofReader, names_what_is_wrong) {
  const MadeProof made{2};
  const std::string hash = to_base64(made.leaves[0].view()) + "\n";
  const std::string start = "c2sp.org/tlog-proof@v1\n";
  const std::string good = start + "index 1\n" + hash + "\n" + made.note;
  ASSERT_TRUE(made.verify(good, 1, made.demands()).has_value());
  std::string many;
  for (int i = 0; i < 65; ++i) many += hash;
  struct Row {
    const char* name;
    std::string text;
    const char* word;
    const char* says;
  };
  for (const Row& row :
       {Row{"empty", "", "malformed.tlog_proof", "ends before its checkpoint"},
        Row{"another version", "c2sp.org/tlog-proof@v2\nindex 1\n" + hash + "\n" + made.note,
            "malformed.tlog_proof", "first line"},
        Row{"CRLF", "c2sp.org/tlog-proof@v1\r\nindex 1\n" + hash + "\n" + made.note,
            "malformed.tlog_proof", "first line"},
        Row{"no index", start + hash + "\n" + made.note, "malformed.tlog_proof", "index"},
        Row{"leading zero", start + "index 01\n" + hash + "\n" + made.note, "malformed.tlog_proof",
            "decimal"},
        Row{"sign", start + "index +1\n" + hash + "\n" + made.note, "malformed.tlog_proof",
            "decimal"},
        Row{"no digits", start + "index \n" + hash + "\n" + made.note, "malformed.tlog_proof",
            "decimal"},
        Row{"over 64 bits", start + "index 18446744073709551616\n" + hash + "\n" + made.note,
            "malformed.tlog_proof", "decimal"},
        Row{"blank after", start + "index 1 \n" + hash + "\n" + made.note, "malformed.tlog_proof",
            "decimal"},
        Row{"past the end", start + "index 2\n" + hash + "\n" + made.note, "malformed.tlog_proof",
            "not below the tree size 2"},
        Row{"empty extra", start + "extra \nindex 1\n" + hash + "\n" + made.note,
            "malformed.tlog_proof", "extra"},
        Row{"stray bits", start + "extra AP8R=\nindex 1\n" + hash + "\n" + made.note,
            "malformed.tlog_proof", "extra"},
        Row{"two extras", start + "extra AP8Q\nextra AP8Q\nindex 1\n" + hash + "\n" + made.note,
            "malformed.tlog_proof", "index"},
        Row{"extra behind", start + "index 1\nextra AP8Q\n" + hash + "\n" + made.note,
            "malformed.tlog_proof", "32 bytes"},
        Row{"short hash", start + "index 1\nAP8Q\n\n" + made.note, "malformed.tlog_proof",
            "32 bytes"},
        Row{"65 hashes", start + "index 1\n" + many + "\n" + made.note, "malformed.tlog_proof",
            "longer than that of any tree"},
        Row{"no empty line", start + "index 1\n" + hash + made.note, "malformed.tlog_proof",
            "32 bytes"},
        Row{"unsigned", start + "index 1\n" + hash + "\n" + made.text, "malformed.note",
            "No empty line"},
        Row{"no checkpoint",
            start + "index 1\n" + hash + "\nhello\n\n" +
                made.note.substr(made.note.find("\n\n") + 2),
            "malformed.checkpoint", "fewer than three lines"}}) {
    SCOPED_TRACE(row.name);
    const auto read = read_tlog_proof(row.text);
    ASSERT_FALSE(read.has_value());
    EXPECT_EQ(code_word(read.error()), row.word);
    EXPECT_NE(read.error().what.find(row.says), std::string::npos) << read.error().what;
  }
}

TEST(TlogProofReader, takes_extra_data_up_to_their_limit) {
  const MadeProof made{2};
  Bytes extra(limits::tlog_proof_extra_bytes_max, std::byte{7});
  EXPECT_TRUE(made.verify(made.proof(1, made.note, extra), 1, made.demands()).has_value());
  extra.push_back(std::byte{7});
  const auto over = read_tlog_proof(made.proof(1, made.note, extra));
  ASSERT_FALSE(over.has_value());
  EXPECT_EQ(over.error().code, ErrorCode::over_limit);
  const auto huge = read_tlog_proof(std::string(limits::tlog_proof_bytes_max + 1, 'a'));
  ASSERT_FALSE(huge.has_value());
  EXPECT_EQ(huge.error().code, ErrorCode::over_limit);
}

TEST(TlogProof, verifies_for_its_own_entry_index_origin_and_key_alone) {
  const MadeProof made;
  for (std::uint64_t index = 0; index < 7; ++index) {
    const auto proof = read_tlog_proof(made.proof(index, made.note)).value();
    for (std::uint64_t other = 0; other < 7; ++other)
      ASSERT_EQ(verify_tlog_proof(proof, made.leaves[other], made.demands()).has_value(),
                other == index);
    TlogProof moved = proof;
    for (moved.index = 0; moved.index < 9; ++moved.index)
      ASSERT_EQ(verify_tlog_proof(moved, made.leaves[index], made.demands()).has_value(),
                moved.index == index);
  }
  TlogProofDemands demands = made.demands();
  demands.origin = "example.org/other";
  const auto elsewhere = made.verify(made.proof(3, made.note), 3, demands);
  ASSERT_FALSE(elsewhere.has_value());
  EXPECT_EQ(elsewhere.error().code, ErrorCode::signature_bad);
  EXPECT_NE(elsewhere.error().what.find("not of example.org/other"), std::string::npos);
  demands = made.demands();
  demands.log_keys = {};
  EXPECT_FALSE(made.verify(made.proof(3, made.note), 3, demands).has_value());
  const VerifierKey stranger = vkey_of(new_key());
  demands.log_keys = std::span{&stranger, 1};
  EXPECT_FALSE(made.verify(made.proof(3, made.note), 3, demands).has_value());
}

TEST(TlogProof, counts_known_witnesses_that_cosigned_each_once) {
  const MadeProof made;
  const auto cosigners = [&](const std::string& checkpoint, std::size_t witnesses_min) {
    const auto proven = made.verify(made.proof(3, checkpoint), 3, made.demands(witnesses_min));
    return proven ? static_cast<int>(proven->cosignatures.size()) : -1;
  };
  EXPECT_EQ(cosigners(made.note, 0), 0);
  EXPECT_EQ(cosigners(made.note, 1), -1);
  EXPECT_EQ(cosigners(made.cosigned_once(), 1), 1);
  EXPECT_EQ(cosigners(made.cosigned_once(), 2), -1);
  EXPECT_EQ(cosigners(made.cosigned_twice(), 2), 2);
  const std::string line = made.cosigned_once().substr(made.note.size());
  EXPECT_EQ(cosigners(made.cosigned_once() + line, 2), -1) << "one witness, twice";
  const crypto::PrivateKey stranger = new_key();
  EXPECT_EQ(cosigners(made.note + cosignature_line(made.text, "w3.example", stranger, noon), 1),
            -1);
  const auto proven = made.verify(made.proof(3, made.cosigned_twice()), 3, made.demands(2)).value();
  EXPECT_EQ(proven.cosignatures[0].name, "w1.example");
  EXPECT_EQ(proven.cosignatures[0].time, noon);
  EXPECT_EQ(proven.checkpoint.tree_size, 7U);
}

TEST(TlogProof, with_a_cosignature_that_belongs_to_another_checkpoint_is_refused) {
  const MadeProof made;
  // Replayed: the witness did sign this, but of an earlier tree of the same log.
  const std::string earlier =
      write_checkpoint({.origin = origin,
                        .tree_size = 6,
                        .root = merkle::root(std::span{made.leaves}.first(6)),
                        .extensions = {}});
  const std::string replayed =
      made.note + cosignature_line(earlier, "w1.example", made.first, noon);
  const auto proven = made.verify(made.proof(3, replayed), 3, made.demands());
  ASSERT_FALSE(proven.has_value());
  EXPECT_EQ(proven.error().code, ErrorCode::signature_bad);
  EXPECT_NE(proven.error().what.find("w1.example"), std::string::npos) << proven.error().what;
  // The log's signature does not stand for a witness, nor a witness for the log.
  const std::string witness_only =
      made.text + "\n" + cosignature_line(made.text, "w1.example", made.first, noon);
  EXPECT_FALSE(made.verify(made.proof(3, witness_only), 3, made.demands()).has_value());
}

TEST(TlogProof, refuses_demands_in_which_one_party_stands_for_two) {
  const MadeProof made;
  const std::string proof = made.proof(3, made.cosigned_twice());
  TlogProofDemands demands = made.demands(1);
  const auto code = [&](const std::vector<VerifierKey>& witnesses) {
    demands.witnesses = witnesses;
    const auto proven = made.verify(proof, 3, demands);
    FIDUCIA_ASSERT(!proven.has_value());
    return proven.error().code;
  };
  EXPECT_EQ(code({made.log_key}), ErrorCode::usage_invalid);
  EXPECT_EQ(code({make_vkey("w1.example", NoteKeyType::cosignature, made.log_key.public_key)}),
            ErrorCode::usage_invalid);
  EXPECT_EQ(code({made.witnesses[0],
                  make_vkey("w9.example", NoteKeyType::cosignature, made.witnesses[0].public_key)}),
            ErrorCode::usage_invalid);
}

TEST(TlogProof, is_refused_whichever_bit_is_flipped_and_wherever_it_is_cut) {
  const MadeProof made;
  const Sample taken = sample(3, 21);
  for (const std::uint64_t index : {0U, 3U, 6U}) {
    const std::string good = made.proof(index, made.cosigned_twice());
    const TlogProofDemands demands = made.demands(2);
    ASSERT_TRUE(made.verify(good, index, demands).has_value());
    for (std::size_t bit = 0; bit < good.size() * 8; ++bit) {
      if (!taken.takes(bit, good.size() * 8)) continue;
      std::string broken = good;
      broken[bit / 8] = static_cast<char>(broken[bit / 8] ^ (1 << (bit % 8)));
      ASSERT_FALSE(made.verify(broken, index, demands).has_value())
          << "index " << index << ", bit " << bit;
    }
    for (std::size_t length = 0; length < good.size(); ++length)
      ASSERT_FALSE(made.verify(good.substr(0, length), index, demands).has_value()) << length;
  }
}

TEST(TlogProof, of_which_a_bit_of_the_extra_data_is_flipped_still_proves_the_same_and_no_more) {
  const MadeProof made;
  const Bytes extra = bytes("00112233445566778899");
  const std::string good = made.proof(3, made.note, extra);
  const std::size_t from = good.find("extra ") + 6;
  const std::size_t to = good.find("\nindex");
  int accepted = 0;
  for (std::size_t bit = 0; bit < good.size() * 8; ++bit) {
    std::string broken = good;
    broken[bit / 8] = static_cast<char>(broken[bit / 8] ^ (1 << (bit % 8)));
    const auto read = read_tlog_proof(broken);
    if (!read || !verify_tlog_proof(*read, made.leaves[3], made.demands())) continue;
    ASSERT_TRUE(bit / 8 >= from && bit / 8 < to) << "bit " << bit;
    ASSERT_NE(read->extra, extra);
    ++accepted;
  }
  EXPECT_GT(accepted, 0) << "extra data are not authenticated (tlog-proof)";
}

}  // namespace
}  // namespace fiducia::ledger_format::test
