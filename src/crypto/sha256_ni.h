// SPDX-License-Identifier: Apache-2.0
#pragma once
// SHA-256 compression on the SHA extensions of x86-64, one, two or more messages at a time.
//
// `sha256rnds2` has a latency of four cycles and the rounds of one message form one chain, so a
// single message leaves most of the unit idle; the chains of independent messages overlap.
#include "crypto/sha256_lanes.h"

namespace fiducia::crypto::ni {

/// The working state between blocks, as the eight words a..h of FIPS 180-4 section 6.2.
struct State {
  std::array<std::uint32_t, 8> words;
};
inline constexpr State initial_state{initial_hash};

/// Rows of whole blocks: `rows` rows of `row_blocks` 64-byte blocks, `stride_bytes` apart.
struct Rows {
  const std::byte* first;
  std::size_t stride_bytes;
};

/// Whether this processor (and this build) has the instructions; every function below needs it.
[[nodiscard]] bool available();

/// Compresses `rows` x `row_blocks` blocks into the state of one message.
void compress_1(State& state, const Rows& input, std::size_t rows, std::size_t row_blocks);

/// The same for two independent messages, side by side.
void compress_2(State& a, State& b, const Rows& input_a, const Rows& input_b, std::size_t rows,
                std::size_t row_blocks);

}  // namespace fiducia::crypto::ni
