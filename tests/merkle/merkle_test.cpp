// SPDX-License-Identifier: Apache-2.0
#include "merkle/merkle.h"

#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "support/support.h"

namespace fiducia::merkle {
namespace {

// --- the slow reference: the recursive definitions of RFC 9162 section 2.1, word for word ------

std::size_t split(std::size_t n) {
  std::size_t k = 1;
  while (2 * k < n) k *= 2;
  return k;
}

Digest slow_root(std::span<const Digest> d) {
  if (d.empty()) return crypto::sha256(ByteView());
  if (d.size() == 1) return d[0];
  const std::size_t k = split(d.size());
  Bytes message{std::byte{1}};
  append(message, slow_root(d.first(k)).view());
  append(message, slow_root(d.subspan(k)).view());
  return crypto::sha256(message);
}

std::vector<Digest> slow_path(std::size_t m, std::span<const Digest> d) {
  if (d.size() == 1) return {};
  const std::size_t k = split(d.size());
  auto path = m < k ? slow_path(m, d.first(k)) : slow_path(m - k, d.subspan(k));
  path.push_back(m < k ? slow_root(d.subspan(k)) : slow_root(d.first(k)));
  return path;
}

std::vector<Digest> slow_sub(std::size_t m, std::span<const Digest> d, bool whole) {
  if (m == d.size()) return whole ? std::vector<Digest>() : std::vector{slow_root(d)};
  const std::size_t k = split(d.size());
  if (m <= k) {
    auto path = slow_sub(m, d.first(k), whole);
    path.push_back(slow_root(d.subspan(k)));
    return path;
  }
  auto path = slow_sub(m - k, d.subspan(k), false);
  path.push_back(slow_root(d.first(k)));
  return path;
}

std::vector<Digest> counter_leaves(std::size_t count) {
  std::vector<Digest> leaves;
  leaves.reserve(count);
  for (std::uint64_t i = 0; i < count; ++i) {
    Bytes entry;
    append_be(entry, i);
    leaves.push_back(leaf_hash(entry));
  }
  return leaves;
}

nlohmann::json vectors(const char* name) {
  std::ifstream file(test::data("vectors") / name);
  return nlohmann::json::parse(file);
}

Digest digest(const nlohmann::json& hex) { return digest_from_hex(hex.get<std::string>()).value(); }

std::vector<Digest> digests(const nlohmann::json& list) {
  std::vector<Digest> out;
  for (const auto& hex : list) out.push_back(digest(hex));
  return out;
}

Digest flipped(Digest d, std::size_t bit) {
  d.bytes[bit / 8 % 32] ^= static_cast<std::byte>(1U << bit % 8);
  return d;
}

constexpr std::size_t exhaustive_size = 130;  // past two powers of two, and a ragged edge each

TEST(Merkle, RootsProofsAndVerifiersAgreeWithTheDefinitionOnEveryTreeUpTo130Leaves) {
  const auto all = counter_leaves(exhaustive_size);
  std::vector<Digest> roots;
  for (std::size_t n = 0; n <= exhaustive_size; ++n)
    roots.push_back(slow_root(std::span(all).first(n)));
  Frontier frontier;
  for (std::size_t n = 0; n <= exhaustive_size; ++n) {
    const auto leaves = std::span(all).first(n);
    ASSERT_EQ(root(leaves), roots[n]) << n;
    ASSERT_EQ(frontier.root(), roots[n]) << n;
    ASSERT_EQ(frontier.size(), n);
    if (n < exhaustive_size) frontier.append(all[n]);
    for (std::size_t i = 0; i < n; ++i) {
      const auto proof = inclusion_proof(leaves, i);
      ASSERT_EQ(proof, slow_path(i, leaves)) << i << " of " << n;
      ASSERT_TRUE(verify_inclusion(i, n, leaves[i], proof, roots[n])) << i << " of " << n;
    }
    for (std::size_t m = 1; m <= n; ++m) {
      const auto proof = consistency_proof(leaves, m);
      ASSERT_EQ(proof, slow_sub(m, leaves, true)) << m << " to " << n;
      ASSERT_TRUE(verify_consistency(m, n, roots[m], roots[n], proof)) << m << " to " << n;
    }
  }
}

TEST(Merkle, NoProofOfATreeUpTo40LeavesVerifiesAfterAnyChange) {
  const auto all = counter_leaves(40);
  std::vector<Digest> roots;
  for (std::size_t n = 0; n <= all.size(); ++n) roots.push_back(slow_root(std::span(all).first(n)));
  for (std::size_t n = 1; n <= all.size(); ++n) {
    const auto leaves = std::span(all).first(n);
    for (std::size_t i = 0; i < n; ++i) {
      const auto good = inclusion_proof(leaves, i);
      const Digest& leaf = leaves[i];
      for (std::size_t other = 0; other <= n; ++other) {
        if (other == i) continue;
        ASSERT_FALSE(verify_inclusion(other, n, leaf, good, roots[n]));
      }
      ASSERT_FALSE(verify_inclusion(i, n, flipped(leaf, i), good, roots[n]));
      ASSERT_FALSE(verify_inclusion(i, n, leaf, good, flipped(roots[n], i)));
      auto bad = good;
      bad.push_back(leaf);
      ASSERT_FALSE(verify_inclusion(i, n, leaf, bad, roots[n]));
      for (std::size_t k = 0; k < good.size(); ++k) {
        bad = good;
        bad[k] = flipped(bad[k], i + k);
        ASSERT_FALSE(verify_inclusion(i, n, leaf, bad, roots[n]));
        bad = good;
        bad.erase(bad.begin() + static_cast<std::ptrdiff_t>(k));
        ASSERT_FALSE(verify_inclusion(i, n, leaf, bad, roots[n]));
      }
    }
    for (std::size_t m = 1; m <= n; ++m) {
      const auto good = consistency_proof(leaves, m);
      ASSERT_FALSE(verify_consistency(m, n, flipped(roots[m], m), roots[n], good));
      ASSERT_FALSE(verify_consistency(m, n, roots[m], flipped(roots[n], m), good));
      auto bad = good;
      bad.push_back(roots[m]);
      ASSERT_FALSE(verify_consistency(m, n, roots[m], roots[n], bad));
      for (std::size_t k = 0; k < good.size(); ++k) {
        bad = good;
        bad[k] = flipped(bad[k], m + k);
        ASSERT_FALSE(verify_consistency(m, n, roots[m], roots[n], bad));
        bad = good;
        bad.erase(bad.begin() + static_cast<std::ptrdiff_t>(k));
        ASSERT_FALSE(verify_consistency(m, n, roots[m], roots[n], bad));
      }
    }
  }
}

TEST(Merkle, ExtremeSizesNeitherCrashNorVerify) {
  constexpr std::uint64_t most = ~std::uint64_t{0};
  const std::vector<Digest> proof(70);
  const Digest d;
  for (const std::uint64_t size : {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{1} << 63,
                                   (std::uint64_t{1} << 63) + 1, most - 1, most}) {
    for (const std::uint64_t index : {std::uint64_t{0}, size / 2, size - 1, size}) {
      for (std::size_t length = 0; length <= proof.size(); ++length) {
        const auto part = std::span(proof).first(length);
        EXPECT_FALSE(verify_inclusion(index, size, d, part, flipped(d, 1)));
        if (index == size) continue;
        EXPECT_FALSE(verify_consistency(index, size, d, flipped(d, 1), part));
      }
    }
  }
  EXPECT_FALSE(verify_consistency(0, 0, d, d, {}));
  EXPECT_FALSE(verify_consistency(0, 5, d, d, {}));
  EXPECT_FALSE(verify_consistency(5, 4, d, d, {}));
  EXPECT_TRUE(verify_consistency(most, most, d, d, {}));
}

TEST(Merkle, TheLengthOfAProofForTheLargestTreesIsChecked) {
  const Digest leaf = leaf_hash(as_bytes("leaf"));
  const std::vector<Digest> proof(64, leaf);
  constexpr std::uint64_t most = ~std::uint64_t{0};
  EXPECT_TRUE(root_from_inclusion(0, most, leaf, proof));
  EXPECT_FALSE(root_from_inclusion(0, most, leaf, std::span(proof).first(63)));
  // The last leaf of a tree of 2^63 + 1 has one sibling only, the root of the other 2^63.
  EXPECT_TRUE(root_from_inclusion(std::uint64_t{1} << 63, (std::uint64_t{1} << 63) + 1, leaf,
                                  std::span(proof).first(1)));
}

TEST(Merkle, TheEightWellKnownLeavesGiveThePublishedHashesAndPaths) {
  const auto known = vectors("rfc6962-eight-leaves.json");
  std::vector<Digest> leaves;
  for (std::size_t i = 0; i < known["leaf_inputs_hex"].size(); ++i) {
    leaves.push_back(leaf_hash(test::bytes(known["leaf_inputs_hex"][i].get<std::string>())));
    EXPECT_EQ(leaves.back(), digest(known["leaf_hashes_hex"][i]));
  }
  ASSERT_EQ(leaves.size(), 8U);
  for (std::size_t n = 0; n <= 8; ++n) {
    EXPECT_EQ(root(std::span(leaves).first(n)), digest(known["roots_by_tree_size_hex"][n]));
  }
  EXPECT_EQ(empty_root(), digest(known["roots_by_tree_size_hex"][0]));
  ASSERT_EQ(known["inclusion_paths"].size(), 36U);
  for (const auto& path : known["inclusion_paths"]) {
    const auto of = std::span(leaves).first(path["tree_size"].get<std::size_t>());
    EXPECT_EQ(inclusion_proof(of, path["leaf_index"].get<std::uint64_t>()),
              digests(path["path_hex"]));
  }
  ASSERT_FALSE(known["consistency_paths"].empty());
  for (const auto& path : known["consistency_paths"]) {
    const auto of = std::span(leaves).first(path["size2"].get<std::size_t>());
    EXPECT_EQ(consistency_proof(of, path["size1"].get<std::uint64_t>()), digests(path["path_hex"]));
  }
  EXPECT_EQ(to_hex(leaf_hash(as_bytes("L123456")).view()),
            "395aa064aa4c29f7010acfe3f25db9485bbd4b91897b6ad7ad547639252b4d56");
}

TEST(Merkle, CounterLeavesGiveThePublishedRootsUpTo70000) {
  const auto known = vectors("counter-leaf-roots.json")["roots"];
  const auto leaves = counter_leaves(70'000);
  Frontier frontier;
  ASSERT_GT(known.size(), 20U);
  for (const auto& entry : known) {
    const auto size = entry["tree_size"].get<std::size_t>();
    ASSERT_LE(size, leaves.size());
    while (frontier.size() < size) frontier.append(leaves[frontier.size()]);
    EXPECT_EQ(root(std::span(leaves).first(size)), digest(entry["root_hex"])) << size;
    EXPECT_EQ(frontier.root(), digest(entry["root_hex"])) << size;
  }
}

/// A probe's hashes; absent when one does not have 32 bytes, which a Digest cannot hold.
std::optional<std::vector<Digest>> probe_digests(const nlohmann::json& list) {
  std::vector<Digest> out;
  if (list.is_null()) return out;
  for (const auto& item : list) {
    const auto bytes = from_base64(item.is_null() ? "" : item.get<std::string>());
    if (!bytes || bytes->size() != 32) return std::nullopt;
    std::ranges::copy(*bytes, out.emplace_back().bytes.begin());
  }
  return out;
}

TEST(Merkle, InclusionProbesAreAcceptedAndRefusedAsPublished) {
  int accepted = 0;
  for (const auto& probe : vectors("merkle-inclusion-probes.json")) {
    const auto proof = probe_digests(probe["proof"]);
    const auto ends = probe_digests({probe["leafHash"], probe["root"]});
    const bool ok =
        proof && ends &&
        verify_inclusion(probe["leafIdx"].get<std::uint64_t>(),
                         probe["treeSize"].get<std::uint64_t>(), (*ends)[0], *proof, (*ends)[1])
            .has_value();
    EXPECT_EQ(ok, !probe["wantErr"].get<bool>()) << probe["file"];
    accepted += ok ? 1 : 0;
  }
  EXPECT_EQ(accepted, 6);
}

TEST(Merkle, ConsistencyProbesAreAcceptedAndRefusedAsPublished) {
  int accepted = 0;
  for (const auto& probe : vectors("merkle-consistency-probes.json")) {
    const auto proof = probe_digests(probe["proof"]);
    const auto ends = probe_digests({probe["root1"], probe["root2"]});
    const bool ok =
        proof && ends &&
        verify_consistency(probe["size1"].get<std::uint64_t>(), probe["size2"].get<std::uint64_t>(),
                           (*ends)[0], (*ends)[1], *proof)
            .has_value();
    // One good probe has roots of 12 bytes, which our types cannot even hold.
    if (probe["file"] == "additional/sizes-are-equal-one-and-proof-is-empty.json") {
      EXPECT_FALSE(ends);
      continue;
    }
    EXPECT_EQ(ok, !probe["wantErr"].get<bool>()) << probe["file"];
    accepted += ok ? 1 : 0;
  }
  EXPECT_EQ(accepted, 5);
}

TEST(LeafHashes, are_those_of_the_plain_path) {
  const std::uint64_t seed = test::seed();
  SCOPED_TRACE("rerun with FIDUCIA_SEED=" + std::to_string(seed));
  std::mt19937_64 prng{seed};
  const crypto::HashBackend before = crypto::hash_backend();
  for (const auto backend :
       {crypto::HashBackend::openssl, crypto::HashBackend::sha_ni, crypto::HashBackend::avx512}) {
    if (!crypto::use_hash_backend(backend)) continue;
    for (int round = 0; round < 200; ++round) {
      // Equal lengths, mixed short ones around the edges of blocks, and a few long ones.
      const std::size_t count = round % 5 == 0 ? 0 : prng() % 600;
      std::vector<Bytes> entries;
      for (std::size_t i = 0; i < count; ++i) {
        std::size_t length = 110;
        if (round % 3 == 1) length = prng() % 200;
        if (round % 3 == 2) length = prng() % 97 == 0 ? prng() % 65'536 : 54 + prng() % 4;
        entries.push_back(test::random_bytes(prng, length));
      }
      const std::vector<ByteView> views{entries.begin(), entries.end()};
      std::vector<Digest> hashes(count);
      leaf_hashes(views, hashes);
      for (std::size_t i = 0; i < count; ++i) {
        Bytes message{std::byte{0}};
        append(message, entries[i]);
        ASSERT_EQ(hashes[i], crypto::sha256(message)) << "round " << round << " entry " << i;
        ASSERT_EQ(hashes[i], leaf_hash(entries[i]));
      }
    }
  }
  ASSERT_TRUE(crypto::use_hash_backend(before).has_value());
}

}  // namespace
}  // namespace fiducia::merkle
