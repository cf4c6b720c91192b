// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>

#include "evidence/evidence.h"
#include "seal/verify_content.h"

namespace fiducia::seal {

/// Compares the frames of `file` with the pixel leaves of `evidence`; fills `out.pixels`, the
/// tile counts, and appends findings. Returns Photometric Interpretation of the canonical
/// samples as the file has them now: the header comparison needs it.
[[nodiscard]] std::string compare_pixels(const dicom::File& file,
                                         const evidence::Evidence& evidence,
                                         codec::CodecChild* child, const ContentOptions& options,
                                         ContentComparison& out);

}  // namespace fiducia::seal
