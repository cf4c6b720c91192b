// SPDX-License-Identifier: Apache-2.0
// COSE_Sign1 and its headers on any bytes: a message that is read survives being put together
// again, determinism only narrows what is accepted, and no forgery verifies.
#include <cstdint>

#include "crypto/cose.h"
#include "target.h"

FIDUCIA_FUZZ_TARGET(cose) {
  using namespace fiducia;
  using namespace fiducia::crypto;
  static const PrivateKey key = PrivateKey::generate(KeyKind::ed25519).value();
  static const PublicKey public_key = key.public_key();

  const ByteView input = std::as_bytes(std::span(data, size));
  const auto message = read_sign1(input);
  const auto strict = read_sign1(input, CborOrder::deterministic);
  if (!message) {
    FIDUCIA_ASSERT(!strict);
    return 0;
  }
  const Bytes again = assemble_sign1(message->protected_bytes, message->unprotected_map,
                                     message->payload, message->signature);
  const auto reread = read_sign1(again);
  FIDUCIA_ASSERT(reread && same_bytes(reread->protected_bytes, message->protected_bytes) &&
                 same_bytes(reread->unprotected_map, message->unprotected_map) &&
                 reread->payload.has_value() == message->payload.has_value() &&
                 same_bytes(reread->signature, message->signature));
  if (strict && static_cast<unsigned>(input.front()) == 0xd2) {
    FIDUCIA_ASSERT(same_bytes(again, input));
  }
  const auto headers = read_headers(*message);
  const Status verified = verify_sign1(*message, public_key, message->payload.value_or(ByteView()));
  FIDUCIA_ASSERT(!verified);  // nobody but us holds the key
  if (headers) {
    FIDUCIA_ASSERT(headers->x5chain.size() <= limits::certificate_chain_max);
    for (const Certificate& certificate : headers->x5chain) {
      FIDUCIA_ASSERT(
          same_bytes(Certificate::read_der(certificate.der()).value().der(), certificate.der()));
      static_cast<void>(certificate.public_key());
      static_cast<void>(certificate.common_name());
      FIDUCIA_ASSERT(verify_chain(headers->x5chain, {}, UnixTime{1'750'000'000}, Role::seal) !=
                     ChainStatus::ok);
    }
  }
  return 0;
}
