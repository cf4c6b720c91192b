// SPDX-License-Identifier: Apache-2.0
#include "crypto/hash.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <sys/random.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <numeric>

#include "crypto/openssl.h"
#include "crypto/sha256_avx2.h"
#include "crypto/sha256_avx512.h"
#include "crypto/sha256_ni.h"
#include "crypto/sha256_wide.h"

namespace fiducia::crypto {
namespace {

constexpr std::size_t block_bytes = 64;
constexpr std::size_t length_field_bytes = 8;

// --- the OpenSSL backend ---------------------------------------------------------------------

/// One context a thread, its algorithm fetched once: a fetch costs more than hashing a node.
EVP_MD_CTX* thread_context() {
  const EVP_MD* md = fetched_sha256();
  static thread_local const DigestContext context{EVP_MD_CTX_new()};
  FIDUCIA_ASSERT(context != nullptr);
  FIDUCIA_ASSERT(EVP_DigestInit_ex2(context.get(), md, nullptr) == 1);
  return context.get();
}

void update(EVP_MD_CTX* context, ByteView bytes) {
  FIDUCIA_ASSERT(EVP_DigestUpdate(context, bytes.data(), bytes.size()) == 1);
}

Digest finish(EVP_MD_CTX* context) {
  Digest out;
  unsigned length = 0;
  FIDUCIA_ASSERT(EVP_DigestFinal_ex(context, reinterpret_cast<unsigned char*>(out.bytes.data()),
                                    &length) == 1);
  FIDUCIA_ASSERT(length == out.bytes.size());
  return out;
}

// --- which backend ---------------------------------------------------------------------------

bool is_switched_off(const char* variable) {
  const char* off = std::getenv(variable);
  return off != nullptr && std::string_view(off) == "1";
}

HashBackend choose_backend() {
  if (is_switched_off("FIDUCIA_NO_AVX2")) return HashBackend::openssl;
  const HashBackend lesser = avx2::available() ? HashBackend::avx2 : HashBackend::openssl;
  if (is_switched_off("FIDUCIA_NO_SHA_NI")) return lesser;
  if (avx512::available() && !is_switched_off("FIDUCIA_NO_AVX512")) return HashBackend::avx512;
  return ni::available() ? HashBackend::sha_ni : lesser;
}

/// Atomic because tests and benchmarks switch it; all backends give the same digests, so a
/// thread that sees the older value is merely slower.
std::atomic<HashBackend>& chosen_backend() {
  static std::atomic<HashBackend> backend{choose_backend()};
  return backend;
}

/// Single messages, pairs, and what finds no place in the lanes.
bool use_ni() {
  static const bool is_available = ni::available();
  return is_available && hash_backend() >= HashBackend::sha_ni;
}

/// The kernels for many messages, each for what the one before leaves.
std::span<const wide::Kernel> wide_kernels() {
  static constexpr std::array kernels{wide::Kernel::avx512, wide::Kernel::avx2};
  static const bool have_avx2 = avx2::available();
  switch (hash_backend()) {
    case HashBackend::openssl:
    case HashBackend::sha_ni:
      return {};
    case HashBackend::avx2:
      return std::span{kernels}.last(1);
    case HashBackend::avx512:
      return std::span{kernels}.first(have_avx2 && !use_ni() ? 2 : 1);
  }
  return {};
}

/// Has `hash(kernel, indices)` hash what fits the lanes; returns the indices of the rest.
template <class Hash>
std::vector<std::size_t> hash_in_lanes(std::size_t count, Hash hash) {
  std::vector<std::size_t> rest(count);
  std::iota(rest.begin(), rest.end(), std::size_t{0});
  for (const wide::Kernel kernel : wide_kernels())
    if (rest.size() >= wide::group_count_min(kernel)) rest = hash(kernel, rest);
  return rest;
}

// --- the SHA-NI backend ----------------------------------------------------------------------

Digest to_digest(const ni::State& state) {
  Digest out;
  for (std::size_t i = 0; i < 8; ++i) store_be(out.bytes.data() + 4 * i, state.words[i]);
  return out;
}

/// The end of a message: its last partial block and the padding of FIPS 180-4 section 5.1.1.
struct Tail {
  alignas(16) std::array<std::byte, 2 * block_bytes> bytes{};
  std::size_t blocks = 0;

