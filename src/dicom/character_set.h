// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <memory>
#include <string>
#include <string_view>

#include "dicom/tag.h"

namespace fiducia::dicom {

/// Decodes text under one value of Specific Character Set (PS3.3 C.12.1.1.2, PS3.5 section 6.1):
/// single byte sets, ISO 2022 code extensions, UTF-8, GB18030 and GBK.
/// Copyable, cheap; thread-safe. Own tables: the text of a value, and so a seal, does not depend
/// on the C library.
///
/// What the standard leaves open, and what is decided here (tests/data/charset/README.md compares
/// with pydicom and DCMTK):
/// - Terms: letters' case and any of space, `_`, `-`, `.`, NUL are ignored ("ISO-IR_100"), "IR" or
///   "ISO" may lack ("IR 100", "ISO 2022 58"), "UTF-8", "ISO 8859-1" (and its parts), "LATIN1",
///   "ASCII" and "ISO 2022 GBK" are understood. An empty value 1 is ISO 2022 IR 6, an empty later
///   one nothing.
/// - Code extensions are in use with several values, with any "ISO 2022", and with a multi-byte
///   set. Only listed sets can be designated, and ASCII in G0 (ESC ( B) always; any other escape
///   cannot be decoded. Without code extensions ESC is the control character U+001B.
/// - UTF-8, GB18030 and GBK stand alone: values after them are ignored, and behind another value
///   they make the whole unknown.
/// - KS X 1001 or GB 2312 as value 1 are in G1 from the start; JIS X 0208 and JIS X 0212 never.
/// - JIS X 0201 (ISO_IR 13): 7E is U+203E. 5C separates values and so is `\` (U+005C) when
///   `multi_valued`, else U+00A5. Inside multi-byte characters 5C, 5E, 3D are no delimiters, so
///   values and components are to be split after decoding.
/// - Control characters 00..1F, 7F, space, and 80..9F in the ISO 8859 sets decode to themselves.
/// - ISO_IR 6, also by absence: a byte from 80 on cannot be decoded.
/// - GB18030 as of 2005 with glibc's choice for 24 characters; U+FF5E for JIS X 0212 2237; U+3164
///   for KS X 1001 2454.
class CharacterSet {
 public:
  /// The default repertoire, ISO_IR 6 (ASCII).
  CharacterSet();
  /// From the raw value of (0008,0005), `\` separated. Unknown terms make `is_known()` false;
  /// decoding then succeeds for pure ASCII only.
  explicit CharacterSet(std::string_view value);
  // Copies only: a moved-from object would break the invariant of `state_`.
  CharacterSet(const CharacterSet&) = default;
  CharacterSet& operator=(const CharacterSet&) = default;
  [[nodiscard]] bool is_known() const;
  /// UTF-8 of `raw`, absent when a byte cannot be decoded. Resets the ISO 2022 state at CR, LF,
  /// FF, TAB, at `\` when `multi_valued`, and at `^` and `=` when `person_name`. Padding stays.
  [[nodiscard]] std::optional<std::string> decode(std::string_view raw, bool multi_valued,
                                                  bool person_name) const;
  struct State;

 private:
  std::shared_ptr<const State> state_;  // never null
};

}  // namespace fiducia::dicom
