// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <string>

#include "core/core.h"

namespace fiducia::dicom {

/// A data element tag (PS3.5 section 7.1).
struct Tag {
  std::uint16_t group = 0;
  std::uint16_t element = 0;
  [[nodiscard]] constexpr std::uint32_t value() const {
    return std::uint32_t{group} << 16 | element;
  }
  [[nodiscard]] constexpr bool is_private() const { return (group & 1) != 0; }
  /// (gggg,0010-00FF) in an odd group: a private creator (PS3.5 section 7.8.1).
  [[nodiscard]] constexpr bool is_private_creator() const {
    return is_private() && element >= 0x10 && element <= 0xFF;
  }
  [[nodiscard]] constexpr bool is_group_length() const { return element == 0; }
  auto operator<=>(const Tag&) const = default;
};
/// "(0010,0010)", hexadecimal digits in upper case.
[[nodiscard]] std::string to_string(Tag tag);

/// A value representation by its two letters (PS3.5 section 6.2). `none` where the file says
/// nothing (never the result of reading: implicit VR looks the VR up, and unknown is UN).
struct Vr {
  char letters[2] = {0, 0};
  constexpr Vr() = default;
  constexpr Vr(char a, char b) : letters{a, b} {}
  [[nodiscard]] constexpr std::uint16_t code() const {
    return static_cast<std::uint16_t>(static_cast<unsigned char>(letters[0]) << 8 |
                                      static_cast<unsigned char>(letters[1]));
  }
  constexpr bool operator==(const Vr& other) const { return code() == other.code(); }
  [[nodiscard]] std::string text() const { return {letters, 2}; }
};
namespace vr {
inline constexpr Vr ae{'A', 'E'}, as{'A', 'S'}, at{'A', 'T'}, cs{'C', 'S'}, da{'D', 'A'},
    ds{'D', 'S'}, dt{'D', 'T'}, fd{'F', 'D'}, fl{'F', 'L'}, is{'I', 'S'}, lo{'L', 'O'},
    lt{'L', 'T'}, ob{'O', 'B'}, od{'O', 'D'}, of{'O', 'F'}, ol{'O', 'L'}, ov{'O', 'V'},
    ow{'O', 'W'}, pn{'P', 'N'}, sh{'S', 'H'}, sl{'S', 'L'}, sq{'S', 'Q'}, ss{'S', 'S'},
    st{'S', 'T'}, sv{'S', 'V'}, tm{'T', 'M'}, uc{'U', 'C'}, ui{'U', 'I'}, ul{'U', 'L'},
    un{'U', 'N'}, ur{'U', 'R'}, us{'U', 'S'}, ut{'U', 'T'}, uv{'U', 'V'};
}  // namespace vr
/// Whether these are two letters of a VR of PS3.5 (2024).
[[nodiscard]] bool is_known_vr(Vr vr);
/// Explicit VR: 4-byte length after two reserved bytes (PS3.5 section 7.1.2).
[[nodiscard]] bool has_long_header(Vr vr);
/// Bytes that are swapped as one in big endian: 1, 2, 4 or 8 (AT swaps by 2).
[[nodiscard]] unsigned swap_unit_bytes(Vr vr);
/// Text that the Specific Character Set governs: LO LT PN SH ST UC UT.
[[nodiscard]] bool has_character_set(Vr vr);
/// Whether values are text, numbers written as text (DS, IS) included.
[[nodiscard]] bool is_text(Vr vr);
/// Whether `\` separates values: all text but LT, ST, UR and UT (PS3.5 section 6.2, table 6.2-1).
[[nodiscard]] bool is_multi_valued(Vr vr);
/// Whether spaces in front of a value mean something: all text but AE, CS, DS, IS, LO and SH.
[[nodiscard]] bool keeps_leading_spaces(Vr vr);

namespace tags {
inline constexpr Tag transfer_syntax_uid{0x0002, 0x0010};
inline constexpr Tag length_to_end{0x0008, 0x0001};
inline constexpr Tag specific_character_set{0x0008, 0x0005};
inline constexpr Tag sop_class_uid{0x0008, 0x0016};
inline constexpr Tag sop_instance_uid{0x0008, 0x0018};
inline constexpr Tag synthetic_data{0x0008, 0x001C};
inline constexpr Tag timezone_offset_from_utc{0x0008, 0x0201};
inline constexpr Tag samples_per_pixel{0x0028, 0x0002};
inline constexpr Tag photometric_interpretation{0x0028, 0x0004};
inline constexpr Tag planar_configuration{0x0028, 0x0006};
inline constexpr Tag number_of_frames{0x0028, 0x0008};
inline constexpr Tag rows{0x0028, 0x0010};
inline constexpr Tag columns{0x0028, 0x0011};
inline constexpr Tag bits_allocated{0x0028, 0x0100};
inline constexpr Tag bits_stored{0x0028, 0x0101};
inline constexpr Tag high_bit{0x0028, 0x0102};
inline constexpr Tag pixel_representation{0x0028, 0x0103};
inline constexpr Tag mac_parameters_sequence{0x4FFE, 0x0001};
inline constexpr Tag extended_offset_table{0x7FE0, 0x0001};
inline constexpr Tag extended_offset_table_lengths{0x7FE0, 0x0002};
inline constexpr Tag encapsulated_pixel_data_value_total_length{0x7FE0, 0x0003};
inline constexpr Tag float_pixel_data{0x7FE0, 0x0008};
inline constexpr Tag double_float_pixel_data{0x7FE0, 0x0009};
inline constexpr Tag pixel_data{0x7FE0, 0x0010};
inline constexpr Tag digital_signatures_sequence{0xFFFA, 0xFFFA};
inline constexpr Tag data_set_trailing_padding{0xFFFC, 0xFFFC};
inline constexpr Tag item{0xFFFE, 0xE000};
inline constexpr Tag item_delimitation{0xFFFE, 0xE00D};
inline constexpr Tag sequence_delimitation{0xFFFE, 0xE0DD};
}  // namespace tags

}  // namespace fiducia::dicom