  Tail(ByteView rest, std::uint64_t message_bytes) {
    FIDUCIA_ASSERT(rest.size() < block_bytes);
    if (!rest.empty()) std::memcpy(bytes.data(), rest.data(), rest.size());
    bytes[rest.size()] = std::byte{0x80};
    blocks = rest.size() + 1 + length_field_bytes <= block_bytes ? 1 : 2;
    store_be(bytes.data() + blocks * block_bytes - length_field_bytes, message_bytes * 8);
  }
};

void compress(ni::State& state, const std::byte* first, std::size_t blocks) {
  ni::compress_1(state, {first, 0}, 1, blocks);
}

/// A contiguous message on its way through a lane: first its whole blocks, then its tail.
struct Stream {
  ni::State state = ni::initial_state;
  ByteView body;  // whole blocks
  Tail tail;
  bool in_tail;

  explicit Stream(ByteView message)
      : body(message.first(message.size() - message.size() % block_bytes)),
        tail(message.subspan(body.size()), message.size()),
        in_tail(body.empty()) {}
  [[nodiscard]] const std::byte* next() const {
    return in_tail ? tail.bytes.data() + done : body.data() + done;
  }
  [[nodiscard]] std::size_t blocks_left() const {
    return (in_tail ? tail.blocks : body.size() / block_bytes) - done / block_bytes;
  }
  void advance(std::size_t blocks) {
    done += blocks * block_bytes;
    if (!in_tail && done == body.size()) {
      in_tail = true;
      done = 0;
    }
  }
  [[nodiscard]] bool at_end() const { return in_tail && done == tail.blocks * block_bytes; }

 private:
  std::size_t done = 0;  // bytes of the body, or of the tail when in_tail
};

void run_alone(Stream& stream) {
  while (!stream.at_end()) {
    const std::size_t blocks = stream.blocks_left();
    compress(stream.state, stream.next(), blocks);
    stream.advance(blocks);
  }
}

Digest hash_one(ByteView message) {
  Stream stream(message);
  run_alone(stream);
  return to_digest(stream.state);
}

/// Two contiguous messages of any lengths: side by side while both last.
void hash_two(ByteView a, ByteView b, Digest& out_a, Digest& out_b) {
  Stream stream_a(a);
  Stream stream_b(b);
  while (!stream_a.at_end() && !stream_b.at_end()) {
    const std::size_t blocks = std::min(stream_a.blocks_left(), stream_b.blocks_left());
    ni::compress_2(stream_a.state, stream_b.state, {stream_a.next(), 0}, {stream_b.next(), 0}, 1,
                   blocks);
    stream_a.advance(blocks);
    stream_b.advance(blocks);
  }
  run_alone(stream_a);
  run_alone(stream_b);
  out_a = to_digest(stream_a.state);
  out_b = to_digest(stream_b.state);
}

std::uint64_t message_bytes(const TileMessage& tile) {
  const auto body = checked_mul<std::uint64_t>(tile.rows, tile.row_bytes);
  FIDUCIA_ASSERT(body && *body < std::uint64_t{1} << 60);
  return block_bytes + *body;
}

bool whole_blocks(const TileMessage& tile) { return tile.row_bytes % block_bytes == 0; }

Digest hash_tile(const TileMessage& tile) {
  Sha256 hash;
  hash.update(tile.head);
  for (std::size_t row = 0; row < tile.rows; ++row) {
    hash.update({tile.first_row + row * tile.stride_bytes, tile.row_bytes});
  }
  return hash.finish();
}

/// Two tiles of equal shape whose rows are whole blocks, hashed where they lie.
void hash_tiles_in_place(const TileMessage& a, const TileMessage& b, Digest& out_a, Digest& out_b) {
  ni::State state_a = ni::initial_state;
  ni::State state_b = ni::initial_state;
  ni::compress_2(state_a, state_b, {a.head.data(), 0}, {b.head.data(), 0}, 1, 1);
  ni::compress_2(state_a, state_b, {a.first_row, a.stride_bytes}, {b.first_row, b.stride_bytes},
                 a.rows, a.row_bytes / block_bytes);
  const Tail tail({}, message_bytes(a));  // equal lengths: one padding block serves both
  ni::compress_2(state_a, state_b, {tail.bytes.data(), 0}, {tail.bytes.data(), 0}, 1, tail.blocks);
  out_a = to_digest(state_a);
  out_b = to_digest(state_b);
}

/// Tiles of the pixel tree stay far below; a longer message is not worth copying.
constexpr std::uint64_t gather_bytes_max = 64 << 10;

/// Copies a tile's message together, so that a lane can run over it.
ByteView gather(const TileMessage& tile, Bytes& scratch) {
  scratch.resize(static_cast<std::size_t>(message_bytes(tile)));
  std::byte* to = scratch.data();
  std::memcpy(to, tile.head.data(), block_bytes);
  to += block_bytes;
  if (tile.row_bytes == 0) return scratch;
  for (std::size_t row = 0; row < tile.rows; ++row, to += tile.row_bytes) {
    std::memcpy(to, tile.first_row + row * tile.stride_bytes, tile.row_bytes);
  }
  return scratch;
}

bool same_shape(const TileMessage& a, const TileMessage& b) {
  return a.row_bytes == b.row_bytes && a.rows == b.rows;
}

/// Holds back the tiles that have no partner yet: a frame has at most four shapes (inside,
/// right edge, bottom edge, corner), so a neighbour of equal shape turns up soon.
class TilePairs {
 public:
  TilePairs(std::span<const TileMessage> tiles, std::span<Digest> out) : tiles_(tiles), out_(out) {}

