// SPDX-License-Identifier: Apache-2.0
#include "canonical/samples.h"

#include <cstring>
#include <type_traits>

namespace fiducia::canonical {
namespace {

// Samples may start at any address, so each is loaded with memcpy; the compiler makes vector
// loads of the loops. This file is compiled with -O3 for that (CMakeLists.txt).

template <class U>
struct Masks {
  U stored;  // the Bits Stored, where they stand
  U above;   // bits above them
  U below;   // bits below them
  U sign;    // the highest of the Bits Stored
  unsigned shift;
  unsigned extend;  // container bits - Bits Stored
  explicit Masks(const SampleBits& bits)
      : shift(bits.shift), extend(bits.container_bits - bits.stored) {
    const U ones = static_cast<U>(~U{0});
    const U low = static_cast<U>(ones >> extend);
    stored = static_cast<U>(low << shift);
    below =
        static_cast<U>(shift == 0 ? U{0} : static_cast<U>(ones >> (bits.container_bits - shift)));
    above = static_cast<U>(~static_cast<U>(stored | below));
    sign = static_cast<U>(stored & static_cast<U>(~static_cast<U>(stored >> 1)));
  }
};

template <class U>
U canonical_of(U x, const Masks<U>& m, bool is_signed) {
  using S = std::make_signed_t<U>;
  const U value = static_cast<U>(static_cast<U>(x & m.stored) >> m.shift);
  if (!is_signed) return value;
  return static_cast<U>(static_cast<S>(static_cast<U>(value << m.extend)) >> m.extend);
}

template <class U>
U outside_of(U x, const Masks<U>& m, bool is_signed) {
  U above = static_cast<U>(x & m.above);
  // Bits above that only repeat the sign say nothing; whatever differs from that does.
  if (is_signed && (x & m.sign) != 0) above = static_cast<U>(above ^ m.above);
  return static_cast<U>(above | static_cast<U>(x & m.below));
}

template <class U>
SampleState inspect(ByteView samples, const SampleBits& bits) {
  const Masks<U> m(bits);
  const std::size_t count = samples.size() / sizeof(U);
  U differs = 0;
  for (std::size_t i = 0; i < count; ++i) {
    U x;
    std::memcpy(&x, samples.data() + i * sizeof(U), sizeof x);
    differs = static_cast<U>(differs | static_cast<U>(canonical_of(x, m, bits.is_signed) ^ x));
  }
  if (differs == 0) return SampleState::canonical;
  for (std::size_t i = 0; i < count; ++i) {
    U x;
    std::memcpy(&x, samples.data() + i * sizeof(U), sizeof x);
    if (outside_of(x, m, bits.is_signed) != 0) return SampleState::carries_extra;
  }
  return SampleState::rewritten;
}

template <class U>
void split(ByteView samples, const SampleBits& bits, std::byte* canonical, std::byte* outside) {
  const Masks<U> m(bits);
  const std::size_t count = samples.size() / sizeof(U);
  for (std::size_t i = 0; i < count; ++i) {
    U x;
    std::memcpy(&x, samples.data() + i * sizeof(U), sizeof x);
    const U c = canonical_of(x, m, bits.is_signed);
    const U o = outside_of(x, m, bits.is_signed);
    std::memcpy(canonical + i * sizeof(U), &c, sizeof c);
    std::memcpy(outside + i * sizeof(U), &o, sizeof o);
  }
}

template <class U>
bool zero_extension(ByteView samples, const SampleBits& bits, std::byte* outside) {
  const Masks<U> m(bits);
  const std::size_t count = samples.size() / sizeof(U);
  U any = 0;
  for (std::size_t i = 0; i < count; ++i) {
    U x;
    std::memcpy(&x, samples.data() + i * sizeof(U), sizeof x);
    const U o = (x & m.sign) != 0 ? m.above : U{0};
    any = static_cast<U>(any | o);
    std::memcpy(outside + i * sizeof(U), &o, sizeof o);
  }
  return any != 0;
}

template <class U>
bool any_sign_unextended(ByteView samples, const SampleBits& bits) {
  const Masks<U> m(bits);
  for (std::size_t i = 0; i < samples.size() / sizeof(U); ++i) {
    U x;
    std::memcpy(&x, samples.data() + i * sizeof(U), sizeof x);
    if ((x & m.sign) != 0 && (x & m.above) == 0) return true;
  }
  return false;
}

template <class F>
auto with_container(unsigned container_bits, F f) {
  switch (container_bits) {
    case 8:
      return f(std::uint8_t{});
    case 16:
      return f(std::uint16_t{});
    case 32:
      return f(std::uint32_t{});
    default:
      return f(std::uint64_t{});
  }
}

}  // namespace

SampleBits sample_bits(const codec::Geometry& geometry) {
  SampleBits bits{.container_bits = geometry.sample_bytes() * 8,
                  .is_signed = geometry.kind == codec::SampleKind::signed_integer};
  bits.stored = bits.container_bits;
  // Floats are whole; 1-bit samples come unpacked as 0 and 1.
  if (geometry.kind == codec::SampleKind::floating || geometry.bits_allocated == 1) {
    bits.is_signed = false;
    return bits;
  }
  bits.stored = geometry.bits_stored;
  bits.shift = geometry.high_bit + 1U - geometry.bits_stored;
  return bits;
}

SampleState inspect_samples(ByteView samples, const SampleBits& bits) {
  if (bits.is_whole()) return SampleState::canonical;
  return with_container(bits.container_bits,
                        [&](auto zero) { return inspect<decltype(zero)>(samples, bits); });
}

bool zero_extension(ByteView samples, const SampleBits& bits, std::span<std::byte> outside) {
  FIDUCIA_ASSERT(outside.size() == samples.size());
  if (!bits.is_signed) return false;
  return with_container(bits.container_bits, [&](auto zero) {
    return zero_extension<decltype(zero)>(samples, bits, outside.data());
  });
}

bool any_sign_unextended(ByteView samples, const SampleBits& bits) {
  if (!bits.is_signed || bits.stored + bits.shift == bits.container_bits) return false;
  return with_container(bits.container_bits, [&](auto zero) {
    return any_sign_unextended<decltype(zero)>(samples, bits);
  });
}

void split_samples(ByteView samples, const SampleBits& bits, std::span<std::byte> canonical,
                   std::span<std::byte> outside) {
  FIDUCIA_ASSERT(canonical.size() == samples.size() && outside.size() == samples.size());
  with_container(bits.container_bits, [&](auto zero) {
    split<decltype(zero)>(samples, bits, canonical.data(), outside.data());
  });
}

}  // namespace fiducia::canonical
