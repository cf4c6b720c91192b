// SPDX-License-Identifier: Apache-2.0
#include "dicom/character_set.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <utility>

#include "dicom/character_tables.h"
#include "dicom/padding.h"

namespace fiducia::dicom {
namespace {

namespace tables = character_tables;
using tables::SingleByte;

constexpr unsigned char escape = 0x1B;

/// What can be designated as G0 (bytes 21..7E) or G1 (bytes A0..FF).
enum class Set : std::uint8_t {
  none,
  ascii,      // ISO-IR 6
  jis_roman,  // ISO-IR 14: ASCII but for yen and overline
  katakana,   // ISO-IR 13
  single,     // a set of tables::single_byte
  jis_x_0208,
  jis_x_0212,
  ks_x_1001,
  gb_2312
};
struct Designation {
  Set set = Set::none;
  SingleByte table = SingleByte::latin_1;  // of Set::single
};
struct Sets {
  Designation g0;
  Designation g1;
};

/// A term of PS3.3 tables C.12-2 to C.12-5, by the number of its registration.
struct Term {
  std::uint16_t number;
  Sets start;                 // the sets in use at the start if this is value 1
  std::string_view escape_0;  // what designates its G0 and G1, without the ESC
  std::string_view escape_1;
  Designation escaped_0;
  Designation escaped_1;
};

constexpr Designation plain(Set set) { return {.set = set}; }
constexpr Term single_term(std::uint16_t number, std::string_view designator, SingleByte table) {
  const Designation upper{.set = Set::single, .table = table};
  return {.number = number,
          .start = {.g0 = plain(Set::ascii), .g1 = upper},
          .escape_0 = "(B",
          .escape_1 = designator,
          .escaped_0 = plain(Set::ascii),
          .escaped_1 = upper};
}
/// Multi-byte sets are designated by their escape only, and never are value 1 (C.12.1.1.2).
constexpr Term double_term(std::uint16_t number, std::string_view escape_0, Set g0,
                           std::string_view escape_1, Set g1) {
  return {.number = number,
          .start = {.g0 = plain(Set::ascii), .g1 = plain(g1)},
          .escape_0 = escape_0,
          .escape_1 = escape_1,
          .escaped_0 = plain(g0),
          .escaped_1 = plain(g1)};
}

constexpr Term terms[] = {
    {.number = 6,
     .start = {.g0 = plain(Set::ascii), .g1 = {}},
     .escape_0 = "(B",
     .escape_1 = {},
     .escaped_0 = plain(Set::ascii),
     .escaped_1 = {}},
    single_term(100, "-A", SingleByte::latin_1),
    single_term(101, "-B", SingleByte::latin_2),
    single_term(109, "-C", SingleByte::latin_3),
    single_term(110, "-D", SingleByte::latin_4),
    single_term(126, "-F", SingleByte::greek),
    single_term(127, "-G", SingleByte::arabic),
    single_term(138, "-H", SingleByte::hebrew),
    single_term(144, "-L", SingleByte::cyrillic),
    single_term(148, "-M", SingleByte::latin_5),
    single_term(166, "-T", SingleByte::thai),
    single_term(203, "-b", SingleByte::latin_9),
    {.number = 13,
     .start = {.g0 = plain(Set::jis_roman), .g1 = plain(Set::katakana)},
     .escape_0 = "(J",
     .escape_1 = ")I",
     .escaped_0 = plain(Set::jis_roman),
     .escaped_1 = plain(Set::katakana)},
    double_term(87, "$B", Set::jis_x_0208, {}, Set::none),
    double_term(159, "$(D", Set::jis_x_0212, {}, Set::none),
    double_term(149, {}, Set::none, "$)C", Set::ks_x_1001),
    double_term(58, {}, Set::none, "$)A", Set::gb_2312),
};
constexpr std::size_t term_count = std::size(terms);
constexpr bool is_multi_byte(const Term& term) {
  return term.number == 87 || term.number == 159 || term.number == 149 || term.number == 58;
}

enum class Code : std::uint8_t { unknown, iso_2022, utf_8, gb18030, gbk };

/// What a term says. `number` counts for Code::iso_2022.
struct Meaning {
  Code code = Code::unknown;
  std::uint16_t number = 0;
  bool is_extension = false;
};

/// The terms of PS3.3 C.12.1.1.2, to the letter: each reader has misspellings of its own that it
/// understands, and shows other characters for those that it does not. ISO_IR 6 is none, but
/// means nothing else than no term.
Meaning meaning_of(std::string_view value) {
  value = without_padding(value);
  if (value == "ISO_IR 192") return {.code = Code::utf_8};
  if (value == "GB18030") return {.code = Code::gb18030};
  if (value == "GBK") return {.code = Code::gbk};
  constexpr std::string_view single = "ISO_IR ";
  constexpr std::string_view extension = "ISO 2022 IR ";
  const bool is_extension = value.starts_with(extension);
  if (!is_extension && !value.starts_with(single)) return {};
  value.remove_prefix(is_extension ? extension.size() : single.size());
  if (value.empty() || value.size() > 3 || value.front() == '0') return {};
  std::uint16_t number = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
  if (error != std::errc{} || end != value.data() + value.size()) return {};
  return {.code = Code::iso_2022, .number = number, .is_extension = is_extension};
}

std::uint8_t at(std::string_view raw, std::size_t index) {
  return static_cast<std::uint8_t>(raw[index]);
}

/// The code point of four bytes of GB18030, 0 if there is none.
std::uint32_t gb18030_quad(std::uint8_t a, std::uint8_t b, std::uint8_t c, std::uint8_t d) {
  const auto digit = [](std::uint8_t byte) { return byte >= 0x30 && byte <= 0x39; };
  const auto wide = [](std::uint8_t byte) { return byte >= 0x81 && byte <= 0xFE; };
  if (!wide(a) || !digit(b) || !wide(c) || !digit(d)) return 0;
  const std::uint32_t number =
      ((a - 0x81U) * 10 + (b - 0x30U)) * 1260 + (c - 0x81U) * 10 + (d - 0x30U);
  // 90 30 81 30 starts the planes above, in Unicode's order.
  constexpr std::uint32_t astral_start = (0x90 - 0x81) * 12600;
  if (number >= astral_start) {
    const std::uint32_t point = 0x10000 + (number - astral_start);
    return point <= 0x10FFFF ? point : 0;
  }
  const auto after = std::ranges::upper_bound(
      tables::gb18030_runs, number, {},
      [](const tables::GbRun& run) -> std::uint32_t { return run.number; });
  if (after == tables::gb18030_runs.begin()) return 0;
  const tables::GbRun& run = *std::prev(after);
  return number - run.number < run.count ? run.code_point + (number - run.number) : 0;
}

std::optional<std::string> decode_gb(std::string_view raw, bool is_gbk) {
  std::string out;
  out.reserve(raw.size() + raw.size() / 2);
  for (std::size_t i = 0; i < raw.size();) {
    const std::uint8_t first = at(raw, i);
    if (first < 0x80) {
      out += raw[i++];
      continue;
    }
    if (first == 0x80 || first == 0xFF || raw.size() - i < 2) return std::nullopt;
    const std::uint8_t second = at(raw, i + 1);
    std::uint32_t point = 0;
    if (second >= 0x40 && second != 0xFF) {
      const std::size_t cell = (first - 0x81U) * std::size_t{191} + (second - 0x40U);
      if (!is_gbk || (tables::gbk_bits[cell / 64] >> (cell % 64) & 1) != 0)
        point = tables::gb18030_pairs[cell];
      if (point >= 0xD800 && point < 0xD800 + tables::gb_astral_count)
        point = tables::gb18030_astral[point - 0xD800];
      i += 2;
    } else if (!is_gbk && raw.size() - i >= 4) {
      point = gb18030_quad(first, second, at(raw, i + 2), at(raw, i + 3));
      i += 4;
    }
    if (point == 0) return std::nullopt;
    append_utf8(out, point);
  }
  return out;
}

const tables::Square* square_of(Set set) {
  switch (set) {
    case Set::jis_x_0208:
      return &tables::jis_x_0208;
    case Set::jis_x_0212:
      return &tables::jis_x_0212;
    case Set::ks_x_1001:
      return &tables::ks_x_1001;
    case Set::gb_2312:
      return &tables::gb_2312;
    case Set::none:
    case Set::ascii:
    case Set::jis_roman:
    case Set::katakana:
    case Set::single:
      break;
  }
  return nullptr;
}

/// Decodes one value under code extensions, or without (then no escape is known).
class Iso2022Decoder {
 public:
  Iso2022Decoder(Sets start, std::uint32_t declared, bool has_extensions, bool multi_valued,
                 bool person_name)
      : start_(start),
        sets_(start),
        declared_(declared),
        has_extensions_(has_extensions),
        multi_valued_(multi_valued),
        person_name_(person_name) {}

