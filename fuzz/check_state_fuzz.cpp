// SPDX-License-Identifier: Apache-2.0
// States of a check, which lie in files that anybody may have written.
#include "ledger/check_state.h"
#include "target.h"

using namespace fiducia;

FIDUCIA_FUZZ_TARGET(check_state) {
  const ByteView encoded = std::as_bytes(std::span{data, size});
  const auto state = ledger::read_check_state(encoded);
  if (!state) {
    FIDUCIA_ASSERT(code_word(state.error()) == "malformed.check_state");
    return 0;
  }
  FIDUCIA_ASSERT(state->levels.size() <= 8);
  FIDUCIA_ASSERT(same_bytes(ledger::write_check_state(*state), encoded));
  return 0;
}
