// SPDX-License-Identifier: Apache-2.0
// Packed bytes from the server of a log.
#include "exchange/gzip.h"
#include "target.h"

using namespace fiducia;

FIDUCIA_FUZZ_TARGET(gzip) {
  const ByteView bytes = std::as_bytes(std::span{data, size});
  constexpr std::uint64_t bytes_max = 100'000;
  if (const auto plain = exchange::gunzip(bytes, bytes_max)) {
    FIDUCIA_ASSERT(plain->size() <= bytes_max);
    if (!plain->empty()) FIDUCIA_ASSERT(!exchange::gunzip(bytes, plain->size() - 1).has_value());
  }
  const auto again = exchange::gunzip(exchange::gzip(bytes), size);
  FIDUCIA_ASSERT(again.has_value() && same_bytes(*again, bytes));
  return 0;
}
