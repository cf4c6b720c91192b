// SPDX-License-Identifier: Apache-2.0
#include "crypto/sha256_ni.h"

#include "core/core.h"

#if defined(__x86_64__)
#include <cpuid.h>
#include <immintrin.h>

#include <utility>

// Only this file's functions are compiled for the extensions; the program runs everywhere.
#define FIDUCIA_SHA_NI [[gnu::target("sha,sse4.1,ssse3")]]
#define FIDUCIA_SHA_NI_INLINE [[gnu::target("sha,sse4.1,ssse3"), gnu::always_inline]] inline

namespace fiducia::crypto::ni {
namespace {

// One message's registers: the state in the order sha256rnds2 wants, and 16 schedule words.
// A struct of named members, not an array: gcc 12 keeps it in registers only when no index is
// computed at run time (spilled, the loop loses 40 %).
struct Lane {
  __m128i abef, cdgh;
  __m128i w0, w1, w2, w3;
};

// Rounds 4q .. 4q+3. `now` holds W[4q-16 .. 4q-13] and becomes W[4q .. 4q+3] (FIPS 180-4
// section 6.2.2); `next1..next3` are the twelve words after it.
template <int quad>
FIDUCIA_SHA_NI_INLINE void four_rounds(Lane& lane, __m128i& now, const __m128i& next1,
                                       const __m128i& next2, const __m128i& next3) {
  if constexpr (quad >= 4) {
    const __m128i sum =
        _mm_add_epi32(_mm_sha256msg1_epu32(now, next1), _mm_alignr_epi8(next3, next2, 4));
    now = _mm_sha256msg2_epu32(sum, next3);
  }
  const __m128i wk = _mm_add_epi32(
      now, _mm_load_si128(reinterpret_cast<const __m128i*>(round_constants.data() + 4 * quad)));
  lane.cdgh = _mm_sha256rnds2_epu32(lane.cdgh, lane.abef, wk);
  lane.abef = _mm_sha256rnds2_epu32(lane.abef, lane.cdgh, _mm_shuffle_epi32(wk, 0x0e));
}

template <int quad>
FIDUCIA_SHA_NI_INLINE void four_rounds(Lane& lane) {
  if constexpr (quad % 4 == 0) four_rounds<quad>(lane, lane.w0, lane.w1, lane.w2, lane.w3);
  if constexpr (quad % 4 == 1) four_rounds<quad>(lane, lane.w1, lane.w2, lane.w3, lane.w0);
  if constexpr (quad % 4 == 2) four_rounds<quad>(lane, lane.w2, lane.w3, lane.w0, lane.w1);
  if constexpr (quad % 4 == 3) four_rounds<quad>(lane, lane.w3, lane.w0, lane.w1, lane.w2);
}

FIDUCIA_SHA_NI_INLINE __m128i load_words(const std::byte* block, int quarter) {
  const __m128i big_endian = _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203);
  return _mm_shuffle_epi8(_mm_loadu_si128(reinterpret_cast<const __m128i*>(block) + quarter),
                          big_endian);
}

FIDUCIA_SHA_NI_INLINE void load_block(Lane& lane, const std::byte* block) {
  lane.w0 = load_words(block, 0);
  lane.w1 = load_words(block, 1);
  lane.w2 = load_words(block, 2);
  lane.w3 = load_words(block, 3);
}

FIDUCIA_SHA_NI_INLINE void load_state(Lane& lane, const State& state) {
  const auto* words = reinterpret_cast<const __m128i*>(state.words.data());
  const __m128i dcba = _mm_loadu_si128(words);
  const __m128i hgfe = _mm_loadu_si128(words + 1);
  const __m128i cdab = _mm_shuffle_epi32(dcba, 0xb1);
  const __m128i efgh = _mm_shuffle_epi32(hgfe, 0x1b);
  lane.abef = _mm_alignr_epi8(cdab, efgh, 8);
  lane.cdgh = _mm_blend_epi16(efgh, cdab, 0xf0);
}

FIDUCIA_SHA_NI_INLINE void store_state(const Lane& lane, State& state) {
  const __m128i feba = _mm_shuffle_epi32(lane.abef, 0x1b);
  const __m128i dchg = _mm_shuffle_epi32(lane.cdgh, 0xb1);
  auto* words = reinterpret_cast<__m128i*>(state.words.data());
  _mm_storeu_si128(words, _mm_blend_epi16(feba, dchg, 0xf0));
  _mm_storeu_si128(words + 1, _mm_alignr_epi8(dchg, feba, 8));
}

template <int... quad>
FIDUCIA_SHA_NI_INLINE void all_rounds(Lane& a, std::integer_sequence<int, quad...>) {
  (four_rounds<quad>(a), ...);
}
// The lanes take turns every four rounds, so that their chains of sha256rnds2 overlap.
template <int... quad>
FIDUCIA_SHA_NI_INLINE void all_rounds(Lane& a, Lane& b, std::integer_sequence<int, quad...>) {
  ((four_rounds<quad>(a), four_rounds<quad>(b)), ...);
}
using Quads = std::make_integer_sequence<int, 16>;

}  // namespace

