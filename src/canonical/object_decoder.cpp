// SPDX-License-Identifier: Apache-2.0
#include "canonical/object_decoder.h"

namespace fiducia::canonical {

Result<codec::Frame> SharedFrames::read(std::uint32_t frame) {
  if (last_ == frame) {
    if (last_read_) FIDUCIA_CHECK(reader_.pay_again(frame));
    return last_read_;
  }
  last_ = frame;
  ++decodings_;
  last_read_ = reader_.read(frame);
  return last_read_;
}

const Result<std::optional<codec::Geometry>>& ObjectDecoder::geometry() {
  if (!geometry_) geometry_ = codec::read_geometry(file_.data_set());
  return *geometry_;
}

Result<SharedFrames*> ObjectDecoder::frames(const dicom::TransferSyntax* unnamed) {
  if (!file_.transfer_syntax().uid.empty()) unnamed = nullptr;
  auto found = frames_.find(unnamed);
  if (found == frames_.end()) {
    const auto& known = geometry();
    if (!known) return std::unexpected(known.error());
    auto reader =
        codec::FrameReader::open(file_, child_, unnamed, known->has_value() ? &**known : nullptr);
    found = frames_
                .emplace(unnamed, reader ? Result<SharedFrames>(SharedFrames(std::move(*reader)))
                                         : std::unexpected(std::move(reader).error()))
                .first;
  }
  if (!found->second) return std::unexpected(found->second.error());
  return &*found->second;
}

const NestedPixels& ObjectDecoder::nested_pixels() {
  if (!nested_) nested_ = decode_nested_pixels(file_, child_);
  return *nested_;
}

std::uint64_t ObjectDecoder::decodings() const {
  std::uint64_t sum = 0;
  for (const auto& [syntax, frames] : frames_)
    if (frames) sum += frames->decodings();
  return sum;
}

}  // namespace fiducia::canonical
