// SPDX-License-Identifier: Apache-2.0
#include "canonical/untyped_text.h"

#include <algorithm>
#include <array>

#include "canonical/value.h"

namespace fiducia::canonical {
namespace {

/// As which a value is read: who separates values, and names, returns to the start state there
/// (PS3.5 6.1.2.5.3), so that each can read the same bytes as other characters.
constexpr std::array read_as{dicom::vr::lo, dicom::vr::ut, dicom::vr::pn};

/// Whether bytes can be a text that depends on its character set. 5C and 7E are other characters in
/// ISO_IR 13.
bool is_dependent_text(std::string_view text) {
  bool depends = false;
  for (const char c : dicom::without_padding(text)) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 && c != '\t' && c != '\n' && c != '\f' && c != '\r' && c != '\x1B')
      return false;
    depends = depends || byte >= 0x80 || c == '\x1B' || c == '\\' || c == '~';
  }
  return depends;
}

}  // namespace

UntypedText::UntypedText(const Salts& salts, std::uint64_t leaf_count) {
  static constexpr std::byte leaf_prefix{0x00};
  hash_.update({&leaf_prefix, 1});
  hash_.update(as_bytes(leaf_tags::untyped_text));
  hash_.update(salts.header_one(leaf_count));
}

Status UntypedText::add(ByteView path, const HeaderLeaf& leaf, Budget* budget) {
  if (leaf.is_sequence || leaf.element->encapsulated) return {};
  const ByteView value = leaf.element->value;
  if (!is_dependent_text(as_text(value))) return {};
  if (budget != nullptr)
    FIDUCIA_CHECK(budget->spend(read_as.size() * value.size() * limits::work_a_value_byte));
  if (first_.empty()) first_.assign(path.begin(), path.end());
  Bytes head;
  append_be(head, narrow<std::uint32_t>(path.size()));
  append(head, path);
  hash_.update(head);
  Bytes swap_scratch;
  std::string text_scratch;
  const ByteView bytes = dicom::little_endian_value(*leaf.element, swap_scratch);
  for (const dicom::Vr vr : read_as) {
    const CanonicalValue text = canonical_value(vr, bytes, *leaf.text_encoding, text_scratch);
    head.clear();
    head.push_back(static_cast<std::byte>(text.kind));
    append_be(head, std::uint64_t{text.bytes.size()});
    hash_.update(head);
    hash_.update(text.bytes);
  }
  return {};
}

}  // namespace fiducia::canonical