bool available() {
  unsigned a = 0, b = 0, c = 0, d = 0;
  constexpr unsigned ssse3_and_sse41 = 1U << 9 | 1U << 19;
  if (__get_cpuid(1, &a, &b, &c, &d) == 0 || (c & ssse3_and_sse41) != ssse3_and_sse41) return false;
  return __get_cpuid_count(7, 0, &a, &b, &c, &d) != 0 && (b >> 29 & 1U) != 0;
}

FIDUCIA_SHA_NI void compress_1(State& state, const Rows& input, std::size_t rows,
                               std::size_t row_blocks) {
  Lane lane;
  load_state(lane, state);
  const std::byte* row = input.first;
  for (std::size_t r = 0; r < rows; ++r, row += input.stride_bytes) {
    const std::byte* block = row;
    for (std::size_t left = row_blocks; left != 0; --left, block += 64) {
      const __m128i abef = lane.abef;
      const __m128i cdgh = lane.cdgh;
      load_block(lane, block);
      all_rounds(lane, Quads{});
      lane.abef = _mm_add_epi32(lane.abef, abef);
      lane.cdgh = _mm_add_epi32(lane.cdgh, cdgh);
    }
  }
  store_state(lane, state);
}

FIDUCIA_SHA_NI void compress_2(State& a, State& b, const Rows& input_a, const Rows& input_b,
                               std::size_t rows, std::size_t row_blocks) {
  Lane lane_a;
  Lane lane_b;
  load_state(lane_a, a);
  load_state(lane_b, b);
  const std::byte* row_a = input_a.first;
  const std::byte* row_b = input_b.first;
  for (std::size_t r = 0; r < rows; ++r) {
    const std::byte* block_a = row_a;
    const std::byte* block_b = row_b;
    for (std::size_t left = row_blocks; left != 0; --left, block_a += 64, block_b += 64) {
      const __m128i abef_a = lane_a.abef;
      const __m128i cdgh_a = lane_a.cdgh;
      const __m128i abef_b = lane_b.abef;
      const __m128i cdgh_b = lane_b.cdgh;
      load_block(lane_a, block_a);
      load_block(lane_b, block_b);
      all_rounds(lane_a, lane_b, Quads{});
      lane_a.abef = _mm_add_epi32(lane_a.abef, abef_a);
      lane_a.cdgh = _mm_add_epi32(lane_a.cdgh, cdgh_a);
      lane_b.abef = _mm_add_epi32(lane_b.abef, abef_b);
      lane_b.cdgh = _mm_add_epi32(lane_b.cdgh, cdgh_b);
    }
    row_a += input_a.stride_bytes;
    row_b += input_b.stride_bytes;
  }
  store_state(lane_a, a);
  store_state(lane_b, b);
}

}  // namespace fiducia::crypto::ni

#else

namespace fiducia::crypto::ni {

bool available() { return false; }
void compress_1(State&, const Rows&, std::size_t, std::size_t) { FIDUCIA_ASSERT(available()); }
void compress_2(State&, State&, const Rows&, const Rows&, std::size_t, std::size_t) {
  FIDUCIA_ASSERT(available());
}

}  // namespace fiducia::crypto::ni

#endif
