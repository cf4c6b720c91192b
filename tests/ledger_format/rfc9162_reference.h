// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <map>
#include <span>
#include <utility>
#include <vector>

#include "crypto/crypto.h"

/// The trees of RFC 9162 section 2.1 as its text has them: recursive, slow, and sharing nothing
/// with the code under test but SHA-256 itself. What a range of leaves hashes to is remembered, or
/// all trees up to a size could not be compared in one test.
namespace fiducia::ledger_format::test {

class ReferenceTree {
 public:
  explicit ReferenceTree(std::vector<Digest> leaf_hashes) : leaves_(std::move(leaf_hashes)) {}

  /// MTH(D[begin:end]) (section 2.1.1), leaves given by their hashes.
  Digest mth(std::size_t begin, std::size_t end) {
    if (begin == end) return crypto::sha256(ByteView{});
    if (end - begin == 1) return leaves_.at(begin);
    if (const auto known = known_.find({begin, end}); known != known_.end()) return known->second;
    const std::size_t k = split(end - begin);
    const Digest hash = node(mth(begin, begin + k), mth(begin + k, end));
    known_.emplace(std::pair{begin, end}, hash);
    return hash;
  }
  /// PATH(m, D[begin:end]) (section 2.1.3.1), m counted from `begin`.
  std::vector<Digest> path(std::size_t m, std::size_t begin, std::size_t end) {
    const std::size_t n = end - begin;
    if (n == 1) return {};
    const std::size_t k = split(n);
    std::vector<Digest> proof;
    if (m < k) {
      proof = path(m, begin, begin + k);
      proof.push_back(mth(begin + k, end));
    } else {
      proof = path(m - k, begin + k, end);
      proof.push_back(mth(begin, begin + k));
    }
    return proof;
  }
  /// PROOF(m, D[0:n]) (section 2.1.4.1), 0 < m <= n.
  std::vector<Digest> proof(std::size_t m, std::size_t n) { return subproof(m, 0, n, true); }

 private:
  std::vector<Digest> subproof(std::size_t m, std::size_t begin, std::size_t end, bool b) {
    const std::size_t n = end - begin;
    if (m == n) return b ? std::vector<Digest>{} : std::vector<Digest>{mth(begin, end)};
    const std::size_t k = split(n);
    std::vector<Digest> proof;
    if (m <= k) {
      proof = subproof(m, begin, begin + k, b);
      proof.push_back(mth(begin + k, end));
    } else {
      proof = subproof(m - k, begin + k, end, false);
      proof.push_back(mth(begin, begin + k));
    }
    return proof;
  }
  /// The largest power of two smaller than n.
  static std::size_t split(std::size_t n) {
    std::size_t k = 1;
    while (2 * k < n) k = 2 * k;
    return k;
  }
  static Digest node(const Digest& left, const Digest& right) {
    Bytes input{std::byte{0x01}};
    append(input, left.view());
    append(input, right.view());
    return crypto::sha256(input);
  }

  std::vector<Digest> leaves_;
  std::map<std::pair<std::size_t, std::size_t>, Digest> known_;
};

}  // namespace fiducia::ledger_format::test
