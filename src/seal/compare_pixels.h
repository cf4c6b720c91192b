// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <memory>
#include <string>

#include "canonical/canonical.h"
#include "evidence/evidence.h"
#include "seal/verify_content.h"

namespace fiducia::seal {

/// Compares the frames of a file with the pixel leaves of one evidence, frame by frame, so that
/// many evidences can be compared with frames that are decoded once. Fills `out.pixels`, the tile
/// counts, and appends findings. All that it is given must outlive it.
class PixelComparison {
 public:
  PixelComparison(const evidence::Evidence& evidence, canonical::ObjectDecoder& decoder,
                  const ContentOptions& options, ContentComparison& out);
  PixelComparison(PixelComparison&&) noexcept;
  ~PixelComparison();
  /// Frames to compare: 0 .. frames() - 1.
  [[nodiscard]] std::uint32_t frames() const;
  /// Each frame once, ascending. Does nothing once the object's budget is exceeded.
  void compare(std::uint32_t frame);
  /// After the last frame. Returns Photometric Interpretation of the canonical samples as the file
  /// has them now: the header comparison needs it.
  [[nodiscard]] std::string finish();

 private:
  class Frames;
  std::unique_ptr<Frames> frames_;  // null: there are none that can be compared
  std::string photometric_;         // then
};

}  // namespace fiducia::seal