  void add(std::size_t index) {
    const TileMessage& tile = tiles_[index];
    if (message_bytes(tile) > gather_bytes_max && !whole_blocks(tile)) {
      out_[index] = hash_tile(tile);
      return;
    }
    for (std::size_t i = 0; i < waiting_count_; ++i) {
      if (!same_shape(tiles_[waiting_[i]], tile)) continue;
      hash_pair(waiting_[i], index);
      waiting_[i] = waiting_[--waiting_count_];
      return;
    }
    if (waiting_count_ == waiting_.size()) {
      hash_pair(waiting_[0], index);
      waiting_[0] = waiting_[--waiting_count_];
      return;
    }
    waiting_[waiting_count_++] = index;
  }

  /// The unequal rest: long ones with long ones, so that little runs alone.
  void finish() {
    const auto end = waiting_.begin() + static_cast<std::ptrdiff_t>(waiting_count_);
    std::sort(waiting_.begin(), end, [this](std::size_t a, std::size_t b) {
      return message_bytes(tiles_[a]) > message_bytes(tiles_[b]);
    });
    std::size_t i = 0;
    for (; i + 1 < waiting_count_; i += 2) hash_pair(waiting_[i], waiting_[i + 1]);
    if (i < waiting_count_) out_[waiting_[i]] = hash_tile(tiles_[waiting_[i]]);
    waiting_count_ = 0;
  }

 private:
  void hash_pair(std::size_t a, std::size_t b) {
    const TileMessage& tile_a = tiles_[a];
    const TileMessage& tile_b = tiles_[b];
    if (same_shape(tile_a, tile_b) && whole_blocks(tile_a)) {
      hash_tiles_in_place(tile_a, tile_b, out_[a], out_[b]);
    } else if (std::max(message_bytes(tile_a), message_bytes(tile_b)) <= gather_bytes_max) {
      hash_two(gather(tile_a, scratch_a_), gather(tile_b, scratch_b_), out_[a], out_[b]);
    } else {
      out_[a] = hash_tile(tile_a);
      out_[b] = hash_tile(tile_b);
    }
  }

  std::span<const TileMessage> tiles_;
  std::span<Digest> out_;
  std::array<std::size_t, 8> waiting_{};  // indices, all of different shapes
  std::size_t waiting_count_ = 0;
  Bytes scratch_a_;
  Bytes scratch_b_;
};

/// The two blocks of a Merkle node's message, 0x01 || left || right, padded.
struct NodeBlocks {
  alignas(16) std::array<std::byte, 2 * block_bytes> bytes{};

