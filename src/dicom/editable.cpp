// SPDX-License-Identifier: Apache-2.0
#include "dicom/editable.h"

#include <algorithm>
#include <bitset>

#include "dicom/data_set_encoder.h"
#include "dicom/padding.h"
#include "dicom/vr_table.h"

namespace fiducia::dicom {
namespace {

std::unexpected<Error> cannot_edit(Tag tag, std::string what) {
  auto error = fail(ErrorCode::unsupported, std::move(what), "Give another attribute or value.",
                    {.file = {}, .element = to_string(tag), .offset = {}});
  error.error().kind = "edit";
  return error;
}

std::unexpected<Error> bad_path(const AttributePath& path, std::string what) {
  return fail(ErrorCode::usage_invalid, std::move(what), "Name an attribute that can be there.",
              {.file = {}, .element = path.text(), .offset = {}});
}

/// Whether an element with this tag may stand in a data set (PS3.5 section 7.1, PS3.7 E.1, PS3.10
/// section 7.1) and is not written by itself.
bool is_settable(Tag tag) {
  return tag.group > 0x0002 && tag.group != 0x0006 && tag.group != 0xFFFE &&
         !tag.is_group_length() && tag != tags::length_to_end;
}

/// What the length of a value of this VR is a multiple of.
std::size_t unit_bytes(Vr vr) { return vr == vr::at ? 4 : swap_unit_bytes(vr); }

std::byte pad_byte(Vr vr) { return is_text(vr) && vr != vr::ui ? std::byte{' '} : std::byte{0}; }

}  // namespace

EditableDataSet::EditableDataSet() : levels_(1) {}

EditableDataSet::EditableDataSet(const DataSet& data_set) : levels_(1) {
  nodes_.reserve(data_set.element_count());
  const auto level_of = [](ItemIndex item) { return item == no_index ? no_index : item + 1; };
  for (ElementIndex i = 0; i < data_set.element_count(); ++i) {
    const Element& e = data_set.element(i);
    const auto is_letter = [](char c) { return is_upper_case(static_cast<unsigned char>(c)); };
    const bool has_vr = is_letter(e.file_vr.letters[0]) && is_letter(e.file_vr.letters[1]);
    Node node{.tag = e.tag, .vr = e.vr, .written_vr = has_vr ? e.file_vr : e.vr};
    node.big_endian = e.big_endian;
    node.encapsulated = e.encapsulated;
    node.value = e.vr == vr::sq ? ByteView{} : e.value;
    node.next = e.next;
    node.first_item = level_of(e.first_item);
    nodes_.push_back(node);
    for (ItemIndex item = e.first_item; item != no_index; item = data_set.item(item).next) {
      if (level_of(item) >= levels_.size()) levels_.resize(level_of(item) + 1);
      Level& level = levels_[level_of(item)];
      level.first = data_set.item(item).first_element;
      level.next = level_of(data_set.item(item).next);
    }
  }
  levels_.front().first = data_set.first();
  for (Level& level : levels_)
    for (ElementIndex i = level.first; i != no_index; i = nodes_[i].next) level.last = i;
}

ElementIndex EditableDataSet::find_node(ItemIndex level, Tag tag) const {
  for (ElementIndex i = levels_[level].first; i != no_index; i = nodes_[i].next)
    if (nodes_[i].tag == tag) return i;
  return no_index;
}

std::optional<Tag> EditableDataSet::find_tag_in(ItemIndex level, const PathStep& step) const {
  if (step.creator.empty()) return step.tag;
  for (ElementIndex i = levels_[level].first; i != no_index; i = nodes_[i].next) {
    const Node& node = nodes_[i];
    if (node.tag.group != step.tag.group || !node.tag.is_private_creator() ||
        printable_creator(as_text(node.value)) != step.creator)
      continue;
    if (step.is_creator) return node.tag;
    return Tag{step.tag.group,
               static_cast<std::uint16_t>(unsigned{node.tag.element} << 8U | step.tag.element)};
  }
  return std::nullopt;
}

std::optional<ItemIndex> EditableDataSet::find_level(const AttributePath& path) const {
  ItemIndex level = 0;
  for (const PathStep& step : path.steps()) {
    if (step.item_number == 0) return level;
    const auto tag = find_tag_in(level, step);
    const ElementIndex node = tag ? find_node(level, *tag) : no_index;
    if (node == no_index) return std::nullopt;
    ItemIndex item = nodes_[node].first_item;
    for (std::uint32_t i = 1; i < step.item_number && item != no_index; ++i)
      item = levels_[item].next;
    if (item == no_index) return std::nullopt;
    level = item;
  }
  return level;
}

std::optional<EditableDataSet::Place> EditableDataSet::find(const AttributePath& path) const {
  const PathStep& last = path.steps().back();
  ItemIndex level = 0;
  if (path.steps().size() > 1) {
    // The item that encloses it: all steps but the last.
    AttributePath enclosing = path;
    enclosing.steps_.pop_back();
    const auto found = find_level(enclosing);
    if (!found) return std::nullopt;
    level = *found;
  }
  const auto tag = find_tag_in(level, last);
  const ElementIndex node = tag ? find_node(level, *tag) : no_index;
  if (node == no_index) return std::nullopt;
  return Place{.level = level, .tag = *tag, .node = node};
}

bool EditableDataSet::contains(const AttributePath& path) const {
  return path.is_item() ? find_level(path).has_value() : find(path).has_value();
}

std::uint32_t EditableDataSet::count_items(const AttributePath& sequence) const {
  const auto place = find(sequence);
  std::uint32_t count = 0;
  if (place)
    for (ItemIndex i = nodes_[place->node].first_item; i != no_index; i = levels_[i].next) ++count;
  return count;
}

/// The tag of a step, whose creator takes a block where it has none.
Result<Tag> EditableDataSet::make_tag(ItemIndex level, const PathStep& step) {
  if (const auto tag = find_tag_in(level, step)) return *tag;
  std::bitset<256> taken;
  for (ElementIndex i = levels_[level].first; i != no_index; i = nodes_[i].next) {
    const Tag tag = nodes_[i].tag;
    if (tag.group == step.tag.group)
      taken.set(tag.is_private_creator() ? tag.element : tag.element >> 8U);
  }
  for (unsigned block = 0x10; block <= 0xFF; ++block) {
    if (taken.test(block)) continue;
    Bytes name(as_bytes(step.creator).begin(), as_bytes(step.creator).end());
    if (name.size() % 2 != 0) name.push_back(pad_byte(vr::lo));
    owned_.push_back(std::move(name));
    const Tag creator{step.tag.group, static_cast<std::uint16_t>(block)};
    static_cast<void>(
        put(level, {.tag = creator, .vr = vr::lo, .written_vr = vr::lo, .value = owned_.back()}));
    if (step.is_creator) return creator;
    return Tag{step.tag.group, static_cast<std::uint16_t>(block << 8U | step.tag.element)};
  }
  return fail(ErrorCode::over_limit, "all 240 private blocks of the group are taken.",
              "Use another private group.",
              {.file = {}, .element = to_string(step.tag), .offset = {}});
}

/// Puts a node where the order of tags has it.
ElementIndex EditableDataSet::put(ItemIndex in, Node node) {
  const auto added = static_cast<ElementIndex>(nodes_.size());
  Level& level = levels_[in];
  ElementIndex before = level.last;
  if (before != no_index && node.tag < nodes_[before].tag) {
    before = no_index;
    for (ElementIndex i = level.first; nodes_[i].tag <= node.tag; i = nodes_[i].next) before = i;
  }
  node.next = before == no_index ? level.first : nodes_[before].next;
  (before == no_index ? level.first : nodes_[before].next) = added;
  if (level.last == before) level.last = added;
  nodes_.push_back(node);
  return added;
}

/// Takes all elements with this tag out of their data set, but for `keep`.
void EditableDataSet::unlink(ItemIndex in, Tag tag, ElementIndex keep) {
  Level& level = levels_[in];
  ElementIndex before = no_index;
  for (ElementIndex i = level.first; i != no_index; i = nodes_[i].next) {
    if (nodes_[i].tag != tag || i == keep) {
      before = i;
      continue;
    }
    (before == no_index ? level.first : nodes_[before].next) = nodes_[i].next;
  }
  level.last = before;
}

/// Walks to where `path` leads, making what is missing. Nothing is made when it fails.
Result<EditableDataSet::Place> EditableDataSet::make(const AttributePath& path) {
  const std::span<const PathStep> steps = path.steps();
  if (path.is_item()) return bad_path(path, "the path names an item, no attribute.");
  if (steps.size() > limits::nesting_depth_max)
    return bad_path(path, "the path is deeper than sequences may be nested.");
  for (const PathStep& step : steps)
    if (!is_settable(step.tag) && step.creator.empty())
      return cannot_edit(step.tag, "this tag cannot stand in a data set.");
  // Only then is anything made. Behind the first step that is missing, items begin at 1.
  bool is_there = true;
  AttributePath walked = path;
  for (std::size_t i = 0; i + 1 < steps.size(); ++i) {
    walked.steps_.assign(steps.begin(), steps.begin() + static_cast<std::ptrdiff_t>(i) + 1);
    const auto place = is_there ? find(walked) : std::nullopt;
    if (place && nodes_[place->node].vr != vr::sq)
      return bad_path(walked, "an attribute on the way is not a sequence.");
    const std::uint32_t count = is_there ? count_items(walked) : 0;
    if (steps[i].item_number > count + 1)
      return bad_path(path, "the sequence has " + std::to_string(count) +
                                " items; only the next one can be made.");
    is_there = is_there && steps[i].item_number <= count;
  }
  ItemIndex level = 0;
  for (const PathStep& step : steps) {
    FIDUCIA_TRY(tag, make_tag(level, step));
    ElementIndex node = find_node(level, tag);
    if (step.item_number == 0) return Place{.level = level, .tag = tag, .node = node};
    if (node == no_index) node = put(level, {.tag = tag, .vr = vr::sq, .written_vr = vr::sq});
    ItemIndex* link = &nodes_[node].first_item;
    for (std::uint32_t i = 1; i < step.item_number; ++i) link = &levels_[*link].next;
    if (*link == no_index) {
      *link = static_cast<ItemIndex>(levels_.size());
      level = *link;
      levels_.emplace_back();
    } else {
      level = *link;
    }
  }
  return bad_path(path, "the path names no attribute.");
}

Status EditableDataSet::store(const AttributePath& path, Node node) {
  if (path.steps().back().is_creator)
    return bad_path(path, "a private creator is made for its attributes, not by itself.");
  FIDUCIA_TRY(place, make(path));
  node.tag = place.tag;
  if (place.node == no_index) {
    static_cast<void>(put(place.level, node));
    return {};
  }
  node.next = nodes_[place.node].next;
  nodes_[place.node] = node;
  unlink(place.level, place.tag, place.node);
  return {};
}

Status EditableDataSet::set_borrowed(const AttributePath& path, Vr vr, ByteView value) {
  const Tag tag = path.steps().back().tag;
  if (!is_known_vr(vr) || vr == vr::sq) return cannot_edit(tag, "a VR that has a value is due.");
  if (value.size() > value_bytes_max)
    return fail(ErrorCode::over_limit, "a value of 4 GiB and more has no place in a file.",
                "Split the value.", {.file = {}, .element = to_string(tag), .offset = {}});
  if (value.size() % unit_bytes(vr) != 0)
    return cannot_edit(tag, "the value is not a whole number of values of its VR.");
  if (value.size() % 2 != 0) return set(path, vr, Bytes(value.begin(), value.end()));
  return store(path, {.tag = tag, .vr = vr, .written_vr = vr, .value = value});
}

Status EditableDataSet::set(const AttributePath& path, Vr vr, Bytes value) {
  if (value.size() % 2 != 0 && value.size() % unit_bytes(vr) == 0) value.push_back(pad_byte(vr));
  owned_.push_back(std::move(value));
  auto done = set_borrowed(path, vr, owned_.back());
  if (!done) owned_.pop_back();
  return done;
}

Status EditableDataSet::set_text(const AttributePath& path, Vr vr, std::string_view text) {
  if (!is_text(vr)) return cannot_edit(path.steps().back().tag, "this VR holds no text.");
  const ByteView bytes = as_bytes(text);
  return set(path, vr, Bytes(bytes.begin(), bytes.end()));
}

Status EditableDataSet::set_fragments(const AttributePath& path, ByteView basic_offset_table,
                                      std::span<const ByteView> fragments) {
  const Tag tag = path.steps().back().tag;
  if (tag != tags::pixel_data)
    return cannot_edit(tag, "only Pixel Data has fragments (PS3.5 section A.4).");
  if (basic_offset_table.size() % 4 != 0)
    return cannot_edit(tag, "the Basic Offset Table is not a whole number of entries.");
  std::vector<ByteView> all{basic_offset_table};
  all.insert(all.end(), fragments.begin(), fragments.end());
  for (const ByteView fragment : all)
    if (fragment.size() > value_bytes_max)
      return fail(ErrorCode::over_limit, "a fragment of 4 GiB and more has no place in a file.",
                  "Split the fragment.", {.file = {}, .element = to_string(tag), .offset = {}});
  Node node{.tag = tag, .vr = vr::ob, .written_vr = vr::ob};
  node.encapsulated = true;
  node.fragments = static_cast<std::uint32_t>(fragments_.size());
  FIDUCIA_CHECK(store(path, node));
  fragments_.push_back(std::move(all));
  return {};
}

Status EditableDataSet::set_sequence(const AttributePath& path) {
  return store(path, {.tag = path.steps().back().tag, .vr = vr::sq, .written_vr = vr::sq});
}

Status EditableDataSet::insert_item(const AttributePath& path) {
  if (!path.is_item()) return bad_path(path, "the path names no item.");
  const std::uint32_t number = path.steps().back().item_number;
  AttributePath sequence = path.item(0);
  const std::uint32_t count = count_items(sequence);
  if (number > count + 1)
    return bad_path(path, "the sequence has " + std::to_string(count) +
                              " items; only the next one can be made.");
  FIDUCIA_TRY(place, make(sequence));
  if (place.node != no_index && nodes_[place.node].vr != vr::sq)
    return bad_path(path, "the attribute is not a sequence.");
  if (place.node == no_index)
    place.node = put(place.level, {.tag = place.tag, .vr = vr::sq, .written_vr = vr::sq});
  ItemIndex* link = &nodes_[place.node].first_item;
  for (std::uint32_t i = 1; i < number; ++i) link = &levels_[*link].next;
  const auto added = static_cast<ItemIndex>(levels_.size());
  const ItemIndex moved = *link;
  *link = added;
  levels_.push_back({.first = no_index, .last = no_index, .next = moved});
  return {};
}

bool EditableDataSet::remove(const AttributePath& path) {
  const auto place = find(path.item(0));
  if (!place) return false;
  if (!path.is_item()) {
    unlink(place->level, place->tag, no_index);
    return true;
  }
  ItemIndex* link = &nodes_[place->node].first_item;
  for (std::uint32_t i = 1; i < path.steps().back().item_number && *link != no_index; ++i)
    link = &levels_[*link].next;
  if (*link == no_index) return false;
  *link = levels_[*link].next;
  return true;
}

Result<Encoded> EditableDataSet::encode(const WriteForm& form) const {
  DataSetEncoder encoder(*this, form);
  FIDUCIA_CHECK(encoder.write());
  return std::move(encoder).take();
}

}  // namespace fiducia::dicom
