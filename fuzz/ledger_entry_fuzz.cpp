// SPDX-License-Identifier: Apache-2.0
// Ledger entries and the names of tiles, both read from logs of strangers.
#include "ledger_format/ledger_format.h"
#include "target.h"

using namespace fiducia;

FIDUCIA_FUZZ_TARGET(ledger_entry) {
  const ByteView encoded = std::as_bytes(std::span{data, size});
  if (const auto entry = ledger_format::read_entry(encoded))
    FIDUCIA_ASSERT(same_bytes(ledger_format::write_entry(*entry), encoded));  // one spelling
  if (const auto address = ledger_format::read_tile_path(as_text(encoded)))
    FIDUCIA_ASSERT(ledger_format::tile_path(*address) == as_text(encoded));
  return 0;
}
