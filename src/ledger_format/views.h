// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "core/core.h"
#include "ledger_format/note.h"
#include "ledger_format/tree.h"

/// Whether two checkpoints of one log can belong to one history. A log that shows different
/// people different trees (a split view) has been altered or is run by a liar.
namespace fiducia::ledger_format {

enum class Views {
  consistent,  // the larger tree continues the smaller one
  split,       // proven: no tree continues both
  unknown,     // neither could be shown
};

struct ViewComparison {
  Views views = Views::unknown;
  Checkpoint smaller;  // by size; of two of the same size the first
  Checkpoint larger;
  std::string text;  // one sentence
};

/// PROOF(first, D[second]) of the log that is asked (RFC 9162 section 2.1.4.1); nothing of it is
/// believed before it was verified.
using ConsistencyProofs =
    std::function<Result<std::vector<Digest>>(std::uint64_t first, std::uint64_t second)>;

/// Compares two signed notes, each with a good signature by `key`. `larger_nodes` are the nodes
/// of the larger tree, verified against its root (a TileStore, say): they decide in every case.
/// Without them (null) `proofs` is asked, if there is one: a proof that fails shows a split only
/// where it leads to the larger root and not to the smaller one; otherwise the result is
/// `unknown`. Errors: malformed, signature_bad (a note is none of this key's), usage_invalid (the
/// origins differ).
[[nodiscard]] Result<ViewComparison> compare_views(std::string_view first, std::string_view second,
                                                   const VerifierKey& key,
                                                   const NodeSource* larger_nodes,
                                                   const ConsistencyProofs& proofs = {});

/// The root of the first `size` leaves. Errors: as `nodes`.
[[nodiscard]] Result<Digest> root_at(const NodeSource& nodes, std::uint64_t size);

}  // namespace fiducia::ledger_format
