// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>

#include "seal/verify_content.h"

namespace fiducia::seal {

/// Compares the attributes of `data_set` with the header leaves of `evidence`; fills
/// `out.header` and appends findings. `photometric_interpretation` is that of the canonical
/// samples, absent when no pixels were sealed. `budget` is that of the file.
void compare_header(const dicom::DataSet& data_set, Budget& budget, const Evidence& evidence,
                    const std::optional<std::string>& photometric_interpretation,
                    const NestedPixels& nested_pixels, const ContentOptions& options,
                    ContentComparison& out);

}  // namespace fiducia::seal
