// SPDX-License-Identifier: Apache-2.0
#include "dicom/data_set_parser.h"

#include <algorithm>

#include "dicom/dictionary.h"
#include "dicom/transfer_syntax.h"
#include "dicom/vr_table.h"

namespace fiducia::dicom {
namespace {

Tag load_tag(const std::byte* p, bool big_endian) {
  if (big_endian) return {load_be<std::uint16_t>(p), load_be<std::uint16_t>(p + 2)};
  return {load_le<std::uint16_t>(p), load_le<std::uint16_t>(p + 2)};
}
std::uint16_t load_u16(const std::byte* p, bool big_endian) {
  return big_endian ? load_be<std::uint16_t>(p) : load_le<std::uint16_t>(p);
}
std::uint32_t load_u32(const std::byte* p, bool big_endian) {
  return big_endian ? load_be<std::uint32_t>(p) : load_le<std::uint32_t>(p);
}

constexpr std::uint16_t delimiter_group = 0xFFFE;
constexpr Tag group_length_of_meta{0x0002, 0x0000};

/// Which of the VRs that PS3.6 allows an implicit VR element has. PS3.5 Annex A.1 says OW where
/// OW is one of them; US or SS follows Pixel Representation (`by_sign`).
Vr choose_vr(std::span<const Vr> vrs, bool& by_sign) {
  by_sign = false;
  if (vrs.empty()) return vr::un;
  if (vrs.size() == 1) return vrs.front();
  bool has_us = false;
  bool has_ss = false;
  for (const Vr candidate : vrs) {
    if (candidate == vr::ow) return vr::ow;
    has_us = has_us || candidate == vr::us;
    has_ss = has_ss || candidate == vr::ss;
  }
  by_sign = has_us && has_ss;
  return vrs.front();
}

/// Whether the value of a sequence begins with an item, or with a delimiter.
bool begins_like_items(ByteView value, bool big_endian) {
  return value.size() >= 8 && load_tag(value.data(), big_endian).group == delimiter_group;
}

}  // namespace

// --- entry points ---------------------------------------------------------------------------

void DataSetParser::reserve() {
  // A CT header has 60 to 300 elements in its first kilobytes; small inputs get less.
  const std::size_t guess = std::clamp<std::size_t>(bytes_.size() / 24, 8, 320);
  out_.elements_.reserve(guess);
  out_.parent_item_.reserve(guess);
  stack_.reserve(16);
}

Result<DataSet> DataSetParser::read_data_set(Encoding encoding) {
  reserve();
  whole_ = !meta_;
  Frame top;
  top.end = bytes_.size();
  top.explicit_vr = encoding.explicit_vr;
  top.big_endian = encoding.big_endian;
  stack_.push_back(top);
  return run();
}

Result<DataSet> DataSetParser::read_clean_data_set(Encoding encoding) {
  strict_ = 1;
  return read_data_set(encoding);
}

Result<DataSet> DataSetParser::read_meta(Encoding encoding) {
  meta_ = true;
  return read_data_set(encoding);
}

Result<DataSet> DataSetParser::read_implicit_items(Tag tag) {
  reserve();
  Element element;
  element.tag = tag;
  element.vr = vr::sq;
  element.file_vr = vr::un;
  element.vr_source = VrSource::structure;
  element.offset = origin_;
  element.value = bytes_;
  out_.elements_.push_back(element);
  out_.parent_item_.push_back(no_index);
  if (!open_items(0, bytes_.size(), false, true, false)) return error();
  return run();
}

Result<DataSet> DataSetParser::run() {
  while (!stack_.empty()) {
    const bool fine = stack_.back().is_items ? read_items() : read_elements();
    if (!fine && !roll_back()) return error();
  }
  return std::move(out_);
}

// --- data sets ------------------------------------------------------------------------------

bool DataSetParser::read_elements() {
  Frame& frame = stack_.back();  // valid until a frame is pushed or popped, where we return
  while (pos_ < frame.end) {
    const std::size_t remaining = frame.end - pos_;
    Header header;
    if (remaining >= 8) header.tag = load_tag(bytes_.data() + pos_, frame.big_endian);
    if (frame.item == no_index) {
      if (meta_ && (remaining < 8 || is_end_of_meta(header.tag))) break;
      // Elements of group 0000 do not stand in files; files padded with zeros do exist.
      if ((remaining < 8 || header.tag.value() == 0) && is_trailing_zeros(frame)) {
        if (!odd(Oddity::trailing_zeros, pos_)) return false;
        break;
      }
    }
    if (remaining < 8) return cut(frame, {}, pos_, 8, remaining);
    if (header.tag.group == delimiter_group) {
      bool closed = false;
      if (!read_delimiter(header.tag, load_u32(bytes_.data() + pos_ + 4, frame.big_endian), closed))
        return false;
      if (closed) return true;
      continue;
    }
    if (!read_header(frame, remaining, header)) return false;
    // Readers look there to tell explicit from implicit VR, whatever the file names.
    if (!frame.explicit_vr && frame.last_element == no_index && strict_ == 0 &&
        is_upper_case(static_cast<unsigned char>(bytes_[pos_ + 4])) &&
        is_upper_case(static_cast<unsigned char>(bytes_[pos_ + 5])))
      if (!odd(Oddity::looks_explicit, pos_)) return false;
    if (header.tag.group <= 0x0006 && !meta_ && header.tag.group != 0x0004)
      if (!odd(Oddity::forbidden_group, pos_)) return false;

    Element element;
    element.tag = header.tag;
    element.vr = header.vr;
    element.file_vr = header.file_vr;
    element.vr_source = header.source;
    element.big_endian = frame.big_endian && header.file_vr != vr::un;  // PS3.5 section 6.2.2
    element.offset = origin_ + pos_;
    if (header.length == undefined) {
      bool opened = false;
      if (!read_undefined(header, element, opened)) return false;
      if (opened) return true;
      continue;
    }
    const std::size_t value_at = pos_ + header.header_bytes;
    if (header.length > frame.end - value_at)
      return too_long(frame, header.tag, pos_, header.length, frame.end - value_at);
    if (header.length % 2 != 0 && !odd(Oddity::odd_length, pos_)) return false;
    const ByteView value = bytes_.subspan(value_at, header.length);

    if (header.vr == vr::sq && header.file_vr != vr::un && !value.empty() &&
        !begins_like_items(value, frame.big_endian)) {
      // Text that an anonymiser wrote, say: a value, which no reader takes for a sequence.
      if (!odd(Oddity::no_items, pos_)) return false;
      header.vr = element.vr = vr::un;
      header.source = element.vr_source = VrSource::unknown;
    }
    if (header.vr == vr::sq && header.file_vr != vr::un) {
      const ElementIndex index = add_element(frame, element);
      if (index == no_index) return false;
      pos_ = value_at;
      if (header.length == 0) continue;
      return open_items(index, header.length, false, false, false);
    }
    element.value = value;
    const bool unknown = header.source == VrSource::unknown && header.file_vr != vr::sq;
    // UN that the dictionary knows to be a sequence, or an unknown element: items, if its bytes
    // are those of items from end to end (roll_back() takes it back otherwise).
    const bool try_items =
        (unknown && (header.file_vr == vr::un || header.file_vr == Vr{})) || header.vr == vr::sq;
    if (try_items && may_be_items(value_at, header.length)) {
      element.vr = vr::sq;
      if (unknown) element.vr_source = VrSource::structure;
      const ElementIndex index = add_element(frame, element);
      if (index == no_index) return false;
      pos_ = value_at;
      return open_items(index, header.length, false, true, true);
    }
    if (header.vr == vr::sq && header.length != 0) {
      element.vr = vr::un;
      element.vr_source = VrSource::unknown;
    }
    if (header.tag == tags::pixel_representation && value.size() == 2)
      frame.signed_pixels = load_u16(value.data(), element.big_endian) == 1;
    if (meta_ && !meta_end_ && header.tag == group_length_of_meta && value.size() == 4)
      meta_end_ = value_at + 4 + load_le<std::uint32_t>(value.data());
    if (add_element(frame, element) == no_index) return false;
    pos_ = value_at + header.length;
  }
  if (pos_ >= frame.end && frame.undefined_length && !lacks_delimiter(frame))
    return fault({.kind = Failure::no_end,
                  .tag = {},
                  .position = frame.start,
                  .at_end_of_bytes = frame.end == bytes_.size()});
  return close_data_set();
}

/// Looks at each byte once, however often it is asked.
bool DataSetParser::is_trailing_zeros(const Frame& frame) {
  if (pos_ < nonzero_end_) return false;
  const auto begin = bytes_.begin() + static_cast<std::ptrdiff_t>(pos_);
  const auto end = bytes_.begin() + static_cast<std::ptrdiff_t>(frame.end);
  const auto found = std::find_if(begin, end, [](std::byte b) { return b != std::byte{0}; });
  if (found == end) return true;
  nonzero_end_ = static_cast<std::size_t>(found - bytes_.begin()) + 1;
  return false;
}

bool DataSetParser::is_end_of_meta(Tag tag) const {
  if (tag.group != 0x0002) return true;
  if (!meta_end_ || pos_ != *meta_end_) return false;
  const auto uid = out_.find_text(tags::transfer_syntax_uid);
  const TransferSyntax* syntax = uid ? find_transfer_syntax(*uid) : nullptr;
  return syntax != nullptr && syntax->deflated;
}

/// (FFFE,xxxx) where an element is due: the end of an item of undefined length, or a mistake.
bool DataSetParser::read_delimiter(Tag tag, std::uint32_t length, bool& closed) {
  const Frame& frame = stack_.back();
  if (tag != tags::item_delimitation || frame.item == no_index)
    return fault({.kind = Failure::unexpected_delimiter, .tag = tag, .position = pos_});
  if (length != 0 && !odd(Oddity::delimiter_length, pos_)) return false;
  if (!frame.undefined_length) {
    if (!odd(Oddity::stray_delimiter, pos_)) return false;
    pos_ += 8;
    return true;
  }
  pos_ += 8;
  closed = true;
  return close_data_set();
}

/// Reads tag, VR and length (PS3.5 section 7.1); header.tag is known, 8 bytes are there.
bool DataSetParser::read_header(const Frame& frame, std::size_t remaining, Header& header) {
  const std::byte* p = bytes_.data() + pos_;
  if (!frame.explicit_vr) {
    header.length = load_u32(p + 4, frame.big_endian);
    header.header_bytes = 8;
    look_up(header, frame);
    return true;
  }
  header.file_vr = Vr{static_cast<char>(p[4]), static_cast<char>(p[5])};
  const VrTraits& traits = vr_traits(header.file_vr);
  if (traits.known && !traits.long_header) {
    header.vr = header.file_vr;
    header.length = load_u16(p + 6, frame.big_endian);
    return true;
  }
  if (!traits.known) {
    // Two capital letters may be a VR of a later edition: all that were ever added have the long
    // form. Anything else is no VR, and a reader that goes on would read noise.
    if (!is_upper_case(static_cast<unsigned char>(p[4])) ||
        !is_upper_case(static_cast<unsigned char>(p[5])))
      return read_without_vr(frame, header);
    if (!odd(Oddity::unknown_vr, pos_)) return false;
  }
  if (remaining < 12) return cut(frame, header.tag, pos_, 12, remaining);
  header.length = load_u32(p + 8, frame.big_endian);
  header.header_bytes = 12;
  header.vr = header.file_vr;
  if (!traits.known || header.file_vr == vr::un) look_up(header, frame);
  return true;
}

/// An element of explicit VR with no VR in its place. Some writers leave blanks there, before the
/// short length; some write single elements in implicit VR. The form is the first of these two that
/// ends where what encloses it ends, or where a delimiter or a greater tag with a VR of PS3.5, or
/// with the same two bytes, follows; else the first that any greater tag follows.
bool DataSetParser::read_without_vr(const Frame& frame, Header& header) {
  const std::byte* p = bytes_.data() + pos_;
  const std::size_t room = frame.end - pos_ - 8;
  const auto is_followed = [&](std::uint32_t length, bool by_vr) {
    if (length > room) return false;
    const std::size_t after = room - length;
    if (after < 8) return after == 0;
    const std::byte* next = p + 8 + length;
    const Tag tag = load_tag(next, frame.big_endian);
    if (tag.group == delimiter_group) return true;
    const Vr vr{static_cast<char>(next[4]), static_cast<char>(next[5])};
    const bool has_vr = vr_traits(vr).known || (next[4] == p[4] && next[5] == p[5]);
    return tag.value() > header.tag.value() && (has_vr || !by_vr);
  };
  const std::uint32_t lengths[] = {load_u16(p + 6, frame.big_endian),
                                   load_u32(p + 4, frame.big_endian)};
  bool found = false;
  for (const bool by_vr : {true, false})
    for (const std::uint32_t length : lengths)
      if (!found && is_followed(length, by_vr)) {
        header.length = length;
        found = true;
      }
  // Whoever begins like this has no VRs at all.
  if (!found || (frame.last_element == no_index && frame.item == no_index))
    return fault({.kind = Failure::no_vr, .tag = header.tag, .position = pos_});
  if (!odd(Oddity::unknown_vr, pos_)) return false;
  header.file_vr = Vr{'?', '?'};
  look_up(header, frame);
  return true;
}

/// The VR of an element whose file does not say it.
void DataSetParser::look_up(Header& header, const Frame& frame) {
  const Tag tag = header.tag;
  header.source = VrSource::dictionary;
  if (tag.is_group_length()) {
    header.vr = vr::ul;
    return;
  }
  if (tag.is_private()) {
    header.vr = tag.is_private_creator() ? vr::lo : vr::un;
    if (!tag.is_private_creator()) header.source = VrSource::unknown;
    return;
  }
  CachedVr& slot = cache_[(tag.value() ^ tag.value() >> 13) % cache_slots];
  if (slot.tag != tag.value()) {
    slot = {.tag = tag.value(), .vr = {}, .by_sign = false};
    if (const auto entry = find_dictionary_entry(tag))
      slot.vr = choose_vr(entry->vrs, slot.by_sign);
  }
  header.vr = slot.vr;
  if (slot.by_sign) header.vr = frame.signed_pixels ? vr::ss : vr::us;
  if (header.vr == Vr{} || header.vr == vr::un) {
    header.vr = vr::un;
    header.source = VrSource::unknown;
  }
}

/// An element of undefined length: fragments, or items up to their delimiter.
bool DataSetParser::read_undefined(const Header& header, Element& element, bool& opened) {
  Frame& frame = stack_.back();
  const bool from_un = header.file_vr == vr::un;
  const bool is_pixel_data = header.tag == tags::pixel_data;
  // UN of undefined length is a sequence (CP-246), but for Pixel Data, which never is one.
  const bool may_be_fragments =
      is_pixel_data || (!from_un && (header.vr == vr::ob || header.vr == vr::ow));
  if (may_be_fragments && (is_known_vr(header.file_vr) || header.file_vr == Vr{})) {
    element.encapsulated = true;
    if (header.vr == vr::un) element.vr = vr::ob;
    const bool keep = frame.item == no_index && is_pixel_data && !out_.has_fragments_;
    return read_fragments(header, element, keep);
  }
  const bool sequence =
      header.vr == vr::sq || from_un || (header.vr == vr::un && header.file_vr == Vr{});
  if (!sequence)
    return fault(
        {.kind = Failure::undefined_length, .tag = header.tag, .vr = header.vr, .position = pos_});
  if (header.vr != vr::sq) element.vr_source = VrSource::structure;
  element.vr = vr::sq;
  const ElementIndex index = add_element(frame, element);
  if (index == no_index) return false;
  pos_ += header.header_bytes;
  opened = true;
  return open_items(index, 0, true, from_un, false);
}

/// Encapsulated Pixel Data (PS3.5 section A.4): the offset table item, fragments, delimiter.
bool DataSetParser::read_fragments(const Header& header, Element& element, bool keep) {
  Frame& frame = stack_.back();
  const std::size_t value_at = pos_ + header.header_bytes;
  const bool big_endian = element.big_endian;
  std::size_t at = value_at;
  std::size_t first_fragment_at = value_at;
  std::uint32_t count = 0;
  for (;; ++count) {
    const std::size_t remaining = frame.end - at;
    if (remaining == 0 && count > 0 && lacks_delimiter(frame)) break;
    if (remaining < 8) return cut(frame, header.tag, remaining == 0 ? value_at : at, 8, remaining);
    const Tag tag = load_tag(bytes_.data() + at, big_endian);
    const std::uint32_t length = load_u32(bytes_.data() + at + 4, big_endian);
    if (tag == tags::sequence_delimitation) {
      if (length != 0 && !odd(Oddity::delimiter_length, at)) return false;
      break;
    }
    Fault bad{.kind = Failure::no_fragment,
              .tag = header.tag,
              .position = at,
              .declared = length,
              .remaining = remaining - 8};
    if (tag != tags::item) return fault(bad);
    bad.kind = Failure::fragment_length;
    if (length == undefined) return fault(bad);
    if (length > remaining - 8) return too_long(frame, header.tag, at, length, remaining - 8);
    if (length % 2 != 0 && !odd(Oddity::odd_length, at)) return false;
    bad.kind = Failure::fragments;
    if (count > limits::fragments_max) return fault(bad);
    const ByteView fragment = bytes_.subspan(at + 8, length);
    if (count == 0) {
      first_fragment_at = at + 8 + length;
      if (keep) out_.basic_offset_table_ = fragment;
    } else if (keep) {
      out_.fragments_.push_back(fragment);
      out_.fragment_offsets_.push_back(at - first_fragment_at);
    }
    at += 8 + std::size_t{length};
  }
  element.value = bytes_.subspan(value_at, at - value_at);
  if (add_element(frame, element) == no_index) return false;
  if (keep) out_.has_fragments_ = true;
  pos_ = std::min(at + 8, frame.end);
  return true;
}

/// Appends an element to the data set being read; no_index when the limit is reached.
ElementIndex DataSetParser::add_element(Frame& frame, const Element& element) {
  const std::size_t index = out_.elements_.size();
  if (index >= limits::elements_max) {
    fault_ = {.kind = Failure::elements, .tag = element.tag, .position = pos_};
    return no_index;
  }
  const auto added = static_cast<ElementIndex>(index);
  out_.elements_.push_back(element);
  out_.parent_item_.push_back(frame.item);
  if (frame.last_element != no_index) {
    out_.elements_[frame.last_element].next = added;
    if (element.tag.value() <= frame.tag_max) frame.ascending = false;
  } else if (frame.item != no_index) {
    out_.items_[frame.item].first_element = added;
  }
  frame.last_element = added;
  frame.tag_max = std::max(frame.tag_max, element.tag.value());
  return added;
}

bool DataSetParser::close_data_set() {
  const Frame& frame = stack_.back();
  if (!frame.ascending) {
    if (!odd(Oddity::out_of_order,
             static_cast<std::size_t>(out_.elements_[frame.last_element].offset - origin_)))
      return false;
    mark_duplicates(frame.item == no_index ? out_.first() : out_.items_[frame.item].first_element);
  }
  if (frame.item == no_index) out_.end_offset_ = origin_ + pos_;
  stack_.pop_back();
  return true;
}

/// Only data sets that do not ascend come here, each once: n log n at worst.
void DataSetParser::mark_duplicates(ElementIndex first) {
  std::vector<std::pair<std::uint32_t, ElementIndex>> order;
  for (ElementIndex i = first; i != no_index; i = out_.elements_[i].next)
    order.emplace_back(out_.elements_[i].tag.value(), i);
  std::sort(order.begin(), order.end());
  for (std::size_t i = 1; i < order.size(); ++i) {
    if (order[i].first != order[i - 1].first) continue;
    Element& element = out_.elements_[order[i].second];
    element.duplicate = true;
    static_cast<void>(odd(Oddity::duplicate, static_cast<std::size_t>(element.offset - origin_)));
  }
}

// --- sequences ------------------------------------------------------------------------------

bool DataSetParser::open_items(ElementIndex sequence, std::size_t length, bool undefined_length,
                               bool implicit_little_endian, bool speculative) {
  if (depth_ >= limits::nesting_depth_max)
    return fault({.kind = Failure::nesting, .tag = out_.elements_[sequence].tag, .position = pos_});
  Frame frame;
  if (!stack_.empty()) {
    const Frame& parent = stack_.back();
    frame.end = parent.end;
    frame.explicit_vr = parent.explicit_vr;
    frame.big_endian = parent.big_endian;
    frame.signed_pixels = parent.signed_pixels;
  }
  if (implicit_little_endian) {  // PS3.5 section 6.2.2, CP-246
    frame.explicit_vr = false;
    frame.big_endian = false;
  }
  if (!undefined_length) frame.end = pos_ + length;
  frame.start = pos_;
  frame.is_items = true;
  frame.undefined_length = undefined_length;
  frame.speculative = speculative;
  frame.strict = speculative && out_.elements_[sequence].vr_source == VrSource::structure;
  frame.sequence = sequence;
  frame.items_before = static_cast<std::uint32_t>(out_.items_.size());
  stack_.push_back(frame);
  ++depth_;
  if (speculative) {
    ++speculations_;
    oddities_before_.push_back(oddities_);
  }
  if (frame.strict) ++strict_;
  return true;
}

bool DataSetParser::read_items() {
  Frame& frame = stack_.back();
  const Tag sequence = out_.elements_[frame.sequence].tag;
  Fault bad{.kind = Failure::no_end,
            .tag = sequence,
            .position = frame.start,
            .at_end_of_bytes = frame.end == bytes_.size()};
  for (;;) {
    bool ended = pos_ == frame.end;
    if (ended && frame.undefined_length && !lacks_delimiter(frame)) return fault(bad);
    if (!ended) {
      const std::size_t remaining = frame.end - pos_;
      if (remaining < 8) return cut(frame, sequence, pos_, 8, remaining);
      const Tag tag = load_tag(bytes_.data() + pos_, frame.big_endian);
      const std::uint32_t length = load_u32(bytes_.data() + pos_ + 4, frame.big_endian);
      bad.position = pos_;
      bad.kind = Failure::no_item;
      bad.at_end_of_bytes = false;
      if (tag == tags::item) {
        if (length != undefined && length > remaining - 8)
          return too_long(frame, sequence, pos_, length, remaining - 8);
        if (length != undefined && length % 2 != 0 && !odd(Oddity::odd_length, pos_)) return false;
        bad.kind = Failure::items;
        if (out_.items_.size() >= limits::items_max) return fault(bad);
        break;
      }
      if (tag != tags::sequence_delimitation && tag != tags::item_delimitation) return fault(bad);
      if (length != 0 && !odd(Oddity::delimiter_length, pos_)) return false;
      // Behind the items of UN of defined length it is no oddity: GDCM keeps it, whatever length
      // it gives the element.
      const bool is_last = frame.strict && pos_ + 8 == frame.end;
      ended = tag == tags::sequence_delimitation && (frame.undefined_length || is_last);
      // A delimiter after an item or a sequence of defined length: superfluous, but met.
      if (!ended && !odd(Oddity::stray_delimiter, pos_)) return false;
      pos_ += 8;
    }
    if (!ended) continue;
    if (frame.speculative) {
      --speculations_;
      oddities_before_.pop_back();
    }
    if (frame.strict) --strict_;
    --depth_;
    stack_.pop_back();
    return true;
  }

  const std::uint32_t length = load_u32(bytes_.data() + pos_ + 4, frame.big_endian);
  const auto added = static_cast<ItemIndex>(out_.items_.size());
  out_.items_.push_back({.first_element = no_index,
                         .next = no_index,
                         .sequence = frame.sequence,
                         .offset = origin_ + pos_});
  Element& element = out_.elements_[frame.sequence];
  if (frame.last_item == no_index)
    element.first_item = added;
  else
    out_.items_[frame.last_item].next = added;
  frame.last_item = added;
  ++element.item_count;

  Frame inner;
  inner.start = pos_;
  pos_ += 8;
  inner.end = length == undefined ? frame.end : pos_ + length;
  inner.undefined_length = length == undefined;
  inner.explicit_vr = frame.explicit_vr;
  inner.big_endian = frame.big_endian;
  inner.signed_pixels = frame.signed_pixels;
  inner.item = added;
  stack_.push_back(inner);
  return true;
}

/// Whether what has undefined length ends with the bytes of the file, without its delimiters: they
/// are as good as there, for those who read on at all.
bool DataSetParser::lacks_delimiter(const Frame& frame) {
  return whole_ && speculations_ == 0 && frame.end == bytes_.size() &&
         odd(Oddity::missing_delimiter, frame.end);
}

/// A cheap look before speculation: the value starts with an Item that fits.
bool DataSetParser::may_be_items(std::size_t position, std::uint32_t length) const {
  if (length < 8) return false;
  const std::byte* p = bytes_.data() + position;
  if (load_tag(p, false) != tags::item) return false;
  const std::uint32_t item_length = load_le<std::uint32_t>(p + 4);
  return item_length == undefined || item_length <= length - 8;
}

// --- what goes wrong ------------------------------------------------------------------------

bool DataSetParser::odd(Oddity oddity, std::size_t position) {
  // Bytes that merely may be a sequence have to be a clean one.
  if (strict_ > 0) return fault({.kind = Failure::oddity, .tag = {}, .position = position});
  OddityTally& tally = oddities_[static_cast<std::size_t>(oddity)];
  if (tally.count++ == 0) tally.first_offset = origin_ + position;
  return true;
}

bool DataSetParser::too_long(const Frame& frame, Tag tag, std::size_t position,
                             std::uint64_t declared, std::uint64_t remaining) {
  return fault({.kind = Failure::too_long,
                .tag = tag,
                .position = position,
                .declared = declared,
                .remaining = remaining,
                .at_end_of_bytes = frame.end == bytes_.size()});
}

/// The header of an element, item or fragment does not fit; without any byte of it, what was to
/// be ended by a delimiter has no end.
bool DataSetParser::cut(const Frame& frame, Tag tag, std::size_t position, std::uint64_t declared,
                        std::uint64_t remaining) {
  return fault({.kind = remaining == 0 ? Failure::no_end : Failure::header_cut,
                .tag = tag,
                .position = position,
                .declared = declared,
                .remaining = remaining,
                .at_end_of_bytes = frame.end == bytes_.size()});
}

/// Takes the innermost speculative sequence back: its element keeps its bytes, which are skipped.
/// False when there is none, or when the fault is a limit.
bool DataSetParser::roll_back() {
  const bool limit = fault_.kind == Failure::nesting || fault_.kind == Failure::elements ||
                     fault_.kind == Failure::items || fault_.kind == Failure::fragments;
  if (speculations_ == 0 || limit) return false;
  while (!stack_.back().speculative) {
    if (stack_.back().is_items) --depth_;
    stack_.pop_back();
  }
  const Frame frame = stack_.back();
  stack_.pop_back();
  --depth_;
  --speculations_;
  oddities_ = oddities_before_.back();
  oddities_before_.pop_back();
  if (frame.strict) --strict_;
  out_.items_.resize(frame.items_before);
  out_.elements_.resize(frame.sequence + 1);
  out_.parent_item_.resize(frame.sequence + 1);
  Element& element = out_.elements_[frame.sequence];
  element.vr = vr::un;
  element.vr_source = VrSource::unknown;
  element.first_item = no_index;
  element.item_count = 0;
  pos_ = frame.end;
  return true;
}

std::string DataSetParser::path(Tag tag) const {
  if (stack_.empty()) return to_string(tag);
  const Frame& frame = stack_.back();
  if (frame.is_items)
    return out_.path_of(frame.sequence) + "[" +
           std::to_string(out_.elements_[frame.sequence].item_count + 1) + "]";
  std::string text;
  ElementIndex first = out_.first();
  if (frame.item != no_index) {
    text = out_.path_of_item(frame.item);
    first = out_.items_[frame.item].first_element;
  }
  if (tag == Tag{}) return text;
  if (!text.empty()) text += ".";
  return text + out_.step_of(first, tag);
}

std::unexpected<Error> DataSetParser::error() const {
  const auto number = [](std::uint64_t value) { return std::to_string(value); };
  Error error{
      .code = ErrorCode::malformed,
      .what = {},
      .remedy = "Fetch the file again from its source.",
      .where = {.file = {}, .element = path(fault_.tag), .offset = origin_ + fault_.position},
      .kind = "structure"};
  switch (fault_.kind) {
    case Failure::header_cut:
      error.what = "the header of an element or item has " + number(fault_.declared) + " bytes, " +
                   number(fault_.remaining) + " remain.";
      error.kind = "length";
      break;
    case Failure::too_long:
      error.what = number(fault_.declared) + " bytes declared, " + number(fault_.remaining) +
                   (fault_.at_end_of_bytes ? " remain." : " remain in what encloses them.");
      error.kind = "length";
      break;
    case Failure::no_end:
      error.what = "has undefined length, and no delimiter ends it.";
      error.kind = "delimiter";
      break;
    case Failure::undefined_length:
      error.what = "a value of VR " + fault_.vr.text() + " cannot have undefined length.";
      error.kind = "undefined_length";
      break;
    case Failure::no_vr:
      error.what = "a value representation of two letters is due after the tag, found none.";
      error.kind = "vr";
      break;
    case Failure::unexpected_delimiter:
      error.what =
          "a data element is due, found the item or delimiter tag " + to_string(fault_.tag) + ".";
      error.kind = "delimiter";
      break;
    case Failure::no_item:
      error.what = "an item or the end of the sequence is due, found another tag.";
      error.kind = "item";
      break;
    case Failure::fragment_length:
      error.what = "a fragment of undefined length is not allowed.";
      error.kind = "fragment";
      break;
    case Failure::no_fragment:
      error.what = "a fragment or the end of the fragments is due, found another tag.";
      error.kind = "fragment";
      break;
    case Failure::nesting:
      error.what = "sequences are nested more than " + number(limits::nesting_depth_max) + " deep.";
      error.remedy = "No imaging device writes this. Do not open it with other software.";
      error.kind = "nesting";
      error.where.element = to_string(fault_.tag);  // the path would have 64 steps
      break;
    case Failure::elements:
    case Failure::items:
    case Failure::fragments: {
      const bool elements = fault_.kind == Failure::elements;
      const bool items = fault_.kind == Failure::items;
      error.code = ErrorCode::over_limit;
      error.kind = {};
      error.what = "there are more than " +
                   number(elements ? limits::elements_max
                          : items  ? limits::items_max
                                   : limits::fragments_max) +
                   (elements ? " data elements."
                    : items  ? " items."
                             : " fragments.");
      error.remedy = "Split the object.";
      break;
    }
    case Failure::oddity:
      error.what = "is against the rules of the encoding.";  // in a data set that has to be clean
      error.kind = "oddity";
      break;
  }
  if (fault_.at_end_of_bytes) {
    error.code = ErrorCode::truncated;
    error.kind = {};
  }
  return std::unexpected(std::move(error));
}

}  // namespace fiducia::dicom