  std::optional<std::string> decode(std::string_view raw) {
    out_.reserve(raw.size() + raw.size() / 2);
    while (!raw.empty()) {
      const std::size_t taken = step(raw);
      if (taken == 0) return std::nullopt;
      raw.remove_prefix(taken);
    }
    return std::move(out_);
  }

 private:
  /// Decodes what `raw` starts with; the bytes used, 0 if it cannot be decoded.
  std::size_t step(std::string_view raw) {
    const std::uint8_t byte = at(raw, 0);
    if (byte == escape && has_extensions_) return designate(raw.substr(1));
    // Controls and space have their places whatever is designated (ISO 2022).
    if (byte <= 0x20 || byte == 0x7F) {
      out_ += raw[0];
      if (byte == '\r' || byte == '\n' || byte == '\f' || byte == '\t') sets_ = start_;
      return 1;
    }
    const Designation& used = byte < 0x80 ? sets_.g0 : sets_.g1;
    if (const tables::Square* square = square_of(used.set)) return pair(raw, *square);
    const std::uint32_t point = single(used, byte);
    if (point == 0) return 0;
    append_utf8(out_, point);
    const bool ends_component = byte == '^' || byte == '=';
    if ((multi_valued_ && byte == '\\') || (person_name_ && ends_component)) sets_ = start_;
    return 1;
  }

