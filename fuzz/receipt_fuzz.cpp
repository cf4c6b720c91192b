// SPDX-License-Identifier: Apache-2.0
// COSE receipts from strangers.
#include "ledger_format/receipt.h"
#include "target.h"

using namespace fiducia;

FIDUCIA_FUZZ_TARGET(receipt) {
  static const crypto::PublicKey key =
      crypto::PrivateKey::generate(crypto::KeyKind::ed25519)->public_key();
  const ByteView encoded = std::as_bytes(std::span{data, size});
  const auto receipt = ledger_format::read_receipt(encoded);
  if (!receipt) return 0;
  FIDUCIA_ASSERT(receipt->leaf_index < receipt->tree_size);
  FIDUCIA_ASSERT(!receipt->path.empty() && receipt->path.size() <= 64);
  FIDUCIA_ASSERT(same_bytes(receipt->encoded, encoded));
  // Nobody knows the key: whatever verifies is a forgery.
  FIDUCIA_ASSERT(!ledger_format::verify_receipt(*receipt, Digest{}, key).has_value());
  // What we write of the same parts says the same.
  const auto message = crypto::read_sign1(encoded);
  FIDUCIA_ASSERT(message.has_value());
  const ledger_format::SignedRoot root{
      .protected_bytes = {message->protected_bytes.begin(), message->protected_bytes.end()},
      .signature = {message->signature.begin(), message->signature.end()}};
  const auto again = ledger_format::read_receipt(
      ledger_format::write_receipt(root, receipt->tree_size, receipt->leaf_index, receipt->path));
  FIDUCIA_ASSERT(again.has_value());
  FIDUCIA_ASSERT(again->path == receipt->path && again->leaf_index == receipt->leaf_index &&
                 again->tree_size == receipt->tree_size && again->issuer == receipt->issuer &&
                 again->issued_at == receipt->issued_at);
  return 0;
}