  NodeBlocks() {
    bytes[0] = std::byte{0x01};
    bytes[65] = std::byte{0x80};
    store_be(bytes.data() + bytes.size() - length_field_bytes, std::uint64_t{65 * 8});
  }
  void set(const Digest& left, const Digest& right) {
    std::memcpy(bytes.data() + 1, left.bytes.data(), left.bytes.size());
    std::memcpy(bytes.data() + 33, right.bytes.data(), right.bytes.size());
  }
};

}  // namespace

HashBackend hash_backend() { return chosen_backend().load(std::memory_order_relaxed); }

Status use_hash_backend(HashBackend backend) {
  if ((backend == HashBackend::avx2 && !avx2::available()) ||
      (backend == HashBackend::sha_ni && !ni::available()) ||
      (backend == HashBackend::avx512 && !avx512::available())) {
    auto error = fail(ErrorCode::unsupported, "this processor lacks the instructions",
                      "Use the OpenSSL backend.");
    error.error().kind = "processor";
    return error;
  }
  chosen_backend().store(backend, std::memory_order_relaxed);
  return {};
}

Digest sha256(ByteView message) {
  if (use_ni()) return hash_one(message);
  EVP_MD_CTX* context = thread_context();
  update(context, message);
  return finish(context);
}

Digest sha256(std::span<const ByteView> parts) {
  Sha256 hash;
  for (const ByteView part : parts) hash.update(part);
  return hash.finish();
}

struct Sha256::State {
  bool ni;  // fixed at construction: a switch of the backend must not split one message
  // SHA-NI
  fiducia::crypto::ni::State words = fiducia::crypto::ni::initial_state;
  std::array<std::byte, block_bytes> partial{};
  std::uint64_t length_bytes = 0;
  // OpenSSL; the thread's context cannot serve, because several messages may be open at once
  DigestContext context;

