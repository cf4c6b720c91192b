// SPDX-License-Identifier: Apache-2.0
#include "merkle/merkle.h"

#include <bit>
#include <cstring>

namespace fiducia::merkle {
namespace {

std::unexpected<Error> bad_proof(std::string what) {
  return fail(ErrorCode::signature_bad, std::move(what));
}

/// Turns one level of a tree into the next, in place. A last node without a sibling rises as it
/// is: RFC 9162 splits at the largest power of two below the size, so only the right edge is
/// ragged, and its nodes are those of a smaller tree.
std::size_t rise(std::span<Digest> level) {
  const std::size_t pairs = level.size() / 2;
  crypto::sha256_node_pairs(level.first(2 * pairs), level.first(pairs));
  if (level.size() % 2 == 0) return pairs;
  level[pairs] = level.back();
  return pairs + 1;
}

/// What leaf_hashes copies together at a time: stays in the second-level cache, and gives even
/// entries of some kilobytes enough neighbours to fill sixteen lanes.
constexpr std::size_t gather_bytes_max = 256 << 10;
constexpr std::size_t gather_entries_max = 1024;

/// The largest power of two below `size`, for size >= 2.
std::uint64_t split_of(std::uint64_t size) { return std::bit_floor(size - 1); }

}  // namespace

Digest leaf_hash(ByteView entry) {
  static constexpr std::byte prefix{0x00};
  const std::array<ByteView, 2> parts{ByteView(&prefix, 1), entry};
  return crypto::sha256(parts);
}

void leaf_hashes(std::span<const ByteView> entries, std::span<Digest> out) {
  FIDUCIA_ASSERT(entries.size() == out.size());
  // A lane reads one contiguous message, so the prefix is put before a copy of each entry.
  Bytes scratch;
  std::vector<ByteView> messages;
  for (std::size_t first = 0; first < entries.size();) {
    std::size_t count = 0;
    std::size_t bytes = 0;
    while (first + count < entries.size() && count < gather_entries_max) {
      const std::size_t more = 1 + entries[first + count].size();
      if (count > 0 && bytes + more > gather_bytes_max) break;
      bytes += more;
      ++count;
    }
    scratch.resize(bytes);
    messages.clear();
    std::byte* to = scratch.data();
    for (const ByteView entry : entries.subspan(first, count)) {
      *to = std::byte{0x00};
      if (!entry.empty()) std::memcpy(to + 1, entry.data(), entry.size());
      messages.emplace_back(to, 1 + entry.size());
      to += 1 + entry.size();
    }
    crypto::sha256_many(messages, out.subspan(first, count));
    first += count;
  }
}

Digest node_hash(const Digest& left, const Digest& right) {
  const std::array<Digest, 2> children{left, right};
  Digest out;
  crypto::sha256_node_pairs(children, {&out, 1});
  return out;
}

const Digest& empty_root() {
  static const Digest root = crypto::sha256(ByteView());
  return root;
}

Digest root(std::span<const Digest> leaves) {
  if (leaves.empty()) return empty_root();
  if (leaves.size() == 1) return leaves.front();
  // The first level goes from the caller's leaves into half as much memory.
  const std::size_t pairs = leaves.size() / 2;
  std::vector<Digest> level(pairs + leaves.size() % 2);
  crypto::sha256_node_pairs(leaves.first(2 * pairs), std::span(level).first(pairs));
  if (leaves.size() % 2 != 0) level.back() = leaves.back();
  std::span<Digest> nodes(level);
  while (nodes.size() > 1) nodes = nodes.first(rise(nodes));
  return nodes.front();
}

std::vector<Digest> inclusion_proof(std::span<const Digest> leaves, std::uint64_t index) {
  FIDUCIA_ASSERT(index < leaves.size());
  std::vector<Digest> proof;
  std::vector<Digest> level(leaves.begin(), leaves.end());
  std::span<Digest> nodes(level);
  auto at = static_cast<std::size_t>(index);
  while (nodes.size() > 1) {
    // The last node of an odd level has no sibling here; it meets one further up.
    if ((at ^ 1) < nodes.size()) proof.push_back(nodes[at ^ 1]);
    nodes = nodes.first(rise(nodes));
    at /= 2;
  }
  return proof;
}

std::vector<Digest> consistency_proof(std::span<const Digest> leaves, std::uint64_t first) {
  FIDUCIA_ASSERT(first >= 1 && first <= leaves.size());
  // SUB of RFC 9162 section 2.1.4.1, unrolled: walk down to the subtree that ends at `first`,
  // noting the sibling at each step; the proof lists them from the bottom up.
  std::vector<Digest> down;
  std::span<const Digest> tree = leaves;
  auto old_size = static_cast<std::size_t>(first);
  bool whole_old_tree = true;  // the flag b: the verifier already knows this subtree's root
  while (old_size != tree.size()) {
    const auto split = static_cast<std::size_t>(split_of(tree.size()));
    if (old_size <= split) {
      down.push_back(root(tree.subspan(split)));
      tree = tree.first(split);
    } else {
      down.push_back(root(tree.first(split)));
      tree = tree.subspan(split);
      old_size -= split;
      whole_old_tree = false;
    }
  }
  if (!whole_old_tree) down.push_back(root(tree));
  return {down.rbegin(), down.rend()};
}

Result<Digest> root_from_inclusion(std::uint64_t index, std::uint64_t tree_size, const Digest& leaf,
                                   std::span<const Digest> proof) {
  if (index >= tree_size) return bad_proof("the leaf index lies outside the tree");
  std::uint64_t node = index;
  std::uint64_t last = tree_size - 1;
  Digest hash = leaf;
  for (const Digest& sibling : proof) {
    if (last == 0) return bad_proof("the inclusion proof is too long");
    if (node % 2 == 1 || node == last) {
      hash = node_hash(sibling, hash);
      if (node % 2 == 0 && node != 0) {  // a lone right edge rises until it has a sibling
        const int levels = std::countr_zero(node);
        node >>= levels;
        last >>= levels;
      }
    } else {
      hash = node_hash(hash, sibling);
    }
    node >>= 1;
    last >>= 1;
  }
  if (last != 0) return bad_proof("the inclusion proof is too short");
  return hash;
}

Status verify_inclusion(std::uint64_t index, std::uint64_t tree_size, const Digest& leaf,
                        std::span<const Digest> proof, const Digest& expected_root) {
  FIDUCIA_TRY(found, root_from_inclusion(index, tree_size, leaf, proof));
  if (found != expected_root) return bad_proof("the inclusion proof leads to another root");
  return {};
}

Result<ConsistencyRoots> roots_from_consistency(std::uint64_t first, std::uint64_t second,
                                                const Digest& first_root,
                                                std::span<const Digest> proof) {
  FIDUCIA_ASSERT(first >= 1 && first < second);
  if (proof.empty()) return bad_proof("the consistency proof is empty");
  // RFC 9162 section 2.1.4.2: a whole old tree is its own first node.
  const bool power_of_two = std::has_single_bit(first);
  Digest old_hash = power_of_two ? first_root : proof.front();
  Digest new_hash = old_hash;
  const std::span<const Digest> rest = power_of_two ? proof : proof.subspan(1);

  std::uint64_t node = first - 1;
  std::uint64_t last = second - 1;
  const int whole = std::countr_one(node);
  node = whole >= 64 ? 0 : node >> whole;
  last = whole >= 64 ? 0 : last >> whole;
  for (const Digest& sibling : rest) {
    if (last == 0) return bad_proof("the consistency proof is too long");
    if (node % 2 == 1 || node == last) {
      old_hash = node_hash(sibling, old_hash);
      new_hash = node_hash(sibling, new_hash);
      if (node % 2 == 0 && node != 0) {
        const int levels = std::countr_zero(node);
        node >>= levels;
        last >>= levels;
      }
    } else {
      new_hash = node_hash(new_hash, sibling);
    }
    node >>= 1;
    last >>= 1;
  }
  if (last != 0) return bad_proof("the consistency proof is too short");
  return ConsistencyRoots{.first = old_hash, .second = new_hash};
}

Status verify_consistency(std::uint64_t first, std::uint64_t second, const Digest& first_root,
                          const Digest& second_root, std::span<const Digest> proof) {
  if (first == 0 || first > second) {
    return bad_proof("a consistency proof needs sizes from 1 in ascending order");
  }
  if (first == second) {
    if (!proof.empty()) return bad_proof("equal sizes need an empty consistency proof");
    if (first_root != second_root) return bad_proof("two roots of the same size differ");
    return {};
  }
  FIDUCIA_TRY(roots, roots_from_consistency(first, second, first_root, proof));
  if (roots.first != first_root)
    return bad_proof("the consistency proof leads to another old root");
  if (roots.second != second_root)
    return bad_proof("the consistency proof leads to another new root");
  return {};
}

void Frontier::append(const Digest& leaf) {
  Digest node = leaf;
  // Each trailing 1 bit of the size is a perfect subtree that the new leaf completes.
  for (std::uint64_t bits = size_; bits % 2 == 1; bits >>= 1) {
    node = node_hash(roots_.back(), node);
    roots_.pop_back();
  }
  roots_.push_back(node);
  ++size_;
}

Digest Frontier::root() const {
  if (roots_.empty()) return empty_root();
  Digest node = roots_.back();
  for (std::size_t i = roots_.size() - 1; i-- > 0;) node = node_hash(roots_[i], node);
  return node;
}

}  // namespace fiducia::merkle
