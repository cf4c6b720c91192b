// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <memory>
#include <string>
#include <string_view>

#include "dicom/tag.h"

namespace fiducia::dicom {

/// Decodes text under one value of Specific Character Set (PS3.3 C.12.1.1.2, PS3.5 section 6.1):
/// single byte sets, ISO 2022 code extensions, UTF-8, GB18030, GBK, and common misspellings.
/// Copyable, cheap; thread-safe.
class CharacterSet {
 public:
  /// The default repertoire, ISO_IR 6 (ASCII).
  CharacterSet();
  /// From the raw value of (0008,0005), `\` separated. Unknown terms make `is_known()` false;
  /// decoding then succeeds for pure ASCII only.
  explicit CharacterSet(std::string_view value);
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
