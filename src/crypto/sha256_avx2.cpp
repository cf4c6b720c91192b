// SPDX-License-Identifier: Apache-2.0
#include "crypto/sha256_avx2.h"

#include "core/core.h"

#if defined(__x86_64__)
#include <immintrin.h>

#include <utility>

// Only this file's functions are compiled for the extension; the program runs everywhere.
#define FIDUCIA_AVX2 [[gnu::target("avx2")]]
#define FIDUCIA_AVX2_INLINE [[gnu::target("avx2"), gnu::always_inline]] inline

namespace fiducia::crypto::avx2 {
namespace {

using Words = std::uint32_t __attribute__((vector_size(32)));  // a word of each lane

FIDUCIA_AVX2_INLINE __m256i as_vector(Words x) { return reinterpret_cast<__m256i>(x); }
FIDUCIA_AVX2_INLINE Words as_words(__m256i x) { return reinterpret_cast<Words>(x); }

/// Moves the bytes of each 16: those of `low` into the lower eight, those of `high` above.
FIDUCIA_AVX2_INLINE Words move_bytes(Words x, long long high, long long low) {
  return as_words(
      _mm256_shuffle_epi8(as_vector(x), _mm256_broadcastsi128_si256(_mm_set_epi64x(high, low))));
}

FIDUCIA_AVX2_INLINE Words rotate(Words x, unsigned bits) { return x >> bits ^ x << (32 - bits); }

/// rotate(x, 7) without a shift: to the left by one, whose carry is the sign, then whole bytes to
/// the right. Many processors do one shift in the time of three additions, so that shifts are what
/// the kernel waits for; the other rotations would take too many additions.
FIDUCIA_AVX2_INLINE Words rotate_7(Words x) {
  const __m256i minus_sign = _mm256_cmpgt_epi32(_mm256_setzero_si256(), as_vector(x));
  const __m256i left_by_one = _mm256_sub_epi32(as_vector(x + x), minus_sign);
  return move_bytes(as_words(left_by_one), 0x0c0f0e0d080b0a09, 0x0407060500030201);
}

// The functions of FIPS 180-4 section 4.1.2.
FIDUCIA_AVX2_INLINE Words big_sigma_0(Words x) {
  return rotate(x, 2) ^ rotate(x, 13) ^ rotate(x, 22);
}
FIDUCIA_AVX2_INLINE Words big_sigma_1(Words x) {
  return rotate(x, 6) ^ rotate(x, 11) ^ rotate(x, 25);
}
FIDUCIA_AVX2_INLINE Words small_sigma_0(Words x) { return rotate_7(x) ^ rotate(x, 18) ^ x >> 3; }
FIDUCIA_AVX2_INLINE Words small_sigma_1(Words x) { return rotate(x, 17) ^ rotate(x, 19) ^ x >> 10; }

// Registers by name through compile-time indices only: an index computed at run time would put
// the arrays into memory for good.
struct Registers {
  Words v[8];         // a..h, rotated by the round number instead of moved
  Words w[16];        // the last sixteen words of the message schedule
  Words b_or_c_only;  // b ^ c: what a ^ b was in the round before
};

/// Round `round` of the sixteen whose constants begin at `constants`.
template <int round, bool extend_schedule>
FIDUCIA_AVX2_INLINE void one_round(Registers& r, const std::uint32_t* constants) {
  constexpr auto at = [](int letter) { return (letter - round % 8 + 8) % 8; };
  Words& w = r.w[round];
  if constexpr (extend_schedule)
    w += small_sigma_0(r.w[(round + 1) % 16]) + r.w[(round + 9) % 16] +
         small_sigma_1(r.w[(round + 14) % 16]);
  const Words a = r.v[at(0)];
  const Words b = r.v[at(1)];
  const Words e = r.v[at(4)];
  const Words f = r.v[at(5)];
  const Words g = r.v[at(6)];
  // What does not wait for the round before comes first.
  Words t1 = r.v[at(7)] + (w + constants[round]);
  t1 += g ^ (e & (f ^ g));  // choose
  t1 += big_sigma_1(e);
  r.v[at(3)] += t1;
  const Words a_or_b_only = a ^ b;
  const Words majority = b ^ (a_or_b_only & r.b_or_c_only);
  r.b_or_c_only = a_or_b_only;
  r.v[at(7)] = t1 + big_sigma_0(a) + majority;
}

template <bool extend_schedule, int... round>
FIDUCIA_AVX2_INLINE void sixteen_rounds(Registers& r, const std::uint32_t* constants,
                                        std::integer_sequence<int, round...>) {
  (one_round<round, extend_schedule>(r, constants), ...);
}
using Sixteen = std::make_integer_sequence<int, 16>;

/// Sixteen bytes of a lane and of the lane four further on. Reading halves of a register where
/// they are needed saves the shuffles across its middle.
FIDUCIA_AVX2_INLINE __m256i load_two(const std::byte* low, const std::byte* high) {
  return _mm256_inserti128_si256(
      _mm256_castsi128_si256(_mm_loadu_si128(reinterpret_cast<const __m128i*>(low))),
      _mm_loadu_si128(reinterpret_cast<const __m128i*>(high)), 1);
}

/// Loads a block of each lane; w[i] gets word i of every lane (a transposition of 16 x 8 words).
FIDUCIA_AVX2_INLINE void load_blocks(Registers& r, const std::byte* const* blocks,
                                     std::size_t offset_bytes) {
#pragma GCC unroll 4
  for (std::size_t i = 0; i < 16; i += 4) {
    const std::size_t at = offset_bytes + 4 * i;
    __m256i x[4];
    __m256i y[4];
#pragma GCC unroll 4
    for (std::size_t k = 0; k < 4; ++k) x[k] = load_two(blocks[k] + at, blocks[4 + k] + at);
    y[0] = _mm256_unpacklo_epi32(x[0], x[1]);
    y[1] = _mm256_unpackhi_epi32(x[0], x[1]);
    y[2] = _mm256_unpacklo_epi32(x[2], x[3]);
    y[3] = _mm256_unpackhi_epi32(x[2], x[3]);
    r.w[i] = as_words(_mm256_unpacklo_epi64(y[0], y[2]));
    r.w[i + 1] = as_words(_mm256_unpackhi_epi64(y[0], y[2]));
    r.w[i + 2] = as_words(_mm256_unpacklo_epi64(y[1], y[3]));
    r.w[i + 3] = as_words(_mm256_unpackhi_epi64(y[1], y[3]));
#pragma GCC unroll 4
    for (std::size_t k = i; k < i + 4; ++k)  // big-endian
      r.w[k] = move_bytes(r.w[k], 0x0c0d0e0f08090a0b, 0x0405060700010203);
  }
}

}  // namespace

bool available() {
  // The builtin asks XGETBV too, whether the system saves the registers.
  return __builtin_cpu_supports("avx2") != 0;
}

FIDUCIA_AVX2 void compress_8(LaneStates<lanes>& states, const LaneRows<lanes>& input,
                             std::size_t rows, std::size_t row_blocks) {
  const auto state = [&](std::size_t i) {
    return reinterpret_cast<__m256i*>(states.words[i].data());
  };
  Registers r;
  std::array<const std::byte*, lanes> row = input.first;
  for (std::size_t i = 0; i < 8; ++i) r.v[i] = as_words(_mm256_load_si256(state(i)));
  for (; rows != 0; --rows) {
    for (std::size_t block = 0; block < row_blocks; ++block) {
      load_blocks(r, row.data(), block * 64);
      r.b_or_c_only = r.v[1] ^ r.v[2];
      // A loop over three quarters of the rounds: unrolled, the code would crowd out the
      // instruction cache, which two threads share.
      sixteen_rounds<false>(r, round_constants.data(), Sixteen{});
#pragma GCC unroll 1
      for (std::size_t round = 16; round < 64; round += 16)
        sixteen_rounds<true>(r, round_constants.data() + round, Sixteen{});
      // The state waits in memory: the rounds need every register.
#pragma GCC unroll 8
      for (std::size_t i = 0; i < 8; ++i) {
        r.v[i] += as_words(_mm256_load_si256(state(i)));
        _mm256_store_si256(state(i), as_vector(r.v[i]));
      }
    }
    if (rows == 1) break;  // a pointer past the last row need not be a pointer at all
    for (std::size_t lane = 0; lane < lanes; ++lane) row[lane] += input.stride_bytes[lane];
  }
}

}  // namespace fiducia::crypto::avx2

#else

namespace fiducia::crypto::avx2 {

bool available() { return false; }
void compress_8(LaneStates<lanes>&, const LaneRows<lanes>&, std::size_t, std::size_t) {
  FIDUCIA_ASSERT(available());
}

}  // namespace fiducia::crypto::avx2

#endif
