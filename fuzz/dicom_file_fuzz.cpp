// SPDX-License-Identifier: Apache-2.0
// The reader on any bytes: an error with a sentence, or a sound structure that reads the same
// again and that the writer can edit and take back.
#include <cstdint>
#include <cstdio>
#include <cstdlib>

#include "../tests/support/dicom_invariants.h"
#include "dicom/dicom.h"
#include "target.h"

namespace {

using namespace fiducia;
using fiducia::fuzz::require;

Bytes joined(const std::vector<ByteView>& parts) {
  Bytes out;
  for (const ByteView part : parts) append(out, part);
  return out;
}

/// Removing and adding an element gives the file back, where nothing is deflated.
void check_edit(const dicom::File& file) {
  const auto block = dicom::find_private_block(file.data_set(), 0x0F1D, "FUZZ");
  if (!block || file.data_set().find({0x0F1D, *block}) != nullptr) return;
  const dicom::Tag tag{0x0F1D, static_cast<std::uint16_t>(unsigned{*block} << 8U | 1U)};
  if (file.data_set().find({0x0F1D, 0x0000}) != nullptr) return;  // group length: left out
  std::vector<Bytes> storage;
  const dicom::NewElement add{.tag = tag, .vr = dicom::vr::ob, .value = Bytes(6)};
  const auto parts = dicom::edit_parts(file, {}, {&add, 1}, storage);
  require(parts.has_value(), "an element can be added");
  const Bytes bytes = joined(*parts);
  if (file.transfer_syntax().deflated) return;
  require(bytes.size() > file.bytes().size(), "an added element adds bytes");
  const ByteView head = ByteView{bytes}.first(static_cast<std::size_t>(file.data_set_offset()));
  require(same_bytes(head, file.bytes().first(head.size())), "the meta information stays");
  const auto again = dicom::File::read(bytes);
  // A bare or wrongly named data set is guessed from its first element, which may now be ours.
  if (!again) {
    require(file.meta().element_count() == 0 || file.notes().size() > 0, "an edited file reads");
    return;
  }
  const dicom::Tag remove[] = {tag};
  std::vector<Bytes> more;
  const auto back = dicom::edit_parts(*again, remove, {}, more);
  require(back.has_value(), "an element can be removed");
  if (again->data_set().find(tag) == nullptr) return;
  require(same_bytes(joined(*back), file.bytes()), "removing what was added gives the file back");
}

}  // namespace

FIDUCIA_FUZZ_TARGET(dicom_file) {
  const auto* begin = reinterpret_cast<const std::byte*>(data);
  const Bytes input(begin, begin + size);
  const auto file = dicom::File::read(input, "fuzz");
  const auto twin = dicom::File::read(input, "fuzz");
  require(file.has_value() == twin.has_value(), "the same bytes give the same answer");
  if (!file) {
    const Error& error = file.error();
    require(to_sentence(error) == to_sentence(twin.error()), "the same bytes give the same error");
    require(error.code == ErrorCode::truncated || error.code == ErrorCode::malformed ||
                error.code == ErrorCode::over_limit || error.code == ErrorCode::unsupported,
            "an error is one that the contract names");
    require(error.what.ends_with('.') && error.remedy.ends_with('.'), "an error has sentences");
    require(!error.where.offset || *error.where.offset <= size || size == 0 ||
                error.where.offset <= limits::inflated_bytes_max,
            "an error's place lies in the file");
    return 0;
  }
  require(test::same_structure(file->data_set(), twin->data_set()), "two parses agree");
  require(file->notes().size() == twin->notes().size(), "two parses note the same");
  require(file->notes().size() <= 32, "notes are few");
  const std::uint64_t origin = file->transfer_syntax().deflated ? 0 : file->data_set_offset();
  for (const std::string& broken :
       {test::broken_invariant(file->data_set(), file->data_set_bytes(), origin),
        test::broken_invariant(file->meta(), file->bytes(), 0)})
    require(broken.empty(), broken.c_str());
  require(file->data_set().end_offset() <= origin + file->data_set_bytes().size(),
          "the data set ends in its bytes");
  for (dicom::ElementIndex i = 0; i < file->data_set().element_count() && i < 200; ++i) {
    require(!file->data_set().path_of(i).empty(), "an element has a path");
    Bytes scratch;
    const dicom::Element& element = file->data_set().element(i);
    require(dicom::little_endian_value(element, scratch).size() == element.value.size(),
            "swapping keeps the size");
  }
  file->release(file->bytes());
  require(!file->was_truncated(), "memory does not shrink");
  check_edit(*file);
  return 0;
}
