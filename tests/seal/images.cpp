// SPDX-License-Identifier: Apache-2.0
#include "images.h"

namespace fiducia::test {

ImageShape random_shape(std::mt19937_64& prng) {
  ImageShape shape;
  shape.rows = static_cast<std::uint16_t>(1 + prng() % 200);
  shape.columns = static_cast<std::uint16_t>(1 + prng() % 200);
  shape.frames = static_cast<std::uint32_t>(1 + prng() % 3);
  shape.samples = prng() % 4 == 0 ? 3 : 1;
  shape.bits_allocated = prng() % 2 == 0 ? 8 : 16;
  shape.bits_stored = prng() % 3 == 0
                          ? shape.bits_allocated
                          : static_cast<std::uint16_t>(shape.bits_allocated - prng() % 7);
  shape.is_signed = shape.samples == 1 && prng() % 3 == 0;
  return shape;
}

Bytes random_samples(std::mt19937_64& prng, const ImageShape& shape) {
  Bytes out(shape.frame_bytes() * shape.frames);
  const std::size_t bytes = shape.bits_allocated / 8U;
  const std::uint32_t mask = (1U << shape.bits_stored) - 1;
  for (std::size_t i = 0; i + bytes <= out.size(); i += bytes) {
    std::uint32_t value = static_cast<std::uint32_t>(prng()) & mask;
    if (shape.is_signed && (value >> (shape.bits_stored - 1) & 1U) != 0) value |= ~mask;
    for (std::size_t b = 0; b < bytes; ++b) out[i + b] = static_cast<std::byte>(value >> (8 * b));
  }
  return out;
}

DicomDataSet image_data_set(const ImageShape& shape, const Bytes& samples) {
  DicomDataSet code;
  code.text({0x0008, 0x0100}, "SH", "T-D1100").text({0x0008, 0x0104}, "LO", "K\xF6rper");
  DicomDataSet inner;
  inner.private_creator(0x0029, 0x10, "ACME ITEM").text({0x0029, 0x1001}, "LO", "in the item");
  DicomDataSet request;
  request
      .text({0x0040, 0x0007}, "LO",
            "Sch\xE4"
            "del")
      .sequence({0x0040, 0x0008}, {code, code})
      .text({0x0040, 0x1001}, "SH", "RP-1");
  DicomDataSet d;
  d.text({0x0008, 0x0005}, "CS", "ISO_IR 100")
      .text({0x0008, 0x0008}, "CS", "ORIGINAL\\PRIMARY\\AXIAL")
      .text({0x0008, 0x0016}, "UI", "1.2.840.10008.5.1.4.1.1.2")
      .text({0x0008, 0x0018}, "UI", "1.2.3.4.5.6.7")
      .text({0x0008, 0x0020}, "DA", "20260102")
      .text({0x0008, 0x0050}, "SH", "")
      .text({0x0008, 0x0060}, "CS", "CT")
      .text({0x0010, 0x0010}, "PN", "M\xFCller^J\xF6rg")
      .text({0x0010, 0x0020}, "LO", "ID-1")
      .text({0x0018, 0x0050}, "DS", "1.50")
      .text({0x0020, 0x000D}, "UI", "1.2.3.4.5")
      .text({0x0020, 0x000E}, "UI", "1.2.3.4.6")
      .text({0x0020, 0x0013}, "IS", "12")
      .text({0x0020, 0x0032}, "DS", "-100.0\\25\\1e2")
      .us({0x0028, 0x0002}, shape.samples)
      .text({0x0028, 0x0004}, "CS", shape.samples == 3 ? "RGB" : "MONOCHROME2");
  if (shape.samples == 3) d.us({0x0028, 0x0006}, shape.planar ? 1 : 0);
  d.text({0x0028, 0x0008}, "IS", std::to_string(shape.frames))
      .us({0x0028, 0x0010}, shape.rows)
      .us({0x0028, 0x0011}, shape.columns)
      .us({0x0028, 0x0100}, shape.bits_allocated)
      .us({0x0028, 0x0101}, shape.bits_stored)
      .us({0x0028, 0x0102}, static_cast<std::uint16_t>(shape.bits_stored - 1))
      .us({0x0028, 0x0103}, shape.is_signed ? 1 : 0)
      .private_creator(0x0029, 0x10, "ACME")
      .text({0x0029, 0x1001}, "LO", "private text")
      .bytes({0x0029, 0x1002}, "US", bytes("0102"))
      .bytes({0x0029, 0x1003}, "FD", bytes("0102030405060708"))
      .sequence({0x0029, 0x1010}, {inner, inner})
      .sequence({0x0040, 0x0275}, {request, request, request})
      .bytes({0x5400, 0x0110}, "OB", {});
  Bytes value = samples;
  if (value.size() % 2 != 0) value.push_back(std::byte{0});
  d.bytes({0x7FE0, 0x0010}, shape.bits_allocated > 8 ? "OW" : "OB", std::move(value));
  return d;
}

DicomElement& element_of(DicomDataSet& data_set, dicom::Tag tag) {
  for (DicomElement& element : data_set.elements)
    if (element.tag == tag) return element;
  FIDUCIA_ASSERT(false && "no such element");
  std::abort();
}

}  // namespace fiducia::test