  /// Takes an escape sequence from behind its ESC.
  std::size_t designate(std::string_view rest) {
    // Seen where value 1 is ISO 2022 IR 13, and harmless: back to ASCII though IR 6 is not listed.
    if (rest.starts_with("(B")) {
      sets_.g0 = plain(Set::ascii);
      return 3;
    }
    for (std::size_t index = 0; index < term_count; ++index) {
      if ((declared_ >> index & 1) == 0) continue;
      const Term& term = terms[index];
      if (!term.escape_0.empty() && rest.starts_with(term.escape_0)) {
        sets_.g0 = term.escaped_0;
        return 1 + term.escape_0.size();
      }
      if (!term.escape_1.empty() && rest.starts_with(term.escape_1)) {
        sets_.g1 = term.escaped_1;
        return 1 + term.escape_1.size();
      }
    }
    return 0;
  }

  std::size_t pair(std::string_view raw, const tables::Square& square) {
    if (raw.size() < 2) return 0;
    const std::uint8_t first = at(raw, 0);
    const std::uint8_t second = at(raw, 1);
    if ((first & 0x80) != (second & 0x80)) return 0;  // both bytes are of G0, or of G1
    const unsigned row = (first & 0x7FU) - 0x21U;     // wraps for what lies below
    const unsigned column = (second & 0x7FU) - 0x21U;
    if (row >= 94 || column >= 94) return 0;
    const std::uint32_t point = square[row * std::size_t{94} + column];
    if (point == 0) return 0;
    append_utf8(out_, point);
    return 2;
  }

