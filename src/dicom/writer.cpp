// SPDX-License-Identifier: Apache-2.0
#include "dicom/writer.h"

#include <algorithm>
#include <bitset>

#include "dicom/data_set_encoder.h"
#include "dicom/deflated_data_set.h"
#include "dicom/vr_table.h"

namespace fiducia::dicom {
namespace {

void append_u16(Bytes& out, std::uint16_t value, bool big_endian) {
  big_endian ? append_be(out, value) : append_le(out, value);
}
void append_u32(Bytes& out, std::uint32_t value, bool big_endian) {
  big_endian ? append_be(out, value) : append_le(out, value);
}

/// The header of `element` in `syntax` (PS3.5 section 7.1). `as_un`: a short form VR whose value
/// is too long for it becomes UN (PS3.5 section 6.2.2).
Bytes header_of(const NewElement& element, const TransferSyntax& syntax, bool as_un) {
  const bool big_endian = syntax.big_endian;
  const auto length = static_cast<std::uint32_t>(element.value.size());
  Bytes out;
  append_u16(out, element.tag.group, big_endian);
  append_u16(out, element.tag.element, big_endian);
  if (!syntax.explicit_vr) {
    append_u32(out, length, big_endian);
    return out;
  }
  const Vr written = as_un ? vr::un : element.vr;
  append(out, as_bytes(written.text()));
  if (has_long_header(written)) {
    append_u16(out, 0, big_endian);
    append_u32(out, length, big_endian);
  } else {
    append_u16(out, static_cast<std::uint16_t>(length), big_endian);
  }
  return out;
}

/// Collects parts; neighbours in memory become one.
class Parts {
 public:
  void add(ByteView bytes) {
    if (bytes.empty()) return;
    if (!parts_.empty() && parts_.back().data() + parts_.back().size() == bytes.data() &&
        extendable_)
      parts_.back() = {parts_.back().data(), parts_.back().size() + bytes.size()};
    else
      parts_.push_back(bytes);
    extendable_ = true;
  }
  /// A part of its own: its neighbour in memory belongs to somebody else.
  void add_apart(ByteView bytes) {
    extendable_ = false;
    add(bytes);
    extendable_ = false;
  }
  [[nodiscard]] std::vector<ByteView> take() { return std::move(parts_); }

