// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <array>
#include <memory>
#include <span>

#include "core/core.h"

namespace fiducia::crypto {

/// SHA-256 (FIPS 180-4) of one message.
[[nodiscard]] Digest sha256(ByteView message);

/// SHA-256 of the concatenation of `parts`.
[[nodiscard]] Digest sha256(std::span<const ByteView> parts);

/// SHA-256 of a message that comes in pieces.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(Sha256&&) noexcept;
  Sha256& operator=(Sha256&&) noexcept;
  void update(ByteView bytes);
  /// The digest; the object starts anew.
  [[nodiscard]] Digest finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// A message made of one 64-byte head block and `rows` rows of `row_bytes` bytes, the first at
/// `first_row` and each `stride_bytes` after the one before: a tile inside a frame, hashed where
/// it lies. The rows must stay valid during the call.
struct TileMessage {
  std::array<std::byte, 64> head;
  const std::byte* first_row = nullptr;
  std::size_t row_bytes = 0;
  std::size_t stride_bytes = 0;
  std::size_t rows = 0;
};

/// SHA-256 of each tile message: out[i] = SHA-256(head || row 0 || row 1 || ...).
/// Tiles of equal shape run sixteen at a time on AVX-512, two on SHA-NI, eight on AVX2; give many
/// in one call.
/// `out` has as many elements as `tiles`.
void sha256_tiles(std::span<const TileMessage> tiles, std::span<Digest> out);

/// SHA-256 of many short messages (Merkle nodes, header leaves, salts), several at a time where
/// they have the same number of blocks. `out` has as many elements as `messages`.
void sha256_many(std::span<const ByteView> messages, std::span<Digest> out);

/// Merkle parents: out[i] = SHA-256(0x01 || nodes[2i] || nodes[2i+1]) (RFC 9162 section 2.1.1);
/// `nodes` has an even number of elements, `out` half as many and may alias the front of `nodes`.
void sha256_node_pairs(std::span<const Digest> nodes, std::span<Digest> out);

/// HMAC-SHA-256 (RFC 2104).
[[nodiscard]] Digest hmac_sha256(ByteView key, ByteView message);

/// Which implementation is in use: the last of these that the processor has, chosen once.
/// `avx512` hashes many messages sixteen at a time and the others as `sha_ni` does, or as `avx2`
/// where the processor has no SHA extensions; `avx2` hashes many messages eight at a time and
/// single ones as `openssl`. FIDUCIA_NO_AVX512=1 in the environment picks at most `sha_ni`,
/// FIDUCIA_NO_SHA_NI=1 at most `avx2`, FIDUCIA_NO_AVX2=1 `openssl`; `use_hash_backend` picks one
/// (tests, benchmarks).
enum class HashBackend { openssl, avx2, sha_ni, avx512 };
[[nodiscard]] HashBackend hash_backend();
/// Errors: unsupported, when the processor lacks the instructions.
[[nodiscard]] Status use_hash_backend(HashBackend backend);

/// Cryptographically secure random bytes. Errors: crypto_failed.
[[nodiscard]] Status fill_random(std::span<std::byte> bytes);

/// Whether a equals b, in time that depends on their lengths only.
[[nodiscard]] bool equal_constant_time(ByteView a, ByteView b);

}  // namespace fiducia::crypto
