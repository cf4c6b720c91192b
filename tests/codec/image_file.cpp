// SPDX-License-Identifier: Apache-2.0
#include "image_file.h"

#include <algorithm>

namespace fiducia::test {
namespace {

using dicom::Tag;
using dicom::Vr;

class Writer {
 public:
  Writer(bool big_endian, std::vector<Tag> left_out)
      : big_endian_(big_endian), left_out_(std::move(left_out)) {}
  void u16(std::uint16_t v) { big_endian_ ? append_be(out, v) : append_le(out, v); }
  void u32(std::uint32_t v) { big_endian_ ? append_be(out, v) : append_le(out, v); }
  void tag(Tag t) {
    u16(t.group);
    u16(t.element);
  }
  void header(Tag t, Vr vr, std::uint32_t length) {
    tag(t);
    append(out, as_bytes(vr.text()));
    if (dicom::has_long_header(vr)) {
      u16(0);
      u32(length);
    } else {
      u16(static_cast<std::uint16_t>(length));
    }
  }
  void element(Tag t, Vr vr, ByteView value) {
    if (std::find(left_out_.begin(), left_out_.end(), t) != left_out_.end()) return;
    header(t, vr, static_cast<std::uint32_t>(value.size()));
    append(out, value);
  }
  void us(Tag t, std::uint16_t value) {
    Bytes bytes;
    big_endian_ ? append_be(bytes, value) : append_le(bytes, value);
    element(t, dicom::vr::us, bytes);
  }
  void text(Tag t, Vr vr, std::string value, char pad = ' ') {
    if (value.size() % 2 != 0) value.push_back(pad);
    element(t, vr, as_bytes(value));
  }
  void item(ByteView value) {
    tag(dicom::tags::item);
    u32(static_cast<std::uint32_t>(value.size()));
    append(out, value);
  }
  Bytes out;

 private:
  bool big_endian_;
  std::vector<Tag> left_out_;
};

}  // namespace

Bytes ImageFile::bytes() const {
  Writer meta(false, {});
  meta.text(Tag{0x0002, 0x0010}, dicom::vr::ui, std::string(transfer_syntax), '\0');
  Bytes out(128);
  append(out, as_bytes("DICM"));
  Writer length(false, {});
  length.header(Tag{0x0002, 0x0000}, dicom::vr::ul, 4);
  length.u32(static_cast<std::uint32_t>(meta.out.size()));
  append(out, length.out);
  append(out, meta.out);

  Writer w(transfer_syntax == dicom::uids::explicit_vr_big_endian, left_out);
  w.text(dicom::tags::sop_class_uid, dicom::vr::ui, "1.2.840.10008.5.1.4.1.1.7", '\0');
  w.text(dicom::tags::sop_instance_uid, dicom::vr::ui, "2.25.1", '\0');
  w.us(dicom::tags::samples_per_pixel, samples);
  w.text(dicom::tags::photometric_interpretation, dicom::vr::cs, photometric);
  if (planar_configuration) w.us(dicom::tags::planar_configuration, *planar_configuration);
  if (!frames.empty()) w.text(dicom::tags::number_of_frames, dicom::vr::is, frames);
  w.us(dicom::tags::rows, rows);
  w.us(dicom::tags::columns, columns);
  w.us(dicom::tags::bits_allocated, bits_allocated);
  w.us(dicom::tags::bits_stored, bits_stored);
  w.us(dicom::tags::high_bit, high_bit);
  w.us(dicom::tags::pixel_representation, pixel_representation);
  if (!extended_offset_table.empty())
    w.element(dicom::tags::extended_offset_table, dicom::vr::ov, extended_offset_table);
  if (!extended_offset_table_lengths.empty())
    w.element(dicom::tags::extended_offset_table_lengths, dicom::vr::ov,
              extended_offset_table_lengths);
  if (fragments) {
    w.header(pixel_tag, dicom::vr::ob, 0xFFFFFFFF);
    w.item(basic_offset_table);
    for (const Bytes& fragment : *fragments) w.item(fragment);
    w.tag(dicom::tags::sequence_delimitation);
    w.u32(0);
  } else {
    w.element(pixel_tag, vr, value);
  }
  append(out, w.out);
  return out;
}

dicom::File ImageFile::file() const {
  auto file = dicom::File::read(bytes());
  if (!file) assertion_failed(to_sentence(file.error()).c_str(), __FILE__, __LINE__);
  return std::move(*file);
}

std::vector<Bytes> fragments_of(ByteView stream, std::vector<std::size_t> cuts) {
  std::vector<Bytes> out;
  cuts.push_back(stream.size());
  std::size_t from = 0;
  for (const std::size_t cut : cuts) {
    const ByteView piece = stream.subspan(from, cut - from);
    out.emplace_back(piece.begin(), piece.end());
    from = cut;
  }
  if (out.back().size() % 2 != 0) out.back().push_back(std::byte{0});
  return out;
}

Bytes joined(std::span<const ByteView> pieces) {
  Bytes out;
  for (const ByteView piece : pieces) append(out, piece);
  return out;
}

Bytes encode_rle(ByteView frame, std::uint32_t rows, std::uint32_t columns, std::uint32_t samples,
                 std::uint32_t bytes_per_sample) {
  std::vector<Bytes> segments;
  for (std::uint32_t s = 0; s < samples; ++s)
    for (std::uint32_t b = bytes_per_sample; b-- > 0;) {
      Bytes segment;
      for (std::uint32_t y = 0; y < rows; ++y) {
        Bytes row;
        for (std::uint32_t x = 0; x < columns; ++x)
          row.push_back(
              frame[((std::size_t{y} * columns + x) * samples + s) * bytes_per_sample + b]);
        for (std::size_t i = 0; i < row.size();) {
          std::size_t same = 1;
          while (i + same < row.size() && same < 128 && row[i + same] == row[i]) ++same;
          if (same >= 2) {
            segment.push_back(static_cast<std::byte>(257 - same));
            segment.push_back(row[i]);
            i += same;
          } else {
            std::size_t count = 1;
            while (i + count < row.size() && count < 128 &&
                   (i + count + 1 == row.size() || row[i + count] != row[i + count + 1]))
              ++count;
            segment.push_back(static_cast<std::byte>(count - 1));
            segment.insert(segment.end(), row.begin() + static_cast<std::ptrdiff_t>(i),
                           row.begin() + static_cast<std::ptrdiff_t>(i + count));
            i += count;
          }
        }
      }
      if (segment.size() % 2 != 0) segment.push_back(std::byte{0});
      segments.push_back(std::move(segment));
    }
  Bytes out;
  append_le<std::uint32_t>(out, static_cast<std::uint32_t>(segments.size()));
  std::uint32_t offset = 64;
  for (std::size_t i = 0; i < 15; ++i) {
    append_le<std::uint32_t>(out, i < segments.size() ? offset : 0);
    if (i < segments.size()) offset += static_cast<std::uint32_t>(segments[i].size());
  }
  for (const Bytes& segment : segments) append(out, segment);
  return out;
}

}  // namespace fiducia::test
