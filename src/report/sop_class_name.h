// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string_view>

namespace fiducia::report {

/// The name of a storage SOP class (PS3.6 Annex A), "" for the rarer ones and private ones.
[[nodiscard]] std::string_view sop_class_name(std::string_view uid);

}  // namespace fiducia::report
