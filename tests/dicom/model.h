// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>

#include "dicom/data_set.h"
#include "support/dicom_builder.h"

namespace fiducia::test {

/// The first place where a parsed data set is not what `model`, written in `syntax`, should give;
/// "" when it is. The expectation is computed from PS3.5, not from the reader.
[[nodiscard]] std::string difference(const DicomDataSet& model, const dicom::DataSet& parsed,
                                     Syntax syntax);

}  // namespace fiducia::test
