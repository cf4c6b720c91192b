// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <array>
#include <cstdint>

/// The character sets of PS3.3 C.12.1.1.2 as constant data, written by
/// scripts/generate-character-tables. Our own tables instead of iconv: what a seal hashes must not
/// change with the edition that a C library follows (GB18030 has three), several distributions
/// split the converters off, and loading one needs the file system, which a sandbox has not. In all
/// tables 0 means that the code stands for nothing.
namespace fiducia::dicom::character_tables {

/// Index into `single_byte`.
enum class SingleByte : std::uint8_t {
  latin_1,
  latin_2,
  latin_3,
  latin_4,
  cyrillic,
  arabic,
  greek,
  hebrew,
  latin_5,
  latin_9,
  thai
};
inline constexpr std::size_t single_byte_count = 11;
/// Code points of A0..FF.
extern const std::array<std::array<std::uint16_t, 96>, single_byte_count> single_byte;

/// A set of 94 x 94 characters: cell (first - 21) * 94 + (second - 21), high bits off.
inline constexpr std::size_t square_count = std::size_t{94} * 94;
using Square = std::array<std::uint16_t, square_count>;
extern const Square jis_x_0208;
extern const Square jis_x_0212;
extern const Square ks_x_1001;
extern const Square gb_2312;

/// GB18030, two bytes 81..FE 40..FE: cell (first - 81) * 191 + (second - 40). A surrogate D800 + n
/// stands for gb18030_astral[n].
inline constexpr std::size_t gb_pair_count = std::size_t{126} * 191;
extern const std::array<std::uint16_t, gb_pair_count> gb18030_pairs;
inline constexpr std::size_t gb_astral_count = 6;
extern const std::array<std::uint32_t, gb_astral_count> gb18030_astral;
/// Which of these pairs GBK has too, a bit each, the lowest first; it maps them alike.
inline constexpr std::size_t gbk_word_count = (gb_pair_count + 63) / 64;
extern const std::array<std::uint64_t, gbk_word_count> gbk_bits;

/// GB18030, four bytes counted through from 81 30 81 30: `count` from `number` on are the code
/// points from `code_point` on. Ascending by number, below U+10000.
struct GbRun {
  std::uint16_t number;
  std::uint16_t code_point;
  std::uint16_t count;
};
inline constexpr std::size_t gb_run_count = 210;
extern const std::array<GbRun, gb_run_count> gb18030_runs;

}  // namespace fiducia::dicom::character_tables
