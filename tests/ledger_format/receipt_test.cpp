// SPDX-License-Identifier: Apache-2.0
#include "ledger_format/receipt.h"

#include "format_support.h"

namespace fiducia::ledger_format::test {
namespace {

struct MadeReceipt {
  crypto::PrivateKey key = new_key();
  std::vector<Digest> leaves;
  SignedRoot signed_root;
  explicit MadeReceipt(std::uint64_t size) {
    for (std::uint64_t i = 0; i < size; ++i) leaves.push_back(merkle::leaf_hash(counter_entry(i)));
    signed_root = sign_root(key, origin, noon, merkle::root(leaves)).value();
  }
  Bytes receipt(std::uint64_t index) const {
    return write_receipt(signed_root, leaves.size(), index, merkle::inclusion_proof(leaves, index));
  }
};

TEST(Receipt, verifies_for_each_leaf_and_for_no_other) {
  const MadeReceipt made{7};
  for (std::uint64_t index = 0; index < 7; ++index) {
    const auto receipt = read_receipt(made.receipt(index));
    ASSERT_TRUE(receipt.has_value()) << sentence(receipt.error());
    EXPECT_EQ(receipt->tree_size, 7U);
    EXPECT_EQ(receipt->leaf_index, index);
    EXPECT_EQ(receipt->issuer, origin);
    EXPECT_EQ(receipt->issued_at, noon);
    for (std::uint64_t other = 0; other < 7; ++other) {
      const auto root = verify_receipt(*receipt, made.leaves[other], made.key.public_key());
      ASSERT_EQ(root.has_value(), other == index);
      if (root)
        EXPECT_EQ(*root, merkle::root(made.leaves));
      else
        EXPECT_EQ(root.error().code, ErrorCode::signature_bad);
    }
    EXPECT_FALSE(verify_receipt(*receipt, made.leaves[index], new_key().public_key()).has_value());
  }
}

TEST(Receipt, tells_nothing_false_whichever_bit_is_flipped) {
  const MadeReceipt made{5};
  const Bytes good = made.receipt(3);
  int tree_sizes = 0;
  for (std::size_t bit = 0; bit < good.size() * 8; ++bit) {
    Bytes broken = good;
    broken[bit / 8] ^= std::byte{1} << (bit % 8);
    const auto receipt = read_receipt(broken);
    if (!receipt || !verify_receipt(*receipt, made.leaves[3], made.key.public_key())) continue;
    // RFC 9942 signs the root alone: leaf 3 has the same path in every tree of 5 to 8 leaves.
    ASSERT_TRUE(receipt->tree_size >= 5 && receipt->tree_size <= 8) << "bit " << bit;
    ASSERT_EQ(receipt->leaf_index, 3U) << "bit " << bit;
    ASSERT_EQ(receipt->issued_at, noon) << "bit " << bit;
    ++tree_sizes;
  }
  EXPECT_LE(tree_sizes, 3);
  for (std::size_t length = 0; length < good.size(); ++length)
    ASSERT_FALSE(read_receipt(std::span{good}.first(length)).has_value()) << length;
  Bytes longer = good;
  longer.push_back(std::byte{0});
  EXPECT_FALSE(read_receipt(longer).has_value());
}

TEST(Receipt, does_not_verify_when_its_fields_were_filled_in_by_hand) {
  const MadeReceipt made{5};
  const auto receipt = read_receipt(made.receipt(3)).value();
  const auto verifies = [&](const Receipt& changed) {
    return verify_receipt(changed, made.leaves[3], made.key.public_key()).has_value();
  };
  ASSERT_TRUE(verifies(receipt));
  Receipt changed = receipt;
  changed.issued_at = UnixTime{noon.seconds - 1};
  EXPECT_FALSE(verifies(changed));
  changed = receipt;
  changed.issuer = "example.com/other";
  EXPECT_FALSE(verifies(changed));
  changed = receipt;
  changed.leaf_index = 2;
  EXPECT_FALSE(verifies(changed));
  changed = receipt;
  changed.encoded.clear();
  EXPECT_FALSE(verifies(changed));
}

/// A receipt from parts, to leave out or to change one of them.
struct Parts {
  std::optional<std::int64_t> alg = -8;
  std::optional<std::int64_t> vds = 1;
  bool tag = true;
  bool attached = false;
  std::uint64_t tree_size = 2;
  std::uint64_t leaf_index = 0;
  std::vector<Bytes> path = {Bytes(32)};
  int proofs = 1;
  std::int64_t vdp = -1;
};
Bytes build(const Parts& parts) {
  crypto::CborWriter header;
  header.map(2U + (parts.alg ? 1 : 0) + (parts.vds ? 1 : 0) - 1U);
  if (parts.alg) header.uint(1), header.integer(*parts.alg);
  header.uint(15);
  header.map(1);
  header.uint(1);
  header.text(origin);
  if (parts.vds) header.uint(395), header.integer(*parts.vds);
  crypto::CborWriter proof;
  proof.array(3);
  proof.uint(parts.tree_size);
  proof.uint(parts.leaf_index);
  proof.array(parts.path.size());
  for (const Bytes& hash : parts.path) proof.bytes(hash);
  const Bytes proof_bytes = proof.take();
  crypto::CborWriter message;
  if (parts.tag) message.tag(18);
  message.array(4);
  message.bytes(header.take());
  message.map(1);
  message.uint(396);
  message.map(1);
  message.integer(parts.vdp);
  message.array(static_cast<std::uint64_t>(parts.proofs));
  for (int i = 0; i < parts.proofs; ++i) message.bytes(proof_bytes);
  if (parts.attached)
    message.bytes(Bytes(32));
  else
    message.null();
  message.bytes(Bytes(64));
  return message.take();
}

TEST(Receipt, refuses_what_rfc_9942_does_not_allow) {
  ASSERT_TRUE(read_receipt(build({})).has_value());
  struct Row {
    const char* name;
    Parts parts;
    const char* word;
  };
  for (const Row& row :
       {Row{"no tag", {.tag = false}, "malformed.receipt"},
        Row{"no alg", {.alg = {}}, "malformed.receipt"},
        Row{"no vds", {.vds = {}}, "malformed.receipt"},
        Row{"another vds", {.vds = 2}, "unsupported.vds"},
        Row{"payload attached", {.attached = true}, "malformed.receipt"},
        Row{"index past the end", {.leaf_index = 2}, "malformed.receipt"},
        Row{"empty path", {.tree_size = 1, .path = {}}, "malformed.receipt"},
        Row{"short hash", {.path = {Bytes(31)}}, "malformed.receipt"},
        Row{"long hash", {.path = {Bytes(33)}}, "malformed.receipt"},
        Row{"65 hashes", {.path = std::vector<Bytes>(65, Bytes(32))}, "malformed.receipt"},
        Row{"no proof", {.proofs = 0}, "malformed.receipt"},
        Row{"two proofs", {.proofs = 2}, "malformed.receipt"},
        Row{"consistency", {.vdp = -2}, "malformed.receipt"}}) {
    SCOPED_TRACE(row.name);
    const auto receipt = read_receipt(build(row.parts));
    ASSERT_FALSE(receipt.has_value());
    EXPECT_EQ(code_word(receipt.error()), row.word);
  }
}

TEST(Receipt, of_another_algorithm_does_not_verify) {
  const MadeReceipt made{2};
  crypto::Sign1Spec spec{.algorithm = crypto::SignatureAlgorithm::es256,
                         .x5chain = {},
                         .content_type = {},
                         .kid = {},
                         .issuer = origin,
                         .issued_at = noon,
                         .vds = 1,
                         .detached = true};
  SignedRoot forged = made.signed_root;
  forged.protected_bytes = crypto::write_protected(spec);
  const auto receipt =
      read_receipt(write_receipt(forged, 2, 0, merkle::inclusion_proof(made.leaves, 0)));
  ASSERT_TRUE(receipt.has_value());
  const auto root = verify_receipt(*receipt, made.leaves[0], made.key.public_key());
  ASSERT_FALSE(root.has_value());
  EXPECT_EQ(root.error().code, ErrorCode::signature_bad);
}

TEST(Receipt, of_the_working_group_is_read_and_its_consistency_twin_refused) {
  const Bytes encoded = read_file(data("vectors/cose-inclusion-receipt.cbor"), 4096).value();
  const auto receipt = read_receipt(encoded);
  ASSERT_TRUE(receipt.has_value()) << sentence(receipt.error());
  EXPECT_EQ(receipt->tree_size, 5U);
  EXPECT_EQ(receipt->leaf_index, 3U);
  EXPECT_EQ(receipt->path.size(), 3U);
  EXPECT_EQ(receipt->issuer, "https://transparency-service.example.com");
  EXPECT_FALSE(receipt->issued_at.has_value());
  const auto consistency =
      read_receipt(read_file(data("vectors/cose-consistency-receipt.cbor"), 4096).value());
  ASSERT_FALSE(consistency.has_value());
  EXPECT_EQ(code_word(consistency.error()), "malformed.receipt");
}

TEST(SignedRoot, needs_an_ed25519_key) {
  const auto p256 = crypto::PrivateKey::generate(crypto::KeyKind::p256).value();
  EXPECT_EQ(sign_root(p256, origin, noon, {}).error().code, ErrorCode::unsupported);
}

}  // namespace
}  // namespace fiducia::ledger_format::test