 private:
  std::vector<ByteView> parts_;
  bool extendable_ = false;
};

Status check_additions(const DataSet& data_set, std::span<const Tag> remove,
                       std::span<const NewElement> add, const TransferSyntax& syntax) {
  const auto refuse = [](Tag tag, std::string what) {
    auto error = fail(ErrorCode::unsupported, std::move(what), "Give another element.",
                      {.file = {}, .element = to_string(tag), .offset = {}});
    error.error().kind = "edit";
    return error;
  };
  for (std::size_t i = 0; i < add.size(); ++i) {
    const NewElement& element = add[i];
    if (i > 0 && element.tag <= add[i - 1].tag)
      return refuse(element.tag, "elements to add have to stand in ascending order.");
    if (element.value.size() > value_bytes_max)
      return fail(ErrorCode::over_limit, "a value of 4 GiB and more has no place in a file.",
                  "Split the value.",
                  {.file = {}, .element = to_string(element.tag), .offset = {}});
    if (element.value.size() % 2 != 0)
      return refuse(element.tag, "the value to add has odd length.");
    if (!is_known_vr(element.vr) || (element.vr == vr::sq && syntax.big_endian))
      return refuse(element.tag, "an element of this VR cannot be added here.");
    if (std::find(remove.begin(), remove.end(), element.tag) == remove.end() &&
        data_set.find(element.tag) != nullptr)
      return refuse(element.tag, "the element to add is in the file already.");
  }
  return {};
}

}  // namespace

Result<std::vector<ByteView>> edit_parts(const File& file, std::span<const Tag> remove,
                                         std::span<const NewElement> add,
                                         std::vector<Bytes>& storage) {
  const DataSet& data_set = file.data_set();
  const TransferSyntax& syntax = file.transfer_syntax();
  FIDUCIA_CHECK(check_additions(data_set, remove, add, syntax));
  const ByteView bytes = file.data_set_bytes();
  const std::uint64_t origin = syntax.deflated ? 0 : file.data_set_offset();

  std::vector<Tag> gone(remove.begin(), remove.end());
  std::sort(gone.begin(), gone.end());
  std::vector<std::uint16_t> edited;  // groups whose group length (gggg,0000) is no longer true
  for (const NewElement& element : add) edited.push_back(element.tag.group);
  for (ElementIndex i = data_set.first(); i != no_index; i = data_set.element(i).next) {
    const Tag tag = data_set.element(i).tag;
    if (!tag.is_group_length() && std::binary_search(gone.begin(), gone.end(), tag) &&
        (edited.empty() || edited.back() != tag.group))
      edited.push_back(tag.group);
  }
  std::sort(edited.begin(), edited.end());

  Parts parts;
  if (!syntax.deflated) parts.add(file.bytes().first(static_cast<std::size_t>(origin)));
  std::size_t next_addition = 0;
  const auto add_until = [&](std::optional<Tag> limit) {
    for (; next_addition < add.size() && (!limit || add[next_addition].tag < *limit);
         ++next_addition) {
      const NewElement& element = add[next_addition];
      const bool as_un = syntax.explicit_vr && !has_long_header(element.vr) &&
                         element.value.size() > short_value_bytes_max;
      Element as_written;
      as_written.vr = element.vr;
      as_written.big_endian = syntax.big_endian && !as_un;  // UN is little endian everywhere
      as_written.value = element.value;
      Bytes swapped;
      Bytes written = header_of(element, syntax, as_un);
      append(written, little_endian_value(as_written, swapped));  // swapping is its own inverse
      storage.push_back(std::move(written));
      parts.add_apart(storage.back());
    }
  };
  for (ElementIndex i = data_set.first(); i != no_index; i = data_set.element(i).next) {
    const Element& element = data_set.element(i);
    const std::uint64_t end =
        element.next == no_index ? data_set.end_offset() : data_set.element(element.next).offset;
    if (std::binary_search(gone.begin(), gone.end(), element.tag)) continue;
    if (element.tag.is_group_length() &&
        std::binary_search(edited.begin(), edited.end(), element.tag.group))
      continue;
    add_until(element.tag);
    parts.add(bytes.subspan(static_cast<std::size_t>(element.offset - origin),
                            static_cast<std::size_t>(end - element.offset)));
  }
  add_until(std::nullopt);
  parts.add(bytes.subspan(static_cast<std::size_t>(data_set.end_offset() - origin)));

  if (!syntax.deflated) return parts.take();
  Bytes deflated = deflate_data_set(parts.take());
  // Of its own, so that the file can be closed before this is written: it fills memory.
  const ByteView head = file.bytes().first(static_cast<std::size_t>(file.data_set_offset()));
  storage.clear();
  storage.emplace_back(head.begin(), head.end());
  storage.push_back(std::move(deflated));
  return std::vector<ByteView>{storage[0], storage[1]};
}

Result<std::uint8_t> find_private_block(const DataSet& data_set, std::uint16_t group,
                                        std::string_view creator) {
  std::bitset<256> taken;
  for (ElementIndex i = data_set.first(); i != no_index; i = data_set.element(i).next) {
    const Element& element = data_set.element(i);
    if (element.tag.group != group) continue;
    if (!element.tag.is_private_creator()) {
      taken.set(element.tag.element >> 8U);
      continue;
    }
    if (trimmed(as_text(element.value)) == creator)
      return static_cast<std::uint8_t>(element.tag.element);
    taken.set(element.tag.element);
  }
  for (unsigned block = 0x10; block <= 0xFF; ++block)
    if (!taken.test(block)) return static_cast<std::uint8_t>(block);
  return fail(
      ErrorCode::over_limit,
      "all 240 private blocks of group " + to_string(Tag{group, 0}).substr(1, 4) + " are taken.",
      "Keep the evidence beside the file instead.");
}

}  // namespace fiducia::dicom
