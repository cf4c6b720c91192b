// SPDX-License-Identifier: Apache-2.0
#include "crypto/token_key.h"
#include "ledger_support.h"

namespace fiducia::ledger::test {
namespace {

TEST(LogSigningKey, in_a_token_signs_the_log_and_is_in_no_file) {
  const ScratchFolder scratch;
  const fs::path folder = scratch.path() / "ledger";
  const auto token = std::make_shared<TokenKey>(crypto::KeyKind::ed25519);
  ASSERT_TRUE(Log::create(folder, origin, *token, noon).has_value());
  const int signed_at_creation = token->signatures;
  EXPECT_GE(signed_at_creation, 2) << "a checkpoint and a root for receipts";
  auto log = Log::open(folder, token, at(noon));
  ASSERT_TRUE(log.has_value()) << sentence(log.error());
  const auto appended = append_shown(*log, counter_entries(0, 3));
  ASSERT_TRUE(appended.has_value()) << sentence(appended.error());
  EXPECT_GT(token->signatures, signed_at_creation);
  const auto receipt = ledger_format::read_receipt(appended->back().receipt);
  ASSERT_TRUE(receipt.has_value());
  EXPECT_TRUE(ledger_format::verify_receipt(*receipt, merkle::leaf_hash(counter_entry(2)),
                                            token->public_key())
                  .has_value());
  EXPECT_TRUE(check_log(folder, vkey_of(*token))->ok);

  token->plugged_in = false;
  const auto refused = log->append(counter_entries(3, 1));
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, ErrorCode::crypto_failed);
  token->plugged_in = true;
  EXPECT_TRUE(append_shown(*log, counter_entries(3, 1)).has_value()) << "the log goes on";
  EXPECT_EQ(LogReader::open(folder, vkey_of(*token))->status().tree_size, 5U);
}

TEST(LogSigningKey, of_another_kind_than_ed25519_makes_no_log) {
  const ScratchFolder scratch;
  const TokenKey p256{crypto::KeyKind::p256};
  const auto made = Log::create(scratch.path() / "ledger", origin, p256, noon);
  ASSERT_FALSE(made.has_value());
  EXPECT_EQ(made.error().code, ErrorCode::unsupported);
  EXPECT_EQ(p256.signatures, 0);
}

}  // namespace
}  // namespace fiducia::ledger::test
