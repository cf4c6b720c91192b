// SPDX-License-Identifier: Apache-2.0
#include "crypto/sha256_avx512.h"

#include "core/core.h"

#if defined(__x86_64__)
#include <immintrin.h>

#include <utility>

// Only this file's functions are compiled for the extension; the program runs everywhere.
#define FIDUCIA_AVX512 [[gnu::target("avx512f,avx512bw")]]
#define FIDUCIA_AVX512_INLINE [[gnu::target("avx512f,avx512bw"), gnu::always_inline]] inline

namespace fiducia::crypto::avx512 {
namespace {

// Truth tables of vpternlogd, the first operand being the highest bit of the index.
constexpr int xor_of_three = 0x96;
constexpr int choose = 0xca;
constexpr int majority = 0xe8;

using Words = std::uint32_t __attribute__((vector_size(64)));  // a word of each lane

FIDUCIA_AVX512_INLINE Words rotate(Words x, unsigned bits) { return x >> bits | x << (32 - bits); }
template <int table>
FIDUCIA_AVX512_INLINE Words logic(Words a, Words b, Words c) {
  return reinterpret_cast<Words>(_mm512_ternarylogic_epi32(reinterpret_cast<__m512i>(a),
                                                           reinterpret_cast<__m512i>(b),
                                                           reinterpret_cast<__m512i>(c), table));
}

// The functions of FIPS 180-4 section 4.1.2.
FIDUCIA_AVX512_INLINE Words big_sigma_0(Words x) {
  return logic<xor_of_three>(rotate(x, 2), rotate(x, 13), rotate(x, 22));
}
FIDUCIA_AVX512_INLINE Words big_sigma_1(Words x) {
  return logic<xor_of_three>(rotate(x, 6), rotate(x, 11), rotate(x, 25));
}
FIDUCIA_AVX512_INLINE Words small_sigma_0(Words x) {
  return logic<xor_of_three>(rotate(x, 7), rotate(x, 18), x >> 3);
}
FIDUCIA_AVX512_INLINE Words small_sigma_1(Words x) {
  return logic<xor_of_three>(rotate(x, 17), rotate(x, 19), x >> 10);
}

// Registers by name through compile-time indices only: an index computed at run time would put
// the arrays into memory.
struct Registers {
  Words v[8];   // a..h, rotated by the round number instead of moved
  Words w[16];  // the last sixteen words of the message schedule
};

/// Round `round` of the sixteen whose constants begin at `constants`.
template <int round, bool extend_schedule>
FIDUCIA_AVX512_INLINE void one_round(Registers& r, const std::uint32_t* constants) {
  constexpr auto at = [](int letter) { return (letter - round % 8 + 8) % 8; };
  Words& w = r.w[round];
  if constexpr (extend_schedule)
    w += small_sigma_0(r.w[(round + 1) % 16]) + r.w[(round + 9) % 16] +
         small_sigma_1(r.w[(round + 14) % 16]);
  const Words a = r.v[at(0)];
  const Words e = r.v[at(4)];
  // What does not wait for the round before comes first.
  Words t1 = r.v[at(7)] + (w + constants[round]);
  t1 += logic<choose>(e, r.v[at(5)], r.v[at(6)]);
  t1 += big_sigma_1(e);
  r.v[at(3)] += t1;
  r.v[at(7)] = t1 + big_sigma_0(a) + logic<majority>(a, r.v[at(1)], r.v[at(2)]);
}

template <bool extend_schedule, int... round>
FIDUCIA_AVX512_INLINE void sixteen_rounds(Registers& r, const std::uint32_t* constants,
                                          std::integer_sequence<int, round...>) {
  (one_round<round, extend_schedule>(r, constants), ...);
}
using Sixteen = std::make_integer_sequence<int, 16>;

FIDUCIA_AVX512_INLINE Words as_words(__m512i x) { return reinterpret_cast<Words>(x); }

/// Loads a block of each lane; w[i] gets word i of every lane (a transposition of 16 x 16 words).
FIDUCIA_AVX512_INLINE void load_blocks(Registers& r, const std::byte* const* blocks,
                                       std::size_t offset_bytes) {
  // A byte order per 32-bit word.
  const __m512i big_endian =
      _mm512_broadcast_i32x4(_mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203));
  __m512i x[16];
  __m512i y[16];
#pragma GCC unroll 16
  for (int i = 0; i < 16; ++i) x[i] = _mm512_loadu_si512(blocks[i] + offset_bytes);
#pragma GCC unroll 8
  for (int i = 0; i < 16; i += 2) {
    y[i] = _mm512_unpacklo_epi32(x[i], x[i + 1]);
    y[i + 1] = _mm512_unpackhi_epi32(x[i], x[i + 1]);
  }
#pragma GCC unroll 4
  for (int i = 0; i < 16; i += 4) {
    x[i] = _mm512_unpacklo_epi64(y[i], y[i + 2]);
    x[i + 1] = _mm512_unpackhi_epi64(y[i], y[i + 2]);
    x[i + 2] = _mm512_unpacklo_epi64(y[i + 1], y[i + 3]);
    x[i + 3] = _mm512_unpackhi_epi64(y[i + 1], y[i + 3]);
  }
  // x[4g + c] now holds, in its quarter q, word 4q + c of the lanes 4g .. 4g+3.
#pragma GCC unroll 4
  for (int c = 0; c < 4; ++c) {
    y[c] = _mm512_shuffle_i32x4(x[c], x[4 + c], 0x88);      // quarters 0, 2
    y[4 + c] = _mm512_shuffle_i32x4(x[c], x[4 + c], 0xdd);  // quarters 1, 3
    y[8 + c] = _mm512_shuffle_i32x4(x[8 + c], x[12 + c], 0x88);
    y[12 + c] = _mm512_shuffle_i32x4(x[8 + c], x[12 + c], 0xdd);
  }
#pragma GCC unroll 4
  for (int c = 0; c < 4; ++c) {
    r.w[c] = as_words(_mm512_shuffle_i32x4(y[c], y[8 + c], 0x88));
    r.w[8 + c] = as_words(_mm512_shuffle_i32x4(y[c], y[8 + c], 0xdd));
    r.w[4 + c] = as_words(_mm512_shuffle_i32x4(y[4 + c], y[12 + c], 0x88));
    r.w[12 + c] = as_words(_mm512_shuffle_i32x4(y[4 + c], y[12 + c], 0xdd));
  }
#pragma GCC unroll 16
  for (int i = 0; i < 16; ++i)
    r.w[i] = as_words(_mm512_shuffle_epi8(reinterpret_cast<__m512i>(r.w[i]), big_endian));
}

}  // namespace

