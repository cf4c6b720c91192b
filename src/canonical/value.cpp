// SPDX-License-Identifier: Apache-2.0
#include "canonical/value.h"

#include <algorithm>
#include <charconv>

namespace fiducia::canonical {
namespace {

constexpr std::size_t ds_bytes_max = 16;  // PS3.5 6.2, of one value
constexpr std::size_t is_bytes_max = 12;
constexpr int ds_exponent_max = 280;  // with 16 bytes, what a double holds

enum class TextForm {
  none,             // binary
  both_multi,       // leading and trailing spaces mean nothing, `\` separates (AE CS LO SH)
  trailing_multi,   // only trailing ones (DA TM DT AS PN UC UI)
  trailing_single,  // `\` is text (ST LT UT UR)
  number,           // DS IS
};

// Which spaces mean nothing: PS3.5 section 6.2, Table 6.2-1.
TextForm text_form(dicom::Vr vr) {
  namespace v = dicom::vr;
  for (const dicom::Vr both : {v::ae, v::cs, v::lo, v::sh})
    if (vr == both) return TextForm::both_multi;
  for (const dicom::Vr trailing : {v::da, v::tm, v::dt, v::as, v::pn, v::uc, v::ui})
    if (vr == trailing) return TextForm::trailing_multi;
  for (const dicom::Vr single : {v::st, v::lt, v::ut, v::ur})
    if (vr == single) return TextForm::trailing_single;
  return vr == v::ds || vr == v::is ? TextForm::number : TextForm::none;
}

std::string_view trim(std::string_view text, bool leading) {
  return leading ? dicom::trimmed(text) : dicom::without_padding(text);
}

bool is_ascii(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) < 0x80 && c != 0x1B; });
}

/// Trims each of the `\` separated values. Returns a view of `text` when there is one value or
/// nothing to trim inside, else of `out`.
std::string_view trim_values(std::string_view text, bool leading, std::string& out) {
  text = trim(text, leading);
  if (text.find('\\') == std::string_view::npos) return text;
  std::string joined;
  for (std::size_t start = 0;;) {
    const std::size_t end = std::min(text.find('\\', start), text.size());
    joined += trim(text.substr(start, end - start), leading);
    if (end == text.size()) break;
    joined += '\\';
    start = end + 1;
  }
  if (joined == text) return text;
  out = std::move(joined);
  return out;
}

/// A person's name without empty components and component groups behind the last that is not: they
/// and their delimiters may be left out (PS3.5 6.2.1.1). `multi`-valued, each value by itself.
/// Returns a view of `text` when there are none, else of `out`.
std::string_view trim_components(std::string_view text, std::string& out) {
  if (text.find_first_of("^=") == std::string_view::npos) return text;
  std::string kept;
  std::size_t group_start = 0;  // in `kept`: what stands before is no empty component
  std::size_t value_start = 0;
  const auto end_group = [&] {
    while (kept.size() > group_start && kept.back() == '^') kept.pop_back();
  };
  const auto end_value = [&] {
    end_group();
    while (kept.size() > value_start && kept.back() == '=') kept.pop_back();
  };
  for (const char c : text) {
    if (c == '=') end_group();
    if (c == '\\') end_value();
    kept += c;
    if (c == '=' || c == '\\') group_start = kept.size();
    if (c == '\\') value_start = kept.size();
  }
  end_value();
  if (kept == text) return text;
  out = std::move(kept);
  return out;
}

CanonicalValue of_text(ValueKind kind, std::string_view text) {
  if (text.empty()) return {};
  return {kind, as_bytes(text)};
}

/// Whether each common reader takes `value`, a number of `vr`, as that number: the forms and
/// lengths of PS3.5 6.2 only. DCMTK's DS loses digits behind twenty zeros, and its IS of `50E-1`
/// is 50.
bool is_standard_number(dicom::Vr vr, std::string_view value) {
  if (vr == dicom::vr::ds) {
    if (value.size() > ds_bytes_max) return false;
    const std::size_t e = value.find_first_of("eE");
    if (e == std::string_view::npos) return true;
    value.remove_prefix(e + 1);
    if (value.starts_with('+')) value.remove_prefix(1);
    int exponent = 0;
    std::from_chars(value.data(), value.data() + value.size(), exponent);
    return exponent >= -ds_exponent_max && exponent <= ds_exponent_max;
  }
  if (value.size() > is_bytes_max) return false;
  if (value.starts_with('+')) value.remove_prefix(1);
  std::int32_t number = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
  return error == std::errc{} && end == value.data() + value.size();
}

