// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <memory>
#include <string>

#include "core/core.h"

namespace fiducia::ledger_format {

/// What an append is answered with, once the checkpoint that contains it is durable.
struct Appended {
  std::uint64_t index = 0;
  std::uint64_t tree_size = 0;  // of the checkpoint below
  Bytes receipt;                // COSE receipt of inclusion in that checkpoint
  UnixTime checkpoint_at;
  std::shared_ptr<const std::string> checkpoint;  // the signed note, without cosignatures
};

}  // namespace fiducia::ledger_format
