// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "core/core.h"
#include "crypto/crypto.h"

/// RFC 9162 section 2.1 Merkle trees over SHA-256: pure functions and one accumulator.
namespace fiducia::merkle {

/// SHA-256(0x00 || entry).
[[nodiscard]] Digest leaf_hash(ByteView entry);
/// The leaf hash of each entry: out[i] = leaf_hash(entries[i]), on as many lanes as the processor
/// has (crypto::sha256_many); give many in one call. `out` has as many elements as `entries`.
void leaf_hashes(std::span<const ByteView> entries, std::span<Digest> out);
/// SHA-256(0x01 || left || right).
[[nodiscard]] Digest node_hash(const Digest& left, const Digest& right);
/// SHA-256 of nothing: the root of the empty tree.
[[nodiscard]] const Digest& empty_root();

/// MTH over leaf hashes. Works level by level, two nodes at a time.
[[nodiscard]] Digest root(std::span<const Digest> leaves);

/// PATH(index, leaves): the leaf's sibling first. `index` < leaves.size().
[[nodiscard]] std::vector<Digest> inclusion_proof(std::span<const Digest> leaves,
                                                  std::uint64_t index);
/// PROOF(first, leaves); 1 <= first <= leaves.size().
[[nodiscard]] std::vector<Digest> consistency_proof(std::span<const Digest> leaves,
                                                    std::uint64_t first);

/// The root that `proof` leads to (RFC 9162 section 2.1.3.2), to be compared by the caller.
/// Errors: signature_bad, when the proof's length does not fit index and size.
[[nodiscard]] Result<Digest> root_from_inclusion(std::uint64_t index, std::uint64_t tree_size,
                                                 const Digest& leaf, std::span<const Digest> proof);
/// Errors: signature_bad.
[[nodiscard]] Status verify_inclusion(std::uint64_t index, std::uint64_t tree_size,
                                      const Digest& leaf, std::span<const Digest> proof,
                                      const Digest& expected_root);
/// The roots of two trees that a consistency proof leads to.
struct ConsistencyRoots {
  Digest first;
  Digest second;
};
/// The roots that `proof` leads to (RFC 9162 section 2.1.4.2), to be compared by the caller;
/// 1 <= `first` < `second`. Where `first` is a power of two the proof starts from `first_root`
/// itself, and so says nothing about it alone; otherwise `first_root` is not looked at.
/// Errors: signature_bad, when the proof's length does not fit the sizes.
[[nodiscard]] Result<ConsistencyRoots> roots_from_consistency(std::uint64_t first,
                                                              std::uint64_t second,
                                                              const Digest& first_root,
                                                              std::span<const Digest> proof);
/// RFC 9162 section 2.1.4.2; sizes from 1; equal sizes need an empty proof and equal roots.
/// Errors: signature_bad.
[[nodiscard]] Status verify_consistency(std::uint64_t first, std::uint64_t second,
                                        const Digest& first_root, const Digest& second_root,
                                        std::span<const Digest> proof);

/// The right edge of a growing tree: one perfect subtree root for each bit of the size.
/// Appending n leaves costs about 2n hashes; the root costs log n.
class Frontier {
 public:
  void append(const Digest& leaf);
  [[nodiscard]] std::uint64_t size() const { return size_; }
  [[nodiscard]] Digest root() const;

 private:
  std::uint64_t size_ = 0;
  std::vector<Digest> roots_;  // of the perfect subtrees, largest first; popcount(size_) of them
};

}  // namespace fiducia::merkle
