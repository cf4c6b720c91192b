// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <filesystem>
#include <string>
#include <vector>

#include "core/core.h"
#include "dicom/dicom.h"

namespace fiducia::app {

/// One file that a sub-command works on.
struct Input {
  std::filesystem::path path;      // "-" for standard input
  std::filesystem::path relative;  // below the PATH that was named: where a copy is to lie
  bool is_explicit = false;        // named itself, not found in a folder
  [[nodiscard]] bool is_stdin() const { return is_explicit && path == "-"; }
};

/// The files that PATHs name: folders recursively, evidence files (`*.evidence`) in them left
/// out, each file once, in the order named, those of a folder sorted by path.
/// Errors: io_unreadable; usage_invalid when "-" is named twice.
[[nodiscard]] Result<std::vector<Input>> find_inputs(const std::vector<std::string>& paths);

/// Opens an input, standard input included.
[[nodiscard]] Result<dicom::File> open_input(const Input& input);

}  // namespace fiducia::app
