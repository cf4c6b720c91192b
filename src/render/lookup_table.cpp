// SPDX-License-Identifier: Apache-2.0
#include "render/lookup_table.h"

#include <algorithm>
#include <charconv>
#include <cmath>

namespace fiducia::render {
namespace {

constexpr std::size_t entries_max = 65'536;

std::string_view first_value(std::string_view text) {
  text = text.substr(0, text.find('\\'));
  while (!text.empty() && (text.front() == ' ' || text.front() == '+')) text.remove_prefix(1);
  return dicom::without_padding(text);
}

struct Descriptor {
  std::size_t count;
  std::int64_t first;
  unsigned bits;
};

std::optional<Descriptor> read_descriptor(const Scope& scope, dicom::Tag tag, bool is_signed) {
  const std::vector<std::uint16_t> words = scope.find_words(tag, 3);
  if (words.size() != 3) return std::nullopt;
  const dicom::Vr vr = scope.find(tag)->vr;
  const bool reads_signed = vr == dicom::vr::ss || (is_signed && !(vr == dicom::vr::us));
  const std::int64_t first = reads_signed ? static_cast<std::int16_t>(words[1]) : words[1];
  // Number of entries: 0 stands for 65,536. Bits other than 8..16 are a writer's mistake.
  return Descriptor{.count = words[0] == 0 ? entries_max : words[0],
                    .first = first,
                    .bits = std::clamp<unsigned>(words[2], 8, 16)};
}

ByteView raw_value(const Scope& scope, dicom::Tag tag, Bytes& scratch) {
  const dicom::Element* element = scope.find(tag);
  return element == nullptr ? ByteView{} : dicom::little_endian_value(*element, scratch);
}

/// Words of segmented data: 16-bit, or bytes in tables of 8 bits.
class SegmentWords {
 public:
  SegmentWords(ByteView bytes, bool are_bytes) : bytes_(bytes), are_bytes_(are_bytes) {}
  [[nodiscard]] std::size_t size() const { return are_bytes_ ? bytes_.size() : bytes_.size() / 2; }
  [[nodiscard]] std::uint16_t operator[](std::size_t i) const {
    if (are_bytes_) return std::to_integer<std::uint16_t>(bytes_[i]);
    return load_le<std::uint16_t>(bytes_.data() + i * 2);
  }
  [[nodiscard]] std::size_t word_bytes() const { return are_bytes_ ? 1 : 2; }

 private:
  ByteView bytes_;
  bool are_bytes_;
};

/// Segments of one table, all passes together. Honest ones yield at least one entry each; those
/// of no length would otherwise make work without end.
constexpr std::size_t segments_max = 2 * entries_max;

/// Expands `segment_count` segments from word `at` on, until `count` values are there or the
/// words end. False for what is no segment. An indirect segment names others, which must not be
/// indirect themselves, so that the depth is two.
bool expand(const SegmentWords& words, std::size_t at, std::size_t segment_count, bool may_refer,
            std::size_t count, std::size_t& segments_left, std::vector<std::uint16_t>& out) {
  for (std::size_t segment = 0; segment < segment_count; ++segment) {
    if (out.size() >= count || at >= words.size()) return true;
    if (words.size() - at < 2) return true;  // a pad word
    if (segments_left == 0) return false;
    --segments_left;
    const std::uint16_t kind = words[at];
    const std::size_t length = words[at + 1];
    at += 2;
    const std::size_t wanted = std::min(length, count - out.size());
    if (kind == 0) {  // discrete
      if (words.size() - at < length) return false;
      for (std::size_t i = 0; i < wanted; ++i) out.push_back(words[at + i]);
      at += length;
    } else if (kind == 1) {  // linear, from the value before it
      if (at >= words.size() || out.empty()) return false;
      const int from = out.back();
      const int to = words[at++];
      for (std::size_t i = 1; i <= wanted; ++i) {
        const double step = static_cast<double>(i) / static_cast<double>(length);
        out.push_back(static_cast<std::uint16_t>(std::lround(from + (to - from) * step)));
      }
    } else if (kind == 2 && may_refer) {  // indirect: `length` segments at a byte offset
      const std::size_t offset_words = 4 / words.word_bytes();
      if (words.size() - at < offset_words) return false;
      std::uint64_t offset = 0;
      for (std::size_t i = 0; i < offset_words; ++i) {
        offset |= std::uint64_t{words[at + i]} << (i * words.word_bytes() * 8);
      }
      at += offset_words;
      if (!expand(words, static_cast<std::size_t>(offset / words.word_bytes()), length, false,
                  count, segments_left, out)) {
        return false;
      }
    } else {
      return false;
    }
  }
  return true;
}

}  // namespace

const dicom::Element* Scope::find(dicom::Tag tag) const {
  return item_ == nullptr ? data_set_->find(tag) : data_set_->find_in(*item_, tag);
}

std::optional<Scope> Scope::find_item(dicom::Tag sequence, std::uint32_t index) const {
  const dicom::Element* element = find(sequence);
  if (element == nullptr || index >= element->item_count) return std::nullopt;
  dicom::ItemIndex item = element->first_item;
  for (std::uint32_t i = 0; i < index && item != dicom::no_index; ++i) {
    item = data_set_->item(item).next;
  }
  if (item == dicom::no_index) return std::nullopt;
  return Scope{*data_set_, data_set_->item(item)};
}

std::optional<double> Scope::find_number(dicom::Tag tag) const {
  const dicom::Element* element = find(tag);
  if (element == nullptr) return std::nullopt;
  const std::string_view text = first_value(as_text(element->value));
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || !std::isfinite(value)) {
    return std::nullopt;
  }
  return value;
}