CanonicalValue canonical_numbers(dicom::Vr vr, std::string_view text, std::string& scratch) {
  text = trim(text, true);
  if (text.empty()) return {};
  std::string out;
  for (std::size_t start = 0;;) {
    const std::size_t end = std::min(text.find('\\', start), text.size());
    const std::string_view value = trim(text.substr(start, end - start), true);
    if (!value.empty()) {
      const auto number = decimal_normal_form(value);
      if (!number || !is_standard_number(vr, value)) {  // the text itself, as a CS would be
        const bool ascii = is_ascii(text);
        return of_text(ascii ? ValueKind::text : ValueKind::raw_text,
                       trim_values(text, true, scratch));
      }
      out += *number;
    }
    if (end == text.size()) break;
    out += '\\';
    start = end + 1;
  }
  scratch = std::move(out);
  return {ValueKind::decimal, as_bytes(scratch)};
}

}  // namespace

std::optional<std::string> decimal_normal_form(std::string_view text) {
  std::size_t at = 0;
  bool negative = false;
  if (at < text.size() && (text[at] == '+' || text[at] == '-')) negative = text[at++] == '-';
  std::string digits;
  std::int64_t exponent = 0;
  bool any = false;
  bool point = false;
  for (; at < text.size(); ++at) {
    const char c = text[at];
    if (c == '.' && !point) {
      point = true;
      continue;
    }
    if (c < '0' || c > '9') break;
    any = true;
    digits += c;
    if (point) --exponent;
  }
  if (!any) return std::nullopt;
  if (at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
    std::string_view rest = text.substr(at + 1);
    if (rest.starts_with('+')) rest.remove_prefix(1);
    std::int32_t stated = 0;
    const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), stated);
    if (error != std::errc{} || end != rest.data() + rest.size() || rest.empty())
      return std::nullopt;
    if (text[at + 1] == '+' && rest.starts_with('-')) return std::nullopt;
    exponent += stated;
    at = text.size();
  }
  if (at != text.size()) return std::nullopt;
  const std::size_t first = digits.find_first_not_of('0');
  if (first == std::string::npos) return "0";  // -0 and 0E9 are zero
  const std::size_t last = digits.find_last_not_of('0');
  exponent += static_cast<std::int64_t>(digits.size() - 1 - last);
  std::string out = negative ? "-" : "";
  out += std::string_view(digits).substr(first, last - first + 1);
  if (exponent != 0) out += "E" + std::to_string(exponent);
  return out;
}

CanonicalValue canonical_value(dicom::Vr vr, ByteView little_endian, const TextEncoding& encoding,
                               std::string& scratch) {
  if (little_endian.empty()) return {};
  const TextForm form = text_form(vr);
  if (form == TextForm::none) {
    if (little_endian.size() % 2 == 0) return {ValueKind::bytes, little_endian};
    // Values have an even length (PS3.5 7.1.1): whoever passes an odd one on pads it.
    scratch.assign(as_text(little_endian)).push_back('\0');
    return {ValueKind::bytes, as_bytes(scratch)};
  }
  const std::string_view raw = as_text(little_endian);
  if (form == TextForm::number) return canonical_numbers(vr, raw, scratch);
  const bool leading = form == TextForm::both_multi;
  const bool multi = form != TextForm::trailing_single;
  const auto trimmed = [&](std::string_view text) {
    return multi ? trim_values(text, leading, scratch) : trim(text, leading);
  };
  const auto named = [&](std::string_view text) {
    return vr == dicom::vr::pn ? trim_components(text, scratch) : text;
  };
  // The Specific Character Set governs some VRs only; the others are ASCII by rule.
  if (is_ascii(raw)) {
    if (!dicom::has_character_set(vr)) return of_text(ValueKind::text, trimmed(raw));
    // Nearly every value. 5C is not a backslash in one set (ISO_IR 13), so ask when it occurs.
    if (raw.find('\\') == std::string_view::npos && raw.find('~') == std::string_view::npos)
      return of_text(ValueKind::text, named(trimmed(raw)));
  }
  if (dicom::has_character_set(vr)) {
    if (auto decoded = encoding.set.decode(raw, multi, vr == dicom::vr::pn)) {
      std::string_view result =
          multi ? trim_values(*decoded, leading, scratch) : trim(*decoded, leading);
      result = named(result);
      if (result.data() != scratch.data()) scratch = std::string(result);
      return of_text(ValueKind::text, scratch);
    }
    const std::string_view text = trimmed(raw);
    if (text.empty()) return {};
    std::string bound = encoding.term;
    bound += '\0';
    bound += text;
    scratch = std::move(bound);
    return of_text(ValueKind::raw_text, scratch);
  }
  return of_text(ValueKind::raw_text, trimmed(raw));
}

}  // namespace fiducia::canonical
