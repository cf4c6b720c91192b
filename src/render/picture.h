// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/core.h"
#include "finding/finding.h"

namespace fiducia::dicom {
class File;
}
namespace fiducia::codec {
class CodecChild;
}

namespace fiducia::render {

/// One frame as a person would see it: 8-bit RGB or grey, window applied, MONOCHROME1 inverted,
/// palette looked up.
struct Picture {
  std::uint32_t frame = 1;  // from 1
  std::uint32_t width = 0;
  std::uint32_t height = 0;
  bool colour = false;
  Bytes samples;  // width × height × (colour ? 3 : 1)
  /// Extent of the whole frame in pixels; 0: that of the picture, which is then not scaled.
  std::uint32_t frame_width = 0;
  std::uint32_t frame_height = 0;
  /// The part of the frame it shows, in pixels of the frame; absent: all of it.
  std::optional<finding::Box> part = {};
  /// How grey levels or colours were made, as a sentence without any attribute value.
  std::string rendering = {};
};

struct PictureOptions {
  std::uint32_t side_max = 1024;  // larger frames are scaled down, each pixel an area's mean
  std::size_t frames_max = 4;     // altered frames shown
  bool details = true;            // the altered part at full resolution beside its frame
};
struct Pictures {
  std::vector<Picture> pictures;
  std::string missing;  // why there is none, as a sentence; "" if there are
};

/// Renders the frames worth looking at: those that findings name, or else the middle one, as PS3.3
/// C.11 and C.7.6.3 say: Modality LUT or rescale, VOI LUT or window (also those of functional
/// groups), palettes, YBR. Hostile attributes cost the picture, or a plainer rendering, nothing
/// else. `child` may be null. Never throws on input; memory is bounded by one frame and the
/// pictures.
[[nodiscard]] Pictures make_pictures(const dicom::File& file, codec::CodecChild* child,
                                     std::span<const finding::Finding> findings,
                                     const PictureOptions& options = {});

/// The picture with at most `side_max` pixels on its longer side, each the mean of its area.
[[nodiscard]] Picture scaled_down(const Picture& picture, std::uint32_t side_max);

}  // namespace fiducia::render
