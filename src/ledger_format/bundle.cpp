// SPDX-License-Identifier: Apache-2.0
#include "ledger_format/bundle.h"

namespace fiducia::ledger_format {

void append_to_bundle(Bytes& bundle, ByteView entry) {
  append_be(bundle, narrow<std::uint16_t>(entry.size()));
  append(bundle, entry);
}

Result<std::vector<ByteView>> read_bundle(ByteView bundle, std::size_t count, bool exact) {
  ByteCursor cursor{bundle};
  std::vector<ByteView> entries;
  entries.reserve(count);
  while (entries.size() < count) {
    FIDUCIA_TRY(length, cursor.be<std::uint16_t>());
    FIDUCIA_TRY(entry, cursor.take(length));
    entries.push_back(entry);
  }
  if (exact && cursor.remaining() != 0)
    return fail_malformed("bundle", "Bytes follow the last entry.", cursor.offset());
  return entries;
}

}  // namespace fiducia::ledger_format
