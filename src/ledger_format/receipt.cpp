// SPDX-License-Identifier: Apache-2.0
#include "ledger_format/receipt.h"

#include <algorithm>

namespace fiducia::ledger_format {
namespace {

constexpr std::uint64_t tag_sign1 = 18;     // RFC 9052 section 4.2; receipts must carry it
constexpr std::int64_t vds_rfc9162 = 1;     // RFC 9942: RFC9162_SHA256
constexpr std::int64_t label_vdp = 396;     // RFC 9942: proofs, unprotected
constexpr std::int64_t vdp_inclusion = -1;  // for RFC9162_SHA256

std::unexpected<Error> bad_receipt(std::string what) {
  return fail_malformed("receipt", std::move(what));
}

/// Inner readers say "cbor" or "truncated"; to the caller it is the receipt that is bad.
std::unexpected<Error> as_receipt_error(Error error) {
  if (error.code == ErrorCode::malformed || error.code == ErrorCode::truncated) {
    error.code = ErrorCode::malformed;
    error.kind = "receipt";
  }
  return std::unexpected(std::move(error));
}

/// [tree-size, leaf-index, [+ bstr]] (RFC 9942, RFC9162_SHA256 inclusion proof).
Status read_proof(ByteView encoded, Receipt& receipt) {
  crypto::CborReader reader{encoded, crypto::CborOrder::any};
  FIDUCIA_TRY(fields, reader.array());
  if (fields != 3) return bad_receipt("The inclusion proof does not have three parts.");
  FIDUCIA_TRY(tree_size, reader.uint());
  FIDUCIA_TRY(leaf_index, reader.uint());
  if (leaf_index >= tree_size) return bad_receipt("The leaf index is not below the tree size.");
  FIDUCIA_TRY(count, reader.array());
  if (count == 0) return bad_receipt("The inclusion path is empty.");
  if (count > limits::inclusion_path_max) return bad_receipt("The inclusion path is too long.");
  for (std::size_t i = 0; i < count; ++i) {
    FIDUCIA_TRY(hash, reader.bytes());
    const auto digest = digest_from_bytes(hash);
    if (!digest) return bad_receipt("A hash of the inclusion path is not 32 bytes.");
    receipt.path.push_back(*digest);
  }
  receipt.tree_size = tree_size;
  receipt.leaf_index = leaf_index;
  return reader.finish();
}

Result<Receipt> read_receipt_parts(ByteView encoded) {
  crypto::CborReader outer{encoded, crypto::CborOrder::any};
  FIDUCIA_TRY(tag, outer.tag());
  if (tag != tag_sign1) return bad_receipt("A receipt does not carry tag 18.");
  FIDUCIA_TRY(message, crypto::read_sign1(encoded, crypto::CborOrder::any));
  if (message.payload)
    return bad_receipt("The payload is attached; a receipt leaves the root to be recomputed.");
  FIDUCIA_TRY(headers, crypto::read_headers(message));
  if (!headers.algorithm) return bad_receipt("The protected header names no algorithm.");
  if (!headers.vds) return bad_receipt("The protected header names no verifiable data structure.");
  if (*headers.vds != vds_rfc9162) {
    Error error{.code = ErrorCode::unsupported,
                .what = "The receipt is about another kind of tree than RFC9162_SHA256.",
                .kind = "vds"};
    return std::unexpected(std::move(error));
  }
  if (headers.inclusion_proofs.size() != 1)
    return bad_receipt("The receipt does not hold exactly one inclusion proof.");
  Receipt receipt;
  FIDUCIA_CHECK(read_proof(headers.inclusion_proofs.front(), receipt));
  if (headers.issued_at) receipt.issued_at = UnixTime{*headers.issued_at};
  receipt.issuer = headers.issuer.value_or("");
  receipt.encoded.assign(encoded.begin(), encoded.end());
  return receipt;
}

bool same_claims(const Receipt& a, const Receipt& b) {
  return a.tree_size == b.tree_size && a.leaf_index == b.leaf_index && a.path == b.path &&
         a.issued_at == b.issued_at && a.issuer == b.issuer;
}

}  // namespace

Result<Receipt> read_receipt(ByteView encoded) {
  auto receipt = read_receipt_parts(encoded);
  if (!receipt) return as_receipt_error(std::move(receipt).error());
  return receipt;
}

Result<Digest> verify_receipt(const Receipt& receipt, const Digest& leaf,
                              const crypto::PublicKey& log_key) {
  // What the caller reads off the struct must be what the signature covers, so the message is
  // read anew: a Receipt somebody filled in by hand does not verify.
  const auto fresh = read_receipt(receipt.encoded);
  if (!fresh || !same_claims(*fresh, receipt))
    return fail(ErrorCode::signature_bad, "The receipt's fields are not those of its message.");
  if (receipt.issuer.empty())
    return fail(ErrorCode::signature_bad, "The receipt does not name the log that issued it.");
  FIDUCIA_TRY(
      root, merkle::root_from_inclusion(receipt.leaf_index, receipt.tree_size, leaf, receipt.path));
  FIDUCIA_TRY(message, crypto::read_sign1(receipt.encoded, crypto::CborOrder::any));
  if (const auto verified = crypto::verify_sign1(message, log_key, root.view()); !verified)
    return fail(ErrorCode::signature_bad,
                "The log's signature does not cover the root that leaf and path lead to: " +
                    verified.error().what,
                "The receipt belongs to other content or another log, or was altered.");
  if (!crypto::has_low_s(log_key.kind(), message.signature))
    return fail(ErrorCode::signature_bad, "The log's signature is not written with low s.",
                "The receipt was altered after the log signed it.");
  return root;
}

Result<SignedRoot> sign_root(const crypto::SigningKey& log_key, const std::string& origin,
                             UnixTime time, const Digest& root) {
  if (log_key.public_key().kind() != crypto::KeyKind::ed25519)
    return fail(ErrorCode::unsupported, "Receipts are signed with an Ed25519 key.",
                "Make an Ed25519 key for the log.");
  const crypto::Sign1Spec spec{.algorithm = crypto::SignatureAlgorithm::eddsa,
                               .x5chain = {},
                               .content_type = {},
                               .kid = {},
                               .issuer = origin,
                               .issued_at = time,
                               .vds = vds_rfc9162,
                               .detached = true};
  SignedRoot signed_root;
  signed_root.protected_bytes = crypto::write_protected(spec);
  FIDUCIA_TRY(signature,
              log_key.sign(spec.algorithm,
                           crypto::sig_structure(signed_root.protected_bytes, {}, root.view())));
  signed_root.signature = std::move(signature);
  return signed_root;
}

Bytes write_receipt(const SignedRoot& signed_root, std::uint64_t tree_size,
                    std::uint64_t leaf_index, std::span<const Digest> path) {
  FIDUCIA_ASSERT(!path.empty() && leaf_index < tree_size);
  crypto::CborWriter proof;
  proof.array(3);
  proof.uint(tree_size);
  proof.uint(leaf_index);
  proof.array(path.size());
  for (const Digest& hash : path) proof.bytes(hash.view());
  crypto::CborWriter unprotected;
  unprotected.map(1);
  unprotected.integer(label_vdp);
  unprotected.map(1);
  unprotected.integer(vdp_inclusion);
  unprotected.array(1);
  unprotected.bytes(proof.take());
  return crypto::assemble_sign1(signed_root.protected_bytes, unprotected.take(), std::nullopt,
                                signed_root.signature);
}

}  // namespace fiducia::ledger_format
