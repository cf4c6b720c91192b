// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "core/core.h"

namespace fiducia::ledger {

/// How far a check of a log came: what it found in the entries before `bundles` x 256, as the
/// tree they make. The next check goes on from there (spec/ledger.md, "State of a check").
struct CheckState {
  std::string origin;
  std::string vkey;           // the key whose checkpoint was checked
  std::uint64_t bundles = 0;  // full entry bundles that were checked, with their tiles
  /// levels[l]: the hashes of the partial tile of level l, the tree's right frontier; as many
  /// levels as the tree has; levels[0] is empty, for bundles are counted whole.
  std::vector<std::vector<Digest>> levels;
  Digest root;            // that they lead to
  bool finished = false;  // the check came to the end and found the log intact
};

/// Deterministic CBOR, at most limits::ledger_check_state_bytes_max.
[[nodiscard]] Bytes write_check_state(const CheckState& state);
/// Checks the digest, and that count, levels and root fit each other.
/// Errors: malformed (kind "check_state").
[[nodiscard]] Result<CheckState> read_check_state(ByteView encoded);

/// The state in `file` from which a check goes on: absent where there is no such file, and where
/// the check that left it came to its end, unless only what was appended since is to be checked
/// (`incremental`). Errors: io_unreadable, over_limit, malformed (kind "check_state"), with the
/// file.
[[nodiscard]] Result<std::optional<CheckState>> find_check_state(const std::filesystem::path& file,
                                                                 bool incremental);

}  // namespace fiducia::ledger
