// SPDX-License-Identifier: Apache-2.0
#include "inspect_value.h"

#include <algorithm>
#include <bit>
#include <cstdio>

#include "cli/cli.h"

namespace fiducia::app {
namespace {

constexpr std::size_t characters_max = 64;
/// Bytes that are looked at: enough for 64 characters of any encoding here.
constexpr std::size_t bytes_looked_at_max = 1024;

/// The first `characters_max` characters of UTF-8 text.
std::string cut(const std::string& text) {
  std::size_t count = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool starts_character = (static_cast<unsigned char>(text[i]) & 0xC0) != 0x80;
    if (starts_character && ++count > characters_max) return text.substr(0, i) + "...";
  }
  return text;
}

std::string in_hex(ByteView value) {
  constexpr std::size_t bytes_shown = characters_max / 2;
  return to_hex(value.first(std::min(value.size(), bytes_shown))) +
         (value.size() > bytes_shown ? "..." : "");
}

std::string one_number(dicom::Vr vr, const std::byte* p) {
  const auto real = [](double value) {
    char text[32];
    std::snprintf(text, sizeof text, "%.9g", value);
    return std::string{text};
  };
  if (vr == dicom::vr::us) return std::to_string(load_le<std::uint16_t>(p));
  if (vr == dicom::vr::ss)
    return std::to_string(static_cast<std::int16_t>(load_le<std::uint16_t>(p)));
  if (vr == dicom::vr::ul) return std::to_string(load_le<std::uint32_t>(p));
  if (vr == dicom::vr::sl)
    return std::to_string(static_cast<std::int32_t>(load_le<std::uint32_t>(p)));
  if (vr == dicom::vr::uv) return std::to_string(load_le<std::uint64_t>(p));
  if (vr == dicom::vr::sv)
    return std::to_string(static_cast<std::int64_t>(load_le<std::uint64_t>(p)));
  if (vr == dicom::vr::fl) return real(std::bit_cast<float>(load_le<std::uint32_t>(p)));
  if (vr == dicom::vr::fd) return real(std::bit_cast<double>(load_le<std::uint64_t>(p)));
  return dicom::to_string(
      dicom::Tag{.group = load_le<std::uint16_t>(p), .element = load_le<std::uint16_t>(p + 2)});
}

/// Bytes of one number of this VR, 0 when its values are no numbers.
std::size_t number_bytes(dicom::Vr vr) {
  using namespace dicom;
  if (vr == vr::us || vr == vr::ss) return 2;
  if (vr == vr::ul || vr == vr::sl || vr == vr::fl || vr == vr::at) return 4;
  if (vr == vr::uv || vr == vr::sv || vr == vr::fd) return 8;
  return 0;
}

bool is_bulk(dicom::Vr vr) {
  using namespace dicom;
  return vr == vr::ob || vr == vr::od || vr == vr::of || vr == vr::ol || vr == vr::ov ||
         vr == vr::ow || vr == vr::un;
}

}  // namespace

std::string show_value(const dicom::Element& element, const dicom::CharacterSet& character_set) {
  if (is_bulk(element.vr)) return in_hex(element.value);
  if (const std::size_t step = number_bytes(element.vr); step != 0) {
    if (element.value.size() % step != 0) return in_hex(element.value);
    // Only the front is copied: a value can have megabytes.
    dicom::Element front = element;
    front.value = element.value.first(std::min(element.value.size(), bytes_looked_at_max));
    Bytes scratch;
    const ByteView value = dicom::little_endian_value(front, scratch);
    std::string text;
    for (std::size_t i = 0; i < value.size() && text.size() <= characters_max; i += step)
      text += (i == 0 ? "" : "\\") + one_number(element.vr, value.data() + i);
    return cut(text);
  }
  std::string_view raw = as_text(element.value);
  const bool is_cut = raw.size() > bytes_looked_at_max;
  if (is_cut) raw = raw.substr(0, bytes_looked_at_max);
  raw = dicom::without_padding(raw);
  std::string text{raw};
  if (dicom::has_character_set(element.vr)) {
    // A cut may end inside a character; the bytes are then shown as they are.
    if (auto decoded =
            character_set.decode(raw, element.vr != dicom::vr::lt, element.vr == dicom::vr::pn))
      text = std::move(*decoded);
  }
  return cut(cli::printable(text));
}

}  // namespace fiducia::app
