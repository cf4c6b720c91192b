// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <map>
#include <optional>

#include "canonical/nested_pixels.h"
#include "codec/codec.h"
#include "dicom/dicom.h"

namespace fiducia::canonical {

/// The frames of an object for all who look at them: one after the other decodes a frame once, when
/// they ask for the same frame in turn. Each pays for it, as if alone: what a file may cost depends
/// on how many look at it, and not on their order. Not thread-safe.
class SharedFrames {
 public:
  explicit SharedFrames(codec::FrameReader reader) : reader_(std::move(reader)) {}
  [[nodiscard]] const codec::FrameReader& reader() const { return reader_; }
  /// As FrameReader::read; valid until another frame is asked for.
  [[nodiscard]] Result<codec::Frame> read(std::uint32_t frame);
  /// How many frames were decoded, again and again counted.
  [[nodiscard]] std::uint64_t decodings() const { return decodings_; }

 private:
  codec::FrameReader reader_;
  std::optional<std::uint32_t> last_;  // which frame `last_read_` is
  Result<codec::Frame> last_read_ = codec::Frame{};
  std::uint64_t decodings_ = 0;
};

/// What one object is decoded with, and what all comparisons of it share: geometry, frames and
/// nested pixels, read when the first one needs them. Not thread-safe; one an object.
class ObjectDecoder {
 public:
  /// `file` and `child`, which may be null, must outlive it.
  ObjectDecoder(const dicom::File& file, codec::CodecChild* child) : file_(file), child_(child) {}
  [[nodiscard]] const dicom::File& file() const { return file_; }
  /// As codec::read_geometry.
  [[nodiscard]] const Result<std::optional<codec::Geometry>>& geometry();
  /// `unnamed` as in FrameReader::open. Errors: those of it.
  [[nodiscard]] Result<SharedFrames*> frames(const dicom::TransferSyntax* unnamed = nullptr);
  [[nodiscard]] const NestedPixels& nested_pixels();
  /// Of all frames at the top level.
  [[nodiscard]] std::uint64_t decodings() const;

 private:
  const dicom::File& file_;
  codec::CodecChild* child_;
  std::optional<Result<std::optional<codec::Geometry>>> geometry_;
  /// By the transfer syntax that an unnamed one was taken for; null: the file's own.
  std::map<const dicom::TransferSyntax*, Result<SharedFrames>> frames_;
  std::optional<NestedPixels> nested_;
};

}  // namespace fiducia::canonical
