// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstddef>

#include "render/render.h"
#include "seal/result.h"

namespace fiducia::report {

/// What suits one of `item_count` items of a page: pages of many images need small pictures.
[[nodiscard]] render::PictureOptions picture_options(const seal::VerifyResult& result,
                                                     std::size_t item_count);

}  // namespace fiducia::report