  State() : ni(use_ni()) { begin(); }
  void begin() {
    words = fiducia::crypto::ni::initial_state;
    length_bytes = 0;
    if (ni) return;
    if (context == nullptr) context.reset(EVP_MD_CTX_new());
    FIDUCIA_ASSERT(context != nullptr);
    FIDUCIA_ASSERT(EVP_DigestInit_ex2(context.get(), fetched_sha256(), nullptr) == 1);
  }
};

Sha256::Sha256() : state_(std::make_unique<State>()) {}
Sha256::~Sha256() = default;
Sha256::Sha256(Sha256&&) noexcept = default;
Sha256& Sha256::operator=(Sha256&&) noexcept = default;

void Sha256::update(ByteView bytes) {
  State& s = *state_;
  if (bytes.empty()) return;
  if (!s.ni) return crypto::update(s.context.get(), bytes);
  const std::size_t held = static_cast<std::size_t>(s.length_bytes % block_bytes);
  s.length_bytes += bytes.size();
  if (held != 0) {
    const std::size_t taken = std::min(block_bytes - held, bytes.size());
    std::memcpy(s.partial.data() + held, bytes.data(), taken);
    bytes = bytes.subspan(taken);
    if (held + taken < block_bytes) return;
    compress(s.words, s.partial.data(), 1);
  }
  const std::size_t blocks = bytes.size() / block_bytes;
  compress(s.words, bytes.data(), blocks);
  bytes = bytes.subspan(blocks * block_bytes);
  if (!bytes.empty()) std::memcpy(s.partial.data(), bytes.data(), bytes.size());
}

Digest Sha256::finish() {
  State& s = *state_;
  Digest out;
  if (s.ni) {
    const Tail tail(
        ByteView(s.partial).first(static_cast<std::size_t>(s.length_bytes % block_bytes)),
        s.length_bytes);
    compress(s.words, tail.bytes.data(), tail.blocks);
    out = to_digest(s.words);
  } else {
    out = crypto::finish(s.context.get());
  }
  s.begin();
  return out;
}

void sha256_tiles(std::span<const TileMessage> tiles, std::span<Digest> out) {
  FIDUCIA_ASSERT(tiles.size() == out.size());
  const std::vector<std::size_t> rest =
      hash_in_lanes(tiles.size(), [&](wide::Kernel kernel, std::span<const std::size_t> indices) {
        return wide::hash_tiles(kernel, tiles, indices, out);
      });
  if (!use_ni()) {
    Bytes scratch;
    for (const std::size_t i : rest) {
      EVP_MD_CTX* context = thread_context();
      // A call a row costs more than copying the rows together.
      if (message_bytes(tiles[i]) <= gather_bytes_max) {
        update(context, gather(tiles[i], scratch));
        out[i] = finish(context);
        continue;
      }
      update(context, tiles[i].head);
      for (std::size_t row = 0; row < tiles[i].rows; ++row) {
        update(context, {tiles[i].first_row + row * tiles[i].stride_bytes, tiles[i].row_bytes});
      }
      out[i] = finish(context);
    }
    return;
  }
  TilePairs pairs(tiles, out);
  for (const std::size_t i : rest) pairs.add(i);
  pairs.finish();
}

void sha256_many(std::span<const ByteView> messages, std::span<Digest> out) {
  FIDUCIA_ASSERT(messages.size() == out.size());
  const std::vector<std::size_t> rest = hash_in_lanes(
      messages.size(), [&](wide::Kernel kernel, std::span<const std::size_t> indices) {
        return wide::hash_many(kernel, messages, indices, out);
      });
  if (!use_ni()) {
    for (const std::size_t i : rest) out[i] = sha256(messages[i]);
    return;
  }
  // One waiting message for each number of blocks; longer ones share the last place, since a
  // block more or less does not matter to them.
  constexpr std::size_t none = ~std::size_t{0};
  std::array<std::size_t, 16> waiting;
  waiting.fill(none);
  for (const std::size_t i : rest) {
    const std::size_t blocks = (messages[i].size() + length_field_bytes) / block_bytes;
    std::size_t& place = waiting[std::min(blocks, waiting.size() - 1)];
    if (place == none) {
      place = i;
    } else {
      hash_two(messages[place], messages[i], out[place], out[i]);
      place = none;
    }
  }
  std::size_t left = none;
  for (const std::size_t i : waiting) {
    if (i == none) continue;
    if (left == none) {
      left = i;
    } else {
      hash_two(messages[left], messages[i], out[left], out[i]);
      left = none;
    }
  }
  if (left != none) out[left] = hash_one(messages[left]);
}

void sha256_node_pairs(std::span<const Digest> nodes, std::span<Digest> out) {
  FIDUCIA_ASSERT(nodes.size() % 2 == 0 && out.size() == nodes.size() / 2);
  std::size_t i = 0;
  for (const wide::Kernel kernel : wide_kernels())
    i += wide::hash_node_pairs(kernel, nodes.subspan(2 * i), out.subspan(i));
  NodeBlocks a;
  if (use_ni()) {
    NodeBlocks b;
    // out[i] never lies past nodes[2i], so writing it cannot touch a node that is still to read.
    for (; i + 1 < out.size(); i += 2) {
      a.set(nodes[2 * i], nodes[2 * i + 1]);
      b.set(nodes[2 * i + 2], nodes[2 * i + 3]);
      ni::State state_a = ni::initial_state;
      ni::State state_b = ni::initial_state;
      ni::compress_2(state_a, state_b, {a.bytes.data(), 0}, {b.bytes.data(), 0}, 1, 2);
      out[i] = to_digest(state_a);
      out[i + 1] = to_digest(state_b);
    }
  }
  for (; i < out.size(); ++i) {
    a.set(nodes[2 * i], nodes[2 * i + 1]);
    out[i] = sha256(ByteView(a.bytes).first(65));
  }
}

Digest hmac_sha256(ByteView key, ByteView message) {
  std::array<std::byte, block_bytes> pad{};
  if (key.size() > block_bytes) {
    Digest hashed = sha256(key);
    std::memcpy(pad.data(), hashed.bytes.data(), hashed.bytes.size());
    wipe(hashed.bytes);
  } else if (!key.empty()) {
    std::memcpy(pad.data(), key.data(), key.size());
  }
  for (std::byte& b : pad) b ^= std::byte{0x36};
  const std::array<ByteView, 2> inner{pad, message};
  const Digest inner_hash = sha256(inner);
  for (std::byte& b : pad) b ^= std::byte{0x36 ^ 0x5c};
  const std::array<ByteView, 2> outer{pad, inner_hash.view()};
  const Digest out = sha256(outer);
  wipe(pad);
  return out;
}

Status fill_random(std::span<std::byte> bytes) {
  // The kernel's generator: ready at once, where OpenSSL would first set up three of its own.
  while (!bytes.empty()) {
    const ssize_t got = getrandom(bytes.data(), bytes.size(), 0);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) {
      return fail(ErrorCode::crypto_failed, "the kernel gave no random bytes",
                  "Check that the sandbox allows the system call getrandom.");
    }
    bytes = bytes.subspan(static_cast<std::size_t>(got));
  }
  return {};
}

bool equal_constant_time(ByteView a, ByteView b) {
  return a.size() == b.size() && (a.empty() || CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0);
}

}  // namespace fiducia::crypto
