// SPDX-License-Identifier: Apache-2.0
// Native and RLE frames and the division of fragments over hostile files. What must hold: frames
// lie where they may, have the size of the geometry, and reading twice gives the same bytes.
#include "codec/codec.h"
#include "target.h"

FIDUCIA_FUZZ_TARGET(codec_frames) {
  using namespace fiducia;
  const auto* bytes = reinterpret_cast<const std::byte*>(data);
  const auto file = dicom::File::read(Bytes(bytes, bytes + size));
  if (!file) return 0;
  auto reader = codec::FrameReader::open(*file, nullptr);
  if (!reader) return 0;
  const codec::Geometry& geometry = reader->geometry();
  FIDUCIA_ASSERT(reader->frames_present() <= geometry.frames);
  FIDUCIA_ASSERT(geometry.frame_bytes() <= limits::frame_bytes_max);
  FIDUCIA_ASSERT(!reader->read(reader->frames_present()).has_value());
  if (geometry.frame_bytes() > 1 << 20) return 0;
  std::uint64_t encoded_bytes = 0;
  for (std::uint32_t i = 0; i < std::min(reader->frames_present(), 16U); ++i) {
    if (reader->is_encapsulated())
      for (const ByteView piece : reader->encoded(i)) encoded_bytes += piece.size();
    const auto first = reader->read(i);
    if (!first) continue;
    FIDUCIA_ASSERT(first->samples.size() == geometry.frame_bytes());
    FIDUCIA_ASSERT(!first->decoder.empty());
    const Bytes kept(first->samples.begin(), first->samples.end());
    const auto second = reader->read(i);
    FIDUCIA_ASSERT(second.has_value() && same_bytes(second->samples, kept));
  }
  FIDUCIA_ASSERT(encoded_bytes <= size);
  return 0;
}
