// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <random>

#include "crypto/token_key.h"
#include "hospital.h"
#include "images.h"
#include "seal/seal.h"

namespace fiducia::test {
namespace {

Bytes some_file() {
  std::mt19937_64 prng{1};
  const ImageShape shape;
  return image_data_set(shape, random_samples(prng, shape)).file(explicit_le);
}

TEST(SigningKey, in_a_token_seals_what_verifies) {
  for (const crypto::KeyKind kind : {crypto::KeyKind::p256, crypto::KeyKind::p384}) {
    Hospital hospital;
    const auto token = std::make_shared<TokenKey>(kind);
    hospital.sign_with(token);
    const Bytes sealed = hospital.seal_in_file(some_file());
    EXPECT_EQ(token->signatures, 1);
    const seal::VerifyResult result = hospital.verify_carried(sealed);
    EXPECT_EQ(result.verdict, finding::Verdict::authentic) << describe(result);
    ASSERT_TRUE(result.seal.has_value());
    EXPECT_EQ(result.seal->signer_key, token->public_key().hash());
  }
}

TEST(SigningKey, in_a_token_that_is_pulled_out_seals_nothing_and_says_so) {
  Hospital hospital;
  const auto token = std::make_shared<TokenKey>(crypto::KeyKind::p256);
  hospital.sign_with(token);
  token->plugged_in = false;
  const auto draft =
      seal::draft_seal(read_dicom(some_file()), hospital.signer(), hospital.now, nullptr, nullptr);
  ASSERT_FALSE(draft.has_value());
  EXPECT_EQ(draft.error().code, ErrorCode::crypto_failed);
  EXPECT_EQ(draft.error().what, "The token does not answer.");
}

}  // namespace
}  // namespace fiducia::test
