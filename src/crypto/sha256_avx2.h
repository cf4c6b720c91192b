// SPDX-License-Identifier: Apache-2.0
#pragma once
// SHA-256 compression of eight independent messages at a time, a 32-bit lane of AVX2 each.
//
// For processors that have neither the SHA extensions nor AVX-512: there OpenSSL hashes one
// message with AVX2, whose rounds wait for each other (docs/performance.md).
#include "crypto/sha256_lanes.h"

namespace fiducia::crypto::avx2 {

inline constexpr std::size_t lanes = 8;

/// Whether this processor, the system (it must save the wide registers) and this build have the
/// instructions; compress_8 needs it.
[[nodiscard]] bool available();

/// Compresses `rows` x `row_blocks` blocks into the state of each lane. Lanes may read the same
/// bytes, so that an unused one can follow another.
void compress_8(LaneStates<lanes>& states, const LaneRows<lanes>& input, std::size_t rows,
                std::size_t row_blocks);

}  // namespace fiducia::crypto::avx2
