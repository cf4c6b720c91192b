// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>

#include "core/core.h"

namespace fiducia::render {

/// A PNG file (ISO/IEC 15948) of 8-bit grey or RGB samples, without any ancillary chunk. `samples`
/// holds width × height × (colour ? 3 : 1) bytes, row-major. Empty when they do not fit each
/// other, or an extent is zero or past 65,535.
[[nodiscard]] Bytes write_png(std::uint32_t width, std::uint32_t height, bool colour,
                              ByteView samples);

}  // namespace fiducia::render
