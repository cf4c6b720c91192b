// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <span>
#include <string_view>

namespace fiducia::finding {

/// What docs/codes.md says of one code: the page and the document read from this one table.
struct CodeEntry {
  std::string_view code;     // "pixels.altered"; a family ends in ".<what>"
  std::string_view meaning;  // one plain sentence
  std::string_view remedy;   // one sentence: what the reader can do next
  bool in_findings = true;   // false: only in fiducia.error/1
};

/// Every code, in the order of the document.
[[nodiscard]] std::span<const CodeEntry> all_codes();
/// The entry of a code; of its family when the code itself is not listed; never absent: a code
/// of a later release is explained as one.
[[nodiscard]] const CodeEntry& explain_code(std::string_view code);

}  // namespace fiducia::finding