bool available() {
  // The builtin asks XGETBV too, whether the system saves the registers.
  return __builtin_cpu_supports("avx512f") != 0 && __builtin_cpu_supports("avx512bw") != 0;
}

FIDUCIA_AVX512 void compress_16(LaneStates<lanes>& states, const LaneRows<lanes>& input,
                                std::size_t rows, std::size_t row_blocks) {
  Registers r;
  std::array<const std::byte*, lanes> row = input.first;
  for (std::size_t i = 0; i < 8; ++i) r.v[i] = as_words(_mm512_load_si512(states.words[i].data()));
  for (; rows != 0; --rows) {
    for (std::size_t block = 0; block < row_blocks; ++block) {
      load_blocks(r, row.data(), block * 64);
      // A loop over three quarters of the rounds: unrolled, the code would crowd out the
      // instruction cache, which two threads share.
      sixteen_rounds<false>(r, round_constants.data(), Sixteen{});
#pragma GCC unroll 1
      for (std::size_t round = 16; round < 64; round += 16)
        sixteen_rounds<true>(r, round_constants.data() + round, Sixteen{});
      // The state waits in memory: the rounds need every register.
#pragma GCC unroll 8
      for (std::size_t i = 0; i < 8; ++i) {
        r.v[i] += as_words(_mm512_load_si512(states.words[i].data()));
        _mm512_store_si512(states.words[i].data(), reinterpret_cast<__m512i>(r.v[i]));
      }
    }
    if (rows == 1) break;  // a pointer past the last row need not be a pointer at all
    for (std::size_t lane = 0; lane < lanes; ++lane) row[lane] += input.stride_bytes[lane];
  }
}

}  // namespace fiducia::crypto::avx512

#else

namespace fiducia::crypto::avx512 {

bool available() { return false; }
void compress_16(LaneStates<lanes>&, const LaneRows<lanes>&, std::size_t, std::size_t) {
  FIDUCIA_ASSERT(available());
}

}  // namespace fiducia::crypto::avx512

#endif
