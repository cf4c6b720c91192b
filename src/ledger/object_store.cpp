// SPDX-License-Identifier: Apache-2.0
#include "ledger/object_store.h"

namespace fiducia::ledger {

Result<Bytes> read_object(const ObjectSource& source, const std::string& path,
                          std::uint64_t bytes_max) {
  FIDUCIA_TRY(found, source.read(path, bytes_max));
  if (!found)
    return fail(ErrorCode::io_unreadable, "is not there.",
                "Restore the file from a backup or a mirror of the log.", Location{.file = path});
  return std::move(*found);
}

}  // namespace fiducia::ledger