  [[nodiscard]] std::uint32_t single(const Designation& used, std::uint8_t byte) const {
    switch (used.set) {
      case Set::ascii:
        return byte;
      case Set::jis_roman:
        // 5C separates values whatever it looks like (PS3.5 section 6.2); elsewhere it is a yen.
        if (byte == 0x5C) return multi_valued_ ? 0x5C : 0xA5;
        return byte == 0x7E ? 0x203E : byte;
      case Set::katakana:
        return byte >= 0xA1 && byte <= 0xDF ? byte - 0xA1U + 0xFF61U : 0;
      case Set::single:
        if (byte < 0xA0) return byte;  // C1 control characters
        return tables::single_byte[std::to_underlying(used.table)][byte - 0xA0U];
      case Set::none:
      case Set::jis_x_0208:
      case Set::jis_x_0212:
      case Set::ks_x_1001:
      case Set::gb_2312:
        break;
    }
    return 0;
  }

  Sets start_;
  Sets sets_;
  std::uint32_t declared_;
  bool has_extensions_;
  bool multi_valued_;
  bool person_name_;
  std::string out_;
};

}  // namespace

struct CharacterSet::State {
  Code code = Code::iso_2022;
  Sets start = terms[0].start;
  std::uint32_t declared = 0;  // bit i: terms[i] is listed
  bool has_extensions = false;
};

namespace {

CharacterSet::State state_of(std::string_view value) {
  CharacterSet::State unknown;
  unknown.code = Code::unknown;
  CharacterSet::State state;
  state.has_extensions = value.contains('\\');
  bool is_first = true;
  for (bool more = true; more; is_first = false) {
    const std::size_t end = value.find('\\');
    more = end != std::string_view::npos;
    const std::string_view spelled = value.substr(0, end);
    if (more) value.remove_prefix(end + 1);
    // An empty value 1 is ISO 2022 IR 6; a later one says nothing.
    if (without_padding(spelled).empty()) continue;
    const Meaning meaning = meaning_of(spelled);
    if (meaning.code != Code::iso_2022) {
      // UTF-8, GB18030 and GBK stand alone.
      if (state.has_extensions) return unknown;
      state.code = meaning.code;
      return state;
    }
    const auto* term = std::ranges::find(terms, meaning.number, &Term::number);
    if (term == std::end(terms)) return unknown;
    // Several terms are all of code extensions, and so are multi-byte sets, never as value 1.
    if (state.has_extensions && !meaning.is_extension) return unknown;
    if (is_multi_byte(*term) && is_first) return unknown;
    if (is_first) state.start = term->start;
    if (meaning.is_extension) state.has_extensions = true;
    state.declared |= std::uint32_t{1} << (term - std::begin(terms));
  }
  return state;
}

}  // namespace

CharacterSet::CharacterSet() {
  static const auto ascii = std::make_shared<const State>();
  state_ = ascii;
}

CharacterSet::CharacterSet(std::string_view value)
    : state_(std::make_shared<const State>(state_of(value))) {}

bool CharacterSet::is_known() const { return state_->code != Code::unknown; }

std::optional<std::string> CharacterSet::decode(std::string_view raw, bool multi_valued,
                                                bool person_name) const {
  // Most text is ASCII, and ASCII is itself in all of these but JIS X 0201.
  const bool is_plain = std::ranges::all_of(raw, [](char c) {
    return static_cast<signed char>(c) >= 0 && c != static_cast<char>(escape);
  });
  if (is_plain && state_->start.g0.set == Set::ascii) return std::string{raw};
  switch (state_->code) {
    case Code::unknown:
      return std::nullopt;
    case Code::utf_8:
      return is_utf8(raw) ? std::optional{std::string{raw}} : std::nullopt;
    case Code::gb18030:
      return decode_gb(raw, /*is_gbk=*/false);
    case Code::gbk:
      return decode_gb(raw, /*is_gbk=*/true);
    case Code::iso_2022:
      break;
  }
  return Iso2022Decoder{state_->start, state_->declared, state_->has_extensions, multi_valued,
                        person_name}
      .decode(raw);
}

}  // namespace fiducia::dicom
