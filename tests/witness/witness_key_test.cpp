// SPDX-License-Identifier: Apache-2.0
#include "crypto/token_key.h"
#include "witness_support.h"

namespace fiducia::witness::test {
namespace {

TEST(WitnessKey, in_a_token_cosigns_and_is_in_no_file) {
  const ScratchFolder scratch;
  const fs::path folder = scratch.path() / "witness";
  const MadeLog log;
  const auto token = std::make_shared<TokenKey>(crypto::KeyKind::ed25519);
  ASSERT_TRUE(Witness::create(folder, "witness.example.org", token.get()).has_value());
  EXPECT_FALSE(fs::exists(folder / "key.pem"));
  const auto witness = Witness::open(folder, at(noon), token);
  ASSERT_TRUE(witness.has_value()) << sentence(witness.error());
  ASSERT_TRUE(witness->add_log(log.name(), log.vkey()).has_value());
  const AddCheckpoint request = make_request(log, 0, 4);
  const auto answer = witness->add_checkpoint(request);
  ASSERT_TRUE(answer.has_value()) << sentence(answer.error());
  EXPECT_EQ(answer->status, WitnessStatus::cosigned);
  EXPECT_EQ(verified_answer(*answer, request.note, witness->key()).time, noon);
  EXPECT_EQ(token->signatures, 1);

  token->plugged_in = false;
  const auto refused = witness->add_checkpoint(make_request(log, 4, 6));
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, ErrorCode::crypto_failed);
}

TEST(WitnessKey, that_is_not_the_witnesss_own_opens_nothing) {
  const ScratchFolder scratch;
  const fs::path folder = scratch.path() / "witness";
  const TokenKey token{crypto::KeyKind::ed25519};
  ASSERT_TRUE(Witness::create(folder, "witness.example.org", &token).has_value());
  const auto other =
      Witness::open(folder, at(noon), std::make_shared<TokenKey>(crypto::KeyKind::ed25519));
  ASSERT_FALSE(other.has_value());
  EXPECT_EQ(other.error().code, ErrorCode::config_invalid);
  EXPECT_FALSE(Witness::open(folder, at(noon)).has_value()) << "there is no key.pem";
  const TokenKey p256{crypto::KeyKind::p256};
  EXPECT_EQ(Witness::create(scratch.path() / "other", "w.example.org", &p256).error().code,
            ErrorCode::unsupported);
}

}  // namespace
}  // namespace fiducia::witness::test
