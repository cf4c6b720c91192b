// SPDX-License-Identifier: Apache-2.0
#include "ledger_format/note.h"

#include "format_support.h"
#include "published_vectors.h"

namespace fiducia::ledger_format::test {
namespace {

std::vector<VerifierKey> keys_of(const nlohmann::json& texts) {
  std::vector<VerifierKey> keys;
  for (const auto& text : texts) {
    auto key = read_vkey(text.get<std::string>());
    FIDUCIA_ASSERT(key.has_value());
    keys.push_back(std::move(*key));
  }
  return keys;
}

TEST(VerifierKey, is_read_as_the_published_list_says) {
  int accepted = 0;
  for (const auto& row : read_json("vkeys.json")) {
    const std::string text = row["vkey"];
    SCOPED_TRACE(text);
    const auto key = read_vkey(text);
    ASSERT_EQ(key.has_value(), row["valid"].get<bool>());
    if (!key) continue;
    ++accepted;
    EXPECT_EQ(std::to_underlying(key->type), row["type"].get<int>());
    EXPECT_EQ(write_vkey(*key), text);
    EXPECT_EQ(make_vkey(key->name, key->type, key->public_key).key_id, key->key_id);
  }
  EXPECT_EQ(accepted, 7);
}

TEST(VerifierKey, of_an_unknown_type_is_unsupported_not_malformed) {
  const auto key = read_vkey("rekor.sigstore.dev+12345678+AwEB");
  ASSERT_FALSE(key.has_value());
  EXPECT_EQ(key.error().code, ErrorCode::unsupported);
}

TEST(Note, is_verified_as_the_published_list_says) {
  for (const auto& row : read_json("notes.json")) {
    SCOPED_TRACE(row["id"].get<std::string>());
    const auto keys = keys_of(row["vkeys"]);
    const auto note = read_note(row["note"].get<std::string>());
    const bool accepted = note && verify_note(*note, keys).has_value();
    EXPECT_EQ(accepted, row["accept"].get<bool>());
  }
}

TEST(Note, of_an_ecdsa_key_refuses_der_that_is_not_the_one_encoding) {
  for (const auto& row : read_json("notes.json")) {
    if (!row.contains("signature_type")) continue;
    const auto keys = keys_of(row["vkeys"]);
    auto note = read_note(row["note"].get<std::string>()).value();
    ASSERT_TRUE(verify_note(note, keys).has_value());
    Bytes& der = note.signatures[0].signature;
    for (std::size_t cut = 1; cut < der.size(); ++cut) {
      Note broken = note;
      broken.signatures[0].signature.resize(der.size() - cut);
      ASSERT_FALSE(verify_note(broken, keys).has_value()) << "cut by " << cut;
    }
    for (std::size_t bit = 0; bit < der.size() * 8; ++bit) {
      Note broken = note;
      broken.signatures[0].signature[bit / 8] ^= std::byte{1} << (bit % 8);
      ASSERT_FALSE(verify_note(broken, keys).has_value()) << "bit " << bit;
    }
  }
}

TEST(Note, limits_signatures_and_bytes) {
  const auto key = new_key();
  const std::string signed_note = write_note("text\n", origin, key).value();
  const std::string line = signed_note.substr(signed_note.find("\n\n") + 2);
  std::string many = signed_note;
  for (std::size_t i = 1; i < limits::note_signatures_max; ++i) many += line;
  const auto note = read_note(many);
  ASSERT_TRUE(note.has_value());
  const VerifierKey vkey = vkey_of(key);
  const auto verified = verify_note(*note, std::span{&vkey, 1});
  ASSERT_TRUE(verified.has_value());
  EXPECT_EQ(verified->size(), 1U) << "a key counts once";
  const auto over = read_note(many + line);
  ASSERT_FALSE(over.has_value());
  EXPECT_EQ(over.error().code, ErrorCode::over_limit);
  const auto long_note = read_note(std::string(limits::note_bytes_max + 1, 'a'));
  ASSERT_FALSE(long_note.has_value());
  EXPECT_EQ(long_note.error().code, ErrorCode::over_limit);
}

TEST(Note, text_may_hold_empty_lines) {
  const auto key = new_key();
  const std::string text = "one\n\ntwo\n";
  const auto note = read_note(write_note(text, origin, key).value());
  ASSERT_TRUE(note.has_value());
  EXPECT_EQ(note->text, text);
  const VerifierKey vkey = vkey_of(key);
  EXPECT_TRUE(verify_note(*note, std::span{&vkey, 1}).has_value());
}

TEST(Note, is_not_written_for_bad_names_texts_or_keys) {
  const auto key = new_key();
  for (const std::string name : {"", "a b", "a+b", "a\xC2\xA0z", "a\xE3\x80\x80z", "a\nb", "\xFF"})
    EXPECT_FALSE(write_note("text\n", name, key).has_value()) << name;
  for (const std::string_view text : {"", "no line feed", "tab\t\n", "\xFF\n"})
    EXPECT_FALSE(write_note(text, origin, key).has_value()) << text;
  const auto p256 = crypto::PrivateKey::generate(crypto::KeyKind::p256).value();
  EXPECT_EQ(write_note("text\n", origin, p256).error().code, ErrorCode::unsupported);
}

TEST(Note, loses_its_signature_with_any_bit) {
  const auto key = new_key();
  const VerifierKey vkey = vkey_of(key);
  const std::string good = write_note("example\n1\nx\n", origin, key).value();
  for (std::size_t bit = 0; bit < good.size() * 8; ++bit) {
    std::string broken = good;
    broken[bit / 8] = static_cast<char>(broken[bit / 8] ^ (1 << (bit % 8)));
    const auto note = read_note(broken);
    ASSERT_FALSE(note && verify_note(*note, std::span{&vkey, 1}).has_value()) << "bit " << bit;
  }
}

TEST(Checkpoint, is_read_as_the_published_list_says) {
  for (const auto& row : read_json("checkpoint-bodies.json")) {
    const std::string text = row["text"];
    SCOPED_TRACE(text);
    const bool valid = row["valid"].is_string() || row["valid"].get<bool>();
    const auto checkpoint = read_checkpoint(text);
    ASSERT_EQ(checkpoint.has_value(), valid);
    if (!checkpoint) {
      EXPECT_EQ(code_word(checkpoint.error()), "malformed.checkpoint");
      continue;
    }
    EXPECT_EQ(write_checkpoint(*checkpoint), text);
    EXPECT_EQ(checkpoint->extensions.size(), row.value("extensions", 0U));
  }
}

TEST(Cosignature, is_verified_as_the_published_list_says) {
  for (const auto& row : read_json("cosignatures.json")) {
    SCOPED_TRACE(row["id"].get<std::string>());
    const auto key = read_vkey(row["cosigner_vkey"].get<std::string>());
    ASSERT_TRUE(key.has_value()) << sentence(key.error());
    const auto note = read_note(row["checkpoint_with_cosignature"].get<std::string>());
    ASSERT_TRUE(note.has_value());
    const auto verified = verify_note(*note, std::span{&*key, 1});
    ASSERT_EQ(verified.has_value(), row["accept"].get<bool>());
    if (!verified) {
      EXPECT_EQ(verified.error().code, ErrorCode::signature_bad);
      continue;
    }
    ASSERT_EQ(verified->size(), 1U);
    EXPECT_EQ((*verified)[0].time, UnixTime{row["timestamp"].get<std::int64_t>()});
  }
}

TEST(TlogLog, every_checkpoint_of_the_tessera_log_verifies) {
  const fs::path folder = data("vectors/tessera-log");
  std::string text = read_text(folder / "log.vkey");
  while (!text.empty() && text.back() == '\n') text.pop_back();
  const auto key = read_vkey(text).value();
  for (unsigned size = 0; size <= 15; ++size) {
    const auto note = read_note(read_text(folder / ("checkpoint." + std::to_string(size))));
    ASSERT_TRUE(note.has_value()) << size;
    ASSERT_TRUE(verify_note(*note, std::span{&key, 1}).has_value()) << size;
    EXPECT_EQ(read_checkpoint(note->text).value().tree_size, size);
  }
}

}  // namespace
}  // namespace fiducia::ledger_format::test
