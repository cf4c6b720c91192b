// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "codec/codec.h"

namespace fiducia::canonical {

/// Where the meaningful bits of a sample lie in its container.
struct SampleBits {
  unsigned container_bits = 8;  // 8, 16, 32, 64
  unsigned stored = 8;
  unsigned shift = 0;  // High Bit + 1 - Bits Stored
  bool is_signed = false;
  /// Whether every container value is canonical as it is.
  [[nodiscard]] bool is_whole() const { return shift == 0 && stored == container_bits; }
};
[[nodiscard]] SampleBits sample_bits(const codec::Geometry& geometry);

enum class SampleState {
  canonical,      // every sample is its own canonical form
  rewritten,      // the canonical form differs, but no bit outside Bits Stored is lost
  carries_extra,  // some bit outside Bits Stored says something
};

/// Looks at little-endian samples without writing anything.
[[nodiscard]] SampleState inspect_samples(ByteView samples, const SampleBits& bits);

/// Writes the canonical samples (Bits Stored, shifted down, sign- or zero-extended) to
/// `canonical`, and what lies outside Bits Stored, where it stood, to `outside`: of a negative
/// sample the bits above that do *not* repeat the sign. All three have the same size.
void split_samples(ByteView samples, const SampleBits& bits, std::span<std::byte> canonical,
                   std::span<std::byte> outside);

/// Writes to `outside` what split_samples would give for the same samples, were their signs not
/// extended (negative ones with zeroes above). False when no sample is negative.
[[nodiscard]] bool zero_extension(ByteView samples, const SampleBits& bits,
                                  std::span<std::byte> outside);

/// Whether a negative sample has zeroes in all bits above its Bits Stored, where it has any.
[[nodiscard]] bool any_sign_unextended(ByteView samples, const SampleBits& bits);

}  // namespace fiducia::canonical
