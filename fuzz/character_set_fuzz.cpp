// SPDX-License-Identifier: Apache-2.0
// Input: a byte of flags, Specific Character Set up to a line end, then the raw text.
#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/core.h"
#include "dicom/character_set.h"
#include "target.h"

namespace {

// Written from RFC 3629's grammar, not from the code under test.
bool is_well_formed(std::string_view text) {
  std::size_t i = 0;
  while (i < text.size()) {
    const auto lead = static_cast<std::uint8_t>(text[i]);
    const int more = lead < 0x80       ? 0
                     : lead >> 5 == 6  ? 1
                     : lead >> 4 == 14 ? 2
                     : lead >> 3 == 30 ? 3
                                       : -1;
    if (more < 0 || static_cast<std::size_t>(more) >= text.size() - i) return false;
    std::uint32_t point = more == 0 ? lead : lead & (0x3FU >> more);
    for (int k = 0; k < more; ++k) {
      const auto byte = static_cast<std::uint8_t>(text[++i]);
      if (byte >> 6 != 2) return false;
      point = point << 6 | (byte & 0x3F);
    }
    ++i;
    constexpr std::uint32_t least[] = {0, 0x80, 0x800, 0x10000};
    if (point < least[more] || point > 0x10FFFF || (point >= 0xD800 && point < 0xE000))
      return false;
  }
  return true;
}

}  // namespace

FIDUCIA_FUZZ_TARGET(character_set) {
  using fiducia::dicom::CharacterSet;
  if (size == 0) return 0;
  const bool multi_valued = (data[0] & 1) != 0;
  const bool person_name = (data[0] & 2) != 0;
  const std::string_view rest{reinterpret_cast<const char*>(data) + 1, size - 1};
  const std::size_t end = std::min(rest.find('\n'), rest.size());
  const std::string_view raw = rest.substr(std::min(end + 1, rest.size()));
  const CharacterSet set{rest.substr(0, end)};

  const auto text = set.decode(raw, multi_valued, person_name);
  const auto has_high_or_escape = [](std::string_view bytes) {
    for (const char c : bytes)
      if (static_cast<std::uint8_t>(c) >= 0x80 || c == 0x1B) return true;
    return false;
  };
  if (!has_high_or_escape(raw)) FIDUCIA_ASSERT(text.has_value());
  if (!set.is_known() && text) FIDUCIA_ASSERT(*text == raw && !has_high_or_escape(raw));
  if (text) {
    FIDUCIA_ASSERT(is_well_formed(*text));
    FIDUCIA_ASSERT(text->size() <= 3 * raw.size());
  }
  // A line end resets everything, so lines decode one by one as they do together.
  const std::size_t half = raw.size() / 2;
  const auto first = set.decode(raw.substr(0, half), multi_valued, person_name);
  const auto second = set.decode(raw.substr(half), multi_valued, person_name);
  const auto both =
      set.decode(std::string{raw.substr(0, half)} + "\r\n" + std::string{raw.substr(half)},
                 multi_valued, person_name);
  FIDUCIA_ASSERT(both.has_value() == (first.has_value() && second.has_value()));
  if (both) FIDUCIA_ASSERT(*both == *first + "\r\n" + *second);
  return 0;
}
