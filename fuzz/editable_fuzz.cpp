// SPDX-License-Identifier: Apache-2.0
// Any data set read, written in each encoding and read again says the same; edits are taken back.
// The first byte chooses the encoding that is read, the second the one that is written.
#include "dicom/dicom.h"
#include "target.h"

namespace {

using namespace fiducia;
using fiducia::fuzz::require;

dicom::Encoding encoding_of(std::uint8_t byte) {
  return {.explicit_vr = byte % 3 != 0, .big_endian = byte % 3 == 2};
}

}  // namespace

FIDUCIA_FUZZ_TARGET(editable) {
  if (size < 2) return 0;
  const Bytes input(reinterpret_cast<const std::byte*>(data + 2),
                    reinterpret_cast<const std::byte*>(data + size));
  const auto read = dicom::parse_data_set(input, encoding_of(data[0]));
  if (!read) return 0;
  dicom::EditableDataSet editable(*read);
  const auto lengths = data[1] % 2 == 0 ? dicom::LengthForm::defined : dicom::LengthForm::undefined;
  const dicom::WriteForm form{
      .encoding = encoding_of(data[1]), .sequences = lengths, .items = lengths};
  const auto encoded = editable.encode(form);
  if (!encoded) {
    require(encoded.error().code == ErrorCode::unsupported,
            "only fragments have a place of their own");
    return 0;
  }
  const Bytes written = encoded->joined();
  require(written.size() == encoded->size(), "the size is what is written");
  // What was accepted although the standard forbids it may read otherwise in another encoding. What
  // was written is read, and then stays as it is.
  const auto again = dicom::parse_data_set(written, form.encoding);
  if (again) {
    const auto twice = dicom::EditableDataSet(*again).encode(form);
    require(twice.has_value(), "what was read can be written");
    const Bytes second = twice->joined();
    const auto third = dicom::parse_data_set(second, form.encoding);
    require(third.has_value(), "and read again");
    require(third->element_count() == again->element_count(), "with the same elements");
  }
  const auto sequence = dicom::AttributePath::parse("(0041,\"FUZZ\",01)").value();
  const auto path = sequence.item(1).inside({.tag = {0x0010, 0x0010}});
  if (editable.contains(dicom::AttributePath::parse("(0041,\"FUZZ\")").value())) return 0;
  if (!editable.set_text(path, dicom::vr::pn, "A^B")) return 0;
  require(editable.contains(path), "what was set is there");
  require(editable.count_items(sequence) == 1, "in its item");
  require(editable.remove(sequence), "a sequence can be removed");
  require(editable.remove(dicom::AttributePath::parse("(0041,\"FUZZ\")").value()),
          "and its creator");
  const auto back = editable.encode(form);
  require(back && back->joined() == written, "then all is as it was");
  return 0;
}
