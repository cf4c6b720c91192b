// SPDX-License-Identifier: Apache-2.0
// Packed bytes from the server of a log.
#include "ledger_net/gzip.h"
#include "target.h"

using namespace fiducia;

FIDUCIA_FUZZ_TARGET(gzip) {
  const ByteView bytes = std::as_bytes(std::span{data, size});
  constexpr std::uint64_t bytes_max = 100'000;
  if (const auto plain = ledger_net::gunzip(bytes, bytes_max)) {
    FIDUCIA_ASSERT(plain->size() <= bytes_max);
    if (!plain->empty()) FIDUCIA_ASSERT(!ledger_net::gunzip(bytes, plain->size() - 1).has_value());
  }
  const auto again = ledger_net::gunzip(ledger_net::gzip(bytes), size);
  FIDUCIA_ASSERT(again.has_value() && same_bytes(*again, bytes));
  return 0;
}
