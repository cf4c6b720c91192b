// SPDX-License-Identifier: Apache-2.0
// Demands of C2SP signed-note, tlog-checkpoint and tlog-cosignature that the published vectors do
// not show. docs/conformance/ says which test stands for which demand.
#include "ledger_format/note.h"

#include "ledger_support.h"

namespace fiducia::ledger::test {
namespace {

std::string signature_line(const std::string& name, std::uint32_t key_id, const Bytes& signature) {
  Bytes bytes;
  append_be(bytes, key_id);
  append(bytes, signature);
  return std::string{em_dash} + name + " " + to_base64(bytes) + "\n";
}

std::string cosignature_line(std::string_view text, const std::string& name,
                             const crypto::PrivateKey& key, std::uint64_t time) {
  const ledger_format::VerifierKey vkey = ledger_format::make_vkey(
      name, ledger_format::NoteKeyType::cosignature, key.public_key().write_ed25519());
  const std::string message = "cosignature/v1\ntime " + std::to_string(time) + "\n";
  const Bytes signature =
      key.sign(crypto::SignatureAlgorithm::eddsa, as_bytes(message + std::string{text})).value();
  Bytes bytes;
  append_be(bytes, time);
  append(bytes, signature);
  return signature_line(name, vkey.key_id, bytes);
}

bool verifies(const std::string& encoded, std::span<const ledger_format::VerifierKey> keys) {
  const auto note = ledger_format::read_note(encoded);
  return note && ledger_format::verify_note(*note, keys).has_value();
}

/// A signed note over `text` by a new key, and that key.
struct Signed {
  crypto::PrivateKey key = new_key();
  ledger_format::VerifierKey vkey = vkey_of(key);
  std::string text;
  std::string note;
  explicit Signed(std::string note_text = "example.org/ledger\n5\nx\n")
      : text(std::move(note_text)), note(ledger_format::write_note(text, origin, key).value()) {}
  [[nodiscard]] bool holds(const std::string& encoded) const {
    return verifies(encoded, std::span{&vkey, 1});
  }
};

TEST(NoteConformance, refuses_every_control_character_but_the_line_feed) {
  for (int c = 0; c < 0x20; ++c) {
    const std::string text = std::string{"one "} + static_cast<char>(c) + " two\n";
    const auto key = new_key();
    // Signed properly all the same: it is the form that refuses it.
    const Bytes signature = key.sign(crypto::SignatureAlgorithm::eddsa, as_bytes(text)).value();
    const ledger_format::VerifierKey vkey = vkey_of(key);
    const std::string encoded = text + "\n" + signature_line(origin, vkey.key_id, signature);
    EXPECT_EQ(verifies(encoded, std::span{&vkey, 1}), c == '\n') << c;
    if (c == '\n') continue;
    EXPECT_EQ(code_word(ledger_format::read_note(encoded).error()), "malformed.note") << c;
  }
}

TEST(NoteConformance, refuses_what_is_not_utf8_wherever_it_stands) {
  for (const std::string bad :
       {"\xFF", "\xC0\x80", "\xED\xA0\x80", "\xE2\x80", "\xF4\x90\x80\x80"}) {
    const auto key = new_key();
    const ledger_format::VerifierKey vkey = vkey_of(key);
    const std::string text = "one " + bad + " two\n";
    const Bytes signature = key.sign(crypto::SignatureAlgorithm::eddsa, as_bytes(text)).value();
    EXPECT_FALSE(verifies(text + "\n" + signature_line(origin, vkey.key_id, signature),
                          std::span{&vkey, 1}));
    const Signed good;
    EXPECT_FALSE(good.holds(good.note + signature_line("other" + bad, 1, Bytes(64))));
  }
  const Signed beyond_ascii{"ed \xC3\xA8 subito sera \xF0\x9F\x98\x80\n"};
  EXPECT_TRUE(beyond_ascii.holds(beyond_ascii.note));
}

TEST(NoteConformance, refuses_key_names_that_are_empty_or_hold_a_space_or_a_plus) {
  const Signed good;
  ASSERT_TRUE(good.holds(good.note + signature_line("other.example", 1, Bytes(64))));
  for (const std::string name :
       {"", "a+b", "a\xC2\xA0z", "a\xC2\x85z", "a\xE1\x9A\x80z", "a\xE2\x80\x83z", "a\xE2\x80\xA8z",
        "a\xE2\x80\xAFz", "a\xE2\x81\x9Fz", "a\xE3\x80\x80z"}) {
    EXPECT_FALSE(good.holds(good.note + signature_line(name, 1, Bytes(64)))) << name;
    ledger_format::VerifierKey vkey = good.vkey;
    vkey.name = name;
    EXPECT_FALSE(ledger_format::read_vkey(ledger_format::write_vkey(vkey)).has_value()) << name;
  }
}

TEST(NoteConformance, ignores_sixteen_signatures_of_unknown_types_as_long_as_ml_dsa_makes_them) {
  const Signed good;
  std::string before = good.text + "\n";
  // As ML-DSA-44 (2,420 bytes and a time) and ML-DSA-87 (4,627 bytes) would be.
  for (std::uint32_t i = 0; i < 16; ++i)
    before += signature_line("w" + std::to_string(i) + ".example", i, Bytes(i % 2 ? 2428 : 4627));
  const std::string own = good.note.substr(good.text.size() + 1);
  const auto note = ledger_format::read_note(before + own);
  ASSERT_TRUE(note.has_value()) << sentence(note.error());
  EXPECT_EQ(note->signatures.size(), 17U);
  const auto verified = ledger_format::verify_note(*note, std::span{&good.vkey, 1});
  ASSERT_TRUE(verified.has_value()) << sentence(verified.error());
  EXPECT_EQ(verified->size(), 1U);
  EXPECT_FALSE(good.holds(before)) << "nobody known has signed";
}

TEST(NoteConformance, of_which_one_known_signature_fails_is_refused_whole) {
  const Signed good;
  const crypto::PrivateKey second = new_key();
  const std::vector<ledger_format::VerifierKey> keys{good.vkey, vkey_of(second, "second.example")};
  const Bytes signature =
      second.sign(crypto::SignatureAlgorithm::eddsa, as_bytes(good.text)).value();
  EXPECT_TRUE(
      verifies(good.note + signature_line("second.example", keys[1].key_id, signature), keys));
  Bytes broken = signature;
  broken[40] ^= std::byte{1};
  const auto note =
      ledger_format::read_note(good.note + signature_line("second.example", keys[1].key_id, broken))
          .value();
  const auto verified = ledger_format::verify_note(note, keys);
  ASSERT_FALSE(verified.has_value());
  EXPECT_EQ(verified.error().code, ErrorCode::signature_bad);
  EXPECT_NE(verified.error().what.find("second.example"), std::string::npos);
  // Whoever does not know the second key ignores its line.
  EXPECT_TRUE(ledger_format::verify_note(note, std::span{keys}.first(1)).has_value());
}

TEST(NoteConformance, gives_one_public_key_another_id_for_each_type_and_name) {
  const Bytes raw = new_key().public_key().write_ed25519();
  const auto plain =
      ledger_format::make_vkey("a.example", ledger_format::NoteKeyType::ed25519, raw);
  const auto cosigner =
      ledger_format::make_vkey("a.example", ledger_format::NoteKeyType::cosignature, raw);
  const auto renamed =
      ledger_format::make_vkey("b.example", ledger_format::NoteKeyType::ed25519, raw);
  EXPECT_NE(plain.key_id, cosigner.key_id);
  EXPECT_NE(plain.key_id, renamed.key_id);
  for (const ledger_format::VerifierKey& key : {plain, cosigner, renamed}) {
    // Key id = SHA-256(name || LF || type || key)[:4], put together here byte by byte.
    Bytes input;
    append(input, as_bytes(key.name));
    input.push_back(std::byte{0x0A});
    input.push_back(static_cast<std::byte>(key.type));
    append(input, key.public_key);
    EXPECT_EQ(key.key_id, load_be<std::uint32_t>(crypto::sha256(input).bytes.data()));
    EXPECT_EQ(
        ledger_format::write_vkey(ledger_format::read_vkey(ledger_format::write_vkey(key)).value()),
        ledger_format::write_vkey(key));
  }
  // The name is part of the identity: one key under a wrong id or name is no key.
  ledger_format::VerifierKey wrong = plain;
  wrong.key_id = renamed.key_id;
  EXPECT_FALSE(ledger_format::read_vkey(ledger_format::write_vkey(wrong)).has_value());
}

TEST(NoteConformance, does_not_take_keys_of_types_it_cannot_verify) {
  const Bytes p384 =
      crypto::PrivateKey::generate(crypto::KeyKind::p384).value().public_key().write_spki();
  const auto key = ledger_format::read_vkey(ledger_format::write_vkey(
      ledger_format::make_vkey("a.example", ledger_format::NoteKeyType::ecdsa, p384)));
  ASSERT_FALSE(key.has_value());
  EXPECT_EQ(key.error().code, ErrorCode::unsupported);
  EXPECT_NE(key.error().what.find("P-256"), std::string::npos);
  for (const int type : {0x00, 0x03, 0x05, 0x06, 0xFA, 0xFE, 0xFF}) {
    Bytes data{static_cast<std::byte>(type)};
    append(data, Bytes(type == 0x06 ? 1312 : 32));
    const auto other = ledger_format::read_vkey("a.example+00000000+" + to_base64(data));
    ASSERT_FALSE(other.has_value()) << type;
    EXPECT_EQ(other.error().code, ErrorCode::unsupported) << type;
    EXPECT_NE(other.error().what.find("type " + std::to_string(type)), std::string::npos);
  }
}

TEST(CheckpointConformance, takes_any_origin_that_is_not_empty) {
  for (const std::string name : {"example.com/log42", "Rekor", "a log + with spaces",
                                 "\xE2\x82\xAC", "https://x.example/?a=b"}) {
    const std::string text = name + "\n1\n" + to_base64(Digest{}.view()) + "\n";
    const auto checkpoint = ledger_format::read_checkpoint(text);
    ASSERT_TRUE(checkpoint.has_value()) << name;
    EXPECT_EQ(checkpoint->origin, name);
  }
  EXPECT_FALSE(
      ledger_format::read_checkpoint("\n1\n" + to_base64(Digest{}.view()) + "\n").has_value());
}

TEST(CosignatureConformance, covers_extension_lines_and_the_whole_text) {
  const Signed good{"example.org/ledger\n5\n" + to_base64(Digest{}.view()) + "\nextension one\n"};
  const crypto::PrivateKey witness = new_key();
  const std::vector<ledger_format::VerifierKey> keys{ledger_format::make_vkey(
      "w.example", ledger_format::NoteKeyType::cosignature, witness.public_key().write_ed25519())};
  EXPECT_TRUE(verifies(good.note + cosignature_line(good.text, "w.example", witness, 7), keys));
  const std::string without = good.text.substr(0, good.text.find("extension"));
  EXPECT_FALSE(verifies(good.note + cosignature_line(without, "w.example", witness, 7), keys));
}

TEST(CosignatureConformance, has_a_time_of_at_most_63_bits_which_is_signed) {
  const Signed good;
  const crypto::PrivateKey witness = new_key();
  const std::vector<ledger_format::VerifierKey> keys{ledger_format::make_vkey(
      "w.example", ledger_format::NoteKeyType::cosignature, witness.public_key().write_ed25519())};
  constexpr std::uint64_t most = std::uint64_t{1} << 63;
  for (const std::uint64_t time : {std::uint64_t{0}, std::uint64_t{1'700'000'000}, most - 1}) {
    const auto note = ledger_format::read_note(
        good.note + cosignature_line(good.text, "w.example", witness, time));
    const auto verified = ledger_format::verify_note(note.value(), keys);
    ASSERT_TRUE(verified.has_value()) << time;
    EXPECT_EQ(verified->front().time, UnixTime{static_cast<std::int64_t>(time)});
  }
  for (const std::uint64_t time : {most, ~std::uint64_t{0}})
    EXPECT_FALSE(
        verifies(good.note + cosignature_line(good.text, "w.example", witness, time), keys))
        << time;
}

TEST(CosignatureConformance, is_lost_with_any_bit_and_for_any_other_key) {
  const Signed good;
  const crypto::PrivateKey witness = new_key();
  const ledger_format::VerifierKey key = ledger_format::make_vkey(
      "w.example", ledger_format::NoteKeyType::cosignature, witness.public_key().write_ed25519());
  const std::string line = cosignature_line(good.text, "w.example", witness, 1'700'000'000);
  const std::string encoded = good.text + "\n" + line;
  ASSERT_TRUE(verifies(encoded, std::span{&key, 1}));
  for (std::size_t bit = 0; bit < encoded.size() * 8; ++bit) {
    std::string broken = encoded;
    broken[bit / 8] = static_cast<char>(broken[bit / 8] ^ (1 << (bit % 8)));
    ASSERT_FALSE(verifies(broken, std::span{&key, 1})) << "bit " << bit;
  }
  const ledger_format::VerifierKey stranger = ledger_format::make_vkey(
      "w.example", ledger_format::NoteKeyType::cosignature, new_key().public_key().write_ed25519());
  EXPECT_FALSE(verifies(encoded, std::span{&stranger, 1}));
  // The domain is separate: a plain signature under the same key is no cosignature.
  const Bytes plain = witness.sign(crypto::SignatureAlgorithm::eddsa, as_bytes(good.text)).value();
  Bytes timed(8);
  append(timed, plain);
  EXPECT_FALSE(verifies(good.text + "\n" + signature_line("w.example", key.key_id, timed),
                        std::span{&key, 1}));
}

/// Bad checkpoints that the log's own key signed, as a reader of its folder meets them.
TEST(BadInput, a_malformed_checkpoint_is_refused_with_its_file_and_its_fault) {
  const std::string root = to_base64(Digest{}.view()) + "\n";
  struct Row {
    const char* name;
    std::string text;
    const char* says;
  };
  for (const Row& row :
       {Row{"two lines", origin + "\n5\n", "fewer than three lines"},
        Row{"leading zero", origin + "\n05\n" + root, "tree size is not a decimal number"},
        Row{"no number", origin + "\nfive\n" + root, "tree size is not a decimal number"},
        Row{"over 64 bits", origin + "\n18446744073709551616\n" + root,
            "tree size is not a decimal number"},
        Row{"short root", origin + "\n5\nAP8Q\n", "root hash is not 32 bytes"},
        Row{"empty extension", origin + "\n5\n" + root + "\nmore\n", "empty line"}}) {
    SCOPED_TRACE(row.name);
    const ScratchLog scratch;
    write_plain(scratch.folder / "checkpoint",
                as_bytes(ledger_format::write_note(row.text, origin, scratch.key).value()));
    const auto reader = scratch.read();
    ASSERT_FALSE(reader.has_value());
    EXPECT_EQ(code_word(reader.error()), "malformed.checkpoint");
    EXPECT_NE(reader.error().what.find(row.says), std::string::npos) << reader.error().what;
    EXPECT_TRUE(reader.error().where.file.ends_with("checkpoint")) << reader.error().where.file;
  }
}

TEST(BadInput, a_checkpoint_that_is_no_note_is_refused_as_such) {
  const ScratchLog scratch;
  write_plain(scratch.folder / "checkpoint", as_bytes("not a note\n"));
  const auto reader = scratch.read();
  ASSERT_FALSE(reader.has_value());
  EXPECT_EQ(code_word(reader.error()), "malformed.note");
  EXPECT_TRUE(reader.error().where.file.ends_with("checkpoint"));
}

TEST(BadInput, a_checkpoint_of_another_origin_is_refused_although_the_key_signed_it) {
  const ScratchLog scratch;
  const auto good = scratch.read().value().status();
  const std::string text = ledger_format::write_checkpoint({.origin = "example.org/other",
                                                            .tree_size = good.tree_size,
                                                            .root = good.root,
                                                            .extensions = {}});
  write_plain(scratch.folder / "checkpoint",
              as_bytes(ledger_format::write_note(text, origin, scratch.key).value()));
  const auto reader = scratch.read();
  ASSERT_FALSE(reader.has_value());
  EXPECT_EQ(reader.error().code, ErrorCode::signature_bad);
  EXPECT_NE(reader.error().what.find("example.org/other"), std::string::npos)
      << reader.error().what;
  EXPECT_TRUE(reader.error().where.file.ends_with("checkpoint"));
}

TEST(BadInput, an_entry_too_long_is_refused_with_both_lengths) {
  const ScratchLog scratch;
  auto log = scratch.open().value();
  const std::vector<Bytes> entries{Bytes(limits::ledger_entry_bytes_max + 1)};
  const auto appended = log.append(entries);
  ASSERT_FALSE(appended.has_value());
  EXPECT_EQ(code_word(appended.error()), "limit.reached");
  EXPECT_NE(appended.error().what.find("65536"), std::string::npos) << appended.error().what;
  EXPECT_NE(appended.error().what.find("65535"), std::string::npos) << appended.error().what;
  EXPECT_EQ(log.status().tree_size, 1U);
}

}  // namespace
}  // namespace fiducia::ledger::test
