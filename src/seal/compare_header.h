// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>

#include "canonical/canonical.h"
#include "evidence/evidence.h"
#include "seal/verify_content.h"

namespace fiducia::seal {

/// Compares the attributes of `file` with the header leaves of `evidence`, and the ways in which it
/// can be read with those that were sealed; fills `out.header` and appends findings.
/// `photometric_interpretation` is that of the canonical samples, absent when no pixels were
/// sealed.
void compare_header(const dicom::File& file, const evidence::Evidence& evidence,
                    const std::optional<std::string>& photometric_interpretation,
                    const canonical::NestedPixels& nested_pixels, const ContentOptions& options,
                    ContentComparison& out);

}  // namespace fiducia::seal
