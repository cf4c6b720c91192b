// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>

#include "core/error.h"
#include "json/writer.h"

namespace fiducia::json {

/// An error as the object that every schema of ours calls "error". `with_path`: the file's name as
/// well, where nothing around it says it.
void write_error(Writer& json, const Error& error, bool with_path);

/// `{"schema":"fiducia.error/1","error":{...}}` on one line.
[[nodiscard]] std::string error_line(const Error& error);

}  // namespace fiducia::json
