// SPDX-License-Identifier: Apache-2.0
#include "canonical/nested_pixels.h"

#include <optional>

namespace fiducia::canonical {
namespace {

/// Appends an element in explicit VR little endian, with a length of 32 bits.
void append_element(Bytes& to, dicom::Tag tag, std::string_view vr, ByteView value,
                    std::uint32_t length) {
  append_le(to, tag.group);
  append_le(to, tag.element);
  append(to, as_bytes(vr));
  append_le<std::uint16_t>(to, 0);
  append_le(to, length);
  append(to, value);
}

/// A file of nothing but what the item says of its pixels, so that they are read as those of an
/// image are.
std::optional<dicom::File> file_of(const dicom::File& file, const dicom::Item& item,
                                   const dicom::Element& pixels) {
  constexpr std::uint32_t undefined_length = 0xFFFFFFFF;
  constexpr dicom::Tag tags[] = {
      {0x0028, 0x0002}, {0x0028, 0x0004}, {0x0028, 0x0006}, {0x0028, 0x0008}, {0x0028, 0x0010},
      {0x0028, 0x0011}, {0x0028, 0x0100}, {0x0028, 0x0101}, {0x0028, 0x0102}, {0x0028, 0x0103}};
  Bytes bytes(128);
  append(bytes, as_bytes("DICM"));
  std::string uid(file.transfer_syntax().uid);
  if (uid.size() % 2 != 0) uid.push_back('\0');
  append_le<std::uint16_t>(bytes, 0x0002);
  append_le<std::uint16_t>(bytes, 0x0010);
  append(bytes, as_bytes("UI"));
  append_le(bytes, static_cast<std::uint16_t>(uid.size()));
  append(bytes, as_bytes(uid));
  for (const dicom::Tag tag : tags) {
    const dicom::Element* element = file.data_set().find_in(item, tag);
    if (element == nullptr) continue;
    if (element->value.size() > 64 || element->value.size() % 2 != 0 || element->big_endian)
      return std::nullopt;
    append_le(bytes, tag.group);
    append_le(bytes, tag.element);
    append(bytes, as_bytes(tag == dicom::tags::photometric_interpretation ? "CS"
                           : tag == dicom::tags::number_of_frames         ? "IS"
                                                                          : "US"));
    append_le(bytes, static_cast<std::uint16_t>(element->value.size()));
    append(bytes, element->value);
  }
  append_element(bytes, dicom::tags::pixel_data, "OB", pixels.value, undefined_length);
  append_le<std::uint16_t>(bytes, 0xFFFE);
  append_le<std::uint16_t>(bytes, 0xE0DD);
  append_le<std::uint32_t>(bytes, 0);
  auto read = dicom::File::read(std::move(bytes));
  if (!read || read->transfer_syntax().uid != file.transfer_syntax().uid) return std::nullopt;
  return std::move(*read);
}

/// Samples of one frame as a native value holds them.
void append_native(Bytes& to, ByteView samples, const codec::Geometry& geometry) {
  if (geometry.planar_configuration == 0 || geometry.samples_per_pixel == 1)
    return append(to, samples);
  const std::size_t sample_bytes = geometry.sample_bytes();
  const std::size_t pixel_bytes = sample_bytes * geometry.samples_per_pixel;
  for (std::size_t s = 0; s < geometry.samples_per_pixel; ++s)
    for (std::size_t at = s * sample_bytes; at < samples.size(); at += pixel_bytes)
      append(to, samples.subspan(at, sample_bytes));
}

std::optional<Bytes> native_value(const dicom::File& file, codec::CodecChild* child,
                                  bool& codec_is_missing) {
  auto reader = codec::FrameReader::open(file, child);
  if (!reader) return std::nullopt;
  const codec::Geometry& geometry = reader->geometry();
  const std::uint64_t bytes = geometry.frame_bytes() * geometry.frames;
  if (bytes > limits::nested_pixel_bytes_max || reader->frames_present() != geometry.frames ||
      geometry.sample_bytes() * 8 != geometry.bits_allocated || !reader->form_oddities().empty())
    return std::nullopt;
  Bytes out;
  out.reserve(static_cast<std::size_t>(bytes) + 1);
  for (std::uint32_t f = 0; f < geometry.frames; ++f) {
    const auto frame = reader->read(f);
    if (!frame)
      codec_is_missing |=
          frame.error().code == ErrorCode::codec_missing && reader->oddities(f).empty();
    if (!frame || !frame->lossless || !frame->oddities.empty() ||
        frame->photometric_interpretation != geometry.photometric_interpretation)
      return std::nullopt;
    append_native(out, frame->samples, geometry);
  }
  if (out.size() % 2 != 0) out.push_back(std::byte{0});
  return out;
}

}  // namespace

NestedPixels decode_nested_pixels(const dicom::File& file, codec::CodecChild* child) {
  NestedPixels out;
  if (!file.transfer_syntax().encapsulated) return out;
  const dicom::DataSet& data_set = file.data_set();
  std::size_t tried = 0;
  for (std::size_t i = 0; i < data_set.element_count(); ++i) {
    const dicom::Element& sequence = data_set.element(static_cast<dicom::ElementIndex>(i));
    for (dicom::ItemIndex at = sequence.first_item; at != dicom::no_index;
         at = data_set.item(at).next) {
      const dicom::Item& item = data_set.item(at);
      const dicom::Element* pixels = data_set.find_in(item, dicom::tags::pixel_data);
      if (pixels == nullptr || !pixels->encapsulated) continue;
      if (++tried > limits::nested_pixels_max) return out;
      const auto alone = file_of(file, item, *pixels);
      if (!alone) continue;
      if (auto value = native_value(*alone, child, out.codec_is_missing))
        out.native.emplace(pixels, std::move(*value));
      // What is decoded here is part of the object's work.
      if (!file.budget().take(alone->budget().spent())) return out;
    }
  }
  return out;
}

}  // namespace fiducia::canonical
