// SPDX-License-Identifier: Apache-2.0
#include "dicom/data_set_encoder.h"

#include <algorithm>

#include "dicom/deflated_data_set.h"
#include "dicom/dictionary.h"

namespace fiducia::dicom {
namespace {

constexpr std::uint32_t length_undefined = 0xFFFFFFFF;
/// A smaller value costs less to copy than to be a piece of its own.
constexpr std::size_t copied_bytes_max = 1'024;

/// Below the arc of this project (spec/trust.md): what made a file (PS3.7 D.3.3.2).
constexpr std::string_view implementation_class_uid =
    "2.25.194878920291164724983316205274960575822.2.1";
constexpr std::string_view implementation_version_name = "FIDUCIA";
static_assert(implementation_version_name.size() <= 16);

std::unexpected<Error> cannot_write(Tag tag, std::string what) {
  auto error = fail(ErrorCode::unsupported, std::move(what), "Write it in another transfer syntax.",
                    {.file = {}, .element = to_string(tag), .offset = {}});
  error.error().kind = "edit";
  return error;
}

bool is_sequence_by_dictionary(Tag tag) {
  const auto entry = find_dictionary_entry(tag);
  return entry && entry->vrs.front() == vr::sq;
}

}  // namespace

std::vector<ByteView> Encoded::parts() const {
  std::vector<ByteView> out;
  out.reserve(pieces_.size());
  for (const Piece& piece : pieces_)
    out.push_back(piece.borrowed.empty() ? ByteView{own_}.subspan(piece.start, piece.length)
                                         : piece.borrowed);
  return out;
}

Bytes Encoded::joined() const {
  Bytes out;
  out.reserve(static_cast<std::size_t>(size_));
  for (const ByteView part : parts()) append(out, part);
  return out;
}

// --- bytes ----------------------------------------------------------------------------------

/// `length` bytes have been added to own_.
void DataSetEncoder::own(std::size_t length) {
  out_.size_ += length;
  if (!out_.pieces_.empty() && out_.pieces_.back().borrowed.empty())
    out_.pieces_.back().length += length;
  else if (length > 0)
    out_.pieces_.push_back({.borrowed = {}, .start = out_.own_.size() - length, .length = length});
}

void DataSetEncoder::copy(ByteView bytes) {
  append(out_.own_, bytes);
  own(bytes.size());
}

void DataSetEncoder::borrow(ByteView bytes) {
  if (bytes.size() <= copied_bytes_max) return copy(bytes);
  out_.pieces_.push_back({.borrowed = bytes});
  out_.size_ += bytes.size();
}

void DataSetEncoder::u16(std::uint16_t value, bool big_endian) {
  big_endian ? append_be(out_.own_, value) : append_le(out_.own_, value);
  own(sizeof value);
}
void DataSetEncoder::u32(std::uint32_t value, bool big_endian) {
  big_endian ? append_be(out_.own_, value) : append_le(out_.own_, value);
  own(sizeof value);
}

/// The header of an element (PS3.5 sections 7.1.2 and 7.1.3). The length stands last.
void DataSetEncoder::header(Tag tag, Vr vr, std::uint32_t length, Encoding encoding) {
  u16(tag.group, encoding.big_endian);
  u16(tag.element, encoding.big_endian);
  if (!encoding.explicit_vr) return u32(length, encoding.big_endian);
  copy(as_bytes(vr.text()));
  // A VR of a later edition has the long form, as all have that were ever added.
  if (is_known_vr(vr) && !has_long_header(vr))
    return u16(static_cast<std::uint16_t>(length), encoding.big_endian);
  u16(0, encoding.big_endian);
  u32(length, encoding.big_endian);
}

/// Items and delimiters have no VR in any encoding (PS3.5 section 7.5).
void DataSetEncoder::item_header(Tag tag, std::uint32_t length, bool big_endian) {
  u16(tag.group, big_endian);
  u16(tag.element, big_endian);
  u32(length, big_endian);
}

// --- data sets ------------------------------------------------------------------------------

Status DataSetEncoder::write() {
  stack_.push_back({.next = data_set_.levels_.front().first, .encoding = form_.encoding});
  while (!stack_.empty()) {
    Level& level = stack_.back();  // valid until a level is pushed
    if (level.next == no_index) {
      FIDUCIA_CHECK(close(level));
      stack_.pop_back();
    } else if (level.is_items) {
      const ItemIndex item = level.next;
      level.next = data_set_.levels_[item].next;
      open_item(item, level);
    } else {
      const EditableDataSet::Node& node = data_set_.nodes_[level.next];
      level.next = node.next;
      if (node.tag.is_group_length() || node.tag == tags::length_to_end) continue;
      const Encoding encoding = level.encoding;
      if (node.vr == vr::sq)
        open_sequence(node, encoding);
      else
        FIDUCIA_CHECK(write_element(node, encoding));
    }
  }
  return {};
}

Status DataSetEncoder::write_element(const EditableDataSet::Node& node, Encoding encoding) {
  if (node.encapsulated) return write_fragments(node, encoding);
  if (node.value.size() > value_bytes_max)
    return fail(ErrorCode::over_limit, "a value of 4 GiB and more has no place in a file.",
                "Split the value.", {.file = {}, .element = to_string(node.tag), .offset = {}});
  Vr written = node.written_vr;
  // Too long for the short form: UN, whose values are little endian everywhere (PS3.5 6.2.2).
  if (is_known_vr(written) && !has_long_header(written) &&
      node.value.size() > short_value_bytes_max)
    written = vr::un;
  const auto length = static_cast<std::uint32_t>(node.value.size() + node.value.size() % 2);
  header(node.tag, written, length, encoding);
  const bool big_endian = encoding.big_endian && !(encoding.explicit_vr && written == vr::un);
  if (big_endian == node.big_endian || swap_unit_bytes(node.vr) == 1) {
    borrow(node.value);
  } else {
    Element element;
    element.vr = node.vr;
    element.big_endian = true;  // swapping is its own inverse
    element.value = node.value;
    Bytes swapped;
    copy(little_endian_value(element, swapped));
  }
  if (node.value.size() % 2 != 0) copy(Bytes(1));  // values have even length (PS3.5 7.1.1)
  return {};
}

Status DataSetEncoder::write_fragments(const EditableDataSet::Node& node, Encoding encoding) {
  if (!encoding.explicit_vr || encoding.big_endian || node.big_endian)
    return cannot_write(node.tag,
                        "fragments stand in explicit VR little endian only (PS3.5 section A.4).");
  header(node.tag, node.written_vr, length_undefined, encoding);
  if (node.fragments == no_index) {
    borrow(node.value);
  } else {
    for (const ByteView fragment : data_set_.fragments_[node.fragments]) {
      const std::size_t padded = fragment.size() + fragment.size() % 2;
      item_header(tags::item, static_cast<std::uint32_t>(padded), false);
      borrow(fragment);
      if (padded != fragment.size()) copy(Bytes(1));
    }
  }
  item_header(tags::sequence_delimitation, 0, false);
  return {};
}

void DataSetEncoder::open_sequence(const EditableDataSet::Node& node, Encoding encoding) {
  // What the file called UN stays UN: its items are in implicit VR little endian (CP-246).
  const bool as_un = encoding.explicit_vr && node.written_vr == vr::un;
  const bool names_sequence = encoding.explicit_vr && !as_un;
  Level level{.is_items = true, .next = node.first_item, .encoding = encoding, .tag = node.tag};
  // Where neither VR nor PS3.6 says it, only a delimiter tells an empty sequence from an empty
  // value.
  level.has_delimiter =
      form_.sequences == LengthForm::undefined ||
      (!names_sequence && node.first_item == no_index && !is_sequence_by_dictionary(node.tag));
  level.has_length = !level.has_delimiter;
  header(node.tag, as_un ? vr::un : vr::sq, level.has_delimiter ? length_undefined : 0, encoding);
  if (as_un) level.encoding = {.explicit_vr = false, .big_endian = false};
  level.length_at = out_.own_.size() - sizeof(std::uint32_t);
  level.content_at = out_.size_;
  stack_.push_back(level);
}

void DataSetEncoder::open_item(ItemIndex item, const Level& sequence) {
  Level level{
      .next = data_set_.levels_[item].first, .encoding = sequence.encoding, .tag = sequence.tag};
  level.has_delimiter = form_.items == LengthForm::undefined;
  level.has_length = !level.has_delimiter;
  item_header(tags::item, level.has_delimiter ? length_undefined : 0, level.encoding.big_endian);
  level.length_at = out_.own_.size() - sizeof(std::uint32_t);
  level.content_at = out_.size_;
  stack_.push_back(level);
}

/// Writes the delimiter, or the length where it was left open. The top level has neither.
Status DataSetEncoder::close(const Level& level) {
  if (level.has_delimiter)
    item_header(level.is_items ? tags::sequence_delimitation : tags::item_delimitation, 0,
                level.encoding.big_endian);
  if (!level.has_length) return {};
  const std::uint64_t length = out_.size_ - level.content_at;
  if (length > value_bytes_max)
    return fail(ErrorCode::over_limit, "a sequence of 4 GiB and more has no defined length.",
                "Write undefined lengths.",
                {.file = {}, .element = to_string(level.tag), .offset = {}});
  // The length of a sequence is in the encoding of what encloses it: it differs only for UN, whose
  // header is in the encoding of the file.
  const bool big_endian = level.is_items && stack_.size() > 1
                              ? stack_[stack_.size() - 2].encoding.big_endian
                              : level.encoding.big_endian;
  std::byte* at = out_.own_.data() + level.length_at;
  big_endian ? store_be(at, static_cast<std::uint32_t>(length))
             : store_le(at, static_cast<std::uint32_t>(length));
  return {};
}

// --- files ----------------------------------------------------------------------------------

/// Preamble, prefix and group 0002 in explicit VR little endian (PS3.10 section 7.1).
Bytes DataSetEncoder::file_head(std::string_view transfer_syntax_uid, const DataSet* kept) const {
  struct MetaElement {
    Tag tag;
    Vr vr;
    Bytes value;
  };
  std::vector<MetaElement> meta;
  const auto add = [&](Tag tag, Vr vr, ByteView value) {
    Bytes padded(value.begin(), value.end());
    if (padded.size() % 2 != 0) padded.push_back(vr == vr::sh ? std::byte{' '} : std::byte{0});
    meta.push_back({tag, vr, std::move(padded)});
  };
  const auto add_from_data_set = [&](Tag tag, Tag from) {
    const ElementIndex node = data_set_.find_node(0, from);
    if (node == no_index) return;
    const ByteView value = data_set_.nodes_[node].value;
    if (value.size() <= short_value_bytes_max) add(tag, vr::ui, value);
  };
  const std::byte version[] = {std::byte{0}, std::byte{1}};
  add({0x0002, 0x0001}, vr::ob, version);
  add_from_data_set({0x0002, 0x0002}, tags::sop_class_uid);
  add_from_data_set({0x0002, 0x0003}, tags::sop_instance_uid);
  add(tags::transfer_syntax_uid, vr::ui, as_bytes(transfer_syntax_uid));
  add({0x0002, 0x0012}, vr::ui, as_bytes(implementation_class_uid));
  add({0x0002, 0x0013}, vr::sh, as_bytes(implementation_version_name));
  const std::size_t own_count = meta.size();
  for (auto i = kept == nullptr ? no_index : kept->first(); i != no_index;
       i = kept->element(i).next) {
    const Element& e = kept->element(i);
    const bool is_ours =
        std::any_of(meta.begin(), meta.begin() + static_cast<std::ptrdiff_t>(own_count),
                    [&](const MetaElement& m) { return m.tag == e.tag; });
    if (is_ours || e.duplicate || e.tag.is_group_length() || e.vr == vr::sq || !is_known_vr(e.vr))
      continue;
    add(e.tag, e.vr, e.value);
  }
  std::ranges::stable_sort(meta, {}, &MetaElement::tag);

  EditableDataSet model;
  for (const MetaElement& element : meta)
    static_cast<void>(model.put(
        0,
        {.tag = element.tag, .vr = element.vr, .written_vr = element.vr, .value = element.value}));
  DataSetEncoder group(model, {});
  const auto done = group.write();
  FIDUCIA_ASSERT(done.has_value());  // no sequences, no fragments, values far below 4 GiB
  const Bytes elements = std::move(group).take().joined();
  constexpr std::size_t preamble_bytes = 128;
  Bytes out(preamble_bytes);
  append(out, as_bytes("DICM"));
  DataSetEncoder length(model, {});
  length.header({0x0002, 0x0000}, vr::ul, sizeof(std::uint32_t), {});
  length.u32(static_cast<std::uint32_t>(elements.size()), false);
  append(out, std::move(length).take().joined());
  append(out, elements);
  return out;
}

Status DataSetEncoder::check_pixel_data(const TransferSyntax& syntax) const {
  const ElementIndex pixels = data_set_.find_node(0, tags::pixel_data);
  if (pixels == no_index || data_set_.nodes_[pixels].encapsulated == syntax.encapsulated) return {};
  return cannot_write(tags::pixel_data,
                      syntax.encapsulated
                          ? "Pixel Data is native, the transfer syntax is for fragments."
                          : "Pixel Data is in fragments, the transfer syntax is for native ones.");
}

Result<Encoded> encode_file(const EditableDataSet& data_set, const TransferSyntax& syntax,
                            const DataSet* meta, LengthForm sequences, LengthForm items) {
  const WriteForm form{
      .encoding = {.explicit_vr = syntax.explicit_vr, .big_endian = syntax.big_endian},
      .sequences = sequences,
      .items = items};
  DataSetEncoder encoder(data_set, form);
  FIDUCIA_CHECK(encoder.check_pixel_data(syntax));
  const Bytes head = encoder.file_head(syntax.uid, meta);
  if (!syntax.deflated) {
    encoder.write_head(head);
    FIDUCIA_CHECK(encoder.write());
    return std::move(encoder).take();
  }
  FIDUCIA_CHECK(encoder.write());
  const Encoded inflated = std::move(encoder).take();
  DataSetEncoder whole(data_set, form);
  whole.write_head(head);
  whole.write_head(deflate_data_set(inflated.parts()));
  return std::move(whole).take();
}

}  // namespace fiducia::dicom