std::string Scope::find_text(dicom::Tag tag) const {
  const dicom::Element* element = find(tag);
  return element == nullptr ? std::string{} : std::string{first_value(as_text(element->value))};
}

std::vector<std::uint16_t> Scope::find_words(dicom::Tag tag, std::size_t count_max) const {
  Bytes scratch;
  const ByteView bytes = raw_value(*this, tag, scratch);
  std::vector<std::uint16_t> words(std::min(bytes.size() / 2, count_max));
  for (std::size_t i = 0; i < words.size(); ++i) {
    words[i] = load_le<std::uint16_t>(bytes.data() + i * 2);
  }
  return words;
}

std::uint16_t LookupTable::map(std::int64_t input) const {
  if (input <= first) return values.front();
  const auto offset = static_cast<std::uint64_t>(input - first);
  return offset >= values.size() ? values.back() : values[static_cast<std::size_t>(offset)];
}

std::uint32_t LookupTable::output_max() const {
  // Some writers say 8 bits of 16-bit values, or 16 of 12: never map past white.
  return std::max<std::uint32_t>((1U << bits) - 1, *std::ranges::max_element(values));
}

std::optional<LookupTable> read_lookup_table(const Scope& scope, dicom::Tag descriptor,
                                             dicom::Tag data, bool is_signed) {
  const auto described = read_descriptor(scope, descriptor, is_signed);
  if (!described) return std::nullopt;
  Bytes scratch;
  const ByteView bytes = raw_value(scope, data, scratch);
  LookupTable table{.values = {}, .first = described->first, .bits = described->bits};
  // Tables of 8 bits may be packed two to a word (PS3.3 C.7.6.3.1.6): the length tells.
  if (described->bits == 8 && bytes.size() < described->count * 2) {
    const std::size_t count = std::min(bytes.size(), described->count);
    for (const std::byte b : bytes.first(count)) {
      table.values.push_back(std::to_integer<std::uint16_t>(b));
    }
  } else {
    table.values = scope.find_words(data, described->count);
  }
  if (table.values.empty()) return std::nullopt;
  return table;
}

std::optional<LookupTable> read_segmented_table(const Scope& scope, dicom::Tag descriptor,
                                                dicom::Tag data, bool is_signed) {
  const auto described = read_descriptor(scope, descriptor, is_signed);
  if (!described) return std::nullopt;
  Bytes scratch;
  const SegmentWords words{raw_value(scope, data, scratch), described->bits == 8};
  LookupTable table{.values = {}, .first = described->first, .bits = described->bits};
  std::size_t segments_left = segments_max;
  if (!expand(words, 0, segments_max, true, described->count, segments_left, table.values) ||
      table.values.empty()) {
    return std::nullopt;
  }
  return table;
}

}  // namespace fiducia::render
