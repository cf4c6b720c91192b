// SPDX-License-Identifier: Apache-2.0
#include "ledger/ledger.h"
#include "ledger_format/ledger_format.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "command_home.h"
#include "trust/trust.h"

namespace fiducia::app {
namespace {

using test::CommandHome;
using test::run_captured;

cli::LedgerOptions asking(const CommandHome& scratch, cli::LedgerOptions::Action action,
                          const std::string& target = "") {
  return {.common = scratch.common(), .action = action, .target = target, .out = ""};
}

class LedgerCommand : public testing::Test {
 protected:
  void SetUp() override {
    image_ = scratch_.write_image("a.dcm", "1.2.1", 1);
    EXPECT_EQ(run_captured(scratch_.sealing(image_)).first, 0);
  }
  CommandHome scratch_;
  std::filesystem::path image_;
};

TEST_F(LedgerCommand, status_names_origin_and_size) {
  const auto [code, out] = run_captured(asking(scratch_, cli::LedgerOptions::Action::status));
  EXPECT_EQ(code, 0);
  EXPECT_NE(out.find(R"("schema":"fiducia.ledger/1")"), std::string::npos) << out;
  EXPECT_NE(out.find(R"("tree_size":2)"), std::string::npos) << out;
}

TEST_F(LedgerCommand, check_says_intact_and_then_finds_damage) {
  EXPECT_EQ(run_captured(asking(scratch_, cli::LedgerOptions::Action::check)).first, 0);
  std::filesystem::path bundle;
  for (const auto& entry :
       std::filesystem::recursive_directory_iterator(scratch_.home() / "ledger/tile/entries"))
    if (entry.is_regular_file() && entry.path().filename() == "2") bundle = entry.path();
  ASSERT_FALSE(bundle.empty());
  std::string text = test::content(bundle);
  text.back() = static_cast<char>(text.back() ^ 1);
  ASSERT_TRUE(durable_write(bundle, as_bytes(text)).has_value());
  const auto [code, out] = run_captured(asking(scratch_, cli::LedgerOptions::Action::check));
  EXPECT_EQ(code, 2);
  EXPECT_NE(out.find("tile/entries"), std::string::npos) << out;
}

TEST_F(LedgerCommand, a_missing_checkpoint_is_damage_and_a_missing_folder_an_error) {
  ASSERT_TRUE(std::filesystem::remove(scratch_.home() / "ledger/checkpoint"));
  const auto [code, out] = run_captured(asking(scratch_, cli::LedgerOptions::Action::check));
  EXPECT_EQ(code, 2);
  EXPECT_NE(out.find("\"damaged\":\"checkpoint\""), std::string::npos) << out;
  cli::LedgerOptions elsewhere = asking(scratch_, cli::LedgerOptions::Action::check);
  elsewhere.folder = scratch_.path("nowhere").string();
  elsewhere.key = "example.org/ledger+8a1c2f00+AW";
  EXPECT_EQ(run_captured(elsewhere).first, 1);
}

TEST_F(LedgerCommand, a_forged_checkpoint_is_damage) {
  std::string note = test::content(scratch_.home() / "ledger/checkpoint");
  const std::size_t size = note.find("\n2\n");
  ASSERT_NE(size, std::string::npos);
  note[size + 1] = '1';
  ASSERT_TRUE(durable_write(scratch_.home() / "ledger/checkpoint", as_bytes(note)).has_value());
  EXPECT_EQ(run_captured(asking(scratch_, cli::LedgerOptions::Action::status)).first, 2);
}

TEST_F(LedgerCommand, proves_by_index_and_by_path_the_same) {
  cli::LedgerOptions by_index = asking(scratch_, cli::LedgerOptions::Action::prove, "1");
  by_index.common.json = false;
  cli::LedgerOptions by_path = asking(scratch_, cli::LedgerOptions::Action::prove, image_.string());
  by_path.common.json = false;
  const auto [code, proof] = run_captured(by_index);
  EXPECT_EQ(code, 0);
  EXPECT_TRUE(proof.starts_with("c2sp.org/tlog-proof@v1\nindex 1\n")) << proof;
  EXPECT_EQ(run_captured(by_path), (std::pair{0, proof}));
  by_index.out = scratch_.path("x.tlog-proof").string();
  EXPECT_EQ(run_captured(by_index).first, 0);
  EXPECT_EQ(test::content(by_index.out), proof);
}

/// Asks whether `proof` shows that `target` is in a log of the trust file (empty: the home's).
cli::LedgerOptions verifying(const CommandHome& scratch, const std::filesystem::path& proof,
                             const std::string& target, const std::string& trust = "") {
  cli::LedgerOptions options = asking(scratch, cli::LedgerOptions::Action::verify_proof, target);
  options.proof = proof.string();
  options.trust = trust;
  return options;
}

class ProofCommand : public LedgerCommand {
 protected:
  void SetUp() override {
    LedgerCommand::SetUp();
    cli::LedgerOptions options =
        asking(scratch_, cli::LedgerOptions::Action::prove, image_.string());
    options.out = proof_.string();
    const auto [code, out] = run_captured(options);
    ASSERT_EQ(code, 0) << out;
    entry_ = nlohmann::json::parse(out).at("entry");
  }
  const std::filesystem::path proof_ = scratch_.path("a.tlog-proof");
  std::string entry_;  // in hex
};

TEST_F(ProofCommand, proves_the_image_and_the_bytes_of_its_entry) {
  for (const std::string& target : {image_.string(), entry_}) {
    const auto [code, out] = run_captured(verifying(scratch_, proof_, target));
    EXPECT_EQ(code, 0) << out;
    const auto answer = nlohmann::json::parse(out);
    EXPECT_EQ(answer.at("status"), "proven");
    EXPECT_EQ(answer.at("index"), 1);
    EXPECT_EQ(answer.at("tree_size"), 2);
  }
  cli::LedgerOptions plain = verifying(scratch_, proof_, image_.string());
  plain.common.json = false;
  const auto [code, out] = run_captured(plain);
  EXPECT_EQ(code, 0);
  EXPECT_TRUE(out.starts_with("proven  ")) << out;
  EXPECT_NE(out.find("Entry 1 of "), std::string::npos) << out;
}

TEST_F(ProofCommand, is_refused_for_anything_else_and_with_any_bit_flipped) {
  const auto other = scratch_.write_image("b.dcm", "1.2.2", 2);
  ASSERT_EQ(run_captured(scratch_.sealing(other)).first, 0);
  EXPECT_EQ(run_captured(verifying(scratch_, proof_, other.string())).first, 2);
  EXPECT_EQ(run_captured(verifying(scratch_, proof_, "00")).first, 2);
  const auto unsealed = scratch_.write_image("c.dcm", "1.2.3", 3);
  EXPECT_EQ(run_captured(verifying(scratch_, proof_, unsealed.string())).first, 1);
  EXPECT_EQ(run_captured(verifying(scratch_, proof_, "nonsense")).first, 1);
  EXPECT_EQ(run_captured(verifying(scratch_, scratch_.path("none"), entry_)).first, 1);
  const std::string good = test::content(proof_);
  for (std::size_t bit = 0; bit < good.size() * 8; bit += 7) {
    std::string bad = good;
    bad[bit / 8] = static_cast<char>(bad[bit / 8] ^ (1 << (bit % 8)));
    ASSERT_TRUE(durable_write(proof_, as_bytes(bad)).has_value());
    const auto [code, out] = run_captured(verifying(scratch_, proof_, entry_));
    // 4: the name of a log that the trust file does not know.
    ASSERT_TRUE(code == 2 || code == 4) << bit << ": " << out;
    if (code == 2) {
      ASSERT_NE(out.find("a.tlog-proof"), std::string::npos) << out;
    }
  }
}

TEST_F(ProofCommand, counts_only_as_far_as_the_trust_file_allows) {
  const CommandHome stranger;
  const auto [code, out] =
      run_captured(verifying(scratch_, proof_, entry_, (stranger.home() / "trust.toml").string()));
  EXPECT_EQ(code, 4);
  EXPECT_EQ(nlohmann::json::parse(out).at("status"), "untrusted") << out;
  // The same ledger, but a witness is asked for that has not cosigned.
  std::string trust = test::content(scratch_.home() / "trust.toml");
  const std::string quorum = "quorum = 0";
  ASSERT_NE(trust.find(quorum), std::string::npos) << trust;
  const auto key = crypto::PrivateKey::generate(crypto::KeyKind::ed25519).value();
  const std::string vkey = ledger_format::write_vkey(ledger_format::make_vkey(
      "w.example", ledger_format::NoteKeyType::cosignature, key.public_key().write_ed25519()));
  trust.replace(trust.find(quorum), quorum.size(),
                "quorum = 1\n[[ledger.witness]]\nname = \"W\"\nkey = \"" + vkey + "\"");
  const auto strict = scratch_.path("strict.toml");
  ASSERT_TRUE(durable_write(strict, as_bytes(trust)).has_value());
  const auto [strict_code, said] =
      run_captured(verifying(scratch_, proof_, entry_, strict.string()));
  EXPECT_EQ(strict_code, 4) << said;
  EXPECT_NE(said.find("asks for 1 witnesses"), std::string::npos) << said;
}

TEST_F(LedgerCommand, refuses_what_is_not_in_the_ledger) {
  EXPECT_EQ(run_captured(asking(scratch_, cli::LedgerOptions::Action::prove, "2")).first, 1);
  const auto stranger = scratch_.write_image("b.dcm", "1.2.9", 9);
  EXPECT_EQ(
      run_captured(asking(scratch_, cli::LedgerOptions::Action::prove, stranger.string())).first,
      1);
}

TEST_F(LedgerCommand, check_keeps_its_state_and_goes_on_from_it) {
  cli::LedgerOptions options = asking(scratch_, cli::LedgerOptions::Action::check);
  options.resume = scratch_.path("check.state").string();
  const auto whole = run_captured(options);
  EXPECT_EQ(whole.first, 0);
  EXPECT_TRUE(ledger::read_check_state(*read_file(options.resume, 1 << 20))->finished);
  EXPECT_EQ(run_captured(options), whole);
  options.incremental = true;
  EXPECT_EQ(run_captured(options), whole);
  // A state of something else, and one that was damaged.
  ledger::CheckState state = *ledger::read_check_state(*read_file(options.resume, 1 << 20));
  state.origin = "example.org/other";
  ASSERT_TRUE(durable_write(options.resume, ledger::write_check_state(state)).has_value());
  const auto [code, out] = run_captured(options);
  EXPECT_EQ(code, 1);
  EXPECT_NE(out.find("example.org/other"), std::string::npos) << out;
  EXPECT_NE(out.find("check.state"), std::string::npos) << out;
  ASSERT_TRUE(durable_write(options.resume, as_bytes("no state")).has_value());
  const auto [damaged_code, damaged] = run_captured(options);
  EXPECT_EQ(damaged_code, 1);
  EXPECT_NE(damaged.find("malformed.check_state"), std::string::npos) << damaged;
}

TEST_F(LedgerCommand, check_takes_any_folder_with_its_key) {
  const auto home = home::Home::open(scratch_.home());
  cli::LedgerOptions options = asking(scratch_, cli::LedgerOptions::Action::check);
  options.common.home = "/nonexistent";
  options.folder = (scratch_.home() / "ledger").string();
  options.key = ledger_format::write_vkey(*home->ledger_vkey());
  EXPECT_EQ(run_captured(options).first, 0);
  options.folder.clear();
  EXPECT_EQ(run_captured(options).first, 1);
  options.folder = (scratch_.home() / "ledger").string();
  options.key = "example.org/other+00000000+AQ==";
  const auto [code, said] = run_captured(options);  // a key that does not fit its own name
  EXPECT_EQ(code, 1) << "a wrong option is no damage";
  EXPECT_NE(said.find("--key is not a verifier key: "), std::string::npos) << said;
}

TEST_F(LedgerCommand, check_says_that_there_is_no_signed_root) {
  ASSERT_TRUE(std::filesystem::remove(scratch_.home() / "ledger/signed-root.cbor"));
  const auto [code, out] = run_captured(asking(scratch_, cli::LedgerOptions::Action::check));
  EXPECT_EQ(code, 0);
  EXPECT_NE(out.find(R"("signed_root":"absent")"), std::string::npos) << out;
  EXPECT_NE(out.find("keeps no signed-root.cbor"), std::string::npos) << out;
  const auto [status_code, status] =
      run_captured(asking(scratch_, cli::LedgerOptions::Action::status));
  EXPECT_EQ(status_code, 0);
  EXPECT_EQ(status.find("checkpoint_at"), std::string::npos) << status;
}

TEST_F(LedgerCommand, check_against_another_copy_finds_a_split_view) {
  const auto home = home::Home::open(scratch_.home());
  const std::filesystem::path ours = scratch_.home() / "ledger";
  cli::LedgerOptions options = asking(scratch_, cli::LedgerOptions::Action::check);
  // The checkpoint that a partner kept, and the folder itself.
  for (const auto& other : {ours / "checkpoint", ours}) {
    options.against = other.string();
    const auto [code, out] = run_captured(options);
    EXPECT_EQ(code, 0) << out;
    EXPECT_NE(out.find(R"("status":"consistent")"), std::string::npos) << out;
  }
  // The key signs another tree of the same size.
  const ledger_format::Checkpoint forked{.origin = home->about().ledger_origin,
                                         .tree_size = 2,
                                         .root = crypto::sha256(as_bytes("another tree")),
                                         .extensions = {}};
  const auto note = ledger_format::write_note(ledger_format::write_checkpoint(forked),
                                              forked.origin, home->ledger_key().value());
  options.against = scratch_.path("forked").string();
  options.out = scratch_.path("evidence").string();
  ASSERT_TRUE(durable_write(options.against, as_bytes(*note)).has_value());
  const auto [code, out] = run_captured(options);
  EXPECT_EQ(code, 2) << out;
  EXPECT_NE(out.find(R"("status":"split-view")"), std::string::npos) << out;
  EXPECT_NE(out.find(to_hex(forked.root.view())), std::string::npos) << out;
  EXPECT_EQ(test::content(scratch_.path("evidence/checkpoint.other")), *note);
  EXPECT_EQ(test::content(scratch_.path("evidence/checkpoint.ours")),
            test::content(ours / "checkpoint"));
  options.common.json = false;
  const auto [text_code, text] = run_captured(options);
  EXPECT_EQ(text_code, 2);
  EXPECT_NE(text.find("split view"), std::string::npos) << text;
  EXPECT_NE(text.find("2 entries  root " + to_hex(forked.root.view())), std::string::npos) << text;
  // Something that is no checkpoint is no split view.
  ASSERT_TRUE(durable_write(options.against, as_bytes("nothing\n")).has_value());
  EXPECT_NE(run_captured(options).second.find("split"), 0U);
}

TEST_F(LedgerCommand, status_lists_the_witnesses_that_the_trust_file_knows) {
  const auto home = home::Home::open(scratch_.home());
  auto key = crypto::PrivateKey::generate(crypto::KeyKind::ed25519).value();
  const ledger_format::VerifierKey witness =
      ledger_format::make_vkey("witness.example/w1", ledger_format::NoteKeyType::cosignature,
                               key.public_key().write_ed25519());
  auto trust = trust::open_trust(home->trust_path()).value();
  trust.ledgers.front().witnesses.push_back({.name = "Partner", .key = witness});
  ASSERT_TRUE(durable_write(home->trust_path(), as_bytes(trust::write_trust(trust))).has_value());
  const auto before = run_captured(asking(scratch_, cli::LedgerOptions::Action::status));
  EXPECT_NE(before.second.find(R"("witnesses":[])"), std::string::npos) << before.second;

  const std::filesystem::path checkpoint = scratch_.home() / "ledger/checkpoint";
  const std::string note = test::content(checkpoint);
  const auto parsed = ledger_format::read_note(note).value();
  const auto line = ledger_format::cosign(parsed.text, witness, key, UnixTime{1'795'514'460});
  ASSERT_TRUE(line.has_value());
  ASSERT_TRUE(durable_write(checkpoint, as_bytes(note + ledger_format::write_signature_line(*line)))
                  .has_value());
  const auto [code, out] = run_captured(asking(scratch_, cli::LedgerOptions::Action::status));
  EXPECT_EQ(code, 0);
  EXPECT_NE(out.find(R"("witnesses":["Partner"])"), std::string::npos) << out;
  EXPECT_NE(out.find(R"({"witness":"Partner","time":"2026-11-24T10:01:00Z"})"), std::string::npos)
      << out;
}

}  // namespace
}  // namespace fiducia::app
