// SPDX-License-Identifier: Apache-2.0
#include "model.h"

namespace fiducia::test {
namespace {

using dicom::no_index;
using dicom::VrSource;

std::string element_difference(const DicomElement& model, const dicom::DataSet& parsed,
                               dicom::ElementIndex index, Syntax syntax);

std::string level_difference(const DicomDataSet& model, const dicom::DataSet& parsed,
                             dicom::ElementIndex first, Syntax syntax) {
  dicom::ElementIndex index = first;
  for (const DicomElement& element : model.elements) {
    if (index == no_index) return to_string(element.tag) + " is missing";
    std::string found = element_difference(element, parsed, index, syntax);
    if (!found.empty()) return found;
    index = parsed.element(index).next;
  }
  return index == no_index ? "" : parsed.path_of(index) + " is one too many";
}

std::string element_difference(const DicomElement& model, const dicom::DataSet& parsed,
                               dicom::ElementIndex index, Syntax syntax) {
  const dicom::Element& element = parsed.element(index);
  const auto at = [&](std::string_view what) {
    return parsed.path_of(index) + ": " + std::string(what);
  };
  if (element.tag != model.tag) return at("tag, expected " + to_string(model.tag));
  const bool implicit = syntax == Syntax::implicit_le;
  const bool as_un = model.as_un && !implicit;
  const bool file_un = as_un || (!implicit && model.vr == dicom::vr::un);
  const bool lost = implicit || file_un;
  const bool sequence = model.vr == dicom::vr::sq;
  const bool private_value = model.tag.is_private() && !model.tag.is_private_creator();

  dicom::Vr expected = model.vr;
  VrSource source = VrSource::file;
  if (lost && private_value) {
    expected = sequence ? dicom::vr::sq : dicom::vr::un;
    source = sequence ? VrSource::structure : VrSource::unknown;
  } else if (lost) {
    source = VrSource::dictionary;
  }
  if (element.vr != expected) return at("VR " + element.vr.text() + ", " + expected.text());
  if (element.file_vr != (implicit ? dicom::Vr{} : file_un ? dicom::vr::un : model.vr))
    return at("VR in the file");
  if (element.vr_source != source) return at("source of the VR");
  if (element.big_endian != (syntax == Syntax::explicit_be && !file_un)) return at("byte order");
  if (element.duplicate) return at("duplicate");
  if (element.encapsulated != model.is_encapsulated) return at("encapsulated");
  if (model.is_encapsulated) return "";
  if (!sequence) {
    Bytes scratch;
    return same_bytes(little_endian_value(element, scratch), model.value) ? "" : at("value");
  }
  if (element.item_count != model.items.size()) return at("number of items");
  // A sequence that may as well be bytes keeps them.
  const bool defined =
      model.lengths == Lengths::defined || model.lengths == Lengths::undefined_items;
  const bool keeps_bytes =
      defined && !model.items.empty() && (as_un || (implicit && private_value));
  if (element.value.empty() == keeps_bytes) return at("bytes of a sequence");
  dicom::ItemIndex item = element.first_item;
  for (const DicomDataSet& inner : model.items) {
    std::string found = level_difference(inner, parsed, parsed.item(item).first_element,
                                         as_un ? Syntax::implicit_le : syntax);
    if (!found.empty()) return found;
    item = parsed.item(item).next;
  }
  return item == no_index ? "" : at("items after the last");
}

}  // namespace

std::string difference(const DicomDataSet& model, const dicom::DataSet& parsed, Syntax syntax) {
  return level_difference(model, parsed, parsed.first(), syntax);
}

}  // namespace fiducia::test
