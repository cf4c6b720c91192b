// SPDX-License-Identifier: Apache-2.0
#include "evidence/embed.h"

#include <algorithm>
#include <array>

namespace fiducia::evidence {
namespace {

/// What tools leave that lose the values of OB (xml2dcm): no evidence, and no damaged one.
bool is_blank(ByteView value) {
  return value.size() <= 2 &&
         std::ranges::all_of(value, [](std::byte b) { return b == std::byte{}; });
}

/// Calls `visit(creator element)` for every top-level private creator of ours.
template <class Visit>
void for_each_block(const dicom::DataSet& data_set, Visit visit) {
  for (auto i = data_set.first(); i != dicom::no_index; i = data_set.element(i).next) {
    const dicom::Element& element = data_set.element(i);
    if (element.tag.group == canonical::embedded_group && element.tag.is_private_creator() &&
        dicom::is_text(element.vr) &&
        dicom::trimmed(as_text(element.value)) == canonical::embedded_creator)
      visit(element);
  }
}

dicom::Tag evidence_tag(std::uint16_t block) {
  return {canonical::embedded_group,
          static_cast<std::uint16_t>(block << 8U | canonical::embedded_element)};
}

}  // namespace

std::optional<ByteView> find_embedded(const dicom::DataSet& data_set) {
  // The first element of each block, in one walk: hostile files repeat our creator thousands of
  // times, and a search for each would cost the square of that.
  std::array<const dicom::Element*, 256> by_block{};
  for (auto i = data_set.first(); i != dicom::no_index; i = data_set.element(i).next) {
    const dicom::Element& element = data_set.element(i);
    const std::uint16_t block = element.tag.element >> 8U;
    if (block >= 0x10 && element.tag == evidence_tag(block) && by_block[block] == nullptr)
      by_block[block] = &element;
  }
  std::optional<ByteView> found;
  for_each_block(data_set, [&](const dicom::Element& creator) {
    const dicom::Element* element = by_block[creator.tag.element];
    // A sequence read from bytes keeps those bytes as its value: evidence never looks like one.
    if (!found && element != nullptr && element->vr != dicom::vr::sq && !is_blank(element->value))
      found = element->value;
  });
  return found;
}

Status check_can_embed(const dicom::File& file) {
  const dicom::DataSet& data_set = file.data_set();
  FIDUCIA_CHECK(
      dicom::find_private_block(data_set, canonical::embedded_group, canonical::embedded_creator));
  std::size_t own_blocks = 0;
  for_each_block(data_set, [&](const dicom::Element&) { ++own_blocks; });
  if (own_blocks > 1)
    return fail(ErrorCode::unsupported,
                "the private creator FIDUCIA stands in it more than once, so a copy could not tell "
                "which block is the evidence.",
                "Seal it with --sidecar, or without a copy.");
  std::uint16_t last_group = 0;
  for (auto i = data_set.first(); i != dicom::no_index; i = data_set.element(i).next)
    last_group = data_set.element(i).tag.group;
  const bool is_open = std::ranges::any_of(
      file.notes(), [](const dicom::Note& note) { return note.code == "missing_delimiter"; });
  if (!is_open || last_group > canonical::embedded_group) return {};
  return fail(ErrorCode::unsupported,
              "the file ends inside a sequence, without its delimiter: evidence behind it would be "
              "read as part of the sequence.",
              "Seal it with --sidecar, or without a copy.");
}

Result<std::vector<ByteView>> embed_parts(const dicom::File& file, ByteView evidence,
                                          std::vector<Bytes>& storage) {
  FIDUCIA_CHECK(check_can_embed(file));
  FIDUCIA_TRY(block, dicom::find_private_block(file.data_set(), canonical::embedded_group,
                                               canonical::embedded_creator));
  std::vector<dicom::Tag> remove;
  for_each_block(file.data_set(), [&](const dicom::Element& creator) {
    if (std::ranges::find(remove, creator.tag) != remove.end()) return;  // at most 240 blocks
    remove.push_back(creator.tag);
    remove.push_back(evidence_tag(creator.tag.element));
  });
  Bytes creator(as_bytes(canonical::embedded_creator).begin(),
                as_bytes(canonical::embedded_creator).end());
  if (creator.size() % 2 != 0) creator.push_back(std::byte{' '});
  Bytes value(evidence.begin(), evidence.end());
  if (value.size() % 2 != 0) value.push_back(std::byte{0});
  std::vector<dicom::NewElement> add;
  add.push_back({{canonical::embedded_group, block}, dicom::vr::lo, std::move(creator)});
  add.push_back({evidence_tag(block), dicom::vr::ob, std::move(value)});
  return dicom::edit_parts(file, remove, add, storage);
}

std::filesystem::path sidecar_path(const std::filesystem::path& file) {
  std::filesystem::path path = file;
  path += ".evidence";
  return path;
}

}  // namespace fiducia::evidence
