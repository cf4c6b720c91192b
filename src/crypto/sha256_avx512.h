// SPDX-License-Identifier: Apache-2.0
#pragma once
// SHA-256 compression of sixteen independent messages at a time, a 32-bit lane of AVX-512 each.
//
// One instruction advances sixteen messages, and AVX-512 has the rotation and the three-operand
// logic that SHA-256 is made of; where the vector units are 512 bits wide this passes the SHA
// extensions, whose one unit bounds any number of interleaved messages (docs/performance.md).
#include "crypto/sha256_lanes.h"

namespace fiducia::crypto::avx512 {

inline constexpr std::size_t lanes = 16;

/// Whether this processor, the system (it must save the wide registers) and this build have the
/// instructions; compress_16 needs it.
[[nodiscard]] bool available();

/// Compresses `rows` x `row_blocks` blocks into the state of each lane. Lanes may read the same
/// bytes, so that an unused one can follow another.
void compress_16(LaneStates<lanes>& states, const LaneRows<lanes>& input, std::size_t rows,
                 std::size_t row_blocks);

}  // namespace fiducia::crypto::avx512
