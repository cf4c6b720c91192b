// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "core/core.h"
#include "dicom/dicom.h"

namespace fiducia::sealing {

/// One file that a sub-command works on.
struct Input {
  std::filesystem::path path;      // "-" for standard input
  std::filesystem::path relative;  // below the PATH that was named: where a copy is to lie
  bool is_explicit = false;        // named itself, not found in a folder
  [[nodiscard]] bool is_stdin() const { return is_explicit && path == "-"; }
};

/// The files that PATHs name: folders recursively, evidence files (`*.evidence`) in them left
/// out, each file once, in the order named, those of a folder sorted by path. What a folder holds
/// besides files and folders goes to `left_out`.
/// Errors: io_unreadable; usage_invalid when "-" is named twice.
[[nodiscard]] Result<std::vector<Input>> find_inputs(const std::vector<std::string>& paths,
                                                     std::vector<LeftOut>* left_out = nullptr);

/// Whether a file found in a folder, which our reader did not take for DICOM (`error`), can be left
/// out: no other reader would take it for DICOM, it has no sidecar, and it is not called as images
/// are.
[[nodiscard]] bool is_no_image(const Input& input, const Error& error);

/// Rules for an output of a sub-command that reads `inputs` and these further files. Nothing is
/// written into the home.
[[nodiscard]] OutputRules output_rules(std::string kind, std::function<bool(ByteView)> is_kind,
                                       const std::string& home_option,
                                       const std::vector<Input>& inputs,
                                       const std::vector<std::string>& further = {});

/// Opens an input, standard input included.
[[nodiscard]] Result<dicom::File> open_input(const Input& input);

}  // namespace fiducia::sealing
