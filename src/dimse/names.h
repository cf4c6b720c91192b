// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>
#include <string_view>

#include "core/core.h"

/// Names that associations speak of.
namespace fiducia::dimse {

inline constexpr std::string_view application_context_uid = "1.2.840.10008.3.1.1.1";
inline constexpr std::string_view verification_uid = "1.2.840.10008.1.1";
inline constexpr std::string_view implicit_little_endian_uid = "1.2.840.10008.1.2";

/// An application entity title (PS3.5 section 6.2, AE): 1 to 16 characters of the default
/// repertoire without control characters and backslash; blanks around it, and NULs that some
/// devices pad with, are taken off. Errors: malformed (kind "ae_title").
[[nodiscard]] Result<std::string> read_ae_title(ByteView bytes);

/// A UID (PS3.5 section 9.1): 1 to 64 digits and dots; a NUL or a blank that pads it is taken off.
/// Components that begin with 0 pass, since devices write them and a UID is only compared. Errors:
/// malformed (kind "uid").
[[nodiscard]] Result<std::string> read_uid(ByteView bytes);

}  // namespace fiducia::dimse
