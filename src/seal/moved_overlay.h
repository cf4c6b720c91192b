// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <optional>
#include <vector>

#include "codec/codec.h"
#include "dicom/dicom.h"
#include "evidence/evidence_file.h"

namespace fiducia::seal {

/// Overlays that lay in unused bits of the samples when they were sealed (retired in 2004), and are
/// planes of their own in (60xx,3000) now, as transcoders leave them (spec/seal.md 10.2).
class MovedOverlays {
 public:
  /// Those that the file's attributes and the seal allow: nothing is proven yet. None for signed
  /// samples, whose upper bits say something else as well. Borrows from `data_set`.
  [[nodiscard]] static MovedOverlays find(const dicom::DataSet& data_set,
                                          const evidence::Evidence& evidence,
                                          const codec::Geometry& geometry);
  [[nodiscard]] bool empty() const { return planes_.empty(); }
  /// Whether the change of this attribute follows from the move.
  [[nodiscard]] bool explains(dicom::Tag tag) const;
  /// Copies a decoded frame and puts the planes back into its samples. Absent where a sample still
  /// has a bit that its plane has not: readers show the plane.
  [[nodiscard]] std::optional<Bytes> put_back(std::uint32_t frame, ByteView samples,
                                              const codec::Geometry& geometry) const;

 private:
  struct Plane {
    std::uint16_t group = 0;
    unsigned bit = 0;  // where it was
    ByteView bits;     // of all frames, the least significant of each byte first
  };
  std::vector<Plane> planes_;
};

}  // namespace fiducia::seal
