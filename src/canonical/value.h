// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>

#include "core/core.h"
#include "dicom/dicom.h"

namespace fiducia::canonical {

/// How a canonical value is to be understood; a byte of the leaf preimage (spec/seal.md 5.3).
enum class ValueKind : std::uint8_t {
  empty = 0,      // zero length, or nothing but padding
  bytes = 1,      // binary, little endian
  text = 2,       // UTF-8, padding off
  raw_text = 3,   // text that cannot be decoded: its bytes, padding off; where a character set
                  // governs it, behind that set's term and a NUL
  decimal = 4,    // DS, IS: exact decimal numbers in normal form
  items = 5,      // SQ: number of items, u32 big endian
  fragments = 6,  // encapsulated pixel data inside an item: its raw items
};

struct CanonicalValue {
  ValueKind kind = ValueKind::empty;
  ByteView bytes;  // borrowed from the input or from the scratch
};

/// How the text of a data set is encoded: its Specific Character Set, and the value it came
/// from without padding (empty when there is none), which text that does not decode is bound to.
struct TextEncoding {
  dicom::CharacterSet set;
  std::string term;
  bool differs_in_item = false;  // it is that of an item, and not what encloses the item has
};

/// The canonical value of `little_endian` bytes read as `vr` (not SQ), text decoded by `encoding`.
/// `scratch` holds what had to be rewritten and must outlive the result.
[[nodiscard]] CanonicalValue canonical_value(dicom::Vr vr, ByteView little_endian,
                                             const TextEncoding& encoding, std::string& scratch);

/// Normal form of one decimal number: optional "-", digits without leading or trailing zeroes,
/// then "E" and the exponent unless it is 0; "0" for zero. Absent when `text` is no number.
/// "1.50" -> "15E-1", "+100" -> "1E2".
[[nodiscard]] std::optional<std::string> decimal_normal_form(std::string_view text);

}  // namespace fiducia::canonical
