// SPDX-License-Identifier: Apache-2.0
#include "report/pictures.h"

namespace fiducia::report {

render::PictureOptions picture_options(const seal::VerifyResult& result, std::size_t item_count) {
  if (item_count <= 1) return {};
  // A page of many shows authentic images as thumbnails only.
  if (result.verdict == finding::Verdict::authentic) {
    return {.side_max = 160, .frames_max = 1, .details = false};
  }
  if (item_count <= 20) return {};
  return {.side_max = 512, .frames_max = 1, .details = true};
}

}  // namespace fiducia::report
