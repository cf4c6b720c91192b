// SPDX-License-Identifier: Apache-2.0
#include "ledger_format/views.h"

#include <bit>
#include <utility>

#include "merkle/merkle.h"

namespace fiducia::ledger_format {
namespace {

/// Whether `proof` leads to the root of the larger tree with *some* smaller tree. It then names
/// that smaller tree's root, which is the one the larger tree has: hashes do not collide.
bool leads_to_another_old_root(const ViewComparison& views, std::span<const Digest> proof) {
  const std::uint64_t first = views.smaller.tree_size;
  // A proof from a power of two starts at the smaller root itself and says nothing when it fails.
  if (std::has_single_bit(first)) return false;
  const auto roots =
      merkle::roots_from_consistency(first, views.larger.tree_size, views.smaller.root, proof);
  return roots && roots->first != views.smaller.root && roots->second == views.larger.root;
}

std::string sizes_of(const ViewComparison& views) {
  return std::to_string(views.smaller.tree_size) + " and " +
         std::to_string(views.larger.tree_size) + " entries";
}

void say(ViewComparison& result, Views views, std::string text) {
  result.views = views;
  result.text = std::move(text);
}

void say_split(ViewComparison& result) {
  say(result, Views::split,
      "Split view: the log signed trees of " + sizes_of(result) +
          ", and the larger does not continue the smaller.");
}

void say_consistent(ViewComparison& result) {
  say(result, Views::consistent, "The trees of " + sizes_of(result) + " are one history.");
}

}  // namespace

Result<Digest> root_at(const NodeSource& nodes, std::uint64_t size) {
  if (size == 0) return merkle::empty_root();
  FIDUCIA_TRY(edge, read_edge(nodes, size));
  return edge.back();
}

Result<ViewComparison> compare_views(std::string_view first, std::string_view second,
                                     const VerifierKey& key, const NodeSource* larger_nodes,
                                     const ConsistencyProofs& proofs) {
  FIDUCIA_TRY(a, read_signed_checkpoint(first, key));
  FIDUCIA_TRY(b, read_signed_checkpoint(second, key));
  if (a.origin != b.origin)
    return fail(ErrorCode::usage_invalid, "The checkpoints are of two logs: their origins differ.",
                "Compare checkpoints of one log.");
  ViewComparison result;
  result.smaller = std::move(a);
  result.larger = std::move(b);
  if (result.smaller.tree_size > result.larger.tree_size) std::swap(result.smaller, result.larger);
  const Checkpoint& smaller = result.smaller;
  const Checkpoint& larger = result.larger;

  if (smaller.tree_size == larger.tree_size) {
    if (smaller.root == larger.root) {
      say_consistent(result);
    } else {
      say(result, Views::split,
          "Split view: the log signed two trees of " + std::to_string(larger.tree_size) +
              " entries.");
    }
    return result;
  }
  if (smaller.tree_size == 0) {
    if (smaller.root == merkle::empty_root()) {
      say_consistent(result);
    } else {
      say_split(result);
    }
    return result;
  }
  if (larger_nodes != nullptr) {
    FIDUCIA_TRY(root, root_at(*larger_nodes, larger.tree_size));
    if (root == larger.root) {
      FIDUCIA_TRY(old_root, root_at(*larger_nodes, smaller.tree_size));
      if (old_root == smaller.root) {
        say_consistent(result);
      } else {
        say_split(result);
      }
      return result;
    }
    say(result, Views::unknown, "The tiles at hand are not those of the larger tree.");
    return result;
  }
  if (!proofs) {
    say(result, Views::unknown,
        "The trees of " + sizes_of(result) + " need a consistency proof, and none is at hand.");
    return result;
  }
  const auto proof = proofs(smaller.tree_size, larger.tree_size);
  if (!proof) {
    say(result, Views::unknown,
        "There is no consistency proof between the trees of " + sizes_of(result) + ": " +
            proof.error().what);
    return result;
  }
  const auto grown = merkle::verify_consistency(smaller.tree_size, larger.tree_size, smaller.root,
                                                larger.root, *proof);
  if (grown) {
    say_consistent(result);
  } else if (leads_to_another_old_root(result, *proof)) {
    say_split(result);
  } else {
    say(result, Views::unknown,
        "The consistency proof between the trees of " + sizes_of(result) +
            " does not hold: " + grown.error().what + ".");
  }
  return result;
}

}  // namespace fiducia::ledger_format
