// SPDX-License-Identifier: Apache-2.0
#include "canonical/salts.h"

#include <algorithm>

#include "crypto/crypto.h"

namespace fiducia::canonical {
namespace {

// key (32) || label (15) || index (8) is 55 bytes: with its padding exactly one block of SHA-256.
// All messages have this length, so the prefix-MAC has no extension to fear.
constexpr std::size_t message_bytes = 55;
using Message = std::array<std::byte, message_bytes>;

constexpr std::string_view label_header{"fiducia/header\0", 15};
constexpr std::string_view label_frame{"fiducia/frame\0\0", 15};
constexpr std::string_view label_leaf{"fiducia/leaf\0\0\0", 15};
constexpr std::string_view label_bits{"fiducia/bits\0\0\0", 15};
constexpr std::string_view label_code{"fiducia/code\0\0\0", 15};
constexpr std::string_view label_view{"fiducia/view\0\0\0", 15};
constexpr std::string_view label_tail{"fiducia/tail\0\0\0", 15};

void fill(Message& message, ByteView key, std::string_view label, std::uint64_t index) {
  std::memcpy(message.data(), key.data(), 32);
  std::memcpy(message.data() + 32, label.data(), 15);
  store_be(message.data() + 47, index);
}

Digest derive(ByteView key, std::string_view label, std::uint64_t index) {
  Message message;
  fill(message, key, label, index);
  return crypto::sha256(ByteView{message});
}

Salt shorten(const Digest& digest) {
  Salt salt;
  std::memcpy(salt.data(), digest.bytes.data(), salt.size());
  return salt;
}

std::string_view label_of(FrameSaltUse use) {
  switch (use) {
    case FrameSaltUse::tile:
      return label_leaf;
    case FrameSaltUse::outside_bits:
      return label_bits;
    case FrameSaltUse::encoded_frame:
      return label_code;
    case FrameSaltUse::rendition:
      return label_view;
  }
  std::unreachable();
}

void derive_many(ByteView key, std::string_view label, std::span<Salt> out) {
  constexpr std::size_t batch = 64;
  std::array<Message, batch> messages;
  std::array<ByteView, batch> views;
  std::array<Digest, batch> digests;
  for (std::size_t start = 0; start < out.size(); start += batch) {
    const std::size_t n = std::min(batch, out.size() - start);
    for (std::size_t i = 0; i < n; ++i) {
      fill(messages[i], key, label, start + i);
      views[i] = messages[i];
    }
    crypto::sha256_many(std::span{views}.first(n), std::span{digests}.first(n));
    for (std::size_t i = 0; i < n; ++i) out[start + i] = shorten(digests[i]);
  }
}

}  // namespace

Salts::Salts(const Seed& seed) : seed_(seed), header_key_(derive(seed, label_header, 0)) {}

std::vector<Salt> Salts::header(std::size_t count) const {
  std::vector<Salt> salts(count);
  derive_many(header_key_.view(), label_leaf, salts);
  return salts;
}

Salt Salts::header_one(std::uint64_t index) const {
  return shorten(derive(header_key_.view(), label_leaf, index));
}

void Salts::frame(std::uint64_t frame, FrameSaltUse use, std::span<Salt> out) const {
  derive_many(derive(seed_, label_frame, frame).view(), label_of(use), out);
}

Salt Salts::frame_one(std::uint64_t frame, FrameSaltUse use, std::uint64_t index) const {
  return shorten(derive(derive(seed_, label_frame, frame).view(), label_of(use), index));
}

Salt Salts::tail() const { return shorten(derive(seed_, label_tail, 0)); }

}  // namespace fiducia::canonical
